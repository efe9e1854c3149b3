// SPDX-License-Identifier: MIT
// Where a case plays: the machines, the clock, and what was seen so far.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/fabric/control.h"
#include "harness/process/machine.h"
#include "harness/process/mover.h"
#include "harness/process/process_state.h"
#include "harness/process/subject.h"
#include "harness/verdict/case_result.h"
#include "harness/verdict/verdict.h"
#include "harness/workload/description.h"

namespace mosrig {

class Stage {
  public:
    using MakeDeadline = std::function<Deadline(std::string, Millis)>;
    using OnCheck = std::function<void(const Check&)>;

    // `deadline` scales a nominal time to this cluster; `on_check` hears of every check at once.
    Stage(Machines machines, MakeDeadline deadline, OnCheck on_check);

    [[nodiscard]] Machine& home() const { return *machines_.front(); }
    [[nodiscard]] Machine& guest() const { return *machines_.at(1); }
    [[nodiscard]] const Machines& machines() const { return machines_; }
    [[nodiscard]] Deadline deadline(std::string name, Millis nominal) const {
        return deadline_(std::move(name), nominal);
    }
    // For one question to a process or a node.
    [[nodiscard]] Deadline soon(std::string name) const;

    // A file of a node, whole.
    [[nodiscard]] Result<std::string> read_text(Machine& machine, const std::string& path) const;

    // Writes to a file of a node. That it can be written is a check without which nothing goes on.
    Result<void> write_text(Machine& machine, const std::string& path, const std::string& text);

    // Records a check and goes on.
    bool check(std::string statement, bool ok, std::string detail = {});
    // Records a check without which the rest makes no sense: if it fails, an error of kind aborted
    // to be passed up.
    Result<void> require(std::string statement, bool ok, std::string detail = {});
    // The case cannot be played here, for that reason: SKIP. An error of kind aborted to be passed
    // up.
    tl::unexpected<Error> skip(const std::string& reason);

    Judge judge;
    CaseResult result;
    // Has the network between the nodes do that to frames from now on. Empty if nobody can.
    std::function<Result<fabric::SwitchState>(const fabric::Impairment&)> impair;
    // The case has left a node that cannot be used any more, as it was meant to.
    bool nodes_used_up = false;

