// SPDX-License-Identifier: MIT
#include "harness/base/result.h"

#include <fmt/format.h>

#include <system_error>

namespace mosrig {

std::string Error::message() const {
    std::string text = node.empty() ? what : fmt::format("{}: {}", node, what);
    if (!remedy.empty()) {
        text += fmt::format(" ({})", remedy);
    }
    return text;
}

tl::unexpected<Error> usage_error(std::string what, std::string remedy) {
    return tl::unexpected(Error{ErrorKind::usage, std::move(what), std::move(remedy), {}, 0});
}

tl::unexpected<Error> infra_error(std::string what, std::string remedy) {
    return tl::unexpected(Error{ErrorKind::infra, std::move(what), std::move(remedy), {}, 0});
}

tl::unexpected<Error> errno_error(std::string what, int error_number, std::string remedy) {
    what += ": " + std::generic_category().message(error_number);
    return tl::unexpected(
        Error{ErrorKind::infra, std::move(what), std::move(remedy), {}, error_number});
}

int exit_code(const Error& error) {
    return error.kind == ErrorKind::usage ? 2 : 3;
}

}  // namespace mosrig
