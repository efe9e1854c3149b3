// SPDX-License-Identifier: MIT
#include "kinds.h"

#include <cstdio>
#include <cstring>

#include "options.h"

namespace mosrig::guest {

namespace {

// Set before any kind enters itself, since it needs no code to be null.
const Kind* first = nullptr;

}  // namespace

Kind::Kind(const char* name) : name_(name), next_(first) {
    first = this;
}

const Kind* Kind::find(const char* name) {
    const Kind* kind = first;
    while (kind != nullptr && strcmp(kind->name(), name) != 0) {
        kind = kind->next_;
    }
    return kind;
}

void Kind::list() {
    for (const Kind* kind = first; kind != nullptr; kind = kind->next_) {
        (void)fprintf(stderr, " %s", kind->name());
    }
}

}  // namespace mosrig::guest

int main(int argc, char** argv) {
    using namespace mosrig::guest;
    const Kind* kind = Kind::find(argc > 1 ? argv[1] : "");
    if (kind == nullptr) {
        (void)fprintf(stderr, "usage: %s KIND [--later], where KIND is one of", argv[0]);
        Kind::list();
        (void)fprintf(stderr, "\n");
        return 2;
    }
    return run_holder(kind->holder(), flag(argc, argv, "--later"));
}
