// SPDX-License-Identifier: MIT
//
// What the balancer does by itself: who moves, who stays, how soon, how often, and that it then
// rests.
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <iterator>

#include "harness/conformance/balancing.h"
#include "harness/conformance/placement.h"
#include "harness/conformance/spread.h"

namespace mosrig {

namespace {

// Who shall stay is watched for so long under a load that makes others move.
constexpr Millis watch_time(10000);
// Pages that a node swaps out now and then though it has memory; a node in need of some swaps
// thousands.
constexpr std::int64_t others_swap = 64;
// What frees a process, where it is no word that is sent to it.
constexpr const char* by_lock = "lock";

// The subject leaves home, or does not, while a crowd that is locked there and one that may leave
// compete with it: that the one leaves shows that the balancer is at work. Gives all of them back.
Result<Crew> expect_beside_crowd(Stage& stage, const Run& run, const Crew& crew) {
    MOSRIG_TRY(Crew crowd, start_copies(stage, run_of({"mosrun", "-h", "busy"}), run.crowd));
    const bool moves = run.automatic == Automatic::moves;
    MOSRIG_TRY(Crew control, start_copies(stage, run_of({"busy"}), moves ? 0 : 1));
    MOSRIG_TRY(const Placement placement, await_leaving(stage, moves ? crew : control));
    stage.check(moves ? "it leaves the node that is overloaded"
                      : "a busy loop beside it leaves the node that is overloaded",
                placement.moves > 0, placement.words());
    if (!moves) {
        MOSRIG_CHECK(expect_rest(stage, crew, watch_time, "it stays"));
    }
    std::move(control.begin(), control.end(), std::back_inserter(crowd));
    return crowd;
}

// What kept it goes, and it leaves without being asked to.
Result<void> expect_to_leave_once_freed(Stage& stage, const Run& run, Crew& crew) {
    Watched& one = crew.front();
    if (run.frees == by_lock) {
        MOSRIG_TRY(const int error,
                   stage.home().write_file(fmt::format("/proc/{}/lock", one.pid), "0",
                                           stage.soon("a write to its lock"), 0));
        MOSRIG_CHECK(stage.require("0 is written to its lock", error == 0, errno_name(error)));
    } else {
        MOSRIG_TRY(const std::string answer,
                   one.subject.ask(run.frees, stage.deadline(run.frees, spreading_time)));
        MOSRIG_CHECK(stage.require(run.frees + " is done", answer == "OK", answer));
    }
    MOSRIG_TRY(const Placement placement, await_leaving(stage, crew));
    stage.check(fmt::format("after that ({}) it leaves by itself", run.frees), placement.moves > 0,
                placement.words());
    return {};
}

// Busy loops of the guest node's own users, who stay there.
Result<std::vector<Subject>> start_owners(Stage& stage, int count) {
    std::vector<Subject> owners;
    for (int one = 0; one < count; ++one) {
        MOSRIG_TRY(Subject owner,
                   Subject::start(stage.guest(), resolve_command({"mosrun", "-h", "busy"}), 0,
                                  workload_environment(), stage.soon("a start")));
        MOSRIG_CHECK(owner.ready(stage.deadline("READY", spreading_time)));
        owners.push_back(std::move(owner));
    }
    return owners;
}

// The node that it has come to is wanted by its own users: it goes home.
Result<void> expect_return(Stage& stage, const Run& run, const Subject& subject) {
    MOSRIG_TRY(const ProcessState away, move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    MOSRIG_TRY(const std::vector<Subject> owners, start_owners(stage, run.crowd_there));
    ProcessState state = away;
    MOSRIG_CHECK(comes_true(
        stage.deadline("a guest that goes home", spreading_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(state, read_process(stage.home(), subject.pid(), stage.soon("where it is")));
            return state.where == 0;
        },
        Millis(100)));
    stage.check("it goes home from a node whose own users need it",
                state.where == 0 && state.nmigs == away.nmigs + 1,
                fmt::format("where {}, nmigs {}", state.where, state.nmigs));
    return {};
}

// It is locked, so its node's own users do not drive it away; that another guest, which is not,
// leaves shows that the balancer is at work. By hand it comes home.
Result<void> expect_to_stay_there(Stage& stage, const Run& run, const Crew& crew) {
    const int there = stage.guest().id();
    MOSRIG_CHECK(move_to(stage, crew.front().pid, there, 0, true));
    MOSRIG_TRY(const Crew control, start_copies(stage, run_of({"busy"}), 1));
    MOSRIG_CHECK(move_to(stage, control.front().pid, there, 0, true));
    MOSRIG_TRY(const std::vector<Subject> owners, start_owners(stage, run.crowd_there));
    Placement placement;
    MOSRIG_TRY(const bool left, comes_true(
                                    stage.deadline("a guest that leaves", spreading_time),
                                    [&]() -> Result<bool> {
                                        MOSRIG_TRY(placement, look(stage, control));
                                        return !placement.on_node.contains(there);
                                    },
                                    Millis(100)));
    stage.check("a guest that is not locked leaves the node", left, placement.words());
    MOSRIG_CHECK(expect_rest(stage, crew, Millis(run.quiet_s * 1000), "the locked one stays"));
    return move_to(stage, crew.front().pid, 0, 0, true).map([](const ProcessState&) {});
}

// A figure that stands behind its name in a file of /proc.
Result<std::int64_t> read_figure(Stage& stage, const std::string& file, const std::string& name) {
    MOSRIG_TRY(const std::string text, stage.read_text(stage.home(), file));
    const std::size_t at = ("\n" + text).find("\n" + name);
    MOSRIG_CHECK(
        stage.require(fmt::format("{} tells {}", file, name), at != std::string::npos, text));
    return std::atoll(text.c_str() + at + name.size());
}

// The process of the image that keeps swap in use (mosrig-pressure) rests as long as it lives: what
// it swaps out is no sign of need.
class NoPressure {
  public:
    explicit NoPressure(Stage& stage) : stage_(stage) { set("1"); }
    NoPressure(const NoPressure&) = delete;
    NoPressure& operator=(const NoPressure&) = delete;
    ~NoPressure() { set("0"); }

  private:
    // Where there is no such process there is nothing to be stopped.
    void set(const char* frozen) {
        (void)stage_.home().write_file("/sys/fs/cgroup/mosrig-pressure/cgroup.freeze", frozen,
                                       stage_.soon("the memory group that swaps"), 0);
    }

    Stage& stage_;
};

// It has its CPU to itself, but its node's memory is nearly used up: it leaves before there is
// none, and before the node swaps.
Result<void> expect_to_make_room(Stage& stage, const Crew& crew) {
    constexpr const char* vmstat = "/proc/vmstat";
    const NoPressure nobody_else(stage);
    // What is left for the hog is free then, so that it needs nobody's memory to take it.
    MOSRIG_CHECK(stage.write_text(stage.home(), "/proc/sys/vm/drop_caches", "3"));
    MOSRIG_TRY(const std::int64_t before, read_figure(stage, vmstat, "pswpout "));
    MOSRIG_TRY(const Crew hogs, start_copies(stage, run_of({"mosrun", "-h", "memory", "hog"}), 1));
    MOSRIG_TRY(const std::int64_t taken, read_figure(stage, vmstat, "pswpout "));
    MOSRIG_TRY(const Placement placement, await_leaving(stage, crew));
    MOSRIG_TRY(const std::int64_t after, read_figure(stage, vmstat, "pswpout "));
    MOSRIG_TRY(const std::int64_t available, read_figure(stage, "/proc/meminfo", "MemAvailable:"));
    stage.result.message = fmt::format(
        "{}; pages swapped out: {} while memory was taken, {} until it had left; "
        "{} MiB available then",
        placement.words(), taken - before, after - taken, available / 1024);
    stage.check("it leaves a node whose memory is nearly used up", placement.moves > 0,
                stage.result.message);
    stage.check("the node has not swapped before", after - before <= others_swap,
                stage.result.message);
    return expect_rest(stage, crew, watch_time, "once there is room nobody comes or goes");
}

// That nothing moved is no news unless the balancer works: of too many on nodes of one speed, one
// moves.
Result<void> expect_awake(Stage& stage, Balancing& balancing, const Run& run, Crew& crew) {
    MOSRIG_CHECK(balancing.set_speeds({}));
    MOSRIG_TRY(Crew more, start_copies(stage, run, 2));
    std::move(more.begin(), more.end(), std::back_inserter(crew));
    MOSRIG_TRY(const Placement placement, await_leaving(stage, crew));
    stage.check("with two more of them, on nodes that are as fast, one leaves", placement.moves > 0,
                placement.words());
    return {};
}

Automatic seen_of(const Placement& placement, const Run& run) {
    if (placement.moves == 0) {
        return Automatic::stays;
    }
    return run.automatic == Automatic::spreads ? Automatic::spreads : Automatic::moves;
}

// Who meets a crowd away was sent there, and one that stays there was fetched home as well.
int moves_by_hand(const Run& run) {
    if (run.crowd_there == 0) {
        return 0;
    }
    return run.automatic == Automatic::stays ? 2 : 1;
}

// What the case is about. Gives those back that have to go on until its end.
Result<Crew> expect_what_it_says(Stage& stage, const Run& run, const Crew& crew,
                                 OverloadWatch& overload) {
    Crew others;
    if (run.automatic == Automatic::spreads) {
        MOSRIG_CHECK(expect_spread(stage, run, crew, overload));
    } else if (run.crowd_there > 0 && run.automatic == Automatic::stays) {
        MOSRIG_CHECK(expect_to_stay_there(stage, run, crew));
    } else if (run.crowd_there > 0) {
        MOSRIG_CHECK(expect_return(stage, run, crew.front().subject));
    } else if (run.hog) {
        MOSRIG_CHECK(expect_to_make_room(stage, crew));
    } else if (run.crowd > 0) {
        MOSRIG_TRY(others, expect_beside_crowd(stage, run, crew));
    } else {
        MOSRIG_CHECK(expect_rest(stage, crew, watch_time, "none of them moves"));
    }
    return others;
}

}  // namespace

Result<void> play_balance(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    stage.result.automatic_expected = run.automatic;
    Balancing balancing(stage);
    MOSRIG_CHECK(balancing.begin(run.speeds));
    OverloadWatch overload(stage);
    MOSRIG_TRY(Crew crew,
               start_copies(stage, run, run.copies, [&overload] { return overload.look(); }));
    overload.all_started();
    Watched& first = crew.front();
    // Some that shall spread may have left before the last of them was there.
    if (run.automatic != Automatic::spreads) {
        MOSRIG_CHECK(expect_before_request(stage, first.pid, run.phases.front()));
    }
    if (run.busy) {
        MOSRIG_TRY(const std::string answer,
                   first.subject.ask("BUSY", stage.soon("an answer to BUSY")));
        MOSRIG_CHECK(stage.require("it computes", answer == "OK", answer));
    }
    {
        MOSRIG_TRY(const Crew others, expect_what_it_says(stage, run, crew, overload));
        MOSRIG_TRY(Placement placement, look(stage, crew));
        placement.moves -= moves_by_hand(run);
        stage.result.automatic_seen = seen_of(placement, run);
        MOSRIG_TRY(const ProcessState state,
                   read_process(stage.home(), first.pid, stage.soon("its state")));
        show(stage.result, state);
        const Phase& phase = run.phases.front();
        stage.check(fmt::format("lock is {} and cantmove is {} as before", phase.lock,
                                join_words(phase.cantmove)),
                    state.lock == phase.lock && state.cantmove == phase.cantmove,
                    fmt::format("{}, {}", state.lock, join_words(state.cantmove)));
        MOSRIG_CHECK(expect_answers(stage, run, first.pid));
        if (!phase.moswhy.empty()) {
            MOSRIG_CHECK(expect_explanation(stage, first.pid, phase));
        }
        if (!run.frees.empty()) {
            MOSRIG_CHECK(expect_to_leave_once_freed(stage, run, crew));
        }
    }
    if (run.automatic == Automatic::stays && run.crowd == 0 && run.crowd_there == 0) {
        MOSRIG_CHECK(expect_awake(stage, balancing, run, crew));
    }
    if (run.phases.front().manual == Answer::moves) {
        // Whoever is left alone may be asked to go: by hand it moves as any other.
        Watched& alone = crew.front();
        MOSRIG_CHECK(
            move_out_and_home(stage, alone.subject, alone.pid, run.phases.front(), true, true));
    }
    return finish_all(stage, crew);
}

}  // namespace mosrig
