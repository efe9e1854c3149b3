// SPDX-License-Identifier: MIT
#include "harness/conformance/own_nodes.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

// The suite that is linked with it has no cases here.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

Description wants(const char* id, int vcpus, int memory_mib, const char* boot) {
    Description description;
    description.id = id;
    description.vcpus = vcpus;
    description.memory_mib = memory_mib;
    description.boot = boot;
    return description;
}

TEST(OwnNodes, ACpuIsNotSharedWithCasesThatWantAnother) {
    Description lacking = wants("a", 0, 0, "");
    lacking.guest_lacks = "adx";
    EXPECT_TRUE(lacking.wants_own_nodes());
    EXPECT_EQ(part_by_nodes({lacking, wants("b", 2, 0, ""), lacking}).size(), 2U);
}

TEST(OwnNodes, CasesThatWantTheSameNodesShareThem) {
    const auto parts = part_by_nodes({wants("a", 2, 0, ""), wants("b", 0, 0, "locked-boot"),
                                      wants("c", 0, 768, ""), wants("d", 2, 0, ""),
                                      wants("e", 0, 0, "open-boot")});
    ASSERT_EQ(parts.size(), 3U);
    ASSERT_EQ(parts[0].size(), 2U);
    EXPECT_EQ(parts[0][1].id, "d");
    // One node of each profile: either is somebody's home.
    ASSERT_EQ(parts[1].size(), 2U);
    EXPECT_EQ(parts[1][1].id, "e");
    EXPECT_EQ(parts[2].size(), 1U);
}

}  // namespace
}  // namespace mosrig
