// SPDX-License-Identifier: MIT
// A hypervisor in memory: life cycles can be tested with no VM, and made to fail at any step.
#pragma once

#include <map>

#include "harness/hypervisor/hypervisor.h"

namespace mosrig {

class FakeHypervisor : public Hypervisor {
  public:
    Result<std::vector<DomainInfo>> list() override;
    Result<DomainState> state(const std::string& name) override;
    Result<void> create(const std::string& xml) override;
    Result<void> destroy(const std::string& name) override;

    // Puts a domain there that somebody else made.
    void add_foreign(const std::string& name);
    // The next `create` of a domain of this name fails.
    void fail_create_of(const std::string& name) { failing_ = name; }

  private:
    std::map<std::string, DomainInfo> domains_;
    std::string failing_;
};

}  // namespace mosrig
