// SPDX-License-Identifier: MIT
//
// What a case has to show beside its verdict: that away is time and not an instant, that the CPU
// time is counted where it belongs, that memory follows on demand.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

constexpr std::int64_t tick_ns = 10000000;
constexpr double second_ns = 1e9;

// The three clocks of a process that is away, read as close together as can be.
struct Reading {
    NodeTime guest;
    NodeTime home;
    std::int64_t body_ns = 0;        // CPU time of the body, as its own node counts it
    std::int64_t body_least_ns = 0;  // the same, shortly before home's figure was told
    std::int64_t body_ticks = 0;     // its utime alone
    std::int64_t home_ns = 0;        // utime+stime of the process at home
    std::int64_t home_own_ns = 0;    // CPU time of the task at home alone
    std::int64_t unseen_ns = 0;      // what bodies may have used beyond that as they left
};

// Those that count of a process that has no body.
Result<Reading> read_at_home(Stage& stage, std::int64_t pid) {
    const Deadline deadline = stage.soon("the CPU times at home");
    MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
    Reading reading;
    reading.home_ns = state.stat.cpu_ticks() * tick_ns;
    MOSRIG_TRY(reading.home_own_ns, read_exec_ns(stage.home(), pid, deadline));
    return reading;
}

Result<Reading> read_clocks(Stage& stage, Machine& node, std::int64_t pid, std::int64_t body) {
    const Deadline deadline = stage.soon("the CPU times of both nodes");
    Reading reading;
    MOSRIG_TRY(reading.guest, read_node_time(node, deadline));
    MOSRIG_TRY(reading.home, read_node_time(stage.home(), deadline));
    // The body reports what it consumed now and then, and home's figure jumps with each report:
    // only right after one are the two of the same moment. It came after the look before the last.
    std::int64_t reported = -1;
    std::int64_t before = 0;
    MOSRIG_CHECK(wait_until(
        deadline,
        [&]() -> Result<bool> {
            const std::int64_t last = reported;
            reading.body_least_ns = before;
            MOSRIG_TRY(before, read_exec_ns(node, body, deadline));
            MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
            reading.home_ns = state.stat.cpu_ticks() * tick_ns;
            reported = state.migstat.number("away_cpu_ns").value_or(0);
            return last >= 0 && reported > last;
        },
        Millis(5)));
    MOSRIG_TRY(reading.body_ns, read_exec_ns(node, body, deadline));
    MOSRIG_TRY(reading.home_own_ns, read_exec_ns(stage.home(), pid, deadline));
    MOSRIG_TRY(const std::vector<Result<std::string>> files,
               node.read_files({fmt::format("/proc/{}/stat", body)}, deadline));
    MOSRIG_TRY(const std::string line, files.at(0));
    MOSRIG_TRY(const TaskStat stat, parse_stat(line));
    reading.body_ticks = stat.utime;
    return reading;
}

double in_seconds(std::int64_t nanoseconds) {
    return static_cast<double>(nanoseconds) / second_ns;
}

// A node's CPU figures count ticks, and a node that its host starves loses most of them, while the
// time of a task is taken from a clock. So ticks are compared with ticks, and clocks with clocks.
void check_away_time(Stage& stage, const Reading& start, const Reading& end, double away) {
    const std::int64_t guest_user = (end.guest.user - start.guest.user) * tick_ns;
    const std::int64_t guest_counted = (end.guest.counted - start.guest.counted) * tick_ns;
    const std::int64_t guest_up = (end.guest.up - start.guest.up) * tick_ns;
    const std::int64_t home_user = (end.home.user - start.home.user) * tick_ns;
    const std::int64_t body_user = (end.body_ticks - start.body_ticks) * tick_ns;
    const std::int64_t body = end.body_ns - start.body_ns;
    stage.check("over 90 % of the time it is away", away > 0.9,
                fmt::format("{:.1f} % of {:.1f} s", 100 * away, in_seconds(guest_up)));
    stage.check("its body has the other node's CPU for over half of that time", body * 2 > guest_up,
                fmt::format("{:.2f} of {:.2f} s", in_seconds(body), in_seconds(guest_up)));
    stage.check("its body's user time grows there as its CPU time does", body_user * 2 > body,
                fmt::format("{:.2f} s of {:.2f} s", in_seconds(body_user), in_seconds(body)));
    const std::string figures =
        fmt::format("other node {:.2f} s of {:.2f} s that it counted, home {:.2f} s in user mode",
                    in_seconds(guest_user), in_seconds(guest_counted), in_seconds(home_user));
    stage.check("the other node's own figures show its CPU in user mode for over half of it",
                guest_user * 2 > guest_counted && guest_user > 0, figures);
    stage.check("home's CPU does not compute it as well", home_user < guest_user, figures);
}

