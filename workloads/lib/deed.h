// SPDX-License-Identifier: MIT
#pragma once

#include "holder.h"

namespace mosrig::guest {

// A program that does one thing when the rig says ACT, and what came of it is the answer. The rig
// says it while the process is away; a run that never moves does the same at home.
class Deed : public Holder {
  public:
    using Holder::Holder;

    bool command(const char* word) override;

  protected:
    // nullptr, or what was wrong.
    virtual const char* act() = 0;
};

// The same for a thing that shows only while most of the memory is still on its way: done by itself
// as soon as the process finds itself elsewhere, once. ACT asks what came of it, and does it if the
// process never left.
class Arrival : public Deed {
  public:
    using Deed::Deed;

    const char* hold() override;
    bool command(const char* word) override;
    [[nodiscard]] int patience_ms() const override { return 1; }

  protected:
    // What hold() of other programs does.
    virtual const char* prepare() = 0;
    const char* step() override;

  private:
    // Takes some seconds to follow, emulated.
    static constexpr size_t ballast_size = size_t{96} << 20U;

    void act_once();

    int where_ = -1;
    bool done_ = false;
    char outcome_[160] = {};
};

}  // namespace mosrig::guest
