// SPDX-License-Identifier: MIT
//
// Real programs: one run at home, one under moves; output and status must be the same.
#include "harness/conformance/programs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "harness/conformance/printed.h"
#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr Millis run_time(240000);
constexpr const char* end_of_program = "the end of the program";
// A round of moves begins this long after the one before, if the node is fast enough.
constexpr Millis round_time(400);
// Each second has a move, as nearly as that can be seen: at the look that follows it.
constexpr double moves_a_second = 0.8;
// One that was asked, in vain, a few times in a row is not under continuous moves. As each second
// is one by the clock on the wall, so are these.
constexpr double still_at_most = 3;
// Seconds that a process has to live to be counted: one move is due by then.
constexpr double long_enough = 1 / moves_a_second;
// The kernel keeps so much of a process's name: TASK_COMM_LEN without its end.
constexpr size_t longest_name = 15;
// Home makes so many calls at least for one that is to prove that none brings it home.
constexpr std::int64_t calls_enough = 20;

Result<std::unique_ptr<Program>> start(Stage& stage, const Run& run) {
    StartOptions options;
    options.user = run.user;
    options.directory = std::string("/");
    options.environment = workload_environment();
    return stage.home().start(resolve_command(run.command), stage.soon("the program's start"),
                              options);
}

double seconds(Clock::time_point begin, Clock::time_point end) {
    return std::chrono::duration<double>(end - begin).count();
}

// One process under one name.
struct Life {
    Clock::time_point first;
    Clock::time_point last;
    std::int64_t moves_at_first = 0;
    std::int64_t moves_at_last = 0;
    std::vector<Clock::time_point> moved;  // when a look found that it had
    std::set<int> reached;                 // where it then was

    explicit Life(const Look& look)
        : first(look.at), last(look.at), moves_at_first(look.moves), moves_at_last(look.moves) {}

    void add(const Look& look) {
        if (look.moves > moves_at_last) {
            moved.push_back(look.at);
            reached.insert(look.where);
        }
        last = look.at;
        moves_at_last = look.moves;
    }
};

// Lives of one name. Where none of them was lived, nobody could move.
Unrest add_up(std::vector<Life> lives) {
    Unrest unrest;
    std::vector<Clock::time_point> moved;
    for (const Life& life : lives) {
        unrest.moves += life.moves_at_last - life.moves_at_first;
        moved.insert(moved.end(), life.moved.begin(), life.moved.end());
        unrest.reached.insert(life.reached.begin(), life.reached.end());
    }
    std::sort(moved.begin(), moved.end());
    std::sort(lives.begin(), lives.end(),
              [](const Life& one, const Life& other) { return one.first < other.first; });
    for (auto life = lives.begin(); life != lives.end();) {
        const Clock::time_point begin = life->first;
        Clock::time_point end = begin;
        for (; life != lives.end() && life->first <= end; ++life) {
            end = std::max(end, life->last);
        }
        Clock::time_point still_since = begin;
        const auto stir = [&](Clock::time_point moment) {
            unrest.longest_still = std::max(unrest.longest_still, seconds(still_since, moment));
            still_since = moment;
        };
        std::for_each(std::upper_bound(moved.begin(), moved.end(), begin),
                      std::upper_bound(moved.begin(), moved.end(), end), stir);
        stir(end);
        unrest.seconds += seconds(begin, end);
    }
    return unrest;
}

// Moves every process of a family to the next node, again and again.
class Agitator {
  public:
    Agitator(Stage& stage, std::int64_t root) : stage_(stage), root_(root) {}

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
            if (state && state->stat.state != 'Z') {
                met_.insert(pid);
                looks_.push_back({Clock::now(), pid, state->stat.comm, state->nmigs, state->where});
            }
            if (state && pid == root_) {
                show(stage_.result, *state);
            }
        }
        return {};
    }

    [[nodiscard]] size_t processes() const { return met_.size(); }
    [[nodiscard]] const std::vector<Look>& looks() const { return looks_; }

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
    std::set<std::int64_t> met_;
    std::vector<Look> looks_;
};

