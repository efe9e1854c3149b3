// SPDX-License-Identifier: GPL-2.0-only
// What a mapping is of, by its path and flags; each kind has a word of its own in cantmove.
#pragma once

#include "moswhy/mappings.h"

namespace mosrig {

bool is_hugetlb(const Mapping& mapping);
bool is_secret(const Mapping& mapping);
bool is_perf(const Mapping& mapping);
bool is_io_uring(const Mapping& mapping);
bool is_aio(const Mapping& mapping);
// Of a device, or of something else that is no regular file and has no word of its own.
bool is_device(const Mapping& mapping);

}  // namespace mosrig
