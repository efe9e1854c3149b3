// SPDX-License-Identifier: MIT
//
// Locked memory: some, all of it, from the mapping on, at the first touch.
#include <sys/mman.h>

#include <cstring>

#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

constexpr size_t size = 16384;

// A page, until it is unlocked.
class LockedPage final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        memset(page_, 0x3C, sizeof page_);
        return mlock(page_, sizeof page_) != 0 ? failed("mlock") : nullptr;
    }
    const char* release() override {
        return munlock(page_, sizeof page_) != 0 ? failed("munlock") : nullptr;
    }

  private:
    alignas(4096) unsigned char page_[4096] = {};
};

// What there is and what comes, by mlockall().
class LockedAll final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        return mlockall(MCL_CURRENT | MCL_FUTURE) != 0 ? failed("mlockall") : nullptr;
    }
    const char* release() override { return munlockall() != 0 ? failed("munlockall") : nullptr; }
};

// Nothing is locked yet, but all that comes will be.
class LockedFuture final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override { return mlockall(MCL_FUTURE) != 0 ? failed("mlockall") : nullptr; }
    const char* release() override { return munlockall() != 0 ? failed("munlockall") : nullptr; }
};

// A mapping that is locked as it is made; it is written and read all the time.
class LockedMapping : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        view_ = static_cast<unsigned char*>(make());
        if (view_ == MAP_FAILED) {
            return failed("mmap");
        }
        memset(view_, 0x3C, size);
        return nullptr;
    }

    const char* release() override {
        unsigned char* view = view_;
        view_ = nullptr;
        return munmap(view, size) != 0 ? failed("munmap") : nullptr;
    }

  protected:
    virtual void* make() {
        return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED,
                    -1, 0);
    }

    const char* step() override {
        if (view_ == nullptr) {
            return nullptr;
        }
        if (view_[size - 1] != 0x3C) {
            return "locked memory changed";
        }
        view_[0] = view_[size - 1];
        return nullptr;
    }

  private:
    unsigned char* view_ = nullptr;
};

// Only pages that are touched are locked.
class LockedOnFault final : public LockedMapping {
  public:
    using LockedMapping::LockedMapping;

  protected:
    void* make() override {
        void* view =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return view != MAP_FAILED && mlock2(view, size, MLOCK_ONFAULT) != 0 ? MAP_FAILED : view;
    }
};

const KindOf<LockedPage> page("locked-page");
const KindOf<LockedAll> all("mlockall");
const KindOf<LockedFuture> future("mlockall-future");
const KindOf<LockedMapping> mapping("map-locked");
const KindOf<LockedOnFault> on_fault("mlock-onfault");

}  // namespace
