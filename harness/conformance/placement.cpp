// SPDX-License-Identifier: MIT
#include "harness/conformance/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mosrig {

bool Placement::even(size_t nodes) const {
    int most = 0;
    int least = on_node.size() < nodes ? 0 : on_node.begin()->second;
    for (const auto& [node, count] : on_node) {
        most = std::max(most, count);
        least = std::min(least, count);
    }
    return most - least <= 1;
}

bool Placement::is(const std::vector<int>& counts, const Machines& machines) const {
    for (size_t place = 0; place < machines.size(); ++place) {
        const auto found = on_node.find(machines[place]->id());
        const int here = found == on_node.end() ? 0 : found->second;
        if (here != (place < counts.size() ? counts[place] : 0)) {
            return false;
        }
    }
    return true;
}

std::string Placement::words() const {
    std::string text;
    for (const auto& [node, count] : on_node) {
        text += fmt::format("{} on node{}, ", count, node);
    }
    return text + fmt::format("{} moves", moves);
}

Result<Placement> look(Stage& stage, const Crew& crew) {
    Placement placement;
    for (const Watched& one : crew) {
        MOSRIG_TRY(const ProcessState state,
                   read_process(stage.home(), one.pid, stage.soon("where it is")));
        ++placement.on_node[state.where == 0 ? stage.home().id() : state.where];
        placement.moves += state.nmigs;
    }
    return placement;
}

static Result<Watched> start_one(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    Watched one{std::move(subject), 0};
    one.pid = one.subject.pid();
    if (!run.phases.empty() && !run.phases.front().send.empty()) {
        MOSRIG_CHECK(send_word(stage, one.subject, run.phases.front().send, spreading_time));
        MOSRIG_TRY(one.pid, find_pid(stage, one.subject, run.phases.front()));
    }
    return one;
}

Result<Crew> start_copies(Stage& stage, const Run& run, int copies,
                          const std::function<Result<void>()>& between) {
    Crew crew;
    for (int copy = 0; copy < copies; ++copy) {
        if (between) {
            MOSRIG_CHECK(between());
        }
        MOSRIG_TRY(Watched one, start_one(stage, run));
        crew.push_back(std::move(one));
    }
    if (between) {
        MOSRIG_CHECK(between());
    }
    return crew;
}

Run run_of(std::vector<std::string> command) {
    Run run;
    run.command = std::move(command);
    return run;
}

Result<Placement> await_leaving(Stage& stage, const Crew& crew) {
    Placement placement;
    MOSRIG_CHECK(comes_true(
        stage.deadline("a process that leaves", spreading_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(placement, look(stage, crew));
            return placement.moves > 0;
        },
        Millis(100)));
    return placement;
}

Result<void> expect_rest(Stage& stage, const Crew& crew, Millis time, const std::string& who) {
    MOSRIG_TRY(const Placement before, look(stage, crew));
    Placement now = before;
    MOSRIG_TRY(const bool moved, comes_true(
                                     Deadline("a move that must not be", time),
                                     [&]() -> Result<bool> {
                                         MOSRIG_TRY(now, look(stage, crew));
                                         return now.moves != before.moves;
                                     },
                                     time / 20));
    stage.check(fmt::format("{} for {} s", who, time.count() / 1000), !moved, now.words());
    return {};
}

Result<void> finish_all(Stage& stage, Crew& crew) {
    for (Watched& one : crew) {
        MOSRIG_CHECK(expect_intact(stage, one.subject, "after all that"));
        MOSRIG_TRY(const int status,
                   one.subject.finish(stage.deadline("the end of a program", Millis(60000))));
        stage.check("it ends with status 0", status == 0, std::to_string(status));
    }
    return {};
}

}  // namespace mosrig
