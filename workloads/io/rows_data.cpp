// SPDX-License-Identifier: MIT
//
// Calls that move data from file to file and from pipe to pipe, where places in a file go both
// ways; vectors with flags; and what a program says about the data of a file that it uses.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "rows.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

// Newer than the headers of some systems.
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Data final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    const char* hold() override {
        fd_ = mosrig::guest::scratch_file(O_CLOEXEC);
        other_ = mosrig::guest::scratch_file(O_CLOEXEC);
        return fd_ < 0 || other_ < 0 || pipe2(first_, O_CLOEXEC | O_NONBLOCK) != 0 ||
                       pipe2(second_, O_CLOEXEC | O_NONBLOCK) != 0
                   ? failed("two files, two pipes")
                   : nullptr;
    }

  protected:
    // The file has the same bytes at the beginning of each, and the pipes have none.
    const char* act() override {
        static constexpr Row<Data> rows[] = {
            {"pwrite64", &Data::write_at},      {"pread64", &Data::read_at},
            {"pwritev2", &Data::write_vectors}, {"preadv2", &Data::read_vectors},
            {"pwritev", &Data::write_pieces},   {"preadv", &Data::read_pieces},
            {"sendfile", &Data::send_file},     {"copy_file_range", &Data::copy_range},
            {"splice", &Data::splice},          {"tee", &Data::double_pipe},
            {"fallocate", &Data::allocate},     {"sync_file_range", &Data::write_back},
            {"syncfs", &Data::write_back_all},  {"sync", &Data::write_back_everything},
            {"fadvise64", &Data::advise},       {"readahead", &Data::read_ahead},
            {"cachestat", &Data::ask_cache},    {"memfd_create", &Data::make_memory},
            {"ftruncate", &Data::cut},
        };
        mosrig::guest::fill_bytes(bytes_, size, ++turn_);
        return judge(*this, rows);
    }

  private:
    static constexpr size_t size = 5003;

    // Of a vector, each of them odd but the one that is empty.
    static constexpr size_t pieces[] = {1, 0, 301, 33};
    static constexpr long all_pieces = 335;

    void write_at(Verdict& verdict) {
        verdict.gives(call(SYS_ftruncate, fd_, 0), 0);
        verdict.gives(call(SYS_pwrite64, fd_, Input(bytes_, 2001).at(), 2001, 0), 2001);
        verdict.gives(call(SYS_pwrite64, fd_, bytes_ + 2001, size - 2001, 2001), size - 2001);
        verdict.fails(call(SYS_pwrite64, first_[1], bytes_, 1, 0), ESPIPE);
        verdict.fails(call(SYS_pwrite64, fd_, bytes_, 1, -1), EINVAL);
    }
    void read_at(Verdict& verdict) {
        const Output output(1001);
        verdict.gives(call(SYS_pread64, fd_, output.at(), 1001, size - 33), 33);
        verdict.sees(output.holds(bytes_ + size - 33, 33));
        verdict.wrote(output, 33);
        verdict.gives(call(SYS_pread64, fd_, output.at(), 1001, 7), 1001);
        verdict.sees(output.holds(bytes_ + 7, 1001));
        verdict.wrote(output, 1001);
    }

    void judge_write(Verdict& verdict, long number, long place, long flags,
                     int line = __builtin_LINE()) {
        struct iovec parts[4] = {};
        size_t at = 0;
        for (size_t which = 0; which < 4; at += pieces[which++]) {
            parts[which] = {bytes_ + at, pieces[which]};
        }
        const Input vector(parts);
        verdict.gives(call(number, other_, vector.at(), 4, place, 0, flags), all_pieces, line);
        verdict.fails(call(number, 987, vector.at(), 4, 0, 0, flags), EBADF, line);
    }
    // What is read is less than there is room for: it ends within the third piece.
    void judge_read(Verdict& verdict, long number, long flags, int line = __builtin_LINE()) {
        const Output out[4] = {Output(pieces[0]), Output(1), Output(pieces[2]), Output(pieces[3])};
        struct iovec parts[4] = {};
        for (size_t which = 0; which < 4; ++which) {
            parts[which] = {out[which].at(), pieces[which]};
        }
        const Input vector(parts);
        constexpr long short_of = 35;
        verdict.gives(call(number, other_, vector.at(), 4, 1001 + short_of, 0, flags),
                      all_pieces - short_of, line);
        verdict.sees(out[0].holds(bytes_ + short_of, 1), line);
        verdict.sees(out[2].holds(bytes_ + short_of + 1, 299), line);
        verdict.wrote(out[0], 1, line);
        verdict.wrote(out[1], 0, line);
        verdict.wrote(out[2], 299, line);
        verdict.wrote(out[3], 0, line);
        verdict.gives(call(number, other_, vector.at(), 4, 4000, 0, flags), 0, line);
        verdict.fails(call(number, 987, vector.at(), 4, 0, 0, flags), EBADF, line);
    }
    void write_vectors(Verdict& verdict) {
        verdict.gives(call(SYS_ftruncate, other_, 1001), 0);
        const struct iovec part = {bytes_, 1};
        verdict.fails(call(SYS_pwritev2, other_, &part, 1, 0, 0, 1 << 30), EOPNOTSUPP);
        // Where it is to write does not count: it goes to the end.
        judge_write(verdict, SYS_pwritev2, 7, RWF_APPEND);
    }
    void read_vectors(Verdict& verdict) {
        judge_read(verdict, SYS_preadv2, 0);
        // From where the file stands.
        const Output output(9);
        const struct iovec part = {output.at(), 9};
        verdict.gives(call(SYS_lseek, other_, 1001 + 5, SEEK_SET), 1001 + 5);
        verdict.gives(call(SYS_preadv2, other_, &part, 1, -1, -1, 0), 9);
        verdict.sees(output.holds(bytes_ + 5, 9));
        verdict.gives(call(SYS_lseek, other_, 0, SEEK_CUR), 1001 + 5 + 9);
    }
    void write_pieces(Verdict& verdict) { judge_write(verdict, SYS_pwritev, 1001, 0); }
    void read_pieces(Verdict& verdict) { judge_read(verdict, SYS_preadv, 0); }

    // What a pipe has is what the file has from a place on.
    void judge_pipe(Verdict& verdict, int pipe, size_t from, size_t count,
                    int line = __builtin_LINE()) {
        const Output output(count + 10);
        const auto whole = static_cast<long>(count);
        verdict.gives(call(SYS_read, pipe, output.at(), count + 10), whole, line);
        verdict.sees(output.holds(bytes_ + from, count), line);
        verdict.wrote(output, count, line);
    }
    // A place before and after, of a call that moves it.
    void judge_place(Verdict& verdict, const Output& place, loff_t wanted,
                     int line = __builtin_LINE()) {
        verdict.is(place.get<loff_t>(), wanted, line);
        verdict.wrote(place, sizeof wanted, line);
    }

    void send_file(Verdict& verdict) {
        Output place(sizeof(loff_t));
        place.put(loff_t{101});
        verdict.gives(call(SYS_sendfile, first_[1], fd_, place.at(), 2003), 2003);
        judge_place(verdict, place, 101 + 2003);
        judge_pipe(verdict, first_[0], 101, 2003);
        verdict.fails(call(SYS_sendfile, first_[1], 987, place.at(), 1), EBADF);
        judge_place(verdict, place, 101 + 2003);
    }
    void copy_range(Verdict& verdict) {
        Output from(sizeof(loff_t));
        Output to(sizeof(loff_t));
        from.put(loff_t{303});
        to.put(loff_t{77});
        verdict.gives(call(SYS_copy_file_range, fd_, from.at(), other_, to.at(), size_t{1009}, 0),
                      1009);
        judge_place(verdict, from, 303 + 1009);
        judge_place(verdict, to, 77 + 1009);
        const Output output(1009);
        verdict.gives(call(SYS_pread64, other_, output.at(), 1009, 77), 1009);
        verdict.sees(output.holds(bytes_ + 303, 1009));
        // At its end a file has nothing more.
        from.put(static_cast<loff_t>(size));
        verdict.gives(call(SYS_copy_file_range, fd_, from.at(), other_, to.at(), 5, 0), 0);
        verdict.fails(call(SYS_copy_file_range, fd_, from.at(), other_, to.at(), 5, 1), EINVAL);
        judge_place(verdict, from, size);
        judge_place(verdict, to, 77 + 1009);
    }
    void splice(Verdict& verdict) {
        Output from(sizeof(loff_t));
        from.put(loff_t{11});
        verdict.gives(call(SYS_splice, fd_, from.at(), first_[1], nullptr, 555, 0), 555);
        judge_place(verdict, from, 11 + 555);
        Output to(sizeof(loff_t));
        to.put(loff_t{3});
        verdict.gives(call(SYS_splice, first_[0], nullptr, other_, to.at(), 333, 0), 333);
        judge_place(verdict, to, 3 + 333);
        verdict.gives(call(SYS_splice, first_[0], nullptr, second_[1], nullptr, 1000, 0), 222);
        judge_pipe(verdict, second_[0], 11 + 333, 222);
        const Output output(333);
        verdict.gives(call(SYS_pread64, other_, output.at(), 333, 3), 333);
        verdict.sees(output.holds(bytes_ + 11, 333));
        verdict.fails(call(SYS_splice, first_[0], from.at(), other_, to.at(), 1, 0), ESPIPE);
        verdict.fails(call(SYS_splice, second_[0], nullptr, other_, nullptr, 1, SPLICE_F_NONBLOCK),
                      EAGAIN);
    }
    void double_pipe(Verdict& verdict) {
        verdict.gives(call(SYS_write, first_[1], bytes_ + 9, 77), 77);
        verdict.gives(call(SYS_tee, first_[0], second_[1], 1000, 0), 77);
        judge_pipe(verdict, second_[0], 9, 77);
        judge_pipe(verdict, first_[0], 9, 77);
        verdict.fails(call(SYS_tee, fd_, second_[1], 1, 0), EINVAL);
    }

    void allocate(Verdict& verdict) {
        struct stat status = {};
        verdict.gives(call(SYS_fallocate, other_, 0, 100, 20000), 0);
        verdict.gives(fstat(other_, &status), 0);
        verdict.is(status.st_size, 20100);
        verdict.fails(call(SYS_fallocate, other_, 0, -1, 1), EINVAL);
        verdict.fails(call(SYS_fallocate, first_[1], 0, 0, 1), ESPIPE);
    }
    void write_back(Verdict& verdict) {
        verdict.gives(call(SYS_sync_file_range, other_, 0, 4096, SYNC_FILE_RANGE_WRITE), 0);
        verdict.fails(call(SYS_sync_file_range, other_, 0, 4096, 1 << 20), EINVAL);
        verdict.fails(call(SYS_sync_file_range, first_[0], 0, 1, 0), ESPIPE);
    }
    // Of a file system that has nothing to write: a disk's may take as long as it likes.
    void write_back_all(Verdict& verdict) {
        const long proc = call(SYS_open, "/proc", O_RDONLY | O_CLOEXEC);
        verdict.gives(call(SYS_syncfs, proc), 0);
        verdict.gives(call(SYS_close, proc), 0);
        verdict.fails(call(SYS_syncfs, 987), EBADF);
    }
    // That has no errors, nor can one see what it has done.
    void write_back_everything(Verdict& verdict) { verdict.gives(call(SYS_sync), 0); }
    void advise(Verdict& verdict) {
        verdict.gives(call(SYS_fadvise64, fd_, 0, size, POSIX_FADV_SEQUENTIAL), 0);
        verdict.fails(call(SYS_fadvise64, fd_, 0, size, 99), EINVAL);
        verdict.fails(call(SYS_fadvise64, first_[0], 0, 1, POSIX_FADV_NORMAL), ESPIPE);
    }
    void read_ahead(Verdict& verdict) {
        verdict.gives(call(SYS_readahead, fd_, 0, size), 0);
        verdict.fails(call(SYS_readahead, first_[0], 0, 1), EINVAL);
    }
    void ask_cache(Verdict& verdict) {
        const uint64_t range[2] = {0, 4096};
        const Output counts(5 * sizeof(uint64_t));
        const Output none(5 * sizeof(uint64_t));
        verdict.gives(call(SYS_cachestat, fd_, Input(range).at(), counts.at(), 0), 0);
        // Written a moment ago, the first of both pages is there.
        verdict.is(counts.get<int64_t>(), 1);
        verdict.is(counts.get<int64_t>(4 * sizeof(uint64_t)), 0);
        verdict.wrote(counts, 5 * sizeof(uint64_t));
        verdict.fails(call(SYS_cachestat, fd_, Input(range).at(), none.at(), 1), EINVAL);
        verdict.wrote(none, 0);
    }

    // Not mapped by anybody it is a file like others.
    void make_memory(Verdict& verdict) {
        const Input name("rows\xC3\xA9", 7);
        char link[32];
        const Output text(64);
        const long fd = call(SYS_memfd_create, name.at(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
        verdict.sees(fd >= 0);
        (void)snprintf(link, sizeof link, "/proc/self/fd/%ld", fd);
        verdict.gives(call(SYS_readlink, link, text.at(), 64), 23);
        verdict.sees(text.holds("/memfd:rows\xC3\xA9 (deleted)", 23));
        verdict.wrote(text, 23);
        verdict.gives(call(SYS_pwrite64, fd, bytes_, 777, 0), 777);
        verdict.gives(call(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
        verdict.fails(call(SYS_pwrite64, fd, bytes_, 1, 0), EPERM);
        verdict.gives(call(SYS_close, fd), 0);
        verdict.fails(call(SYS_memfd_create, name.at(), 1U << 31), EINVAL);
    }
    void cut(Verdict& verdict) {
        struct stat status = {};
        verdict.gives(call(SYS_ftruncate, other_, 0), 0);
        verdict.gives(fstat(other_, &status), 0);
        verdict.is(status.st_size, 0);
        verdict.fails(call(SYS_ftruncate, first_[1], 0), EINVAL);
    }

    int fd_ = -1;
    int other_ = -1;
    int first_[2] = {};
    int second_[2] = {};
    unsigned turn_ = 0;
    unsigned char bytes_[size] = {};
};

const mosrig::guest::KindOf<Data> data("rows-data");

}  // namespace
