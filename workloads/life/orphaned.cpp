// SPDX-License-Identifier: MIT
//
// A process whose parent ends while it is away. Three of them: the reaper, which is what the rig
// started; its child, the parent; and the child of that, which talks to the rig. Told ORPHAN it
// lets its parent end; told EXIT it ends, and the reaper looks at what it gets and makes such a
// family again.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::differs;
using mosrig::guest::failed;

class Orphaned final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        reaper_ = getpid();
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 || pipe2(said_, O_CLOEXEC) != 0) {
            return failed("subreaper, pipe");
        }
        for (bool first = true;; first = false) {
            int let_go[2];
            if (pipe2(let_go, O_CLOEXEC) != 0) {
                return failed("pipe");
            }
            const pid_t parent = fork();
            if (parent < 0) {
                return failed("fork");
            }
            if (parent == 0) {
                parent_ = getpid();
                if (const pid_t child = fork(); child != 0) {
                    (void)close(let_go[1]);
                    be_parent(child, let_go[0]);
                }
                (void)close(let_go[0]);
                let_go_ = let_go[1];
                if (!first) {
                    _exit(mosrig::guest::serve(*this, false));
                }
                return nullptr;
            }
            (void)close(let_go[0]);
            (void)close(let_go[1]);
            if (!bury(parent)) {
                _exit(0);
            }
        }
    }

    bool command(const char* word) override {
        if (strcmp(word, "ORPHAN") == 0) {
            answer(lose_parent());
            return true;
        }
        if (strcmp(word, "EXIT") == 0) {
            const pid_t self = getpid();
            (void)mosrig::guest::write_all(said_[1], &self, sizeof self);
            _exit(orphan_status);
        }
        return Holder::command(word);
    }

  private:
    static constexpr int parent_status = 5;
    static constexpr int orphan_status = 42;

    // It ends at a letter, leaving its child, or after that.
    [[noreturn]] static void be_parent(pid_t child, int let_go) {
        char letter = 0;
        int status = 0;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (child > 0 && read(let_go, &letter, 1) == 1) {
            _exit(parent_status);
        }
        (void)waitpid(child, &status, 0);
        _exit(child > 0 && status == 0 ? 0 : 1);
    }

    // How often it has moved; what it does here must not add to that.
    static int moves() {
        char text[16] = {};
        return mosrig::guest::read_text("/proc/self/nmigs", text, sizeof text) > 0 ? atoi(text)
                                                                                   : -1;
    }

    const char* lose_parent() const {
        const int before = moves();
        if (getppid() != parent_) {
            return differs("the parent that lives", getppid(), parent_);
        }
        if (write(let_go_, "x", 1) != 1) {
            return failed("a word to the parent");
        }
        (void)mosrig::guest::await([this] { return getppid() != parent_; });
        if (getppid() != reaper_) {
            return differs("the parent of an orphan", getppid(), reaper_);
        }
        return moves() != before ? differs("moves as the parent ended", moves(), before) : nullptr;
    }

    // Whether another family is to follow.
    [[nodiscard]] bool bury(pid_t parent) const {
        int status = 0;
        if (waitpid(parent, &status, 0) == parent && status == 0) {
            return false;
        }
        const char* wrong = status != parent_status << 8
                                ? differs("status of the parent", status, parent_status << 8)
                                : nullptr;
        const pid_t orphan = waitpid(-1, &status, 0);
        // An orphan that was told END has ended as it should.
        if (orphan > 0 && status == 0 && wrong == nullptr) {
            return false;
        }
        pid_t self = 0;
        if (wrong == nullptr && status != orphan_status << 8) {
            wrong = differs("status of the orphan", status, orphan_status << 8);
        }
        if (wrong == nullptr &&
            (!mosrig::guest::read_all(said_[0], &self, sizeof self) || self != orphan)) {
            wrong = differs("the orphan that was waited for", orphan, self);
        }
        answer(wrong);
        return wrong == nullptr;
    }

    pid_t reaper_ = 0;
    pid_t parent_ = 0;
    int let_go_ = -1;
    int said_[2] = {-1, -1};
};

const mosrig::guest::KindOf<Orphaned> orphaned("orphaned");

}  // namespace
