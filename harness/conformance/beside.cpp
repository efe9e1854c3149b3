// SPDX-License-Identifier: MIT
#include "harness/conformance/beside.h"

#include <fmt/format.h>

#include <utility>

#include "harness/cluster/resources.h"

namespace mosrig {

namespace {

// What libvirt and the configuration take for a name.
constexpr size_t longest_base = 20;

// Takes a throw-away cluster down with itself.
class TakenDown {
  public:
    explicit TakenDown(const Places& places) : places_(places) {}
    TakenDown(const TakenDown&) = delete;
    TakenDown& operator=(const TakenDown&) = delete;
    TakenDown(TakenDown&&) = delete;
    TakenDown& operator=(TakenDown&&) = delete;
    ~TakenDown() { static_cast<void>(end()); }

    [[nodiscard]] Result<bool> end() const {
        return take_down(places_, [](const std::string&) {});
    }

  private:
    const Places& places_;
};

}  // namespace

Result<void> with_cluster_beside(const Places& places, const ClusterInfo& info,
                                 const std::string& word, ClusterFlags flags,
                                 const std::function<Result<void>(Cluster&)>& look) {
    Places own = places;
    own.state = fmt::format("{}-{}", places.state.string(), word);
    MOSRIG_CHECK(ResourceLog(places.state).record("cluster", own.state.string()));
    flags.kernel = info.kernel_config;
    flags.accelerator = info.accelerator;
    flags.more.insert(flags.more.end(),
                      {fmt::format("--cluster={}-{}", info.name.substr(0, longest_base), word),
                       fmt::format("--kernel-dir={}", info.kernel_dir.string()),
                       fmt::format("--hypervisor={}", info.hypervisor_uri)});
    const TakenDown taken_down(own);
    MOSRIG_CHECK(bring_up(own, flags, IfDifferent::replace, [](const std::string&) {}));
    {
        MOSRIG_TRY(Cluster cluster, Cluster::open(own.state));
        MOSRIG_CHECK(look(cluster));
    }
    MOSRIG_CHECK(taken_down.end());
    return {};
}

}  // namespace mosrig
