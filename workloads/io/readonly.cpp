// SPDX-License-Identifier: MIT
//
// Arguments that lie where the program may not write: a call that only reads them does its work,
// one that has to write says EFAULT, and the program lives.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

// In the program's own file, which nobody may write.
const struct flock constant_lock = {F_WRLCK, SEEK_SET, 0, 100, 0};
const struct flock constant_unlock = {F_UNLCK, SEEK_SET, 0, 100, 0};

class ReadOnly final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        fd_ = mosrig::guest::scratch_file(O_CLOEXEC);
        if (fd_ < 0 || pipe2(pipe_, O_CLOEXEC) != 0 || write(pipe_[1], "x", 1) != 1) {
            return failed("a file, a pipe");
        }
        // To make one away would bring the process home.
        for (pid_t& child : children_) {
            child = fork();
            if (child == 0) {
                _exit(7);
            }
        }
        unsigned char* const place = mosrig::guest::map_private(page);
        if (place == nullptr) {
            return failed("mmap");
        }
        auto* const set = reinterpret_cast<Set*>(place);
        set->lock = constant_lock;
        set->ready = {pipe_[0], POLLIN, 0};
        set->a_while = {0, 300000000};
        set_ = set;
        return mprotect(place, page, PROT_READ) != 0 ? failed("mprotect") : nullptr;
    }

    bool command(const char* word) override {
        static const struct {
            const char* word;
            const char* (ReadOnly::*call)();
        } calls[] = {{"LOCK", &ReadOnly::lock},
                     {"POLL", &ReadOnly::wait_ready},
                     {"WAIT", &ReadOnly::bury},
                     {"SLEEP", &ReadOnly::sleep}};
        for (const auto& entry : calls) {
            if (strcmp(entry.word, word) == 0) {
                mosrig::guest::answer((this->*entry.call)());
                return true;
            }
        }
        return Holder::command(word);
    }

  protected:
    const char* check() override {
        return set_->ready.fd == pipe_[0] && set_->ready.revents == 0 && set_->status == 0
                   ? nullptr
                   : "memory that is only for reading has changed";
    }

  private:
    static constexpr size_t page = 4096;
    static constexpr size_t count = 4;

    // All of it in a page that may only be read.
    struct Set {
        struct flock lock;
        struct pollfd ready;
        int status;
        struct timespec a_while;
    };

    const char* lock() {
        if (fcntl(fd_, F_SETLK, &constant_lock) != 0) {
            return failed("a lock that is a constant");
        }
        if (fcntl(fd_, F_SETLK, &constant_unlock) != 0) {
            return failed("an unlock that is a constant");
        }
        if (fcntl(fd_, F_SETLKW, &set_->lock) != 0) {
            return failed("a lock in memory for reading");
        }
        return fcntl(fd_, F_SETLK, &constant_unlock) != 0 ? failed("its end") : nullptr;
    }

    // Past the C library, which has no such call for a list that is constant.
    const char* wait_ready() {
        return syscall(SYS_poll, &set_->ready, 1UL, -1) != -1 || errno != EFAULT
                   ? failed("poll, its list only for reading")
                   : nullptr;
    }

    // Nothing interrupts it, so nothing is left of it that would have to be written.
    const char* sleep() {
        return syscall(SYS_nanosleep, &set_->a_while, &set_->a_while) != 0
                   ? failed("nanosleep, its rest only for reading")
                   : nullptr;
    }

    const char* bury() {
        const pid_t child = children_[buried_++ % count];
        const long got = syscall(SYS_wait4, child, &set_->status, 0, nullptr);
        if (got != -1 || errno != EFAULT) {
            return got == -1 ? failed("wait4, its status only for reading")
                             : differs("wait4, its status only for reading", got, -1);
        }
        // It has been waited for all the same.
        return waitpid(child, nullptr, 0) != -1 || errno != ECHILD
                   ? failed("a child that was waited for")
                   : nullptr;
    }

    const Set* set_ = nullptr;
    pid_t children_[count] = {};
    size_t buried_ = 0;
    int fd_ = -1;
    int pipe_[2] = {};
};

const mosrig::guest::KindOf<ReadOnly> read_only("read-only");

}  // namespace
