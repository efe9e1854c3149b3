// SPDX-License-Identifier: MIT
//
// A file that this process maps shared, only to read, and that others write: PLACE says where it
// is, WORD what its view shows of what is written there.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

class Watched final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        const int file = mosrig::guest::scratch_file(O_CLOEXEC);
        if (file < 0 || ftruncate(file, size) != 0) {
            return failed("a file");
        }
        if (mosrig::guest::in_memory(file)) {
            return "the files of this node are in memory, and stay for that";
        }
        fd_ = mosrig::guest::only_to_read(file);
        void* const view = mosrig::guest::map_to_read(fd_, size, PROT_READ, MAP_SHARED);
        if (view == MAP_FAILED) {
            return failed("mmap");
        }
        view_ = static_cast<const volatile char*>(view);
        return nullptr;
    }

    bool command(const char* word) override {
        char line[64];
        if (strcmp(word, "PLACE") == 0) {
            (void)snprintf(line, sizeof line, "/proc/%d/fd/%d", getpid(), fd_);
        } else if (strcmp(word, "WORD") == 0) {
            size_t at = 0;
            for (; at < length && view_[at] != '\0' && view_[at] != '\n'; ++at) {
                line[at] = view_[at];
            }
            line[at] = '\0';
        } else {
            return Holder::command(word);
        }
        mosrig::guest::say(line);
        return true;
    }

  private:
    static constexpr size_t size = 4096;
    static constexpr size_t length = 8;
    int fd_ = -1;
    const volatile char* view_ = nullptr;
};

const KindOf<Watched> watched("watched");

}  // namespace
