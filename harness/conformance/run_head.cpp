// SPDX-License-Identifier: MIT
#include "harness/conformance/run_head.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/cluster/lifecycle.h"
#include "harness/journal/journal.h"

namespace mosrig {

namespace {

using nlohmann::json;

std::string commit_of(const std::filesystem::path& source) {
    const auto git = [&source](std::vector<std::string> argv) {
        argv.insert(argv.begin(), {"git", "-C", source.string()});
        const Result<CommandResult> result = run_subprocess(argv, Deadline("git", Millis(30000)));
        return result && result->ok() ? result->out : std::string();
    };
    std::string commit = git({"rev-parse", "HEAD"});
    if (commit.empty()) {
        return "unknown";
    }
    commit.pop_back();
    return git({"status", "--porcelain"}).empty() ? commit : commit + "-dirty";
}

std::string host_words() {
    struct utsname name {};
    (void)::uname(&name);
    return fmt::format("{} {}, {} CPUs, Linux {}", name.nodename, name.machine,
                       std::thread::hardware_concurrency(), name.release);
}

}  // namespace

json head_of_run(const ConformanceOptions& options, const ClusterInfo& info, double factor) {
    json run = {{"kernel", info.kernel_release},
                {"kernel_config", info.kernel_config},
                {"accelerator", info.accelerator},
                {"nodes", info.nodes.size()},
                {"image", info.image_kind},
                {"commit", commit_of(options.source_dir)},
                {"mutant", info.mutant.empty() ? json(nullptr) : json(info.mutant)},
                {"tier", options.tier},
                {"started", timestamp()},
                {"host", host_words()},
                {"calibration", factor}};
    std::string command = fmt::format("make conformance NODES={} KERNEL={} IMAGE={}",
                                      info.nodes.size(), info.kernel_config, info.image_kind);
    if (!info.mutant.empty()) {
        command += " MUTANT=" + info.mutant;
    }
    run["command"] = command;
    json probe =
        json::parse(read_text_file(options.state / kvm_probe_file).value_or(""), nullptr, false);
    if (probe.is_object()) {
        run["kvm_probe"] = std::move(probe);
    }
    return run;
}

}  // namespace mosrig
