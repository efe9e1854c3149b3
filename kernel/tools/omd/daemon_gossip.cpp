// SPDX-License-Identifier: GPL-2.0-only
// What the daemons hear of each other, as far as it tells who is up.
#include <algorithm>

#include "omd/daemon.h"

namespace mosrig {

void Daemon::leave() {
    if (balancer_) {
        balancer_->leave();
    }
}

policy::State Daemon::gossiped(const Node& node) const {
    return balancer_ ? balancer_->agent().members().state(node.dialer->peer().id)
                     : policy::State::unknown;
}

// Has its daemon ended, or its machine? Nothing that was not heard by datagrams yet is silent.
bool Daemon::silent(const Node& node) const {
    return gossiped(node) == policy::State::down;
}

// Idle links outlive the daemon of the other end, which could take a process still, but not look
// after it: such a node gets no more. Those that are there stay, their links are the kernels'.
void Daemon::follow_gossip() {
    for (Node& node : nodes_) {
        if (silent(node)) {
            if (node.told == Known::up) {
                tell(node, Known::down);
            }
        } else if (node.told == Known::down && node.idle > 0 && node.features.protocol != 0) {
            tell(node, Known::up);
        }
    }
}

// Of a node whose links are from an omd before us the features are not known. To tell the kernel
// that it is up again takes one more link.
unsigned Daemon::useful_links(const Node& node) const {
    if (!configured_) {
        return settings_.limits.idle;  // the kernel would take none
    }
    const bool enough = node.told == Known::up || node.features.protocol != 0 || silent(node);
    return enough ? node.idle : std::min(node.idle, settings_.limits.idle - 1);
}

}  // namespace mosrig
