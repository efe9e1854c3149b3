// SPDX-License-Identifier: MIT
// What a cluster owns outside its state directory, written down before it comes to be, so that
// `mosrig down` finds it after any crash. Only what stands here is ever deleted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/result.h"

namespace mosrig {

struct Resource {
    std::string kind;  // domain, process, libvirt, file or cluster
    std::string name;  // domain's name; pid file of a process; path of a file; state directory of
                       // another cluster that must not outlive this one
};

class ResourceLog {
  public:
    explicit ResourceLog(const std::filesystem::path& state) : file_(state / "resources") {}

    // On disk when it returns.
    Result<void> record(const std::string& kind, const std::string& name);
    // In order of creation; empty if nothing was ever recorded.
    [[nodiscard]] Result<std::vector<Resource>> load() const;

  private:
    std::filesystem::path file_;
};

}  // namespace mosrig
