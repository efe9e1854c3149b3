// SPDX-License-Identifier: MIT
#include "holder.h"

#include <cstdio>
#include <cstring>

namespace mosrig::guest {

const char* Holder::used() {
    if (wrong_[0] == '\0') {
        if (const char* wrong = step(); wrong != nullptr) {
            (void)snprintf(wrong_, sizeof wrong_, "%s", wrong);
        }
    }
    return wrong_[0] != '\0' ? wrong_ : nullptr;
}

void Holder::work() {
    (void)used();
}

const char* Holder::verify() {
    constexpr size_t rewrite_step = 16;
    ++verified_;
    if (const char* wrong = used(); wrong != nullptr) {
        return wrong;
    }
    if (const char* wrong = memory_.verify(); wrong != nullptr) {
        return wrong;
    }
    memory_.rewrite(rewrite_step);
    return check();
}

bool Holder::command(const char* word) {
    if (strcmp(word, "HOLD") != 0) {
        return false;
    }
    answer(hold());
    return true;
}

void Holder::summary(char* text, size_t room) {
    (void)snprintf(text, room, "%s verified=%u digest=%08x", name_, verified_, memory_.digest());
}

int run_holder(Holder& holder, bool later) {
    if (const char* lack = holder.lacks(); lack != nullptr) {
        return skip(lack);
    }
    if (const char* wrong = later ? nullptr : holder.hold(); wrong != nullptr) {
        answer(wrong);
        return 1;
    }
    return serve(holder);
}

}  // namespace mosrig::guest
