// SPDX-License-Identifier: MIT
// The frames between the rig and `mosrig-run agent` on a node. Little-endian.
//
//     u32 length of the payload | u8 type | u32 id | payload
//
// An id names a request or a process; the rig chooses it and never uses it twice on a connection.
// Standard input of a process is bounded by credit: the rig sends at most `input_window` bytes that
// were not yet taken. Output is bounded by the connection itself.
//
// No dependency but the standard library: the guest's side is linked statically.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mosrig::wire {

constexpr std::uint32_t version = 3;
constexpr std::size_t header_size = 9;
constexpr std::size_t max_payload = 2U << 20;
constexpr std::size_t input_window = 256U << 10;
constexpr std::size_t max_read = 1U << 20;

enum class Type : std::uint8_t {
    // rig to node
    start = 1,   // strings argv, string directory, strings environment, u32 user
    input,       // bytes for standard input
    input_end,   // end of standard input
    signal,      // u32 signal, to the whole group of the process
    read_file,   // string path
    write_file,  // string path, string data, u32 user
    kill,        // u64 pid, u32 signal
    read_all,    // string name: what /proc/N/name says, for each process N that is there
    // node to rig
    hello = 64,  // u32 version
    started,     // u64 pid, u32 errno of fork
    output,      // bytes of standard output
    error,       // bytes of standard error
    credit,      // u32 bytes of standard input taken
    exited,      // u32 status as a shell gives it; nothing more comes for this id
    reply,       // u32 errno, string data: answer to read_file, read_all, write_file, kill
};

struct Frame {
    Type type = Type::hello;
    std::uint32_t id = 0;
    std::string payload;
};

// Builds a payload.
class Writer {
  public:
    Writer& u32(std::uint32_t value);
    Writer& u64(std::uint64_t value);
    Writer& string(std::string_view text);
    Writer& strings(const std::vector<std::string>& texts);
    [[nodiscard]] const std::string& payload() const { return payload_; }

  private:
    std::string payload_;
};

// Takes a payload apart. After a read beyond the end ok() is false and all values are empty.
class Reader {
  public:
    explicit Reader(std::string_view payload) : rest_(payload) {}
    std::uint32_t u32();
    std::uint64_t u64();
    std::string string();
    std::vector<std::string> strings();
    [[nodiscard]] bool ok() const { return ok_; }

  private:
    std::string_view take(std::size_t size);
    std::string_view rest_;
    bool ok_ = true;
};

// Appends one frame to `out`.
void append_frame(std::string& out, Type type, std::uint32_t id, std::string_view payload);

// Collects bytes and gives whole frames.
class Splitter {
  public:
    void add(std::string_view bytes) { buffer_.append(bytes); }
    // True and the next frame if one is complete. After a length beyond max_payload broken() is
    // true and no more frames come: the stream cannot be trusted.
    bool next(Frame& frame);
    [[nodiscard]] bool broken() const { return broken_; }

  private:
    std::string buffer_;
    std::size_t at_ = 0;
    bool broken_ = false;
};

}  // namespace mosrig::wire
