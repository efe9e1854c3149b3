// SPDX-License-Identifier: MIT
#include "harness/journal/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/journal/results.h"

namespace mosrig {
namespace {

using nlohmann::json;

class JournalTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::path(testing::TempDir()) /
                  ("journal-" + std::to_string(getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::filesystem::path file() const { return folder_ / "results/journal.jsonl"; }

    // A run that planned two cases.
    void begin() {
        Result<Journal> journal = Journal::create(file());
        ASSERT_TRUE(journal);
        append({{"event", "run_begin"},
                {"run", {{"kernel", "6.12"}, {"accelerator", "tcg"}, {"nodes", 2}}},
                {"planned",
                 {{{"id", "busy"}, {"title", "A loop"}, {"tier", "quick"}, {"expected", "moves"}},
                  {{"id", "mlock"}, {"expected", "refused"}}}}});
    }
    void append(const json& event) {
        Result<Journal> journal = Journal::open(file());
        ASSERT_TRUE(journal);
        ASSERT_TRUE(journal->append(event));
    }
    json results() {
        Result<json> made = write_results(file(), folder_ / "report");
        EXPECT_TRUE(made) << made.error().message();
        return made.value_or(json::object());
    }

    std::filesystem::path folder_;
};

TEST_F(JournalTest, AFinishedRunIsComplete) {
    begin();
    for (const char* id : {"busy", "mlock"}) {
        append({{"event", "case_begin"}, {"id", id}});
        append({{"event", "case_end"}, {"id", id}, {"case", {{"id", id}, {"verdict", "PASS"}}}});
    }
    append({{"event", "run_end"}, {"duration_s", 4.5}});
    const json made = results();
    EXPECT_EQ(made["run"]["complete"], true);
    EXPECT_EQ(made["run"]["duration_s"], 4.5);
    EXPECT_EQ(made["cases"].size(), 2U);
    EXPECT_EQ(run_exit_code(verdicts(made)), 0);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "report/results.json"));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "report/junit.xml"));
}

TEST_F(JournalTest, ARunnerThatDiedLeavesNamedCases) {
    begin();
    append({{"event", "case_begin"}, {"id", "busy"}});
    append({{"event", "check"}, {"id", "busy"}, {"check", "lock is 0"}, {"ok", true}});
    const json made = results();
    EXPECT_EQ(made["run"]["complete"], false);
    EXPECT_EQ(made["cases"][0]["verdict"], "INFRA");
    EXPECT_EQ(made["cases"][0]["title"], "A loop");
    EXPECT_EQ(made["cases"][0]["manual"]["expected"], "moves");
    EXPECT_EQ(made["cases"][0]["evidence"][0]["check"], "lock is 0");
    EXPECT_EQ(made["cases"][1]["reason"], "the run ended before this case began");
    EXPECT_EQ(run_exit_code(verdicts(made)), 3);
}

TEST_F(JournalTest, TheEvidenceOfADeathDecidesTheVerdict) {
    begin();
    append({{"event", "case_begin"}, {"id", "busy"}});
    append({{"event", "runner_died"},
            {"id", "busy"},
            {"verdict", "KERNEL"},
            {"why", "node2: BUG: sleeping function"},
            {"console", {{"node2", {"BUG: sleeping function"}}}}});
    const json made = results();
    EXPECT_EQ(made["cases"][0]["verdict"], "KERNEL");
    EXPECT_EQ(made["cases"][0]["console"]["node2"][0], "BUG: sleeping function");
    EXPECT_EQ(run_exit_code(verdicts(made)), 1);
}

TEST_F(JournalTest, ALineCutShortIsLeftOut) {
    begin();
    std::ofstream(file(), std::ios::app) << R"({"event":"case_be)";
    const Result<std::vector<json>> events = read_journal(file());
    ASSERT_TRUE(events);
    EXPECT_EQ(events->size(), 1U);
}

TEST_F(JournalTest, RubbishInTheMiddleIsAnError) {
    begin();
    std::ofstream(file(), std::ios::app) << "rubbish\n";
    append({{"event", "run_end"}});
    EXPECT_FALSE(read_journal(file()));
}

TEST_F(JournalTest, NoRunNoResults) {
    EXPECT_FALSE(write_results(file(), folder_ / "report"));
    append({{"event", "run_end"}});
    EXPECT_FALSE(write_results(file(), folder_ / "report"));
}

TEST(Junit, EscapesAndCounts) {
    const json results = {{"run", {{"duration_s", 1.0}}},
                          {"cases",
                           {{{"id", "a"}, {"verdict", "PASS"}},
                            {{"id", "b"}, {"verdict", "FAIL"}, {"reason", "<\"x\" & y>"}},
                            {{"id", "c"}, {"verdict", "INFRA"}, {"reason", nullptr}},
                            {{"id", "d"}, {"verdict", "SKIP"}, {"reason", "none"}}}}};
    const std::string xml = junit_xml(results);
    EXPECT_NE(xml.find(R"(tests="4" failures="1" errors="1" skipped="1")"), std::string::npos);
    EXPECT_NE(xml.find("FAIL: &lt;&quot;x&quot; &amp; y&gt;"), std::string::npos);
}

TEST(Results, OnTheWholeImageASkipNeedsAReason) {
    json results = {{"run", {{"image", "debian"}, {"duration_s", 1.0}}},
                    {"cases",
                     {{{"id", "a"}, {"verdict", "PASS"}},
                      {{"id", "b"}, {"verdict", "SKIP"}, {"reason", "none here"}},
                      {{"id", "c"}, {"verdict", "SKIP"}, {"may_skip", "it needs 3 nodes"}}}}};
    EXPECT_EQ(wrongly_skipped(results), std::vector<std::string>{"b"});
    EXPECT_NE(junit_xml(results).find(R"(errors="1" skipped="1")"), std::string::npos);
    results["run"]["image"] = "mini";
    EXPECT_TRUE(wrongly_skipped(results).empty());
    EXPECT_NE(junit_xml(results).find(R"(errors="0" skipped="2")"), std::string::npos);
}

}  // namespace
}  // namespace mosrig
