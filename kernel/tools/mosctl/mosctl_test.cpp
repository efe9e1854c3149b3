// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/program.h"
#include "common/test_folder.h"

namespace mosrig {
namespace {

using testing::HasSubstr;

struct Outcome {
    int status = 0;
    std::string out;
    std::string error;
};

class Mosctl : public testing::Test {
  protected:
    void SetUp() override { node_.cluster(); }
    [[nodiscard]] Outcome run(Words words) const {
        words.insert(words.begin(), {"--root", node_.places().root});
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        Outcome outcome;
        outcome.status = mosctl_program(std::move(words));
        outcome.out = testing::internal::GetCapturedStdout();
        outcome.error = testing::internal::GetCapturedStderr();
        return outcome;
    }
    TestFolder node_;
};

TEST_F(Mosctl, SwitchesAreSetAndClearedInEachForm) {
    for (const std::string name : {"stay", "lstay", "block", "quiet"}) {
        const std::string file = "proc/hpc/admin/" + name;
        for (const std::string& off : {"no" + name, "-" + name}) {
            EXPECT_EQ(run({name}).status, 0);
            EXPECT_EQ(node_.get(file), "1\n") << name;
            EXPECT_EQ(run({off}).status, 0);
            EXPECT_EQ(node_.get(file), "0\n") << off;
        }
        EXPECT_THAT(run({"no" + name}).out, HasSubstr("already"));
        EXPECT_EQ(run({"no" + name}).status, 0);
    }
}

TEST_F(Mosctl, Whois) {
    EXPECT_EQ(run({"whois"}).out, "This is openMosix #1\n");
    EXPECT_EQ(run({"whois", "2"}).out, "openMosix #2 is node2 (10.66.0.2)\n");
    EXPECT_EQ(run({"whois", "node2"}).out, "openMosix #2 is node2 (10.66.0.2)\n");
    EXPECT_EQ(run({"whois", "10.66.0.1"}).out, "openMosix #1 is node1 (10.66.0.1)\n");
    const Outcome stranger = run({"whois", "7"});
    EXPECT_EQ(stranger.status, 1);
    EXPECT_THAT(stranger.error, HasSubstr("ENXIO: there is no node '7'"));
    node_.put("proc/hpc/admin/mospe", "0\n");
    EXPECT_THAT(run({"whois"}).error, HasSubstr("not configured"));
    EXPECT_EQ(run({"whois"}).status, 1);
}

TEST_F(Mosctl, Figures) {
    EXPECT_EQ(run({"getload"}).out, "150\n");
    EXPECT_EQ(run({"getspeed", "1"}).out, "12000\n");
    EXPECT_EQ(run({"getutil", "node1"}).out, "90\n");
    EXPECT_EQ(run({"getmem"}).out, "800000\n");  // 200000 pages
    EXPECT_EQ(run({"getfree"}).out, "1000000\n");
    EXPECT_EQ(run({"getspeed", "2"}).out, "10000\n");  // the last known
    const Outcome down = run({"getload", "2"});
    EXPECT_EQ(down.status, 1);
    EXPECT_EQ(down.out, "");
    EXPECT_THAT(down.error, HasSubstr("node 2: ENETUNREACH"));
}

TEST_F(Mosctl, StatusAndIsup) {
    EXPECT_EQ(run({"isup"}).out, "yes\n");
    EXPECT_EQ(run({"isup"}).status, 0);
    EXPECT_EQ(run({"isup", "2"}).out, "no\n");
    EXPECT_EQ(run({"isup", "2"}).status, 1);
    EXPECT_EQ(run({"status", "2"}).out, "down\n");
    EXPECT_EQ(run({"status", "2"}).status, 1);
    node_.put("proc/hpc/nodes/1/status", "31\n");
    EXPECT_EQ(run({"status"}).out, "up, takes no guests, its processes stay, quiet\n");
    EXPECT_EQ(run({"status"}).status, 0);
}

TEST_F(Mosctl, SettingsAreCheckedFirst) {
    for (const char* file : {"speed", "decay-interval", "slow-decay", "fast-decay"}) {
        node_.put(std::string("proc/hpc/admin/") + file, "0\n");
    }
    EXPECT_EQ(run({"setspeed", "9000"}).status, 0);
    EXPECT_EQ(node_.get("proc/hpc/admin/speed"), "9000\n");
    EXPECT_EQ(run({"setspeed", "0"}).status, 2);
    EXPECT_EQ(run({"setspeed", "fast"}).status, 2);
    EXPECT_EQ(run({"setdecay", "2", "980", "900"}).status, 0);
    EXPECT_EQ(node_.get("proc/hpc/admin/slow-decay"), "980\n");
    EXPECT_EQ(run({"setdecay", "2", "980", "1001"}).status, 2);
    EXPECT_EQ(run({"getdecay"}).out,
              "interval 2 s, slow 980, fast 900 (permille kept each interval)\n");
    EXPECT_EQ(run({"setyard", "10000"}).status, 0);
    EXPECT_EQ(run({"setyard", "5000"}).status, 1);
}

TEST_F(Mosctl, ExpelAndBringSayWhatHolds) {
    node_.put("proc/hpc/admin/expel", "0\n");
    node_.put("proc/hpc/admin/bring", "0\n");
    EXPECT_THAT(run({"expel"}).out, HasSubstr("no further ones are accepted"));
    EXPECT_EQ(node_.get("proc/hpc/admin/expel"), "1\n");
    EXPECT_THAT(run({"bring"}).out, HasSubstr("at home and stay"));
}

TEST_F(Mosctl, ExitStatusesForScripts) {
    EXPECT_EQ(run({}).status, 2);
    EXPECT_EQ(run({"nonsense"}).status, 2);
    EXPECT_EQ(run({"stay", "2"}).status, 2);
    EXPECT_EQ(run({"expel", "2"}).status, 2);
    EXPECT_EQ(run({"setspeed"}).status, 2);
    EXPECT_EQ(run({"nomfs"}).status, 1);
    EXPECT_THAT(run({"nomfs"}).error, HasSubstr("no MFS"));
    EXPECT_EQ(run({"gettune"}).status, 1);  // the file is not there
    node_.put("proc/hpc/admin/overheads", "");
    EXPECT_THAT(run({"gettune"}).out, HasSubstr("no table is set"));
    node_.put("proc/hpc/admin/overheads", "100 200\n");
    EXPECT_EQ(run({"gettune"}).out, "100 200\n");
    std::filesystem::remove_all(node_.path("proc/hpc"));
    EXPECT_EQ(run({"whois"}).status, 3);
}

}  // namespace
}  // namespace mosrig
