// SPDX-License-Identifier: MIT
#include "harness/verdict/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mosrig {

namespace {

// In the order of the enumeration.
constexpr std::array words = {"PASS",  "FAIL",   "XFAIL",   "XPASS", "SKIP",
                              "FLAKY", "KERNEL", "TIMEOUT", "BOOT",  "INFRA"};

Verdict verdict_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::timeout:
            return Verdict::timeout;
        case ErrorKind::boot:
            return Verdict::boot;
        case ErrorKind::ended:
            return Verdict::fail;
        default:
            return Verdict::infra;
    }
}

}  // namespace

const char* to_string(Verdict verdict) {
    return words.at(static_cast<size_t>(verdict));
}

Result<Verdict> parse_verdict(std::string_view word) {
    const auto* found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) {
        return infra_error(fmt::format("'{}' is no verdict", word));
    }
    return static_cast<Verdict>(found - words.begin());
}

int run_exit_code(const std::vector<Verdict>& verdicts, bool wrongly_skipped) {
    const auto any = [&verdicts](std::initializer_list<Verdict> wanted) {
        return std::any_of(verdicts.begin(), verdicts.end(), [&wanted](Verdict verdict) {
            return std::find(wanted.begin(), wanted.end(), verdict) != wanted.end();
        });
    };
    if (any({Verdict::fail, Verdict::xpass, Verdict::kernel, Verdict::timeout})) {
        return 1;
    }
    return verdicts.empty() || wrongly_skipped || any({Verdict::boot, Verdict::infra}) ? 3 : 0;
}

bool Judge::check(std::string statement, bool ok, std::string detail) {
    checks_.push_back({std::move(statement), ok, std::move(detail)});
    return ok;
}

void Judge::trouble(const Error& error) {
    troubles_.push_back(error);
    checks_.push_back({"could look at everything", false, error.message()});
}

void Judge::skip(std::string why) {
    skip_ = std::move(why);
}

void Judge::kernel_report(const std::string& node, const std::string& line) {
    checks_.push_back({fmt::format("console of {} is clean", node), false, line});
    if (kernel_.empty()) {
        kernel_ = fmt::format("{}: {}", node, line);
    }
}

Verdict Judge::verdict() const {
    if (!kernel_.empty()) {
        return Verdict::kernel;
    }
    // Troubles stand among the checks too; a failed check beside them is the stronger news.
    const auto failed = static_cast<size_t>(std::count_if(
        checks_.begin(), checks_.end(), [](const Check& check) { return !check.ok; }));
    if (failed > troubles_.size()) {
        return Verdict::fail;
    }
    if (!troubles_.empty()) {
        return verdict_of(troubles_.front());
    }
    if (!skip_.empty()) {
        return Verdict::skip;
    }
    return checks_.empty() ? Verdict::infra : Verdict::pass;
}

std::string Judge::reason() const {
    switch (verdict()) {
        case Verdict::pass:
            return {};
        case Verdict::kernel:
            return kernel_;
        case Verdict::skip:
            return skip_;
        case Verdict::fail: {
            const auto is_trouble = [this](const Check& check) {
                return std::any_of(
                    troubles_.begin(), troubles_.end(),
                    [&check](const Error& error) { return error.message() == check.detail; });
            };
            for (const Check& check : checks_) {
                if (!check.ok && !is_trouble(check)) {
                    return check.detail.empty()
                               ? "not so: " + check.check
                               : fmt::format("not so: {} ({})", check.check, check.detail);
                }
            }
            return "a check failed";
        }
        default:
            return troubles_.empty() ? "nothing was checked" : troubles_.front().message();
    }
}

}  // namespace mosrig
