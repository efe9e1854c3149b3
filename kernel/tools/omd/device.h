// SPDX-License-Identifier: GPL-2.0-only
// What the daemon asks of the kernel. The tests have an in-memory one.
#pragma once

#include <cstdint>
#include <string>

#include "common/fd.h"
#include "common/result.h"
#include "openmosix.h"

namespace mosrig {

class KernelDevice {
  public:
    virtual ~KernelDevice() = default;

    virtual Result<void> set_self(std::uint32_t id) = 0;
    virtual Result<void> set_node(const om_node& node) = 0;
    virtual Result<om_features> features() = 0;
    // Home side: hands an authenticated connection over. The kernel takes its own reference.
    virtual Result<void> add_link(std::uint32_t node, int fd) = 0;
    // Idle links to a node; error ENXIO or the like if the kernel does not know the node.
    virtual Result<unsigned> idle_links(std::uint32_t node) = 0;
    // Guest side, in the stub: does not come back as long as the link lives. The errno of the
    // refusal, or 0 after the link ended.
    virtual int become_body(std::uint32_t node, int fd) = 0;
    // What is known of a node's load; ENOTTY from a kernel that does not balance.
    virtual Result<void> set_load(const om_load& load) = 0;
    // Readable when the pool of any node changed since idle_links() was last asked.
    [[nodiscard]] virtual int poll_fd() const = 0;
};

// /dev/openmosix.
class OpenMosixDevice final : public KernelDevice {
  public:
    static Result<OpenMosixDevice> open(const std::string& path = OM_DEVICE);

    Result<void> set_self(std::uint32_t id) override;
    Result<void> set_node(const om_node& node) override;
    Result<om_features> features() override;
    Result<void> add_link(std::uint32_t node, int fd) override;
    Result<unsigned> idle_links(std::uint32_t node) override;
    int become_body(std::uint32_t node, int fd) override;
    Result<void> set_load(const om_load& load) override;
    [[nodiscard]] int poll_fd() const override { return fd_.get(); }

  private:
    explicit OpenMosixDevice(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace mosrig
