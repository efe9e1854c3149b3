// SPDX-License-Identifier: MIT
#include "holder.h"

#include <cstdio>

namespace mosrig::guest {

const char* Holder::verify() {
    constexpr size_t rewrite_step = 16;
    ++verified_;
    if (const char* wrong = memory_.verify(); wrong != nullptr) {
        return wrong;
    }
    memory_.rewrite(rewrite_step);
    return check();
}

void Holder::summary(char* text, size_t room) {
    (void)snprintf(text, room, "%s verified=%u digest=%08x", name_, verified_, memory_.digest());
}

int run_holder(Holder& holder) {
    if (const char* missing = holder.hold(); missing != nullptr) {
        return skip(missing);
    }
    return serve(holder);
}

}  // namespace mosrig::guest
