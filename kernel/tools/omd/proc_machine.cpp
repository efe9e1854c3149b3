// SPDX-License-Identifier: GPL-2.0-only
#include "omd/proc_machine.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <sstream>

#include "common/file.h"
#include "common/hpc.h"
#include "common/map.h"
#include "common/process.h"

namespace mosrig {
namespace {

constexpr double worth_a_look = 0.05;  // demand from which on a process's files are read
// Most of a quiet node's tasks are the kernel's own, and a pid comes again only after all others.
constexpr std::int64_t kernel_thread_stays = 60'000'000'000;  // ns

std::int64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// On the clock of the start times in /proc.
policy::Millis boot_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

long number_of(const std::string& text, long otherwise) {
    char* end = nullptr;
    const long value = std::strtol(text.c_str(), &end, 10);
    return end == text.c_str() ? otherwise : value;
}

// "NAME:  VALUE kB" of meminfo, in pages.
policy::Pages memory(const std::string& meminfo, const std::string& name) {
    const std::size_t place = meminfo.find(name + ":");
    constexpr long kb_per_page = 4;
    return place == std::string::npos
               ? 0
               : static_cast<policy::Pages>(number_of(meminfo.substr(place + name.size() + 1), 0) /
                                            kb_per_page);
}

}  // namespace

ProcMachine::ProcMachine(std::string proc)
    : proc_(std::move(proc)), ms_per_tick_(1000.0 / static_cast<double>(::sysconf(_SC_CLK_TCK))) {}

std::string ProcMachine::file(pid_t pid, const char* name) const {
    return proc_ + "/" + std::to_string(pid) + "/" + name;
}

long ProcMachine::number(pid_t pid, const char* name, long otherwise) const {
    return number_of(read_text(file(pid, name)).value_or(""), otherwise);
}

long ProcMachine::admin_number(const char* name, long otherwise) const {
    const auto text = read_text(proc_ + "/hpc/admin/" + name);
    return text ? number_of(*text, otherwise) : otherwise;
}

Result<void> ProcMachine::ready() {
    if (auto text = read_text(proc_ + "/hpc/admin/speed"); !text) {
        return fail("this kernel does not balance (" + text.error().text + "): links only",
                    text.error().code);
    }
    return {};
}

AdminSettings ProcMachine::admin() const {
    AdminSettings admin;
    using Flag = std::pair<const char*, std::uint8_t>;
    for (const auto& [name, bit] :
         {Flag{"block", policy::flag_block}, Flag{"stay", policy::flag_stay},
          Flag{"lstay", policy::flag_lstay}, Flag{"quiet", policy::flag_quiet}}) {
        admin.flags =
            static_cast<std::uint8_t>(admin.flags | (admin_number(name, 0) != 0 ? bit : 0));
    }
    // No node of the cluster at the moment, whatever its daemon still hears and says: the kernel
    // would take nobody, and send nobody away.
    if (admin_number("mospe", 1) == 0) {
        admin.flags |= policy::flag_block | policy::flag_stay;
    }
    admin.speed = static_cast<std::uint32_t>(std::max(0L, admin_number("speed", 0)));
    admin.slow = static_cast<unsigned>(std::clamp(admin_number("slow-decay", 975), 1L, 1000L));
    admin.fast = static_cast<unsigned>(std::clamp(admin_number("fast-decay", 926), 1L, 1000L));
    admin.interval = 1000 * std::clamp(admin_number("decay-interval", 1), 1L, long{longest_decay});
    return admin;
}

Result<void> ProcMachine::set_speed(std::uint32_t speed) {
    return write_text(proc_ + "/hpc/admin/speed", std::to_string(speed) + "\n");
}

std::map<pid_t, std::uint32_t> ProcMachine::guests() const {
    std::map<pid_t, std::uint32_t> found;
    for (const std::uint32_t number : numbers_in(proc_ + "/hpc/remote")) {
        const auto pid = static_cast<pid_t>(number);
        const auto from =
            read_text(proc_ + "/hpc/remote/" + std::to_string(pid) + "/from").value_or("");
        if (const long home = number_of(from, 0); home > 0) {
            found[pid] = static_cast<std::uint32_t>(home);
        }
    }
    return found;
}

bool ProcMachine::is_guest(pid_t pid) const {
    return read_text(proc_ + "/hpc/remote/" + std::to_string(pid) + "/from").has_value();
}

policy::Observation ProcMachine::observe() {
    policy::Observation seen;
    admin_ = admin();
    const std::int64_t now = now_ns();
    constexpr double ns_per_ms = 1e6;
    const double span = last_ns_ == 0 ? 0 : static_cast<double>(now - last_ns_) / ns_per_ms;
    last_ns_ = now;
    count_node(seen);
    const auto all_guests = guests();
    std::erase_if(kernel_, [now](const auto& entry) { return entry.second <= now; });
    for (const std::uint32_t number : numbers_in(proc_)) {
        const auto pid = static_cast<pid_t>(number);
        if (pid != ::getpid() && !kernel_.contains(pid)) {
            count_task(pid, span, all_guests, seen);
        }
    }
    std::erase_if(followed_, [](const auto& entry) { return !entry.second.seen; });
    policy::Pages copies = 0;
    for (auto& [pid, task] : followed_) {
        task.seen = false;
        copies += task.away ? task.pages : 0;
    }
    // Of who is away a copy of his memory stays here. Nobody uses it: it goes to swap when somebody
    // wants the room.
    copies = std::min(copies, free_swap_);
    seen.load.mem += copies;
    seen.spare_swap = free_swap_ - copies;
    return seen;
}

void ProcMachine::count_node(policy::Observation& seen) {
    seen.load.cpus = static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    seen.load.speed = admin_.speed != 0 ? admin_.speed : policy::standard_speed;
    seen.load.flags = admin_.flags;
    const std::string meminfo = read_text(proc_ + "/meminfo").value_or("");
    seen.load.mem = memory(meminfo, "MemAvailable");
    seen.load.rmem = memory(meminfo, "MemFree");
    seen.load.tmem = memory(meminfo, "MemTotal");
    free_swap_ = memory(meminfo, "SwapFree");
    // cpu user nice system idle iowait irq softirq steal
    std::istringstream words(read_text(proc_ + "/stat").value_or(""));
    std::string name;
    words >> name;
    std::uint64_t total = 0;
    std::uint64_t idle = 0;
    for (int i = 0; i < 8; i++) {
        std::uint64_t value = 0;
        words >> value;
        total += value;
        idle += i == 3 || i == 4 ? value : 0;
    }
    const std::uint64_t busy = total - idle;
    if (total > total_ && total_ > 0 && busy >= busy_) {
        seen.load.util = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(100, (busy - busy_) * 100 / (total - total_)));
    }
    total_ = total;
    busy_ = busy;
}

