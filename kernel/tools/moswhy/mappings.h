// SPDX-License-Identifier: GPL-2.0-only
// The mappings of a process, from its maps or, with more detail, its smaps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mosrig {

struct Mapping {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::string access;  // "rw-s"
    std::string device;  // "fe:01"
    std::uint64_t inode = 0;
    std::string path;   // as the kernel prints it, also "/SYSV00000000 (deleted)"; may be empty
    std::string flags;  // "rd wr sh ", each followed by a blank; empty if the file was maps
    std::uint64_t page_kib = 0;  // KernelPageSize; 0 if not known
    unsigned key = 0;            // ProtectionKey; 0, which all memory has, also if not known

    [[nodiscard]] bool shared() const { return access.size() == 4 && access[3] == 's'; }
    [[nodiscard]] bool writable() const { return access.size() == 4 && access[1] == 'w'; }
    // Whether it has one of the two-letter flags of smaps.
    [[nodiscard]] bool has_flag(std::string_view flag) const;
    // Shared, of a file opened for writing: others see its bytes change, even if it is now
    // protected against writing. As far as it can be told, if the flags are not known.
    [[nodiscard]] bool shared_writable() const;
    // The inode of System V memory is its shm id, and the first since boot has 0.
    [[nodiscard]] bool of_file() const { return inode != 0 || path.starts_with("/SYSV"); }
    [[nodiscard]] bool same_file(const Mapping& other) const {
        return of_file() && other.of_file() && inode == other.inode && device == other.device;
    }
    // Path without " (deleted)".
    [[nodiscard]] std::string file() const;
    // "7f0000000000-7f0000002000 (8 KiB)"
    [[nodiscard]] std::string range() const;
};

// Parses maps or smaps. Lines that are not understood are left out.
std::vector<Mapping> parse_mappings(std::string_view text);

// "4 KiB", "12 MiB", "3 GiB": exact or to one decimal.
std::string format_size(std::uint64_t bytes);

}  // namespace mosrig
