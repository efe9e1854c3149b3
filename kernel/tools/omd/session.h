// SPDX-License-Identifier: GPL-2.0-only
// Is an authentic datagram fresh? One peer's side of it, without any I/O.
//
// A run of a daemon (`boot`) numbers its packets, and each peer keeps a window of the numbers that
// it took. That stops a replay within one run of both. For the restarts: a run must echo in each
// packet a token that the receiver made for it, from a secret of the receiver's own run and the
// number of runs that it has accepted so far. A receiver that was restarted has another secret; a
// sender that was restarted gets another token, after which the old run's is void. So nothing that
// was ever recorded is accepted again.
#pragma once

#include <array>
#include <cstdint>

#include "omd/packet.h"

namespace mosrig {

// This daemon's run, known to all its sessions.
struct OwnRun {
    std::uint64_t boot = 0;
    std::uint64_t counter = 0;  // of packets sent, to anybody
    std::array<std::uint8_t, 32> secret{};

    // A new one: later ones have larger numbers as long as the clock is not set back.
    static OwnRun make();
};

class Session {
  public:
    enum class Outcome : std::uint8_t {
        fresh,
        replay,  // a number that was taken, or too old a one
        stale,   // an echo of an earlier run of ours or theirs: a recording, or a peer that has not
                 // noticed; a challenge helps the second and tells the first nothing
        unknown,  // no echo yet: the first word of a run
    };

    explicit Session(std::uint32_t peer) : peer_(peer) {}

    // Judges a packet whose MAC is right. Stale and unknown ones should be challenged.
    Outcome take(const PacketHeader& header, const OwnRun& own);
    // What to demand of the run that sent `header`.
    [[nodiscard]] Challenge challenge(const PacketHeader& header, const OwnRun& own) const;
    // The peer demands an echo. False if the demand is not about a recent packet of this run.
    bool on_challenge(const Challenge& challenge, const OwnRun& own);
    // What this run's packets to the peer must echo; 0 if the peer did not say yet.
    [[nodiscard]] std::uint64_t echo() const { return echo_; }

  private:
    [[nodiscard]] std::uint64_t token(std::uint64_t boot, std::uint64_t nth,
                                      const OwnRun& own) const;
    bool number_is_new(std::uint64_t counter);

    std::uint32_t peer_;
    std::uint64_t boot_ = 0;   // of the accepted run
    std::uint64_t token_ = 0;  // that it has to echo
    std::uint64_t accepted_ = 0;
    std::uint64_t highest_ = 0;  // number taken, and which of the 64 up to it
    std::uint64_t taken_ = 0;
    std::uint64_t echo_ = 0;
    std::uint64_t challenged_ = 0;  // number of the packet of ours that was challenged last
};

}  // namespace mosrig