// What is named has itself moved, all the time that there was one of that name, and over all nodes.
// Others of the family wait for it, and are not moved while they sleep.
void expect_each_moved(Stage& stage, const std::vector<Look>& looks, const std::string& pattern) {
    const std::map<std::string, Unrest> names = unrest_of(looks, pattern);
    stage.check(fmt::format("some {} ran for long enough to be moved", pattern), !names.empty());
    double longest_still = 0;
    for (const auto& [name, unrest] : names) {
        longest_still = std::max(longest_still, unrest.longest_still);
        stage.check(
            fmt::format("{} moves each second, and never stays for {} s", name, still_at_most),
            unrest.each_second() && unrest.longest_still <= still_at_most,
            fmt::format("{} moves in {:.1f} s, still for {:.1f} s at most", unrest.moves,
                        unrest.seconds, unrest.longest_still));
        const size_t nodes = stage.machines().size();
        if (unrest.goes_round(nodes)) {
            stage.check(
                fmt::format("{} itself comes to each of {} nodes", name, nodes),
                unrest.reached.size() == nodes,
                fmt::format("{} moves, to {}", unrest.moves, fmt::join(unrest.reached, ", ")));
        }
    }
    stage.result.message +=
        fmt::format(", {} without a move for {:.1f} s at most", pattern, longest_still);
}

// The moves so far of all processes of a node. Nothing but the case moves any, and what a process
// does between a look at it and its end counts as well.
struct Moves {
    std::int64_t out = 0;
    std::int64_t home = 0;

    [[nodiscard]] std::int64_t all() const { return out + home; }
};

Result<Moves> count_moves(Stage& stage) {
    MOSRIG_TRY(const std::string text, stage.read_text(stage.home(), "/proc/hpc/stats"));
    const Migstat stats = parse_migstat(text);
    return Moves{stats.number("moves_out").value_or(0), stats.number("moves_home").value_or(0)};
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
    MOSRIG_TRY(const Moves before, count_moves(stage));
    MOSRIG_TRY(const auto arrivals, count_arrivals(stage));
    MOSRIG_TRY(const std::unique_ptr<Program> program, start(stage, run));
    Agitator agitator(stage, program->pid());
    MOSRIG_TRY(const Printed moved, follow(*program, stage.deadline(end_of_program, run_time),
                                           round_time, [&agitator] { return agitator.round(); }));
    expect_same(stage, still, moved);
    MOSRIG_TRY(const Moves after, count_moves(stage));
    const std::int64_t moves = after.all() - before.all();
    const std::string figures =
        fmt::format("{} moves of {} processes in {:.1f} s, still {:.1f} s", moves,
                    agitator.processes(), moved.seconds, still.seconds);
    stage.result.message = figures;
    stage.result.nmigs = moves;
    stage.result.seen = moves > 0 ? Answer::moves : Answer::none;
    MOSRIG_CHECK(expect_arrivals(stage, arrivals));
    if (!run.each_moves.empty()) {
        expect_each_moved(stage, agitator.looks(), run.each_moves);
    }
    if (!run.each_goes.empty()) {
        const std::vector<std::string> stayed =
            left_still(agitator.looks(), run.each_goes,
                       std::vector<std::string>(run.command.begin() + 1, run.command.end()));
        stage.check("each that the command names has moved", stayed.empty(),
                    fmt::format("{}", fmt::join(stayed, " ")));
    }
    stage.check("there was a move at least each second",
                moves > 1 && static_cast<double>(moves) >= moves_a_second * moved.seconds, figures);
    return {};
}

// The run that nobody moves. At some look of it, it is as the phase says: what starts another
// program has reasons to stay for a moment.
Result<Printed> play_still(Stage& stage, const Run& run) {
    const Phase& phase = run.phases.front();
    MOSRIG_TRY(const std::unique_ptr<Program> program, start(stage, run));
    bool as_stated = false;
    std::string seen = "never seen";
    const auto look = [&]() -> Result<void> {
        if (as_stated) {
            return {};
        }
        const Result<ProcessState> now =
            read_process(stage.home(), program->pid(), stage.soon("the still run"));
        if (now && now->stat.state != 'Z') {
            seen = fmt::format("cantmove {}, lock {}, where {}", join_words(now->cantmove),
                               now->lock, now->where);
            as_stated =
                now->cantmove == phase.cantmove && now->lock == phase.lock && now->where == 0;
        }
        return {};
    };
    MOSRIG_TRY(
        const Printed still,
        follow(*program, stage.deadline("the end of the still run", run_time), Millis(100), look));
    if (still.lines.size() == 1 && still.lines.front().rfind("SKIP ", 0) == 0) {
        return stage.skip(still.lines.front().substr(5));
    }
    stage.check(fmt::format("left alone, it is at home, its cantmove is {}, and its lock {}",
                            join_words(phase.cantmove), phase.lock),
                as_stated, seen);
    // What fails alike at home and away has compared nothing.
    stage.check(
        fmt::format("at home it prints and ends with status {}", run.status),
        still.status == run.status && !still.lines.empty(),
        fmt::format("{}, {} lines in {:.1f} s", still.status, still.lines.size(), still.seconds));
    return still;
}

