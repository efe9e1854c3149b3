// SPDX-License-Identifier: MIT
//
// One process, there and back: what is asserted before, while it is away, and afterwards.
#include <fmt/format.h>

#include <algorithm>

#include "harness/conformance/stage.h"
#include "harness/conformance/wording.h"

namespace mosrig {

namespace {

// A move of 256 MiB under emulation takes its time; the deadline is for what hangs.
constexpr Millis move_time(30000);
constexpr Millis verify_time(10000);
// What a program is asked to do away may take as long as a timer runs.
constexpr Millis away_time(60000);

void check_timings(Stage& stage, const Migstat& migstat) {
    std::int64_t last = 1;
    bool ordered = true;
    std::string seen;
    for (const char* name :
         {"requested_ns", "prepared_ns", "frozen_ns", "resumed_ns", "released_ns"}) {
        const std::int64_t value = migstat.number(name).value_or(0);
        ordered = ordered && value >= last;
        last = value;
        seen += fmt::format("{} {} ", name, value);
    }
    stage.check("migstat's times are there and in order", ordered, ordered ? "" : seen);
    stage.check("freeze and total of the move are known",
                migstat.freeze_ns().has_value() && migstat.total_ns().has_value());
}

// Counts how much of the time between looks the process was away. Between two looks with one and
// the same number of moves it cannot have left.
class AwayClock {
  public:
    AwayClock(int node, const ProcessState& first)
        : node_(node), moves_(first.nmigs), last_(Clock::now()) {}

    void look(const ProcessState& state) {
        const Clock::time_point now = Clock::now();
        all_ += now - last_;
        if (state.where == node_ && state.nmigs == moves_) {
            away_ += now - last_;
        }
        last_ = now;
    }
    [[nodiscard]] bool nearly_always() const { return away_ > 0.9 * all_; }
    [[nodiscard]] std::string figures() const {
        return fmt::format("{:.2f} of {:.2f} s", away_.count(), all_.count());
    }

