// SPDX-License-Identifier: MIT
//
// Very many moves: afterwards memory, slab, sockets and processes of all nodes are where they were.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>

#include "harness/conformance/printed.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis all_time(600000);

struct Footprint {
    std::int64_t free_kib = 0;
    std::int64_t slab_kib = 0;
    std::int64_t sockets = 0;
    std::int64_t processes = 0;
};

// Free pages that the CPUs keep at hand, which MemFree leaves out: after a burst there are many.
std::int64_t stocked_kib(const std::string& zones) {
    const std::string word = "count:";
    std::int64_t pages = 0;
    for (size_t at = zones.find(word); at != std::string::npos; at = zones.find(word, at + 1)) {
        pages += std::strtoll(zones.c_str() + at + word.size(), nullptr, 10);
    }
    constexpr std::int64_t page_kib = 4;
    return pages * page_kib;
}

Result<Footprint> measure(Stage& stage, Machine& machine) {
    const Deadline deadline = stage.deadline("the footprint of " + machine.name(), Millis(20000));
    // What the node keeps only because nobody needs the room is not counted.
    MOSRIG_CHECK(machine.write_file("/proc/sys/vm/drop_caches", "3", deadline, 0));
    MOSRIG_TRY(
        const std::vector<Result<std::string>> files,
        machine.read_files({"/proc/meminfo", "/proc/net/sockstat", "/proc/zoneinfo"}, deadline));
    MOSRIG_TRY(const std::string memory, files.at(0));
    MOSRIG_TRY(const std::string sockets, files.at(1));
    MOSRIG_TRY(const std::string zones, files.at(2));
    MOSRIG_TRY(const std::vector<TaskStat> tasks, list_tasks(machine, deadline));
    Footprint print;
    print.free_kib = number_after(memory, "MemFree:") + stocked_kib(zones);
    print.slab_kib = number_after(memory, "SUnreclaim:");
    print.sockets = number_after(sockets, "sockets: used");
    print.processes = static_cast<std::int64_t>(
        std::count_if(tasks.begin(), tasks.end(),
                      // Workers of the kernel come and go as it likes.
                      [](const TaskStat& task) { return task.ppid != 2 && task.pid != 2; }));
    return print;
}

using Footprints = std::map<std::string, Footprint>;

Result<Footprints> measure_all(Stage& stage) {
    Footprints prints;
    for (Machine* machine : stage.machines()) {
        MOSRIG_TRY(prints[machine->name()], measure(stage, *machine));
    }
    return prints;
}

// What a node has more of than before, and must not, in words.
std::string leaks(const Footprint& before, const Footprint& now) {
    // Caches of the kernel breathe by this much.
    constexpr std::int64_t memory_slack_kib = 4096;
    constexpr std::int64_t slab_slack_kib = 1024;
    std::string text;
    if (now.processes > before.processes) {
        text += fmt::format("{} processes more ", now.processes - before.processes);
    }
    if (now.sockets > before.sockets) {
        text += fmt::format("{} sockets more ", now.sockets - before.sockets);
    }
    if (now.slab_kib > before.slab_kib + slab_slack_kib) {
        text += fmt::format("{} KiB of slab more ", now.slab_kib - before.slab_kib);
    }
    if (now.free_kib < before.free_kib - memory_slack_kib) {
        text += fmt::format("{} KiB of memory less ", before.free_kib - now.free_kib);
    }
    return text;
}

std::string figures(const Footprint& before, const Footprint& now) {
    return fmt::format("free {} -> {} KiB, slab {} -> {} KiB, sockets {} -> {}, processes {} -> {}",
                       before.free_kib, now.free_kib, before.slab_kib, now.slab_kib, before.sockets,
                       now.sockets, before.processes, now.processes);
}

