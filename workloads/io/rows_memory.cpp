// SPDX-License-Identifier: MIT
//
// Calls about memory that no other family makes: which pages are there, that none is locked, and
// that none has to be written to its file.
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "rows.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Memory final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    ~Memory() override {
        (void)munmap(own_, pages * page);
        (void)munmap(of_file_, pages * page);
    }

    const char* hold() override {
        own_ = mosrig::guest::map_private(pages * page);
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        if (own_ == nullptr || fd < 0 || ftruncate(fd, pages * page) != 0) {
            return failed("memory and a file");
        }
        // Huge pages would be there where nobody has written.
        (void)madvise(own_, pages * page, MADV_NOHUGEPAGE);
        for (size_t at = 0; at < pages; ++at) {
            if (pwrite(fd, "x", 1, static_cast<off_t>(at * page)) != 1) {
                return failed("a file");
            }
        }
        of_file_ = mosrig::guest::map_to_read(fd, pages * page, PROT_READ, MAP_PRIVATE);
        (void)close(fd);
        return of_file_ == MAP_FAILED ? failed("a view of the file") : nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<Memory> rows[] = {
            {"mincore", &Memory::here},          {"mincore of a file", &Memory::file_here},
            {"msync", &Memory::write_back},      {"munlock", &Memory::unlock},
            {"munlockall", &Memory::unlock_all},
        };
        return judge(*this, rows);
    }

  private:
    static constexpr size_t page = 4096;
    static constexpr size_t pages = 7;

    // What was written where the process runs counts, and what it has thrown away does not.
    void here(Verdict& verdict) {
        verdict.gives(call(SYS_madvise, own_, pages * page, MADV_DONTNEED), 0);
        own_[2 * page] = 1;
        const Output before(pages);
        verdict.gives(call(SYS_mincore, own_, pages * page - 1, before.at()), 0);
        verdict.sees(before.holds("\0\0\1\0\0\0\0", pages));
        verdict.wrote(before, pages);
        own_[5 * page] = 1;
        const Output after(pages);
        verdict.gives(call(SYS_mincore, own_, pages * page, after.at()), 0);
        verdict.sees(after.holds("\0\0\1\0\0\1\0", pages));
        const Output part(2);
        verdict.gives(call(SYS_mincore, own_ + 4 * page, 2 * page, part.at()), 0);
        verdict.sees(part.holds("\0\1", 2));
        verdict.wrote(part, 2);
        const Output none(pages);
        verdict.fails(call(SYS_mincore, own_ + 1, page, none.at()), EINVAL);
        verdict.fails(call(SYS_mincore, nullptr, page, none.at()), ENOMEM);
        verdict.wrote(none, 0);
    }
    // Nobody has looked at these: what is known of them is home's.
    void file_here(Verdict& verdict) {
        const Output output(pages);
        verdict.gives(call(SYS_mincore, of_file_, pages * page, output.at()), 0);
        verdict.sees(output.holds("\1\1\1\1\1\1\1", pages));
        verdict.wrote(output, pages);
    }

    // Whoever is away has no memory that a file is to have; where something is mapped is looked at.
    void write_back(Verdict& verdict) {
        verdict.gives(call(SYS_msync, own_, pages * page, MS_SYNC), 0);
        verdict.gives(call(SYS_msync, of_file_, pages * page, MS_ASYNC | MS_INVALIDATE), 0);
        verdict.is(own_[5 * page], 1);
        verdict.fails(call(SYS_msync, own_ + 1, page, MS_SYNC), EINVAL);
        verdict.fails(call(SYS_msync, own_, page, MS_SYNC | MS_ASYNC), EINVAL);
        verdict.fails(call(SYS_msync, nullptr, page, MS_SYNC), ENOMEM);
        void* const gone = mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        verdict.gives(call(SYS_msync, gone, page, MS_SYNC), 0);
        verdict.gives(munmap(gone, page), 0);
        verdict.fails(call(SYS_msync, gone, page, MS_SYNC), ENOMEM);
    }

    void unlock(Verdict& verdict) {
        verdict.gives(call(SYS_munlock, own_, pages * page), 0);
        verdict.fails(call(SYS_munlock, nullptr, page), ENOMEM);
        verdict.is(own_[5 * page], 1);
    }
    void unlock_all(Verdict& verdict) {
        verdict.gives(call(SYS_munlockall), 0);
        verdict.is(own_[5 * page], 1);
    }

    unsigned char* own_ = nullptr;
    void* of_file_ = MAP_FAILED;
};

const mosrig::guest::KindOf<Memory> memory("rows-memory");

}  // namespace
