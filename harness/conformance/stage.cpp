// SPDX-License-Identifier: MIT
#include "harness/conformance/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace mosrig {

Stage::Stage(Machines machines, MakeDeadline deadline, OnCheck on_check)
    : machines_(std::move(machines)),
      deadline_(std::move(deadline)),
      on_check_(std::move(on_check)) {}

Deadline Stage::soon(std::string name) const {
    return deadline(std::move(name), Millis(5000));
}

Result<std::string> Stage::read_text(Machine& machine, const std::string& path) const {
    MOSRIG_TRY(std::vector<Result<std::string>> texts,
               machine.read_files({path}, soon(fmt::format("{} of {}", path, machine.name()))));
    return std::move(texts.front());
}

Result<void> Stage::write_text(Machine& machine, const std::string& path, const std::string& text) {
    MOSRIG_TRY(const int error, machine.write_file(path, text, soon("a write to " + path), 0));
    return require(fmt::format("{} of {} can be written", path, machine.name()), error == 0,
                   errno_name(error));
}

bool Stage::check(std::string statement, bool ok, std::string detail) {
    judge.check(std::move(statement), ok, std::move(detail));
    on_check_(judge.checks().back());
    return ok;
}

Result<void> Stage::require(std::string statement, bool ok, std::string detail) {
    if (!check(std::move(statement), ok, std::move(detail))) {
        return tl::unexpected(Error{ErrorKind::aborted, "a check failed", {}, {}, 0});
    }
    return {};
}

tl::unexpected<Error> Stage::skip(const std::string& reason) {
    judge.skip(reason);
    return tl::unexpected(Error{ErrorKind::aborted, "skipped", {}, {}, 0});
}

std::vector<std::string> resolve_command(std::vector<std::string> command) {
    static const std::set<std::string> elsewhere = {"mosrun", "sh", "cat", "su"};
    if (elsewhere.count(command.front()) == 0) {
        command.front() = fmt::format("{}/{}", workload_folder, command.front());
    }
    return command;
}

std::vector<std::string> workload_environment() {
    return {fmt::format("PATH={}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        workload_folder)};
}

Result<int> count_bodies(Stage& stage, Machine& machine, std::int64_t pid) {
    MOSRIG_TRY(const std::vector<TaskStat> tasks,
               list_tasks(machine, stage.soon("the list of processes of " + machine.name())));
    // A body that has ended and waits to be reaped runs nothing.
    return static_cast<int>(
        std::count_if(tasks.begin(), tasks.end(), [name = body_name(pid)](const TaskStat& task) {
            return task.comm == name && task.state != 'Z' && task.state != 'X';
        }));
}

Result<int> await_bodies(Stage& stage, Machine& machine, std::int64_t pid, int expected,
                         const Deadline& deadline) {
    int bodies = -1;
    const Result<void> settled = wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(bodies, count_bodies(stage, machine, pid));
        return bodies == expected;
    });
    // A list that never came says nothing about the bodies.
    if (!settled && (settled.error().kind != ErrorKind::timeout || bodies < 0)) {
        return tl::unexpected(settled.error());
    }
    return bodies;
}

Result<void> await_asleep(Stage& stage, std::int64_t pid, const Deadline& deadline) {
    return wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
        return state.stat.state == 'S';
    });
}

Result<std::int64_t> await_named(Stage& stage, std::int64_t root, const std::string& name,
                                 const Deadline& deadline, bool in_front) {
    std::int64_t pid = 0;
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const std::vector<TaskStat> tasks, list_tasks(stage.home(), deadline));
        const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const TaskStat& task) {
            return task.comm == name && (task.pid == root || task.ppid == root) &&
                   (task.in_front || !in_front);
        });
        pid = found == tasks.end() ? 0 : found->pid;
        return pid != 0;
    }));
    return pid;
}

void show(CaseResult& result, const ProcessState& state) {
    result.lock = state.lock;
    result.cantmove = state.cantmove;
    result.where = state.where;
    result.nmigs = state.nmigs;
    result.migstat = state.migstat.values;
    if (state.nmigs > 0) {
        result.freeze_ns = state.migstat.freeze_ns();
        result.total_ns = state.migstat.total_ns();
    }
}

// How many nodes a case needs: as it says, or as its routes lead over.
static int nodes_of(const Description& description) {
    int most = description.nodes;
    for (const Run& run : description.runs) {
        for (const Phase& phase : run.phases) {
            for (const int node : phase.route) {
                most = std::max(most, node);
            }
        }
    }
    return most;
}

void play(Stage& stage, const Description& description) {
    CaseResult& result = stage.result;
    result.id = description.id;
    result.title = description.title;
    result.tier = description.tier;
    result.may_skip = description.may_skip;
    result.expected = description.decisive().manual.value_or(Answer::none);
    for (const Machine* machine : stage.machines()) {
        result.nodes.push_back(machine->name());
    }
    const Clock::time_point start = Clock::now();
    Result<void> played;
    const int wanted = nodes_of(description);
    if (stage.machines().size() < 2) {
        played = infra_error("a case needs two nodes", "mosrig up --nodes 2");
    } else if (static_cast<int>(stage.machines().size()) < wanted) {
        result.may_skip = fmt::format("it needs {} nodes", wanted);
        stage.judge.skip(result.may_skip);
    } else {
        static const std::map<Procedure, Result<void> (*)(Stage&, const Description&)> procedures =
            {{Procedure::phases, play_phases},
             {Procedure::stalled, play_stalled},
             {Procedure::existing, play_existing},
             {Procedure::kill, play_kill},
             {Procedure::script, play_script},
             {Procedure::program, play_program},
             {Procedure::round_trips, play_round_trips},
             {Procedure::requests, play_requests},
             {Procedure::emptying, play_emptying},
             {Procedure::strangers, play_strangers},
             {Procedure::transit, play_transit},
             {Procedure::failures, play_failures},
             {Procedure::deaf, play_deaf},
             {Procedure::disasters, play_disasters},
             {Procedure::bad_network, play_bad_network},
             {Procedure::soak, play_soak},
             {Procedure::out_of_memory, play_out_of_memory},
             {Procedure::balance, play_balance},
             {Procedure::tools, play_tools},
             {Procedure::session, play_session},
             {Procedure::daemon, play_daemon}};
        played = procedures.at(description.procedure)(stage, description);
        const bool looked = result.lock && result.where;
        if (played && stage.judge.verdict() == Verdict::pass && !looked) {
            stage.check("its lock and its place were looked at", false);
        }
    }
    if (!played && played.error().kind != ErrorKind::aborted) {
        stage.judge.trouble(played.error());
    }
    result.duration_s = std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace mosrig
