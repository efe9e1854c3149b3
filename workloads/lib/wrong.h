// SPDX-License-Identifier: MIT
#pragma once

namespace mosrig::guest {

// What a workload says of a call that failed: "what: EBADF". The text lives until the next one.
const char* failed(const char* what);

// What it says of a value that is not the one it must be: "what: 3, not 5".
const char* differs(const char* what, long long seen, long long wanted);

// The same of a text: "what: seen".
const char* reads(const char* what, const char* seen);

}  // namespace mosrig::guest
