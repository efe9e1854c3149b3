// SPDX-License-Identifier: MIT
#include "memory.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <new>

namespace mosrig::guest {

namespace {

constexpr size_t slices = 8;
using Tables = std::array<std::array<uint32_t, 256>, slices>;

// Eight tables let the loop take eight bytes a step: the CRC of 256 MiB must not take minutes on an
// emulated CPU.
constexpr Tables make_tables() {
    constexpr uint32_t polynomial = 0x82F63B78U;
    Tables tables{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
        }
        tables[0][byte] = value;
    }
    for (uint32_t byte = 0; byte < 256; ++byte) {
        for (size_t slice = 1; slice < slices; ++slice) {
            const uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

uint64_t next_random(uint64_t& state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

}  // namespace

uint32_t crc32c(const void* bytes, size_t count) {
    const auto* at = static_cast<const unsigned char*>(bytes);
    uint32_t crc = ~0U;
    while (count >= slices) {
        uint64_t word = 0;
        memcpy(&word, at, sizeof word);
        word ^= crc;
        crc = tables[7][word & 0xFF] ^ tables[6][(word >> 8) & 0xFF] ^
              tables[5][(word >> 16) & 0xFF] ^ tables[4][(word >> 24) & 0xFF] ^
              tables[3][(word >> 32) & 0xFF] ^ tables[2][(word >> 40) & 0xFF] ^
              tables[1][(word >> 48) & 0xFF] ^ tables[0][word >> 56];
        at += slices;
        count -= slices;
    }
    for (; count > 0; --count) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *at++) & 0xFF];
    }
    return ~crc;
}

CheckedMemory::CheckedMemory(size_t mib, uint64_t seed)
    : pages_((mib << 20) / page_size),
      state_(seed | 1),
      bytes_(new (std::nothrow) unsigned char[pages_ * page_size]),
      sums_(new (std::nothrow) uint32_t[pages_]) {
    for (size_t page = 0; valid() && page < pages_; ++page) {
        fill(page);
    }
}

void CheckedMemory::fill(size_t page) {
    unsigned char* start = bytes_.get() + page * page_size;
    for (size_t offset = 0; offset < page_size; offset += sizeof(uint64_t)) {
        const uint64_t word = next_random(state_);
        memcpy(start + offset, &word, sizeof word);
    }
    sums_[page] = crc32c(start, page_size);
}

const char* CheckedMemory::verify_page(size_t page) {
    if (crc32c(bytes_.get() + page * page_size, page_size) == sums_[page]) {
        return nullptr;
    }
    (void)snprintf(wrong_, sizeof wrong_, "memory page %zu of %zu", page, pages_);
    return wrong_;
}

const char* CheckedMemory::verify() {
    const char* wrong = nullptr;
    for (size_t page = 0; page < pages_ && wrong == nullptr; ++page) {
        wrong = verify_page(page);
    }
    return wrong;
}

const char* CheckedMemory::verify_some() {
    constexpr size_t stride = 7919;
    looked_at_ = (looked_at_ + stride) % pages_;
    return verify_page(looked_at_);
}

void CheckedMemory::rewrite(size_t step) {
    for (size_t page = round_ % step; page < pages_; page += step) {
        fill(page);
    }
    ++round_;
}

uint32_t CheckedMemory::digest() const {
    return crc32c(sums_.get(), pages_ * sizeof(uint32_t));
}

}  // namespace mosrig::guest
