// SPDX-License-Identifier: MIT
#include "harness/workload/description.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <system_error>

#include "harness/base/fd.h"
#include "harness/workload/allowed_keys.h"
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

const std::array<std::string, 3> tiers = {"quick", "full", "night"};

Run read_run(const YAML::Node& node, Procedure procedure) {
    allow_only(node, run_keys(procedure));
    Run run;
    if (needs_command(procedure)) {
        run.command = need(node, "command").as<std::vector<std::string>>();
        if (run.command.empty()) {
            reject(node, "'command' is empty");
        }
    }
    run.user = node["user"].as<int>(0);
    if (node["from"]) {
        run.origin = choose<Origin>(node["from"], {{"boot-script", Origin::boot_script}});
    }
    if (node["reason"]) {
        run.phases = phases_of_reason(words(node["reason"]), node["stays_for_good"].as<bool>(false),
                                      patterns(node["moswhy"]));
    } else if (node["moswhy"]) {
        reject(node["moswhy"], "'moswhy' of a run belongs to 'reason'; else a phase has it");
    }
    for (const YAML::Node& phase : node["reason"] ? node["phases"] : need(node, "phases")) {
        run.phases.push_back(read_phase(phase, phase_keys(procedure)));
    }
    if (run.phases.empty()) {
        reject(node, "'phases' is empty");
    }
    for (const YAML::Node& ask : node["asks"]) {
        run.asks.push_back(read_ask(ask));
    }
    for (const YAML::Node& step : node["steps"]) {
        run.steps.push_back(read_step(step));
    }
    run.needs = words(node["needs"]);
    run.output = words(node["output"]);
    run.output_count =
        node["output_count"].as<std::map<std::string, int>>(std::map<std::string, int>());
    run.watcher = node["watcher"].as<std::string>("");
    using Counts = std::map<std::string, int>;
    run.round_trips = node["round_trips"].as<Counts>(Counts());
    run.round_trips_at_most = node["round_trips_at_most"].as<Counts>(Counts());
    run.status = node["status"].as<int>(0);
    run.stays_away = node["stays_away"].as<std::string>("");
    run.each_moves = node["each_moves"].as<std::string>("");
    run.each_goes = node["each_goes"].as<std::string>("");
    run.messages = words(node["messages"]);
    run.events = words(node["events"]);
    run.copies = node["copies"].as<int>(1);
    if (node["automatic"]) {
        run.automatic = choose<Automatic>(node["automatic"], {{"spreads", Automatic::spreads},
                                                              {"moves", Automatic::moves},
                                                              {"stays", Automatic::stays}});
    }
    run.busy = node["busy"].as<bool>(false);
    run.crowd = node["crowd"].as<int>(0);
    run.crowd_there = node["crowd_there"].as<int>(0);
    run.hog = node["hog"].as<bool>(false);
    run.speeds = node["speeds"].as<std::vector<int>>(std::vector<int>());
    run.best = node["best"].as<std::vector<int>>(std::vector<int>());
    if (node["extra_moves"]) {
        run.extra_moves = node["extra_moves"].as<int>();
    }
    run.frees = node["frees"].as<std::string>("");
    if (!run.frees.empty() && run.automatic != Automatic::stays) {
        reject(node, "'frees' belongs to 'automatic: stays'");
    }
    run.interrupted = node["interrupted"].as<bool>(false);
    run.quiet_s = node["quiet_s"].as<int>(10);
    return run;
}

