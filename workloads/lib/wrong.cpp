// SPDX-License-Identifier: MIT
#include "wrong.h"

#include <cstdio>

#include "wire.h"

namespace mosrig::guest {

namespace {

char text[160];

}  // namespace

const char* failed(const char* what) {
    (void)snprintf(text, sizeof text, "%s: %s", what, errno_text());
    return text;
}

const char* differs(const char* what, long long seen, long long wanted) {
    (void)snprintf(text, sizeof text, "%s: %lld, not %lld", what, seen, wanted);
    return text;
}

const char* reads(const char* what, const char* seen) {
    (void)snprintf(text, sizeof text, "%s: %s", what, seen);
    return text;
}

}  // namespace mosrig::guest
