// SPDX-License-Identifier: MIT
// What the nodes looked like when a wait ran out: for each process that is away, a guest, or under
// test where it sleeps and in which call, its migstat, the connections, and the last trace events.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "harness/base/result.h"
#include "harness/deadline/deadline.h"
#include "harness/process/machine.h"

namespace mosrig {

class Scene {
  public:
    using MakeDeadline = std::function<Deadline(std::string, Millis)>;

    // Nothing is written before a watched deadline expires; the folder of `file` is made then.
    Scene(Machines machines, MakeDeadline deadline, std::filesystem::path file);

    // The same deadline, which records the scene when it runs out: once, the first time.
    [[nodiscard]] Deadline watch(Deadline deadline) const;

    // Empty until something was recorded.
    [[nodiscard]] std::filesystem::path recorded() const;
    // What was recorded is of no interest.
    void forget();

  private:
    struct State {
        Machines machines;
        MakeDeadline deadline;
        std::filesystem::path file;
        bool recorded = false;
        void record(const std::string& why);
    };
    // Deadlines may outlive the scene that watches them.
    std::shared_ptr<State> state_;
};

// Switches the kernel's trace events of migration on, where it has them.
Result<void> trace_moves(Machine& machine, const Deadline& deadline);

}  // namespace mosrig
