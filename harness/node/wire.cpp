// SPDX-License-Identifier: MIT
#include "harness/node/wire.h"

namespace mosrig::wire {

namespace {

template <class T>
void put(std::string& out, T value) {
    for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
        out.push_back(static_cast<char>((value >> (8 * byte)) & 0xff));
    }
}

template <class T>
T get(std::string_view bytes) {
    T value = 0;
    for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
        value |= static_cast<T>(static_cast<unsigned char>(bytes[byte])) << (8 * byte);
    }
    return value;
}

}  // namespace

Writer& Writer::u32(std::uint32_t value) {
    put(payload_, value);
    return *this;
}

Writer& Writer::u64(std::uint64_t value) {
    put(payload_, value);
    return *this;
}

Writer& Writer::string(std::string_view text) {
    u32(static_cast<std::uint32_t>(text.size()));
    payload_.append(text);
    return *this;
}

Writer& Writer::strings(const std::vector<std::string>& texts) {
    u32(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) {
        string(text);
    }
    return *this;
}

std::string_view Reader::take(std::size_t size) {
    if (!ok_ || rest_.size() < size) {
        ok_ = false;
        return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::uint32_t Reader::u32() {
    const std::string_view bytes = take(sizeof(std::uint32_t));
    return ok_ ? get<std::uint32_t>(bytes) : 0;
}

std::uint64_t Reader::u64() {
    const std::string_view bytes = take(sizeof(std::uint64_t));
    return ok_ ? get<std::uint64_t>(bytes) : 0;
}

std::string Reader::string() {
    const std::uint32_t size = u32();
    return std::string(take(size));
}

std::vector<std::string> Reader::strings() {
    std::vector<std::string> texts;
    const std::uint32_t count = u32();
    for (std::uint32_t index = 0; index < count && ok_; ++index) {
        texts.push_back(string());
    }
    return ok_ ? texts : std::vector<std::string>{};
}

void append_frame(std::string& out, Type type, std::uint32_t id, std::string_view payload) {
    put(out, static_cast<std::uint32_t>(payload.size()));
    out.push_back(static_cast<char>(type));
    put(out, id);
    out.append(payload);
}

bool Splitter::next(Frame& frame) {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (broken_ || rest.size() < header_size) {
        return false;
    }
    const auto size = get<std::uint32_t>(rest);
    if (size > max_payload) {
        broken_ = true;
        return false;
    }
    if (rest.size() < header_size + size) {
        return false;
    }
    frame.type = static_cast<Type>(static_cast<unsigned char>(rest[4]));
    frame.id = get<std::uint32_t>(rest.substr(5));
    frame.payload.assign(rest.substr(header_size, size));
    at_ += header_size + size;
    // Moving the rest to the front for each frame would cost the square of what is buffered.
    if (at_ == buffer_.size() || at_ > (1U << 20)) {
        buffer_.erase(0, at_);
        at_ = 0;
    }
    return true;
}

}  // namespace mosrig::wire
