// SPDX-License-Identifier: MIT
//
// Holds one mapping of a kind that keeps a process at home: "shared" (writable, of a file), "anon"
// (shared anonymous) or "dev" (memory of a device). RELEASE unmaps it.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/holder.h"
#include "lib/scratch.h"

namespace {

using mosrig::guest::crc32c;
using mosrig::guest::errno_text;

constexpr size_t map_size = 16384;
constexpr size_t device_size = 4096;

class Mapping : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* release() override {
        const int status = munmap(view_, size_);
        view_ = nullptr;
        return status != 0 ? errno_text() : nullptr;
    }

  protected:
    const char* adopt(void* view, size_t size) {
        if (view == MAP_FAILED) {
            return errno_text();
        }
        view_ = view;
        size_ = size;
        return nullptr;
    }

    // Fills the mapping, so that check() can tell whether it stays what it is.
    void fill() {
        memset(view_, 0x5A, size_);
        sum_ = crc32c(view_, size_);
        filled_ = true;
    }

    const char* check() override {
        return filled_ && view_ != nullptr && crc32c(view_, size_) != sum_ ? "mapping changed"
                                                                           : nullptr;
    }

  private:
    void* view_ = nullptr;
    size_t size_ = 0;
    uint32_t sum_ = 0;
    bool filled_ = false;
};

class SharedFile final : public Mapping {
  public:
    SharedFile() : Mapping("mmap-shared") {}

    const char* hold() override {
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        if (fd < 0 || ftruncate(fd, map_size) != 0) {
            return errno_text();
        }
        const char* wrong =
            adopt(mmap(nullptr, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), map_size);
        (void)close(fd);
        if (wrong == nullptr) {
            fill();
        }
        return wrong;
    }
};

class SharedAnonymous final : public Mapping {
  public:
    SharedAnonymous() : Mapping("mmap-anon-shared") {}

    const char* hold() override {
        const char* wrong = adopt(
            mmap(nullptr, map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
            map_size);
        if (wrong == nullptr) {
            fill();
        }
        return wrong;
    }
};

// Every PC has memory of a device that may be mapped: a PCI function's first memory region, or the
// BIOS through /dev/mem where the kernel offers that.
class Device final : public Mapping {
  public:
    Device() : Mapping("mmap-dev") {}

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
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return false;
        }
        const char* wrong =
            adopt(mmap(nullptr, device_size, PROT_READ, MAP_SHARED, fd, offset), device_size);
        (void)close(fd);
        return wrong == nullptr;
    }
};

}  // namespace

int main(int argc, char** argv) {
    const char* kind = argc > 1 ? argv[1] : "";
    if (strcmp(kind, "shared") == 0) {
        SharedFile program;
        return mosrig::guest::run_holder(program);
    }
    if (strcmp(kind, "anon") == 0) {
        SharedAnonymous program;
        return mosrig::guest::run_holder(program);
    }
    if (strcmp(kind, "dev") == 0) {
        Device program;
        return mosrig::guest::run_holder(program);
    }
    (void)fprintf(stderr, "usage: mapping shared|anon|dev\n");
    return 2;
}
