// SPDX-License-Identifier: MIT
//
// Real programs: one run at home, one under moves; output and status must be the same.
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/conformance/printed.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis run_time(240000);
constexpr const char* end_of_program = "the end of the program";
// A round of moves begins this long after the one before, if the node is fast enough.
constexpr Millis round_time(400);

Result<std::unique_ptr<Program>> start(Stage& stage, const Run& run) {
    StartOptions options;
    options.user = run.user;
    options.directory = std::string("/");
    options.environment = workload_environment();
    return stage.home().start(resolve_command(run.command), stage.soon("the program's start"),
                              options);
}

struct Unsettled {
    std::string name;
    std::int64_t moves = 0;
    int rounds = 0;
};

// Moves every process of a family to the next node, again and again.
class Unrest {
  public:
    Unrest(Stage& stage, std::int64_t root) : stage_(stage), root_(root) {}

    Result<void> round() {
        const Machines& machines = stage_.machines();
        const int node = machines[++turn_ % machines.size()]->id();
        const int target = node == stage_.home().id() ? 0 : node;
        MOSRIG_TRY(const std::set<std::int64_t> members, family());
        for (const std::int64_t pid : members) {
            // One that has just ended, or has a reason to stay, or has not yet done what it was
            // last asked to, is left alone.
            MOSRIG_CHECK(request_by_file(stage_.home(), pid, target, 0, stage_.soon("a request")));
            const Result<ProcessState> state =
                read_process(stage_.home(), pid, stage_.soon("the state of a process"));
            if (state) {
                Unsettled& one = met_[pid];
                one.name = state->stat.comm;
                one.moves = std::max(one.moves, state->nmigs);
                ++one.rounds;
            }
            if (state && pid == root_) {
                show(stage_.result, *state);
            }
        }
        return {};
    }

    [[nodiscard]] size_t processes() const { return met_.size(); }
    [[nodiscard]] const std::map<std::int64_t, Unsettled>& met() const { return met_; }

  private:
    Result<std::set<std::int64_t>> family() {
        MOSRIG_TRY(const std::vector<TaskStat> tasks,
                   list_tasks(stage_.home(), stage_.soon("the list of processes")));
        std::set<std::int64_t> members{root_};
        for (bool grown = true; grown;) {
            grown = false;
            for (const TaskStat& task : tasks) {
                grown = (members.count(task.ppid) != 0 && members.insert(task.pid).second) || grown;
            }
        }
        return members;
    }

    Stage& stage_;
    std::int64_t root_;
    size_t turn_ = 0;
    std::map<std::int64_t, Unsettled> met_;
};

// Under each name that fits the pattern, of processes that were met often enough, some have moved.
void expect_each_moved(Stage& stage, const Unrest& unrest, const std::string& pattern) {
    constexpr int rounds_enough = 4;
    std::map<std::string, std::int64_t> moves;
    for (const auto& [pid, one] : unrest.met()) {
        if (::fnmatch(pattern.c_str(), one.name.c_str(), 0) == 0 && one.rounds >= rounds_enough) {
            moves[one.name] += one.moves;
        }
    }
    std::string still;
    for (const auto& [name, count] : moves) {
        still += count == 0 ? " " + name : "";
    }
    const std::string figures =
        moves.empty() ? "none was met often enough" : fmt::format("{} names", moves.size());
    stage.check(fmt::format("{} itself has moved", pattern), !moves.empty() && still.empty(),
                still.empty() ? figures : "not so:" + still);
}

// The moves so far of all processes of a node. Nothing but the case moves any, and what a process
// does between a look at it and its end counts as well.
Result<std::int64_t> count_moves(Stage& stage) {
    MOSRIG_TRY(const std::string text, stage.read_text(stage.home(), "/proc/hpc/stats"));
    const Migstat stats = parse_migstat(text);
    return stats.number("moves_out").value_or(0) + stats.number("moves_home").value_or(0);
}

// The processes that have come so far to each node that is not home.
Result<std::map<std::string, std::int64_t>> count_arrivals(Stage& stage) {
    std::map<std::string, std::int64_t> arrivals;
    for (Machine* machine : stage.machines()) {
        if (machine != &stage.home()) {
            MOSRIG_TRY(const std::string text, stage.read_text(*machine, "/proc/hpc/stats"));
            arrivals[machine->name()] = parse_migstat(text).number("moves_in").value_or(0);
        }
    }
    return arrivals;
}

