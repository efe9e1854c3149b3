// SPDX-License-Identifier: MIT
#include "harness/cluster/plan.h"

#include <fmt/format.h>
#include <sodium.h>

#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/cluster/seed.h"
#include "harness/hypervisor/kvm_probe.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

Result<ClusterInfo> render(const Places& places, const ClusterFlags& flags,
                           const std::string& accelerator) {
    const fs::path provision = places.source / "provision";
    std::vector<std::string> argv{
        (provision / "render.py").string(),
        "--config",
        flags.config.empty() ? (provision / "cluster.yml").string() : flags.config.string(),
        "--state",
        places.state.string(),
        "--accel",
        accelerator};
    auto add = [&argv](const char* flag, const std::string& value) {
        if (!value.empty()) {
            argv.insert(argv.end(), {flag, value});
        }
    };
    add("--nodes", flags.nodes == 0 ? "" : std::to_string(flags.nodes));
    add("--kernel", flags.kernel);
    add("--image", flags.image);
    add("--mutant", flags.mutant);
    argv.insert(argv.end(), flags.more.begin(), flags.more.end());
    MOSRIG_TRY(const CommandResult result,
               run_subprocess(argv, Deadline("the configuration to be rendered", Millis(120'000))));
    if (!result.ok()) {
        std::string text = result.err.starts_with("render: ") ? result.err.substr(8) : result.err;
        while (!text.empty() && text.back() == '\n') {
            text.pop_back();
        }
        return result.status == 2 ? usage_error(text) : infra_error(text);
    }
    return load_cluster_info(places.state);
}

}  // namespace

Result<ClusterInfo> plan_cluster(const Places& places, const ClusterFlags& flags,
                                 const Progress& progress) {
    const std::string first = flags.accelerator.empty() ? "tcg" : flags.accelerator;
    MOSRIG_TRY(ClusterInfo info, render(places, flags, first));
    if (!flags.accelerator.empty()) {
        return info;
    }
    MOSRIG_TRY(const KvmAnswer answer, probe_kvm(info.kernel_dir / "vmlinux", places.cache,
                                                 places.build / "guest" / "bin" / "mosrig-run"));
    // With the log itself: the cache has only the last probe's.
    const nlohmann::json told = {{"usable", answer.works},
                                 {"reason", answer.why},
                                 {"log", read_text_file(answer.log).value_or("")}};
    MOSRIG_CHECK(
        write_text_file(places.state / kvm_probe_file,
                        told.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
    progress(fmt::format("accelerator {}: {}", answer.works ? "kvm" : "tcg", answer.why));
    return answer.works ? render(places, flags, "kvm") : info;
}

Result<std::string> plan_digest(const Places& places, const ClusterInfo& info) {
    MOSRIG_TRY(std::string all, read_text_file(places.state / "cluster.json"));
    MOSRIG_TRY(const std::string programs, programs_digest(places));
    all += programs;
    for (const NodeInfo& node : info.nodes) {
        MOSRIG_TRY(const std::string xml, read_text_file(node.xml));
        SeedFiles rendered;
        MOSRIG_CHECK(add_rendered_files(node.seed_dir, rendered));
        all += xml + digest(rendered, node.name);
    }
    return digest({}, all);
}

std::string digest_programs(const SeedFiles& programs) {
    return digest(programs, "programs");
}

Result<std::string> programs_digest(const Places& places) {
    if (sodium_init() < 0) {
        return infra_error("libsodium finds no source of random bytes");
    }
    SeedFiles programs;
    MOSRIG_CHECK(add_guest_programs(places.build / "guest" / "bin", programs));
    return digest_programs(programs);
}

}  // namespace mosrig
