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
        if (resource.kind == "libvirt") {
            return release_daemons();
        }
        if (resource.kind == "cluster") {
            Places other;
            other.state = resource.name;
            MOSRIG_CHECK(take_down(other, progress_, connect_));
            return {};
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
            return expect_gone(name);
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

    Result<void> release_daemons() {
        return release_libvirt(state_, [this]() -> Result<bool> {
            MOSRIG_TRY(Hypervisor* const hypervisor, connection());
            if (hypervisor == nullptr) {
                return false;
            }
            MOSRIG_TRY(const std::vector<DomainInfo> others, hypervisor->list());
            if (!others.empty()) {
                progress_("libvirtd stays: it runs domains that are no cluster's");
            }
            hypervisor_.reset();
            connected_ = false;
            return !others.empty();
        });
    }

    // A domain outlives the daemon that started it, if that was killed.
    static Result<void> expect_gone(const std::string& name) {
        std::error_code ignored;
        for (const auto& process : fs::directory_iterator("/proc", ignored)) {
            const auto words = read_text_file(process.path() / "cmdline");
            // As libvirt tells QEMU whom it runs.
            if (words && words->find(fmt::format("guest={},", name)) != std::string::npos) {
                return infra_error(fmt::format("{} still runs, as process {}, and no libvirtd "
                                               "answers that could end it",
                                               name, process.path().filename().string()),
                                   "start libvirtd, or end that process, and repeat");
            }
        }
        return {};
    }

    // nullptr if there is no hypervisor to ask.
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
    std::unique_ptr<Hypervisor> hypervisor_;
};

}  // namespace

Result<bool> take_down(const Places& places, const Progress& progress, const Connector& connect) {
    return TakeDown(places, progress, connect).run();
}

Result<void> keep_consoles(const fs::path& state, const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    for (fs::directory_iterator at(state / "console", error), end; !error && at != end;
         at.increment(error)) {
        const fs::path kept = folder / at->path().filename();
        MOSRIG_TRY(const std::string text, read_text_file(at->path()));
        const auto before = read_text_file(kept);
        MOSRIG_CHECK(write_text_file(
            kept, before ? *before + "\n==== mosrig: started afresh ====\n" + text : text));
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return errno_error(fmt::format("cannot keep the consoles in {}", folder.string()),
                           error.value());
    }
    return {};
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
