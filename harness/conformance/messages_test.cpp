// SPDX-License-Identifier: MIT
#include "harness/conformance/messages.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mosrig {
namespace {

TEST(Messages, OneThatGoesBothWaysHasADirection) {
    const Result<Message> up = find_message("bytes-up");
    const Result<Message> down = find_message("bytes-down");
    ASSERT_TRUE(up && down);
    EXPECT_EQ(up->type, "bytes");
    EXPECT_FALSE(up->at_home("send"));
    EXPECT_EQ(down->type, "bytes");
    EXPECT_TRUE(down->at_home("send"));
    EXPECT_FALSE(down->at_home("recv"));
    EXPECT_FALSE(find_message("bytes"));
}

TEST(Messages, OnlyWhatIsSaidOnTheWayIsSaidOnward) {
    const Result<Message> onward = find_message("onward-pages-up");
    ASSERT_TRUE(onward);
    EXPECT_TRUE(onward->onward);
    EXPECT_EQ(onward->type, "pages");
    EXPECT_EQ(onward->leg, Leg::home);
    for (const char* name : {"onward-call", "onward-leave", "onward-", "goodbye", ""}) {
        const Result<Message> none = find_message(name);
        ASSERT_FALSE(none) << name;
        EXPECT_EQ(none.error().kind, ErrorKind::usage);
    }
}

TEST(Messages, AFailureIsAnEventAtASideOfAMessage) {
    mosrig::Run run;
    run.messages = {"prepare", "commit", "return"};
    run.events = {"kill", "garbage"};
    EXPECT_EQ(count_failures(run), 9) << "what is sent is spoilt once";
    run.events = {"hold"};
    EXPECT_EQ(count_failures(run), 6);
    run.messages.clear();
    EXPECT_EQ(count_failures(run), 0);
}

TEST(Messages, EveryCaseNamesSomeThatThereAre) {
    const Result<std::vector<Description>> all = load_descriptions(MOSRIG_WORKLOADS);
    ASSERT_TRUE(all) << all.error().message();
    int named = 0;
    for (const Description& description : *all) {
        for (const mosrig::Run& run : description.runs) {
            named += static_cast<int>(run.messages.size());
            EXPECT_TRUE(std::all_of(run.messages.begin(), run.messages.end(),
                                    [](const std::string& name) { return find_message(name); }))
                << description.id;
        }
    }
    EXPECT_GT(named, 100);
}

}  // namespace
}  // namespace mosrig
