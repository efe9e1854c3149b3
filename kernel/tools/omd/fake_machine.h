// SPDX-License-Identifier: GPL-2.0-only
// A node of the tests' own: busy loops that move from one to the other at once.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "omd/machine.h"

namespace mosrig {

class FakeMachine final : public Machine {
  public:
    struct Task {
        pid_t pid;
        std::uint32_t home = 0;  // 0: here
        bool locked = false;
        policy::Millis cpu_time = 20000;
        bool held = false;  // a guest that its home does not let go
    };
    std::vector<Task> tasks;
    policy::NodeLoad load;
    bool balances = true;
    int move_error = 0;
    bool sticky = false;  // processes take a request but do not go
    // Where a process goes to: called with it once it has left.
    std::map<std::uint32_t, FakeMachine*> others;
    std::uint32_t self = 0;
    unsigned moves = 0;
    unsigned cancelled = 0;
    unsigned looks = 0;
    std::vector<Progress> steps;  // what the next looks at a journey show
    int follows = 0;              // looks until the last page has gone; -1 after that

    FakeMachine() {
        load.cpus = 1;
        load.tmem = 100000;
        load.mem = 90000;
        load.rmem = 80000;
    }

    Result<void> ready() override {
        return balances ? Result<void>{} : fail_errno("no /proc/hpc/admin", ENOENT);
    }
    policy::Observation observe() override {
        looks++;
        policy::Observation seen;
        seen.load = load;
        seen.spare_swap = load.tmem;
        for (const Task& task : tasks) {
            policy::ProcessView view;
            view.id = task.pid;
            view.start = 1;
            view.home = task.home;
            view.locked = task.locked;
            view.demand = 1;
            view.cpu_time = task.cpu_time;
            view.pages = 100;
            seen.processes.push_back(view);
        }
        return seen;
    }
    Result<void> move(pid_t pid, std::uint32_t target, bool /*to_home*/) override {
        if (move_error != 0) {
            return fail_errno("goto", move_error);
        }
        const auto task = std::find_if(tasks.begin(), tasks.end(),
                                       [&](const Task& one) { return one.pid == pid; });
        if (task == tasks.end()) {
            return fail_errno("goto", ESRCH);
        }
        if (sticky || task->held) {
            return {};
        }
        Task gone = *task;
        tasks.erase(task);
        gone.home = gone.home == 0 ? self : gone.home;
        gone.home = gone.home == target ? 0 : gone.home;
        others.at(target)->tasks.push_back(gone);
        moves++;
        return {};
    }
    bool cancel(pid_t pid) override {
        cancelled++;
        return std::none_of(tasks.begin(), tasks.end(),
                            [&](const Task& task) { return task.pid == pid && task.home != 0; });
    }
    Journey journey(pid_t pid, std::uint32_t /*target*/) override {
        if (!steps.empty()) {
            const Progress step = steps.front();
            steps.erase(steps.begin());
            return {step, 0, 0, false};
        }
        const bool here = std::any_of(tasks.begin(), tasks.end(),
                                      [&](const Task& task) { return task.pid == pid; });
        if (!here && follows > 0) {
            follows--;
            return {Progress::done, 0, 0, true};
        }
        follows -= here ? 0 : 1;
        return {here ? Progress::under_way : Progress::done, 100, 20, false};
    }
    bool may_move(pid_t /*pid*/, uid_t user) override { return user == 0; }
};

}  // namespace mosrig
