// SPDX-License-Identifier: GPL-2.0-only
// Two nodes prove to each other that they belong to one cluster: the handshake of a link, without
// any I/O.
//
//   home  -> guest  hello      home id, guest id, home's nonce
//   guest -> home   challenge  guest's nonce
//   home  -> guest  proof      home's features, MAC by home's key
//   guest -> home   accept     guest's features, MAC by guest's key
//
// Both MACs cover the version, the author's role, both ids, both nonces and the features told so
// far. A recorded proof fails because the guest's nonce is fresh; a recorded accept because home's
// is; a reflected message because the keys differ. Who cannot prove anything learns one nonce.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "omd/key.h"
#include "omd/wire.h"

namespace mosrig {

enum class Refusal : std::uint8_t {
    none,
    malformed,   // not our frames
    version,     // another version of the handshake
    wrong_node,  // ids that the map does not give to this connection
    replayed,    // a nonce that was used before
    bad_mac,     // another key, a replayed or a reflected message
    protocol,    // authentic, but its kernel speaks another protocol
};

// A few words for the log.
const char* refusal_text(Refusal refusal);

class Handshake {
  public:
    struct Local {
        Role role;            // of this side
        std::uint32_t home;   // node ids of the two sides; on the guest's side home is the node
        std::uint32_t guest;  // that the map has at the peer's address
        Nonce nonce;          // fresh
        om_features features;
        const LinkKeys* keys;  // outlives the handshake
        // Guest's side: has this nonce of home's been used before?
        std::function<bool(const Nonce&)> seen = nullptr;
    };

    explicit Handshake(Local local);

    // Bytes to read next; never read more, the kernel's messages may follow. 0 when finished.
    [[nodiscard]] std::size_t wanted() const;
    // At most wanted() bytes from the peer.
    void feed(std::span<const std::uint8_t> bytes);
    // Bytes to be sent, each given out once.
    Bytes take_output();

    // Authenticated; once the output is sent the link belongs to the kernel.
    [[nodiscard]] bool done() const { return step_ == Step::done; }
    [[nodiscard]] bool refused() const { return step_ == Step::refused; }
    [[nodiscard]] Refusal refusal() const { return refusal_; }
    [[nodiscard]] const om_features& peer_features() const { return peer_features_; }
    [[nodiscard]] const Nonce& home_nonce() const { return home_nonce_; }

  private:
    enum class Step : std::uint8_t { hello, challenge, proof, accept, done, refused };

    void refuse(Refusal why);
    void on_frame(FrameType type, std::span<const std::uint8_t> payload);
    void on_hello(Reader payload);
    void on_challenge(Reader payload);
    void on_proof(Reader payload);
    void on_accept(Reader payload);
    [[nodiscard]] Bytes transcript(Role author) const;
    void put_signed(FrameType type);

    Local local_;
    Step step_;
    Refusal refusal_ = Refusal::none;
    Bytes input_;
    Bytes output_;
    Nonce home_nonce_{};
    Nonce guest_nonce_{};
    om_features home_features_{};
    om_features peer_features_{};
};

}  // namespace mosrig
