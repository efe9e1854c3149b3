// SPDX-License-Identifier: MIT
//
// What the balancer does by itself: who moves, who stays, how soon, how often, and that it then
// rests.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

// How often the nodes tell each other their load (omd.conf's default), and how many such periods an
// overload may last that is to be seen.
constexpr Millis information_period(1000);
constexpr int periods_of_overload = 2;
// In /proc/hpc/nodes/N/load: one runnable process a CPU of standard speed; and that there are more.
constexpr int full_load = 100;
constexpr int overload = full_load + full_load / 4;
// For what starts at no moment that could be seen: the load rises, is told, and somebody moves.
constexpr Millis settling_time(15000);
// Who shall stay is watched for so long under a load that makes others move.
constexpr Millis watch_time(10000);
constexpr const char* stay_file = "/proc/hpc/admin/stay";
constexpr const char* speed_file = "/proc/hpc/admin/speed";
constexpr int usual_speed = 10000;
constexpr int slow_speed = 1000;

// Automatic moves are allowed on all nodes as long as it lives, and speeds are as the case says.
class Balancing {
  public:
    explicit Balancing(Stage& stage) : stage_(stage) {}
    Balancing(const Balancing&) = delete;
    Balancing& operator=(const Balancing&) = delete;
    ~Balancing() {
        for (Machine* machine : stage_.machines()) {
            (void)write(*machine, stay_file, 1);
            (void)write(*machine, speed_file, speeds_.at(machine));
        }
    }

    Result<void> begin(bool slower_others) {
        for (Machine* machine : stage_.machines()) {
            MOSRIG_TRY(speeds_[machine], read_speed(*machine));
        }
        MOSRIG_CHECK(set_speeds(slower_others));
        for (Machine* machine : stage_.machines()) {
            MOSRIG_CHECK(write(*machine, stay_file, 0));
        }
        return {};
    }

    Result<void> set_speeds(bool slower_others) {
        for (Machine* machine : stage_.machines()) {
            const bool slow = slower_others && machine != &stage_.home();
            MOSRIG_CHECK(write(*machine, speed_file, slow ? slow_speed : usual_speed));
        }
        return {};
    }

  private:
    Result<int> read_speed(Machine& machine) {
        const Result<std::string> text = stage_.read_text(machine, speed_file);
        if (!text && text.error().sys_errno == ENOENT) {
            return stage_.skip("the kernel of the nodes has no balancer");
        }
        return text.map([](const std::string& number) { return std::atoi(number.c_str()); });
    }

    Result<void> write(Machine& machine, const char* file, int value) {
        MOSRIG_TRY(
            const int error,
            machine.write_file(file, std::to_string(value),
                               stage_.soon(fmt::format("{} of {}", file, machine.name())), 0));
        return error == 0 ? Result<void>()
                          : infra_error(fmt::format("{} on {} does not take {}: {}", file,
                                                    machine.name(), value, errno_name(error)));
    }

    Stage& stage_;
    std::map<Machine*, int> speeds_;
};

// Where some processes are, and how many moves they have made.
struct Placement {
    std::map<int, int> on_node;
    std::int64_t moves = 0;

    [[nodiscard]] bool even(size_t nodes) const {
        int most = 0;
        int least = on_node.size() < nodes ? 0 : on_node.begin()->second;
        for (const auto& [node, count] : on_node) {
            most = std::max(most, count);
            least = std::min(least, count);
        }
        return most - least <= 1;
    }
    [[nodiscard]] std::string words() const {
        std::string text;
        for (const auto& [node, count] : on_node) {
            text += fmt::format("{} on node{}, ", count, node);
        }
        return text + fmt::format("{} moves", moves);
    }
};

using Subjects = std::vector<Subject>;

Result<Placement> look(Stage& stage, const Subjects& subjects) {
    Placement placement;
    for (const Subject& subject : subjects) {
        MOSRIG_TRY(const ProcessState state,
                   read_process(stage.home(), subject.pid(), stage.soon("where it is")));
        ++placement.on_node[state.where == 0 ? stage.home().id() : state.where];
        placement.moves += state.nmigs;
    }
    return placement;
}

Result<Subjects> start_copies(Stage& stage, const Run& run, int copies) {
    Subjects subjects;
    for (int copy = 0; copy < copies; ++copy) {
        MOSRIG_TRY(Subject subject, start_subject(stage, run));
        subjects.push_back(std::move(subject));
    }
    return subjects;
}

Run run_of(std::vector<std::string> command) {
    Run run;
    run.command = std::move(command);
    return run;
}

// Nobody moves for so long, by the clock: the balancer's periods are no longer on a slow node. It
// is looked at seldom, since on such a node looking is a load, too.
Result<void> expect_rest(Stage& stage, const Subjects& subjects, Millis time,
                         const std::string& who) {
    MOSRIG_TRY(const Placement before, look(stage, subjects));
    Placement now = before;
    MOSRIG_TRY(const bool moved, comes_true(
                                     Deadline("a move that must not be", time),
                                     [&]() -> Result<bool> {
                                         MOSRIG_TRY(now, look(stage, subjects));
                                         return now.moves != before.moves;
                                     },
                                     time / 20));
    stage.check(fmt::format("{} for {} s", who, time.count() / 1000), !moved, now.words());
    return {};
}

