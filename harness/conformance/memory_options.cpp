// SPDX-License-Identifier: MIT
//
// An option of the kernel that is on but idle tests nothing: that what may fill or move a page
// behind a process's back is really at it while the case runs.
#include <fmt/format.h>

#include <array>
#include <map>
#include <sstream>

#include "harness/conformance/stage.h"

namespace mosrig {

namespace {

// Counts since the node came up, of /proc/vmstat; and how many pages are merged now.
constexpr std::array<const char*, 3> counters = {"pswpout", "thp_fault_alloc", "numa_hint_faults"};
constexpr const char* merged = "pages_shared";

using Counts = std::map<std::string, std::int64_t>;

Result<Counts> read_counts(Stage& stage, Machine& machine) {
    MOSRIG_TRY(const std::vector<Result<std::string>> files,
               machine.read_files({"/proc/vmstat", fmt::format("/sys/kernel/mm/ksm/{}", merged)},
                                  stage.soon("the memory counters of " + machine.name())));
    MOSRIG_TRY(const std::string vmstat, files.at(0));
    Counts counts;
    std::istringstream lines(vmstat);
    std::int64_t value = 0;
    for (std::string name; lines >> name >> value;) {
        counts[name] = value;
    }
    // Without page merging in the kernel there is no such file.
    counts[merged] = std::strtoll(files.at(1).value_or("0").c_str(), nullptr, 10);
    return counts;
}

// What of `since` has not risen, in words; empty if all has.
std::string idle_options(const Counts& since, const Counts& now) {
    std::string idle;
    const auto at = [](const Counts& counts, const char* name) {
        const auto found = counts.find(name);
        return found == counts.end() ? 0 : found->second;
    };
    for (const char* name : counters) {
        if (at(now, name) <= at(since, name)) {
            idle += fmt::format("{} stays {} ", name, at(now, name));
        }
    }
    return at(now, merged) > 0 ? idle : idle + fmt::format("{} is 0", merged);
}

}  // namespace

Result<std::vector<Subject>> prove_memory_options(Stage& stage, const Run& run) {
    std::vector<Subject> others;
    for (Machine* machine : stage.machines()) {
        MOSRIG_TRY(const Counts since, read_counts(stage, *machine));
        if (machine != &stage.home()) {
            MOSRIG_TRY(Subject other, Subject::start(*machine, resolve_command(run.command), 0,
                                                     workload_environment(),
                                                     stage.soon("the program's start elsewhere")));
            MOSRIG_CHECK(other.ready(stage.deadline("READY elsewhere", Millis(10000))));
            others.push_back(std::move(other));
        }
        std::string idle;
        MOSRIG_CHECK(comes_true(
            stage.deadline("the memory options in use on " + machine->name(), Millis(60000)),
            [&]() -> Result<bool> {
                MOSRIG_TRY(const Counts now, read_counts(stage, *machine));
                idle = idle_options(since, now);
                return idle.empty();
            },
            Millis(200)));
        stage.check(
            fmt::format("swap, huge pages, NUMA balancing and page merging are at work on {}",
                        machine->name()),
            idle.empty(), idle);
    }
    return others;
}

}  // namespace mosrig
