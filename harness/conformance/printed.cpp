// SPDX-License-Identifier: MIT
#include "harness/conformance/printed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace mosrig {

Result<Printed> follow(Program& program, const Deadline& deadline) {
    return follow(program, deadline, deadline.remaining(), [] { return Result<void>(); });
}

Result<Printed> follow(Program& program, const Deadline& deadline, Millis slice,
                       const std::function<Result<void>()>& between) {
    const Clock::time_point begin = Clock::now();
    Clock::time_point next = begin;
    Printed printed;
    for (;;) {
        if (Clock::now() >= next) {
            MOSRIG_CHECK(between());
            next = Clock::now() + slice;
        }
        Result<std::optional<std::string>> line = program.read_line(
            Deadline("a line of the program", std::min(slice, deadline.remaining())));
        if (line && !*line) {
            break;
        }
        if (line) {
            printed.lines.push_back(std::move(**line));
        } else if (line.error().kind != ErrorKind::timeout) {
            return tl::unexpected(line.error());
        } else if (deadline.expired()) {
            return deadline.error();
        }
    }
    MOSRIG_TRY(printed.status, program.wait(deadline));
    printed.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return printed;
}

void expect_same(Stage& stage, const Printed& still, const Printed& moved) {
    stage.check("its status is that of a still run", moved.status == still.status,
                fmt::format("{}, still {}", moved.status, still.status));
    const auto differing = std::mismatch(moved.lines.begin(), moved.lines.end(),
                                         still.lines.begin(), still.lines.end());
    const bool same = differing.first == moved.lines.end() &&
                      differing.second == still.lines.end() && !moved.lines.empty();
    const auto shown = [](auto line, const auto& lines) {
        return line == lines.end() ? std::string("(nothing)") : *line;
    };
    stage.check(
        fmt::format("its {} lines are those of a still run", still.lines.size()), same,
        same ? ""
             : fmt::format("line {}: {}, still {}", differing.first - moved.lines.begin() + 1,
                           shown(differing.first, moved.lines),
                           shown(differing.second, still.lines)));
}

std::int64_t number_after(const std::string& text, const std::string& word) {
    const size_t at = text.find(word);
    return at == std::string::npos ? -1
                                   : std::strtoll(text.c_str() + at + word.size(), nullptr, 10);
}

}  // namespace mosrig
