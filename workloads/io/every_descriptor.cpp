// SPDX-License-Identifier: MIT
//
// A program that waits for whatever descriptors it may have: it does not say how many there are.
#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

#include <climits>

#include "rows.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;

class EveryDescriptor final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        return pipe2(full_, O_CLOEXEC) != 0 || pipe2(empty_, O_CLOEXEC) != 0 ||
                       write(full_[1], "x", 1) != 1
                   ? failed("two pipes")
                   : nullptr;
    }

  protected:
    // Whenever it leaves its home the sets are empty there.
    const char* act() override {
        struct timeval none = {};
        FD_SET(full_[0], &reading_);
        FD_SET(empty_[0], &reading_);
        FD_SET(empty_[1], &writing_);
        const long ready =
            mosrig::guest::call(SYS_select, INT_MAX, &reading_, &writing_, nullptr, &none);
        const bool right = FD_ISSET(full_[0], &reading_) && !FD_ISSET(empty_[0], &reading_) &&
                           FD_ISSET(empty_[1], &writing_);
        FD_ZERO(&reading_);
        FD_ZERO(&writing_);
        return ready < 0    ? failed("select")
               : ready != 2 ? differs("descriptors that are ready", ready, 2)
               : right      ? nullptr
                            : "which descriptors are ready";
    }

  private:
    int full_[2] = {};
    int empty_[2] = {};
    fd_set reading_ = {};
    fd_set writing_ = {};
};

const mosrig::guest::KindOf<EveryDescriptor> every_descriptor("every-descriptor");

}  // namespace
