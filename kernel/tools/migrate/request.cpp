// SPDX-License-Identifier: GPL-2.0-only
#include "migrate/request.h"

#include <algorithm>
#include <cstdlib>

namespace mosrig {

Sight look_at(const Process& process) {
    Sight sight;
    const auto stat = process.stat();
    const auto where = process.number("where");
    sight.alive = stat && where && stat->state != 'Z' && stat->state != 'X';
    if (!sight.alive) {
        return sight;
    }
    auto values = parse_values(process.read("migstat").value_or(""));
    sight.state = values["state"];
    sight.error = std::abs(std::atoi(values["errno"].c_str()));
    sight.result = values["result"];
    sight.home_reason = values["home_reason"];
    sight.requested = values["requested_ns"];
    sight.pending = process.number("goto").value_or(0);
    sight.moves = process.number("nmigs").value_or(0);
    // Last, so that an arrival between the reads shows as one.
    sight.where = process.number("where").value_or(*where);
    return sight;
}

bool is_there(const Sight& sight, long target) {
    // -1 is home as well, on a node that has not been configured yet.
    return sight.alive && std::max(sight.where, 0L) == target;
}

Outcome judge(const Sight& before, const Sight& now, long target) {
    if (!now.alive) {
        return Outcome::ended;
    }
    if (is_there(now, target)) {
        return Outcome::moved;
    }
    const bool settled = now.state == "home" || now.state == "away";
    // Only an error of this request ends the wait for its way home.
    const bool fresh_error = now.error != 0 && now.requested != before.requested;
    if (!settled || now.pending != 0) {
        return Outcome::waiting;
    }
    if (fresh_error) {
        return Outcome::refused;
    }
    if (target == 0) {
        return Outcome::waiting;
    }
    return now.moves > before.moves ? Outcome::passed : Outcome::dropped;
}

}  // namespace mosrig
