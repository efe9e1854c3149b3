// SPDX-License-Identifier: MIT
#include "harness/conformance/footprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "harness/conformance/printed.h"

namespace mosrig {

namespace {

// Links are made anew, and what RCU and sockets put off is done in its own time: a connection that
// was closed is remembered for a minute.
constexpr Millis settling_time(90000);
constexpr Millis between_looks(500);
constexpr std::int64_t page_kib = 4;
// Of a cache, so few are no loss: looks at an idle node were seen to differ by 16.
constexpr std::int64_t objects_at_hand = 32;
// To begin with, enough looks for each cache to be seen with nothing at hand.
constexpr int first_looks = 5;
// There where a kernel has its checkers: of them all, this one has a file.
constexpr const char* lock_checker = "/sys/module/lockdep/parameters/prove_locking";

// The objects of each cache, as /proc/slabinfo lists them, without those that the node keeps only
// because nobody needs the room. Each cache is shrunk and counted at once: of what a CPU has of it
// all counts as given out, and even to open a file makes the CPU take whole slabs. What each open
// file of that kind leaves, 96 bytes, RCU frees in its own time, unless memory is asked for: so the
// cache that it is of is counted first of all. Names are dropped only if they were not used since
// the last time that was tried, and the daemon looks some up each second: so that is tried some
// times, and they are counted right after. A kernel that holds back what was freed would look
// through all of that for each cache: there it is as it is.
// What /sys says of a cache takes itself room for a number of each memory node, and with that a
// slab of a small cache: of those the list tells, which a program reads that waits for their
// shrinking. To open a file of /sys so that it would be cut gives it, the first time, an object of
// its own that it keeps: so they are opened to append.
constexpr const char* list_objects_script = R"(
cd /sys/kernel/slab || exit
list() {
    while read -r name active objects size rest; do
        if [ -e "$name/shrink" ] && ! [ -e "$1" ]; then
            exec 3<"$name/objects" 4>>"$name/shrink" || exit
            echo 1 >&4 && read -r active rest <&3 || exit
            exec 3<&- 4>&-
        fi
        echo "$name $active $objects $size"
    done
}
echo 3 >/proc/sys/vm/drop_caches && sleep 0.2 || exit
names='^[a-z0-9_]*(dentry|inode)'
small='^kmalloc-(8|16) '
opened='^kmalloc-96 '
{
    if ! [ -e "$1" ]; then
        exec 3>>kmalloc-8/shrink 4>>kmalloc-16/shrink && sleep 0.2 && echo 1 >&3 && echo 1 >&4
    fi
} | cat - /proc/slabinfo | grep -E "$small" || exit
{ grep "$opened" /proc/slabinfo; grep -vE "$names|$small|$opened" /proc/slabinfo; } |
    list "$1" || exit
for turn in 1 2 3 4; do echo 3 >/proc/sys/vm/drop_caches || exit; done
sleep 0.1
grep -E "$names" /proc/slabinfo | list "$1"
)";

Result<std::string> list_objects(Machine& machine, const Deadline& deadline) {
    MOSRIG_TRY(CommandResult result,
               machine.run({"sh", "-c", list_objects_script, "sh", lock_checker}, deadline, 0));
    if (!result.ok()) {
        return infra_error(fmt::format("the kernel's caches of {} cannot be counted: {}",
                                       machine.name(), result.err));
    }
    return std::move(result.out);
}

// Each mapping of a process that computes for a second is given an object by the balancing of
// memory between its node's zones: the daemons' in the first minutes, some 70 that nobody lost. So
// it rests from the first look to the last, where a kernel has it; whether it was on is given back.
// A case that does not come to its last look leaves it so.
constexpr const char* memory_balancing = "/proc/sys/kernel/numa_balancing";

Result<std::string> rest_memory_balancing(Stage& stage, Machine& machine) {
    const Deadline deadline = stage.deadline("the balancing of memory", Millis(20000));
    MOSRIG_TRY(const std::vector<Result<std::string>> files,
               machine.read_files({memory_balancing}, deadline));
    if (!files.front()) {
        return std::string();
    }
    MOSRIG_CHECK(stage.write_text(machine, memory_balancing, "0"));
    return *files.front();
}

// Free pages that the CPUs keep at hand, which MemFree leaves out: after a burst there are many.
std::int64_t stocked_kib(const std::string& zones) {
    const std::string word = "count:";
    std::int64_t pages = 0;
    for (size_t at = zones.find(word); at != std::string::npos; at = zones.find(word, at + 1)) {
        pages += std::strtoll(zones.c_str() + at + word.size(), nullptr, 10);
    }
    return pages * page_kib;
}

Result<Footprint> measure(Stage& stage, Machine& machine) {
    const Deadline deadline = stage.deadline("the footprint of " + machine.name(), Millis(20000));
    FootprintFiles parts;
    MOSRIG_TRY(parts.slabs, list_objects(machine, deadline));
    MOSRIG_TRY(const std::vector<Result<std::string>> files,
               machine.read_files({"/proc/meminfo", "/proc/net/sockstat", "/proc/zoneinfo",
                                   "/proc/hpc/stats", lock_checker},
                                  deadline));
    MOSRIG_TRY(parts.memory, files.at(0));
    MOSRIG_TRY(parts.sockets, files.at(1));
    MOSRIG_TRY(parts.zones, files.at(2));
    MOSRIG_TRY(parts.moves, files.at(3));
    MOSRIG_TRY(const std::vector<TaskStat> tasks, list_tasks(machine, deadline));
    Footprint print = parse_footprint(parts, tasks);
    print.holds_back = files.at(4).has_value();
    return print;
}

// The names of which there are more than before.
std::string added(const Footprint& before, const Footprint& now) {
    std::string names;
    for (const auto& [name, count] : now.processes) {
        const auto was = before.processes.find(name);
        if (was == before.processes.end() || count > was->second) {
            names += (names.empty() ? "" : " ") + name;
        }
    }
    return names;
}

// What the merging of pages remembers of a process goes as that comes by; what a file system
// remembers of a page, once the page is written and nobody maps it, as who keeps the log does; and
// what names a part of the kernel's own address space, as a stack, when many can go at once.
bool goes_in_its_own_time(const std::string& cache) {
    return cache.rfind("ksm_", 0) == 0 || cache == "buffer_head" || cache == "vmap_area";
}

using Counts = std::map<std::string, std::int64_t>;

// The caches that have grown by so much or more, the most first, with by how much, in brackets;
// empty if there is none.
std::string grown(const Counts& before, const Counts& now, std::int64_t at_least) {
    std::vector<std::pair<std::int64_t, std::string>> all;
    for (const auto& [name, count] : now) {
        const auto was = before.find(name);
        const std::int64_t more = count - (was == before.end() ? 0 : was->second);
        if (more >= at_least) {
            all.emplace_back(more, name);
        }
    }
    std::sort(all.rbegin(), all.rend());
    std::string names;
    for (const auto& [more, name] : all) {
        names += fmt::format("{}{} {}", names.empty() ? "" : ", ", name, more);
    }
    return names.empty() ? names : "(" + names + ") ";
}

std::string figures(const Footprint& before, const Footprint& now) {
    constexpr std::int64_t worth_telling = 20;
    return fmt::format(
        "free {} -> {} KiB, slab {} -> {} KiB, sockets {} -> {}, processes {} -> {}, objects more "
        "{}",
        before.free_kib, now.free_kib, before.slab_kib, now.slab_kib, before.sockets, now.sockets,
        before.count_processes(), now.count_processes(),
        grown(before.objects, now.objects, worth_telling));
}

}  // namespace

