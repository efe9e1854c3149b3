// SPDX-License-Identifier: MIT
//
// A file that the process maps shared, only to read, while another one changes it by calls: the
// view is the file, as it is now. A private view need not show what is written, but ends with the
// file.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstring>

#include "workloads/lib/blocked.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::Blocked;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::same_bytes;

constexpr size_t size = size_t{64} * 4096;

// Opens the file for writing, writes, and closes it; false with errno.
bool rewrite(int fd, unsigned turn) {
    static unsigned char content[size];
    fill_bytes(content, size, turn);
    const int writer = mosrig::guest::reopen(fd, O_WRONLY);
    const bool written = writer >= 0 && mosrig::guest::write_all(writer, content, size);
    return close(writer) == 0 && written;
}

// A view of a file of zeros on a disk, and a descriptor that can only read it; nullptr with errno.
// The program ends if no such file can be had.
const unsigned char* view_of_new_file(int& fd, int flags = MAP_SHARED) {
    const int file = mosrig::guest::scratch_file(O_CLOEXEC);
    if (file < 0 || mosrig::guest::in_memory(file)) {
        _exit(mosrig::guest::skip("the files of this node are in memory, and stay for that"));
    }
    if (ftruncate(file, size) != 0) {
        return nullptr;
    }
    fd = mosrig::guest::only_to_read(file);
    void* const view = mosrig::guest::map_to_read(fd, size, PROT_READ, flags);
    return view == MAP_FAILED ? nullptr : static_cast<const unsigned char*>(view);
}

class FileChanged final : public mosrig::guest::Holder {
  public:
    explicit FileChanged(const char* name, int flags) : Holder(name), flags_(flags) {}

    const char* hold() override {
        view_ = view_of_new_file(fd_, flags_);
        if (view_ == nullptr) {
            return failed("a view of a file");
        }
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { siglongjmp(back_, 1); };
        if (sigaction(SIGBUS, &action, nullptr) != 0) {
            return failed("sigaction");
        }
        // The child opens the file for writing when it writes, and only as long.
        if (const char* wrong = helper_.start(change, cut, this); wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = emptier_.start(empty, empty, this); wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        turn_ = 1;
        if (close(fd_) != 0) {
            return failed("close");
        }
        return shows() ? nullptr : "the view at home";
    }

    bool command(const char* word) override {
        if (strcmp(word, "CHANGE") == 0) {
            mosrig::guest::answer(see_change());
        } else if (strcmp(word, "CUT") == 0) {
            mosrig::guest::answer(see_cut());
        } else if (strcmp(word, "EMPTY") == 0) {
            mosrig::guest::answer(see_emptied());
        } else {
            return Holder::command(word);
        }
        return true;
    }

  protected:
    const char* check() override { return shows() ? nullptr : "the view of the file"; }

  private:
    const char* see_change() {
        if (!shows()) {
            return "the view before the change";
        }
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        ++turn_;
        return shows() ? nullptr : "the view does not show what was written into the file";
    }

    const char* see_cut() {
        if (!shows()) {
            return "the view before the cut";
        }
        if (const char* wrong = helper_.undo(); wrong != nullptr) {
            return wrong;
        }
        // What is left is looked at first: no page of the rest may be touched for that.
        if (sigsetjmp(back_, 1) != 0 || !same_bytes(view_, size / 2, turn_)) {
            return "the half that was not cut off";
        }
        if (!ends_at(size / 2)) {
            return "a page that was cut off is still there";
        }
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        ++turn_;
        return shows() ? nullptr : "the view of the file that has grown again";
    }

    // Whoever opens it to read may empty it, and has it not open for writing.
    const char* see_emptied() {
        if (!shows()) {
            return "the view before the file is emptied";
        }
        if (const char* wrong = emptier_.act(); wrong != nullptr) {
            return wrong;
        }
        if (!ends_at(0)) {
            return "a page of an empty file is still there";
        }
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        ++turn_;
        return shows() ? nullptr : "the view of the file that was empty";
    }

    // Nothing faults here, or all that it does ends in the answer.
    bool shows() { return sigsetjmp(back_, 1) == 0 && same_bytes(view_, size, turn_); }

    bool ends_at(size_t place) {
        return sigsetjmp(back_, 1) != 0 ||
               (*static_cast<const volatile unsigned char*>(view_ + place), false);
    }

    // The child's parts; it has a count of its own.
    static const char* change(void* data) {
        auto& self = *static_cast<FileChanged*>(data);
        return rewrite(self.fd_, ++self.turn_) ? nullptr : failed("write to the file");
    }
    static const char* cut(void* data) {
        const int writer = mosrig::guest::reopen(static_cast<FileChanged*>(data)->fd_, O_WRONLY);
        const bool done = writer >= 0 && ftruncate(writer, size / 2) == 0;
        return close(writer) == 0 && done ? nullptr : failed("ftruncate");
    }
    static const char* empty(void* data) {
        const int fd =
            mosrig::guest::reopen(static_cast<FileChanged*>(data)->fd_, O_RDONLY | O_TRUNC);
        return close(fd) == 0 ? nullptr : failed("open with O_TRUNC");
    }

    static inline sigjmp_buf back_;
    const int flags_;
    mosrig::guest::Helper helper_;
    mosrig::guest::Helper emptier_;
    const unsigned char* view_ = nullptr;
    int fd_ = -1;
    unsigned turn_ = 0;
};

// The process waits in a call that nothing breaks off: who writes need not wait for it, since what
// he writes is there before it can look.
class ChangedInACall final : public Blocked {
  public:
    using Blocked::Blocked;

