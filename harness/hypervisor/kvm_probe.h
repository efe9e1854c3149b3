// SPDX-License-Identifier: MIT
// Does KVM work here? /dev/kvm proves nothing: guests may hang in it. A real boot does.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/result.h"

namespace mosrig {

struct KvmAnswer {
    bool works = false;
    std::string why;            // one line for a person
    std::filesystem::path log;  // console of the boot, empty if it came to none
};

// Boots `kernel` (a vmlinux) with a two-line initramfs under KVM and waits for its word on the
// console. The answer is kept in `cache` for this boot of the host and this QEMU.
Result<KvmAnswer> probe_kvm(const std::filesystem::path& kernel, const std::filesystem::path& cache,
                            const std::filesystem::path& helper);

}  // namespace mosrig
