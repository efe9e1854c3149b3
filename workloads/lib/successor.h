// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

namespace mosrig::guest {

// After a fork: the child goes on in the place of its parent, which only waits for its end, and
// ends with its status. The child dies with it.
void go_on_as_child(pid_t child);
// Forks for that; false with errno if there can be no child.
bool go_on_in_child();

}  // namespace mosrig::guest
