// SPDX-License-Identifier: GPL-2.0-only
// Load, relative to CPUs and speed, and what a process would get out of a node.
#pragma once

#include "omd/policy/types.h"

namespace mosrig::policy {

// Measured speeds whose ratio is not above this are the same: what one measures on equal machines
// differs by a fifth, and must move nobody.
inline constexpr double same_speed = 1.3;

// Load as /proc/hpc tells it: 100 * runnable / cpus * standard_speed / speed.
double load_of(const NodeLoad& node);

// `other`'s speed over `mine`, 1 if they are the same by same_speed.
double speed_ratio(std::uint32_t mine, std::uint32_t other);

// Share of a CPU that each of `runnable` processes gets on so many CPUs: min(1, cpus/runnable).
double share_of(std::uint32_t cpus, double runnable);

}  // namespace mosrig::policy
