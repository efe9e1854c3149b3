// SPDX-License-Identifier: MIT
#include "harness/console/console.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "harness/base/fd.h"

namespace mosrig {
namespace {

struct Sample {
    const char* text;
    ReportKind kind;
};

class Reports : public ::testing::TestWithParam<Sample> {};

TEST_P(Reports, AreFoundBehindATimestamp) {
    const std::string text = std::string("[    1.000000] init: started\n[   12.345678] ") +
                             GetParam().text + "\r\n[   12.345700] Call Trace:\n";
    const auto reports = find_kernel_reports(text, 100);
    ASSERT_EQ(reports.size(), 1U) << text;
    EXPECT_EQ(reports[0].kind, GetParam().kind);
    EXPECT_EQ(reports[0].line, GetParam().text);
    EXPECT_EQ(reports[0].offset, 100 + text.find("[   12.345678]"));
    EXPECT_NE(reports[0].excerpt.find("Call Trace"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Console, Reports,
    ::testing::Values(
        Sample{"BUG: kernel NULL pointer dereference, address: 0000000000000008", ReportKind::bug},
        Sample{"BUG: unable to handle page fault for address: ffffc90000201000", ReportKind::bug},
        Sample{"Oops: general protection fault, probably for non-canonical address 0xdead: 0000",
               ReportKind::oops},
        Sample{"kernel BUG at mm/memory.c:1234!", ReportKind::bug},
        Sample{"BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585",
               ReportKind::bug},
        Sample{"BUG: scheduling while atomic: busy/123/0x00000002", ReportKind::bug},
        Sample{"BUG: Bad page state in process busy  pfn:12345", ReportKind::bug},
        Sample{"BUG: Bad rss-counter state mm:00000000 type:MM_ANONPAGES val:3", ReportKind::bug},
        Sample{"list_del corruption. prev->next should be ffff8880, but was 0", ReportKind::bug},
        Sample{"WARNING: CPU: 0 PID: 77 at hpc/deputy.c:99 deputy_loop+0x12/0x40",
               ReportKind::warning},
        Sample{"refcount_t: underflow; use-after-free.", ReportKind::warning},
        Sample{"WARNING: possible circular locking dependency detected", ReportKind::lockdep},
        Sample{"WARNING: possible recursive locking detected", ReportKind::lockdep},
        Sample{"WARNING: inconsistent lock state", ReportKind::lockdep},
        Sample{"WARNING: suspicious RCU usage", ReportKind::lockdep},
        Sample{"WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", ReportKind::lockdep},
        Sample{"WARNING: bad unlock balance detected!", ReportKind::lockdep},
        Sample{"WARNING: lock held when returning to user space!", ReportKind::lockdep},
        Sample{"BUG: KASAN: slab-use-after-free in body_exit+0x1f/0x80", ReportKind::kasan},
        Sample{"UBSAN: array-index-out-of-bounds in hpc/page.c:10:2", ReportKind::ubsan},
        Sample{"INFO: task busy:123 blocked for more than 120 seconds.", ReportKind::hung_task},
        Sample{"watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [busy:77]", ReportKind::stall},
        Sample{"rcu: INFO: rcu_sched self-detected stall on CPU", ReportKind::stall},
        Sample{"Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b",
               ReportKind::panic}));

TEST(Console, QuietTextsAreNotReports) {
    EXPECT_TRUE(find_kernel_reports("[    0.1] Linux version 6.12\n"
                                    "[    0.2] debug: BUG_ON is on, WARNING levels set\n"
                                    "[    0.3] INFO: task scheduler ready\n"
                                    "[    0.4] WARN: nothing\n"
                                    "node1 login: ")
                    .empty());
}

TEST(Console, OneEventIsOneReportAndTheNextIsAnother) {
    const auto reports = find_kernel_reports(
        "[   10.0] BUG: kernel NULL pointer dereference, address: 0\n"
        "[   10.0] Oops: Oops: 0002 [#1] SMP\n"
        "[   10.0] ---[ end trace 0000000000000000 ]---\n"
        "[   11.0] WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2\n"
        "[   11.0] ---[ end trace 0000000000000000 ]---\n"
        "[   12.0] WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2\n");
    ASSERT_EQ(reports.size(), 3U);
    EXPECT_EQ(reports[0].kind, ReportKind::bug);
    EXPECT_EQ(reports[1].kind, ReportKind::warning);
}

TEST(Console, APanicWithinAnOopsIsToldApart) {
    const auto reports = find_kernel_reports(
        "BUG: kernel NULL pointer dereference\n"
        "Kernel panic - not syncing: Fatal exception\n");
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_EQ(reports[1].kind, ReportKind::panic);
}

class ConsoleFile : public ::testing::Test {
  protected:
    void SetUp() override {
        std::array<char, 40> name{"/tmp/mosrig-console-XXXXXX"};
        const Fd fd(::mkstemp(name.data()));
        ASSERT_TRUE(fd);
        file_ = name.data();
    }
    void TearDown() override { std::filesystem::remove(file_); }
    std::filesystem::path file_;
};

TEST_F(ConsoleFile, OnlyWhatCameAfterTheMarkCounts) {
    ASSERT_TRUE(write_text_file(file_, "BUG: old\n"));
    const Console console(file_);
    const auto mark = console.mark();
    ASSERT_TRUE(mark);
    ASSERT_TRUE(write_text_file(file_, "BUG: old\nWARNING: new\n"));
    EXPECT_EQ(console.text_since(*mark).value(), "WARNING: new\n");
    const auto reports = console.reports_since(*mark);
    ASSERT_TRUE(reports);
    ASSERT_EQ(reports->size(), 1U);
    EXPECT_EQ((*reports)[0].offset, 9U);
    EXPECT_EQ(console.tail(1).value(), "WARNING: new\n");
    EXPECT_EQ(console.tail(9).value(), "BUG: old\nWARNING: new\n");
}

TEST_F(ConsoleFile, AScanThatCannotRunIsAnError) {
    EXPECT_FALSE(Console("/no/such/console").mark());
    EXPECT_FALSE(Console("/no/such/console").reports_since({0}));
    EXPECT_FALSE(Console(file_).text_since({100})) << "shrunk";
}

}  // namespace
}  // namespace mosrig