  private:
    Machines machines_;
    MakeDeadline deadline_;
    OnCheck on_check_;
};

// "busy" -> its place on the nodes; what is not a workload stays as it is.
std::vector<std::string> resolve_command(std::vector<std::string> command);
// Environment with the workloads in PATH.
std::vector<std::string> workload_environment();

// How many bodies of home process `pid` a machine has.
Result<int> count_bodies(Stage& stage, Machine& machine, std::int64_t pid);

// Waits until a machine has so many bodies of home process `pid`. How many it has in the end; an
// error if that was never learnt.
Result<int> await_bodies(Stage& stage, Machine& machine, std::int64_t pid, int expected,
                         const Deadline& deadline);

// Pid of the body of home process `pid` on a machine.
Result<std::int64_t> find_body(Stage& stage, Machine& machine, std::int64_t pid);

// Waits until a process of home sleeps, as one does that waits for its next line or key.
Result<void> await_asleep(Stage& stage, std::int64_t pid, const Deadline& deadline);

// Waits for a process of that name: `root` itself or a child of it, once it has its terminal if it
// must. Its pid.
Result<std::int64_t> await_named(Stage& stage, std::int64_t root, const std::string& name,
                                 const Deadline& deadline, bool in_front = false);

// Puts what the report shows of a process into the result.
void show(CaseResult& result, const ProcessState& state);

// The whole of a case: drives it by its procedure and fills stage.result and stage.judge, but for
// the consoles, which are the caller's.
void play(Stage& stage, const Description& description);

// The procedures.
Result<void> play_phases(Stage& stage, const Description& description);
Result<void> play_stalled(Stage& stage, const Description& description);
Result<void> play_existing(Stage& stage, const Description& description);
Result<void> play_kill(Stage& stage, const Description& description);
Result<void> play_script(Stage& stage, const Description& description);
Result<void> play_program(Stage& stage, const Description& description);
Result<void> play_round_trips(Stage& stage, const Description& description);
Result<void> play_requests(Stage& stage, const Description& description);
Result<void> play_emptying(Stage& stage, const Description& description);
Result<void> play_strangers(Stage& stage, const Description& description);
Result<void> play_transit(Stage& stage, const Description& description);
Result<void> play_failures(Stage& stage, const Description& description);
Result<void> play_deaf(Stage& stage, const Description& description);
Result<void> play_disasters(Stage& stage, const Description& description);
Result<void> play_bad_network(Stage& stage, const Description& description);
Result<void> play_soak(Stage& stage, const Description& description);
Result<void> play_out_of_memory(Stage& stage, const Description& description);
Result<void> play_balance(Stage& stage, const Description& description);
Result<void> play_session(Stage& stage, const Description& description);
Result<void> play_daemon(Stage& stage, const Description& description);
Result<void> play_tools(Stage& stage, const Description& description);

// Parts that procedures share.
// Starts the run's program at home and waits until it is READY. One that says SKIP skips the case,
// and the error is of kind aborted.
Result<Subject> start_subject(Stage& stage, const Run& run);
// The program is told a word, and has to say in that time that it is done.
Result<void> send_word(Stage& stage, Subject& subject, const std::string& word, Millis nominal);
// The process that the phase looks at: the subject, or a child, which is waited for.
Result<std::int64_t> find_pid(Stage& stage, const Subject& subject, const Phase& phase);
// Both ways to ask for a move are refused as the phase says, and nothing changed.
Result<void> expect_refusal(Stage& stage, std::int64_t pid, const Phase& phase);
// moswhy names each reason, and says what the phase wants of it; its text goes into the report.
Result<void> expect_explanation(Stage& stage, std::int64_t pid, const Phase& phase);
// cantmove, lock, where before any request of the phase.
Result<ProcessState> expect_before_request(Stage& stage, std::int64_t pid, const Phase& phase);
// A start of the run's program, which then ends: it is as the first phase says before any request.
// For a procedure whose own subjects have other things to show.
Result<void> expect_as_stated(Stage& stage, const Run& run);
// Asks by tool or by file, waits until it is there, checks that exactly one copy lives. A process
// that may come home by itself need not be there any more.
Result<ProcessState> move_to(Stage& stage, std::int64_t pid, int node, int user, bool by_tool,
                             bool may_come_back = false);
// On from the node where it is to another one, after so many moves. It is one move, and it is never
// at home between, unless it may: a signal that comes amid goes first, and does so at home.
Result<ProcessState> move_on(Stage& stage, std::int64_t pid, int node, int user, std::int64_t moves,
                             bool may_be_home = false);
// Out by the tool, home by the file, and everything that must hold in between. The report shows it
// if `shown`; what holds for every move alike is looked at with the `first`.
Result<void> move_out_and_home(Stage& stage, Subject& subject, std::int64_t pid, const Phase& phase,
                               bool first, bool shown);
// Skips the case if the nodes lack one of these programs; the error is of kind aborted.
Result<void> need_programs(Stage& stage, const std::vector<std::string>& names);
// Each command of the run that somebody types ends and says as it should.
Result<void> expect_answers(Stage& stage, const Run& run, std::int64_t pid);
// VERIFY is answered by OK.
Result<void> expect_intact(Stage& stage, Subject& subject, const std::string& when);

// Proofs, for a subject that is at home; it is at home again afterwards.
Result<void> prove_away_time(Stage& stage, Subject& subject, bool cpu_time);
// CPU time counts where it belongs of one that goes on from the guest along the route.
Result<void> prove_cpu_time_onward(Stage& stage, Subject& subject, const std::vector<int>& route);
void prove_demand_paging(Stage& stage);
// Swap, huge pages, page merging and NUMA balancing are in use on every node: at home by the case's
// program, which runs there, elsewhere by another start of it, which goes on as long as what is
// given back lives.
Result<std::vector<Subject>> prove_memory_options(Stage& stage, const Run& run);

}  // namespace mosrig
