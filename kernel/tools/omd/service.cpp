// SPDX-License-Identifier: GPL-2.0-only
#include "omd/service.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>
#include <array>
#include <filesystem>
#include <memory>
#include <sstream>

#include "common/file.h"
#include "common/own_node.h"
#include "common/process.h"
#include "omd/answers.h"

namespace mosrig {
namespace {

constexpr std::chrono::seconds map_look{2};

Result<std::uint32_t> address_of(const std::string& interface) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return fail_errno("cannot list the interfaces", errno);
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET &&
            interface == entry->ifa_name) {
            const auto* ip = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
            return ntohl(ip->sin_addr.s_addr);
        }
    }
    return fail("the interface " + interface +
                " has no IPv4 address: bring it up first, or correct 'interface' in omd.conf");
}

std::string own_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

Result<Setup> announced_setup(Setup setup, const Service::Sources& sources) {
    auto address = address_of(setup.config.interface);
    if (!address) {
        return tl::unexpected(address.error());
    }
    setup.address = *address;
    setup.self = announced_id(*address);
    if (setup.self == 0 || (sources.self && *sources.self != setup.self)) {
        return fail(
            fmt::format("with announcements a node's id is the last two bytes of its "
                        "address, here {}",
                        setup.self));
    }
    return setup;
}

// What to do about a map that is not there. One that -m names is used whatever the configuration
// wants, so announcements are no way out then.
std::string missing_map_remedy(const Service::Sources& sources) {
    const std::string write = ": write one, omd(8) has its form";
    return sources.map ? write : write + ", or set 'discovery = announce' in " + sources.config;
}

// Nodes of a map are not forgotten.
policy::Millis forget_after(const Setup& setup) {
    return setup.config.discovery == Config::Discovery::announce ? setup.config.forget : 0;
}

}  // namespace

Result<Setup> load_setup(const Service::Sources& sources) {
    auto config = load_config(sources.config, sources.config_must_exist);
    if (!config) {
        return tl::unexpected(config.error());
    }
    Setup setup;
    setup.config = *config;
    setup.config.map = sources.map.value_or(config->map);
    setup.key = sources.key.value_or(config->key);
    setup.name = own_name();
    if (config->discovery == Config::Discovery::announce && !sources.map) {
        return announced_setup(std::move(setup), sources);
    }
    setup.config.discovery = Config::Discovery::map;
    const auto nodes = load_map(setup.config.map, default_hosts_path);
    if (!nodes) {
        const auto& [text, code] = nodes.error();
        return fail(code == ENOENT ? text + missing_map_remedy(sources) : text, code);
    }
    if (const auto own = own_node(*nodes); own && !sources.self) {
        setup.self = own->id;
    } else {
        setup.self = sources.self.value_or(0);
    }
    for (const MapNode& node : *nodes) {
        if (node.id == setup.self) {
            setup.address = node.address;
            setup.name = node.name;
        } else {
            setup.peers.push_back({node.id, node.name, {node.address, link_port}});
        }
    }
    if (setup.address == 0) {
        return fail(sources.self
                        ? fmt::format("node {} is not in {}", *sources.self, setup.config.map)
                        : "no interface of this node has an address of " + setup.config.map +
                              ": bring the network up first, or use -p ID");
    }
    return setup;
}

Result<std::pair<Fd, Fd>> open_gossip(const Setup& setup) {
    auto socket = bind_datagrams({setup.address, default_gossip_port});
    if (!socket) {
        return tl::unexpected(socket.error());
    }
    if (setup.config.discovery == Config::Discovery::map) {
        return std::pair(std::move(*socket), Fd());
    }
    auto group = join_group(announce_group, default_gossip_port, setup.address);
    if (!group) {
        return tl::unexpected(group.error());
    }
    return std::pair(std::move(*socket), std::move(*group));
}

Daemon::Balance make_balance(const Setup& setup, Machine& machine, std::pair<Fd, Fd> sockets) {
    Balancer::Settings settings;
    settings.agent.period = setup.config.period;
    settings.agent.fanout = setup.config.fanout;
    settings.agent.balance = setup.config.balance;
    settings.agent.residency = setup.config.residency;
    settings.announce = setup.config.discovery == Config::Discovery::announce;
    return {machine, settings, std::move(sockets.first), std::move(sockets.second),
            forget_after(setup)};
}

std::vector<Peer> announced_before(const Setup& setup, const std::string& config) {
    std::vector<Peer> peers;
    if (setup.config.discovery != Config::Discovery::announce) {
        return peers;
    }
    std::istringstream lines(read_text(config).value_or(""));
    std::uint32_t id = 0;
    std::string dotted;
    std::uint32_t count = 0;
    while (lines >> id >> dotted >> count) {
        const auto address = parse_address(dotted);
        if (address && id != setup.self && id == announced_id(*address)) {
            peers.push_back({id, dotted, {*address, link_port}});
        }
    }
    return peers;
}

std::vector<std::uint32_t> kernel_nodes(const std::string& folder) {
    std::vector<std::uint32_t> nodes;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (const auto id = parse_number(entry.path().filename().string(), OM_MAX_NODE)) {
            nodes.push_back(*id);
        }
    }
    return nodes;
}

