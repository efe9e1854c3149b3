// SPDX-License-Identifier: GPL-2.0-only
// omd: the node daemon of openMosix. See omd(8).
#include <getopt.h>
#include <sodium.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/file.h"
#include "common/guarded.h"
#include "common/map.h"
#include "common/own_node.h"
#include "omd/config.h"
#include "omd/daemon.h"
#include "omd/detach.h"
#include "omd/proc_machine.h"
#include "omd/service.h"
#include "omd/stub.h"

namespace {

using namespace mosrig;

constexpr const char* pid_path = "/run/omd.pid";
constexpr const char* log_path = "/var/log/omd.log";
constexpr const char* stats_directory = "/run/openmosix";
constexpr const char* stats_path = "/run/openmosix/omd.stats";
constexpr const char* usage_text = "usage: omd [-f] [-c CONFIG] [-p ID] [-m MAP] [-k KEY]\n";

struct Options {
    bool foreground = false;
    Service::Sources sources;
};

std::optional<Options> parse_options(int argc, char** argv) {
    Options options;
    for (int letter = 0; (letter = ::getopt(argc, argv, "fc:p:m:k:")) != -1;) {
        switch (letter) {
            case 'f':
                options.foreground = true;
                break;
            case 'c':
                options.sources.config = optarg;
                options.sources.config_must_exist = true;
                break;
            case 'p':
                options.sources.self = parse_number(optarg, OM_MAX_NODE);
                if (!options.sources.self || *options.sources.self == 0) {
                    return std::nullopt;
                }
                break;
            case 'm':
                options.sources.map = optarg;
                break;
            case 'k':
                options.sources.key = optarg;
                break;
            default:
                return std::nullopt;
        }
    }
    return optind == argc ? std::optional(options) : std::nullopt;
}

// Blocks the signals and makes them readable, so that they arrive between two events.
Result<Fd> open_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGCHLD, SIGUSR1, SIGHUP}) {
        sigaddset(&set, number);
    }
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd.valid()) {
        return fail_errno("cannot read signals", errno);
    }
    return fd;
}

unsigned reap() {
    unsigned ended = 0;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        ended++;
    }
    return ended;
}

// Written only if nobody else did: an administrator's word about the speed stands.
void tell_speed(ProcMachine& machine, Log& log) {
    if (!machine.ready() || machine.admin().speed != 0) {
        return;
    }
    const std::uint32_t speed = measure_speed();
    if (auto told = machine.set_speed(speed); !told) {
        log.line("{}", told.error().text);
    } else {
        log.line("measured a speed of {}", speed);
    }
}

// All that the daemon needs, and whose lack it says before it is on its own.
struct Opened {
    Setup setup;
    LinkKeys keys;
    OpenMosixDevice device;
    Fd listener;
    std::pair<Fd, Fd> gossip;
    Fd signals;
};

Result<Opened> open_all(const Service::Sources& sources) {
    auto setup = load_setup(sources);
    if (!setup) {
        return tl::unexpected(setup.error());
    }
    auto keys = load_key(setup->key);
    if (!keys) {
        return tl::unexpected(keys.error());
    }
    auto device = OpenMosixDevice::open();
    if (!device) {
        return tl::unexpected(device.error());
    }
    auto listener = listen_on({setup->address, link_port});
    if (!listener) {
        return tl::unexpected(listener.error());
    }
    auto gossip = open_gossip(*setup);
    if (!gossip) {
        return tl::unexpected(gossip.error());
    }
    auto signals = open_signals();
    if (!signals) {
        return tl::unexpected(signals.error());
    }
    return Opened{std::move(*setup),  *keys,
                  std::move(*device), std::move(*listener),
                  std::move(*gossip), std::move(*signals)};
}

Daemon::Settings make_settings(const Setup& setup) {
    std::vector<Peer> peers = announced_before(setup);
    peers.insert(peers.end(), setup.peers.begin(), setup.peers.end());
    return {setup.self, setup.address, std::move(peers), {},
            stats_path, setup.name,    kernel_nodes()};
}

// Does what the signals that have come ask for. Whether one of them asks for the end.
bool take_signals(int signals, bool foreground, Daemon& daemon, Service& service, Log& log) {
    bool stop = false;
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof(info)) == sizeof(info)) {
        stop = stop || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
        if (info.ssi_signo == SIGUSR1) {
            daemon.show_stats();
        } else if (info.ssi_signo == SIGHUP) {
            if (!foreground) {
                (void)log.open(log_path);
            }
            (void)service.reload();
        }
    }
    daemon.on_stubs_ended(reap());
    return stop;
}

Result<void> serve(const Options& options, Log& log, Detached& detached) {
    auto opened = open_all(options.sources);
    if (!opened) {
        return tl::unexpected(opened.error());
    }
    ::mkdir(stats_directory, 0755);
    if (!options.foreground) {
        if (auto logs = log.open(log_path); !logs) {
            return logs;
        }
    }
    ProcMachine machine;
    tell_speed(machine, log);
    OpenMosixDevice& device = opened->device;
    Reactor reactor;
    Daemon daemon(
        make_settings(opened->setup), device, opened->keys, std::move(opened->listener), reactor,
        log, [&](std::uint32_t node, int fd) { return fork_stub(device, node, fd, log_path); });
    Service service(daemon, reactor, log, options.sources, opened->setup);
    service.set_machine(machine);
    bool stop = false;
    const int signals = opened->signals.get();
    auto heard = reactor.add(signals, EPOLLIN, [&](std::uint32_t) {
        stop = take_signals(signals, options.foreground, daemon, service, log) || stop;
    });
    if (!heard) {
        return heard;
    }
    auto started = daemon.start(make_balance(opened->setup, machine, std::move(opened->gossip)));
    if (!started) {
        return started;
    }
    if (auto listens = service.listen(omd_socket_path); !listens) {
        return listens;
    }
    // Stubs inherit the lock, and a body with one would never be moved on.
    (void)write_text("/proc/self/lock", "0");
    (void)replace_text(pid_path, fmt::format("{}\n", ::getpid()));
    detached.ready();
    while (!stop) {
        daemon.run_once(service.run(Clock::now()));
    }
    daemon.leave();
    log.line("ended by a signal; links that are in use or idle live on");
    ::unlink(pid_path);
    ::unlink(stats_path);
    return {};
}

int start(int argc, char** argv) {
    // Started with 0, 1 or 2 closed, the device would get their number and be lost to a dup2().
    int fd = 0;
    while ((fd = ::open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {
    }
    ::close(fd);
    const auto options = parse_options(argc, argv);
    if (!options) {
        std::fputs(usage_text, stderr);
        return 2;
    }
    if (::sodium_init() < 0) {
        std::fputs("omd: no source of random numbers\n", stderr);
        return 1;
    }
    Detached detached;
    if (!options->foreground) {
        if (const auto status = detached.detach()) {
            return *status;
        }
    }
    Log log(STDERR_FILENO);
    if (auto served = serve(*options, log, detached); !served) {
        fmt::print(stderr, "omd: {}\n", served.error().text);
        return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return guarded("omd", 1, [&] { return start(argc, argv); });
}
