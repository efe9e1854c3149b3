// SPDX-License-Identifier: GPL-2.0-only
// What a process wants of a CPU, as a band between what is sure and what is possible.
//
// A look is a noisy thing: one that waits for its home or for a page sleeps, one that lives for a
// moment wants all. To send a process away for either is a mistake that costs two moves. So a node
// counts what is sure when it judges itself, and tells what is possible to those who would send.
#pragma once

#include "omd/policy/types.h"

namespace mosrig::policy {

// Who is runnable for this share of the time is busy.
inline constexpr double busy_from = 0.5;

class Demand {
  public:
    // It was runnable for this share of the last `span`. `age`: of the process; one that is
    // younger than the span is possible for that part only.
    void look(double share, Millis span, Millis age = old_age);
    // All looks since the last call are one sample.
    void end_period();
    // At least so much is to be expected, until looks tell otherwise.
    void expect(double share);

    // The lesser of the last two samples; 0 for who has not been there for two. What is possible
    // for who was busy in both: a look sees too little, hardly ever too much.
    [[nodiscard]] double sure() const;
    // The greatest of late. It fades slowly for who was busy a moment ago, fast for who was not.
    [[nodiscard]] double possible() const { return possible_; }

  private:
    double sum_ = 0;
    Millis time_ = 0;
    double last_ = 0;
    double before_ = 0;
    double possible_ = 0;
};

}  // namespace mosrig::policy
