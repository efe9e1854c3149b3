// SPDX-License-Identifier: MIT
//
// Attaches a SysV segment, read-write or (with "rdonly") read-only, and detaches it on RELEASE.
// With "peer" another process keeps it attached, and this one has memory of its own in its place.
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <cstdint>
#include <cstring>

#include "lib/helper.h"
#include "lib/holder.h"
#include "lib/options.h"

namespace {

using mosrig::guest::crc32c;
using mosrig::guest::errno_text;

constexpr size_t segment_size = 65536;

class ShmAttached final : public mosrig::guest::Holder {
  public:
    ShmAttached(bool read_only, bool has_peer)
        : Holder(read_only ? "shm-rdonly" : "shm-attached"),
          read_only_(read_only),
          has_peer_(has_peer) {}

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
        if (view_ == failed()) {
            return errno_text();
        }
        return has_peer_ ? peer_.start(change, nullptr, this) : nullptr;
    }

    const char* release() override {
        if (shmdt(view_) != 0) {
            return errno_text();
        }
        if (has_peer_) {
            own_ = static_cast<unsigned char*>(
                mmap(const_cast<void*>(view_), segment_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
            memset(own_, ++turn_, segment_size);
        }
        view_ = nullptr;
        return nullptr;
    }

  protected:
    const char* check() override {
        if (own_ != nullptr) {
            return look_at_own();
        }
        return view_ != nullptr && crc32c(view_, segment_size) != sum_ ? "shared segment changed"
                                                                       : nullptr;
    }

  private:
    // What shmat() gives when it fails; the header's own has no portable name.
    static void* failed() {
        return reinterpret_cast<void*>(-1);  // NOLINT(performance-no-int-to-ptr)
    }

    // What each of the two writes at this address is seen by itself alone.
    const char* look_at_own() {
        for (size_t at = 0; at < segment_size; ++at) {
            if (own_[at] != turn_) {
                return "memory where the segment was";
            }
        }
        memset(own_, ++turn_, segment_size);
        return peer_.act();
    }

    // The peer's part. It has been forked, so this object is its own as well.
    static const char* change(void* data) {
        auto* const self = static_cast<ShmAttached*>(data);
        if (crc32c(self->view_, segment_size) != self->sum_) {
            return "the segment, as its last user sees it";
        }
        memset(const_cast<void*>(self->view_), ++self->turn_, segment_size);
        self->sum_ = crc32c(self->view_, segment_size);
        return nullptr;
    }

    bool read_only_;
    bool has_peer_;
    uint32_t sum_ = 0;
    const void* view_ = nullptr;
    unsigned char* own_ = nullptr;
    unsigned char turn_ = 0;
    mosrig::guest::Helper peer_;
};

}  // namespace

int main(int argc, char** argv) {
    ShmAttached program(mosrig::guest::flag(argc, argv, "rdonly"),
                        mosrig::guest::flag(argc, argv, "peer"));
    return mosrig::guest::run_holder(program);
}