Result<void> finish_all(Stage& stage, Subjects& subjects) {
    for (Subject& subject : subjects) {
        MOSRIG_CHECK(expect_intact(stage, subject, "after all that"));
        MOSRIG_TRY(const int status,
                   subject.finish(stage.deadline("the end of a program", Millis(60000))));
        stage.check("it ends with status 0", status == 0, std::to_string(status));
    }
    return {};
}

// What the node says of its own load.
Result<int> own_load(Stage& stage) {
    return stage.read_text(stage.home(), fmt::format("/proc/hpc/nodes/{}/load", stage.home().id()))
        .map([](const std::string& number) { return std::atoi(number.c_str()); });
}

double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
}

// From the last start on: until no node has two more than another, which has to be soon after the
// node has told that it has too many.
Result<void> expect_spread(Stage& stage, const Run& run, const Subjects& subjects) {
    const Clock::time_point begin = Clock::now();
    const size_t nodes = stage.machines().size();
    std::optional<Clock::time_point> seen;
    Placement placement;
    MOSRIG_TRY(const bool spread, comes_true(
                                      stage.deadline("an even load", settling_time),
                                      [&]() -> Result<bool> {
                                          MOSRIG_TRY(const int load, own_load(stage));
                                          MOSRIG_TRY(placement, look(stage, subjects));
                                          if (!seen && load >= overload) {
                                              seen = Clock::now();
                                          }
                                          return placement.even(nodes);
                                      },
                                      Millis(100)));
    const double after = seconds_since(seen.value_or(Clock::now()));
    stage.result.message = fmt::format("{} after {:.1f} s, {:.1f} s after the overload was told",
                                       placement.words(), seconds_since(begin), after);
    stage.check("no node has two more of them than another", spread, stage.result.message);
    const Millis allowed = stage.deadline("", periods_of_overload * information_period).total();
    stage.check(fmt::format("that took at most {} periods of information ({:.1f} s here) from then",
                            periods_of_overload, static_cast<double>(allowed.count()) / 1000),
                after * 1000 <= static_cast<double>(allowed.count()), stage.result.message);
    const auto count = static_cast<std::int64_t>(subjects.size());
    const std::int64_t least =
        count - (count + static_cast<std::int64_t>(nodes) - 1) / static_cast<std::int64_t>(nodes);
    stage.check(fmt::format("that took few moves beyond the least possible, {}", least),
                placement.moves >= least && placement.moves <= least + (least + 3) / 4,
                stage.result.message);
    return expect_rest(stage, subjects, Millis(run.quiet_s * 1000), "then none of them moves");
}

// Waits until one of them has moved. Where they are then, or at the end of the wait.
Result<Placement> await_leaving(Stage& stage, const Subjects& subjects) {
    Placement placement;
    MOSRIG_CHECK(comes_true(
        stage.deadline("a process that leaves", settling_time),
        [&]() -> Result<bool> {
            MOSRIG_TRY(placement, look(stage, subjects));
            return placement.moves > 0;
        },
        Millis(100)));
    return placement;
}

// The subject leaves home, or does not, while a crowd that is locked there and one that may leave
// compete with it: that the one leaves shows that the balancer is at work.
Result<void> expect_beside_crowd(Stage& stage, const Run& run, const Subjects& subjects) {
    MOSRIG_TRY(const Subjects crowd,
               start_copies(stage, run_of({"mosrun", "-h", "busy"}), run.crowd));
    const bool moves = run.automatic == Automatic::moves;
    MOSRIG_TRY(const Subjects control, start_copies(stage, run_of({"busy"}), moves ? 0 : 1));
    MOSRIG_TRY(const Placement placement, await_leaving(stage, moves ? subjects : control));
    stage.check(moves ? "it leaves the node that is overloaded"
                      : "a busy loop beside it leaves the node that is overloaded",
                placement.moves > 0, placement.words());
    return moves ? Result<void>() : expect_rest(stage, subjects, watch_time, "it stays");
}

// Busy loops of the guest node's own users, who stay there.
Result<Subjects> start_owners(Stage& stage, int count) {
    Subjects owners;
    for (int one = 0; one < count; ++one) {
        MOSRIG_TRY(Subject owner,
                   Subject::start(stage.guest(), resolve_command({"mosrun", "-h", "busy"}), 0,
                                  workload_environment(), stage.soon("a start")));
        MOSRIG_CHECK(owner.ready(stage.deadline("READY", settling_time)));
        owners.push_back(std::move(owner));
    }
    return owners;
}

