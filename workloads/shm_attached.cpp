// SPDX-License-Identifier: MIT
//
// Attaches a SysV segment, read-write or (with "rdonly") read-only, and detaches it on RELEASE.
#include <sys/ipc.h>
#include <sys/shm.h>

#include <cstdint>
#include <cstring>

#include "lib/holder.h"
#include "lib/options.h"

namespace {

using mosrig::guest::crc32c;
using mosrig::guest::errno_text;

constexpr size_t segment_size = 65536;

class ShmAttached final : public mosrig::guest::Holder {
  public:
    explicit ShmAttached(bool read_only)
        : Holder(read_only ? "shm-rdonly" : "shm-attached"), read_only_(read_only) {}

    const char* hold() override {
        const int segment = shmget(IPC_PRIVATE, segment_size, IPC_CREAT | 0600);
        if (segment < 0) {
            return errno_text();
        }
        // A read-only view shows what somebody wrote before: fill it through a writable one first.
        void* writable = shmat(segment, nullptr, 0);
        if (writable == failed()) {
            return errno_text();
        }
        memset(writable, 0xA5, segment_size);
        sum_ = crc32c(writable, segment_size);
        view_ = read_only_ ? shmat(segment, nullptr, SHM_RDONLY) : writable;
        if (read_only_ && shmdt(writable) != 0) {
            return errno_text();
        }
        // The segment goes with its last user: nothing is left however this program ends.
        (void)shmctl(segment, IPC_RMID, nullptr);
        return view_ == failed() ? errno_text() : nullptr;
    }

    const char* release() override {
        const int status = shmdt(view_);
        view_ = nullptr;
        return status != 0 ? errno_text() : nullptr;
    }

  protected:
    const char* check() override {
        return view_ != nullptr && crc32c(view_, segment_size) != sum_ ? "shared segment changed"
                                                                       : nullptr;
    }

  private:
    // What shmat() gives when it fails; the header's own has no portable name.
    static void* failed() {
        return reinterpret_cast<void*>(-1);  // NOLINT(performance-no-int-to-ptr)
    }

    bool read_only_;
    uint32_t sum_ = 0;
    const void* view_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
    ShmAttached program(mosrig::guest::flag(argc, argv, "rdonly"));
    return mosrig::guest::run_holder(program);
}
