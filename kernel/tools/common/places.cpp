// SPDX-License-Identifier: GPL-2.0-only
#include "common/places.h"

#include <sys/stat.h>

namespace mosrig {

bool is_openmosix(const Places& places) {
    struct stat info {};
    return ::stat(places.hpc().c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<Places> take_places(std::vector<std::string>& words) {
    const std::string option = "--root";
    Places places;
    for (auto word = words.begin(); word != words.end() && *word != "--";) {
        if (*word == option) {
            if (word + 1 == words.end()) {
                return fail("--root needs a folder");
            }
            places.root = *(word + 1);
            word = words.erase(word, word + 2);
        } else if (word->starts_with(option + "=")) {
            places.root = word->substr(option.size() + 1);
            word = words.erase(word);
        } else {
            ++word;
        }
    }
    if (places.root == "/") {
        places.root.clear();
    }
    return places;
}

}  // namespace mosrig
