// SPDX-License-Identifier: MIT
// The two facts that the rig reads out of a domain's XML.
#pragma once

#include <string>
#include <string_view>

namespace mosrig {

// Namespace of the element that marks a domain as ours.
constexpr const char* metadata_namespace = "urn:mosrig:1";

// Text of the first <name> element, empty if there is none.
std::string domain_name(std::string_view xml);
// The cluster in our metadata element, empty if it is not there.
std::string domain_tag(std::string_view xml);

}  // namespace mosrig
