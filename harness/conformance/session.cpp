// SPDX-License-Identifier: MIT
//
// Somebody works at a terminal of the home node, over ssh: once with nothing moved, once with the
// programs asked to move again and again. Both times each step has to show the same screen.
#include <fmt/format.h>

#include <regex>
#include <utility>

#include "harness/conformance/stage.h"
#include "harness/conformance/wording.h"

namespace mosrig {

namespace {

constexpr Millis step_time(20000);
constexpr TerminalSize usual_size{24, 80};

// Keys on one line, for a reader.
std::string readable(const std::string& keys) {
    std::string line;
    for (const char key : keys) {
        line += static_cast<unsigned char>(key) < ' '
                    ? fmt::format("^{}", static_cast<char>(key + '@'))
                    : std::string(1, key);
    }
    return line;
}

class Session {
  public:
    // Logs in, and gives the shell a prompt that every step can end with. Who is to move first has
    // to be as the phase says before that.
    static Result<Session> begin(Stage& stage, const Phase& phase);

    // Takes a step, and waits until the screen is as that says. Its program moves if `moving`.
    Result<void> take(const Step& step, bool moving);
    // What the screen shows, with '#' for the numbers, which differ from session to session.
    [[nodiscard]] std::string screen() const { return mask_digits(terminal_->text()); }
    // Records whether the screen comes to show that.
    Result<void> expect(const std::string& wanted, const Step& step);
    Result<void> end();

    [[nodiscard]] std::int64_t moves() const { return moves_; }

  private:
    Session(Stage& stage, const Phase& phase, std::unique_ptr<Terminal> terminal)
        : stage_(stage), phase_(phase), terminal_(std::move(terminal)) {}

    Result<void> type(const std::string& keys) {
        return terminal_->type(keys, stage_.soon("room for keys"));
    }
    Result<void> await(const std::string& pattern, std::string name) {
        return terminal_->await([&](const std::string& text) { return says(text, pattern); },
                                stage_.deadline(std::move(name), step_time));
    }
    // The shell, or a child of it; once it has the terminal, if it must.
    Result<std::int64_t> find(const std::string& program, bool in_front = false) {
        return await_named(stage_, shell_, program, stage_.soon(program + " in the session"),
                           in_front);
    }
    // The window of a program that has come home says nothing of one that is away.
    Result<void> expect_away(const std::string& program, std::int64_t pid);
    // Asks for a move to the next node, types the key, and waits until the program is there.
    Result<void> move_at_key(const std::string& program, const std::string& key);

