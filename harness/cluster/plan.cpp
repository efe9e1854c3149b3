// SPDX-License-Identifier: MIT
#include "harness/cluster/plan.h"

#include <fmt/format.h>
#include <sodium.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/cluster/seed.h"
#include "harness/hypervisor/host_tsc.h"
#include "harness/hypervisor/kvm_probe.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

// What the kernel of an emulated node has to be told of the host's clock, empty if nothing. One
// host says the same each time, so that a cluster is not taken for another one: the state directory
// keeps the first measurement as long as a new one is near it.
Result<std::string> clock_word(const Places& places) {
    const std::uint64_t measured = host_tsc_khz();
    if (measured == 0) {
        return std::string();
    }
    const fs::path file = places.state / "tsc_khz";
    std::uint64_t kept = 0;
    const std::string text = read_text_file(file).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), kept);
    const std::uint64_t apart = kept > measured ? kept - measured : measured - kept;
    if (apart > measured / 1000) {
        kept = measured;
        MOSRIG_CHECK(write_text_file(file, fmt::format("{}\n", kept)));
    }
    return fmt::format("--cmdline=tsc_early_khz={}", kept);
}

Result<ClusterInfo> render(const Places& places, ClusterFlags flags,
                           const std::string& accelerator) {
    const fs::path provision = places.source / "provision";
    flags.accelerator = accelerator;
    if (flags.config.empty()) {
        flags.config = provision / "cluster.yml";
    }
    std::vector<std::string> argv{(provision / "render.py").string(), "--state",
                                  places.state.string()};
    for (std::string& word : flags.words()) {
        argv.push_back(std::move(word));
    }
    if (accelerator == "tcg") {
        MOSRIG_TRY(std::string word, clock_word(places));
        if (!word.empty()) {
            argv.push_back(std::move(word));
        }
    }
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

std::vector<std::string> ClusterFlags::words() const {
    std::vector<std::string> words;
    auto add = [&words](const char* flag, const std::string& value) {
        if (!value.empty()) {
            words.insert(words.end(), {flag, value});
        }
    };
    add("--config", config.empty() ? "" : fs::absolute(config).string());
    add("--nodes", nodes == 0 ? "" : std::to_string(nodes));
    add("--kernel", kernel);
    add("--image", image);
    add("--mutant", mutant);
    add("--accel", accelerator);
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

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
