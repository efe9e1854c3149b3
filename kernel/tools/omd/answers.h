// SPDX-License-Identifier: GPL-2.0-only
// What the daemon tells of itself on its control socket: lines of JSON.
#pragma once

#include <functional>
#include <string>

#include "omd/cluster.h"
#include "omd/policy/agent.h"

namespace mosrig {

// `nodes`. `linked`: does the kernel have the node as up?
std::string nodes_json(const Cluster& cluster, const policy::Agent& agent, policy::Millis now,
                       const std::function<bool(std::uint32_t)>& linked);

// `why PID`.
std::string why_json(const Cluster& cluster, const policy::Agent& agent, std::int64_t pid,
                     policy::Millis now);

// `status`.
std::string status_json(const Cluster& cluster, const policy::Agent& agent, bool balances);

// The answer to `balance PID`: a target, or a reason and a sentence.
std::string balance_json(std::uint32_t target);
std::string refusal_json(const std::string& reason, const std::string& text);
// {"ok":true}
std::string done_json();

// Why there is no other node to speak of, though the cluster has some.
std::string nobody(const policy::Agent& agent);

// One plain sentence for a verdict, with its figures. `here`, `best`: names of nodes; `nobody`:
// said if there is no best one.
std::string sentence(const policy::Verdict& verdict, const std::string& here,
                     const std::string& best, const std::string& nobody);

}  // namespace mosrig
