// SPDX-License-Identifier: GPL-2.0-only
// Each option that a program tells of in its usage, and each that the shell completes, is in its
// manual page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>
#include <set>

#include "common/file.h"
#include "common/program.h"
#include "migrate/options.h"
#include "mosrun/options.h"
#include "moswhy/explain.h"

namespace mosrig {
namespace {

using testing::HasSubstr;

// The words of a page without the marks of troff.
std::string page_text(const std::string& page) {
    const auto text = read_text(std::string(OM_SOURCE) + "/man/" + page);
    EXPECT_TRUE(text) << page;
    std::string plain =
        std::regex_replace(text.value_or(""), std::regex(R"(\\f[A-Z]|\\fP|\\&)"), "");
    plain = std::regex_replace(plain, std::regex(R"(\\-)"), "-");
    return std::regex_replace(plain, std::regex(R"(["',]+)"), " ");
}

std::set<std::string> options_in(const std::string& usage) {
    static const std::regex pattern(R"((^|[\s\[|(])(--?[A-Za-z][a-z]*))");
    std::set<std::string> options;
    for (std::sregex_iterator at(usage.begin(), usage.end(), pattern), end; at != end; ++at) {
        options.insert((*at)[2]);
    }
    options.erase("-N");  // a placeholder
    return options;
}

std::string help_of(int (*program)(Words words)) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(program({"--help"}), 0);
    return testing::internal::GetCapturedStdout();
}

void expect_all(const std::string& page, const std::string& usage) {
    const std::string text = page_text(page);
    const auto options = options_in(usage);
    EXPECT_FALSE(options.empty()) << page;
    for (const std::string& option : options) {
        // -jLIST stands for -j.
        const std::regex pattern("(^|[\\s|])" + option + "($|[\\s|A-Z])");
        EXPECT_TRUE(std::regex_search(text, pattern)) << page << " lacks " << option;
    }
}

TEST(Manual, EveryOptionOfTheUsage) {
    expect_all("moswhy.1", help_of(moswhy_program));
    expect_all("mosctl.1", help_of(mosctl_program));
    expect_all("setpe.8", help_of(setpe_program));
    expect_all("showmap.1", help_of(showmap_program));
    expect_all("mosmon.1", help_of(mosmon_program));
    expect_all("mtop.1", help_of(mtop_program));
    expect_all("mps.1", "-a -A -e -f -w -x -p -u --root --help");
    expect_all("mosrun.1", std::string(mosrun_usage) + " --help");
    expect_all("migrate.1", std::string(migrate_usage) + " --help");
}

TEST(Manual, EveryCommandOfMosctl) {
    const std::string text = page_text("mosctl.1");
    std::istringstream words(help_of(mosctl_program));
    for (std::string word; words >> word;) {
        if (word.starts_with("get") || word.starts_with("set") || word.starts_with("no")) {
            EXPECT_THAT(text, HasSubstr(word));
        }
    }
}

TEST(Manual, EveryReasonIsInTheOverview) {
    const std::string text = page_text("openmosix.7");
    for (const std::string_view word : known_reasons()) {
        EXPECT_THAT(text, HasSubstr(std::string(word)));
    }
}

TEST(Manual, WhatTheShellCompletesForMosrun) {
    const auto script = read_text(std::string(OM_SOURCE) + "/completion/openmosix.bash");
    ASSERT_TRUE(script);
    const std::size_t start = script->find("mosrun) options='");
    ASSERT_NE(start, std::string::npos);
    const std::string list =
        script->substr(start + 17, script->find('\'', start + 17) - start - 17);
    expect_all("mosrun.1", " " + list);
}

}  // namespace
}  // namespace mosrig