Result<void> expect_nothing_left(Stage& stage, const Footprints& before) {
    for (Machine* machine : stage.machines()) {
        const Footprint& was = before.at(machine->name());
        Footprint now;
        // Links are made anew, and what RCU and sockets put off is done in its own time.
        MOSRIG_CHECK(comes_true(
            stage.deadline("the end of all of it on " + machine->name(), Millis(30000)),
            [&]() -> Result<bool> {
                MOSRIG_TRY(now, measure(stage, *machine));
                return leaks(was, now).empty();
            },
            Millis(500)));
        stage.check(
            fmt::format("{} is where it was: memory, slab, sockets, processes", machine->name()),
            leaks(was, now).empty(), leaks(was, now) + figures(was, now));
    }
    return {};
}

// With many on their way no link may be free for a moment: then it is asked again.
Result<void> ask(Stage& stage, std::int64_t pid, int node, const Deadline& deadline) {
    MoveAnswer answer;
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(answer, request_by_file(stage.home(), pid, node, 0, deadline));
        return answer.seen == Answer::moves || answer.errno_name != "EAGAIN";
    }));
    if (answer.seen != Answer::moves) {
        return stage.require("each request is accepted", false, answer.errno_name);
    }
    return {};
}

Result<void> arrive(Stage& stage, std::int64_t pid, int node, const Deadline& deadline) {
    for (;;) {
        const Result<ProcessState> there = await_place(stage.home(), pid, node, deadline);
        if (there) {
            return {};
        }
        if (there.error().sys_errno != EAGAIN) {
            return tl::unexpected(there.error());
        }
        MOSRIG_CHECK(ask(stage, pid, node, deadline));
    }
}

// All of them out and home once, asked for all together.
Result<void> round(Stage& stage, const std::vector<Subject>& subjects, const Deadline& deadline) {
    const Machines& machines = stage.machines();
    for (const bool out : {true, false}) {
        const auto target = [&](size_t which) {
            return out ? machines[1 + which % (machines.size() - 1)]->id() : 0;
        };
        for (size_t which = 0; which < subjects.size(); ++which) {
            MOSRIG_CHECK(ask(stage, subjects[which].pid(), target(which), deadline));
        }
        for (size_t which = 0; which < subjects.size(); ++which) {
            MOSRIG_CHECK(arrive(stage, subjects[which].pid(), target(which), deadline));
        }
    }
    return {};
}

Result<void> soak_once(Stage& stage, const Run& run, int copies, int times) {
    const Deadline deadline = stage.deadline(fmt::format("{} moves", 2 * copies * times), all_time);
    std::vector<Subject> subjects;
    for (int copy = 0; copy < copies; ++copy) {
        MOSRIG_TRY(Subject subject, start_subject(stage, run));
        subjects.push_back(std::move(subject));
    }
    for (int turn = 0; turn < times; ++turn) {
        MOSRIG_CHECK(round(stage, subjects, deadline));
        // Now and then, so that somebody who watches sees it go on, too.
        if ((turn + 1) * copies % 50 < copies) {
            MOSRIG_CHECK(expect_intact(stage, subjects.front(),
                                       fmt::format("after {} moves", 2 * (turn + 1))));
        }
    }
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subjects.front().pid(), deadline));
    stage.result.seen = Answer::moves;
    show(stage.result, state);
    stage.check("each move was made", state.nmigs == 2L * times, std::to_string(state.nmigs));
    int intact = 0;
    for (Subject& subject : subjects) {
        MOSRIG_TRY(const std::string answer, subject.ask("VERIFY", deadline));
        intact += answer == "OK" ? 1 : 0;
        MOSRIG_TRY(const int status, subject.finish(deadline));
        intact -= status == 0 ? 0 : 1;
    }
    stage.check("the data of all are intact, and all end well", intact == copies,
                fmt::format("{} of {}", intact, copies));
    return {};
}

}  // namespace

Result<void> play_soak(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    // Once for what a first time leaves in every cache of a kernel.
    MOSRIG_CHECK(soak_once(stage, run, run.copies, 1));
    MOSRIG_TRY(const Footprints before, measure_all(stage));
    MOSRIG_CHECK(soak_once(stage, run, run.copies, run.phases.front().times));
    return expect_nothing_left(stage, before);
}

}  // namespace mosrig
