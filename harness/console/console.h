// SPDX-License-Identifier: MIT
// The console of a node, which QEMU writes into a file on the host from the first byte on, and
// the search in it for reports of a kernel in trouble.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace mosrig {

enum class ReportKind { panic, oops, bug, warning, lockdep, kasan, ubsan, hung_task, stall };

// "panic", "oops", "lockdep" ...

struct KernelReport {
    ReportKind kind = ReportKind::bug;
    std::string line;          // the line that gave it away, without the timestamp
    std::string excerpt;       // that line and up to 40 that follow
    std::uint64_t offset = 0;  // byte position of the line in the console file
};

// Finds kernel reports in console text. `base` is the file position of the first byte of `text`.
// Lines that only belong to a report already open are not reported a second time.
std::vector<KernelReport> find_kernel_reports(std::string_view text, std::uint64_t base = 0);

class Console {
  public:
    // A position in the console, taken before something that must leave no report behind.
    struct Mark {
        std::uint64_t offset = 0;
    };

    Console() = default;
    explicit Console(std::filesystem::path file) : file_(std::move(file)) {}

    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

    // The present end of the console.
    [[nodiscard]] Result<Mark> mark() const;
    // What was written since; an infra error if the file cannot be read or has shrunk, because a
    // scan that could not run is not a clean console.
    [[nodiscard]] Result<std::string> text_since(Mark mark) const;
    [[nodiscard]] Result<std::vector<KernelReport>> reports_since(Mark mark) const;
    // The last `lines` lines.
    [[nodiscard]] Result<std::string> tail(unsigned lines) const;

  private:
    std::filesystem::path file_;
};

}  // namespace mosrig