    Stage& stage_;
    const Phase& phase_;
    std::unique_ptr<Terminal> terminal_;
    std::int64_t shell_ = 0;
    std::size_t turn_ = 0;
    std::int64_t moves_ = 0;
};

Result<Session> Session::begin(Stage& stage, const Phase& phase) {
    MOSRIG_TRY(auto terminal,
               stage.home().open_terminal(usual_size, stage.soon("a terminal, over ssh")));
    Session session(stage, phase, std::move(terminal));
    MOSRIG_CHECK(session.await("[#$]$", "the prompt of a login"));
    MOSRIG_CHECK(session.type("unset HISTFILE; PS1='% '; echo shell $$\r"));
    const std::string told = "^shell (\\d+)\n%$";
    MOSRIG_CHECK(session.await(told, "the shell's number"));
    const std::string text = session.terminal_->text();
    std::smatch match;
    std::regex_search(text, match, std::regex(told, std::regex::multiline));
    session.shell_ = std::stoll(match[1]);
    return session;
}

Result<void> Session::move_at_key(const std::string& program, const std::string& key) {
    MOSRIG_TRY(const std::int64_t pid, find(program));
    MOSRIG_TRY(const ProcessState before,
               moves_ == 0 ? expect_before_request(stage_, pid, phase_)
                           : read_process(stage_.home(), pid, stage_.soon("where it is")));
    const Machines& machines = stage_.machines();
    int target = before.where;
    while (target == before.where) {
        const Machine& next = *machines[++turn_ % machines.size()];
        target = &next == &stage_.home() ? 0 : next.id();
    }
    MOSRIG_TRY(const MoveAnswer answer,
               request_by_file(stage_.home(), pid, target, 0, stage_.soon("a request")));
    MOSRIG_CHECK(stage_.require(fmt::format("{} may move to {}", program, target),
                                answer.seen == Answer::moves, answer.message));
    MOSRIG_CHECK(type(key));
    MOSRIG_TRY(
        const ProcessState after,
        await_place(stage_.home(), pid, target,
                    stage_.deadline(fmt::format("{} to be at {}", program, target), step_time)));
    stage_.check(fmt::format("{} is at {} with the key {}", program, target, readable(key)),
                 after.where == target,
                 fmt::format("where {}, home_reason {}", after.where, home_reason(after)));
    if (moves_++ == 0) {
        stage_.result.seen = Answer::moves;
        show(stage_.result, after);
    }
    return {};
}

Result<void> Session::expect_away(const std::string& program, std::int64_t pid) {
    MOSRIG_TRY(const ProcessState state,
               read_process(stage_.home(), pid, stage_.soon("where it is")));
    stage_.check(fmt::format("{} is away as its window changes", program), state.where != 0,
                 fmt::format("where {}, home_reason {}", state.where, home_reason(state)));
    return {};
}

Result<void> Session::take(const Step& step, bool moving) {
    std::string keys = step.keys;
    std::int64_t front = 0;
    if (!step.front.empty()) {
        MOSRIG_TRY(front, find(step.front, true));
    }
    if (step.size) {
        // Told between its last look for that and its sleep, it would miss it.
        MOSRIG_CHECK(await_asleep(stage_, front, stage_.soon("who is in front to wait for keys")));
        if (moving) {
            MOSRIG_CHECK(expect_away(step.front, front));
        }
        MOSRIG_CHECK(terminal_->resize(*step.size));
    }
    if (moving && !step.moves.empty()) {
        MOSRIG_CHECK(move_at_key(step.moves, keys.substr(0, 1)));
        keys.erase(0, 1);
    }
    MOSRIG_CHECK(type(keys));
    return await(step.shows, fmt::format("'{}' after '{}'", step.shows, readable(step.keys)));
}

Result<void> Session::expect(const std::string& wanted, const Step& step) {
    const Result<void> same = terminal_->await(
        [&](const std::string& text) { return mask_digits(text) == wanted; },
        stage_.deadline("the screen of a still session, which is\n" + wanted, step_time));
    stage_.check(
        fmt::format("the screen after '{}' is that of a still session", readable(step.keys)),
        same.has_value(), same ? "" : same.error().what);
    return {};
}

Result<void> Session::end() {
    MOSRIG_CHECK(type("exit\r"));
    return terminal_->await_end(stage_.deadline("the end of the session", step_time));
}

}  // namespace

Result<void> play_session(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    MOSRIG_CHECK(need_programs(stage, run.needs));
    MOSRIG_TRY(Session still, Session::begin(stage, run.phases.front()));
    std::vector<std::string> screens;
    for (const Step& step : run.steps) {
        MOSRIG_CHECK(still.take(step, false));
        screens.push_back(still.screen());
    }
    MOSRIG_CHECK(still.end());

    MOSRIG_TRY(Session moved, Session::begin(stage, run.phases.front()));
    for (std::size_t at = 0; at < screens.size(); ++at) {
        MOSRIG_CHECK(moved.take(run.steps[at], true));
        MOSRIG_CHECK(moved.expect(screens[at], run.steps[at]));
    }
    MOSRIG_CHECK(moved.end());
    stage.result.message = fmt::format("{} steps, {} moves", screens.size(), moved.moves());
    stage.result.nmigs = moved.moves();
    return {};
}

}  // namespace mosrig
