// SPDX-License-Identifier: GPL-2.0-only
#include "omd/stats.h"

#include <fmt/format.h>
#include <utility>

namespace mosrig {

void Stats::count_refusal(Refusal why) {
    refused++;
    switch (why) {
        case Refusal::none:
            refused_timeout++;
            break;
        case Refusal::malformed:
        case Refusal::version:
            refused_malformed++;
            break;
        case Refusal::wrong_node:
            refused_node++;
            break;
        case Refusal::replayed:
            refused_replay++;
            break;
        case Refusal::bad_mac:
            refused_key++;
            break;
        case Refusal::protocol:
            refused_protocol++;
            break;
    }
}

std::string Stats::lines() const {
    std::string text;
    for (const auto& [name, value] : {std::pair{"accepted", accepted},
                                      {"authenticated_in", authenticated_in},
                                      {"refused", refused},
                                      {"refused_stranger", refused_stranger},
                                      {"refused_overflow", refused_overflow},
                                      {"refused_timeout", refused_timeout},
                                      {"refused_malformed", refused_malformed},
                                      {"refused_node", refused_node},
                                      {"refused_replay", refused_replay},
                                      {"refused_key", refused_key},
                                      {"refused_protocol", refused_protocol},
                                      {"connects", connects},
                                      {"authenticated_out", authenticated_out},
                                      {"connect_failures", connect_failures},
                                      {"links_added", links_added},
                                      {"link_add_failures", link_add_failures},
                                      {"stubs_started", stubs_started},
                                      {"stubs_ended", stubs_ended},
                                      {"stub_failures", stub_failures},
                                      {"packets_out", packets_out},
                                      {"packets_in", packets_in},
                                      {"packets_stranger", packets_stranger},
                                      {"packets_key", packets_key},
                                      {"packets_replay", packets_replay},
                                      {"packets_version", packets_version},
                                      {"packets_garbage", packets_garbage},
                                      {"challenges", challenges}}) {
        text += fmt::format("{} {}\n", name, value);
    }
    return text;
}

}  // namespace mosrig