// What getrusage() tells the process itself, taken between two readings of what it and its body
// consumed.
struct Usage {
    std::int64_t least = 0;
    std::int64_t told = 0;
    std::int64_t most = 0;
};

Result<Usage> read_usage(Stage& stage, Subject& subject, Machine& node, std::int64_t body) {
    const auto consumed = [&]() -> Result<std::int64_t> {
        const Deadline deadline = stage.soon("the CPU times of process and body");
        MOSRIG_TRY(const std::int64_t away, read_exec_ns(node, body, deadline));
        MOSRIG_TRY(const std::int64_t own, read_exec_ns(stage.home(), subject.pid(), deadline));
        return away + own;
    };
    Usage usage;
    MOSRIG_TRY(usage.least, consumed());
    MOSRIG_TRY(const std::string line, subject.ask("USAGE", stage.soon("an answer to USAGE")));
    MOSRIG_TRY(usage.most, consumed());
    const std::string head = "USAGE ";
    if (line.rfind(head, 0) != 0) {
        return infra_error(fmt::format("the answer to USAGE is '{}'", line));
    }
    usage.told = std::strtoll(line.c_str() + head.size(), nullptr, 10);
    return usage;
}

void check_usage(Stage& stage, const Usage& start, const Usage& end) {
    const std::int64_t told = end.told - start.told;
    const std::int64_t least = end.least - start.most;
    const std::int64_t most = end.most - start.least;
    stage.check("getrusage() tells the process what it and its body consumed, within 1 %",
                told * 100 >= least * 99 && told * 100 <= most * 101,
                fmt::format("told {:.3f} s, consumed {:.3f} to {:.3f} s", in_seconds(told),
                            in_seconds(least), in_seconds(most)));
}

// What the process shows at home must be what the task there and its body consumed together. The
// task at home has a share of its own: it waits upon the body's calls.
void check_cpu_time(Stage& stage, const char* when, const Reading& start, const Reading& end) {
    const std::int64_t shown = end.home_ns - start.home_ns;
    const std::int64_t own = end.home_own_ns - start.home_own_ns;
    const std::int64_t least = own + end.body_least_ns - start.body_ns;
    const std::int64_t most = own + end.body_ns + end.unseen_ns - start.body_least_ns;
    stage.check(
        fmt::format("utime+stime at home count the body's CPU time, {}, within 1 %", when),
        shown * 100 >= least * 99 && shown * 100 <= most * 101,
        fmt::format("shown {:.3f} s, consumed {:.3f} to {:.3f} s, {:.3f} s of it at home",
                    in_seconds(shown), in_seconds(least), in_seconds(most), in_seconds(own)));
}

// Home again, the process keeps what its body consumed, with what came after the last look: at most
// the time that passed since.
Result<void> check_kept_time(Stage& stage, std::int64_t pid, const Reading& start,
                             const Reading& last, Clock::time_point looked) {
    const Deadline deadline = stage.soon("the CPU times at home");
    MOSRIG_TRY(const ProcessState state, read_process(stage.home(), pid, deadline));
    MOSRIG_TRY(const std::int64_t exec_ns, read_exec_ns(stage.home(), pid, deadline));
    const std::int64_t shown = state.stat.cpu_ticks() * tick_ns - start.home_ns;
    const std::int64_t least = exec_ns - start.home_own_ns + last.body_ns;
    const std::int64_t most =
        least + last.unseen_ns + std::chrono::nanoseconds(Clock::now() - looked).count();
    stage.check("utime+stime keep the body's CPU time once it is home again, within 1 %",
                shown * 100 >= least * 99 && shown * 100 <= most * 101,
                fmt::format("shown {:.3f} s, consumed {:.3f} to {:.3f} s", in_seconds(shown),
                            in_seconds(least), in_seconds(most)));
    return {};
}

