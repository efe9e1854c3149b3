// SPDX-License-Identifier: MIT
//
// What people type: each command is run as it stands in the description, and its status and words
// are as that says.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "harness/conformance/stage.h"
#include "harness/conformance/wording.h"

namespace mosrig {

namespace {

constexpr Millis ask_time(30000);

std::string with_pid(const std::string& text, std::int64_t pid) {
    return with_number(text, "PID", pid);
}

Result<void> expect_what_it_says(Stage& stage, const Ask& ask, std::int64_t pid) {
    Machine& machine = ask.at_guest ? stage.guest() : stage.home();
    std::vector<std::string> argv = ask.run;
    std::transform(argv.begin(), argv.end(), argv.begin(),
                   [pid](const std::string& word) { return with_pid(word, pid); });
    std::string words;
    for (const std::string& word : ask.run) {
        words += (words.empty() ? "" : " ") + word;
    }
    if (ask.user != 0) {
        words += fmt::format(", as user {}", ask.user);
    }
    if (ask.at_guest) {
        words += ", on the other node";
    }
    MOSRIG_TRY(const CommandResult seen,
               machine.run(argv, stage.deadline(words, ask_time), ask.user));
    const std::string said = fmt::format("{}: {}{}", seen.status, seen.out, seen.err);
    stage.check(fmt::format("'{}' ends with {}", words, ask.status), seen.status == ask.status,
                said);
    for (const std::string& pattern : ask.out) {
        stage.check(fmt::format("'{}' prints '{}'", words, pattern),
                    says(seen.out, with_pid(pattern, pid)), said);
    }
    for (const std::string& pattern : ask.err) {
        stage.check(fmt::format("'{}' says '{}'", words, pattern),
                    says(seen.err, with_pid(pattern, pid)), said);
    }
    return {};
}

}  // namespace

Result<void> need_programs(Stage& stage, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        MOSRIG_TRY(const CommandResult found,
                   stage.home().run({"sh", "-c", "command -v \"$1\"", "sh", name},
                                    stage.soon("the place of " + name), 0));
        if (!found.ok()) {
            return stage.skip("the nodes have no " + name);
        }
    }
    return {};
}

Result<void> expect_answers(Stage& stage, const Run& run, std::int64_t pid) {
    for (const Ask& ask : run.asks) {
        MOSRIG_CHECK(expect_what_it_says(stage, ask, pid));
    }
    return {};
}

Result<void> play_tools(Stage& stage, const Description& description) {
    for (const Run& run : description.runs) {
        MOSRIG_CHECK(need_programs(stage, run.needs));
        MOSRIG_TRY(Subject subject, start_subject(stage, run));
        MOSRIG_TRY(const ProcessState state,
                   expect_before_request(stage, subject.pid(), run.phases.front()));
        show(stage.result, state);
        MOSRIG_CHECK(expect_answers(stage, run, subject.pid()));
        MOSRIG_CHECK(expect_intact(stage, subject, "after all that"));
        MOSRIG_TRY(const int status, subject.finish(stage.deadline("its end", ask_time)));
        stage.check("it ends with status 0", status == 0, std::to_string(status));
    }
    return {};
}

}  // namespace mosrig
