// SPDX-License-Identifier: MIT
#include "harness/hypervisor/fake.h"

#include "harness/hypervisor/domain_xml.h"

namespace mosrig {

Result<std::vector<DomainInfo>> FakeHypervisor::list() {
    std::vector<DomainInfo> all;
    for (const auto& [name, info] : domains_) {
        all.push_back(info);
    }
    return all;
}

Result<DomainState> FakeHypervisor::state(const std::string& name) {
    const auto found = domains_.find(name);
    return found == domains_.end() ? DomainState::absent : found->second.state;
}

Result<void> FakeHypervisor::create(const std::string& xml) {
    const std::string name = domain_name(xml);
    if (name.empty() || domains_.contains(name)) {
        return infra_error("a domain needs a name of its own");
    }
    domains_[name] = {name, DomainState::running, domain_tag(xml)};
    return {};
}

Result<void> FakeHypervisor::destroy(const std::string& name) {
    domains_.erase(name);
    return {};
}

void FakeHypervisor::add_foreign(const std::string& name) {
    domains_[name] = {name, DomainState::running, {}};
}

}  // namespace mosrig
