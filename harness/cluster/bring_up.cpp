// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/cluster/lifecycle.h"
#include "harness/cluster/plan.h"
#include "harness/cluster/ready.h"
#include "harness/cluster/resources.h"
#include "harness/cluster/seed.h"
#include "harness/hypervisor/daemons.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

// Room that a node's overlay, seed and console take in the state directory before anyone works.
constexpr std::uintmax_t bytes_per_node = 96ULL << 20;

Result<Fd> make_state_dir(const fs::path& state) {
    std::error_code error;
    fs::create_directories(state / "console", error);
    if (error) {
        return errno_error(fmt::format("cannot create {}", state.string()), error.value(),
                           "run as root, or set XDG_RUNTIME_DIR to a directory of yours");
    }
    fs::permissions(state, fs::perms::owner_all, error);
    Fd lock(::open((state / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) {
        return errno_error(fmt::format("cannot create {}/lock", state.string()), errno);
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return infra_error("another `mosrig up` is at work on this cluster", "wait for its end");
    }
    return lock;
}

class BringUp {
  public:
    BringUp(const Places& places, ClusterInfo info, const Progress& progress)
        : places_(places), info_(std::move(info)), progress_(progress), resources_(places.state) {}

    // The flags are kept for a start like this one.
    Result<void> run(const std::string& plan, const ClusterFlags& flags) {
        MOSRIG_CHECK(check_room());
        MOSRIG_CHECK(connect());
        MOSRIG_CHECK(make_seeds());
        MOSRIG_CHECK(make_overlays());
        MOSRIG_CHECK(start_switch());
        MOSRIG_CHECK(start_domains());
        std::vector<Node> nodes;
        for (const NodeInfo& node : info_.nodes) {
            nodes.emplace_back(node, places_.state / "keys");
        }
        MOSRIG_CHECK(wait_ready(
            nodes, info_.kernel_config == "debug",
            [this](const Node& node) { return still_runs(node.info()); }, progress_));
        MOSRIG_TRY(const Calibration calibration, calibrate(nodes.front()));
        progress_(fmt::format("deadlines are scaled by {:.1f}", calibration.factor()));
        MOSRIG_CHECK(calibration.save(places_.state));
        const nlohmann::json done = {
            {"plan", plan}, {"programs", programs_}, {"flags", flags.words()}};
        return write_text_file(places_.state / "up.json", done.dump() + "\n");
    }

  private:
    Result<void> check_room() {
        std::error_code error;
        const fs::space_info space = fs::space(places_.state, error);
        const std::uintmax_t needed = bytes_per_node * info_.nodes.size();
        if (!error && space.available < needed) {
            return infra_error(
                fmt::format("{} has {} MiB free, {} nodes need {} MiB", places_.state.string(),
                            space.available >> 20, info_.nodes.size(), needed >> 20),
                "free some space there, or set XDG_RUNTIME_DIR to a larger file system");
        }
        return {};
    }

    Result<void> connect() {
        MOSRIG_TRY(const bool started, ensure_libvirt(info_.hypervisor_uri, places_.state, [this] {
                       return resources_.record("libvirt", "daemons");
                   }));
        if (started) {
            progress_("started libvirtd: none was running");
        }
        MOSRIG_TRY(hypervisor_, connect_libvirt(info_.hypervisor_uri));
        for (const NodeInfo& node : info_.nodes) {
            MOSRIG_TRY(const DomainState state, hypervisor_->state(node.domain));
            if (state != DomainState::absent) {
                return infra_error(
                    fmt::format("a domain {} exists already and is not this cluster's",
                                node.domain),
                    "give the cluster another name in cluster.yml, or end that domain");
            }
        }
        return {};
    }

    Result<void> make_seeds() {
        MOSRIG_TRY(const ClusterKeys keys, make_keys(places_.state / "keys"));
        SeedFiles common;
        MOSRIG_CHECK(add_guest_programs(places_.build / "guest" / "bin", common));
        // What the nodes get, also if something is built while they boot.
        programs_ = digest_programs(common);
        add_keys(keys, common);
        for (const NodeInfo& node : info_.nodes) {
            SeedFiles files = common;
            MOSRIG_CHECK(add_rendered_files(node.seed_dir, files));
            MOSRIG_CHECK(write_seed(files, node.seed));
        }
        return {};
    }

    Result<void> make_overlays() {
        for (const NodeInfo& node : info_.nodes) {
            if (node.overlay.empty()) {
                continue;
            }
            MOSRIG_TRY(const CommandResult made,
                       run_subprocess({"qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2",
                                       "-b", info_.image_path.string(), node.overlay.string()},
                                      Deadline("qemu-img", Millis(60'000))));
            if (!made.ok()) {
                return infra_error(
                    fmt::format("cannot create {}: {}", node.overlay.string(), made.err));
            }
        }
        return {};
    }

    Result<void> start_switch() {
        const fs::path pid_file = places_.state / "mosrig-switch.pid";
        MOSRIG_CHECK(resources_.record("process", pid_file.string()));
        const fs::path log = places_.state / "switch.log";
        MOSRIG_TRY(const pid_t pid, start_daemon({(places_.build / "mosrig-switch").string(),
                                                  info_.fabric_socket.string()},
                                                 log));
        MOSRIG_CHECK(write_text_file(pid_file, fmt::format("{}\n", pid)));
        const Deadline deadline("the switch to listen", Millis(10'000));
        return wait_until(
                   deadline, [&]() -> Result<bool> { return fs::is_socket(info_.fabric_socket); },
                   Millis(5))
            .map_error([&](Error&& error) {
                error.what += last_words(log);
                return std::move(error);
            });
    }

    Result<void> start_domains() {
        for (const NodeInfo& node : info_.nodes) {
            MOSRIG_TRY(const std::string xml, read_text_file(node.xml));
            // libvirt's own log of the domain lies outside the state directory.
            MOSRIG_CHECK(resources_.record(
                "file", fmt::format("/var/log/libvirt/qemu/{}.log", node.domain)));
            MOSRIG_CHECK(resources_.record("domain", node.domain));
            MOSRIG_CHECK(hypervisor_->create(xml));
        }
        progress_(fmt::format("{} nodes started ({} image, kernel {}, {})", info_.nodes.size(),
                              info_.image_kind, info_.kernel_release, info_.accelerator));
        return {};
    }

    Result<void> still_runs(const NodeInfo& node) {
        MOSRIG_TRY(const DomainState state, hypervisor_->state(node.domain));
        if (state == DomainState::running) {
            return {};
        }
        if (state == DomainState::paused) {
            // Nobody else pauses it: QEMU does when it cannot write to the node's disk.
            std::error_code error;
            const fs::space_info space = fs::space(places_.state, error);
            return infra_error(
                fmt::format("it is paused, as when its disk cannot be written: {} has {} MiB free",
                            places_.state.string(), error ? 0 : space.available >> 20),
                "free some space there, or set XDG_RUNTIME_DIR to a larger file system");
        }
        return infra_error("its virtual machine has ended",
                           fmt::format("/var/log/libvirt/qemu/{}.log may say why", node.domain));
    }

    const Places& places_;
    ClusterInfo info_;
    const Progress& progress_;
    ResourceLog resources_;
    std::string programs_;  // their digest
    std::unique_ptr<Hypervisor> hypervisor_;
};

}  // namespace

Result<bool> has_current_programs(const Places& places) {
    MOSRIG_TRY(const std::string text, read_text_file(places.state / "up.json"));
    const auto up = nlohmann::json::parse(text, nullptr, false);
    MOSRIG_TRY(const std::string programs, programs_digest(places));
    return up.is_object() && up.value("programs", "") == programs;
}

Result<std::vector<std::string>> words_of_start(const fs::path& state) {
    MOSRIG_TRY(const std::string text, read_text_file(state / "up.json"));
    const auto up = nlohmann::json::parse(text, nullptr, false);
    std::vector<std::string> words;
    if (up.is_object() && up.contains("flags") && up["flags"].is_array()) {
        for (const nlohmann::json& word : up["flags"]) {
            words.push_back(word.is_string() ? word.get<std::string>() : "");
        }
    }
    return words;
}

Result<UpOutcome> bring_up(const Places& places, const ClusterFlags& flags, IfDifferent different,
                           const Progress& progress) {
    const bool had_state = fs::exists(places.state / "cluster.json");
    const bool running = had_state && cluster_is_running(places.state);
    const std::string old_info = read_text_file(places.state / "cluster.json").value_or("");
    const auto old_up = nlohmann::json::parse(read_text_file(places.state / "up.json").value_or(""),
                                              nullptr, false);
    if (had_state && !running) {
        progress("clearing what an earlier cluster left");
        MOSRIG_CHECK(take_down(places, progress));
    }
    MOSRIG_TRY(Fd lock, make_state_dir(places.state));
    auto planned = plan_cluster(places, flags, progress);
    if (!planned) {
        // Nothing half done: what was there stays as it was, what was not there goes.
        if (running) {
            MOSRIG_CHECK(write_text_file(places.state / "cluster.json", old_info));
        } else {
            MOSRIG_CHECK(take_down(places, progress));
        }
        return tl::unexpected(planned.error());
    }
    MOSRIG_TRY(std::string plan, plan_digest(places, *planned));
    if (running && old_up.is_object() && old_up.value("plan", "") == plan) {
        return UpOutcome::already_up;
    }
    if (running && different == IfDifferent::refuse) {
        MOSRIG_CHECK(write_text_file(places.state / "cluster.json", old_info));
        return infra_error("a cluster with another configuration is running",
                           "run `mosrig down` first");
    }
    if (running) {
        progress("the running cluster has another configuration: replacing it");
        // take_down reads the old resources, which are the same file; the new plan is rendered
        // anew.
        MOSRIG_CHECK(take_down(places, progress));
        MOSRIG_TRY(lock, make_state_dir(places.state));
        MOSRIG_TRY(planned, plan_cluster(places, flags, progress));
        MOSRIG_TRY(plan, plan_digest(places, *planned));
    }
    const Result<void> done = BringUp(places, *planned, progress).run(plan, flags);
    if (!done) {
        // A node that did not boot is kept for a look at it; anything else leaves nothing behind.
        if (done.error().kind == ErrorKind::boot) {
            progress("the nodes are left as they are: `mosrig console NODE`, then `mosrig down`");
        } else {
            static_cast<void>(take_down(places, progress));
        }
        return tl::unexpected(done.error());
    }
    return running ? UpOutcome::replaced : UpOutcome::started;
}

}  // namespace mosrig
