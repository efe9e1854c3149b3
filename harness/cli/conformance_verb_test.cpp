// SPDX-License-Identifier: MIT
// `mosrig conformance` as somebody types it who mistypes a case: he is told at once, and no node
// is started for it.
#include <gtest/gtest.h>

#include "harness/base/subprocess.h"

namespace mosrig {
namespace {

TEST(ConformanceVerb, TellsOfACaseThatThereIsNotBeforeItStartsANode) {
    const auto done =
        run_subprocess({MOSRIG_PROGRAM, "conformance", "--nodes", "3", "ten-moves", "tan-moves"},
                       Deadline("a usage error", Millis(20000)));
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->status, 2);
    EXPECT_NE(done->err.find("there is no case 'tan-moves'"), std::string::npos) << done->err;
    EXPECT_EQ(done->err.find("started"), std::string::npos) << done->err;
}

}  // namespace
}  // namespace mosrig
