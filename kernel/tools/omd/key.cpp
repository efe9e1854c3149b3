// SPDX-License-Identifier: GPL-2.0-only
#include "omd/key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <string_view>

#include "common/fd.h"

namespace mosrig {
namespace {

constexpr std::size_t largest_key = 4096;
constexpr const char* how_to_make_one =
    "make one with 'head -c 32 /dev/urandom' and give every node the same";

Mac hmac(std::span<const std::uint8_t> key, std::span<const std::uint8_t> message) {
    Mac mac{};
    static_assert(sizeof(Mac) == crypto_auth_hmacsha256_BYTES);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    crypto_auth_hmacsha256_update(&state, message.data(), message.size());
    crypto_auth_hmacsha256_final(&state, mac.data());
    sodium_memzero(&state, sizeof(state));
    return mac;
}

Mac derive(std::span<const std::uint8_t> master, std::string_view purpose) {
    const Bytes label(purpose.begin(), purpose.end());
    return hmac(master, label);
}

}  // namespace

LinkKeys::LinkKeys(std::span<const std::uint8_t> master)
    : home_(derive(master, "openmosix link 1: home to guest")),
      guest_(derive(master, "openmosix link 1: guest to home")),
      datagram_(derive(master, "openmosix datagram 1: between daemons")) {}

const std::array<std::uint8_t, 32>& LinkKeys::key_of(Role author) const {
    switch (author) {
        case Role::home:
            return home_;
        case Role::guest:
            return guest_;
        case Role::datagram:
            break;
    }
    return datagram_;
}

Mac LinkKeys::sign(Role author, std::span<const std::uint8_t> message) const {
    return hmac(key_of(author), message);
}

bool LinkKeys::verify(Role author, std::span<const std::uint8_t> message, const Mac& mac) const {
    const Mac expected = sign(author, message);
    return sodium_memcmp(expected.data(), mac.data(), mac.size()) == 0;
}

void LinkKeys::wipe() {
    sodium_memzero(home_.data(), home_.size());
    sodium_memzero(guest_.data(), guest_.size());
    sodium_memzero(datagram_.data(), datagram_.size());
}

Result<LinkKeys> load_key(const std::string& path, unsigned owner) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd.valid()) {
        auto error = fail_errno("cannot open the cluster's key " + path, errno);
        if (error.value().code == ENOENT) {
            error.value().text += std::string(": ") + how_to_make_one;
        }
        return error;
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) {
        return fail_errno("cannot read the cluster's key " + path, errno);
    }
    if (!S_ISREG(info.st_mode) || info.st_uid != owner || (info.st_mode & 07777U) != 0600) {
        return fail(
            fmt::format("{} must be a regular file of root's with mode 0600 (it has owner "
                        "{}, mode {:04o}): chown root {}; chmod 600 {}",
                        path, info.st_uid, info.st_mode & 07777U, path, path));
    }
    Bytes master(largest_key);
    const ssize_t got = ::read(fd.get(), master.data(), master.size());
    if (got < 0) {
        return fail_errno("cannot read the cluster's key " + path, errno);
    }
    master.resize(static_cast<std::size_t>(got));
    if (master.size() < smallest_key) {
        return fail(fmt::format("{} has {} bytes, a key needs at least {}: {}", path, master.size(),
                                smallest_key, how_to_make_one));
    }
    LinkKeys keys(master);
    sodium_memzero(master.data(), master.size());
    return keys;
}

Nonce make_nonce() {
    Nonce nonce{};
    randombytes_buf(nonce.data(), nonce.size());
    return nonce;
}

}  // namespace mosrig