// What is known of one that goes from node to node.
struct Course {
    std::optional<Usage> start;
    Usage usage;
    Reading last;                 // with what its earlier bodies used
    std::int64_t left_ns = 0;     // all that its bodies used, at the last look of all
    std::int64_t left_at_ns = 0;  // home's clock before that look, and ours
    Clock::time_point looked;
    std::int64_t unseen_ns = 0;  // what they may have used after their last looks
};

// Stays on that node until its body there has used so much time.
Result<void> stay(Stage& stage, Subject& subject, Machine& node, double wanted_ns, Course& course) {
    MOSRIG_TRY(const std::int64_t body, find_body(stage, node, subject.pid()));
    if (!course.start) {
        MOSRIG_TRY(course.start, read_usage(stage, subject, node, body));
    }
    const Deadline window = stage.deadline("CPU time of the body", Millis(20000));
    std::int64_t used = 0;
    while (static_cast<double>(used) < wanted_ns && !window.expired()) {
        MOSRIG_CHECK(expect_intact(stage, subject, "computing on " + node.name()));
        MOSRIG_TRY(used, read_exec_ns(node, body, stage.soon("the CPU time of the body")));
    }
    MOSRIG_TRY(course.usage, read_usage(stage, subject, node, body));
    course.usage.least += course.left_ns;
    course.usage.most += course.left_ns + course.unseen_ns;
    // Figures that a starved node takes its time for are not of one moment: once more.
    const Deadline patience = stage.deadline("CPU times of one moment", Millis(10000));
    do {
        MOSRIG_TRY(course.last, read_clocks(stage, node, subject.pid(), body));
    } while ((course.last.body_ns - course.last.body_least_ns) * 100 > course.last.body_ns &&
             !patience.expired());
    course.last.unseen_ns = course.unseen_ns;
    course.last.body_ns += course.left_ns;
    course.last.body_least_ns += course.left_ns;
    MOSRIG_TRY(const NodeTime time, read_node_time(stage.home(), stage.soon("home's clock")));
    course.left_at_ns = time.up * tick_ns;
    course.looked = Clock::now();
    MOSRIG_TRY(used, read_exec_ns(node, body, stage.soon("the CPU time of the body")));
    course.left_ns += used;
    return {};
}

Result<Machine*> machine_at(Stage& stage, int id) {
    const Machines& machines = stage.machines();
    const auto found = std::find_if(machines.begin(), machines.end(),
                                    [id](const Machine* machine) { return machine->id() == id; });
    if (found == machines.end()) {
        return infra_error(fmt::format("there is no node {}", id));
    }
    return *found;
}

}  // namespace

Result<std::int64_t> find_body(Stage& stage, Machine& machine, std::int64_t pid) {
    MOSRIG_TRY(const std::vector<TaskStat> tasks,
               list_tasks(machine, stage.soon("the list of processes")));
    const auto found =
        std::find_if(tasks.begin(), tasks.end(),
                     [name = body_name(pid)](const TaskStat& task) { return task.comm == name; });
    if (found == tasks.end()) {
        return infra_error(fmt::format("no body of {} on {}", pid, machine.name()));
    }
    return found->pid;
}

