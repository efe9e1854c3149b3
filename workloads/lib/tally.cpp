// SPDX-License-Identifier: MIT
#include "tally.h"

#include <csignal>
#include <cstdio>
#include <cstring>

#include "wire.h"
#include "wrong.h"

namespace mosrig::guest {

namespace {

volatile sig_atomic_t plain = 0;
volatile sig_atomic_t real_time = 0;

}  // namespace

const char* count_signals() {
    struct sigaction action = {};
    action.sa_handler = [](int signal) {
        volatile sig_atomic_t& count = signal == SIGUSR1 ? plain : real_time;
        count = count + 1;
    };
    action.sa_flags = SA_RESTART;
    return sigaction(SIGUSR1, &action, nullptr) != 0 || sigaction(SIGRTMIN, &action, nullptr) != 0
               ? failed("sigaction")
               : nullptr;
}

bool tell_signals(const char* word) {
    if (strcmp(word, "COUNT") != 0) {
        return false;
    }
    char text[64];
    (void)snprintf(text, sizeof text, "COUNT %d %d", plain, real_time);
    say(text);
    return true;
}

}  // namespace mosrig::guest
