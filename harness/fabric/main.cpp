// SPDX-License-Identifier: MIT
// mosrig-switch SOCKET: the cluster's Ethernet switch, until SIGTERM. `mosrig up` starts it,
// `mosrig network` has it delay or lose frames, `mosrig down` ends it. It touches no network of the
// host.
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "harness/fabric/switch.h"

namespace {

int run(const std::filesystem::path& path) {
    using namespace mosrig;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    const Fd stop(::signalfd(-1, &ends, SFD_CLOEXEC));
    auto listener = fabric::listen_at(path);
    if (!listener) {
        fmt::print(stderr, "mosrig-switch: {}\n", listener.error().message());
        return 3;
    }
    const std::filesystem::path control_place = fabric::control_path(path);
    auto control = fabric::listen_for_control(control_place);
    if (!control) {
        fmt::print(stderr, "mosrig-switch: {}\n", control.error().message());
        return 3;
    }
    auto created = fabric::Switch::create(std::move(*listener), std::move(*control));
    const auto done = created ? (*created)->run(stop.get()) : tl::unexpected(created.error());
    ::unlink(path.c_str());
    ::unlink(control_place.c_str());
    if (!done) {
        fmt::print(stderr, "mosrig-switch: {}\n", done.error().message());
        return 3;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || argv[1][0] == '-') {
        fmt::print(stderr, "usage: mosrig-switch SOCKET\n");
        return 2;
    }
    return run(argv[1]);
}
