// SPDX-License-Identifier: GPL-2.0-only
#include "common/users.h"

#include <map>
#include <sstream>

#include "common/file.h"
#include "common/map.h"

namespace mosrig {
namespace {

std::map<uid_t, std::string> read_users(const Places& places) {
    std::map<uid_t, std::string> users;
    std::istringstream lines(read_text(places.root + "/etc/passwd").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string name;
        std::string password;
        std::string number;
        std::getline(fields, name, ':');
        std::getline(fields, password, ':');
        std::getline(fields, number, ':');
        if (const auto uid = parse_number(number, UINT32_MAX)) {
            users.emplace(*uid, name);
        }
    }
    return users;
}

}  // namespace

std::string user_name(uid_t uid, const Places& places) {
    // One folder a run; a test may ask for several.
    static std::map<std::string, std::map<uid_t, std::string>> known;
    auto [users, fresh] = known.try_emplace(places.root);
    if (fresh) {
        users->second = read_users(places);
    }
    const auto found = users->second.find(uid);
    return found != users->second.end() ? found->second : std::to_string(uid);
}

}  // namespace mosrig
