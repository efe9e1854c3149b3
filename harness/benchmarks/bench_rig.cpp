// SPDX-License-Identifier: MIT
#include "harness/benchmarks/bench_rig.h"

#include <fmt/format.h>

#include <csignal>

#include "harness/process/mover.h"
#include "harness/process/node_machine.h"

namespace mosrig {

namespace {

constexpr Millis setup_time(20000);
constexpr Millis sample_time(60000);
constexpr Millis look_interval(200);

}  // namespace

Result<std::unique_ptr<BenchRig>> BenchRig::open(Cluster& cluster) {
    if (cluster.nodes().size() < 2) {
        return infra_error("a benchmark of moves needs two nodes", "mosrig up --nodes 2");
    }
    std::unique_ptr<BenchRig> rig(new BenchRig(cluster));
    rig->home_ = std::make_unique<NodeMachine>(cluster.nodes()[0]);
    rig->guest_ = std::make_unique<NodeMachine>(cluster.nodes()[1]);
    MOSRIG_TRY(rig->base_, BaseMeasures::open(cluster, *rig->home_, *rig->guest_));
    return rig;
}

Result<Subject> BenchRig::start_busy(int mib) {
    const Deadline ready = deadline(fmt::format("a busy loop with {} MiB", mib), setup_time);
    MOSRIG_TRY(Subject subject,
               Subject::start(
                   *home_, {fmt::format("{}/busy", workload_folder), "--mib", std::to_string(mib)},
                   0, {}, ready));
    MOSRIG_TRY(const std::string line, subject.ready(ready));
    if (line != "READY") {
        return infra_error(fmt::format("the busy loop says '{}'", line));
    }
    MOSRIG_CHECK(signal(subject, SIGSTOP));
    return subject;
}

Result<void> BenchRig::signal(const Subject& subject, int number) {
    MOSRIG_TRY(const int answer,
               home_->send_signal(subject.pid(), number, deadline("a signal", setup_time)));
    if (answer != 0) {
        return infra_error(
            fmt::format("signal {} to the busy loop: {}", number, errno_name(answer)));
    }
    return {};
}

Result<ProcessState> BenchRig::move(std::int64_t pid, int node) {
    const Deadline patience = deadline(fmt::format("the move to {}", node), sample_time);
    MOSRIG_TRY(const MoveAnswer answer, request_by_file(*home_, pid, node, 0, patience));
    if (answer.seen != Answer::moves) {
        return infra_error(
            fmt::format("the move to {} is refused with {}", node, answer.errno_name));
    }
    // Looking takes the only CPU of the home node from the move.
    return await_place(*home_, pid, node, patience, look_interval);
}

Result<MoveSample> BenchRig::sample(Subject& subject, int mib) {
    MoveSample sample;
    MOSRIG_CHECK(base_->measure_times(bases_));
    sample.round_trip_ns = bases_.R.back();
    MOSRIG_TRY(sample.tcp_ns, base_->blast(static_cast<std::int64_t>(mib) << 20));

    MOSRIG_CHECK(signal(subject, SIGCONT));
    MOSRIG_TRY(const ProcessState away, move(subject.pid(), guest_->id()));
    const auto freeze = away.migstat.freeze_ns();
    const auto total = away.migstat.total_ns();
    if (!freeze || !total) {
        return infra_error("migstat lacks the times of the move");
    }
    sample.freeze_ns = static_cast<double>(*freeze);
    sample.total_ns = static_cast<double>(*total);
    sample.demand_faults = away.migstat.number("demand_faults").value_or(0);
    sample.pages_out_at_resume = away.migstat.number("pages_out_at_resume").value_or(0);
    sample.round_trips = away.migstat.number("round_trips").value_or(0);

    MOSRIG_TRY(const std::string answer, subject.ask("VERIFY", deadline("VERIFY", sample_time)));
    if (answer != "OK") {
        return infra_error("the program's memory is wrong after the move: " + answer);
    }
    MOSRIG_CHECK(move(subject.pid(), 0));
    MOSRIG_CHECK(signal(subject, SIGSTOP));
    return sample;
}

}  // namespace mosrig
