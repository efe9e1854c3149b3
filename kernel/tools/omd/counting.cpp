// SPDX-License-Identifier: GPL-2.0-only
#include "omd/counting.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

namespace mosrig {

std::optional<TaskStat> parse_task_stat(const std::string& line) {
    constexpr std::uint64_t kernel_thread = 0x00200000;  // PF_KTHREAD
    const std::size_t close = line.rfind(')');
    if (close == std::string::npos) {
        return std::nullopt;
    }
    // From the state on, field 3 of proc(5).
    std::istringstream rest(line.substr(close + 1));
    TaskStat stat;
    rest >> stat.state;
    // A field may be larger than any signed number.
    std::vector<std::uint64_t> fields;
    constexpr std::size_t wanted_fields = 38;
    for (std::string word; fields.size() < wanted_fields && rest >> word;) {
        fields.push_back(word.starts_with('-') ? 0 : std::strtoull(word.c_str(), nullptr, 10));
    }
    if (fields.size() < wanted_fields) {
        return std::nullopt;
    }
    const auto field = [&](std::size_t number) { return fields[number - 4]; };
    stat.kernel = (field(9) & kernel_thread) != 0;
    stat.parent = static_cast<std::int64_t>(field(4));
    stat.user = field(14);
    stat.system = field(15);
    stat.threads = std::max<std::uint64_t>(1, field(20));
    stat.start = field(22);
    stat.pages = field(24);
    stat.idle_class = field(41) == SCHED_IDLE;
    return stat;
}

std::optional<double> parse_schedstat(const std::string& line) {
    std::istringstream words(line);
    double ran = 0;
    double waited = 0;
    if (!(words >> ran >> waited)) {
        return std::nullopt;
    }
    constexpr double nanoseconds = 1e6;
    return (ran + waited) / nanoseconds;
}

policy::Decay parse_decay(const std::string& job, const std::string& rate, unsigned slow,
                          unsigned fast, policy::Millis interval) {
    constexpr double permille = 1000;
    policy::Decay decay;
    decay.interval = interval;
    decay.keep = slow / permille;
    if (job == "cpu") {
        decay.job = policy::Decay::Job::cpu;
    } else if (job == "io") {
        decay.job = policy::Decay::Job::io;
    }
    std::istringstream words(rate);
    std::string kind;
    words >> kind;
    if (kind == "fast") {
        decay.keep = fast / permille;
    } else if (kind == "none") {
        decay.keep = 1;
    } else if (kind == "own") {
        double keep = 0;
        double seconds = 0;
        if (words >> keep >> seconds && keep <= permille && seconds > 0) {
            decay.keep = keep / permille;
            decay.interval = static_cast<policy::Millis>(seconds * 1000);
        }
    }
    return decay;
}

double DemandCounter::count(double cpu, std::optional<double> wanted, char state, double span) {
    constexpr double shortest = 90;  // ms: with ticks of ten an answer is right to a tenth
    const double time = left_over_ + span;
    if (known_ && time < shortest) {
        left_over_ = time;
        return demand_;
    }
    double demand = 0;
    if (!known_) {
        // It may be a moment old and have waited all of it.
        demand = state == 'R'
                     ? 1
                     : std::min(1.0, std::max(cpu, wanted.value_or(0)) / std::max(shortest, span));
    } else {
        const double waited = wanted && wanted_ ? *wanted - *wanted_ : 0;
        demand = std::max(cpu - cpu_, waited) / time;
        // Without the waiting time: who used the CPU and is about to again, wants it all.
        if (!wanted && state == 'R' && cpu > cpu_) {
            demand = std::max(demand, 1.0);
        }
    }
    known_ = true;
    cpu_ = cpu;
    wanted_ = wanted;
    left_over_ = 0;
    demand_ = std::max(0.0, demand);
    return demand_;
}

}  // namespace mosrig
