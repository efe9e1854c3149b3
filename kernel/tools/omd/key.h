// SPDX-License-Identifier: GPL-2.0-only
// The cluster's shared key and the keys made from it: one for each direction of a link, one for
// datagrams.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "common/result.h"
#include "omd/wire.h"

namespace mosrig {

inline constexpr const char* default_key_path = "/etc/openmosix/key";
inline constexpr std::size_t smallest_key = 32;

enum class Role : std::uint8_t { home = 1, guest = 2, datagram = 3 };

// Keys of one cluster. What home signs can never pass for what a guest signs: a message sent
// back to its author proves nothing. Wiped when destroyed.
class LinkKeys {
  public:
    explicit LinkKeys(std::span<const std::uint8_t> master);
    LinkKeys(const LinkKeys&) = default;
    LinkKeys& operator=(const LinkKeys&) = default;
    ~LinkKeys() { wipe(); }

    // HMAC-SHA256 of `message` under the key of the side `author`. A datagram's key is one for
    // all: it carries who it is from and for.
    [[nodiscard]] Mac sign(Role author, std::span<const std::uint8_t> message) const;
    // Compares in constant time.
    [[nodiscard]] bool verify(Role author, std::span<const std::uint8_t> message,
                              const Mac& mac) const;
    void wipe();

  private:
    [[nodiscard]] const std::array<std::uint8_t, 32>& key_of(Role author) const;

    std::array<std::uint8_t, 32> home_{};
    std::array<std::uint8_t, 32> guest_{};
    std::array<std::uint8_t, 32> datagram_{};
};

// Reads the key file: it must be a regular file of root's with mode 0600 and 32 bytes or more.
// `owner` is for tests, which need not run as root.
Result<LinkKeys> load_key(const std::string& path, unsigned owner = 0);

// A fresh random nonce.
Nonce make_nonce();

}  // namespace mosrig
