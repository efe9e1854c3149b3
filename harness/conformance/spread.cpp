// SPDX-License-Identifier: MIT
#include "harness/conformance/spread.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace mosrig {

namespace {

// How often the nodes tell each other their load (omd.conf's default), and how many such periods an
// overload may last that is to be seen.
constexpr Millis information_period(1000);
constexpr int periods_of_overload = 2;
// In /proc/hpc/nodes/N/load: one runnable process a CPU of standard speed; and that there are more.
constexpr int full_load = 100;
constexpr int overloaded = full_load + full_load / 4;
// A look that took longer is no excuse.
constexpr Millis longest_look(500);

double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
}

// The promise is in real time. A debug kernel is slow by intent, and is given what its slowness
// asks for.
Result<Millis> allowed_time(Stage& stage, Millis look) {
    MOSRIG_TRY(const std::string release,
               stage.read_text(stage.home(), "/proc/sys/kernel/osrelease"));
    const Millis promised = periods_of_overload * information_period + look;
    return release.find("-debug") != std::string::npos ? stage.deadline("", promised).total()
                                                       : promised;
}

// The fewest moves from all at home to where they shall be.
std::int64_t least_moves(const Run& run, const Crew& crew, size_t nodes) {
    const size_t stay = run.best.empty() ? (crew.size() + nodes - 1) / nodes
                                         : static_cast<size_t>(run.best.front());
    return static_cast<std::int64_t>(crew.size() - std::min(stay, crew.size()));
}

}  // namespace

Result<void> OverloadWatch::look() {
    MOSRIG_TRY(const std::string text,
               stage_.read_text(stage_.home(),
                                fmt::format("/proc/hpc/nodes/{}/load", stage_.home().id())));
    const Clock::time_point now = Clock::now();
    if (std::atoi(text.c_str()) >= overloaded) {
        first_ = first_.value_or(now);
        since_ = since_.value_or(now);
    } else if (!last_start_) {
        since_.reset();
    }
    return {};
}

Clock::time_point OverloadWatch::promised_from() const {
    return std::max(since_.value_or(*last_start_), *last_start_);
}

std::string OverloadWatch::words() const {
    const auto before = [this](Clock::time_point then) {
        return std::chrono::duration<double>(*last_start_ - then).count();
    };
    if (!first_) {
        return "before the overload was told";
    }
    const double told = before(since_.value_or(*first_));
    return told >= 0 ? fmt::format("the overload was told {:.1f} s before that", told)
                     : fmt::format("the overload was told {:.1f} s after that", -told);
}

Result<void> expect_spread(Stage& stage, const Run& run, const Crew& crew,
                           OverloadWatch& overload) {
    const size_t nodes = stage.machines().size();
    Placement placement;
    Clock::time_point looked = Clock::now();
    Millis between(0);
    MOSRIG_TRY(const bool spread,
               comes_true(
                   stage.deadline("the best placement", spreading_time),
                   [&]() -> Result<bool> {
                       MOSRIG_CHECK(overload.look());
                       MOSRIG_TRY(placement, look(stage, crew));
                       const Clock::time_point now = Clock::now();
                       between = std::chrono::duration_cast<Millis>(now - looked);
                       looked = now;
                       return run.best.empty() ? placement.even(nodes)
                                               : placement.is(run.best, stage.machines());
                   },
                   Millis(100)));
    const double after = seconds_since(overload.promised_from());
    stage.result.message = fmt::format("{} {:.1f} s after the last start; {}", placement.words(),
                                       seconds_since(overload.last_start()), overload.words());
    stage.check(run.best.empty() ? "no node has two more of them than another"
                                 : "each node has what its speed asks for",
                spread, stage.result.message);
    const std::int64_t least = least_moves(run, crew, nodes);
    // The promise is about one process for each node.
    if (run.best.empty() && least < static_cast<std::int64_t>(nodes)) {
        MOSRIG_TRY(const Millis allowed, allowed_time(stage, std::min(between, longest_look)));
        const double limit = static_cast<double>(allowed.count()) / 1000;
        stage.check(fmt::format("that took at most {} periods of information and a look ({:.1f} s) "
                                "from when all were there and it could be seen",
                                periods_of_overload, limit),
                    after <= limit, fmt::format("{:.1f} s; {}", after, stage.result.message));
    }
    const std::int64_t more = run.extra_moves.value_or(static_cast<int>((least + 3) / 4));
    stage.check(fmt::format("that took {} moves at least and {} more at most", least, more),
                placement.moves >= least && placement.moves <= least + more, stage.result.message);
    return expect_rest(stage, crew, Millis(run.quiet_s * 1000), "then none of them moves");
}

}  // namespace mosrig