std::int64_t Footprint::count_processes() const {
    std::int64_t all = 0;
    for (const auto& [name, count] : processes) {
        all += count;
    }
    return all;
}

bool Footprint::keep_fewest(const Footprint& earlier) {
    if (sockets != earlier.sockets || count_processes() != earlier.count_processes()) {
        return false;
    }
    for (auto& [name, count] : objects) {
        const auto was = earlier.objects.find(name);
        count = was == earlier.objects.end() ? count : std::min(count, was->second);
    }
    return true;
}

Slack slack_for_failures(int failures) {
    Slack slack;
    slack.objects = std::max<std::int64_t>(failures, objects_at_hand);
    return slack;
}

Slack slack_for_moves(int copies, int times) {
    constexpr int many = 100;
    return {768, 192, copies >= many ? copies : static_cast<std::int64_t>(copies) * times};
}

Footprint parse_footprint(const FootprintFiles& files, const std::vector<TaskStat>& tasks) {
    Footprint print;
    print.free_kib = number_after(files.memory, "MemFree:") + stocked_kib(files.zones);
    print.slab_kib = number_after(files.memory, "SUnreclaim:");
    print.sockets = number_after(files.sockets, "sockets: used");
    for (const char* what : {"links", "bodies", "states"}) {
        print.held[what] = number_after(files.moves, fmt::format("\n{} ", what));
    }
    std::istringstream lines(files.slabs);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        std::int64_t active = 0;
        std::int64_t objects = 0;
        std::int64_t size = 0;
        if (words >> name >> active >> objects >> size) {
            print.caches_kib[name] = objects * size / 1024;
            if (!goes_in_its_own_time(name)) {
                print.objects[name] = active;
            }
        }
    }
    for (const TaskStat& task : tasks) {
        // Workers of the kernel come and go as it likes.
        if (task.ppid != 2 && task.pid != 2) {
            ++print.processes[task.comm];
        }
    }
    return print;
}

