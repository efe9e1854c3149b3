// SPDX-License-Identifier: MIT
#include "harness/fabric/frame_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace mosrig::fabric {

namespace {

constexpr std::size_t length_size = 4;
// Frames handed to the kernel in one call.
constexpr std::size_t batch = 64;

std::size_t length_of(std::string_view bytes) {
    std::size_t length = 0;
    for (std::size_t index = 0; index < length_size; ++index) {
        length = (length << 8) | static_cast<unsigned char>(bytes[index]);
    }
    return length;
}

}  // namespace

bool FrameReader::next(std::string_view& frame) {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (!broken_ && rest.size() >= length_size) {
        const std::size_t length = length_of(rest);
        broken_ = length > max_frame;
        if (!broken_ && rest.size() >= length_size + length) {
            frame = rest.substr(length_size, length);
            at_ += length_size + length;
            return true;
        }
    }
    buffer_.erase(0, at_);
    at_ = 0;
    return false;
}

bool FrameQueue::push(std::string_view frame) {
    if (bytes_ + frame.size() + length_size > byte_limit_) {
        return false;
    }
    std::string stored;
    stored.reserve(length_size + frame.size());
    for (int shift = 24; shift >= 0; shift -= 8) {
        stored.push_back(static_cast<char>((frame.size() >> shift) & 0xff));
    }
    stored.append(frame);
    bytes_ += stored.size();
    frames_.push_back(std::move(stored));
    return true;
}

bool FrameQueue::write_to(int fd) {
    while (!frames_.empty()) {
        std::array<iovec, batch> parts{};
        const std::size_t count = std::min(batch, frames_.size());
        for (std::size_t index = 0; index < count; ++index) {
            const std::size_t skip = index == 0 ? written_ : 0;
            parts[index] = {frames_[index].data() + skip, frames_[index].size() - skip};
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = count;
        const ssize_t put = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        written_ += static_cast<std::size_t>(put);
        while (!frames_.empty() && written_ >= frames_.front().size()) {
            written_ -= frames_.front().size();
            bytes_ -= frames_.front().size();
            frames_.pop_front();
        }
    }
    return true;
}

}  // namespace mosrig::fabric
