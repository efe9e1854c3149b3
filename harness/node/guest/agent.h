// SPDX-License-Identifier: MIT
// The node's side of the rig's connection: serves the frames of wire.h on standard input and
// output until the rig goes away.
#pragma once

#include <map>
#include <string>

#include "harness/node/guest/job.h"
#include "harness/node/wire.h"

namespace mosrig::guest {

class Agent {
  public:
    // Frames come from `in` and go to `out`; `children` becomes readable when a child ended.
    Agent(int in, int out, int children) : in_(in), out_(out), children_(children) {}

    // Serves until the peer closes or breaks the stream, then kills what still runs. Gives 0
    // if the peer closed in good order.
    int serve();

    // Whether children of ended commands still hold pipes; someone has to go on reading them, or
    // they would die of SIGPIPE.
    [[nodiscard]] bool has_held_pipes() const;
    // Reads and discards until the last such pipe is closed.
    void drain_held_pipes();

  private:
    bool connected() const { return in_ >= 0; }
    void poll_once();
    void receive();
    void hear_last_words();
    void flush();
    void handle(const wire::Frame& frame);
    void start(const wire::Frame& frame);
    void read_file(const wire::Frame& frame);
    void read_all(const wire::Frame& frame);
    void write_file(const wire::Frame& frame);
    void reply(std::uint32_t id, int error, std::string_view data = {});
    void send(wire::Type type, std::uint32_t id, std::string_view payload);
    void feed(Job& job);
    void forward(Job& job, int& fd, wire::Type type, std::size_t limit);
    void reap();
    void finish(Job& job, int status);
    void kill_all();

    int in_;
    int out_;
    int children_;
    bool clean_end_ = false;
    std::string outgoing_;
    wire::Splitter incoming_;
    std::map<std::uint32_t, Job> jobs_;
};

}  // namespace mosrig::guest
