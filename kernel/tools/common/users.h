// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <sys/types.h>
#include <string>

#include "common/places.h"

namespace mosrig {

// The user's name in /etc/passwd, else the number. Not by the C library, whose look-ups need
// shared objects that a static program has not.
std::string user_name(uid_t uid, const Places& places);

}  // namespace mosrig