std::string leaks(const Footprint& before, const Footprint& now, const Slack& slack) {
    // KASAN keeps freed objects in a quarantine that may grow to a share of all memory; after a
    // boot it has hardly begun to. What leaks is told by a kernel without it.
    constexpr Slack held_back{16384, 16384};
    const std::int64_t memory_slack_kib =
        before.holds_back ? std::max(slack.memory_kib, held_back.memory_kib) : slack.memory_kib;
    const std::int64_t slab_slack_kib =
        before.holds_back ? std::max(slack.slab_kib, held_back.slab_kib) : slack.slab_kib;
    std::string text;
    if (const std::string names = added(before, now); !names.empty()) {
        text += fmt::format("more processes ({}) ", names);
    }
    for (const auto& [what, count] : now.held) {
        if (const std::int64_t more = count - before.held.at(what); more > 0) {
            text += fmt::format("{} {} more ", more, what);
        }
    }
    if (now.sockets > before.sockets) {
        text += fmt::format("{} sockets more ", now.sockets - before.sockets);
    }
    if (now.slab_kib > before.slab_kib + slab_slack_kib) {
        text += fmt::format("{} KiB of slab more {}", now.slab_kib - before.slab_kib,
                            grown(before.caches_kib, now.caches_kib, page_kib));
    }
    const std::string lost =
        before.holds_back ? "" : grown(before.objects, now.objects, slack.objects);
    text += lost.empty() ? "" : "objects more " + lost;
    if (now.free_kib < before.free_kib - memory_slack_kib) {
        text += fmt::format("{} KiB of memory less ", before.free_kib - now.free_kib);
    }
    return text;
}

Result<Footprints> take_footprints(Stage& stage) {
    Footprints prints;
    for (Machine* machine : stage.machines()) {
        MOSRIG_TRY(const std::string balancing, rest_memory_balancing(stage, *machine));
        Footprint& print = prints[machine->name()];
        MOSRIG_TRY(print, measure(stage, *machine));
        // While a used link is being replaced, there is less than there is to be afterwards.
        int lasting = 1;
        MOSRIG_CHECK(comes_true(
            stage.deadline("a lasting state of " + machine->name(), settling_time),
            [&]() -> Result<bool> {
                const Footprint last = print;
                MOSRIG_TRY(print, measure(stage, *machine));
                lasting = print.keep_fewest(last) ? lasting + 1 : 1;
                return lasting >= first_looks;
            },
            between_looks));
        print.balancing = balancing;
    }
    return prints;
}

Result<void> expect_nothing_left(Stage& stage, const Footprints& before, const Machines& machines,
                                 const Slack& slack) {
    for (Machine* machine : machines) {
        const Footprint& was = before.at(machine->name());
        Footprint now;
        MOSRIG_CHECK(comes_true(
            stage.deadline("the end of all of it on " + machine->name(), settling_time),
            [&]() -> Result<bool> {
                const Footprint last = now;
                MOSRIG_TRY(now, measure(stage, *machine));
                now.keep_fewest(last);
                return leaks(was, now, slack).empty();
            },
            between_looks));
        stage.check(fmt::format("{} is where it was: memory, slab, sockets, processes, links",
                                machine->name()),
                    leaks(was, now, slack).empty(), leaks(was, now, slack) + figures(was, now));
        if (!was.balancing.empty()) {
            MOSRIG_CHECK(stage.write_text(*machine, memory_balancing, was.balancing));
        }
    }
    return {};
}

}  // namespace mosrig