Result<void> prove_away_time(Stage& stage, Subject& subject, bool cpu_time) {
    const std::int64_t pid = subject.pid();
    const int guest = stage.guest().id();
    MOSRIG_TRY(const ProcessState before,
               read_process(stage.home(), pid, stage.soon("the state of the process")));
    MOSRIG_TRY(const Reading at_home, read_at_home(stage, pid));
    MOSRIG_CHECK(move_to(stage, pid, guest, 0, false));
    MOSRIG_TRY(const std::int64_t body, find_body(stage, stage.guest(), pid));
    Usage usage;
    if (cpu_time) {
        MOSRIG_TRY(usage, read_usage(stage, subject, stage.guest(), body));
    }
    MOSRIG_TRY(const Reading start, read_clocks(stage, stage.guest(), pid, body));

    Reading end = start;
    int looks = 0;
    int running = 0;
    std::chrono::duration<double> all{0};
    std::chrono::duration<double> away{0};
    Clock::time_point last = Clock::now();
    Clock::time_point looked = last;
    // Long enough for 10 s of the body's own time, also where two nodes share a CPU of the host.
    const Deadline window = stage.deadline("10 s of CPU time of the body", Millis(20000));
    const double wanted_ns = cpu_time ? 12 * second_ns : 3 * second_ns;
    while (static_cast<double>(end.body_ns - start.body_ns) < wanted_ns && !window.expired()) {
        MOSRIG_CHECK(expect_intact(stage, subject, fmt::format("away, look {}", looks + 1)));
        MOSRIG_TRY(const ProcessState now,
                   read_process(stage.home(), pid, stage.soon("the state of the process")));
        ++looks;
        running += now.stat.state == 'R' ? 1 : 0;
        const std::chrono::duration<double> passed = Clock::now() - last;
        last += std::chrono::duration_cast<Clock::duration>(passed);
        all += passed;
        // With no more moves than before the first look, it was away between the looks, too.
        const bool stayed = now.where == guest && now.nmigs == before.nmigs + 1;
        away += stayed ? passed : passed * 0;
        MOSRIG_CHECK(stage.require("it stays away while it computes and answers", stayed,
                                   fmt::format("where {}, nmigs {}", now.where, now.nmigs)));
        looked = Clock::now();
        MOSRIG_TRY(end, read_clocks(stage, stage.guest(), pid, body));
    }
    check_away_time(stage, start, end, away / all);
    stage.check("home shows it as running, not as what its deputy does", running * 10 >= looks * 8,
                fmt::format("{} of {} looks", running, looks));
    if (cpu_time) {
        MOSRIG_TRY(const Usage now, read_usage(stage, subject, stage.guest(), body));
        check_usage(stage, usage, now);
        stage.check("the run away is long enough to count to 1 %",
                    in_seconds(end.body_ns - start.body_ns) > 10,
                    fmt::format("{:.2f} s", in_seconds(end.body_ns - start.body_ns)));
        check_cpu_time(stage, "while away", start, end);
        check_cpu_time(stage, "from before the move on", at_home, end);
    }
    MOSRIG_CHECK(move_to(stage, pid, 0, 0, false));
    if (cpu_time) {
        MOSRIG_CHECK(check_kept_time(stage, pid, at_home, end, looked));
    }
    return expect_intact(stage, subject, "home again");
}

Result<void> prove_cpu_time_onward(Stage& stage, Subject& subject, const std::vector<int>& route) {
    const std::int64_t pid = subject.pid();
    // Over 10 s of the bodies' own time together.
    const double wanted_ns = 12 * second_ns / static_cast<double>(route.size() + 1);
    MOSRIG_TRY(const Reading at_home, read_at_home(stage, pid));
    MOSRIG_TRY(ProcessState state, move_to(stage, pid, stage.guest().id(), 0, false));
    Course course;
    MOSRIG_CHECK(stay(stage, subject, stage.guest(), wanted_ns, course));
    for (const int node : route) {
        MOSRIG_TRY(state, move_on(stage, pid, node, 0, state.nmigs));
        // Of what a body used between the last look and its end only the clock tells.
        course.unseen_ns += state.migstat.number("frozen_ns").value_or(0) - course.left_at_ns;
        MOSRIG_TRY(Machine * machine, machine_at(stage, node));
        MOSRIG_CHECK(stay(stage, subject, *machine, wanted_ns, course));
    }
    check_usage(stage, *course.start, course.usage);
    stage.check("the way is long enough to count to 1 %", in_seconds(course.last.body_ns) > 10,
                fmt::format("{:.2f} s", in_seconds(course.last.body_ns)));
    check_cpu_time(stage, "from before the move out, over all nodes", at_home, course.last);
    MOSRIG_CHECK(move_to(stage, pid, 0, 0, false));
    course.last.body_ns = course.left_ns;
    MOSRIG_CHECK(check_kept_time(stage, pid, at_home, course.last, course.looked));
    return expect_intact(stage, subject, "home again");
}

void prove_demand_paging(Stage& stage) {
    const Migstat migstat{stage.result.migstat};
    const auto number = [&migstat](const char* name) { return migstat.number(name).value_or(-1); };
    constexpr std::int64_t whole_pages = 256LL << 8;
    const std::int64_t at_resume = number("pages_out_at_resume");
    const std::int64_t faults = number("demand_faults");
    const std::int64_t pages = number("pages_out");
    stage.check("pages were fetched on demand", faults > 0, std::to_string(faults));
    stage.check("it ran before a tenth of its 256 MiB had arrived",
                at_resume >= 0 && at_resume * 10 < whole_pages, std::to_string(at_resume));
    stage.check("all of its memory went out", pages >= whole_pages, std::to_string(pages));
}

}  // namespace mosrig
