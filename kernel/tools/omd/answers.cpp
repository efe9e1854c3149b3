// SPDX-License-Identifier: GPL-2.0-only
#include "omd/answers.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/map.h"
#include "omd/policy/load.h"

namespace mosrig {
namespace {

using Json = nlohmann::ordered_json;

// Host names are anybody's bytes.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json node_json(std::uint32_t id, const std::string& name, std::uint32_t address,
               const char* state) {
    return {{"id", id}, {"name", name}, {"address", format_address(address)}, {"state", state}};
}

void add_load(Json& node, const policy::NodeLoad& load, policy::Millis age) {
    node["cpus"] = load.cpus;
    node["load"] = std::lround(policy::load_of(load));
    node["speed"] = load.speed;
    node["util"] = load.util;
    node["mem"] = load.mem;
    node["rmem"] = load.rmem;
    node["tmem"] = load.tmem;
    node["age_ms"] = age;
    node["flags"] = Json::array();
    for (const auto& [bit, name] : {std::pair{policy::flag_block, "block"},
                                    {policy::flag_stay, "stay"},
                                    {policy::flag_lstay, "lstay"},
                                    {policy::flag_quiet, "quiet"}}) {
        if ((load.flags & bit) != 0) {
            node["flags"].push_back(name);
        }
    }
}

std::string name_of(const Cluster& cluster, std::uint32_t id) {
    for (const Peer& peer : cluster.peers) {
        if (peer.id == id) {
            return fmt::format("node {} ({})", id, peer.name);
        }
    }
    return fmt::format("node {}", id);
}

const char* decision(policy::Reason reason) {
    if (reason == policy::Reason::moved) {
        return "moved";
    }
    return reason == policy::Reason::not_seen ? "none" : "stay";
}

}  // namespace

std::string nodes_json(const Cluster& cluster, const policy::Agent& agent, policy::Millis now,
                       const std::function<bool(std::uint32_t)>& linked) {
    Json nodes = Json::array();
    Json own = node_json(cluster.self, cluster.name, cluster.address, "up");
    add_load(own, agent.own_load(), 0);
    nodes.push_back(own);
    for (const Peer& peer : cluster.peers) {
        const policy::State state = agent.members().state(peer.id);
        const policy::Members::Known* known = agent.members().load(peer.id);
        // Without a word by gossip, its links are what is known of it.
        const char* word = policy::state_word(state);
        if (state == policy::State::unknown) {
            word = linked(peer.id) ? "up" : "down";
        }
        Json node = node_json(peer.id, peer.name, peer.endpoint.address, word);
        if (known != nullptr) {
            add_load(node, known->entry.load, std::max<policy::Millis>(0, now - known->written));
        } else {
            for (const char* field :
                 {"cpus", "load", "speed", "util", "mem", "rmem", "tmem", "age_ms"}) {
                node[field] = nullptr;
            }
            node["flags"] = Json::array();
        }
        nodes.push_back(node);
    }
    std::sort(nodes.begin(), nodes.end(), [](const Json& a, const Json& b) {
        return a["id"].get<std::uint32_t>() < b["id"].get<std::uint32_t>();
    });
    return dump({{"self", cluster.self}, {"nodes", nodes}});
}

std::string nobody(const policy::Agent& agent) {
    std::size_t blocked = 0;
    std::size_t quiet = 0;
    std::size_t unlike = 0;
    std::size_t others = 0;
    for (const policy::Members::Known& known : agent.members().loads()) {
        const policy::NodeLoad& load = known.entry.load;
        if ((load.flags & policy::flag_block) != 0) {
            blocked++;
        } else if ((load.flags & policy::flag_quiet) != 0) {
            quiet++;
        } else if (agent.unlike(load.id)) {
            unlike++;
        } else {
            others++;
        }
    }
    if (agent.members().alone()) {
        return "nothing is known yet of the load of any other node";
    }
    std::string text = "no other node takes it";
    const char* before = ": ";
    for (const auto& [count, what] :
         {std::pair{blocked, "blocked (mosctl noblock, there, changes that)"},
          {quiet, "quiet (mosctl noquiet, there)"},
          {unlike, "no target, for the CPU there has other features"},
          {others, "short of memory for it, or not heard lately, or did not answer"}}) {
        if (count > 0) {
            text += fmt::format("{}{} {} {}", before, count, count == 1 ? "is" : "are", what);
            before = ", ";
        }
    }
    return text;
}

