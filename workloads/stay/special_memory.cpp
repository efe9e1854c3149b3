// SPDX-License-Identifier: MIT
//
// Memory of a kind that no other node could have: of a device, huge pages of a pool, secret memory,
// the ring of a performance counter, a page with a protection key.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "workloads/lib/kinds.h"
#include "workloads/stay/counter.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::KindOf;

class SpecialMemory : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* release() override {
        return munmap(view_, size_) != 0 ? failed("munmap") : nullptr;
    }

  protected:
    const char* adopt(void* view, size_t size) {
        view_ = view;
        size_ = size;
        return view == MAP_FAILED ? failed("mmap") : nullptr;
    }

  private:
    void* view_ = nullptr;
    size_t size_ = 0;
};

// Every PC has memory of a device that may be mapped: a PCI function's first memory region, or the
// BIOS through /dev/mem where the kernel offers that.
class Device final : public SpecialMemory {
  public:
    using SpecialMemory::SpecialMemory;

    const char* hold() override {
        if (map_file("/dev/mem", 0xF0000)) {
            return nullptr;
        }
        constexpr const char* devices = "/sys/bus/pci/devices";
        DIR* folder = opendir(devices);
        bool found = false;
        while (folder != nullptr && !found) {
            const struct dirent* entry = readdir(folder);
            if (entry == nullptr) {
                break;
            }
            for (int region = 0; region < 6 && !found && entry->d_name[0] != '.'; ++region) {
                char path[512];
                (void)snprintf(path, sizeof path, "%s/%s/resource%d", devices, entry->d_name,
                               region);
                found = map_file(path, 0);
            }
        }
        if (folder != nullptr) {
            (void)closedir(folder);
        }
        return found ? nullptr : "no device memory can be mapped on this node";
    }

  private:
    bool map_file(const char* path, off_t offset) {
        constexpr size_t size = 4096;
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return false;
        }
        void* view = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, offset);
        (void)close(fd);
        return adopt(view, size) == nullptr;
    }
};

// Reserved, not touched: this works on a node whose pool is empty, too.
class HugePages final : public SpecialMemory {
  public:
    using SpecialMemory::SpecialMemory;
    const char* hold() override {
        constexpr size_t size = 2UL << 20;
        return adopt(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0),
                     size);
    }
};

class Secret final : public SpecialMemory {
  public:
    using SpecialMemory::SpecialMemory;
    const char* hold() override {
        constexpr size_t size = 4096;
        const int fd = static_cast<int>(syscall(SYS_memfd_secret, 0));
        if (fd < 0 || ftruncate(fd, size) != 0) {
            return failed("memfd_secret");
        }
        void* view = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        return adopt(view, size);
    }
};

class Counter final : public SpecialMemory {
  public:
    using SpecialMemory::SpecialMemory;
    const char* hold() override {
        constexpr size_t size = 2 * 4096UL;
        const int fd = mosrig::guest::count_time(0);
        if (fd < 0) {
            return failed("perf_event_open");
        }
        void* view = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        return adopt(view, size);
    }
};

// The same, read by a call instead.
class CounterOnly final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        fd_ = mosrig::guest::count_time(0);
        return fd_ < 0 ? failed("perf_event_open") : nullptr;
    }
    const char* release() override { return close(fd_) != 0 ? failed("close") : nullptr; }

  private:
    int fd_ = -1;
};

class Keyed final : public SpecialMemory {
  public:
    using SpecialMemory::SpecialMemory;

    const char* lacks() override {
        const int key = pkey_alloc(0, 0);
        return key < 0 || pkey_free(key) != 0 ? "this node has no memory protection keys" : nullptr;
    }

    const char* hold() override {
        constexpr size_t size = 4096;
        void* view =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (const char* wrong = adopt(view, size); wrong != nullptr) {
            return wrong;
        }
        key_ = pkey_alloc(0, PKEY_DISABLE_WRITE);
        if (key_ < 0) {
            return failed("pkey_alloc");
        }
        return pkey_mprotect(view, size, PROT_READ | PROT_WRITE, key_) != 0
                   ? failed("pkey_mprotect")
                   : nullptr;
    }

    // What becomes of a page whose key is freed is undefined, so that page goes first.
    const char* release() override {
        const char* wrong = SpecialMemory::release();
        return wrong == nullptr && pkey_free(key_) != 0 ? failed("pkey_free") : wrong;
    }

  private:
    int key_ = -1;
};

const KindOf<Device> device("mmap-dev");
const KindOf<HugePages> huge("hugetlb");
const KindOf<Secret> secret("memfd-secret");
const KindOf<Counter> counter("perf-mmap");
const KindOf<CounterOnly> counter_only("perf-event");
const KindOf<Keyed> keyed("pkey");

}  // namespace
