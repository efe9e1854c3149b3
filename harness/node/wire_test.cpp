// SPDX-License-Identifier: MIT
#include "harness/node/wire.h"

#include <gtest/gtest.h>

namespace mosrig::wire {
namespace {

TEST(Wire, RoundTripOfEveryFieldKind) {
    const std::string payload = Writer()
                                    .u32(0xfeed1234)
                                    .u64(0x0123456789abcdefULL)
                                    .string(std::string("a\0b", 3))
                                    .strings({"", "two words"})
                                    .payload();
    Reader reader(payload);
    EXPECT_EQ(reader.u32(), 0xfeed1234U);
    EXPECT_EQ(reader.u64(), 0x0123456789abcdefULL);
    EXPECT_EQ(reader.string(), std::string("a\0b", 3));
    EXPECT_EQ(reader.strings(), (std::vector<std::string>{"", "two words"}));
    EXPECT_TRUE(reader.ok());
}

TEST(Wire, ReadBeyondTheEndIsNotOk) {
    Reader reader("\x05\0\0\0ab");
    EXPECT_EQ(reader.string(), "");
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u64(), 0U);
}

TEST(Wire, CountBeyondThePayloadEndsEarly) {
    const std::string payload = Writer().u32(0xffffffff).payload();
    Reader reader(payload);
    EXPECT_TRUE(reader.strings().empty());
    EXPECT_FALSE(reader.ok());
}

TEST(Wire, FramesArriveWholeInPieces) {
    std::string bytes;
    append_frame(bytes, Type::output, 7, "hello");
    append_frame(bytes, Type::exited, 8, "");
    Splitter splitter;
    Frame frame;
    std::vector<Frame> frames;
    for (const char byte : bytes) {
        splitter.add({&byte, 1});
        while (splitter.next(frame)) {
            frames.push_back(frame);
        }
    }
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].type, Type::output);
    EXPECT_EQ(frames[0].id, 7U);
    EXPECT_EQ(frames[0].payload, "hello");
    EXPECT_EQ(frames[1].type, Type::exited);
}

TEST(Wire, LengthBeyondTheMaximumBreaksTheStream) {
    Splitter splitter;
    splitter.add(std::string("\xff\xff\xff\xff\x01\0\0\0\0", 9));
    Frame frame;
    EXPECT_FALSE(splitter.next(frame));
    EXPECT_TRUE(splitter.broken());
}

}  // namespace
}  // namespace mosrig::wire
