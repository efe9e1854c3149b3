// SPDX-License-Identifier: MIT
//
// Calls that are to be counted: a word makes a hundred of one kind, NONE makes none. Between two
// words nothing is called but poll, which waits for the next.
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
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
        if (fd_ < 0 || ftruncate(fd_, file_size) != 0 ||
            (reader_ = mosrig::guest::reopen(fd_, O_RDONLY)) < 0) {
            return failed("a file");
        }
        null_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
        zeros_ = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        view_ = mosrig::guest::map_private(4 * page);
        if (view_ == nullptr || null_ < 0 || zeros_ < 0) {
            return failed("memory, /dev/null, /dev/zero");
        }
        for (size_t which = 0; which < pieces; ++which) {
            pages_[which] = {block_ + which * page, page};
        }
        return socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_) != 0 ? failed("two sockets")
                                                                  : open_datagrams();
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
            {"PREADV", &Counted::call_preadv},
            {"PWRITEV", &Counted::call_pwritev},
            {"PREADV2", &Counted::call_preadv2},
            {"PWRITEV2", &Counted::call_pwritev2},
            {"STAT", &Counted::call_stat},
            {"LSTAT", &Counted::call_lstat},
            {"FSTAT", &Counted::call_fstat},
            {"FSTATAT", &Counted::call_fstatat},
            {"FSTATAT_EMPTY", &Counted::call_fstatat_empty},
            {"STATX", &Counted::call_statx},
            {"OPEN_CLOSE", &Counted::call_open},
            {"OPEN2_CLOSE", &Counted::call_open_itself},
            {"CREAT_CLOSE", &Counted::call_creat},
            {"OPENAT2_CLOSE", &Counted::call_openat2},
            {"SEND_RECV", &Counted::call_send},
            {"SENDMSG_RECVMSG", &Counted::call_sendmsg},
            {"SENDTO_RECVFROM", &Counted::call_sendto},
            {"SENDMMSG_RECVMMSG", &Counted::call_sendmmsg},
            {"LSEEK", &Counted::call_lseek},
            {"CLOCK", &Counted::call_clock},
            {"TIMEOFDAY", &Counted::call_timeofday},
            {"READ_64K", &Counted::call_read_64k},
            {"WRITE_64K", &Counted::call_write_64k},
            {"READV_64K", &Counted::call_readv_64k},
            {"WRITEV_64K", &Counted::call_writev_64k},
            {"SEND_RECV_64K", &Counted::call_send_64k},
            {"SENDMSG_RECVMSG_64K", &Counted::call_sendmsg_64k},
            {"READ_200000", &Counted::call_read_large},
            {"WRITE_200000", &Counted::call_write_large},
            {"MMAP_MUNMAP", &Counted::call_mmap},
            {"MPROTECT", &Counted::call_mprotect},
            {"BRK", &Counted::call_brk},
            {"MADVISE", &Counted::call_madvise},
            {"MREMAP", &Counted::call_mremap},
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
    // With as many pieces as may go for one round trip.
    static constexpr size_t pieces = 16;
    static constexpr size_t large = 200000;
    static constexpr size_t page = 4096;
    // More than all that is ever read of it in a row.
    static constexpr off_t file_size = 4 << 20;

    const char* open_datagrams() {
        struct sockaddr_in here = {};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (int end = 0; end < 2; ++end) {
            socklen_t length = sizeof addresses_[end];
            datagrams_[end] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            if (bind(datagrams_[end], as_address(here), sizeof here) != 0 ||
                getsockname(datagrams_[end], as_address(addresses_[end]), &length) != 0) {
                return failed("two sockets for datagrams");
            }
        }
        return nullptr;
    }
    static struct sockaddr* as_address(struct sockaddr_in& address) {
        return reinterpret_cast<struct sockaddr*>(&address);
    }

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
    bool call_readv() { return readv(reader_, parts_, 16) == 16 * small; }
    bool call_preadv() { return preadv(fd_, parts_, 16, 0) == 16 * small; }
    bool call_pwritev() { return pwritev(fd_, parts_, 16, 0) == 16 * small; }
    bool call_preadv2() { return preadv2(fd_, parts_, 16, 0, 0) == 16 * small; }
    bool call_pwritev2() { return pwritev2(fd_, parts_, 16, 0, 0) == 16 * small; }
    // The library's own make another call of these three: newfstatat.
    bool call_stat() {
        struct stat status = {};
        return syscall(SYS_stat, "/proc", &status) == 0;
    }
    bool call_lstat() {
        struct stat status = {};
        return syscall(SYS_lstat, "/proc/self", &status) == 0;
    }
    bool call_fstat() {
        struct stat status = {};
        return syscall(SYS_fstat, fd_, &status) == 0;
    }
    bool call_fstatat() {
        struct stat status = {};
        return syscall(SYS_newfstatat, AT_FDCWD, "/proc", &status, 0) == 0;
    }
    bool call_fstatat_empty() {
        struct stat status = {};
        return syscall(SYS_newfstatat, fd_, "", &status, AT_EMPTY_PATH) == 0;
    }
    bool call_statx() {
        struct statx status = {};
        return statx(AT_FDCWD, "/proc", 0, STATX_BASIC_STATS, &status) == 0;
    }
    bool call_open() {
        const int fd = open("/proc/version", O_RDONLY | O_CLOEXEC);
        return fd >= 0 && close(fd) == 0;
    }
    bool call_open_itself() {
        const long fd = syscall(SYS_open, "/proc/version", O_RDONLY | O_CLOEXEC);
        return fd >= 0 && close(static_cast<int>(fd)) == 0;
    }
    bool call_creat() {
        const long fd = syscall(SYS_creat, "/dev/null", 0600);
        return fd >= 0 && close(static_cast<int>(fd)) == 0;
    }
    bool call_openat2() {
        struct open_how how = {};
        how.flags = O_RDONLY | O_CLOEXEC;
        const long fd = syscall(SYS_openat2, AT_FDCWD, "/proc/version", &how, sizeof how);
        return fd >= 0 && close(static_cast<int>(fd)) == 0;
    }
    bool call_sendmsg() {
        struct msghdr message = {};
        message.msg_iov = parts_;
        message.msg_iovlen = 16;
        return sendmsg(sockets_[0], &message, 0) == 16 * small &&
               recvmsg(sockets_[1], &message, MSG_WAITALL) == 16 * small;
    }
    // Four with one call, and each with its address.
    bool call_sendmmsg() {
        struct mmsghdr messages[4] = {};
        for (struct mmsghdr& message : messages) {
            message.msg_hdr.msg_iov = parts_;
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_name = &addresses_[1];
            message.msg_hdr.msg_namelen = sizeof addresses_[1];
        }
        if (sendmmsg(datagrams_[0], messages, 4, 0) != 4) {
            return false;
        }
        struct sockaddr_in from = {};
        for (struct mmsghdr& message : messages) {
            message.msg_hdr.msg_name = &from;
        }
        return recvmmsg(datagrams_[1], messages, 4, 0, nullptr) == 4 &&
               messages[3].msg_len == small && from.sin_port == addresses_[0].sin_port;
    }
    // The address of each end is looked at by the other.
    bool call_sendto() {
        struct sockaddr_in from = {};
        socklen_t length = sizeof from;
        return sendto(datagrams_[0], block_, small, 0, as_address(addresses_[1]),
                      sizeof addresses_[1]) == small &&
               recvfrom(datagrams_[1], block_, small, 0, as_address(from), &length) == small &&
               length == sizeof from && from.sin_port == addresses_[0].sin_port;
    }
    bool call_send() {
        return send(sockets_[0], block_, small, 0) == small &&
               recv(sockets_[1], block_, small, 0) == small;
    }
    bool call_lseek() { return lseek(fd_, 0, SEEK_SET) == 0; }
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
    bool call_readv_64k() { return readv(zeros_, pages_, pieces) == most; }
    bool call_writev_64k() { return writev(null_, pages_, pieces) == most; }
    bool call_send_64k() {
        return send(sockets_[0], block_, most, 0) == most &&
               recv(sockets_[1], block_, most, MSG_WAITALL) == most;
    }
    bool call_sendmsg_64k() {
        struct msghdr message = {};
        message.msg_iov = pages_;
        message.msg_iovlen = pieces;
        return sendmsg(sockets_[0], &message, 0) == most &&
               recvmsg(sockets_[1], &message, MSG_WAITALL) == most;
    }
    bool call_read_large() { return pread(fd_, block_, large, 0) == large; }
    bool call_write_large() { return pwrite(fd_, block_, large, 0) == large; }

    // Memory that home has never heard of is touched, too: that must not be worth a question.
    static bool used(void* memory) {
        auto* const bytes = static_cast<volatile unsigned char*>(memory);
        bytes[0] = 1;
        return bytes[0] == 1;
    }
    bool call_mmap() {
        unsigned char* const fresh = mosrig::guest::map_private(page);
        return fresh != nullptr && used(fresh) && munmap(fresh, page) == 0;
    }
    bool call_mprotect() {
        return mprotect(view_, page, PROT_READ) == 0 &&
               mprotect(view_, page, PROT_READ | PROT_WRITE) == 0;
    }
    bool call_brk() {
        void* const end = sbrk(0);
        void* const failure = reinterpret_cast<void*>(-1);  // NOLINT
        return sbrk(page) != failure && used(end) && sbrk(-static_cast<intptr_t>(page)) != failure;
    }
    bool call_madvise() { return madvise(view_, 4 * page, MADV_DONTNEED) == 0 && used(view_); }
    bool call_mremap() {
        unsigned char* const fresh = mosrig::guest::map_private(page);
        void* const more =
            fresh != nullptr ? mremap(fresh, page, 8 * page, MREMAP_MAYMOVE) : MAP_FAILED;
        return more != MAP_FAILED && used(more) && munmap(more, 8 * page) == 0;
    }

    int fd_ = -1;
    int reader_ = -1;
    int null_ = -1;
    int zeros_ = -1;
    unsigned char* view_ = nullptr;
    int sockets_[2] = {};
    int datagrams_[2] = {};
    struct sockaddr_in addresses_[2] = {};
    unsigned char block_[large] = {};
    struct iovec pages_[pieces] = {};
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
