// SPDX-License-Identifier: MIT
// The secrets of one cluster, made at each start and gone with it.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"

namespace mosrig {

struct ClusterKeys {
    std::string authorized_keys;  // the rig's public key
    std::string host_key;         // of all nodes, OpenSSH's format
    std::string host_key_public;
    std::string dropbear_host_key;  // the same key in dropbear's format
    std::string openmosix_key;      // shared by the omds
};

// Makes id_ed25519, host_ed25519 and openmosix in `folder` (0700, files 0600).
Result<ClusterKeys> make_keys(const std::filesystem::path& folder);

// An unencrypted ed25519 key as ssh-keygen writes it, in the form that dropbear reads.
Result<std::string> to_dropbear(const std::string& openssh_private_key);

}  // namespace mosrig
