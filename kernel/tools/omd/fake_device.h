// SPDX-License-Identifier: GPL-2.0-only
// A kernel of the tests' own: keeps in memory what the daemon tells it.
#pragma once

#include <sys/eventfd.h>
#include <cerrno>
#include <map>
#include <utility>
#include <vector>

#include "omd/device.h"

namespace mosrig {

class FakeDevice final : public KernelDevice {
  public:
    std::uint32_t self = 0;
    om_features own{};
    std::map<std::uint32_t, om_node> nodes;
    std::map<std::uint32_t, std::vector<Fd>> pools;
    std::vector<std::uint32_t> told;  // states that other nodes were set to, in order
    int add_link_error = 0;
    std::map<std::uint32_t, om_load> loads;
    int set_load_error = 0;
    // What a stub does; its return value is the ioctl's errno.
    int (*body)(std::uint32_t node, int fd) = nullptr;

    FakeDevice() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
        own.protocol = OM_PROTOCOL;
        own.xstate_size = 832;
    }

    Result<void> set_self(std::uint32_t id) override {
        if (id != self) {
            nodes.clear();
            pools.clear();
            changed();
        }
        self = id;
        return {};
    }
    Result<void> set_node(const om_node& node) override {
        if (self == 0) {
            return fail_errno("set_node", ENXIO);
        }
        nodes[node.id] = node;
        if (node.id != self) {
            told.push_back(node.state);
        }
        return {};
    }
    Result<om_features> features() override { return own; }
    Result<void> add_link(std::uint32_t node, int fd) override {
        if (add_link_error != 0) {
            return fail_errno("add_link", add_link_error);
        }
        if (!nodes.contains(node)) {
            return fail_errno("add_link", ENXIO);
        }
        pools[node].emplace_back(::dup(fd));
        changed();
        return {};
    }
    Result<unsigned> idle_links(std::uint32_t node) override {
        eventfd_t value = 0;
        ::eventfd_read(event_.get(), &value);
        if (!nodes.contains(node)) {
            return fail_errno("idle_links", ENXIO);
        }
        return static_cast<unsigned>(pools[node].size());
    }
    int become_body(std::uint32_t node, int fd) override {
        return body != nullptr ? body(node, fd) : ENOTTY;
    }
    Result<void> set_load(const om_load& load) override {
        if (set_load_error != 0) {
            return fail_errno("set_load", set_load_error);
        }
        loads[load.id] = load;
        return {};
    }
    [[nodiscard]] int poll_fd() const override { return event_.get(); }

    // A migration uses a link up.
    Fd take_link(std::uint32_t node) {
        Fd link = std::move(pools[node].back());
        pools[node].pop_back();
        changed();
        return link;
    }
    void drop_node(std::uint32_t node) {
        nodes.erase(node);
        pools.erase(node);
        changed();
    }
    void drop_links(std::uint32_t node) {
        pools[node].clear();
        changed();
    }

  private:
    void changed() { ::eventfd_write(event_.get(), 1); }
    Fd event_;
};

}  // namespace mosrig
