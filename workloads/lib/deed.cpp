// SPDX-License-Identifier: MIT
#include "deed.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "scratch.h"

namespace mosrig::guest {

bool Deed::command(const char* word) {
    if (strcmp(word, "ACT") != 0) {
        return Holder::command(word);
    }
    answer(act());
    return true;
}

const char* Arrival::hold() {
    // Mapped first it lies highest, and is pushed last: what prepare() maps is on its way before.
    unsigned char* const ballast = map_private(ballast_size);
    where_ = open("/proc/self/where", O_RDONLY | O_CLOEXEC);
    if (ballast == nullptr || where_ < 0) {
        return failed("ballast, /proc/self/where");
    }
    for (size_t at = 0; at < ballast_size; at += sizeof at) {
        memcpy(ballast + at, &at, sizeof at);
    }
    return prepare();
}

void Arrival::act_once() {
    done_ = true;
    if (const char* const wrong = act(); wrong != nullptr) {
        (void)snprintf(outcome_, sizeof outcome_, "%s", wrong);
    }
}

bool Arrival::command(const char* word) {
    if (strcmp(word, "ACT") != 0) {
        return Deed::command(word);
    }
    if (!done_) {
        act_once();
    }
    answer(outcome_[0] != '\0' ? outcome_ : nullptr);
    return true;
}

const char* Arrival::step() {
    char place = '0';
    if (done_) {
        return nullptr;
    }
    if (pread(where_, &place, 1, 0) != 1) {
        return failed("/proc/self/where");
    }
    if (place != '0') {
        act_once();
    }
    return nullptr;
}

}  // namespace mosrig::guest
