// SPDX-License-Identifier: GPL-2.0-only
// The socket by which tools ask the daemon: one line in, one line of JSON out.
#pragma once

#include <sys/types.h>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "common/fd.h"
#include "omd/pool.h"
#include "omd/reactor.h"

namespace mosrig {

inline constexpr const char* omd_socket_path = "/run/openmosix/omd.sock";

class Control {
  public:
    // The answer to a request of a user; nothing if it is not known yet: asked again soon, until
    // the request is too old.
    using Answer = std::function<std::optional<std::string>(const std::string& line, uid_t user,
                                                            bool first, bool last)>;

    static constexpr std::size_t most_clients = 64;
    static constexpr std::size_t longest_line = 256;

    Control(Reactor& reactor, Answer answer);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    // Listens at `path`, mode 0666; an old socket there is replaced.
    Result<void> listen(const std::string& path);
    // Asks again for what was not known, and ends what took too long.
    void run(Instant now);
    [[nodiscard]] Instant next() const;

  private:
    struct Client {
        Fd fd;
        uid_t user;
        Instant deadline;
        std::string line;
        bool asked = false;
    };
    using Place = std::list<Client>::iterator;

    void on_listener();
    void on_ready(Place place);
    void answer(Place place, bool first, bool last);
    void drop(Place place);

    Reactor& reactor_;
    Answer answer_;
    Fd listener_;
    std::string path_;
    std::list<Client> clients_;
};

}  // namespace mosrig