void ProcMachine::count_task(pid_t pid, double span, const std::map<pid_t, std::uint32_t>& guests,
                             policy::Observation& seen) {
    const auto stat = parse_task_stat(read_text(file(pid, "stat")).value_or(""));
    if (!stat) {
        return;
    }
    if (stat->kernel) {
        kernel_[pid] = last_ns_ + kernel_thread_stays;
        return;
    }
    if (stat->state == 'Z') {
        return;
    }
    Followed& task = followed_[pid];
    if (task.start != stat->start) {
        task = {};
        task.start = stat->start;
    }
    task.seen = true;
    const double cpu = static_cast<double>(stat->user + stat->system) * ms_per_tick_;
    const bool quiet = cpu == task.cpu && stat->state != 'R';
    const bool guest = guests.contains(pid);
    if (!guest && stat->parent == ::getpid()) {
        return;  // a link of ours that becomes a stub: seen at its birth, it would look busy
    }
    if (quiet && !task.away && !guest) {
        return;  // sleeps: one read for it is enough
    }
    task.cpu = cpu;
    // Its CPU time is accounted here, but it is used up elsewhere. (-1 is nowhere else: the kernel
    // says so of all while the node is not configured.)
    task.away = !guest && number(pid, "where", 0) > 0;
    task.pages = stat->pages;
    if (task.away) {
        policy::ProcessView view;
        view.id = pid;
        view.start = stat->start;
        view.away = true;
        seen.processes.push_back(view);
        return;
    }
    const char state = stat->idle_class ? 'S' : stat->state;
    const double demand = std::min(task.counter.count(cpu, wanted(pid, *stat), state, span),
                                   static_cast<double>(stat->threads));
    if (demand < worth_a_look && !guest) {
        seen.other += demand;
        return;
    }
    policy::ProcessView view = view_of(pid, *stat);
    view.demand = demand;
    view.age = std::clamp<policy::Millis>(
        boot_ms() - static_cast<policy::Millis>(static_cast<double>(stat->start) * ms_per_tick_), 0,
        policy::old_age);
    view.cpu_time = static_cast<policy::Millis>(cpu);
    if (guest) {
        view.home = guests.at(pid);
        view.locked = false;  // its home knows, and refuses
        view.can_move = true;
    }
    seen.processes.push_back(view);
}

// What all its threads ran and waited for a CPU, in ms. One of the idle class may wait for ever
// without being in anybody's way: only what it gets counts.
std::optional<double> ProcMachine::wanted(pid_t pid, const TaskStat& stat) const {
    constexpr std::uint64_t most_threads =
        256;  // of more, the files take longer than they are worth
    if (stat.idle_class || stat.threads > most_threads) {
        return std::nullopt;
    }
    if (stat.threads == 1) {
        const auto text = read_text(file(pid, "schedstat"));
        return text ? parse_schedstat(*text) : std::nullopt;
    }
    double sum = 0;
    for (const std::uint32_t thread : numbers_in(file(pid, "task"))) {
        const std::string name = "task/" + std::to_string(thread) + "/schedstat";
        const auto text = read_text(file(pid, name.c_str()));
        sum += text ? parse_schedstat(*text).value_or(0) : 0;
    }
    return sum;
}

