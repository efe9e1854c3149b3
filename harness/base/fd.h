// SPDX-License-Identifier: MIT
// One owner for each file descriptor.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace mosrig {

// Closes its descriptor when it goes out of scope.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    explicit operator bool() const { return valid(); }
    int release();
    void reset();

  private:
    int fd_ = -1;
};

// Both ends of a pipe, close-on-exec.
struct Pipe {
    Fd read_end;
    Fd write_end;
};
Result<Pipe> make_pipe();

// Sets O_NONBLOCK.
Result<void> set_nonblocking(int fd);

// Whole file as text; works for /proc files, whose size reads as 0.
Result<std::string> read_text_file(const std::filesystem::path& path);

// "; its log ends with: LINES", for an error about who writes the log at `path`; empty if that
// says nothing.
std::string last_words(const std::filesystem::path& path);

// Writes `text` to `path` with `mode` by way of a temporary file and a rename, so that a reader
// sees the old or the new content, never half of it.
Result<void> write_text_file(const std::filesystem::path& path, std::string_view text,
                             unsigned mode = 0644);

}  // namespace mosrig
