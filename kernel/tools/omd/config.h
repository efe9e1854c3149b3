// SPDX-License-Identifier: GPL-2.0-only
// /etc/openmosix/omd.conf: "key = value" lines. See omd.conf(5).
#pragma once

#include <string>
#include <string_view>

#include "common/map.h"
#include "common/result.h"
#include "omd/key.h"
#include "omd/policy/types.h"

namespace mosrig {

inline constexpr const char* default_config_path = "/etc/openmosix/omd.conf";

struct Config {
    enum class Discovery : std::uint8_t { map, announce };
    Discovery discovery = Discovery::map;
    std::string map = default_map_path;
    std::string key = default_key_path;
    std::string interface;  // of the fabric; only for announcements
    policy::Millis period = 1000;
    bool balance = true;
    unsigned fanout = 2;
    policy::Millis residency = 5000;
    policy::Millis forget = 600000;  // an announced node that is down
};

// Parses the file's text. The error names the line and what would be right.
Result<Config> parse_config(std::string_view text);
// Reads and parses it. A missing file counts as empty, unless `must_exist`.
Result<Config> load_config(const std::string& path, bool must_exist);

}  // namespace mosrig
