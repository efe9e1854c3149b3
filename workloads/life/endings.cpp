// SPDX-License-Identifier: MIT
//
// The end of a process that is away, as its parent at home learns of it. A child talks to the rig;
// when it has been told how to end, its parent looks at what wait says, answers, and makes another
// child in its place.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

// Faults at its first instruction.
extern "C" void mosrig_fault(int* nowhere);

asm(R"(
    .pushsection .text
mosrig_fault:
    movl $1, (%rdi)
    ret
    .popsection
)");

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

// What a child says to its parent before it ends.
struct Testament {
    int status;         // as wait is to give it, but for the bit that says "core"
    long long used_ns;  // CPU time that it has used
    bool leaves_core;
    unsigned long long place;  // of the instruction that ends it; 0: somewhere in the library
    long long limit_ns = 0;    // of CPU time, which is what ends it; 0: it has none
};

// `slow`: the core goes to a program that begins to read it only after longer than a link between
// nodes may be silent.
template <bool slow>
class Endings final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (mkdtemp(folder_) == nullptr || chdir(folder_) != 0 || pipe2(said_, O_CLOEXEC) != 0) {
            return "no folder can be made in /tmp";
        }
        mosrig::guest::fill_bytes(mark_, sizeof mark_, mark_at_home);
        if (slow && !begin_slow_cores()) {
            return failed("core_pattern");
        }
        const struct rlimit whole = {RLIM_INFINITY, RLIM_INFINITY};
        (void)setrlimit(RLIMIT_CORE, &whole);
        for (bool first = true;; first = false) {
            const pid_t child = fork();
            if (child < 0) {
                return failed("fork");
            }
            if (child == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (!first) {
                    _exit(mosrig::guest::serve(*this, false));
                }
                return nullptr;
            }
            if (!bury(child)) {
                if (slow) {
                    end_slow_cores();
                }
                (void)chdir("/");
                (void)rmdir(folder_);
                _exit(0);
            }
        }
    }

    bool command(const char* word) override {
        static const struct {
            const char* word;
            void (*end)();
            Testament testament;
        } ways[] = {
            {"EXIT", [] { _exit(42); }, {42 << 8, 0, false, 0}},
            {"KILLED", [] { (void)kill(getpid(), SIGKILL); }, {SIGKILL, 0, false, 0}},
            {"TERMINATED", [] { (void)raise(SIGTERM); }, {SIGTERM, 0, false, 0}},
            {"ABORTED", [] { abort(); }, {SIGABRT, 0, true, 0}},
            {"FAULTED",
             [] { mosrig_fault(nullptr); },
             {SIGSEGV, 0, true, reinterpret_cast<uintptr_t>(mosrig_fault)}},
            {"BURNT", burn, {43 << 8, 0, false, 0}},
            {"LIMITED", compute, {SIGKILL, 0, false, 0}},
        };
        for (const auto& way : ways) {
            if (strcmp(way.word, word) != 0) {
                continue;
            }
            Testament testament = way.testament;
            testament.used_ns = strcmp(word, "BURNT") == 0 ? burnt_ns : 0;
            testament.limit_ns = strcmp(word, "LIMITED") == 0 ? limit_cpu_time() : 0;
            // The core has to hold what is written here, wherever that now is.
            mosrig::guest::fill_bytes(mark_, sizeof mark_, mark_at_the_end);
            if (testament.leaves_core && !keep_a_secret()) {
                _exit(98);
            }
            (void)mosrig::guest::write_all(said_[1], &testament, sizeof testament);
            way.end();
            _exit(99);
        }
        return Holder::command(word);
    }

  private:
    // Memory of which the core has to show nothing.
    static bool keep_a_secret() {
        unsigned char* const secret = mosrig::guest::map_private(sizeof mark_);
        if (secret == nullptr || madvise(secret, sizeof mark_, MADV_DONTDUMP) != 0) {
            return false;
        }
        mosrig::guest::fill_bytes(secret, sizeof mark_, mark_of_the_secret);
        return true;
    }

    static constexpr long long second = 1000000000;
    static constexpr long long burnt_ns = 12000000000;  // within 1 % of it, a child can end
    static constexpr int reader_sleeps_s = 20;
    static constexpr const char* pattern_file = "/proc/sys/kernel/core_pattern";
    static constexpr unsigned mark_at_home = 99;
    static constexpr unsigned mark_at_the_end = 100;
    static constexpr unsigned mark_of_the_secret = 101;

    static void burn() {
        struct timespec used = {};
        do {
            volatile int sink = 0;
            while (sink < 100000) {
                sink = sink + 1;
            }
            (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        } while (used.tv_sec * 1000000000LL + used.tv_nsec < burnt_ns);
        _exit(43);
    }

    // For so much more, and not a moment to be told of it first: the hard limit is no higher.
    // Nanoseconds; -1 if that failed, which nobody comes to.
    static long long limit_cpu_time() {
        constexpr long long more_s = 5;
        const rlim_t seconds = static_cast<rlim_t>(ticked(getpid()) / second + more_s);
        const struct rlimit limit = {seconds, seconds};
        return setrlimit(RLIMIT_CPU, &limit) == 0 ? static_cast<long long>(seconds) * second : -1;
    }

    // Without a call, and without an end.
    [[noreturn]] static void compute() {
        volatile unsigned sink = 0;
        for (;;) {
            sink = sink + 1;
        }
    }

    // CPU time of a process, dead or alive, as the ticks count it, which is what the limit goes by:
    // a node that its host starves loses some.
    static long long ticked(pid_t process) {
        // Of a whole process, in both modes: the C library has no name for it.
        const auto clock = static_cast<clockid_t>(~static_cast<unsigned>(process) << 3U);
        return mosrig::guest::now_ns(clock);
    }

    // Whether the child ended as it was told to, and another is to take its place.
    bool bury(pid_t child) {
        int status = 0;
        struct rusage usage = {};
        const long long before = used_by_children();
        siginfo_t end = {};
        while (waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOWAIT) != 0) {
        }
        const long long ticks = ticked(child);
        while (wait4(child, &status, 0, &usage) != child) {
        }
        if (status == 0) {
            return false;
        }
        const long long more = used_by_children() - before;
        Testament testament = {};
        if (!mosrig::guest::read_all(said_[0], &testament, sizeof testament)) {
            return false;
        }
        const char* wrong = judge(child, testament, status, usage);
        if (wrong == nullptr && testament.limit_ns != 0) {
            wrong = judge_limit(testament.limit_ns, ticks, nanoseconds(usage));
        }
        // Of each sum, what it has of user and of system time is cut to microseconds.
        constexpr long long cut_ns = 2000;
        mosrig::guest::answer(wrong != nullptr || llabs(more - nanoseconds(usage)) <= cut_ns
                                  ? wrong
                                  : differs("CPU time of all children", more, nanoseconds(usage)));
        return true;
    }

    static long long nanoseconds(const struct rusage& usage) {
        return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
    }

    static long long used_by_children() {
        struct rusage usage = {};
        (void)getrusage(RUSAGE_CHILDREN, &usage);
        return nanoseconds(usage);
    }

    // It has had all that it may have, and hardly more.
    static const char* judge_limit(long long limit, long long ticks, long long used) {
        if (ticks < limit || ticks > limit + second) {
            return differs("CPU time at the limit in ms", ticks / 1000000, limit / 1000000);
        }
        return used < limit - second ? differs("CPU time of the child in ms, of at least",
                                               used / 1000000, limit / 1000000)
                                     : nullptr;
    }

    const char* judge(pid_t child, const Testament& testament, int status,
                      const struct rusage& usage) const {
        constexpr int core_bit = 0x80;
        if ((status & ~core_bit) != testament.status) {
            return differs("status of the child", status, testament.status);
        }
        const long long used = nanoseconds(usage);
        const long long slack = testament.used_ns / 100;
        const bool too_much = testament.used_ns != 0 && used > testament.used_ns + slack;
        if (too_much || used < testament.used_ns - slack) {
            return differs("CPU time of the child in ms", used / 1000000,
                           testament.used_ns / 1000000);
        }
        return testament.leaves_core ? look_at_core((status & core_bit) != 0, child, testament)
                                     : nullptr;
    }

    // The core holds the child's memory: the mark stands in it. It says who died, where and of
    // what.
    [[nodiscard]] const char* look_at_core(bool dumped, pid_t child,
                                           const Testament& testament) const {
        if (!dumped) {
            return "wait says that there is no core";
        }
        const int fd = open_core();
        if (fd < 0) {
            return failed("open of the core");
        }
        (void)unlink("core");
        bool found = false;
        bool told = false;
        unsigned char page[sizeof mark_];
        while (mosrig::guest::read_all(fd, page, sizeof page)) {
            found = found || mosrig::guest::same_bytes(page, sizeof page, mark_at_the_end);
            told = told || mosrig::guest::same_bytes(page, sizeof page, mark_of_the_secret);
        }
        const bool all = is_whole(fd);
        const char* const wrong = look_at_thread(fd, child, testament);
        (void)close(fd);
        if (!found) {
            return "the core has not what the child had in its memory";
        }
        if (told) {
            return "the core has what it is to leave out";
        }
        return all ? wrong : "the core ends before its last part";
    }

    // The first note is of the thread that is dumped, with its registers.
    static const char* look_at_thread(int fd, pid_t child, const Testament& testament) {
        Elf64_Ehdr head = {};
        Elf64_Phdr part = {};
        Elf64_Nhdr note = {};
        struct elf_prstatus thread = {};
        struct user_regs_struct registers = {};
        static_assert(sizeof registers == sizeof thread.pr_reg);
        const auto get = [fd](auto& object, uint64_t place) {
            return pread(fd, &object, sizeof object, static_cast<off_t>(place)) == sizeof object;
        };
        bool found = get(head, 0);
        for (unsigned at = 0; found && part.p_type != PT_NOTE; ++at) {
            found = at < head.e_phnum && get(part, head.e_phoff + at * sizeof part);
        }
        constexpr uint64_t name_room = 8;  // "CORE", its end, and what fills it up
        if (!found || !get(note, part.p_offset) || note.n_type != NT_PRSTATUS ||
            !get(thread, part.p_offset + sizeof note + name_room)) {
            return "the core has no note of a thread";
        }
        memcpy(&registers, &thread.pr_reg, sizeof registers);
        if (thread.pr_pid != child) {
            return differs("whose core it is", thread.pr_pid, child);
        }
        if (thread.pr_cursig != testament.status) {
            return differs("the signal in the core", thread.pr_cursig, testament.status);
        }
        return testament.place != 0 && registers.rip != testament.place
                   ? differs("the instruction pointer in the core",
                             static_cast<long long>(registers.rip),
                             static_cast<long long>(testament.place))
                   : nullptr;
    }

    // Who reads slowly names it so once it has all.
    static int open_core() {
        int fd = open("core", O_RDONLY | O_CLOEXEC);
        for (int look = 0; slow && fd < 0 && look < 3 * reader_sleeps_s * 10; ++look) {
            (void)usleep(100000);
            fd = open("core", O_RDONLY | O_CLOEXEC);
        }
        return fd;
    }

    static bool is_whole(int fd) {
        Elf64_Ehdr head = {};
        struct stat status = {};
        uint64_t end = 0;
        if (fstat(fd, &status) != 0 || pread(fd, &head, sizeof head, 0) != sizeof head) {
            return false;
        }
        for (unsigned at = 0; at < head.e_phnum; ++at) {
            Elf64_Phdr part = {};
            const auto place = static_cast<off_t>(head.e_phoff + at * sizeof part);
            if (pread(fd, &part, sizeof part, place) != sizeof part) {
                return false;
            }
            end = std::max(end, part.p_offset + part.p_filesz);
        }
        return end > 0 && static_cast<uint64_t>(status.st_size) >= end;
    }

    // Every core of this node goes to that program meanwhile; it stands in the folder.
    bool begin_slow_cores() {
        char script[256];
        char pattern[128];
        (void)snprintf(script, sizeof script,
                       "#!/bin/sh\nsleep %d\ncat >%s/part && mv %s/part %s/core\n", reader_sleeps_s,
                       folder_, folder_, folder_);
        (void)snprintf(pattern, sizeof pattern, "|%s/reader", folder_);
        return mosrig::guest::read_text(pattern_file, old_pattern_, sizeof old_pattern_) > 0 &&
               put("reader", script) && put(pattern_file, pattern);
    }
    void end_slow_cores() const {
        (void)put(pattern_file, old_pattern_);
        (void)unlink("reader");
    }
    static bool put(const char* path, const char* text) {
        const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        const bool done = fd >= 0 && mosrig::guest::write_all(fd, text, strlen(text));
        (void)close(fd);
        return done;
    }

    char folder_[32] = "/tmp/mosrig-life-XXXXXX";
    char old_pattern_[128] = {};
    int said_[2] = {};
    alignas(4096) unsigned char mark_[4096] = {};
};

const KindOf<Endings<false>> endings("endings");
const KindOf<Endings<true>> slow_endings("slow-endings");

}  // namespace
