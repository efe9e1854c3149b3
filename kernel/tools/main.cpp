// SPDX-License-Identifier: GPL-2.0-only
// openmosix-tools: one static binary for all programs but those that must start fast. The name by
// which it is called says which it is; "openmosix-tools NAME ..." does too.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "common/guarded.h"
#include "common/program.h"

namespace {

using namespace mosrig;

struct Program {
    const char* name;
    int (*run)(Words words);
};

constexpr std::array programs{
    Program{"moswhy", moswhy_program}, Program{"mosctl", mosctl_program},
    Program{"setpe", setpe_program},   Program{"showmap", showmap_program},
    Program{"mosmon", mosmon_program}, Program{"mps", mps_program},
    Program{"mtop", mtop_program},
};

const Program* find_program(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const auto* const found = std::find_if(programs.begin(), programs.end(),
                                           [&](const Program& one) { return one.name == name; });
    return found != programs.end() ? found : nullptr;
}

int start(int argc, char** argv) {
    Words words(argv, argv + argc);
    const Program* program = words.empty() ? nullptr : find_program(words[0]);
    if (program == nullptr && words.size() > 1) {
        words.erase(words.begin());
        program = find_program(words[0]);
    }
    if (program == nullptr) {
        std::string names;
        for (const Program& one : programs) {
            names += std::string(" ") + one.name;
        }
        return wrong_usage("openmosix-tools", "call it by one of these names:" + names, "");
    }
    words.erase(words.begin());
    return guarded(program->name, exit_failed, [&] { return program->run(std::move(words)); });
}

}  // namespace

int main(int argc, char** argv) {
    return guarded("openmosix-tools", exit_failed, [&] { return start(argc, argv); });
}
