// SPDX-License-Identifier: MIT
//
// Memory that another process can change: of a memfd, and of a file on a tmpfs.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::crc32c;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

constexpr size_t size = 16384;

class SharedMemory : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const int fd = open_file();
        if (fd < 0) {
            return failed("no file in memory");
        }
        if (ftruncate(fd, size) != 0) {
            return failed("ftruncate");
        }
        void* view = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = view;
        memset(view, 0x5A, size);
        sum_ = crc32c(view, size);
        return nullptr;
    }

    const char* release() override {
        void* view = view_;
        view_ = nullptr;
        return munmap(view, size) != 0 ? failed("munmap") : nullptr;
    }

  protected:
    virtual int open_file() = 0;

    const char* check() override {
        return view_ != nullptr && crc32c(view_, size) != sum_ ? "shared memory changed" : nullptr;
    }

  private:
    void* view_ = nullptr;
    uint32_t sum_ = 0;
};

class Memfd final : public SharedMemory {
  public:
    using SharedMemory::SharedMemory;

  protected:
    int open_file() override { return memfd_create("mosrig", MFD_CLOEXEC); }
};

// In a mount namespace of its own, which ends with the process: nothing stays mounted.
class Tmpfs final : public SharedMemory {
  public:
    using SharedMemory::SharedMemory;

  protected:
    int open_file() override {
        constexpr const char* place = "/mnt";
        if (!mounted_) {
            if (unshare(CLONE_NEWNS) != 0 ||
                mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                mount("mosrig", place, "tmpfs", 0, "size=1m") != 0) {
                return -1;
            }
            mounted_ = true;
        }
        return open("/mnt/file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }

  private:
    bool mounted_ = false;
};

const KindOf<Memfd> memfd("memfd");
const KindOf<Tmpfs> tmpfs("tmpfs");

}  // namespace
