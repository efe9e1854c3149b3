// SPDX-License-Identifier: MIT
// What the rig needs of a hypervisor, and no more. `Libvirt` does it, `FakeHypervisor` plays it in
// memory for tests.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace mosrig {

enum class DomainState { running, paused, crashed, shut_off, absent };

// "running", "paused" ...
const char* to_string(DomainState state);

struct DomainInfo {
    std::string name;
    DomainState state = DomainState::absent;
    std::string tag;  // cluster that owns it, from the domain's metadata; empty if it is not ours
};

class Hypervisor {
  public:
    Hypervisor() = default;
    Hypervisor(const Hypervisor&) = delete;
    Hypervisor& operator=(const Hypervisor&) = delete;
    Hypervisor(Hypervisor&&) = delete;
    Hypervisor& operator=(Hypervisor&&) = delete;
    virtual ~Hypervisor() = default;

    // Every domain that the hypervisor knows, ours or not.
    virtual Result<std::vector<DomainInfo>> list() = 0;
    // State of one domain; `absent` if there is none of that name.
    virtual Result<DomainState> state(const std::string& name) = 0;
    // Creates and starts a transient domain from its XML description.
    virtual Result<void> create(const std::string& xml) = 0;
    // Ends a domain at once. Not an error if there is none.
    virtual Result<void> destroy(const std::string& name) = 0;
};

// Connects to libvirt at `uri` (qemu:///system, qemu:///session ...).
Result<std::unique_ptr<Hypervisor>> connect_libvirt(const std::string& uri);

}  // namespace mosrig
