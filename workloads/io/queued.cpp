// SPDX-License-Identifier: MIT
//
// A call that lasts until somebody else lets it end, and that nothing but a signal breaks off: on
// QUEUE it asks for the lock of a file that its child holds. The lock is free once the child, which
// stays at home, is gone: whoever kills it ends the call.
#include <fcntl.h>
#include <sys/file.h>

#include <cstring>

#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::failed;
using mosrig::guest::KindOf;

class Queued final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        if (file_ < 0) {
            return failed("a file");
        }
        const char* const wrong = child_.start(take, take, this);
        return wrong != nullptr ? wrong : child_.act();
    }

    bool command(const char* word) override {
        if (strcmp(word, "QUEUE") != 0) {
            return Holder::command(word);
        }
        answer(flock(file_, LOCK_EX) != 0 ? failed("flock") : nullptr);
        return true;
    }

  private:
    // In the child. A lock is of an open file, and this one it does not share with its parent.
    static const char* take(void* data) {
        const int own = mosrig::guest::reopen(static_cast<Queued*>(data)->file_, O_RDONLY);
        return own < 0 || flock(own, LOCK_EX) != 0 ? failed("flock in the child") : nullptr;
    }

    int file_ = -1;
    mosrig::guest::Helper child_;
};

const KindOf<Queued> queued("queued");

}  // namespace
