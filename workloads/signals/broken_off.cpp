// SPDX-License-Identifier: MIT
//
// Calls that only wait, each at a word of its own: the administrator of home fetches the process
// out of them, and they go on where they were, with what is left of their time.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;

constexpr int whole_ms = 5000;
constexpr int fetched_after_ms = 3000;
constexpr struct timespec whole = {whole_ms / 1000, 0};

// A child that fetches its parent home out of a call, when told.
class Administrator {
  public:
    static constexpr int done = 7;  // its exit status

    // `place`: part of the name of the kernel's function in which the parent will wait.
    const char* start(const char* place) {
        int told[2];
        if (pipe2(told, O_CLOEXEC) != 0) {
            return failed("pipe");
        }
        pid_ = fork();
        if (pid_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)close(told[1]);
            char word = 0;
            if (!mosrig::guest::read_all(told[0], &word, 1)) {
                _exit(0);
            }
            const char* const wrong = fetch(place);
            if (wrong != nullptr) {
                (void)fprintf(stderr, "%s\n", wrong);
            }
            _exit(wrong == nullptr ? done : 1);
        }
        tell_ = told[1];
        (void)close(told[0]);
        return pid_ < 0 ? failed("fork") : nullptr;
    }

    [[nodiscard]] const char* tell() const {
        return mosrig::guest::write_all(tell_, "!", 1) ? nullptr : failed("a word to a child");
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    static const char* fetch(const char* place) {
        if (const char* wrong = mosrig::guest::await_within(getppid(), place); wrong != nullptr) {
            return wrong;
        }
        // So much is gone already, and must not be waited for again.
        (void)usleep(fetched_after_ms * 1000);
        return mosrig::guest::bring_home(getppid());
    }

    pid_t pid_ = 0;
    int tell_ = -1;
};

class BrokenOff final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        for (Way& way : ways_) {
            if (const char* const wrong = way.child.start(way.place); wrong != nullptr) {
                return wrong;
            }
        }
        return nullptr;
    }

    bool command(const char* word) override {
        for (const Way& way : ways_) {
            if (strcmp(word, way.word) == 0) {
                mosrig::guest::answer(run(way));
                return true;
            }
        }
        return Holder::command(word);
    }

  private:
    struct Way {
        const char* word;
        const char* place;
        const char* (*call)(pid_t child);  // nullptr or what was wrong
        bool lasts;                        // its time is known
        Administrator child;
    };

    static const char* run(const Way& way) {
        const char* wrong = way.child.tell();
        const int64_t start = now_ms();
        wrong = wrong != nullptr ? wrong : way.call(way.child.pid());
        const int64_t took = now_ms() - start;
        int status = 0;
        if (wrong != nullptr || waitpid(way.child.pid(), &status, 0) != way.child.pid()) {
            return wrong != nullptr ? wrong : failed("waitpid");
        }
        if (status != Administrator::done << 8) {
            return differs("status of the one who fetches", status, Administrator::done << 8);
        }
        // Begun anew it would last as much longer as was gone when it was broken off.
        const bool right = took >= whole_ms && took < whole_ms + fetched_after_ms;
        return way.lasts && !right ? differs("ms that it lasted", took, whole_ms) : nullptr;
    }

    // It ends with its time, so that nothing is left of it, and nothing is written.
    static const char* sleep(pid_t /*child*/) {
        struct timespec left = {111, 222};
        if (nanosleep(&whole, &left) != 0) {
            return failed("nanosleep");
        }
        return left.tv_sec != 111 || left.tv_nsec != 222
                   ? differs("seconds left of a whole sleep", left.tv_sec, 111)
                   : nullptr;
    }

    static const char* sleep_in_place(pid_t /*child*/) {
        struct timespec time = whole;
        if (nanosleep(&time, &time) != 0) {
            return failed("nanosleep");
        }
        return time.tv_sec != whole.tv_sec || time.tv_nsec != whole.tv_nsec
                   ? differs("seconds that it was to sleep", time.tv_sec, whole.tv_sec)
                   : nullptr;
    }

    static const char* sleep_until(pid_t /*child*/) {
        struct timespec end = {};
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += whole.tv_sec;
        return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) != 0
                   ? "clock_nanosleep"
                   : nullptr;
    }

    static const char* poll_nothing(pid_t /*child*/) {
        return poll(nullptr, 0, whole_ms) != 0 ? failed("poll") : nullptr;
    }

    // Leaves the child for the one who looks at its status.
    static const char* wait_for(pid_t child) {
        siginfo_t info = {};
        if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0) {
            return failed("waitid");
        }
        return info.si_pid != child ? differs("the child that has ended", info.si_pid, child)
                                    : nullptr;
    }

    Way ways_[6] = {{"SLEEP", "nanosleep", sleep, true, {}},
                    {"SLEEP_IN_PLACE", "nanosleep", sleep_in_place, true, {}},
                    {"SLEEP_UNTIL", "nanosleep", sleep_until, true, {}},
                    {"POLL", "poll", poll_nothing, true, {}},
                    {"WAITID", "do_wait", wait_for, false, {}},
                    {"WAIT4", "do_wait", [](pid_t) -> const char* { return nullptr; }, false, {}}};
};

const mosrig::guest::KindOf<BrokenOff> broken_off("broken-off");

}  // namespace
