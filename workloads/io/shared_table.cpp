// SPDX-License-Identifier: MIT
//
// Two processes with memory of their own and one table of descriptors, one current directory and
// one umask: what either of them does to those is done to both, wherever the first one is.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

constexpr const char* folders[] = {"/proc", "/sys"};
constexpr mode_t masks[] = {027, 077};

class SharedTable final : public Holder {
  public:
    using Holder::Holder;
    SharedTable(const SharedTable&) = delete;
    SharedTable& operator=(const SharedTable&) = delete;
    ~SharedTable() override {
        if (other_ > 0) {
            (void)kill(other_, SIGKILL);
            (void)waitpid(other_, nullptr, 0);
        }
    }

    const char* hold() override {
        if (pipe(asking_) != 0 || pipe(answering_) != 0) {
            return failed("pipe");
        }
        if (getcwd(start_, sizeof start_) == nullptr) {
            return failed("getcwd");
        }
        const pid_t self = getpid();
        // The C library's fork() cannot share either.
        other_ = static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, nullptr,
                                            nullptr, nullptr, nullptr));
        if (other_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            be_other(self);
        }
        return other_ < 0 ? failed("clone") : nullptr;
    }

  protected:
    // One sees what the other made, and leaves something for it.
    const char* step() override {
        ++turn_;
        const int mine = make_file();
        if (mine < 0) {
            return failed("memfd_create");
        }
        // Only now, so that its number is free when the other looks.
        if (theirs_ >= 0 && close(theirs_) != 0) {
            return failed("close of what the other opened");
        }
        Told told = {mine, {}};
        if (const char* const wrong = ask(told); wrong != nullptr) {
            return wrong;
        }
        if (fcntl(mine, F_GETFD) != -1) {
            return "a descriptor that the other closed is still open";
        }
        theirs_ = told.descriptor;
        const char* const wrong = check_file(theirs_);
        return wrong != nullptr ? wrong : check_place();
    }

  private:
    // A descriptor, and, of an answer, what was wrong.
    struct Told {
        int descriptor;
        char wrong[120];
    };

    // A file that tells its turn.
    [[nodiscard]] int make_file() const {
        const int file = memfd_create("shared-table", 0);
        const bool written = file >= 0 && write(file, &turn_, sizeof turn_) == sizeof turn_;
        return written ? file : -1;
    }

    // Where the other one's write left it, as the two share that as well.
    [[nodiscard]] const char* check_file(int file) const {
        unsigned told = 0;
        if (lseek(file, 0, SEEK_CUR) != sizeof told ||
            pread(file, &told, sizeof told, 0) != sizeof told) {
            return failed("a descriptor that the other opened");
        }
        return told != turn_ ? differs("the turn in the other's file", told, turn_) : nullptr;
    }

    // The current directory and the umask, which the other set; both are left as the next turn of
    // the other expects them.
    [[nodiscard]] const char* check_place() const {
        char place[64] = {};
        if (getcwd(place, sizeof place) == nullptr || strcmp(place, folders[turn_ % 2]) != 0) {
            return "the current directory is not the one that the other went to";
        }
        if (chdir(start_) != 0) {
            return failed("chdir");
        }
        const mode_t mask = umask(turn_ % 0100);
        return mask != masks[turn_ % 2]
                   ? differs("the umask that the other set", mask, masks[turn_ % 2])
                   : nullptr;
    }

    const char* ask(Told& told) {
        if (write(asking_[1], &told, sizeof told) != sizeof told ||
            read(answering_[0], &told, sizeof told) != sizeof told) {
            return failed("a line to the other");
        }
        (void)snprintf(wrong_, sizeof wrong_, "the other: %s", told.wrong);
        return told.wrong[0] != '\0' ? wrong_ : nullptr;
    }

    // The other one's turn, as often as it is asked. It has a copy of everything, but for the
    // table.
    [[noreturn]] void be_other(pid_t first) {
        for (int before = -1;;) {
            Told told = {};
            if (getppid() != first || read(asking_[0], &told, sizeof told) != sizeof told) {
                _exit(1);
            }
            const char* const wrong = answer_turn(told, before);
            (void)snprintf(told.wrong, sizeof told.wrong, "%s", wrong != nullptr ? wrong : "");
            before = told.descriptor;
            if (write(answering_[1], &told, sizeof told) != sizeof told) {
                _exit(1);
            }
        }
    }

    const char* answer_turn(Told& told, int before) {
        ++turn_;
        if (before >= 0 && fcntl(before, F_GETFD) != -1) {
            return "a descriptor that was closed away is still open at home";
        }
        const char* wrong = check_file(told.descriptor);
        char place[sizeof start_] = {};
        if (getcwd(place, sizeof place) == nullptr || strcmp(place, start_) != 0) {
            wrong = "the current directory is not the one that was gone to away";
        }
        const mode_t mask = umask(masks[turn_ % 2]);
        if (wrong == nullptr && turn_ > 1 && mask != (turn_ - 1) % 0100) {
            wrong = differs("the umask that was set away", mask, (turn_ - 1) % 0100);
        }
        const int mine = make_file();
        if (chdir(folders[turn_ % 2]) != 0 || mine < 0) {
            return failed("a folder, or a file");
        }
        (void)close(told.descriptor);
        told.descriptor = mine;
        return wrong;
    }

    int asking_[2] = {};
    int answering_[2] = {};
    pid_t other_ = 0;
    int theirs_ = -1;
    unsigned turn_ = 0;
    char start_[64] = {};
    char wrong_[160] = {};
};

const KindOf<SharedTable> shared_table("shared-table");

}  // namespace
