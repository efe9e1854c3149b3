// SPDX-License-Identifier: MIT
// How a case ended, and what that means for the run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace mosrig {

enum class Verdict { pass, fail, xfail, xpass, skip, flaky, kernel, timeout, boot, infra };

// "PASS", "FAIL" ...: the words of results.json.
const char* to_string(Verdict verdict);
Result<Verdict> parse_verdict(std::string_view word);

// Exit code of a run: 1 if the system under test failed anywhere, else 3 if the rig did, nothing
// was run at all, or something was skipped that must not be, else 0.
int run_exit_code(const std::vector<Verdict>& verdicts, bool wrongly_skipped = false);

// One thing that was looked at.
struct Check {
    std::string check;   // statement that should hold
    bool ok = false;     // whether it does
    std::string detail;  // what was seen, may be empty
};

// Collects what a case looked at and draws the verdict from it. A check that could not run is not
// a pass, and neither is a case that checked nothing.
class Judge {
  public:
    // Records a check; gives `ok` back, for callers that cannot go on without it.
    bool check(std::string statement, bool ok, std::string detail = {});
    // Something that had to be looked at could not be.
    void trouble(const Error& error);
    // The node lacks what the case needs.
    void skip(std::string why);
    // A kernel complained on a console.
    void kernel_report(const std::string& node, const std::string& line);

    [[nodiscard]] Verdict verdict() const;
    // Why the verdict is not PASS, one line; empty for PASS.
    [[nodiscard]] std::string reason() const;
    [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }

  private:
    std::vector<Check> checks_;
    std::vector<Error> troubles_;
    std::string skip_;
    std::string kernel_;
};

}  // namespace mosrig
