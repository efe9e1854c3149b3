// SPDX-License-Identifier: MIT
// Something that the first of several clusters makes and the last one ends.
#pragma once

#include <filesystem>
#include <functional>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace mosrig {

// Keeps, in a folder that goes with its last user, one file for each. A user is a state directory:
// one that is not there any more counts as gone.
class SharedUse {
  public:
    using Work = std::function<Result<void>()>;

    explicit SharedUse(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // Whether anybody uses it, or did and died.
    [[nodiscard]] bool in_use() const;
    // Adds a user, then runs `make_sure`, which nobody else does at the same time.
    Result<void> enter(const std::filesystem::path& user, const Work& make_sure);
    // Takes a user off. If it was the last, runs `end` and removes the folder; an error of `end`
    // leaves the folder. Not an error for one who never entered.
    Result<void> leave(const std::filesystem::path& user, const Work& end);

  private:
    [[nodiscard]] Result<Fd> lock() const;
    [[nodiscard]] std::filesystem::path file_of(const std::filesystem::path& user) const;
    [[nodiscard]] bool has_users() const;

    std::filesystem::path folder_;
};

}  // namespace mosrig