// The node that it has come to is wanted by its own users: it goes home.
Result<void> expect_return(Stage& stage, const Run& run, const Subject& subject) {
    MOSRIG_TRY(const ProcessState away, move_to(stage, subject.pid(), stage.guest().id(), 0, true));
    MOSRIG_TRY(const Subjects crowd, start_owners(stage, run.crowd_there));
    ProcessState state = away;
    MOSRIG_CHECK(comes_true(
        stage.deadline("a guest that goes home", settling_time),
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
Result<void> expect_to_stay_there(Stage& stage, const Run& run, const Subjects& subjects) {
    const int there = stage.guest().id();
    MOSRIG_CHECK(move_to(stage, subjects.front().pid(), there, 0, true));
    MOSRIG_TRY(const Subjects control, start_copies(stage, run_of({"busy"}), 1));
    MOSRIG_CHECK(move_to(stage, control.front().pid(), there, 0, true));
    MOSRIG_TRY(const Subjects crowd, start_owners(stage, run.crowd_there));
    Placement placement;
    MOSRIG_TRY(const bool left, comes_true(
                                    stage.deadline("a guest that leaves", settling_time),
                                    [&]() -> Result<bool> {
                                        MOSRIG_TRY(placement, look(stage, control));
                                        return !placement.on_node.contains(there);
                                    },
                                    Millis(100)));
    stage.check("a guest that is not locked leaves the node", left, placement.words());
    MOSRIG_CHECK(expect_rest(stage, subjects, Millis(run.quiet_s * 1000), "the locked one stays"));
    return move_to(stage, subjects.front().pid(), 0, 0, true).map([](const ProcessState&) {});
}

// It has its CPU to itself, but its node's memory is nearly used up: it leaves before there is
// none.
Result<void> expect_to_make_room(Stage& stage, const Subjects& subjects) {
    MOSRIG_TRY(const Subjects hogs,
               start_copies(stage, run_of({"mosrun", "-h", "memory", "hog"}), 1));
    MOSRIG_TRY(const Placement placement, await_leaving(stage, subjects));
    stage.check("it leaves a node whose memory is nearly used up", placement.moves > 0,
                placement.words());
    return expect_rest(stage, subjects, watch_time, "once there is room nobody comes or goes");
}

// That nothing moved is no news unless the balancer works: of too many on nodes of one speed, one
// moves.
Result<void> expect_awake(Stage& stage, Balancing& balancing, const Run& run, Subjects& subjects) {
    MOSRIG_CHECK(balancing.set_speeds(false));
    MOSRIG_TRY(Subjects more, start_copies(stage, run, 2));
    std::move(more.begin(), more.end(), std::back_inserter(subjects));
    MOSRIG_TRY(const Placement placement, await_leaving(stage, subjects));
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

}  // namespace

Result<void> play_balance(Stage& stage, const Description& description) {
    const Run& run = description.runs.front();
    stage.result.automatic_expected = run.automatic;
    Balancing balancing(stage);
    MOSRIG_CHECK(balancing.begin(run.slower_others));
    MOSRIG_TRY(Subjects subjects, start_copies(stage, run, run.copies));
    MOSRIG_CHECK(expect_before_request(stage, subjects.front().pid(), run.phases.front()));
    MOSRIG_CHECK(expect_answers(stage, run, subjects.front().pid()));
    if (run.busy) {
        MOSRIG_TRY(const std::string answer,
                   subjects.front().ask("BUSY", stage.soon("an answer to BUSY")));
        MOSRIG_CHECK(stage.require("it computes", answer == "OK", answer));
    }
    int by_hand = 0;
    if (run.automatic == Automatic::spreads) {
        MOSRIG_CHECK(expect_spread(stage, run, subjects));
    } else if (run.crowd_there > 0 && run.automatic == Automatic::stays) {
        MOSRIG_CHECK(expect_to_stay_there(stage, run, subjects));
        by_hand = 2;
    } else if (run.crowd_there > 0) {
        by_hand = 1;
        MOSRIG_CHECK(expect_return(stage, run, subjects.front()));
    } else if (run.hog) {
        MOSRIG_CHECK(expect_to_make_room(stage, subjects));
    } else if (run.crowd > 0) {
        MOSRIG_CHECK(expect_beside_crowd(stage, run, subjects));
    } else {
        MOSRIG_CHECK(expect_rest(stage, subjects, watch_time, "none of them moves"));
    }
    MOSRIG_TRY(Placement placement, look(stage, subjects));
    placement.moves -= by_hand;
    stage.result.automatic_seen = seen_of(placement, run);
    MOSRIG_TRY(const ProcessState state,
               read_process(stage.home(), subjects.front().pid(), stage.soon("its state")));
    show(stage.result, state);
    if (run.automatic == Automatic::stays && run.crowd == 0 && run.crowd_there == 0) {
        MOSRIG_CHECK(expect_awake(stage, balancing, run, subjects));
    }
    if (run.phases.front().manual == Answer::moves) {
        // Whoever is left alone may be asked to go: by hand it moves as any other.
        Subject& first = subjects.front();
        MOSRIG_CHECK(move_out_and_home(stage, first, first.pid(), run.phases.front(), true, true));
    }
    return finish_all(stage, subjects);
}

}  // namespace mosrig
