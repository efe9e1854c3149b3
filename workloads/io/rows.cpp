// SPDX-License-Identifier: MIT
#include "rows.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "workloads/lib/scratch.h"
#include "workloads/lib/wire.h"

namespace mosrig::guest {

namespace {

constexpr size_t page = 4096;
constexpr unsigned char mark = 0xA5;

// Two pages. Without them there is nothing that could be tried.
unsigned char* two_pages() {
    unsigned char* const pages = map_private(2 * page);
    if (pages == nullptr) {
        abort();
    }
    return pages;
}

// Whether nobody has written to a part of a page.
bool untouched(const unsigned char* from, const unsigned char* end, unsigned char value) {
    while (from < end && *from == value) {
        ++from;
    }
    return from >= end;
}

}  // namespace

Input::Input(const void* bytes, size_t size) : pages_(two_pages()), start_(pages_ + page - size) {
    memcpy(start_, bytes, size);
    if (mprotect(pages_, page, PROT_READ) != 0 || mprotect(pages_ + page, page, PROT_NONE) != 0) {
        abort();
    }
}

Input::~Input() {
    (void)munmap(pages_, 2 * page);
}

bool Output::second_ = false;

Output::Output(size_t size)
    : pages_(two_pages()),
      start_(pages_ + page - (size / 2 | 1U)),
      touched_(second_ ? pages_ + page : pages_) {
    memset(touched_, mark, page);
}

Output::~Output() {
    (void)munmap(pages_, 2 * page);
}

bool Output::kept(size_t count) const {
    const unsigned char* const border = pages_ + page;
    const unsigned char* const end = start_ + count;
    const unsigned char first = touched_ == pages_ ? mark : 0;
    const unsigned char second = touched_ == border ? mark : 0;
    return untouched(pages_, start_, first) && untouched(end, border, first) &&
           untouched(end > border ? end : border, border + page, second);
}

void Verdict::note(int line, const char* text) {
    if (wrong_[0] == '\0') {
        (void)snprintf(wrong_, sizeof wrong_, "%s, line %d: %s", name_, line, text);
    }
}

void Verdict::gives(long seen, long wanted, int line) {
    if (seen == wanted) {
        return;
    }
    char text[64];
    if (seen == -1) {
        (void)snprintf(text, sizeof text, "%s, not %ld", errno_text(), wanted);
    } else {
        (void)snprintf(text, sizeof text, "gives %ld, not %ld", seen, wanted);
    }
    note(line, text);
}

void Verdict::fails(long seen, int error, int line) {
    if (seen == -1 && errno == error) {
        return;
    }
    char text[64];
    const char* const name = strerrorname_np(error);
    if (seen == -1) {
        (void)snprintf(text, sizeof text, "%s, not %s", errno_text(), name);
    } else {
        (void)snprintf(text, sizeof text, "gives %ld, not %s", seen, name);
    }
    note(line, text);
}

void Verdict::is(long long seen, long long wanted, int line) {
    if (seen != wanted) {
        char text[64];
        (void)snprintf(text, sizeof text, "%lld, not %lld", seen, wanted);
        note(line, text);
    }
}

void Verdict::sees(bool right, int line) {
    if (!right) {
        note(line, "not what it must be");
    }
}

void Verdict::wrote(const Output& output, size_t count, int line) {
    if (!output.kept(count)) {
        note(line, "bytes beside what it wrote");
    }
}

OwnFolder::~OwnFolder() {
    if (fd_ >= 0) {
        (void)close(fd_);
        (void)rmdir(path_);
    }
}

bool OwnFolder::make(const char* parent) {
    (void)snprintf(path_, sizeof path_, "%s/mosrig-rows-XXXXXX", parent);
    fd_ = mkdtemp(path_) == nullptr ? -1 : open(path_, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd_ >= 0;
}

Path::Path(const OwnFolder& folder, const char* name) {
    (void)snprintf(text_, sizeof text_, "%s/%s", folder.path(), name);
}

}  // namespace mosrig::guest
