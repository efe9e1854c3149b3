// SPDX-License-Identifier: MIT
//
// Calls that are to be counted: a word makes a hundred of one kind, NONE makes none. Between two
// words nothing is called but poll, which waits for the next.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::failed;

class Counted final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        fd_ = mosrig::guest::scratch_file(O_CLOEXEC);
        return fd_ < 0 || ftruncate(fd_, large) != 0 ||
                       socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_) != 0
                   ? failed("a file and two sockets")
                   : nullptr;
    }

    int patience_ms() const override { return -1; }

    bool command(const char* word) override {
        static const struct {
            const char* word;
            bool (Counted::*call)();
        } calls[] = {
            {"NONE", nullptr},
            {"WRITE", &Counted::call_write},
            {"READ", &Counted::call_read},
            {"PWRITE", &Counted::call_pwrite},
            {"PREAD", &Counted::call_pread},
            {"WRITEV", &Counted::call_writev},
            {"READV", &Counted::call_readv},
            {"STAT", &Counted::call_stat},
            {"FSTAT", &Counted::call_fstat},
            {"OPEN_CLOSE", &Counted::call_open},
            {"SEND_RECV", &Counted::call_send},
            {"LSEEK", &Counted::call_lseek},
            {"GETPPID", &Counted::call_getppid},
            {"CLOCK", &Counted::call_clock},
            {"TIMEOFDAY", &Counted::call_timeofday},
            {"READ_64K", &Counted::call_read_64k},
            {"WRITE_64K", &Counted::call_write_64k},
            {"WRITE_200000", &Counted::call_write_large},
        };
        for (const auto& entry : calls) {
            if (strcmp(entry.word, word) == 0) {
                answer(hundred(entry.call));
                return true;
            }
        }
        return Holder::command(word);
    }

  private:
    static constexpr size_t small = 64;
    static constexpr size_t most = 65536;
    static constexpr size_t large = 200000;

    const char* hundred(bool (Counted::*call)()) {
        for (int turn = 0; call != nullptr && turn < 100; ++turn) {
            if (!(this->*call)()) {
                return failed("a counted call");
            }
        }
        return nullptr;
    }

    bool call_write() { return write(fd_, block_, small) == small; }
    // At the end of the file a read gives nothing, and is a call all the same.
    bool call_read() { return read(fd_, block_, small) >= 0; }
    bool call_pwrite() { return pwrite(fd_, block_, small, 0) == small; }
    bool call_pread() { return pread(fd_, block_, small, 0) == small; }
    bool call_writev() { return writev(fd_, parts_, 16) == 16 * small; }
    bool call_readv() { return preadv(fd_, parts_, 16, 0) == 16 * small; }
    bool call_stat() {
        struct stat status = {};
        return stat("/proc", &status) == 0;
    }
    bool call_fstat() {
        struct stat status = {};
        return fstat(fd_, &status) == 0;
    }
    bool call_open() {
        const int fd = open("/proc/version", O_RDONLY | O_CLOEXEC);
        return fd >= 0 && close(fd) == 0;
    }
    bool call_send() {
        return send(sockets_[0], block_, small, 0) == small &&
               recv(sockets_[1], block_, small, 0) == small;
    }
    bool call_lseek() { return lseek(fd_, 0, SEEK_SET) == 0; }
    bool call_getppid() { return getppid() > 0; }
    bool call_clock() {
        struct timespec now = {};
        return clock_gettime(CLOCK_MONOTONIC, &now) == 0;
    }
    bool call_timeofday() {
        struct timeval now = {};
        return gettimeofday(&now, nullptr) == 0;
    }
    bool call_read_64k() { return pread(fd_, block_, most, 0) == most; }
    bool call_write_64k() { return pwrite(fd_, block_, most, 0) == most; }
    bool call_write_large() { return pwrite(fd_, block_, large, 0) == large; }

    int fd_ = -1;
    int sockets_[2] = {};
    unsigned char block_[large] = {};
    struct iovec parts_[16] = {
        {block_, small},         {block_ + 1000, small},  {block_ + 2000, small},
        {block_ + 3000, small},  {block_ + 4000, small},  {block_ + 5000, small},
        {block_ + 6000, small},  {block_ + 7000, small},  {block_ + 8000, small},
        {block_ + 9000, small},  {block_ + 10000, small}, {block_ + 11000, small},
        {block_ + 12000, small}, {block_ + 13000, small}, {block_ + 14000, small},
        {block_ + 15000, small}};
};

const mosrig::guest::KindOf<Counted> counted("counted");

}  // namespace
