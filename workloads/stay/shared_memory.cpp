// SPDX-License-Identifier: MIT
//
// Memory that another process can change: of a file on a disk, of none, of a memfd, and of a file
// on a tmpfs.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::crc32c;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

constexpr size_t size = 16384;

class SharedMemory : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        void* view = map();
        if (view == MAP_FAILED) {
            return failed("shared memory");
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
    // MAP_FAILED with errno.
    virtual void* map() = 0;

    // Of an open file, which is closed.
    static void* map_file(int fd) {
        void* const view = fd < 0 || ftruncate(fd, size) != 0
                               ? MAP_FAILED
                               : mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        const int error = errno;
        (void)close(fd);
        errno = error;
        return view;
    }

    const char* check() override {
        return view_ != nullptr && crc32c(view_, size) != sum_ ? "shared memory changed" : nullptr;
    }

  private:
    void* view_ = nullptr;
    uint32_t sum_ = 0;
};

class SharedFile final : public SharedMemory {
  public:
    using SharedMemory::SharedMemory;

  protected:
    void* map() override { return map_file(mosrig::guest::scratch_file(O_CLOEXEC)); }
};

class SharedAnonymous final : public SharedMemory {
  public:
    using SharedMemory::SharedMemory;

  protected:
    void* map() override {
        return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
};

class Memfd final : public SharedMemory {
  public:
    using SharedMemory::SharedMemory;

  protected:
    void* map() override { return map_file(memfd_create("mosrig", MFD_CLOEXEC)); }
};

// In a mount namespace of its own, which ends with the process: nothing stays mounted.
class Tmpfs final : public SharedMemory {
  public:
    using SharedMemory::SharedMemory;

  protected:
    void* map() override {
        constexpr const char* place = "/mnt";
        if (!mounted_) {
            if (unshare(CLONE_NEWNS) != 0 ||
                mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                mount("mosrig", place, "tmpfs", 0, "size=1m") != 0) {
                return MAP_FAILED;
            }
            mounted_ = true;
        }
        return map_file(open("/mnt/file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    }

  private:
    bool mounted_ = false;
};

const KindOf<SharedFile> shared_file("mmap-shared");
const KindOf<SharedAnonymous> shared_anonymous("mmap-anon-shared");
const KindOf<Memfd> memfd("memfd");
const KindOf<Tmpfs> tmpfs("tmpfs");

}  // namespace
