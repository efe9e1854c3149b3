// SPDX-License-Identifier: MIT
//
// A debugger of a process that waits in a call that nothing breaks off, or is stopped: he gets it
// at once, sees and changes its memory as the process itself last wrote it, and lets it go on.
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "workloads/lib/blocked.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::KindOf;
using mosrig::guest::place_of;
using mosrig::guest::same_bytes;

constexpr size_t size = size_t{9} * 4096;
constexpr int64_t soon_ms = 10000;
// Result of a call that a signal broke off and that will be made again; only a debugger sees it.
constexpr long long restarts = -512;

const char* wait_for_stop(pid_t process) {
    int status = 0;
    if (waitpid(process, &status, __WALL) != process) {
        return failed("wait for the traced one");
    }
    return !WIFSTOPPED(status) || status >> 16 != PTRACE_EVENT_STOP
               ? differs("status of the traced one", status, PTRACE_EVENT_STOP << 16)
               : nullptr;
}

class Debugged final : public mosrig::guest::Blocked {
  public:
    using Blocked::Blocked;

  protected:
    const char* prepare() override {
        fill_bytes(seen_, size, turn());
        fill_bytes(changed_, size, 0);
        return nullptr;
    }

    const char* meanwhile(pid_t process) override {
        const int place = place_of(process);
        const int64_t begin = mosrig::guest::now_ms();
        if (ptrace(PTRACE_SEIZE, process, nullptr, nullptr) != 0) {
            return failed("PTRACE_SEIZE");
        }
        const int64_t passed = mosrig::guest::now_ms() - begin;
        if (passed > soon_ms) {
            return differs("ms until it is traced", passed, soon_ms);
        }
        // Only what ends the call brings it home.
        if (!stopped() && place_of(process) != place) {
            return differs("where it is, traced", place_of(process), place);
        }
        if (const char* wrong = stays_for(process, "ptrace"); wrong != nullptr) {
            return wrong;
        }
        if (ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr) != 0) {
            return failed("PTRACE_INTERRUPT");
        }
        const char* wrong = wait_for_stop(process);
        wrong = wrong != nullptr ? wrong : look(process);
        if (ptrace(PTRACE_DETACH, process, nullptr, nullptr) != 0) {
            return wrong != nullptr ? wrong : failed("PTRACE_DETACH");
        }
        return wrong;
    }

    const char* check() override {
        return turn() == 0 || same_bytes(changed_, size, turn() + answer_seed)
                   ? nullptr
                   : "what a debugger wrote into the memory";
    }

  private:
    static constexpr unsigned answer_seed = 1000;

    const char* look(pid_t process) {
        if (place_of(process) != 0) {
            return differs("where it is for its debugger", place_of(process), 0);
        }
        const char* wrong = stopped() ? nullptr : in_its_call(process);
        wrong = wrong != nullptr ? wrong : read_words(process);
        return wrong != nullptr ? wrong : write_words(process);
    }

    static const char* in_its_call(pid_t process) {
        struct user_regs_struct registers = {};
        if (ptrace(PTRACE_GETREGS, process, nullptr, &registers) != 0) {
            return failed("PTRACE_GETREGS");
        }
        if (registers.orig_rax != SYS_flock) {
            return differs("its call", static_cast<long long>(registers.orig_rax), SYS_flock);
        }
        const auto result = static_cast<long long>(registers.rax);
        return result != restarts ? differs("result of its call", result, restarts) : nullptr;
    }

    const char* read_words(pid_t process) {
        static unsigned char bytes[size];
        for (size_t at = 0; at < size; at += sizeof(long)) {
            errno = 0;
            const long word = ptrace(PTRACE_PEEKDATA, process, seen_ + at, nullptr);
            if (errno != 0) {
                return failed("PTRACE_PEEKDATA");
            }
            memcpy(bytes + at, &word, sizeof word);
        }
        return same_bytes(bytes, size, turn()) ? nullptr : "what its debugger sees";
    }

    const char* write_words(pid_t process) {
        static unsigned char bytes[size];
        fill_bytes(bytes, size, turn() + answer_seed);
        for (size_t at = 0; at < size; at += sizeof(long)) {
            long word = 0;
            memcpy(&word, bytes + at, sizeof word);
            if (ptrace(PTRACE_POKEDATA, process, changed_ + at, word) != 0) {
                return failed("PTRACE_POKEDATA");
            }
        }
        return nullptr;
    }

    alignas(4096) unsigned char seen_[size] = {};
    alignas(4096) unsigned char changed_[size] = {};
};

const KindOf<Debugged> debugged_in_a_call("debugged-in-a-call");
const KindOf<Debugged, true> debugged_stopped("debugged-stopped");

}  // namespace
