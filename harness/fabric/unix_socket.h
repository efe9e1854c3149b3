// SPDX-License-Identifier: MIT
// Unix sockets that only their owner may use.
#pragma once

#include <sys/un.h>

#include <filesystem>

#include "harness/base/fd.h"
#include "harness/base/result.h"

namespace mosrig::fabric {

// A usage error if the path is too long for one.
Result<sockaddr_un> unix_address(const std::filesystem::path& path);

// A socket of that type, not blocking, bound to `path` with mode 0600. An old one there is
// replaced.
Result<Fd> bind_unix(int type, const std::filesystem::path& path);

}  // namespace mosrig::fabric
