// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "harness/cli/verbs.h"

namespace mosrig::cli {

namespace {

namespace fs = std::filesystem;

fs::path cache_dir() {
    const char* const cache = std::getenv("XDG_CACHE_HOME");  // NOLINT(concurrency-mt-unsafe)
    if (cache != nullptr && *cache != '\0') {
        return fs::path(cache) / "mosrig";
    }
    const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
    return fs::path(home != nullptr && *home != '\0' ? home : "/root") / ".cache" / "mosrig";
}

}  // namespace

void add_cluster_flags(CLI::App& app, ClusterFlags& flags) {
    app.add_option("--nodes", flags.nodes, "number of nodes (default: cluster.yml)")
        ->check(CLI::Range(1, 32));
    app.add_option("--kernel", flags.kernel, "base, debug, or a directory with vmlinux");
    app.add_option("--image", flags.image, "debian or mini")
        ->check(CLI::IsMember({"debian", "mini"}));
    app.add_option("--mutant", flags.mutant, "deliberate bug of the kernel to turn on");
    app.add_option("--accel", flags.accelerator,
                   "kvm or tcg (default: kvm if a probe by a real boot finds it working)")
        ->check(CLI::IsMember({"kvm", "tcg"}));
    app.add_option("--config", flags.config, "another file than provision/cluster.yml");
    auto pass_on = [&app, &flags](const char* option, const char* help) {
        app.add_option_function<std::vector<std::string>>(
            option,
            [&flags, option](const std::vector<std::string>& values) {
                for (const std::string& value : values) {
                    flags.more.push_back(fmt::format("{}={}", option, value));
                }
            },
            help);
    };
    pass_on("--profile", "[NODE=]open-boot or [NODE=]locked-boot");
    app.add_flag_callback(
        "--unlock-logins", [&flags] { flags.more.emplace_back("--unlock-logins"); },
        "what a login shell starts may move by itself");
    pass_on("--image-path", "the image's file, instead of the one of the cache");
    pass_on("--cmdline", "one more word for the kernels");
    pass_on("--memory-mib", "memory of each node");
    pass_on("--vcpus", "CPUs of each node");
    pass_on("--cpu-without", "[NODE=]FEATURE that the CPU shall not have, such as avx2");
}

std::vector<std::string> split_command(std::vector<std::string>& arguments) {
    if (arguments.empty() || arguments[0] != "exec") {
        return {};
    }
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    auto start = dashes == arguments.end() ? dashes : dashes + 1;
    auto end_of_ours = dashes;
    if (dashes == arguments.end() && arguments.size() > 2 && !arguments[1].starts_with('-')) {
        start = end_of_ours = arguments.begin() + 2;
    }
    std::vector<std::string> command(start, arguments.end());
    arguments.erase(end_of_ours, arguments.end());
    return command;
}

int complain(const Error& error, int code) {
    fmt::print(stderr, "mosrig: {}\n", error.message());
    return code;
}

Result<Places> find_places() {
    Places places;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) {
        return errno_error("cannot find my own program", error.value());
    }
    places.build = self.parent_path();
    places.source = MOSRIG_SOURCE_DIR;
    places.cache = cache_dir();
    return places;
}

int code_of_rig(const std::string& verb) {
    // Their other codes are those of the command.
    return verb == "exec" || verb == "copy" || verb == "shell" ? exit_rig_failed : exit_infra;
}

Result<void> check_access(const std::filesystem::path& state) {
    if (::access(state.c_str(), R_OK | W_OK | X_OK) == 0 || errno == ENOENT) {
        return {};
    }
    return errno_error(fmt::format("the cluster of {} is not yours", state.string()), errno,
                       "run as its owner, or set XDG_RUNTIME_DIR to a directory of yours for one "
                       "of your own");
}

}  // namespace mosrig::cli
