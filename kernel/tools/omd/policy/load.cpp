// SPDX-License-Identifier: GPL-2.0-only
#include "omd/policy/load.h"

#include <algorithm>

namespace mosrig::policy {

double load_of(const NodeLoad& node) {
    return 100.0 * node.runnable / std::max(1U, node.cpus) * standard_speed /
           std::max(1U, node.speed);
}

double speed_ratio(std::uint32_t mine, std::uint32_t other) {
    const double ratio = static_cast<double>(std::max(1U, other)) / std::max(1U, mine);
    return ratio <= same_speed && ratio >= 1 / same_speed ? 1.0 : ratio;
}

double share_of(std::uint32_t cpus, double runnable) {
    const double all = std::max(1U, cpus);
    return runnable <= all ? 1.0 : all / runnable;
}

const char* reason_word(Reason reason) {
    switch (reason) {
        case Reason::locked:
            return "locked";
        case Reason::cant_move:
            return "cantmove";
        case Reason::sleeping:
            return "sleeping";
        case Reason::too_young:
            return "too_young";
        case Reason::balanced:
            return "balanced";
        case Reason::no_better_node:
            return "no_better_node";
        case Reason::refused_by_node:
            return "refused_by_node";
        case Reason::just_moved:
            return "just_moved";
        case Reason::stay:
            return "stay";
        case Reason::lstay:
            return "lstay";
        case Reason::quiet:
            return "quiet";
        case Reason::balance_off:
            return "balance_off";
        case Reason::guest:
            return "guest";
        case Reason::alone:
            return "alone";
        case Reason::moved:
            return "moved";
        case Reason::not_seen:
            break;
    }
    return "not_seen";
}

}  // namespace mosrig::policy
