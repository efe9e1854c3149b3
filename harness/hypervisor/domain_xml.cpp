// SPDX-License-Identifier: MIT
#include "harness/hypervisor/domain_xml.h"

namespace mosrig {

namespace {

// The text between `open` and the next `close` after it.
std::string between(std::string_view text, std::string_view open, std::string_view close) {
    const std::size_t start = text.find(open);
    if (start == std::string_view::npos) {
        return {};
    }
    const std::size_t from = start + open.size();
    const std::size_t end = text.find(close, from);
    return end == std::string_view::npos ? std::string()
                                         : std::string(text.substr(from, end - from));
}

}  // namespace

std::string domain_name(std::string_view xml) {
    return between(xml, "<name>", "</name>");
}

std::string domain_tag(std::string_view xml) {
    const std::size_t ours = xml.find(metadata_namespace);
    if (ours == std::string_view::npos) {
        return {};
    }
    // The namespace may stand before or after the attribute: look at the whole element.
    const std::size_t start = xml.rfind('<', ours);
    const std::size_t end = xml.find('>', ours);
    if (start == std::string_view::npos || end == std::string_view::npos) {
        return {};
    }
    const std::string_view element = xml.substr(start, end - start);
    const std::string tag = between(element, " cluster='", "'");
    return tag.empty() ? between(element, " cluster=\"", "\"") : tag;
}

}  // namespace mosrig
