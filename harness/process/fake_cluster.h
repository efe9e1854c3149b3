// SPDX-License-Identifier: MIT
// Two nodes played on this host: programs are real, only their moves are pretended. A test can make
// it lie as a broken kernel would.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/process/machine.h"

namespace mosrig {

class FakeCluster {
  public:
    // Ways to be wrong.
    struct Faults {
        bool lock_not_inherited = false;
        bool moves_whatever_holds_it = false;
        bool two_bodies = false;
        bool body_survives_kill = false;
        bool never_arrives = false;
        bool comes_home_by_itself = false;
        bool stays_away_whatever_comes = false;
    };

    // `workloads`: folder of the guest programs, built for this host as well.
    explicit FakeCluster(std::filesystem::path workloads);
    ~FakeCluster();
    FakeCluster(const FakeCluster&) = delete;
    FakeCluster& operator=(const FakeCluster&) = delete;
    FakeCluster(FakeCluster&&) = delete;
    FakeCluster& operator=(FakeCluster&&) = delete;

    [[nodiscard]] Machines machines() const;

    Faults faults;

  private:
    friend class FakeMachine;

    struct State {
        int lock = 0;
        int where = 0;
        std::int64_t nmigs = 0;
        std::int64_t clock = 1000;
        std::string home_reason = "none";
    };

    // State of a process; one not seen before has the lock of its parent.
    State& state(std::int64_t pid);
    // A process that gets a reason for staying while it is away comes home.
    void bring_home(std::int64_t pid);
    // errno of a request.
    int request(std::int64_t pid, int node, int user);
    [[nodiscard]] static std::vector<std::string> reasons(std::int64_t pid);
    // Content of a file of ours under /proc/PID, or of the real one.
    Result<std::string> read(const std::string& path);
    // What `cat /proc/*/stat` gives on the guest.
    std::string bodies();
    Result<std::unique_ptr<Program>> start(std::vector<std::string> argv,
                                           const StartOptions& options);

    std::filesystem::path workloads_;
    std::map<std::int64_t, State> states_;
    std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace mosrig