    const char* hold() override {
        view_ = view_of_new_file(fd_);
        return view_ == nullptr ? failed("a view of a file") : Blocked::hold();
    }

  protected:
    const char* meanwhile(pid_t process) override {
        const int place = mosrig::guest::place_of(process);
        if (!rewrite(fd_, turn())) {
            return failed("write to the file");
        }
        const int now = mosrig::guest::place_of(process);
        return now != place ? differs("where it is", now, place) : nullptr;
    }

    const char* check() override {
        return same_bytes(view_, size, turn()) ? nullptr : "the view of the file";
    }

  private:
    const unsigned char* view_ = nullptr;
    int fd_ = -1;
};

// It is stopped: he need not wait either.
class ChangedWhileStopped final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        view_ = view_of_new_file(fd_);
        return view_ == nullptr ? failed("a view of a file") : helper_.start(change, change, this);
    }

  protected:
    const char* act() override {
        const char* const wrong = helper_.act();
        ++turn_;
        return wrong != nullptr ? wrong : check();
    }

    const char* check() override {
        return turn_ == 0 || same_bytes(view_, size, turn_) ? nullptr : "the view of the file";
    }

  private:
    static const char* change(void* data) {
        auto& self = *static_cast<ChangedWhileStopped*>(data);
        const pid_t process = getppid();
        if (kill(process, SIGSTOP) != 0 || !mosrig::guest::await_state(process, 'T')) {
            return failed("SIGSTOP");
        }
        const bool done = rewrite(self.fd_, ++self.turn_);
        return kill(process, SIGCONT) == 0 && done ? nullptr : failed("write to the file");
    }

    mosrig::guest::Helper helper_;
    const unsigned char* view_ = nullptr;
    int fd_ = -1;
    unsigned turn_ = 0;
};

const mosrig::guest::KindOf<FileChanged, MAP_SHARED> file_changed("file-changed");
const mosrig::guest::KindOf<FileChanged, MAP_PRIVATE> private_view("file-changed-private");
const mosrig::guest::KindOf<ChangedInACall> file_changed_in_a_call("file-changed-in-a-call");
const mosrig::guest::KindOf<ChangedWhileStopped> file_changed_stopped("file-changed-stopped");

}  // namespace