// One move at the beginning: after that no call of the process may bring it home, until its end.
Result<void> play_settled(Stage& stage, const Run& run, const Printed& still) {
    MOSRIG_TRY(const Moves before, count_moves(stage));
    MOSRIG_TRY(const std::unique_ptr<Program> program, start(stage, run));
    MOSRIG_TRY(const std::int64_t pid,
               await_named(stage, program->pid(), run.stays_away,
                           stage.deadline("a process named " + run.stays_away, Millis(20000))));
    MOSRIG_TRY(ProcessState last, move_to(stage, pid, stage.guest().id(), 0, true));
    stage.result.seen = Answer::moves;
    int looks = 0;
    bool stayed = true;
    const auto look = [&]() -> Result<void> {
        Result<ProcessState> now = read_process(stage.home(), pid, stage.soon("where it is"));
        // Between its last line and the end of its output it may be gone. As it ends it is nowhere
        // any more, without a move.
        const bool ends =
            !now || now->stat.state == 'Z' || (now->where == 0 && now->nmigs == last.nmigs);
        // Of one that came home, the first look that finds it so is shown.
        if (stayed && !ends) {
            last = std::move(*now);
            stayed = last.where == stage.guest().id() && last.nmigs == 1;
            ++looks;
        }
        return {};
    };
    MOSRIG_TRY(const Printed moved,
               follow(*program, stage.deadline(end_of_program, run_time), Millis(100), look));
    show(stage.result, last);
    expect_same(stage, still, moved);
    stage.check("no call brought it home", stayed,
                fmt::format("where {}, nmigs {}, home_reason {}", last.where, last.nmigs,
                            home_reason(last)));
    MOSRIG_TRY(const Moves after, count_moves(stage));
    stage.check("nor did any after the last look: it ended away", after.home == before.home,
                fmt::format("{} moves home", after.home - before.home));
    const std::int64_t calls = last.migstat.number("calls_forwarded").value_or(0);
    stage.check(fmt::format("home made {} calls for it, or more", calls_enough),
                calls >= calls_enough, std::to_string(calls));
    stage.check("it ran long enough to be looked at", looks >= 5,
                fmt::format("{} looks in {:.1f} s", looks, moved.seconds));
    return {};
}

}  // namespace

bool Unrest::each_second() const {
    return static_cast<double>(moves) >= std::floor(moves_a_second * seconds);
}

bool Unrest::goes_round(size_t nodes) const {
    return moves >= 2 * static_cast<std::int64_t>(nodes);
}

std::map<std::string, Unrest> unrest_of(const std::vector<Look>& looks,
                                        const std::string& pattern) {
    std::map<std::string, std::map<std::int64_t, Life>> lives;
    for (const Look& look : looks) {
        if (::fnmatch(pattern.c_str(), look.name.c_str(), 0) == 0) {
            lives[look.name].try_emplace(look.pid, look).first->second.add(look);
        }
    }
    std::map<std::string, Unrest> names;
    for (const auto& [name, processes] : lives) {
        std::vector<Life> counted;
        for (const auto& [pid, life] : processes) {
            if (seconds(life.first, life.last) >= long_enough) {
                counted.push_back(life);
            }
        }
        if (!counted.empty()) {
            names[name] = add_up(std::move(counted));
        }
    }
    return names;
}

std::vector<std::string> left_still(const std::vector<Look>& looks, const std::string& prefix,
                                    const std::vector<std::string>& words) {
    std::set<std::string> moved;
    for (const Look& look : looks) {
        if (look.moves > 0) {
            moved.insert(look.name);
        }
    }
    std::vector<std::string> still;
    std::copy_if(words.begin(), words.end(), std::back_inserter(still),
                 [&](const std::string& word) {
                     return moved.count((prefix + word).substr(0, longest_name)) == 0;
                 });
    return still;
}

Result<void> play_program(Stage& stage, const Description& description) {
    for (const Run& run : description.runs) {
        MOSRIG_TRY(const Printed still, play_still(stage, run));
        MOSRIG_CHECK(run.stays_away.empty() ? play_restless(stage, run, still)
                                            : play_settled(stage, run, still));
    }
    return {};
}

}  // namespace mosrig
