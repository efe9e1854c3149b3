// SPDX-License-Identifier: GPL-2.0-only
#include "common/map.h"

#include <gtest/gtest.h>

namespace mosrig {
namespace {

const char* const hosts_text =
    "127.0.0.1 localhost\n"
    "::1 localhost\n"
    "10.66.0.1 node1 n1  # the first\n"
    "10.66.0.2\tnode2\n"
    "not-an-address node3\n";

std::string map_error(std::string_view text) {
    const auto nodes = parse_map(text, parse_hosts(hosts_text));
    return nodes ? "no error" : nodes.error().text;
}

TEST(Hosts, TakesIpv4NamesAndSkipsTheRest) {
    const auto hosts = parse_hosts(hosts_text);
    ASSERT_EQ(hosts.size(), 4U);
    EXPECT_EQ(hosts[2].name, "n1");
    EXPECT_EQ(format_address(hosts[3].address), "10.66.0.2");
}

TEST(Map, ReadsNamesAddressesCommentsAndBlankLines) {
    const auto nodes =
        parse_map("# cluster\n\n1 node1 1\n 2\t10.66.0.2 1 # second\r\n", parse_hosts(hosts_text));
    ASSERT_TRUE(nodes) << nodes.error().text;
    ASSERT_EQ(nodes->size(), 2U);
    EXPECT_EQ(nodes->at(0).id, 1U);
    EXPECT_EQ(format_address(nodes->at(0).address), "10.66.0.1");
    EXPECT_EQ(nodes->at(1).name, "node2");
}

TEST(Map, ARangeHasConsecutiveIdsAndAddresses) {
    const auto nodes = parse_map("10 10.66.0.20 3", {});
    ASSERT_TRUE(nodes);
    ASSERT_EQ(nodes->size(), 3U);
    EXPECT_EQ(nodes->at(2).id, 12U);
    EXPECT_EQ(nodes->at(2).name, "10.66.0.22");
}

TEST(Map, LeavesAliasesOut) {
    const auto nodes = parse_map("1 10.66.0.1 1\n1 10.67.0.1 ALIAS\n1 10.68.0.1 0\n", {});
    ASSERT_TRUE(nodes);
    EXPECT_EQ(nodes->size(), 1U);
}

TEST(Map, NamesTheLineThatIsWrong) {
    EXPECT_EQ(map_error("1 node1 1\n2 node9 1\n"),
              "line 2: 'node9' is neither an address nor a name in hosts");
    EXPECT_EQ(map_error("1 node1\n"), "line 1: expected 'ID HOST COUNT'");
    EXPECT_EQ(map_error("0 node1 1\n"), "line 1: '0' is no node id (1 to 65535)");
    EXPECT_EQ(map_error("65536 node1 1\n"), "line 1: '65536' is no node id (1 to 65535)");
    EXPECT_EQ(map_error("1 node1 x\n"), "line 1: 'x' is no count of nodes (1 to 255, or ALIAS)");
    EXPECT_EQ(map_error("1 node1 2\n"),
              "line 1: a range of several nodes needs an address, not a name");
    EXPECT_EQ(map_error("1 10.66.0.250 10\n"), "line 1: the range of nodes is too long");
    EXPECT_EQ(map_error("1 node1 1\n1 node2 1\n"), "line 2: node 1 is there already");
    EXPECT_EQ(map_error("1 node1 1\n2 n1 1\n"), "line 2: 10.66.0.1 is node 1 already");
    EXPECT_EQ(map_error("# nothing\n"), "it names no node");
}

TEST(Map, HasALimitOfEntries) {
    std::string text;
    for (int i = 0; i < 257; i++) {
        text += std::to_string(i + 1) + " 10.1." + std::to_string(i / 100) + "." +
                std::to_string(i % 100 + 1) + " 1\n";
    }
    EXPECT_EQ(map_error(text), "line 257: more than 256 entries");
}

TEST(Map, SurvivesGarbage) {
    std::string noise;
    for (int i = 0; i < 4096; i++) {
        noise.push_back(static_cast<char>(i * 37 % 251));
    }
    EXPECT_FALSE(parse_map(noise, {}));
    parse_hosts(noise);
}

TEST(FindNode, ByNameAliasAndAddress) {
    const auto hosts = parse_hosts(hosts_text);
    const auto nodes = parse_map("1 node1 1\n2 10.66.0.2 1\n", hosts);
    ASSERT_TRUE(nodes);
    EXPECT_EQ(find_node("node2", *nodes, hosts), 2U);
    EXPECT_EQ(find_node("n1", *nodes, hosts), 1U);
    EXPECT_EQ(find_node("10.66.0.2", *nodes, hosts), 2U);
    EXPECT_EQ(find_node("node7", *nodes, hosts), std::nullopt);
    EXPECT_EQ(find_node("localhost", *nodes, hosts), std::nullopt);
}

TEST(Number, TakesPlainDigitsOnly) {
    EXPECT_EQ(parse_number("12", 20), 12U);
    EXPECT_EQ(parse_number("21", 20), std::nullopt);
    EXPECT_EQ(parse_number("", 20), std::nullopt);
    EXPECT_EQ(parse_number("-1", 20), std::nullopt);
    EXPECT_EQ(parse_number("1x", 20), std::nullopt);
    EXPECT_EQ(parse_number("99999999999", 20), std::nullopt);
}

}  // namespace
}  // namespace mosrig
