// SPDX-License-Identifier: MIT
// How restless the processes of a name were, as far as looks at them tell: somebody moved them on
// all the time, and it must have come to moves.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/deadline/deadline.h"

namespace mosrig {

// One look at one process.
struct Look {
    Clock::time_point at;
    std::int64_t pid = 0;
    std::string name;
    std::int64_t moves = 0;  // of the process so far
    int where = 0;           // the node where it is, 0 at home
};

// All processes of one name together.
struct Unrest {
    double seconds = 0;        // while there was one of them, from its first look to its last
    std::int64_t moves = 0;    // of all of them, meanwhile
    double longest_still = 0;  // seconds without a move of any of them
    std::set<int> reached;     // the nodes where a look found one of them that had moved

    // Whether they moved once a second on average, as nearly as looks can tell.
    [[nodiscard]] bool each_second() const;
    // Whether they moved so often that somebody who sends them round so many nodes, home is one of
    // them, must have had them at each twice.
    [[nodiscard]] bool goes_round(size_t nodes) const;
};

// For each name that fits the pattern. The looks are in the order in which they were made. One that
// ended within a second had not the time to be moved on, and does not count.
std::map<std::string, Unrest> unrest_of(const std::vector<Look>& looks, const std::string& pattern);

// Those of `words` that name, behind `prefix` and cut off where the kernel cuts names, no process
// that was seen to have moved.
std::vector<std::string> left_still(const std::vector<Look>& looks, const std::string& prefix,
                                    const std::vector<std::string>& words);

}  // namespace mosrig
