// SPDX-License-Identifier: MIT
//
// Owns a SysV segment but never attaches it: nothing of it is in its memory, so it moves.
#include <sys/ipc.h>
#include <sys/shm.h>

#include "lib/holder.h"

namespace {

using mosrig::guest::errno_text;

class ShmgetOnly final : public mosrig::guest::Holder {
  public:
    ShmgetOnly() : Holder("shmget-only") {}

    const char* hold() override {
        constexpr size_t size = 65536;
        segment_ = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
        return segment_ < 0 ? errno_text() : nullptr;
    }

    void summary(char* text, size_t room) override {
        (void)shmctl(segment_, IPC_RMID, nullptr);
        Holder::summary(text, room);
    }

  private:
    int segment_ = -1;
};

}  // namespace

int main() {
    ShmgetOnly program;
    return mosrig::guest::run_holder(program);
}
