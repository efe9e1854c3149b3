// SPDX-License-Identifier: MIT
//
// What a node's administrator does in /proc/hpc: nobody may come, all guests go, all own processes
// come; and what the files there say.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>

#include "harness/conformance/fault_point.h"
#include "harness/conformance/node_status.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis emptying_time(30000);
constexpr int some_user = 1000;

std::string admin(const std::string& name) {
    return "/proc/hpc/admin/" + name;
}

Result<std::string> read_line(Stage& stage, Machine& machine, const std::string& path) {
    MOSRIG_TRY(std::string line, stage.read_text(machine, path));
    if (!line.empty() && line.back() == '\n') {
        line.pop_back();
    }
    return line;
}

Result<void> expect_file(Stage& stage, Machine& machine, const std::string& path,
                         const std::string& content) {
    MOSRIG_TRY(const std::string seen, read_line(stage, machine, path));
    stage.check(fmt::format("{} of {} is '{}'", path, machine.name(), content), seen == content,
                seen);
    return {};
}

Result<void> write_admin(Stage& stage, Machine& machine, const std::string& name,
                         const std::string& text, int error = 0, int user = 0) {
    const Deadline deadline = stage.deadline("a write to " + name, emptying_time);
    MOSRIG_TRY(const int seen, machine.write_file(admin(name), text, deadline, user));
    const std::string wanted = error == 0 ? "no error" : errno_name(error);
    stage.check(fmt::format("writing '{}' to {} as user {} gives {}", text, name, user, wanted),
                seen == error, seen == 0 ? "no error" : errno_name(seen));
    return {};
}

// The files as a node has them that nobody has touched, and what may be written to them.
Result<void> look_at_files(Stage& stage) {
    Machine& home = stage.home();
    for (const auto& [name, content] :
         std::vector<std::pair<std::string, std::string>>{{"block", "0"},
                                                          {"expel", "0"},
                                                          {"bring", "0"},
                                                          {"decay-interval", "1"},
                                                          {"slow-decay", "975"},
                                                          {"fast-decay", "926"},
                                                          {"mospe", std::to_string(home.id())}}) {
        MOSRIG_CHECK(expect_file(stage, home, admin(name), content));
    }
    for (const char* name : {"block", "stay", "expel", "mospe", "speed"}) {
        MOSRIG_CHECK(write_admin(stage, home, name, "1", EACCES, some_user));
    }
    MOSRIG_CHECK(write_admin(stage, home, "block", "2", EINVAL));
    MOSRIG_CHECK(write_admin(stage, home, "slow-decay", "1001", EINVAL));
    MOSRIG_CHECK(write_admin(stage, home, "mospe", "31", EINVAL));
    MOSRIG_TRY(const int seen, read_node_status(stage, home, stage.guest().id()));
    stage.check("the other node is configured and up",
                (seen & node_configured) != 0 && (seen & node_up) != 0, std::to_string(seen));
    return {};
}

// Not before everybody has heard of the block: word of it that is still under way would refuse the
// next case.
Result<void> unblock(Stage& stage) {
    MOSRIG_CHECK(await_blocked(stage, stage.guest(), true));
    MOSRIG_CHECK(write_admin(stage, stage.guest(), "block", "0"));
    return await_blocked(stage, stage.guest(), false);
}

Result<Subject> start_away(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    return subject;
}

Result<std::string> guests_of(Stage& stage, Machine& machine) {
    MOSRIG_TRY(const CommandResult listed,
               machine.run({"ls", "/proc/hpc/remote"}, stage.soon("its guests"), 0));
    return listed.out;
}

Result<void> expect_home(Stage& stage, Subject& subject, const std::string& when) {
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("its state")));
    stage.check("it is at home " + when, state.where == 0, std::to_string(state.where));
    return expect_intact(stage, subject, when);
}

// A node that is blocked takes nobody, whether its peers know that already or not.
Result<void> block(Stage& stage, Subject& subject) {
    MOSRIG_CHECK(write_admin(stage, stage.guest(), "block", "1"));
    MOSRIG_TRY(const Refusal refusal, ask_in_vain(stage, subject.pid(), stage.guest().id()));
    stage.check("a node that is blocked refuses", refusal.errno_name == "ECONNREFUSED",
                refusal.errno_name);
    MOSRIG_CHECK(expect_home(stage, subject, "after the refusal"));
    return unblock(stage);
}