Description read_description(const YAML::Node& node) {
    allow_only(node, {"id", "title", "tier", "procedure", "vcpus", "memory_mib", "boot",
                      "guest_lacks", "nodes", "may_skip", "proofs", "runs"});
    Description description;
    description.id = need(node, "id").as<std::string>();
    description.title = need(node, "title").as<std::string>();
    description.tier = need(node, "tier").as<std::string>();
    if (std::find(tiers.begin(), tiers.end(), description.tier) == tiers.end()) {
        reject(node["tier"], "'tier' is one of quick, full, night");
    }
    description.vcpus = node["vcpus"].as<int>(0);
    description.memory_mib = node["memory_mib"].as<int>(0);
    description.nodes = node["nodes"].as<int>(2);
    description.may_skip = node["may_skip"].as<std::string>("");
    if (node["boot"]) {
        description.boot = choose<std::string>(
            node["boot"], {{"open-boot", "open-boot"}, {"locked-boot", "locked-boot"}});
    }
    description.guest_lacks = node["guest_lacks"].as<std::string>("");
    if (node["procedure"]) {
        description.procedure =
            choose<Procedure>(node["procedure"], {{"phases", Procedure::phases},
                                                  {"stalled", Procedure::stalled},
                                                  {"existing", Procedure::existing},
                                                  {"kill", Procedure::kill},
                                                  {"script", Procedure::script},
                                                  {"program", Procedure::program},
                                                  {"round-trips", Procedure::round_trips},
                                                  {"requests", Procedure::requests},
                                                  {"emptying", Procedure::emptying},
                                                  {"strangers", Procedure::strangers},
                                                  {"failures", Procedure::failures},
                                                  {"deaf", Procedure::deaf},
                                                  {"transit", Procedure::transit},
                                                  {"disasters", Procedure::disasters},
                                                  {"bad-network", Procedure::bad_network},
                                                  {"soak", Procedure::soak},
                                                  {"out-of-memory", Procedure::out_of_memory},
                                                  {"balance", Procedure::balance},
                                                  {"tools", Procedure::tools},
                                                  {"session", Procedure::session},
                                                  {"daemon", Procedure::daemon}});
    }
    for (const YAML::Node& proof : node["proofs"]) {
        description.proofs.push_back(
            choose<Proof>(proof, {{"away-time", Proof::away_time},
                                  {"cpu-time", Proof::cpu_time},
                                  {"demand-paging", Proof::demand_paging},
                                  {"memory-options", Proof::memory_options}}));
    }
    if (node["proofs"] && description.procedure != Procedure::phases) {
        reject(node["proofs"], "'proofs' belongs to 'procedure: phases'");
    }
    for (const YAML::Node& run : need(node, "runs")) {
        description.runs.push_back(read_run(run, description.procedure));
    }
    if (description.runs.empty()) {
        reject(node, "'runs' is empty");
    }
    if (description.proves(Proof::cpu_time) && !description.proves(Proof::away_time) &&
        description.decisive().route.empty()) {
        reject(node["proofs"], "'cpu-time' belongs to 'away-time' or to a phase with 'route'");
    }
    if ((description.procedure == Procedure::balance) ==
        (description.runs.front().automatic == Automatic::none)) {
        reject(node, "'automatic' belongs to 'procedure: balance', and to nothing else");
    }
    // The nodes of a whole suite are not sent from one run level to another.
    for (const Run& run : description.runs) {
        if (run.origin == Origin::boot_script && description.boot.empty()) {
            reject(node, "'from: boot-script' wants nodes of its own, as 'boot' says");
        }
    }
    return description;
}

}  // namespace

bool Description::proves(Proof proof) const {
    return std::find(proofs.begin(), proofs.end(), proof) != proofs.end();
}

const Phase& Description::decisive() const {
    const Phase* first_request = nullptr;
    for (const Run& run : runs) {
        for (const Phase& phase : run.phases) {
            if (phase.decisive) {
                return phase;
            }
            if (first_request == nullptr && phase.manual) {
                first_request = &phase;
            }
        }
    }
    return first_request != nullptr ? *first_request : runs.front().phases.front();
}

bool Description::in_tier(const std::string& wanted) const {
    return std::find(tiers.begin(), tiers.end(), tier) <=
           std::find(tiers.begin(), tiers.end(), wanted);
}

bool is_named(const std::string& id, const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(), [&id](const std::string& word) {
        return ::fnmatch(word.c_str(), id.c_str(), 0) == 0;
    });
}

Result<std::vector<Description>> parse_descriptions(const std::string& yaml,
                                                    const std::string& name) {
    try {
        std::vector<Description> all;
        for (const YAML::Node& node : YAML::LoadAll(yaml)) {
            all.push_back(read_description(node));
        }
        return all;
    } catch (const YAML::Exception& error) {
        return usage_error(fmt::format("{}:{}: {}", name, error.mark.line + 1, error.msg),
                           "mend the description");
    }
}

Result<std::vector<Description>> load_descriptions(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
        if (entry.path().extension() == ".yml") {
            files.push_back(entry.path());
        }
    }
    if (error || files.empty()) {
        return infra_error(fmt::format("no descriptions of cases in {}", folder.string()),
                           "run this from the checkout that built it");
    }
    std::sort(files.begin(), files.end());
    std::vector<Description> all;
    std::set<std::string> ids;
    for (const std::filesystem::path& file : files) {
        MOSRIG_TRY(const std::string text, read_text_file(file));
        MOSRIG_TRY(std::vector<Description> found,
                   parse_descriptions(text, file.filename().string()));
        for (Description& description : found) {
            if (!ids.insert(description.id).second) {
                return usage_error(fmt::format("two descriptions have the id {}", description.id));
            }
            all.push_back(std::move(description));
        }
    }
    return all;
}

}  // namespace mosrig