  private:
    int node_;
    std::int64_t moves_;
    Clock::time_point last_;
    std::chrono::duration<double> all_{0};
    std::chrono::duration<double> away_{0};
};

// It was told to end, and somebody else has answered for it: nothing is left of it anywhere.
Result<void> expect_gone(Stage& stage, std::int64_t pid) {
    const Result<ProcessState> state =
        read_process(stage.home(), pid, stage.soon("the process that has ended"));
    if (!state && state.error().sys_errno == 0) {
        return tl::unexpected(state.error());
    }
    stage.check("the process is gone", !state, state ? std::string(1, state->stat.state) : "");
    for (Machine* machine : stage.machines()) {
        MOSRIG_TRY(const int bodies,
                   await_bodies(stage, *machine, pid, 0,
                                stage.soon("the end of bodies on " + machine->name())));
        stage.check(fmt::format("no body of it is left on {}", machine->name()), bodies == 0,
                    std::to_string(bodies));
    }
    return {};
}

// All memory of the body there goes to swap.
Result<void> page_out(Stage& stage, std::int64_t pid) {
    const Deadline deadline = stage.deadline("the body's memory in swap", verify_time);
    MOSRIG_TRY(const std::int64_t body, find_body(stage, stage.guest(), pid));
    MOSRIG_TRY(const CommandResult result,
               stage.guest().run(resolve_command({"pageout", std::to_string(body)}), deadline, 0));
    if (result.status == status_skips) {
        return stage.skip("the other node has no swap");
    }
    return stage.require("the body's memory is paged out", result.status == 0,
                         result.out + result.err);
}

// On from one node to the next, as the phase says, and what it is asked there.
Result<ProcessState> go_on(Stage& stage, Subject& subject, std::int64_t pid, const Phase& phase,
                           ProcessState state) {
    for (const int node : phase.route) {
        MOSRIG_TRY(state,
                   move_on(stage, pid, node, phase.user, state.nmigs, phase.ends == Ends::any));
        for (const std::string& word : phase.onward) {
            MOSRIG_CHECK(send_word(stage, subject, word, away_time));
        }
        MOSRIG_CHECK(expect_intact(stage, subject, fmt::format("on node {}", node)));
    }
    return state;
}

Result<std::string> ask_identity(Stage& stage, Subject& subject) {
    return subject.ask("IDENTITY", stage.deadline("IDENTITY", verify_time));
}

// What the process is asked away, each answer looked at; its identity as it was at home, if that is
// to be compared.
Result<ProcessState> use_away(Stage& stage, Subject& subject, std::int64_t pid, const Phase& phase,
                              const ProcessState& arrived, const std::string& identity) {
    AwayClock clock(stage.guest().id(), arrived);
    ProcessState state = arrived;
    const auto look = [&]() -> Result<void> {
        MOSRIG_TRY(state, read_process(stage.home(), pid, stage.soon("the process's state")));
        clock.look(state);
        return {};
    };
    for (const std::string& word : phase.away) {
        MOSRIG_TRY(const std::string answer,
                   subject.ask(word, stage.deadline("an answer to " + word, away_time)));
        MOSRIG_CHECK(stage.require(fmt::format("{} is done away", word),
                                   answer == "OK" || answer == "READY", answer));
        if (phase.ends != Ends::gone) {
            MOSRIG_CHECK(look());
        }
    }
    if (phase.ends == Ends::gone) {
        MOSRIG_CHECK(expect_gone(stage, pid));
        return state;
    }
    MOSRIG_CHECK(expect_intact(stage, subject, "away"));
    if (!identity.empty()) {
        MOSRIG_TRY(const std::string line, ask_identity(stage, subject));
        stage.check("pid, ppid, uid, cwd, hostname and environment are the same away",
                    line == identity, line);
    }
    MOSRIG_CHECK(look());
    const std::string seen =
        fmt::format("where is {}, home_reason {}", state.where, home_reason(state));
    switch (phase.ends) {
        case Ends::away:
            stage.check("it answered from away", state.where == stage.guest().id(), seen);
            stage.check("it was away for over 90 % of the time until it is called home",
                        clock.nearly_always(), clock.figures());
            break;
        case Ends::home:
            stage.check("it came home by itself", state.where == 0, seen);
            stage.check(fmt::format("cantmove is now {}", join_words(phase.cantmove_home)),
                        state.cantmove == phase.cantmove_home, join_words(state.cantmove));
            stage.check(phase.home_reason.empty()
                            ? "migstat says what brought it home"
                            : fmt::format("what brought it home is {}", phase.home_reason),
                        home_reason(state).rfind(phase.home_reason, 0) == 0 &&
                            home_reason(state) != "none" && home_reason(state) != "request",
                        seen);
            break;
        case Ends::gone:
        case Ends::any:
            break;
    }
    return state;
}

}  // namespace

Result<void> move_out_and_home(Stage& stage, Subject& subject, std::int64_t pid, const Phase& phase,
                               bool first, bool shown) {
    const int guest = stage.guest().id();
    MOSRIG_TRY(const ProcessState before,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    const bool may_come_back = phase.ends == Ends::any || phase.ends == Ends::home;
    std::string identity;
    if (first && phase.ends == Ends::away) {
        MOSRIG_TRY(identity, ask_identity(stage, subject));
    }
    MOSRIG_TRY(const ProcessState away,
               move_to(stage, pid, guest, phase.user, true, may_come_back));
    // On its way home already, half of the times are of that way.
    const bool leaving_again = may_come_back && away.migstat.text("state") == "returning";
    if (first && !leaving_again) {
        check_timings(stage, away.migstat);
    }
    if (first && shown) {
        stage.result.seen = Answer::moves;
        show(stage.result, away);
    }
    // One that has come home again already, be it between two looks, has moved twice.
    const std::int64_t out = before.nmigs + 1;
    stage.check("nmigs counts the move out",
                away.nmigs == out || (may_come_back && away.nmigs == out + 1),
                std::to_string(away.nmigs));
    stage.check(fmt::format("lock is {} while away", phase.lock), away.lock == phase.lock,
                std::to_string(away.lock));
    stage.check("cantmove is as before while away", away.cantmove == before.cantmove,
                join_words(away.cantmove));
    stage.check("at home it is the same process: name, parent, user",
                away.stat.comm == before.stat.comm && away.stat.ppid == before.stat.ppid &&
                    away.uids == before.uids,
                fmt::format("{} {} {}", away.stat.comm, away.stat.ppid, away.uids));
    if (phase.pageout) {
        // What it writes here is nowhere else once it has been paged out.
        MOSRIG_CHECK(expect_intact(stage, subject, "away, before its memory is paged out"));
        MOSRIG_CHECK(page_out(stage, pid));
    }
    MOSRIG_CHECK(use_away(stage, subject, pid, phase, away, identity));
    MOSRIG_TRY(const ProcessState last, go_on(stage, subject, pid, phase, away));
    if (phase.ends == Ends::gone) {
        return expect_intact(stage, subject, "after its end");
    }
    MOSRIG_TRY(const ProcessState home, move_to(stage, pid, 0, phase.user, false));
    stage.check("nmigs counts the way home",
                home.nmigs == (phase.route.empty() ? out : last.nmigs) + 1,
                std::to_string(home.nmigs));
    stage.check(fmt::format("lock is {} after coming home", phase.lock), home.lock == phase.lock,
                std::to_string(home.lock));
    return expect_intact(stage, subject, "home again");
}

Result<void> expect_explanation(Stage& stage, std::int64_t pid, const Phase& phase) {
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    MOSRIG_TRY(const CommandResult said,
               stage.home().run({"moswhy", std::to_string(pid)},
                                stage.deadline("moswhy", Millis(5000)), 0));
    stage.result.moswhy = said.out;
    const bool named =
        std::all_of(phase.cantmove.begin(), phase.cantmove.end(), [&said](const std::string& word) {
            return said.out.find(fmt::format("({})", word)) != std::string::npos;
        });
    stage.check("moswhy explains each reason", said.ok() && named, said.out + said.err);
    for (const std::string& pattern : phase.moswhy) {
        const std::string wanted =
            with_number(with_number(pattern, "PARENT", state.stat.ppid), "PID", pid);
        stage.check(fmt::format("moswhy says '{}'", pattern), says(unwrapped(said.out), wanted),
                    said.out + said.err);
    }
    return {};
}

Result<ProcessState> expect_before_request(Stage& stage, std::int64_t pid, const Phase& phase) {
    ProcessState state;
    // The kernel takes some things down (a ring, a context) a moment after they were let go.
    const Deadline settling = stage.deadline("cantmove", Millis(phase.send.empty() ? 0 : 1000));
    MOSRIG_CHECK(comes_true(settling, [&]() -> Result<bool> {
        MOSRIG_TRY(state, read_process(stage.home(), pid, stage.soon("the process's state")));
        return state.cantmove == phase.cantmove;
    }));
    stage.check(fmt::format("cantmove is {} before any request", join_words(phase.cantmove)),
                state.cantmove == phase.cantmove, join_words(state.cantmove));
    stage.check(fmt::format("lock is {}", phase.lock), state.lock == phase.lock,
                std::to_string(state.lock));
    stage.check("it is at home", state.where == 0, std::to_string(state.where));
    if (phase.parent_lock) {
        MOSRIG_TRY(const ProcessState parent,
                   read_process(stage.home(), state.stat.ppid, stage.soon("the parent's state")));
        stage.check(fmt::format("the parent's lock is {}", *phase.parent_lock),
                    parent.lock == *phase.parent_lock, std::to_string(parent.lock));
    }
    return state;
}

Result<void> expect_refusal(Stage& stage, std::int64_t pid, const Phase& phase) {
    const int guest = stage.guest().id();
    MOSRIG_TRY(const ProcessState before,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    MOSRIG_TRY(const MoveAnswer tool, request_by_tool(stage.home(), pid, guest, phase.user,
                                                      stage.deadline("migrate", Millis(5000))));
    stage.result.seen = tool.seen;
    stage.result.errno_name = tool.errno_name;
    stage.result.message = tool.message;
    stage.check(fmt::format("migrate is refused with {}", phase.errno_name),
                tool.seen == Answer::refused && tool.errno_name == phase.errno_name, tool.message);
    if (phase.errno_name == "EBUSY") {
        const bool named = std::all_of(phase.cantmove.begin(), phase.cantmove.end(),
                                       [&tool](const std::string& word) {
                                           return tool.message.find(word) != std::string::npos;
                                       });
        stage.check("migrate's message names the reason", named, tool.message);
        MOSRIG_CHECK(expect_explanation(stage, pid, phase));
    }
    MOSRIG_TRY(const MoveAnswer file, request_by_file(stage.home(), pid, guest, phase.user,
                                                      stage.soon("a write to goto")));
    stage.check(fmt::format("a write to goto gives {}", phase.errno_name),
                file.seen == Answer::refused && file.errno_name == phase.errno_name,
                file.errno_name);
    MOSRIG_TRY(const ProcessState after,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    stage.check(
        "it stayed at home and nothing is pending",
        after.where == 0 && after.pending == 0 && after.nmigs == before.nmigs,
        fmt::format("where {}, goto {}, nmigs {}", after.where, after.pending, after.nmigs));
    stage.check("lock and cantmove are as before",
                after.lock == before.lock && after.cantmove == before.cantmove,
                fmt::format("{}, {}", after.lock, join_words(after.cantmove)));
    return {};
}

Result<ProcessState> move_to(Stage& stage, std::int64_t pid, int node, int user, bool by_tool,
                             bool may_come_back) {
    const std::string target = node == 0 ? "home" : fmt::format("node {}", node);
    const Deadline deadline = stage.deadline("the move to " + target, move_time);
    Result<MoveAnswer> answer = by_tool ? request_by_tool(stage.home(), pid, node, user, deadline)
                                        : request_by_file(stage.home(), pid, node, user, deadline);
    if (!answer) {
        return tl::unexpected(answer.error());
    }
    MOSRIG_CHECK(stage.require(fmt::format("it may move to {}", target),
                               answer->seen == Answer::moves,
                               answer->errno_name + " " + answer->message));
    MOSRIG_TRY(ProcessState state, await_place(stage.home(), pid, node, deadline));
    MOSRIG_CHECK(
        stage.require("it stays where it was moved to", state.where == node || may_come_back,
                      fmt::format("where {}, home_reason {}", state.where, home_reason(state))));
    // One that comes home for its calls may be anywhere by the time that all nodes are looked at.
    if (may_come_back) {
        return state;
    }
    for (Machine* machine : stage.machines()) {
        const int expected = node != 0 && machine->id() == node ? 1 : 0;
        // The body ends a moment after home said that all has come home.
        MOSRIG_TRY(const int bodies, await_bodies(stage, *machine, pid, expected,
                                                  stage.soon("the bodies on " + machine->name())));
        if (bodies != expected || expected == 1) {
            stage.check(
                fmt::format("exactly one copy lives: {} has {} of it", machine->name(), expected),
                bodies == expected, std::to_string(bodies));
        }
    }
    return state;
}

Result<ProcessState> move_on(Stage& stage, std::int64_t pid, int node, int user, std::int64_t moves,
                             bool may_be_home) {
    MOSRIG_TRY(const MoveAnswer answer,
               request_by_file(stage.home(), pid, node, user, stage.soon("a request")));
    MOSRIG_CHECK(stage.require(fmt::format("it may go on to node {}", node),
                               answer.seen == Answer::moves, answer.errno_name));
    ProcessState state;
    bool seen_at_home = false;
    MOSRIG_CHECK(wait_until(
        stage.deadline(fmt::format("the move on to node {}", node), move_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(state, read_process(stage.home(), pid, stage.soon("where it is")));
            seen_at_home = seen_at_home || state.where == 0;
            return state.where == node;
        },
        Millis(1)));
    const std::int64_t taken = state.nmigs - moves;
    if (may_be_home) {
        stage.check("that is one move, or two by way of home",
                    taken == 2 || (taken == 1 && !seen_at_home), std::to_string(taken));
    } else {
        stage.check("on the way from node to node it is never at home", !seen_at_home);
        stage.check("that is one move", taken == 1, std::to_string(taken));
    }
    return move_to(stage, pid, node, user, false);
}

Result<void> expect_intact(Stage& stage, Subject& subject, const std::string& when) {
    MOSRIG_TRY(const std::string answer,
               subject.ask("VERIFY", stage.deadline("VERIFY, " + when, verify_time)));
    return stage.require(fmt::format("its data are intact, {}", when), answer == "OK", answer);
}

}  // namespace mosrig
