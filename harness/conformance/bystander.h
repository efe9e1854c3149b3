// SPDX-License-Identifier: MIT
// A process that is away, and has nothing to do with what happens to another one.
#pragma once

#include "harness/conformance/stage.h"

namespace mosrig {

// Starts one that says nothing by itself, so that what is ordered for the messages of another does
// not meet it, and takes it to the guest.
Result<Subject> start_bystander(Stage& stage);

// It is where it was taken, by that one move, and whole; then it comes home, and ends.
Result<void> expect_unharmed(Stage& stage, Subject& bystander);

}  // namespace mosrig
