// SPDX-License-Identifier: MIT
//
// Work that the kernel does on a process's memory behind its back: io_uring, aio, userfaultfd.
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workloads/lib/kinds.h"
#include "workloads/stay/user_faults.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

class Ring final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        struct io_uring_params parameters = {};
        ring_ = static_cast<int>(syscall(SYS_io_uring_setup, 4, &parameters));
        return ring_ < 0 ? failed("io_uring_setup") : nullptr;
    }
    const char* release() override { return close(ring_) != 0 ? failed("close") : nullptr; }

  private:
    int ring_ = -1;
};

class Aio final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        context_ = 0;
        return syscall(SYS_io_setup, 4, &context_) != 0 ? failed("io_setup") : nullptr;
    }
    const char* release() override {
        return syscall(SYS_io_destroy, context_) != 0 ? failed("io_destroy") : nullptr;
    }

  private:
    aio_context_t context_ = 0;
};

class UserFault final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        fd_ = mosrig::guest::open_user_faults();
        if (fd_ < 0) {
            return failed("userfaultfd");
        }
        view_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (view_ == MAP_FAILED) {
            return failed("mmap");
        }
        return mosrig::guest::register_missing(fd_, view_, size) ? nullptr
                                                                 : failed("UFFDIO_REGISTER");
    }

    const char* release() override {
        return munmap(view_, size) != 0 || close(fd_) != 0 ? failed("munmap and close") : nullptr;
    }

  private:
    static constexpr size_t size = 16384;
    int fd_ = -1;
    void* view_ = nullptr;
};

const KindOf<Ring> ring("io-uring");
const KindOf<Aio> aio("aio");
const KindOf<UserFault> user_fault("userfaultfd");

}  // namespace
