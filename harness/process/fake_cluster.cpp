// SPDX-License-Identifier: MIT
#include "harness/process/fake_cluster.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <csignal>
#include <iterator>
#include <regex>
#include <utility>

#include "harness/process/local_program.h"
#include "harness/process/mover.h"
#include "harness/process/process_state.h"
#include "harness/process/subject.h"

namespace mosrig {

namespace {

constexpr int guest_id = 2;

std::string real_file(std::int64_t pid, const char* name) {
    return read_text_file(fmt::format("/proc/{}/{}", pid, name)).value_or("");
}

}  // namespace

class FakeMachine final : public Machine {
  public:
    FakeMachine(FakeCluster& cluster, int id) : cluster_(cluster), id_(id) {}

    [[nodiscard]] std::string name() const override { return fmt::format("node{}", id_); }
    [[nodiscard]] int id() const override { return id_; }

    Result<CommandResult> run(const std::vector<std::string>& argv, const Deadline& deadline,
                              int user) override {
        if (argv.front() == "migrate") {
            const std::int64_t pid = std::stoll(argv.at(3));
            const int node = argv.at(4) == "home" ? 0 : std::stoi(argv.at(4));
            const int error = cluster_.request(pid, node, user);
            const std::string why = fmt::format("migrate: {}: {}: {}\n", pid, errno_name(error),
                                                fmt::join(FakeCluster::reasons(pid), " "));
            return CommandResult{error == 0 ? 0 : 1, "", error == 0 ? "" : why};
        }
        if (argv.front() == "moswhy") {
            return CommandResult{
                0,
                fmt::format("({})\n",
                            fmt::join(FakeCluster::reasons(std::stoll(argv.at(1))), ") (")),
                ""};
        }
        return run_subprocess(argv, deadline);
    }

    Result<std::string> read_all(const std::string& name, const Deadline& deadline) override {
        if (id_ == guest_id) {
            return cluster_.bodies();
        }
        const std::string script = fmt::format("cat /proc/[0-9]*/{} 2>/dev/null; :", name);
        return run_subprocess({"sh", "-c", script}, deadline).map([](CommandResult&& listing) {
            return std::move(listing.out);
        });
    }

    Result<std::unique_ptr<Program>> start(const std::vector<std::string>& argv,
                                           const Deadline& /*deadline*/,
                                           const StartOptions& options) override {
        return cluster_.start(argv, options);
    }

    Result<std::vector<Result<std::string>>> read_files(const std::vector<std::string>& paths,
                                                        const Deadline& /*deadline*/) override {
        std::vector<Result<std::string>> files;
        files.reserve(paths.size());
        for (const std::string& path : paths) {
            files.push_back(cluster_.read(path));
        }
        return files;
    }

    Result<int> write_file(const std::string& path, std::string_view data,
                           const Deadline& /*deadline*/, int user) override {
        static const std::regex file("/proc/([0-9]+)/(goto|lock)");
        std::smatch match;
        if (!std::regex_match(path, match, file)) {
            return ENOENT;
        }
        const std::int64_t pid = std::stoll(match[1]);
        const int value = std::stoi(std::string(data));
        if (match[2] == "goto") {
            return cluster_.request(pid, value, user);
        }
        if (user != 0) {
            return EPERM;
        }
        cluster_.state(pid).lock = value;
        return 0;
    }

    Result<std::unique_ptr<Terminal>> open_terminal(TerminalSize /*size*/,
                                                    const Deadline& /*deadline*/) override {
        return usage_error("nobody can log in on a machine that is played");
    }

    Result<int> send_signal(std::int64_t pid, int signal, const Deadline& /*deadline*/) override {
        return ::kill(static_cast<pid_t>(pid), signal) == 0 ? 0 : errno;
    }