// It was sent over all nodes, and not only to and fro between two.
Result<void> expect_arrivals(Stage& stage, const std::map<std::string, std::int64_t>& before) {
    MOSRIG_TRY(const auto after, count_arrivals(stage));
    for (const auto& [node, count] : after) {
        const std::int64_t came = count - before.at(node);
        stage.check(fmt::format("some have come to {}", node), came > 0, std::to_string(came));
    }
    return {};
}

Result<void> play_restless(Stage& stage, const Run& run, const Printed& still) {
    MOSRIG_TRY(const std::int64_t before, count_moves(stage));
    MOSRIG_TRY(const auto arrivals, count_arrivals(stage));
    MOSRIG_TRY(const std::unique_ptr<Program> program, start(stage, run));
    Unrest unrest(stage, program->pid());
    MOSRIG_TRY(const Printed moved, follow(*program, stage.deadline(end_of_program, run_time),
                                           round_time, [&unrest] { return unrest.round(); }));
    expect_same(stage, still, moved);
    MOSRIG_TRY(const std::int64_t after, count_moves(stage));
    const std::int64_t moves = after - before;
    const std::string figures =
        fmt::format("{} moves of {} processes in {:.1f} s, still {:.1f} s", moves,
                    unrest.processes(), moved.seconds, still.seconds);
    stage.result.message = figures;
    stage.result.nmigs = moves;
    stage.result.seen = moves > 0 ? Answer::moves : Answer::none;
    MOSRIG_CHECK(expect_arrivals(stage, arrivals));
    if (!run.each_moves.empty()) {
        expect_each_moved(stage, unrest, run.each_moves);
    }
    stage.check("there was a move at least each second",
                moves > 1 && static_cast<double>(moves) >= 0.8 * moved.seconds, figures);
    return {};
}

// One move at the beginning: after that no call of the process may bring it home.
Result<void> play_settled(Stage& stage, const Run& run, const Printed& still) {
    MOSRIG_TRY(const std::unique_ptr<Program> program, start(stage, run));
    MOSRIG_TRY(const std::int64_t pid,
               await_named(stage, program->pid(), run.stays_away,
                           stage.deadline("a process named " + run.stays_away, Millis(20000))));
    MOSRIG_TRY(ProcessState last, move_to(stage, pid, stage.guest().id(), 0, true));
    stage.result.seen = Answer::moves;
    show(stage.result, last);
    int looks = 0;
    const auto look = [&]() -> Result<void> {
        Result<ProcessState> now = read_process(stage.home(), pid, stage.soon("where it is"));
        // Between its last line and the end of its output it may be gone.
        if (now && now->stat.state != 'Z') {
            last = std::move(*now);
            ++looks;
        }
        return {};
    };
    MOSRIG_TRY(const Printed moved,
               follow(*program, stage.deadline(end_of_program, run_time), Millis(100), look));
    expect_same(stage, still, moved);
    stage.check("no call brought it home", last.where == stage.guest().id() && last.nmigs == 1,
                fmt::format("where {}, nmigs {}, home_reason {}", last.where, last.nmigs,
                            home_reason(last)));
    stage.check("it ran long enough to be looked at", looks >= 5,
                fmt::format("{} looks in {:.1f} s", looks, moved.seconds));
    return {};
}

}  // namespace

Result<void> play_program(Stage& stage, const Description& description) {
    for (const Run& run : description.runs) {
        MOSRIG_TRY(const std::unique_ptr<Program> program, start(stage, run));
        MOSRIG_TRY(const Printed still,
                   follow(*program, stage.deadline("the end of the still run", run_time)));
        if (still.lines.size() == 1 && still.lines.front().rfind("SKIP ", 0) == 0) {
            stage.judge.skip(still.lines.front().substr(5));
            return {};
        }
        MOSRIG_CHECK(run.stays_away.empty() ? play_restless(stage, run, still)
                                            : play_settled(stage, run, still));
    }
    return {};
}

}  // namespace mosrig