Result<void> expel(Stage& stage, const Run& run, Subject& first) {
    MOSRIG_CHECK(await_link(stage, first.pid()));
    MOSRIG_TRY(Subject second, start_away(stage, run));
    // One computes, one sleeps in a call.
    MOSRIG_TRY(const std::unique_ptr<Program> sleeper,
               stage.home().start({"cat"}, stage.soon("a program that waits"), StartOptions{}));
    MOSRIG_TRY(
        const int asked,
        stage.home().write_file(fmt::format("/proc/{}/goto", sleeper->pid()),
                                std::to_string(stage.guest().id()), stage.soon("a request"), 0));
    stage.check("one that reads may be asked", asked == 0, errno_name(asked));
    const Deadline deadline = stage.deadline("a program that reads, elsewhere", emptying_time);
    ProcessState state;
    // It prepares at one line, and leaves at a later one.
    const Result<void> left_home = wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_CHECK(sleeper->write_line("one", deadline));
        MOSRIG_TRY(const std::optional<std::string> one, sleeper->read_line(deadline));
        MOSRIG_CHECK(
            stage.require("it passes on what it reads", one == "one", one.value_or("(end)")));
        MOSRIG_TRY(state, read_process(stage.home(), sleeper->pid(), deadline));
        return state.where == stage.guest().id();
    });
    MOSRIG_CHECK(left_home);
    MOSRIG_TRY(const std::string guests, guests_of(stage, stage.guest()));
    stage.check("they are listed as guests", !guests.empty());
    MOSRIG_CHECK(write_admin(stage, stage.guest(), "expel", "1"));
    MOSRIG_TRY(const std::string left, guests_of(stage, stage.guest()));
    stage.check("no guest is left", left.empty(), left);
    MOSRIG_CHECK(expect_home(stage, first, "after expel"));
    MOSRIG_TRY(state, read_process(stage.home(), first.pid(), deadline));
    const std::string reason = state.migstat.text("home_reason");
    stage.check("it says that the node sent it home", reason == "node", reason);
    MOSRIG_CHECK(expect_home(stage, second, "after expel"));
    MOSRIG_TRY(state, read_process(stage.home(), sleeper->pid(), deadline));
    stage.check("who slept in a call is at home", state.where == 0, std::to_string(state.where));
    MOSRIG_CHECK(sleeper->write_line("two", deadline));
    MOSRIG_TRY(const std::optional<std::string> two, sleeper->read_line(deadline));
    stage.check("and goes on with it", two == "two", two.value_or("(end)"));
    MOSRIG_CHECK(sleeper->kill(deadline));
    MOSRIG_CHECK(second.program().kill(deadline));
    MOSRIG_CHECK(expect_file(stage, stage.guest(), admin("block"), "1"));
    return unblock(stage);
}

// It is away.
Result<void> bring(Stage& stage, Subject& subject) {
    MOSRIG_TRY(const std::string before, read_line(stage, stage.home(), admin("lstay")));
    MOSRIG_CHECK(write_admin(stage, stage.home(), "bring", "1"));
    MOSRIG_CHECK(expect_home(stage, subject, "after bring"));
    MOSRIG_CHECK(expect_file(stage, stage.home(), admin("lstay"), "1"));
    return write_admin(stage, stage.home(), "lstay", before);
}

// It is away, in a call without an end.
Result<void> await_sleep(Stage& stage, Subject& subject) {
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    const Deadline deadline = stage.deadline("a program that sleeps elsewhere", emptying_time);
    return wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const std::int64_t body, find_body(stage, stage.guest(), subject.pid()));
        MOSRIG_TRY(const ProcessState state, read_process(stage.guest(), body, deadline));
        return state.stat.state == 'I';  // what it waits for is home's answer
    });
}