Service::Service(Daemon& daemon, Reactor& reactor, Log& log, Sources sources, Setup setup)
    : daemon_(daemon),
      log_(log),
      sources_(std::move(sources)),
      setup_(std::move(setup)),
      control_(reactor, [this](const std::string& line, uid_t user, bool first,
                               bool last) { return answer(line, user, first, last); }),
      map_mark_(map_mark()) {}

Result<void> Service::listen(const std::string& path) {
    return control_.listen(path);
}

std::pair<std::int64_t, std::int64_t> Service::map_mark() const {
    struct stat info {};
    if (setup_.config.discovery != Config::Discovery::map ||
        ::stat(setup_.config.map.c_str(), &info) != 0) {
        return {0, 0};
    }
    return {info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec,
            static_cast<std::int64_t>(info.st_size)};
}

Result<void> Service::reload() {
    map_mark_ = map_mark();
    auto setup = load_setup(sources_);
    if (setup && (setup->self != setup_.self || setup->address != setup_.address ||
                  setup->config.discovery != setup_.config.discovery ||
                  setup->config.interface != setup_.config.interface ||
                  setup->config.period != setup_.config.period ||
                  setup->config.fanout != setup_.config.fanout ||
                  setup->config.residency != setup_.config.residency || setup->key != setup_.key)) {
        setup = fail(
            "own node, discovery, interface, key, period, fanout or residency have changed: "
            "restart omd for that");
    }
    if (!setup) {
        log_.line("not reloaded: {}", setup.error().text);
        return tl::unexpected(setup.error());
    }
    setup_ = *setup;
    map_mark_ = map_mark();
    if (auto told = daemon_.restore(); !told) {
        log_.line("not reloaded: {}", told.error().text);
        return told;
    }
    if (setup_.config.discovery == Config::Discovery::map) {
        daemon_.set_peers(setup_.peers);
    }
    if (daemon_.balancer() != nullptr) {
        daemon_.balancer()->set_balance(setup_.config.balance);
        daemon_.set_forget(forget_after(setup_));
    }
    log_.line("reloaded: {} nodes", daemon_.cluster().peers.size() + 1);
    return {};
}

std::chrono::milliseconds Service::run(Instant now) {
    if (now - looked_ >= map_look) {
        looked_ = now;
        if (map_mark() != map_mark_) {
            (void)reload();
        }
    }
    control_.run(now);
    const auto wait = std::min(looked_ + map_look, control_.next()) - now;
    return std::max(std::chrono::milliseconds(1),
                    std::chrono::ceil<std::chrono::milliseconds>(wait));
}

std::optional<std::string> Service::answer(const std::string& line, uid_t user, bool first,
                                           bool last) {
    constexpr std::uint32_t largest_pid = 1U << 22U;
    const Balancer* balancer = daemon_.balancer();
    if (balancer == nullptr) {
        return refusal_json("failed", "this omd keeps links only");
    }
    const policy::Agent& agent = balancer->agent();
    const std::size_t blank = line.find(' ');
    const std::string verb = line.substr(0, blank);
    const std::string_view word =
        blank == std::string::npos ? "" : std::string_view(line).substr(blank + 1);
    const auto pid = static_cast<pid_t>(parse_number(word, largest_pid).value_or(0));
    if (line == "nodes") {
        return nodes_json(daemon_.cluster(), agent, balancer->now_ms(),
                          [this](std::uint32_t id) { return daemon_.linked(id); });
    }
    if (line == "status") {
        return status_json(daemon_.cluster(), agent, balancer->able());
    }
    if (line == "reload") {
        if (user != 0) {
            return refusal_json("permission", "only root may do this");
        }
        const auto done = reload();
        return done ? done_json() : refusal_json("invalid", done.error().text);
    }
    if (verb == "why" && pid > 0) {
        return why_json(daemon_.cluster(), agent, pid, balancer->now_ms());
    }
    if (verb == "balance" && pid > 0) {
        return balance(pid, user, first, last);
    }
    return refusal_json("usage", "there are: nodes, why PID, balance PID, status, reload");
}

// Answered when the other node has promised to take the process and the kernel has been asked to
// send it, or when nobody wants it or the kernel does not send it.
std::optional<std::string> Service::balance(pid_t pid, uid_t user, bool first, bool last) {
    Balancer& balancer = *daemon_.balancer();
    if (first) {
        if (machine_ == nullptr || !machine_->may_move(pid, user)) {
            return refusal_json("permission", "only who may kill a process may have it moved");
        }
        balancer.reconsider(pid, Clock::now());
    }
    const policy::Agent& agent = balancer.agent();
    const auto target = agent.promised(pid);
    if (target && balancer.asked(pid)) {
        return balance_json(*target);
    }
    if ((agent.under_way(pid) || balancer.undecided(pid)) && !last) {
        return std::nullopt;
    }
    if (const int code = balancer.refusal(pid); code != 0) {
        return refusal_json("failed", refusal_sentence(code, ""));
    }
    const auto verdict = agent.why(pid, balancer.now_ms()).first;
    if (verdict.reason == policy::Reason::moved && verdict.best != 0 && !last) {
        return balance_json(verdict.best);
    }
    const Cluster& cluster = daemon_.cluster();
    return refusal_json(policy::reason_word(verdict.reason),
                        sentence(verdict, fmt::format("node {}", cluster.self),
                                 fmt::format("node {}", verdict.best), nobody(agent)));
}

}  // namespace mosrig
