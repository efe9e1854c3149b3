// SPDX-License-Identifier: MIT
#include "harness/conformance/beside_cases.h"

#include <fmt/format.h>

#include <string_view>

#include "harness/workload/description.h"

namespace mosrig {

namespace {

std::vector<BesideCase> list_all() {
    std::vector<BesideCase> all;
    all.reserve(checkers.size() + profile_cases.size());
    for (const Checker& checker : checkers) {
        all.push_back({checker.id, checker.title, "debug", &checker, nullptr});
    }
    for (const ProfileCase& profile : profile_cases) {
        all.push_back({profile.id, profile.title, "full", nullptr, &profile});
    }
    return all;
}

}  // namespace

const std::vector<BesideCase>& beside_cases() {
    static const std::vector<BesideCase> all = list_all();
    return all;
}

Result<std::vector<BesideCase>> choose_beside_cases(const std::vector<std::string>& names,
                                                    const std::vector<std::string>& also,
                                                    const std::string& tier,
                                                    const std::string& kernel_config) {
    std::vector<BesideCase> chosen;
    const bool debug_kernel = kernel_config == "debug";
    for (const BesideCase& one : beside_cases()) {
        const bool named = is_named(one.id, names) || is_named(one.id, also);
        const bool about_debug = std::string_view(one.tier) == "debug";
        if (named && about_debug && !debug_kernel) {
            return usage_error(fmt::format("{} is about the debug kernel", one.id),
                               "add --kernel debug");
        }
        if (named || (names.empty() && (about_debug ? debug_kernel : tier != "quick"))) {
            chosen.push_back(one);
        }
    }
    return chosen;
}

CaseResult BesidePlayer::play(const BesideCase& one) {
    if (one.checker != nullptr) {
        return judge_checker(*one.checker, boot_provoked(places_, info_, *one.checker));
    }
    if (!booted_) {
        booted_ = boot_profiles(places_, info_);
    }
    return judge_profile(*one.profile, *booted_);
}

}  // namespace mosrig
