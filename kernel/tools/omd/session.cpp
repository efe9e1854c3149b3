// SPDX-License-Identifier: GPL-2.0-only
#include "omd/session.h"

#include <sodium.h>
#include <algorithm>
#include <ctime>

namespace mosrig {

OwnRun OwnRun::make() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    OwnRun run;
    // Seconds above, chance below: two runs in one second are different, if not in order.
    run.boot = static_cast<std::uint64_t>(now.tv_sec) << 24U | (randombytes_random() >> 8U);
    randombytes_buf(run.secret.data(), run.secret.size());
    return run;
}

std::uint64_t Session::token(std::uint64_t boot, std::uint64_t nth, const OwnRun& own) const {
    Bytes text;
    put_u32(text, peer_);
    put_u64(text, boot);
    put_u64(text, nth);
    std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> mac{};
    crypto_auth_hmacsha256(mac.data(), text.data(), text.size(), own.secret.data());
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(value); i++) {
        value = value << 8U | mac.at(i);
    }
    return std::max<std::uint64_t>(1, value);  // 0 stands for none
}

Session::Outcome Session::take(const PacketHeader& header, const OwnRun& own) {
    if (accepted_ > 0 && header.boot == boot_ && header.echo == token_) {
        return number_is_new(header.counter) ? Outcome::fresh : Outcome::replay;
    }
    if (header.echo == 0) {
        return Outcome::unknown;
    }
    if (header.echo != token(header.boot, accepted_ + 1, own)) {
        return Outcome::stale;
    }
    token_ = header.echo;
    boot_ = header.boot;
    accepted_++;
    highest_ = header.counter;
    taken_ = 1;
    return Outcome::fresh;
}

Challenge Session::challenge(const PacketHeader& header, const OwnRun& own) const {
    return {token(header.boot, accepted_ + 1, own), header.boot, header.counter};
}

bool Session::on_challenge(const Challenge& challenge, const OwnRun& own) {
    if (challenge.boot != own.boot || challenge.counter > own.counter ||
        challenge.counter <= challenged_ || challenge.token == 0) {
        return false;
    }
    challenged_ = challenge.counter;
    echo_ = challenge.token;
    return true;
}

bool Session::number_is_new(std::uint64_t counter) {
    constexpr std::uint64_t window = 64;
    if (counter > highest_) {
        const std::uint64_t ahead = counter - highest_;
        taken_ = ahead >= window ? 0 : taken_ << ahead;
        taken_ |= 1U;
        highest_ = counter;
        return true;
    }
    const std::uint64_t behind = highest_ - counter;
    if (behind >= window || (taken_ >> behind & 1U) != 0) {
        return false;
    }
    taken_ |= std::uint64_t{1} << behind;
    return true;
}

}  // namespace mosrig