std::string sentence(const policy::Verdict& verdict, const std::string& here,
                     const std::string& best, const std::string& nobody) {
    using policy::Reason;
    const std::string own = fmt::format("{} has a load of {:.0f}", here, verdict.here_load);
    const std::string figures =
        verdict.best == 0
            ? own + "; " + nobody
            : fmt::format("{}, {}, the best other one, of {:.0f}", own, best, verdict.best_load);
    switch (verdict.reason) {
        case Reason::locked:
            return "It is locked: it asked, or inherited, not to be moved automatically.";
        case Reason::cant_move:
            return "Something that it uses keeps it here; its cantmove says what.";
        case Reason::sleeping:
            return "It hardly uses the CPU, so it would gain nothing anywhere else.";
        case Reason::too_young:
            if (verdict.best == 0) {
                return "It has been busy for a moment only: not long enough to expect that it will "
                       "stay so.";
            }
            return fmt::format(
                "{}, but it has not used enough CPU time yet to expect much more of it: it would "
                "gain {:.1f} s, and a move costs {:.1f} s.",
                figures, verdict.gain_ms / 1000, verdict.cost_ms / 1000);
        case Reason::balanced:
            return fmt::format(
                "{}: there are not more runnable processes than CPUs, and no other node is "
                "markedly "
                "faster.",
                verdict.best == 0 ? own : figures);
        case Reason::no_better_node:
            if (verdict.best == 0) {
                return figures + ".";
            }
            return fmt::format(
                "{}: {}", figures,
                verdict.gain_ms > 0
                    ? "that is no gain that would last, with what the others may send there."
                    : "there it would not run faster.");
        case Reason::refused_by_node:
            return fmt::format(
                "{}; the node that was asked last did not take it: it had more to do or less "
                "memory than was known here, or did not answer, or the process did not get there.",
                figures);
        case Reason::just_moved:
            return "It moved a moment ago and stays for a while, so that it does not go to and "
                   "fro.";
        case Reason::stay:
            return fmt::format("Nothing leaves {} by itself: admin/stay is set.", here);
        case Reason::lstay:
            return fmt::format("Own processes do not leave {} by themselves: admin/lstay is set.",
                               here);
        case Reason::quiet:
            return fmt::format("Nothing moves to or from {} by itself: admin/quiet is set.", here);
        case Reason::balance_off:
            return fmt::format("omd does not balance {}: omd.conf says so, or {}'s kernel cannot.",
                               here, here);
        case Reason::guest:
            return "It is a guest, and its home does not let it go on.";
        case Reason::alone:
            return "No other node of the cluster is up.";
        case Reason::moved:
            return fmt::format(
                "It was sent to {}: {}; it should gain {:.1f} s, and the move costs {:.1f} s.",
                best, figures, verdict.gain_ms / 1000, verdict.cost_ms / 1000);
        case Reason::not_seen:
            break;
    }
    return "It does not run on this node, or has hardly used the CPU since omd started.";
}

std::string why_json(const Cluster& cluster, const policy::Agent& agent, std::int64_t pid,
                     policy::Millis now) {
    const auto [verdict, age] = agent.why(pid, now);
    Json json{{"pid", pid},
              {"decision", decision(verdict.reason)},
              {"reason", policy::reason_word(verdict.reason)},
              {"age_ms", age},
              {"here", {{"node", cluster.self}, {"load", std::lround(verdict.here_load)}}}};
    if (verdict.best != 0) {
        json["best"] = {{"node", verdict.best},
                        {"load", std::lround(verdict.best_load)},
                        {"expected_gain_ms", std::lround(verdict.gain_ms)},
                        {"cost_ms", std::lround(verdict.cost_ms)}};
    } else {
        json["best"] = nullptr;
    }
    json["text"] = sentence(verdict, name_of(cluster, cluster.self), name_of(cluster, verdict.best),
                            nobody(agent));
    return dump(json);
}

std::string status_json(const Cluster& cluster, const policy::Agent& agent, bool balances) {
    const Stats& stats = cluster.stats;
    const policy::AgentCounters& counters = agent.counters();
    return dump({{"self", cluster.self},
                 {"nodes", cluster.peers.size() + 1},
                 {"balances", balances},
                 {"packets_out", stats.packets_out},
                 {"packets_in", stats.packets_in},
                 {"rejected",
                  {{"stranger", stats.packets_stranger},
                   {"key", stats.packets_key},
                   {"replay", stats.packets_replay},
                   {"version", stats.packets_version},
                   {"garbage", stats.packets_garbage}}},
                 {"challenges", stats.challenges},
                 {"decisions", counters.decisions},
                 {"moves",
                  {{"asked", counters.asked},
                   {"granted", counters.granted},
                   {"refused", counters.refused},
                   {"done", counters.moved},
                   {"failed", counters.failed}}},
                 {"promises", {{"given", counters.promised}, {"declined", counters.declined}}}});
}

std::string balance_json(std::uint32_t target) {
    return dump({{"ok", true}, {"target", target}});
}

std::string refusal_json(const std::string& reason, const std::string& text) {
    return dump({{"ok", false}, {"reason", reason}, {"text", text}});
}

std::string done_json() {
    return dump({{"ok", true}});
}

}  // namespace mosrig
