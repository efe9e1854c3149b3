// SPDX-License-Identifier: MIT
//
// Memory and registers that few programs touch: where user space ends, the vdso and its data, a
// stack that has grown, data segments. Each at a word of its own, and as at home.
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

constexpr size_t page = 4096;
// Four levels of page tables: the last page that a program can have begins below that.
constexpr uintptr_t end_of_space = (uintptr_t{1} << 47U) - page;

void* at(uintptr_t address) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): no object is there, or one of the kernel's making
    return reinterpret_cast<void*>(address);
}

class Outskirts final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const auto* const start = static_cast<const unsigned char*>(vdso());
        memcpy(as_it_was_, start, sizeof as_it_was_);
        const int file = mosrig::guest::scratch_file(O_CLOEXEC);
        view_ = mosrig::guest::map_to_read(file, view_size, PROT_READ, MAP_PRIVATE);
        if (file < 0 || ftruncate(file, view_size) != 0 || view_ == MAP_FAILED) {
            return failed("a view of a file");
        }
        // Below the stack, as all mappings are: it is not the first that can grow.
        for (int made = 0; made < other_stacks; ++made) {
            if (mmap(nullptr, page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) == MAP_FAILED) {
                return failed("a mapping that grows");
            }
        }
        return find_data() && signal(SIGUSR1, count) != SIG_ERR ? nullptr
                                                                : failed("the vdso's data");
    }

    bool command(const char* word) override {
        constexpr mosrig::guest::Part parts[] = {
            {"PAST_THE_END", past_the_end},      {"LONG_BUFFER", too_long_a_buffer},
            {"STACK_LIMIT", limit_a_stack},      {"STACK_DIRECT", write_to_a_stack},
            {"STACK_FAULT", fault_on_new_stack}, {"DATA_SEGMENT", data_segment},
            {"VDSO_DATA", data_of_vdso},         {"WAKE", wake_where_nobody_waits}};
        return mosrig::guest::answer_part(parts, word) || Holder::command(word);
    }

  protected:
    // Its code is home's, wherever the process has been.
    const char* check() override {
        (void)mosrig::guest::now_ns();
        return memcmp(as_it_was_, vdso(), sizeof as_it_was_) == 0 || !at_home()
                   ? nullptr
                   : "the vdso has changed";
    }

  private:
    static void* vdso() { return at(getauxval(AT_SYSINFO_EHDR)); }

    static bool at_home() {
        char text[8];
        return mosrig::guest::read_text("/proc/self/where", text, sizeof text) != 0 &&
               text[0] == '0';
    }

    // Where the data of the vdso lie; right before it, as a rule.
    static bool find_data() {
        static char maps[1U << 14U];
        const size_t length = mosrig::guest::read_text("/proc/self/maps", maps, sizeof maps);
        const char* line = length != 0 ? strstr(maps, "[vvar]") : nullptr;
        while (line != nullptr && line > maps && line[-1] != '\n') {
            --line;
        }
        data_ = line != nullptr ? strtoul(line, nullptr, 16) : 0;
        return data_ != 0;
    }

    static const char* past_the_end() {
        if (stat("/", static_cast<struct stat*>(at(end_of_space - 8))) == 0 || errno != EFAULT) {
            return "stat to where user space ends";
        }
        char name[8];
        return readlink("/proc/self", name, sizeof name) > 0 ? nullptr : failed("readlink");
    }

    // What is said of a buffer's length need not be true, as long as nobody writes there.
    static const char* too_long_a_buffer() {
        // Not on the stack, which may be nearer to the end of user space than that.
        static char name[32];
        // As a compiler would not let it.
        if (syscall(SYS_readlink, "/proc/self", name, size_t{1} << 30U) <= 0) {
            return failed("readlink to a buffer of any length");
        }
        int ends[2];
        if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1) {
            return failed("a pipe");
        }
        const bool refused =
            read(ends[0], at(end_of_space - page), size_t{1} << 20U) == -1 && errno == EFAULT;
        return close(ends[0]) == 0 && close(ends[1]) == 0 && refused
                   ? nullptr
                   : "a read to where user space ends";
    }

    // Uses so much of the stack.
    [[gnu::noinline]] static void use_stack() {
        constexpr size_t depth = size_t{3} << 20U;
        unsigned char below[depth];
        for (size_t place = 0; place < depth; place += page) {
            below[place] = static_cast<unsigned char>(place / page);
        }
        asm volatile("" : : "r"(below) : "memory");
    }

    // A limit is for what the stack will become, and not for what it is.
    static const char* limit_a_stack() {
        struct rlimit was = {};
        use_stack();
        if (getrlimit(RLIMIT_STACK, &was) != 0) {
            return failed("getrlimit");
        }
        struct rlimit low = was;
        low.rlim_cur = size_t{1} << 20U;
        if (setrlimit(RLIMIT_STACK, &low) != 0) {
            return failed("setrlimit");
        }
        use_stack();
        return setrlimit(RLIMIT_STACK, &was) == 0 ? nullptr : failed("setrlimit");
    }

    // A device writes into pages that only the body has touched.
    [[gnu::noinline]] static const char* write_to_a_stack() {
        constexpr size_t size = size_t{1} << 20U;
        alignas(page) unsigned char buffer[size];
        const int fd = mosrig::guest::scratch_file(O_DIRECT | O_CLOEXEC);
        unsigned char* const out = mosrig::guest::map_private(size);
        if (fd < 0 || out == nullptr) {
            return failed("a direct file");
        }
        mosrig::guest::fill_bytes(out, size, 17);
        const bool same = pwrite(fd, out, size, 0) == static_cast<ssize_t>(size) &&
                          pread(fd, buffer, size, 0) == static_cast<ssize_t>(size) &&
                          mosrig::guest::same_bytes(buffer, size, 17);
        return munmap(out, size) == 0 && close(fd) == 0 && same
                   ? nullptr
                   : failed("a direct file's bytes, on the stack");
    }

    // Deeper than ever, and then home has to be asked for a page, by the program and by a call.
    [[gnu::noinline]] static const char* fault_on_new_stack() {
        const char* const wrong = deepen([](const unsigned char* fresh) {
            return *const_cast<const volatile unsigned char*>(fresh) == 0;
        });
        return wrong != nullptr ? wrong : deepen([](const unsigned char* fresh) {
            const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
            const bool written = write(fd, fresh, page) == page;
            return close(fd) == 0 && written;
        });
    }

    static const char* deepen(bool (*use)(const unsigned char* fresh)) {
        // Far enough apart that they do not come together.
        constexpr size_t apart = size_t{2} << 20U;
        const auto* const fresh = static_cast<const unsigned char*>(view_) + used_++ * apart;
        auto* const below =
            static_cast<volatile unsigned char*>(__builtin_alloca(deep_ += 16 * page));
        for (size_t place = deep_; place >= page; place -= page) {
            below[place - page] = 1;
        }
        return use(fresh) ? nullptr : failed("a page of a file that is all zeros");
    }

    // Of 64 bits a program makes no use of them, and may load what it likes.
    static const char* data_segment() {
        unsigned selector = 0;
        asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0x33) : "memory");
        const sig_atomic_t before = signals_;
        const bool raised = raise(SIGUSR1) == 0;
        asm volatile("mov %%ds, %0" : "=r"(selector) : : "memory");
        asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0) : "memory");
        if (!raised || signals_ != before + 1) {
            return differs("signals that were handled", signals_, before + 1);
        }
        return selector == 0x33 ? nullptr : differs("the data segment", selector, 0x33);
    }

    static const char* data_of_vdso() {
        void* const data = at(data_);
        if (madvise(data, page, MADV_DONTNEED) == 0 || errno != EINVAL) {
            return "an advice on the vdso's data";
        }
        if (mprotect(data, page, PROT_READ | PROT_WRITE) == 0 || errno != EACCES) {
            return "the vdso's data cannot be made writable";
        }
        return nullptr;
    }

    // In memory of the program's file nobody waits.
    static const char* wake_where_nobody_waits() {
        static const uint32_t word = 0;
        const long woken = syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
        return woken == 0 ? nullptr : failed("a wake by a word that may only be read");
    }

    static void count(int /*signal*/) { signals_ = signals_ + 1; }

    static constexpr int other_stacks = 10;
    static constexpr size_t view_size = size_t{64} << 20U;

    static inline void* view_ = nullptr;
    static inline size_t used_ = 0;          // pages of the view
    static inline size_t deep_ = 4U << 20U;  // bytes, more than other parts take
    static inline uintptr_t data_ = 0;
    static inline volatile sig_atomic_t signals_ = 0;
    unsigned char as_it_was_[2 * page] = {};
};

// The vdso is gone, and something else is where it was: plain memory, which moves.
class NoVdso final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        memory_ = static_cast<unsigned char*>(at(getauxval(AT_SYSINFO_EHDR)));
        if (munmap(memory_, size) != 0 ||
            mmap(memory_, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0) != memory_) {
            return failed("memory in the place of the vdso");
        }
        mosrig::guest::fill_bytes(memory_, size, turn_);
        return nullptr;
    }

  protected:
    const char* step() override {
        if (const char* wrong = check(); wrong != nullptr) {
            return wrong;
        }
        mosrig::guest::fill_bytes(memory_, size, ++turn_);
        return nullptr;
    }

    const char* check() override {
        return mosrig::guest::same_bytes(memory_, size, turn_) ? nullptr
                                                               : "memory where the vdso was";
    }

  private:
    static constexpr size_t size = 2 * page;

    unsigned char* memory_ = nullptr;
    uint64_t turn_ = 1;
};

const mosrig::guest::KindOf<Outskirts> outskirts("outskirts");
const mosrig::guest::KindOf<NoVdso> no_vdso("no-vdso");

}  // namespace
