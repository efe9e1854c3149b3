// SPDX-License-Identifier: MIT
// A hypervisor in memory: life cycles can be tested with no VM.
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

  private:
    std::map<std::string, DomainInfo> domains_;
};

}  // namespace mosrig