policy::ProcessView ProcMachine::view_of(pid_t pid, const TaskStat& stat) const {
    policy::ProcessView view;
    view.id = pid;
    view.start = stat.start;
    view.pages = stat.pages;
    const auto all = static_cast<double>(stat.user + stat.system);
    view.system_share = all > 0 ? static_cast<double>(stat.system) / all : 0;
    view.locked = number(pid, "lock", 1) != 0;
    view.can_move = stat.threads == 1 && read_text(file(pid, "cantmove")).value_or("?").empty();
    const auto values = parse_values(read_text(file(pid, "migstat")).value_or(""));
    const auto value = [&](const char* name) {
        const auto found = values.find(name);
        return found != values.end() ? found->second : std::string();
    };
    view.decay = parse_decay(value("decay_job"), value("decay_rate"), admin_.slow, admin_.fast,
                             admin_.interval);
    view.cleared = std::strtoull(value("decay_cleared_ns").c_str(), nullptr, 10);
    return view;
}

Result<void> ProcMachine::move(pid_t pid, std::uint32_t target, bool to_home) {
    const long before = number(pid, "nmigs", 0);
    auto asked = write_text(file(pid, "goto"),
                            to_home ? std::string("auto home") : fmt::format("auto {}", target));
    if (asked) {
        moves_before_[pid] = before;
    }
    return asked;
}

bool ProcMachine::cancel(pid_t pid) {
    moves_before_.erase(pid);
    // What is written to a guest's goto is a request to its home, and takes it there in spite of
    // its lock.
    if (is_guest(pid)) {
        return false;
    }
    // Where it is: for an own process that is not away, home.
    if (number(pid, "where", 1) == 0) {
        (void)write_text(file(pid, "goto"), "0");
    }
    return true;
}

Machine::Journey ProcMachine::journey(pid_t pid, std::uint32_t target) {
    // First whether it is on its way, then where it is, then how often it moved: read the other way
    // round, one that arrives in between has none of it, and would be taken for one that did not
    // go.
    const bool pending = number(pid, "goto", 0) != 0;
    const auto where = read_text(file(pid, "where"));
    const auto before = moves_before_.find(pid);
    const bool moved = before != moves_before_.end() && number(pid, "nmigs", 0) > before->second;
    const long place = where ? number_of(*where, 0) : 0;
    const bool there = where && place == static_cast<long>(target);
    Journey journey;
    if (where && !there && (pending || is_guest(pid))) {
        return journey;
    }
    if (there) {
        journey = cost_of_move(pid);
    } else if (!where || (moved && place != 0)) {
        journey.progress = Progress::done;  // a guest that has gone, or it ended on the way
    } else {
        journey.progress = moved ? Progress::returned : Progress::failed;
    }
    moves_before_.erase(pid);
    return journey;
}

// Its pages follow it for a while, and only then is it known what it was.
Machine::Journey ProcMachine::cost_of_move(pid_t pid) const {
    constexpr double ns_per_ms = 1e6;
    const auto migstat = parse_values(read_text(file(pid, "migstat")).value_or(""));
    const auto value = [&](const char* name) {
        const auto found = migstat.find(name);
        return found != migstat.end() ? number_of(found->second, 0) : 0L;
    };
    const long took = value("released_ns") - value("frozen_ns");
    Journey journey;
    journey.progress = Progress::done;
    journey.pages = static_cast<std::uint64_t>(std::max(0L, value("pages_out")));
    journey.follows = value("released_ns") == 0 && value("frozen_ns") > 0;
    if (took > 0 && !journey.follows) {
        journey.took = std::max(1L, std::lround(static_cast<double>(took) / ns_per_ms));
    }
    return journey;
}

bool ProcMachine::may_move(pid_t pid, uid_t user) {
    std::istringstream lines(read_text(file(pid, "status")).value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("Uid:")) {
            std::istringstream words(line.substr(4));
            uid_t real = 0;
            uid_t effective = 0;
            uid_t saved = 0;
            words >> real >> effective >> saved;
            // kill(2): the caller's real or effective id against the target's real or saved one.
            return words && (user == 0 || user == real || user == saved);
        }
    }
    return false;
}

std::uint32_t measure_speed() {
    // One multiplication and one addition, each waiting for the one before: five cycles of a
    // Pentium III, so 200 million a second at 1 GHz.
    constexpr double standard_per_ms = 200e3;
    constexpr int rounds = 20;
    constexpr std::uint32_t steps = 400'000;
    double best = 0;
    volatile std::uint32_t sink = 1;
    for (int round = 0; round < rounds; round++) {
        const std::int64_t begin = now_ns();
        std::uint32_t value = sink;
        for (std::uint32_t i = 0; i < steps; i++) {
            value = value * 1664525U + 1013904223U;
            asm volatile("" : "+r"(value));  // not several steps in one
        }
        sink = value;
        const double ms = static_cast<double>(now_ns() - begin) / 1e6;
        best = std::max(best, ms > 0 ? steps / ms : 0);
    }
    const double speed = best / standard_per_ms * policy::standard_speed;
    return static_cast<std::uint32_t>(std::clamp(speed, 1.0, 1e8));
}

}  // namespace mosrig
