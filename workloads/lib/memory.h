// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mosrig::guest {

// CRC-32C of a run of bytes.
uint32_t crc32c(const void* bytes, size_t count);

// A stretch of memory full of random bytes (no page compresses, none equals another), with a
// CRC for each page kept apart, so that one pass finds which page went wrong.
class CheckedMemory {
  public:
    static constexpr size_t page_size = 4096;

    CheckedMemory(size_t mib, uint64_t seed);

    // False if there was not enough memory.
    bool valid() const { return bytes_ != nullptr && sums_ != nullptr; }
    // nullptr if every page holds what was last written to it, else where the first wrong page is.
    const char* verify();
    // The same of one page, each time another one, far from the last.
    const char* verify_some();
    // Rewrites every `step`th page, each time others, so that a moved process has dirty pages.
    void rewrite(size_t step);
    // Digest over the whole content, as last written.
    uint32_t digest() const;

  private:
    void fill(size_t page);
    const char* verify_page(size_t page);

    size_t pages_;
    uint64_t state_;
    size_t round_ = 0;
    size_t looked_at_ = 0;
    std::unique_ptr<unsigned char[]> bytes_;
    std::unique_ptr<uint32_t[]> sums_;
    char wrong_[64] = {};
};

}  // namespace mosrig::guest
