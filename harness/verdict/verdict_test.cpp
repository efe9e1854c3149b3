// SPDX-License-Identifier: MIT
#include "harness/verdict/verdict.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/verdict/case_result.h"

namespace mosrig {
namespace {

TEST(Verdict, WordsAndBack) {
    for (const char* word : {"PASS", "FAIL", "XFAIL", "XPASS", "SKIP", "FLAKY", "KERNEL", "TIMEOUT",
                             "BOOT", "INFRA"}) {
        const Result<Verdict> verdict = parse_verdict(word);
        ASSERT_TRUE(verdict) << word;
        EXPECT_STREQ(to_string(*verdict), word);
    }
    EXPECT_FALSE(parse_verdict("pass"));
}

TEST(Verdict, ExitCodes) {
    using enum Verdict;
    EXPECT_EQ(run_exit_code({pass, skip, xfail, flaky}), 0);
    EXPECT_EQ(run_exit_code({pass, infra}), 3);
    EXPECT_EQ(run_exit_code({boot}), 3);
    EXPECT_EQ(run_exit_code({infra, fail}), 1);
    for (const Verdict bad : {fail, xpass, kernel, timeout}) {
        EXPECT_EQ(run_exit_code({pass, bad}), 1);
    }
    EXPECT_EQ(run_exit_code({}), 3) << "nothing run is not a success";
    EXPECT_EQ(run_exit_code({pass, skip}, true), 3) << "what must be looked at was not";
    EXPECT_EQ(run_exit_code({fail, skip}, true), 1);
}

TEST(Judge, NothingCheckedIsNoPass) {
    EXPECT_EQ(Judge().verdict(), Verdict::infra);
}

TEST(Judge, AllChecksGoodIsPass) {
    Judge judge;
    EXPECT_TRUE(judge.check("lock is 0", true));
    EXPECT_EQ(judge.verdict(), Verdict::pass);
    EXPECT_EQ(judge.reason(), "");
}

TEST(Judge, AFailedCheckIsNamed) {
    Judge judge;
    judge.check("where is 2", true);
    judge.check("lock is 1", false, "it is 0");
    judge.check("later", false);
    EXPECT_EQ(judge.verdict(), Verdict::fail);
    EXPECT_EQ(judge.reason(), "not so: lock is 1 (it is 0)");
}

TEST(Judge, ACheckThatCouldNotRunIsNoPass) {
    Judge judge;
    judge.check("lock is 0", true);
    judge.trouble({ErrorKind::infra, "agent gone", "", "node2", 0});
    EXPECT_EQ(judge.verdict(), Verdict::infra);
    EXPECT_EQ(judge.reason(), "node2: agent gone");
}

TEST(Judge, TimeoutAndBootKeepTheirNames) {
    Judge late;
    late.trouble({ErrorKind::timeout, "waited too long for READY", "", "", 0});
    EXPECT_EQ(late.verdict(), Verdict::timeout);
    Judge dark;
    dark.trouble({ErrorKind::boot, "no answer", "", "", 0});
    EXPECT_EQ(dark.verdict(), Verdict::boot);
}

TEST(Judge, AFailedCheckOutweighsTrouble) {
    Judge judge;
    judge.trouble({ErrorKind::infra, "agent gone", "", "", 0});
    judge.check("data intact", false, "BAD memory page 3");
    EXPECT_EQ(judge.verdict(), Verdict::fail);
    EXPECT_EQ(judge.reason(), "not so: data intact (BAD memory page 3)");
}

TEST(Judge, AKernelReportOutweighsAll) {
    Judge judge;
    judge.check("data intact", false);
    judge.trouble({ErrorKind::timeout, "late", "", "", 0});
    judge.kernel_report("node2", "BUG: KASAN: use-after-free");
    EXPECT_EQ(judge.verdict(), Verdict::kernel);
    EXPECT_EQ(judge.reason(), "node2: BUG: KASAN: use-after-free");
}

TEST(Judge, SkipIsSaid) {
    Judge judge;
    judge.skip("no device memory");
    EXPECT_EQ(judge.verdict(), Verdict::skip);
    EXPECT_EQ(judge.reason(), "no device memory");
    judge.check("lock is 0", false);
    EXPECT_EQ(judge.verdict(), Verdict::fail) << "a skip hides no failure";
}

TEST(CaseResult, JsonHasNullsAndNumbers) {
    CaseResult result;
    result.id = "busy";
    result.migstat = {{"state", "away"}, {"demand_faults", "12"}};
    result.console["node1"] = {"caf\xc3\xa9 \x1b[m"};
    const nlohmann::json json = to_json(result);
    EXPECT_EQ(json["verdict"], "INFRA");
    EXPECT_TRUE(json["lock"].is_null());
    EXPECT_TRUE(json["freeze_ns"].is_null());
    EXPECT_EQ(json["manual"]["expected"], "none");
    EXPECT_EQ(json["migstat"]["demand_faults"], 12);
    EXPECT_EQ(json["migstat"]["state"], "away");
    EXPECT_NO_THROW((void)json.dump());
}

TEST(CaseResult, WhatMaySkipSaysWhy) {
    CaseResult result;
    result.may_skip = "it needs 3 nodes";
    EXPECT_FALSE(to_json(result).contains("may_skip")) << "it was not skipped";
    result.verdict = Verdict::skip;
    EXPECT_EQ(to_json(result)["may_skip"], "it needs 3 nodes");
}

}  // namespace
}  // namespace mosrig
