// SPDX-License-Identifier: MIT
//
// Files mapped into memory in the ways that do not keep a process at home: a private view, some of
// whose pages the process has written, and a shared view that may only be read. Past the end of the
// file there is nothing, as a signal tells.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

constexpr size_t page = 4096;
constexpr size_t size = 64 * page;

template <int protection, int flags>
class FileView final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        mosrig::guest::fill_bytes(content_, size, 8);
        if (fd < 0 || pwrite(fd, content_, size, 0) != size ||
            (fd = mosrig::guest::only_to_read(fd)) < 0) {
            return failed("a file");
        }
        if ((flags & MAP_SHARED) != 0 && mosrig::guest::in_memory(fd)) {
            return "the files of this node are in memory, and stay for that";
        }
        // Twice as long as the file.
        void* view = mosrig::guest::map_to_read(fd, 2 * size, protection, flags);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = static_cast<unsigned char*>(view);
        fd_ = fd;
        struct sigaction action = {};
        action.sa_sigaction = take;
        action.sa_flags = SA_SIGINFO;
        return sigaction(SIGBUS, &action, nullptr) != 0 ? failed("sigaction") : nullptr;
    }

  protected:
    // One page is looked at for the first time in each turn; of a private view, it is then written.
    const char* step() override {
        const size_t at = turn_++ * 5 % (size / page) * page;
        if (memcmp(view_ + at, content_ + at, page) != 0) {
            return "a page of the file";
        }
        if ((protection & PROT_WRITE) != 0) {
            memset(view_ + at, static_cast<int>(turn_), page);
            memset(content_ + at, static_cast<int>(turn_), page);
        }
        return nullptr;
    }

    const char* check() override {
        if (memcmp(view_, content_, size) != 0) {
            return "the view of the file";
        }
        unsigned char first = 0;
        if ((flags & MAP_PRIVATE) != 0 &&
            (pread(fd_, &first, 1, 0) != 1 || first != first_byte())) {
            return "a private view has changed the file";
        }
        return past_the_end();
    }

  private:
    static unsigned char first_byte() {
        unsigned char byte = 0;
        mosrig::guest::fill_bytes(&byte, 1, 8);
        return byte;
    }

    const char* past_the_end() {
        code_ = 0;
        if (sigsetjmp(back_, 1) == 0) {
            const unsigned char got = *const_cast<volatile unsigned char*>(view_ + size + 7);
            return got == 0 ? "there is a page past the end of the file" : "something past the end";
        }
        return code_ != BUS_ADRERR
                   ? mosrig::guest::differs("code of a read past the end", code_, BUS_ADRERR)
                   : nullptr;
    }

    static void take(int /*signal*/, siginfo_t* info, void* /*context*/) {
        code_ = info->si_code;
        siglongjmp(back_, 1);
    }

    static inline sigjmp_buf back_;
    static inline volatile int code_;
    unsigned char content_[size] = {};
    unsigned char* view_ = nullptr;
    int fd_ = -1;
    size_t turn_ = 0;
};

const KindOf<FileView<PROT_READ | PROT_WRITE, MAP_PRIVATE>> private_view("file-private");
const KindOf<FileView<PROT_READ, MAP_SHARED>> shared_view("file-readonly");

}  // namespace
