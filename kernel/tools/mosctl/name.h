// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace mosrig {

// What its messages begin with.
inline constexpr const char* mosctl_name = "mosctl";

}  // namespace mosrig
