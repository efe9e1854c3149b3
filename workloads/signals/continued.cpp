// SPDX-License-Identifier: MIT
//
// Stopped and let go on while it waits in a call that the kernel begins again in a way of its own:
// the program must not see that, neither in what the call says nor in how long it waits.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::await_state;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::now_ms;

class Continued final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    ~Continued() override {
        if (child_ > 0) {
            (void)kill(child_, SIGKILL);
            (void)waitpid(child_, nullptr, 0);
        }
    }

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) {};
        if (pipe2(order_, O_CLOEXEC) != 0 || pipe2(empty_, O_CLOEXEC) != 0 ||
            pipe2(data_, O_CLOEXEC) != 0 || sigaction(SIGUSR1, &action, nullptr) != 0) {
            return failed("pipe, sigaction");
        }
        child_ = fork();
        if (child_ == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            // The line to the rig is the parent's alone.
            (void)close(STDIN_FILENO);
            (void)close(STDOUT_FILENO);
            disturb();
        }
        return child_ < 0 ? failed("fork") : nullptr;
    }

    bool command(const char* word) override {
        static const struct {
            const char* word;
            const char* (Continued::*call)();
        } calls[] = {{"POLL", &Continued::poll_twice},
                     {"SLEEP", &Continued::sleeping},
                     {"REST", &Continued::interrupted}};
        for (const auto& entry : calls) {
            if (strcmp(entry.word, word) == 0) {
                mosrig::guest::answer((this->*entry.call)());
                return true;
            }
        }
        return Holder::command(word);
    }

  private:
    // Longer than the disturbance takes, also on a slow machine.
    static constexpr int wait_ms = 30000;
    static constexpr int sleep_ms = 4000;
    // A process that is away knows the time from answers that are under way for some of it.
    static constexpr int64_t slack_ms = 3000;

    const char* poll_twice() {
        const char* const wrong = polling(-1);
        return wrong != nullptr ? wrong : polling(wait_ms);
    }

    const char* polling(int timeout) {
        struct pollfd both[] = {{empty_[0], POLLIN, 0x55}, {data_[0], POLLIN, 0x55}};
        char letter = 0;
        if (!order('d')) {
            return failed("order");
        }
        const int ready = poll(both, 2, timeout);
        if (ready != 1) {
            return ready < 0 ? failed("poll over a stop") : differs("poll over a stop", ready, 1);
        }
        if (both[0].revents != 0 || both[1].revents != POLLIN) {
            return differs("events of the pipe that is ready", both[1].revents, POLLIN);
        }
        return read(data_[0], &letter, 1) != 1 ? failed("read of what poll told") : nullptr;
    }

    // A stop takes nothing from a sleep, and adds nothing.
    const char* sleeping() {
        const struct timespec wanted = {sleep_ms / 1000, 0};
        char letter = 0;
        if (!order('s')) {
            return failed("order");
        }
        const int64_t begin = now_ms();
        if (nanosleep(&wanted, nullptr) != 0) {
            return failed("sleep over a stop");
        }
        const int64_t passed = now_ms() - begin;
        if (read(data_[0], &letter, 1) != 1) {
            return failed("the end of the disturbance");
        }
        return passed < sleep_ms - slack_ms / 2 || passed > sleep_ms + slack_ms
                   ? differs("ms slept", passed, sleep_ms)
                   : nullptr;
    }

    // The signal comes after the stop, and ends the sleep.
    const char* interrupted() {
        const struct timespec wanted = {wait_ms / 1000, 0};
        struct timespec left = {77, 0};
        char letter = 0;
        if (!order('i')) {
            return failed("order");
        }
        const int64_t begin = now_ms();
        const bool ended = nanosleep(&wanted, &left) == -1 && errno == EINTR;
        const int64_t all = now_ms() - begin + left.tv_sec * 1000 + left.tv_nsec / 1000000;
        if (!ended || read(data_[0], &letter, 1) != 1) {
            return failed("a sleep that a signal is to end");
        }
        return all < wait_ms - slack_ms || all > wait_ms + slack_ms
                   ? differs("ms slept and left", all, wait_ms)
                   : nullptr;
    }

    [[nodiscard]] bool order(char letter) const { return write(order_[1], &letter, 1) == 1; }

    // The child's part. Seen asleep for some looks in a row, the parent most likely is in the call
    // that it was to make.
    static constexpr int sure = 30;

    [[noreturn]] void disturb() const {
        const pid_t parent = getppid();
        char letter = 0;
        while (read(order_[0], &letter, 1) == 1) {
            if (!await_state(parent, 'S', sure) || kill(parent, SIGSTOP) != 0 ||
                !await_state(parent, 'T', sure) || kill(parent, SIGCONT) != 0 ||
                !await_state(parent, 'S', sure)) {
                _exit(1);
            }
            // What was left when it stopped must not pass for what is left now.
            if (letter == 'i' && (usleep(2 * slack_ms * 1000) != 0 || kill(parent, SIGUSR1) != 0)) {
                _exit(1);
            }
            if (write(data_[1], "d", 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }

    int order_[2] = {};
    int empty_[2] = {};
    int data_[2] = {};
    pid_t child_ = -1;
};

const mosrig::guest::KindOf<Continued> continued("continued");

}  // namespace
