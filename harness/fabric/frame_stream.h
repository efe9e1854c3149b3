// SPDX-License-Identifier: MIT
// Ethernet frames on a stream as QEMU's `-netdev stream` sends them: 4 bytes of length, big-endian,
// then the frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace mosrig::fabric {

// Larger than any frame that QEMU sends with offloads on (64 KiB and headers).
constexpr std::size_t max_frame = 68U << 10;

// Cuts what arrives into frames.
class FrameReader {
  public:
    void add(std::string_view bytes) { buffer_.append(bytes); }
    // True and the next frame, without its length, if one is complete. The view lives until the
    // next call of add() or next(). False for good after an impossible length: see broken().
    bool next(std::string_view& frame);
    [[nodiscard]] bool broken() const { return broken_; }

  private:
    std::string buffer_;
    std::size_t at_ = 0;
    bool broken_ = false;
};

// Frames waiting for a slow reader, bounded: a full queue drops the newcomer, as a switch does, and
// never makes the sender wait.
class FrameQueue {
  public:
    explicit FrameQueue(std::size_t byte_limit) : byte_limit_(byte_limit) {}

    // False if there was no room.
    bool push(std::string_view frame);
    [[nodiscard]] bool empty() const { return frames_.empty(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    // Writes as much as `fd` takes without blocking. False if the peer has gone.
    bool write_to(int fd);

  private:
    std::size_t byte_limit_;
    std::size_t bytes_ = 0;
    std::size_t written_ = 0;  // of the first frame
    std::deque<std::string> frames_;
};

}  // namespace mosrig::fabric
