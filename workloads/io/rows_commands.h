// SPDX-License-Identifier: MIT
//
// For the kinds `io rows-...` of calls whose argument depends on a command.
#pragma once

#include <poll.h>

#include <cerrno>

#include "rows.h"

namespace mosrig::guest {

// What a call came to before the process had ever left, for what differs between kernels or nodes.
class AtHome {
  public:
    void was(long result) {
        result_ = result;
        error_ = errno;
    }
    [[nodiscard]] bool done() const { return result_ != -1; }
    void judge(Verdict& verdict, long seen, int line = __builtin_LINE()) const {
        if (done()) {
            verdict.gives(seen, result_, line);
        } else {
            verdict.fails(seen, error_, line);
        }
    }

  private:
    long result_ = -1;
    int error_ = 0;
};

// An ioctl that tells a number.
template <class Number>
void tells(Verdict& verdict, int fd, unsigned long request, Number wanted,
           int line = __builtin_LINE()) {
    const Output output(sizeof wanted);
    verdict.gives(call(SYS_ioctl, fd, request, output.at()), 0, line);
    verdict.is(static_cast<long long>(output.get<Number>()), static_cast<long long>(wanted), line);
    verdict.wrote(output, sizeof wanted, line);
}

// One that would, but fails.
inline void tells_nothing(Verdict& verdict, int fd, unsigned long request, int error,
                          int line = __builtin_LINE()) {
    const Output none(64);
    verdict.fails(call(SYS_ioctl, fd, request, none.at()), error, line);
    verdict.wrote(none, 0, line);
}

// One that is told something.
template <class Object>
void set(Verdict& verdict, int fd, unsigned long request, const Object& object,
         int line = __builtin_LINE()) {
    verdict.gives(call(SYS_ioctl, fd, request, Input(object).at()), 0, line);
}

// What another part of the kernel hands over later: false if it does not come within some seconds.
inline bool comes(int fd, short what = POLLIN) {
    struct pollfd ready = {fd, what, 0};
    return poll(&ready, 1, 20000) == 1;
}

}  // namespace mosrig::guest
