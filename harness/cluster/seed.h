// SPDX-License-Identifier: MIT
// The seed of a node: a tar on a disk of its own that makes a common image this node, and carries
// the programs under test so that an edit of one never rebuilds an image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "harness/base/result.h"
#include "harness/cluster/keys.h"

namespace mosrig {

struct SeedFile {
    unsigned mode = 0644;
    std::string content;
    std::string link = {};  // not empty: a symbolic link to this, without content
};

// By path without a leading slash.
using SeedFiles = std::map<std::string, SeedFile>;

// Adds the regular files below `folder`, at the same relative paths. A file that its owner may
// execute gets mode 0755, others 0644.
Result<void> add_rendered_files(const std::filesystem::path& folder, SeedFiles& files);

// Adds the programs of build/guest/bin at their places on a node, and what belongs to them (manual
// pages) from the folder `share` beside it.
Result<void> add_guest_programs(const std::filesystem::path& guest_bin, SeedFiles& files);

// Adds keys, each where its reader looks for it.
void add_keys(const ClusterKeys& keys, SeedFiles& files);

// A POSIX tar of the files and the folders they need, owned by root, all of time 0.
Result<void> write_seed(const SeedFiles& files, const std::filesystem::path& target);

// Mixes names, modes and contents into a digest (hexadecimal) that changes with any of them.
std::string digest(const SeedFiles& files, const std::string& salt);

}  // namespace mosrig
