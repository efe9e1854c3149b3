// SPDX-License-Identifier: GPL-2.0-only
#include "omd/handshake.h"

#include <utility>

namespace mosrig {

const char* refusal_text(Refusal refusal) {
    switch (refusal) {
        case Refusal::none:
            return "nothing";
        case Refusal::malformed:
            return "not a handshake of omd's";
        case Refusal::version:
            return "another version of omd";
        case Refusal::wrong_node:
            return "its node ids do not fit the map";
        case Refusal::replayed:
            return "a replayed handshake";
        case Refusal::bad_mac:
            return "wrong key, or a replayed handshake";
        case Refusal::protocol:
            return "its kernel speaks another protocol";
    }
    return "unknown";
}

Handshake::Handshake(Local local) : local_(std::move(local)) {
    if (local_.role == Role::guest) {
        guest_nonce_ = local_.nonce;
        step_ = Step::hello;
        return;
    }
    home_nonce_ = local_.nonce;
    home_features_ = local_.features;
    step_ = Step::challenge;
    put_header(output_, FrameType::hello);
    put_u32(output_, local_.home);
    put_u32(output_, local_.guest);
    put_bytes(output_, home_nonce_);
}

std::size_t Handshake::wanted() const {
    if (done() || refused()) {
        return 0;
    }
    if (input_.size() < header_size) {
        return header_size - input_.size();
    }
    // The header was checked when it was complete.
    const std::size_t length = input_[6] | static_cast<std::size_t>(input_[7]) << 8U;
    return header_size + length - input_.size();
}

void Handshake::feed(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty() && wanted() > 0) {
        const std::size_t take = std::min(wanted(), bytes.size());
        put_bytes(input_, bytes.first(take));
        bytes = bytes.subspan(take);
        if (input_.size() < header_size) {
            return;
        }
        const auto header = parse_header(std::span(input_).first(header_size));
        if (!header) {
            return refuse(Refusal::malformed);
        }
        if (header->version != wire_version) {
            return refuse(Refusal::version);
        }
        if (input_.size() == header_size + header->length) {
            const Bytes frame = std::exchange(input_, {});
            on_frame(header->type, std::span(frame).subspan(header_size));
        }
    }
}

Bytes Handshake::take_output() {
    return std::exchange(output_, {});
}

void Handshake::refuse(Refusal why) {
    step_ = Step::refused;
    refusal_ = why;
    output_.clear();
}

void Handshake::on_frame(FrameType type, std::span<const std::uint8_t> payload) {
    const Reader reader(payload);
    if (step_ == Step::hello && type == FrameType::hello) {
        return on_hello(reader);
    }
    if (step_ == Step::challenge && type == FrameType::challenge) {
        return on_challenge(reader);
    }
    if (step_ == Step::proof && type == FrameType::proof) {
        return on_proof(reader);
    }
    if (step_ == Step::accept && type == FrameType::accept) {
        return on_accept(reader);
    }
    refuse(Refusal::malformed);
}

void Handshake::on_hello(Reader payload) {
    const std::uint32_t home = payload.u32();
    const std::uint32_t guest = payload.u32();
    home_nonce_ = payload.block();
    if (home != local_.home || guest != local_.guest) {
        return refuse(Refusal::wrong_node);
    }
    if (local_.seen && local_.seen(home_nonce_)) {
        return refuse(Refusal::replayed);
    }
    put_header(output_, FrameType::challenge);
    put_bytes(output_, guest_nonce_);
    step_ = Step::proof;
}

void Handshake::on_challenge(Reader payload) {
    guest_nonce_ = payload.block();
    put_signed(FrameType::proof);
    step_ = Step::accept;
}

void Handshake::on_proof(Reader payload) {
    peer_features_ = payload.features();
    home_features_ = peer_features_;
    if (!local_.keys->verify(Role::home, transcript(Role::home), payload.block())) {
        return refuse(Refusal::bad_mac);
    }
    // Answered even if the protocols differ: the other side has to be able to say so, too.
    put_signed(FrameType::accept);
    if (peer_features_.protocol != local_.features.protocol) {
        step_ = Step::refused;
        refusal_ = Refusal::protocol;
        return;
    }
    step_ = Step::done;
}

void Handshake::on_accept(Reader payload) {
    peer_features_ = payload.features();
    if (!local_.keys->verify(Role::guest, transcript(Role::guest), payload.block())) {
        return refuse(Refusal::bad_mac);
    }
    if (peer_features_.protocol != local_.features.protocol) {
        return refuse(Refusal::protocol);
    }
    step_ = Step::done;
}

Bytes Handshake::transcript(Role author) const {
    Bytes text;
    text.push_back(wire_version);
    text.push_back(static_cast<std::uint8_t>(author));
    put_u32(text, local_.home);
    put_u32(text, local_.guest);
    put_bytes(text, home_nonce_);
    put_bytes(text, guest_nonce_);
    put_features(text, home_features_);
    if (author == Role::guest) {
        put_features(text, local_.role == Role::guest ? local_.features : peer_features_);
    }
    return text;
}

void Handshake::put_signed(FrameType type) {
    put_header(output_, type);
    put_features(output_, local_.features);
    put_bytes(output_, local_.keys->sign(local_.role, transcript(local_.role)));
}

}  // namespace mosrig
