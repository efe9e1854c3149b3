// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/base/fd.h"
#include "harness/cluster/lifecycle.h"
#include "harness/cluster/resources.h"
#include "harness/hypervisor/daemons.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

Result<void> stop_process(const fs::path& pid_file) {
    const auto text = read_text_file(pid_file);
    long pid = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), pid);
    }
    return end_process(pid, pid_file.stem().string());
}

class TakeDown {
  public:
    TakeDown(const Places& places, const Progress& progress, const Connector& connect)
        : state_(places.state), progress_(progress), connect_(connect) {}

    Result<bool> run() {
        if (!fs::exists(state_)) {
            return false;
        }
        MOSRIG_TRY(std::vector<Resource> resources, ResourceLog(state_).load());
        // From here on nobody takes it for a cluster that is up.
        std::error_code error;
        fs::remove(state_ / "up.json", error);
        std::reverse(resources.begin(), resources.end());
        for (const Resource& resource : resources) {
            MOSRIG_CHECK(undo(resource));
        }
        fs::remove_all(state_, error);
        if (error) {
            return errno_error(fmt::format("cannot remove {}", state_.string()), error.value());
        }
        return true;
    }

  private:
    Result<void> undo(const Resource& resource) {
        if (resource.kind == "domain") {
            return end_domain(resource.name);
        }
        if (resource.kind == "process") {
            return stop_process(resource.name);
        }
        if (resource.kind == "daemon") {
            return end_daemon(resource.name);
        }
        std::error_code error;
        if (resource.kind == "file") {
            fs::remove(resource.name, error);
        }
        return {};
    }

    Result<void> end_domain(const std::string& name) {
        MOSRIG_TRY(Hypervisor* const hypervisor, connection());
        if (hypervisor == nullptr) {
            return {};
        }
        MOSRIG_TRY(const std::vector<DomainInfo> domains, hypervisor->list());
        for (const DomainInfo& domain : domains) {
            // The fence: a domain of that name without our mark is somebody else's.
            if (domain.name == name && !domain.tag.empty()) {
                progress_(fmt::format("ending {}", name));
                return hypervisor->destroy(name);
            }
        }
        return {};
    }

    Result<void> end_daemon(const std::string& pid_file) {
        if (fs::path(pid_file).stem() == "libvirtd") {
            MOSRIG_TRY(Hypervisor* const hypervisor, connection());
            if (hypervisor != nullptr) {
                MOSRIG_TRY(const std::vector<DomainInfo> others, hypervisor->list());
                keep_daemons_ = !others.empty();
            }
            hypervisor_.reset();
            connected_ = false;
        }
        if (keep_daemons_) {
            progress_(fmt::format("{} stays: it runs domains that are not this cluster's",
                                  fs::path(pid_file).stem().string()));
            return {};
        }
        return stop_daemon(pid_file);
    }

    // nullptr if there is no hypervisor to ask, and so no domain of ours either.
    Result<Hypervisor*> connection() {
        if (!connected_) {
            const auto info = load_cluster_info(state_);
            auto made = connect_(info ? info->hypervisor_uri : "qemu:///system");
            connected_ = true;
            if (made) {
                hypervisor_ = std::move(*made);
            }
        }
        return hypervisor_.get();
    }

    fs::path state_;
    const Progress& progress_;
    const Connector& connect_;
    bool connected_ = false;
    bool keep_daemons_ = false;
    std::unique_ptr<Hypervisor> hypervisor_;
};

}  // namespace

Result<bool> take_down(const Places& places, const Progress& progress, const Connector& connect) {
    return TakeDown(places, progress, connect).run();
}

bool is_complete(const std::filesystem::path& state) {
    return fs::exists(state / "up.json");
}

bool cluster_is_running(const std::filesystem::path& state) {
    const auto status = cluster_status(state);
    return status && status->complete &&
           std::all_of(status->nodes.begin(), status->nodes.end(),
                       [](const NodeStatus& node) { return node.state == DomainState::running; });
}

Result<ClusterStatus> cluster_status(const std::filesystem::path& state, const Connector& connect) {
    ClusterStatus status;
    if (!fs::exists(state / "cluster.json")) {
        return status;
    }
    MOSRIG_TRY(status.cluster, load_cluster_info(state));
    status.complete = is_complete(state);
    // Without a hypervisor no node runs: that is an answer, not an error.
    auto hypervisor = connect(status.cluster->hypervisor_uri);
    for (const NodeInfo& node : status.cluster->nodes) {
        NodeStatus entry{node, DomainState::absent};
        if (hypervisor) {
            MOSRIG_TRY(entry.state, (*hypervisor)->state(node.domain));
        }
        status.nodes.push_back(std::move(entry));
    }
    return status;
}

}  // namespace mosrig
