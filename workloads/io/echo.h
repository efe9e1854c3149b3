// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "workloads/lib/kinds.h"

namespace mosrig::guest {

// Two processes that send each other blocks of many sizes, each checked at both ends: the one that
// talks to the rig, and its child, which sends back what it gets, turned over. A son of this class
// says what lies between them.
class Echo : public Holder {
  public:
    using Holder::Holder;
    ~Echo() override;

    const char* hold() override;

  protected:
    // Before the child is made, then in each of the two: nullptr or what failed.
    virtual const char* prepare() = 0;
    virtual const char* open_parent() { return nullptr; }
    virtual const char* open_child() { return nullptr; }
    // A whole block; false with errno, 0 for the end. Each end has its own idea of where to.
    virtual bool send_block(const unsigned char* bytes, size_t count) = 0;
    virtual bool receive_block(unsigned char* bytes, size_t count) = 0;
    // What else is to be looked at in the parent.
    virtual const char* look() { return nullptr; }
    // Largest block that goes through at once.
    [[nodiscard]] virtual size_t largest() const { return most; }

    const char* step() override;
    const char* check() override { return look(); }
    [[nodiscard]] bool is_child() const { return child_ == 0; }

    static constexpr size_t most = 200000;

  private:
    [[noreturn]] void serve_blocks();
    [[nodiscard]] size_t size_of(unsigned turn) const;

    pid_t child_ = -1;
    unsigned turn_ = 0;
    unsigned char block_[most] = {};
};

}  // namespace mosrig::guest
