// SPDX-License-Identifier: GPL-2.0-only
#include "common/program.h"

#include <fmt/format.h>
#include <cstdio>

namespace mosrig {

void complain(const char* program, const std::string& text) {
    fmt::print(stderr, "{}: {}\n", program, text);
}

int wrong_usage(const char* program, const std::string& text, const char* usage) {
    fmt::print(stderr, "{}: {}\n{}", program, text, usage);
    return exit_usage;
}

int not_openmosix(const char* program) {
    complain(program, "this is not an openMosix system: its kernel has no /proc/hpc");
    return exit_not_openmosix;
}

int put(const std::string& text) {
    const bool good = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    return good && std::fflush(stdout) == 0 ? exit_done : exit_failed;
}

}  // namespace mosrig
