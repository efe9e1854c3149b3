// SPDX-License-Identifier: MIT
#include "harness/cluster/keys.h"

#include <fmt/format.h>
#include <sodium.h>

#include <string_view>
#include <vector>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t omd_key_bytes = 48;
constexpr const char* key_type = "ssh-ed25519";

// Strings with a big-endian length in front, as ssh writes everything.
class SshBlob {
  public:
    explicit SshBlob(std::string_view bytes) : rest_(bytes) {}
    std::string_view take(std::size_t size) {
        ok_ = ok_ && size <= rest_.size();
        const std::string_view taken = ok_ ? rest_.substr(0, size) : std::string_view();
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::uint32_t number() {
        std::uint32_t value = 0;
        for (const char byte : take(4)) {
            value = (value << 8) | static_cast<unsigned char>(byte);
        }
        return value;
    }
    std::string_view string() { return take(number()); }
    [[nodiscard]] bool ok() const { return ok_; }

  private:
    std::string_view rest_;
    bool ok_ = true;
};

void put_string(std::string& out, std::string_view text) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((text.size() >> shift) & 0xff));
    }
    out.append(text);
}

Result<std::string> decode_pem(const std::string& pem) {
    const std::string begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const std::size_t from = pem.find(begin);
    const std::size_t end = pem.find("-----END");
    if (from == std::string::npos || end == std::string::npos) {
        return infra_error("not an OpenSSH private key");
    }
    std::string bytes(pem.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                          pem.data() + from + begin.size(), end - from - begin.size(), "\r\n ",
                          &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
        return infra_error("not an OpenSSH private key");
    }
    bytes.resize(size);
    return bytes;
}

Result<void> generate(const fs::path& file, const std::string& comment) {
    MOSRIG_TRY(const CommandResult made, run_subprocess({"ssh-keygen", "-q", "-t", "ed25519", "-N",
                                                         "", "-C", comment, "-f", file.string()},
                                                        Deadline("ssh-keygen", Millis(30'000))));
    if (!made.ok()) {
        return infra_error(fmt::format("ssh-keygen failed: {}{}", made.out, made.err));
    }
    return {};
}

}  // namespace

Result<std::string> to_dropbear(const std::string& openssh_private_key) {
    MOSRIG_TRY(const std::string bytes, decode_pem(openssh_private_key));
    SshBlob outer(bytes);
    const std::string_view magic = outer.take(15);
    const std::string_view cipher = outer.string();
    outer.string();  // key derivation
    outer.string();  // its options
    const std::uint32_t count = outer.number();
    outer.string();  // public key
    SshBlob inner(outer.string());
    inner.number();  // two check numbers
    inner.number();
    const std::string_view type = inner.string();
    inner.string();  // public half
    const std::string_view key = inner.string();
    if (!outer.ok() || !inner.ok() || magic != std::string_view("openssh-key-v1\0", 15) ||
        cipher != "none" || count != 1 || type != key_type || key.size() != 64) {
        return infra_error("not an unencrypted ed25519 key");
    }
    std::string converted;
    put_string(converted, key_type);
    put_string(converted, key);
    return converted;
}

Result<ClusterKeys> make_keys(const fs::path& folder) {
    if (sodium_init() < 0) {
        return infra_error("libsodium finds no source of random bytes");
    }
    std::error_code error;
    fs::remove_all(folder, error);
    fs::create_directories(folder, error);
    fs::permissions(folder, fs::perms::owner_all, error);
    MOSRIG_CHECK(generate(folder / "id_ed25519", "mosrig"));
    MOSRIG_CHECK(generate(folder / "host_ed25519", "mosrig-node"));
    ClusterKeys keys;
    std::vector<unsigned char> secret(omd_key_bytes);
    randombytes_buf(secret.data(), secret.size());
    // Text, one line: whatever reads it need not think of bytes that look like a line's end.
    std::string hex(secret.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), secret.data(), secret.size());
    hex.back() = '\n';
    keys.openmosix_key = hex;
    MOSRIG_CHECK(write_text_file(folder / "openmosix", hex, 0600));
    MOSRIG_TRY(keys.authorized_keys, read_text_file(folder / "id_ed25519.pub"));
    MOSRIG_TRY(keys.host_key, read_text_file(folder / "host_ed25519"));
    MOSRIG_TRY(keys.host_key_public, read_text_file(folder / "host_ed25519.pub"));
    MOSRIG_TRY(keys.dropbear_host_key, to_dropbear(keys.host_key));
    return keys;
}

}  // namespace mosrig