// Neither of the two waits for what a program waits for that sleeps in a call without an end; and
// that one goes on sleeping.
Result<void> empty_of_sleeper(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_CHECK(expect_before_request(stage, subject.pid(), run.phases.front()));
    MOSRIG_CHECK(await_sleep(stage, subject));
    MOSRIG_CHECK(write_admin(stage, stage.guest(), "expel", "1"));
    const std::string what = fmt::format("after {}", join_words(run.command));
    MOSRIG_CHECK(expect_home(stage, subject, what + " was expelled"));
    MOSRIG_CHECK(unblock(stage));
    MOSRIG_CHECK(await_sleep(stage, subject));
    MOSRIG_CHECK(bring(stage, subject));
    const Deadline deadline = stage.deadline("the end of one that slept", emptying_time);
    MOSRIG_TRY(const int status, subject.finish(deadline));
    stage.check("it ends with status 0", status == 0, fmt::format("{}: {}", what, status));
    return {};
}

// One of the two, and what is said of it.
struct Emptying {
    const char* word;     // of mosctl, and the file that shows that it waits
    const char* remains;  // the file that says that what it has set remains
    const char* interrupted;
    const char* done;
};

constexpr Emptying expelling{"expel", "block",
                             "interrupted: 1 guests are here still; no further ones are accepted "
                             "(until: mosctl noblock)",
                             "All guests were expelled, no further ones are accepted (until: "
                             "mosctl noblock)"};
constexpr Emptying bringing{"bring", "lstay",
                            "interrupted: 1 processes are away still; those at home stay (until: "
                            "mosctl nolstay)",
                            "All processes of this node are at home and stay (until: mosctl "
                            "nolstay)"};

// Until that file of the node says 1, or 0.
Result<void> await_admin(Stage& stage, Machine& machine, const std::string& name,
                         const std::string& content) {
    return wait_until(stage.deadline(fmt::format("{} to be {}", name, content), emptying_time),
                      [&]() -> Result<bool> {
                          MOSRIG_TRY(const std::string seen,
                                     read_line(stage, machine, admin(name)));
                          return seen == content;
                      });
}

// Starts it by mosctl, and comes back once it waits.
Result<std::unique_ptr<Program>> start_waiting(Stage& stage, Machine& machine,
                                               const Emptying& what) {
    MOSRIG_TRY(std::unique_ptr<Program> tool,
               machine.start({"mosctl", what.word}, stage.soon("mosctl"), StartOptions{}));
    MOSRIG_CHECK(await_admin(stage, machine, what.word, "1"));
    return tool;
}

// A process that is away, in a call that ends only when its child at home is killed.
Result<Subject> start_queued(Stage& stage, const Run& run) {
    MOSRIG_TRY(Subject subject, start_away(stage, run));
    const Deadline deadline = stage.deadline("a call that waits for a lock", emptying_time);
    MOSRIG_CHECK(subject.program().write_line("QUEUE", deadline));
    const std::string waiter = fmt::format(" {} ", subject.pid());
    MOSRIG_CHECK(wait_until(deadline, [&]() -> Result<bool> {
        MOSRIG_TRY(const std::string locks, stage.read_text(stage.home(), "/proc/locks"));
        const size_t at = locks.find("-> FLOCK");
        return at != std::string::npos && locks.find(waiter, at) != std::string::npos;
    }));
    return subject;
}

// SIGINT ends the wait, and neither what was asked for nor anything else.
Result<void> expect_interruption(Stage& stage, Machine& machine, const Emptying& what,
                                 Subject& subject) {
    MOSRIG_TRY(const std::unique_ptr<Program> tool, start_waiting(stage, machine, what));
    const Deadline deadline = stage.deadline("the end of what was interrupted", emptying_time);
    MOSRIG_TRY(const int error, machine.send_signal(tool->pid(), SIGINT, deadline));
    MOSRIG_CHECK(stage.require("mosctl is there to be interrupted", error == 0, errno_name(error)));
    MOSRIG_TRY(const int status, tool->wait(deadline));
    MOSRIG_TRY(const std::string said, tool->take_error_output());
    stage.check(fmt::format("mosctl {}, interrupted, ends with 1", what.word), status == 1,
                fmt::format("{}: {}", status, said));
    stage.check("it says what is left, and what remains set",
                said.find(what.interrupted) != std::string::npos, said);
    MOSRIG_CHECK(await_admin(stage, machine, what.word, "0"));
    MOSRIG_CHECK(expect_file(stage, machine, admin(what.remains), "1"));
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subject.pid(), stage.soon("where it is")));
    MOSRIG_TRY(const int bodies, count_bodies(stage, stage.guest(), subject.pid()));
    stage.check("who is in such a call is still away, once",
                state.where == stage.guest().id() && bodies == 1,
                fmt::format("where {}, bodies {}", state.where, bodies));
    return {};
}

