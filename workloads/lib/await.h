// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

namespace mosrig::guest {

// Waits until `condition`, looked at each millisecond, is true; false if it is not after so many
// looks, which is some twenty seconds, and more where the node is slow.
template <class Condition>
bool await(Condition condition) {
    constexpr int most = 20000;
    for (int look = 0; look < most; ++look) {
        if (condition()) {
            return true;
        }
        (void)usleep(1000);
    }
    return false;
}

}  // namespace mosrig::guest
