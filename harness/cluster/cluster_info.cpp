// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"
#include "harness/cluster/cluster.h"

namespace mosrig {

namespace {

using nlohmann::json;

// A text that may be null or missing.
std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

NodeInfo node_of(const json& object) {
    NodeInfo node;
    node.name = text_of(object, "name");
    node.domain = text_of(object, "domain");
    node.id = number_of(object, "id");
    node.address = text_of(object, "address");
    node.ssh_port = number_of(object, "ssh_port");
    node.vcpus = number_of(object, "vcpus");
    node.memory_mib = number_of(object, "memory_mib");
    node.profile = text_of(object, "profile");
    node.xml = text_of(object, "xml");
    node.console = text_of(object, "console");
    node.overlay = text_of(object, "overlay");
    node.seed = text_of(object, "seed");
    node.seed_dir = text_of(object, "seed_dir");
    return node;
}

json part(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_object() ? *found : json::object();
}

}  // namespace

std::filesystem::path default_state_dir() {
    // Read once at start, before any thread.
    const char* const own = std::getenv("MOSRIG_STATE");  // NOLINT(concurrency-mt-unsafe)
    if (own != nullptr && *own != '\0') {
        return own;
    }
    const char* const runtime = std::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
    if (runtime != nullptr && *runtime != '\0') {
        return std::filesystem::path(runtime) / "mosrig";
    }
    return "/run/mosrig";
}

Result<ClusterInfo> load_cluster_info(const std::filesystem::path& state) {
    const std::filesystem::path file = state / "cluster.json";
    if (!std::filesystem::exists(file)) {
        return infra_error("no cluster is up", "run `mosrig up`");
    }
    MOSRIG_TRY(const std::string text, read_text_file(file));
    const json root = json::parse(text, nullptr, false);
    if (!root.is_object() || !root.contains("nodes") || !root["nodes"].is_array()) {
        return infra_error(fmt::format("{} is damaged", file.string()), "run `mosrig down`");
    }
    ClusterInfo info;
    info.name = text_of(root, "cluster");
    info.accelerator = text_of(root, "accelerator");
    info.hypervisor_uri = text_of(root, "hypervisor");
    info.mutant = text_of(root, "mutant");
    info.fabric_socket = text_of(root, "fabric_socket");
    const json kernel = part(root, "kernel");
    info.kernel_dir = text_of(kernel, "dir");
    info.kernel_release = text_of(kernel, "release");
    info.kernel_config = text_of(kernel, "config");
    const json image = part(root, "image");
    info.image_kind = text_of(image, "kind");
    info.image_path = text_of(image, "path");
    for (const json& node : root["nodes"]) {
        info.nodes.push_back(node_of(node));
    }
    return info;
}

}  // namespace mosrig