  private:
    FakeCluster& cluster_;
    int id_;
};

FakeCluster::FakeCluster(std::filesystem::path workloads) : workloads_(std::move(workloads)) {
    machines_.push_back(std::make_unique<FakeMachine>(*this, 1));
    machines_.push_back(std::make_unique<FakeMachine>(*this, guest_id));
}

FakeCluster::~FakeCluster() = default;

Machines FakeCluster::machines() const {
    return {machines_.at(0).get(), machines_.at(1).get()};
}

FakeCluster::State& FakeCluster::state(std::int64_t pid) {
    const auto found = states_.find(pid);
    if (found != states_.end()) {
        return found->second;
    }
    State fresh;
    const Result<TaskStat> stat = parse_stat(real_file(pid, "stat"));
    const auto parent = stat ? states_.find(stat->ppid) : states_.end();
    if (parent != states_.end() && !faults.lock_not_inherited) {
        fresh.lock = parent->second.lock;
    }
    return states_[pid] = fresh;
}

std::vector<std::string> FakeCluster::reasons(std::int64_t pid) {
    std::vector<std::string> words;
    if (pid == 1) {
        return {"system"};
    }
    if (real_file(pid, "maps").find("/SYSV") != std::string::npos) {
        words.emplace_back("monkey");
    }
    const std::string status = real_file(pid, "status");
    if (std::regex_search(status, std::regex("VmLck:\\s+[1-9]"))) {
        words.emplace_back("mem_lock");
    }
    if (!std::regex_search(status, std::regex("Threads:\\s+[01]\n"))) {
        words.emplace_back("clone_vm");
    }
    return words;
}

int FakeCluster::request(std::int64_t pid, int node, int user) {
    if (real_file(pid, "stat").empty()) {
        return ESRCH;
    }
    if (user != 0) {
        return EPERM;
    }
    if (!faults.moves_whatever_holds_it && node != 0 && !reasons(pid).empty()) {
        return EBUSY;
    }
    State& moved = state(pid);
    if (moved.where != node && !faults.never_arrives) {
        moved.where = node;
        moved.home_reason = "none";
        moved.clock += 1000;
        ++moved.nmigs;
    }
    return 0;
}

void FakeCluster::bring_home(std::int64_t pid) {
    State& known = state(pid);
    const std::vector<std::string> words = reasons(pid);
    if (known.where != 0 && !words.empty() && !faults.moves_whatever_holds_it &&
        !faults.stays_away_whatever_comes) {
        known.where = 0;
        ++known.nmigs;
        known.home_reason = "reason:" + words.front();
    }
}

Result<std::string> FakeCluster::read(const std::string& path) {
    static const std::regex file("/proc/([0-9]+)/(lock|cantmove|where|goto|nmigs|migstat)");
    std::smatch match;
    if (!std::regex_match(path, match, file)) {
        return read_text_file(path);
    }
    const std::int64_t pid = std::stoll(match[1]);
    if (real_file(pid, "stat").empty()) {
        return tl::unexpected(Error{ErrorKind::remote, "no such process", {}, {}, ESRCH});
    }
    bring_home(pid);
    State& known = state(pid);
    const std::string name = match[2];
    if (name == "lock") {
        return fmt::format("{}\n", known.lock);
    }
    if (name == "cantmove") {
        return fmt::format("{}\n", fmt::join(reasons(pid), "\n"));
    }
    if (name == "where") {
        const int where = known.where;
        if (faults.comes_home_by_itself) {
            known.where = 0;
        }
        return fmt::format("{}\n", where);
    }
    if (name == "goto") {
        return std::string("0\n");
    }
    if (name == "nmigs") {
        return fmt::format("{}\n", known.nmigs);
    }
    return fmt::format(
        "state {}\nhome_reason {}\nrequested_ns {}\nprepared_ns {}\nfrozen_ns {}\nresumed_ns {}\n"
        "released_ns {}\n",
        known.where == 0 ? "home" : "away", known.home_reason, known.clock, known.clock + 1,
        known.clock + 2, known.clock + 5, known.clock + 9);
}

std::string FakeCluster::bodies() {
    // A node always has some process, or its list could not be believed.
    std::string list = "1 (init) S 0 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 0 0 0\n";
    for (const auto& [pid, known] : states_) {
        const bool alive = !real_file(pid, "stat").empty() || faults.body_survives_kill;
        for (int copy = 0; known.where != 0 && alive && copy < (faults.two_bodies ? 2 : 1);
             ++copy) {
            list += fmt::format("{} (remote({})) R 2 1 1 0 -1 0 0 0 0 0 5 5 0 0 20 0 1 0 0 0 0\n",
                                700 + copy, pid);
        }
    }
    return list;
}

Result<std::unique_ptr<Program>> FakeCluster::start(std::vector<std::string> argv,
                                                    const StartOptions& options) {
    int lock = 0;
    if (argv.front() == "mosrun") {
        lock = argv.at(1) == "-h" ? 1 : 0;
        argv.erase(argv.begin(), argv.begin() + 2);
    }
    for (std::string& word : argv) {
        const std::filesystem::path local = workloads_ / std::filesystem::path(word).filename();
        if (std::filesystem::is_regular_file(local)) {
            word = local.string();
        }
    }
    std::vector<std::string> environment = options.environment;
    for (std::string& setting : environment) {
        if (setting.rfind("PATH=", 0) == 0) {
            setting = fmt::format("PATH={}:/usr/bin:/bin", workloads_.string());
        }
    }
    MOSRIG_TRY(std::unique_ptr<Program> program, LocalProgram::start(argv, environment));
    states_[program->pid()] = State{};
    states_[program->pid()].lock = lock;
    return program;
}

}  // namespace mosrig
