// SPDX-License-Identifier: GPL-2.0-only
#include "mosrun/search.h"

#include <sys/stat.h>
#include <unistd.h>
#include <sstream>

namespace mosrig {

Result<std::string> find_program(const std::string& name, const std::string& path) {
    if (name.find('/') != std::string::npos) {
        return name;
    }
    int code = ENOENT;
    std::istringstream folders(path + ":");
    for (std::string folder; !name.empty() && std::getline(folders, folder, ':');) {
        const std::string file = (folder.empty() ? "." : folder) + "/" + name;
        struct stat info {};
        if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            continue;
        }
        if (::access(file.c_str(), X_OK) == 0) {
            return file;
        }
        code = EACCES;
    }
    return fail_errno("cannot run " + name, code);
}

}  // namespace mosrig