// The second one waits as long as the call does, and no longer.
Result<void> expect_end(Stage& stage, Machine& machine, const Emptying& what, Subject& subject) {
    MOSRIG_TRY(const std::unique_ptr<Program> tool, start_waiting(stage, machine, what));
    Phase child;
    child.who = Who::child;
    MOSRIG_TRY(const std::int64_t holder, find_pid(stage, subject, child));
    const Deadline deadline = stage.deadline("the end of the second one", emptying_time);
    MOSRIG_CHECK(stage.home().send_signal(holder, SIGKILL, deadline));
    MOSRIG_TRY(const int status, tool->wait(deadline));
    MOSRIG_TRY(const std::optional<std::string> said, tool->read_line(deadline));
    stage.check(fmt::format("a second mosctl {} ends once the call does", what.word),
                status == 0 && said == what.done,
                fmt::format("{}: {}", status, said.value_or("(nothing)")));
    MOSRIG_TRY(const std::optional<std::string> locked, subject.program().read_line(deadline));
    stage.check("the call has given what it was made for", locked == "OK",
                locked.value_or("(end)"));
    MOSRIG_CHECK(expect_home(stage, subject, "after that"));
    MOSRIG_TRY(const int end, subject.finish(deadline));
    stage.check("it ends with status 0", end == 0, std::to_string(end));
    return {};
}

Result<void> interrupt(Stage& stage, const Run& run, Machine& machine, const Emptying& what) {
    MOSRIG_TRY(Subject subject, start_queued(stage, run));
    MOSRIG_CHECK(expect_interruption(stage, machine, what, subject));
    return expect_end(stage, machine, what, subject);
}

// Both, in the face of a call that nothing breaks off. The nodes are left as they were, whatever
// came of it.
Result<void> play_interrupted(Stage& stage, const Run& run) {
    MOSRIG_CHECK(expect_as_stated(stage, run));
    const Result<void> expelled = interrupt(stage, run, stage.guest(), expelling);
    const Result<void> unblocked = unblock(stage);
    MOSRIG_CHECK(expelled);
    MOSRIG_CHECK(unblocked);
    MOSRIG_TRY(const std::string before, read_line(stage, stage.home(), admin("lstay")));
    const Result<void> brought = interrupt(stage, run, stage.home(), bringing);
    MOSRIG_CHECK(write_admin(stage, stage.home(), "lstay", before));
    MOSRIG_CHECK(brought);
    stage.result.seen = Answer::moves;
    return {};
}

}  // namespace

Result<void> play_emptying(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    if (run.interrupted) {
        return play_interrupted(stage, run);
    }
    MOSRIG_CHECK(look_at_files(stage));
    MOSRIG_TRY(Subject subject, start_subject(stage, run));
    MOSRIG_TRY(const ProcessState state,
               expect_before_request(stage, subject.pid(), run.phases.front()));
    show(stage.result, state);
    MOSRIG_CHECK(block(stage, subject));
    MOSRIG_CHECK(expel(stage, run, subject));
    MOSRIG_CHECK(await_link(stage, subject.pid()));
    MOSRIG_CHECK(bring(stage, subject));
    stage.result.seen = Answer::moves;
    MOSRIG_CHECK(subject.program().kill(stage.soon("its end")));
    for (size_t sleeper = 1; sleeper < description.runs.size(); ++sleeper) {
        MOSRIG_CHECK(empty_of_sleeper(stage, description.runs[sleeper]));
    }
    return {};
}

}  // namespace mosrig
