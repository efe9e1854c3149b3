// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/mappings.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

constexpr const char* smaps =
    "7f64de650000-7f64de651000 rw-s 00000000 00:01 196637                     /SYSV00001234 "
    "(deleted)\n"
    "Size:                  4 kB\n"
    "KernelPageSize:        4 kB\n"
    "VmFlags: rd wr sh mr mw me ms lo \n"
    "7f64de652000-7f64de654000 r--p 00000000 fe:01 77                         /a file\n"
    "VmFlags: rd mr mw me\n"
    "ProtectionKey:         3\n"
    "7f64de700000-7f64de701000 rw-p 00000000 00:00 0 \n";

TEST(Mappings, ReadsHeadsAndDetails) {
    const auto mappings = parse_mappings(smaps);
    ASSERT_EQ(mappings.size(), 3U);
    EXPECT_EQ(mappings[0].path, "/SYSV00001234 (deleted)");
    EXPECT_EQ(mappings[0].file(), "/SYSV00001234");
    EXPECT_EQ(mappings[0].inode, 196637U);
    EXPECT_EQ(mappings[0].page_kib, 4U);
    EXPECT_TRUE(mappings[0].has_flag("lo"));
    EXPECT_TRUE(mappings[0].shared_writable());
    EXPECT_EQ(mappings[0].range(), "7f64de650000-7f64de651000 (4 KiB)");
    EXPECT_EQ(mappings[1].path, "/a file");
    EXPECT_TRUE(mappings[1].has_flag("me"));
    EXPECT_FALSE(mappings[1].has_flag("sh"));
    EXPECT_EQ(mappings[0].key, 0U);
    EXPECT_EQ(mappings[1].key, 3U);
    EXPECT_FALSE(mappings[2].of_file());
    EXPECT_EQ(mappings[2].path, "");
}

TEST(Mappings, WithoutFlagsTheAccessHasToDo) {
    const auto mappings = parse_mappings(
        "1000-2000 rw-s 00000000 fe:01 5 /f\n"
        "2000-3000 r--s 00000000 fe:01 5 /f\n");
    ASSERT_EQ(mappings.size(), 2U);
    EXPECT_TRUE(mappings[0].shared_writable());
    EXPECT_FALSE(mappings[1].shared_writable());
    EXPECT_TRUE(mappings[0].same_file(mappings[1]));
}

// The flag is of the descriptor: protected against writing now, it can be written again.
TEST(Mappings, AFlagTellsMoreThanTheAccess) {
    const auto mappings = parse_mappings(
        "2000-3000 r--s 00000000 fe:01 5 /f\n"
        "VmFlags: rd sh mr mw me ms \n");
    ASSERT_EQ(mappings.size(), 1U);
    EXPECT_TRUE(mappings[0].shared_writable());
}

TEST(Mappings, NonsenseIsLeftOut) {
    EXPECT_TRUE(parse_mappings("").empty());
    EXPECT_TRUE(parse_mappings("nonsense\n\n-\n1000 rw-s 0 0 0\nVmFlags: rd\n").empty());
}

TEST(Mappings, Sizes) {
    EXPECT_EQ(format_size(4096), "4 KiB");
    EXPECT_EQ(format_size(1536 * 1024), "1.5 MiB");
    EXPECT_EQ(format_size(3ULL << 30U), "3 GiB");
}

}  // namespace
}  // namespace mosrig
