// SPDX-License-Identifier: MIT
//
// The end of a process that is away, as its parent at home learns of it. A child talks to the rig;
// when it has been told how to end, its parent looks at what wait says, answers, and makes another
// child in its place.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

// What a child says to its parent before it ends.
struct Testament {
    int status;         // as wait is to give it, but for the bit that says "core"
    long long used_ns;  // CPU time that it has used
    bool leaves_core;
};

class Endings final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (mkdtemp(folder_) == nullptr || chdir(folder_) != 0 || pipe2(said_, O_CLOEXEC) != 0) {
            return "no folder can be made in /tmp";
        }
        mosrig::guest::fill_bytes(mark_, sizeof mark_, mark_at_home);
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
            {"EXIT", [] { _exit(42); }, {42 << 8, 0, false}},
            {"KILLED", [] { (void)kill(getpid(), SIGKILL); }, {SIGKILL, 0, false}},
            {"TERMINATED", [] { (void)raise(SIGTERM); }, {SIGTERM, 0, false}},
            {"ABORTED", [] { abort(); }, {SIGABRT, 0, true}},
            {"FAULTED", [] { *static_cast<volatile int*>(nullptr) = 1; }, {SIGSEGV, 0, true}},
            {"BURNT", burn, {43 << 8, 0, false}},
        };
        for (const auto& way : ways) {
            if (strcmp(way.word, word) != 0) {
                continue;
            }
            Testament testament = way.testament;
            testament.used_ns = strcmp(word, "BURNT") == 0 ? burnt_ns : 0;
            // The core has to hold what is written here, wherever that now is.
            mosrig::guest::fill_bytes(mark_, sizeof mark_, mark_at_the_end);
            (void)mosrig::guest::write_all(said_[1], &testament, sizeof testament);
            way.end();
            _exit(99);
        }
        return Holder::command(word);
    }

  private:
    static constexpr long long burnt_ns = 2000000000;
    static constexpr unsigned mark_at_home = 99;
    static constexpr unsigned mark_at_the_end = 100;

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

    // Whether the child ended as it was told to, and another is to take its place.
    bool bury(pid_t child) {
        int status = 0;
        struct rusage usage = {};
        while (wait4(child, &status, 0, &usage) != child) {
        }
        if (status == 0) {
            return false;
        }
        Testament testament = {};
        if (!mosrig::guest::read_all(said_[0], &testament, sizeof testament)) {
            return false;
        }
        mosrig::guest::answer(judge(testament, status, usage));
        return true;
    }

    const char* judge(const Testament& testament, int status, const struct rusage& usage) const {
        constexpr int core_bit = 0x80;
        if ((status & ~core_bit) != testament.status) {
            return differs("status of the child", status, testament.status);
        }
        const long long used = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
                               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
        const bool too_much = testament.used_ns != 0 && used > testament.used_ns * 11 / 10;
        if (too_much || used < testament.used_ns - testament.used_ns / 50) {
            return differs("CPU time of the child in ms", used / 1000000,
                           testament.used_ns / 1000000);
        }
        return testament.leaves_core ? look_at_core((status & core_bit) != 0) : nullptr;
    }

    // The core holds the child's memory: the mark stands in it.
    [[nodiscard]] const char* look_at_core(bool dumped) const {
        if (!dumped) {
            return "wait says that there is no core";
        }
        const int fd = open("core", O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return failed("open of the core");
        }
        (void)unlink("core");
        bool found = false;
        unsigned char page[sizeof mark_];
        unsigned char mark[sizeof mark_];
        mosrig::guest::fill_bytes(mark, sizeof mark, mark_at_the_end);
        while (!found && mosrig::guest::read_all(fd, page, sizeof page)) {
            found = memcmp(page, mark, sizeof page) == 0;
        }
        (void)close(fd);
        return found ? nullptr : "the core has not what the child had in its memory";
    }

    char folder_[32] = "/tmp/mosrig-life-XXXXXX";
    int said_[2] = {};
    alignas(4096) unsigned char mark_[4096] = {};
};

const KindOf<Endings> endings("endings");

}  // namespace
