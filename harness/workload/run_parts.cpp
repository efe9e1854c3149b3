// SPDX-License-Identifier: MIT
#include "harness/workload/run_parts.h"

#include "harness/workload/yaml_reader.h"

namespace mosrig {

using yaml::allow_only;
using yaml::choose;
using yaml::need;
using yaml::patterns;
using yaml::reject;
using yaml::words;

namespace {

Phase look(std::string word, std::vector<std::string> cantmove) {
    Phase phase;
    phase.send = std::move(word);
    phase.cantmove = std::move(cantmove);
    return phase;
}

Phase ask_for_move(std::string word, std::vector<std::string> cantmove) {
    Phase phase = look(std::move(word), std::move(cantmove));
    phase.manual = phase.cantmove.empty() ? Answer::moves : Answer::refused;
    phase.errno_name = phase.cantmove.empty() ? "" : "EBUSY";
    return phase;
}

// It moves, takes hold of the reason while away, and has to come home for that.
Phase caught_away(const std::vector<std::string>& reason) {
    Phase phase = ask_for_move("", {});
    phase.away = {"HOLD"};
    phase.ends = Ends::home;
    phase.cantmove_home = reason;
    return phase;
}

}  // namespace

Phase read_phase(const YAML::Node& node, const std::set<std::string>& keys) {
    allow_only(node, keys);
    Phase phase;
    phase.send = node["send"].as<std::string>("");
    if (node["write_lock"]) {
        phase.set_lock = node["write_lock"].as<int>();
    }
    phase.lock_errno = node["write_errno"].as<std::string>("");
    phase.user = node["as"].as<int>(0);
    if (node["subject"]) {
        phase.who = choose<Who>(
            node["subject"],
            {{"started", Who::started}, {"child", Who::child}, {"grandchild", Who::grandchild}});
    }
    phase.cantmove = need(node, "cantmove").as<std::vector<std::string>>();
    phase.lock = need(node, "lock").as<int>();
    if (node["parent_lock"]) {
        phase.parent_lock = node["parent_lock"].as<int>();
    }
    if (node["manual"]) {
        phase.manual = choose<Answer>(
            node["manual"],
            {{"moves", Answer::moves}, {"refused", Answer::refused}, {"none", Answer::none}});
    }
    phase.errno_name = node["errno"].as<std::string>("");
    if ((phase.manual == Answer::refused) == phase.errno_name.empty()) {
        reject(node, "'errno' belongs to 'manual: refused', and to nothing else");
    }
    phase.times = node["times"].as<int>(1);
    phase.decisive = node["decisive"].as<bool>(false);
    phase.away = words(node["away"]);
    if (node["ends"]) {
        phase.ends = choose<Ends>(
            node["ends"],
            {{"away", Ends::away}, {"home", Ends::home}, {"gone", Ends::gone}, {"any", Ends::any}});
    }
    phase.home_reason = node["home_reason"].as<std::string>("");
    phase.cantmove_home = words(node["cantmove_home"]);
    phase.companion = node["companion"].as<bool>(false);
    phase.pageout = node["pageout"].as<bool>(false);
    phase.moswhy = patterns(node["moswhy"]);
    phase.route = node["route"].as<std::vector<int>>(std::vector<int>());
    phase.onward = words(node["onward"]);
    if (node["onward"] && phase.route.empty()) {
        reject(node["onward"], "'onward' belongs to 'route'");
    }
    if (phase.manual != Answer::moves && (!phase.away.empty() || node["ends"] || phase.companion)) {
        reject(node, "'away', 'ends' and 'companion' belong to 'manual: moves'");
    }
    return phase;
}

std::vector<Phase> phases_of_reason(const std::vector<std::string>& reason, bool for_good,
                                    const std::vector<std::string>& moswhy) {
    if (for_good) {
        std::vector<Phase> phases = {caught_away(reason), ask_for_move("", reason)};
        phases[1].moswhy = moswhy;
        return phases;
    }
    std::vector<Phase> phases = {look("", reason),
                                 look("RELEASE", {}),
                                 ask_for_move("HOLD", reason),
                                 ask_for_move("RELEASE", {}),
                                 caught_away(reason),
                                 ask_for_move("RELEASE", {})};
    phases[2].decisive = true;
    phases[2].moswhy = moswhy;
    return phases;
}

Ask read_ask(const YAML::Node& node) {
    allow_only(node, {"run", "as", "on", "status", "out", "err"});
    Ask ask;
    ask.run = need(node, "run").as<std::vector<std::string>>();
    if (ask.run.empty()) {
        reject(node, "'run' is empty");
    }
    ask.user = node["as"].as<int>(0);
    ask.at_guest = node["on"] && choose<bool>(node["on"], {{"home", false}, {"other", true}});
    ask.status = node["status"].as<int>(0);
    ask.out = patterns(node["out"]);
    ask.err = patterns(node["err"]);
    return ask;
}

Step read_step(const YAML::Node& node) {
    allow_only(node, {"type", "front", "shows", "moves", "size"});
    Step step;
    step.keys = node["type"].as<std::string>("");
    const std::vector<std::string> shown = patterns(need(node, "shows"));
    if (shown.size() != 1) {
        reject(node, "'shows' is one pattern");
    }
    step.shows = shown.front();
    step.front = node["front"].as<std::string>("");
    step.moves = node["moves"].as<std::string>("");
    const std::vector<int> size = node["size"].as<std::vector<int>>(std::vector<int>());
    if (!size.empty()) {
        if (size.size() != 2 || size[0] < 1 || size[1] < 1) {
            reject(node["size"], "'size' is rows and columns");
        }
        step.size = TerminalSize{size[0], size[1]};
    }
    if (step.keys.empty() == !step.size) {
        reject(node, "a step has either 'type' or 'size'");
    }
    if (step.size && step.front.empty()) {
        reject(node["size"], "whose window it is must wait for keys: 'size' needs 'front'");
    }
    if (!step.moves.empty() && step.keys.empty()) {
        reject(node["moves"], "who is to move does so at a key: 'moves' belongs to 'type'");
    }
    return step;
}

}  // namespace mosrig
