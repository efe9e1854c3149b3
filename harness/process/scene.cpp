// SPDX-License-Identifier: MIT
#include "harness/process/scene.h"

#include <fmt/format.h>

#include <fstream>
#include <utility>
#include <vector>

namespace mosrig {

namespace {

constexpr Millis look_time(15000);

constexpr const char* trace_script = R"sh(
cd /sys/kernel/tracing 2>/dev/null || exit 0
[ -e trace ] || mount -t tracefs nodev /sys/kernel/tracing && cd /sys/kernel/tracing
[ ! -e events/openmosix/enable ] || echo 1 > events/openmosix/enable
)sh";

// Only what a plain shell has, since it must work in every image.
constexpr const char* look_script = R"sh(
echo "uptime $(cat /proc/uptime), load $(cat /proc/loadavg)"
for folder in /proc/[0-9]*; do
    name=$(cat $folder/comm 2>/dev/null) || continue
    state=$(sed -n 's/^state //p' $folder/migstat 2>/dev/null)
    case $name:$(readlink $folder/exe 2>/dev/null):$state in
        remote*|*:/usr/local/lib/mosrig/workloads/*) ;;
        *:home|*:) continue ;;
    esac
    echo "--- ${folder#/proc/} $name, parent $(sed -n 's/^PPid:\t//p' $folder/status), where" \
        "$(cat $folder/where), $(sed -n 's/^State:\t//p' $folder/status)"
    echo "wchan $(cat $folder/wchan); syscall $(cat $folder/syscall)"
    cat $folder/stack 2>/dev/null
    sed -n -e '/^SigQ/,/^SigCgt/p' -e '/^Vm/p' -e '/ctxt/p' $folder/status | tr '\n\t' '; '
    echo
    cat $folder/migstat
done
echo '--- connections'
ss -tnoi 2>/dev/null || cat /proc/net/tcp
echo '--- trace'
tail -n 400 /sys/kernel/tracing/trace 2>/dev/null
true
)sh";

}  // namespace

Scene::Scene(Machines machines, MakeDeadline deadline, std::filesystem::path file)
    : state_(std::make_shared<State>(
          State{std::move(machines), std::move(deadline), std::move(file), false})) {}

Deadline Scene::watch(Deadline deadline) const {
    deadline.on_expiry([state = state_](const std::string& why) { state->record(why); });
    return deadline;
}

std::filesystem::path Scene::recorded() const {
    return state_->recorded ? state_->file : std::filesystem::path();
}

void Scene::forget() {
    if (std::exchange(state_->recorded, false)) {
        std::error_code ignored;
        std::filesystem::remove(state_->file, ignored);
    }
}

Result<void> trace_moves(Machine& machine, const Deadline& deadline) {
    MOSRIG_TRY(const CommandResult result, machine.run({"sh", "-c", trace_script}, deadline, 0));
    if (result.status != 0) {
        return tl::unexpected(
            Error{ErrorKind::infra, "no trace events: " + result.err, {}, machine.name(), 0});
    }
    return {};
}

void Scene::State::record(const std::string& why) {
    // What is asked here may run out as well: that is no other scene.
    if (std::exchange(recorded, true)) {
        return;
    }
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    std::ofstream out(file);
    out << why << "\n";
    for (Machine* machine : machines) {
        out << fmt::format("\n===== {}\n", machine->name());
        const Result<CommandResult> seen =
            machine->run({"sh", "-c", look_script}, deadline("a look at the scene", look_time), 0);
        out << (seen ? seen->out + seen->err : seen.error().message()) << std::flush;
    }
}

}  // namespace mosrig
