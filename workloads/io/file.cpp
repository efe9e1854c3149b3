// SPDX-License-Identifier: MIT
//
// A file that was opened before the move, used in every way a file can be used; and what must fail.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::answer;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::fill_bytes;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;
using mosrig::guest::same_bytes;
using mosrig::guest::scratch_file;

class File final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        fd_ = scratch_file(O_CLOEXEC);
        copy_ = scratch_file(O_CLOEXEC);
        return fd_ < 0 || copy_ < 0 ? "no file can be made in /tmp" : nullptr;
    }

  protected:
    const char* step() override {
        ++turn_;
        const char* wrong = by_place();
        wrong = wrong != nullptr ? wrong : in_order();
        return wrong != nullptr ? wrong : by_vector();
    }

    const char* check() override {
        struct stat status = {};
        if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
            return failed("fstat");
        }
        if (status.st_size != size) {
            return differs("size", status.st_size, size);
        }
        if (status.st_uid != getuid()) {
            return differs("owner", status.st_uid, getuid());
        }
        return copied();
    }

  private:
    static constexpr off_t size = 150000;

    const char* by_place() {
        fill_bytes(block_, size, turn_);
        if (pwrite(fd_, block_, size, 0) != size) {
            return failed("pwrite");
        }
        memset(block_, 0, size);
        if (pread(fd_, block_, size, 0) != size || !same_bytes(block_, size, turn_)) {
            return failed("pread");
        }
        return nullptr;
    }

    const char* in_order() {
        if (lseek(fd_, -100, SEEK_END) != size - 100) {
            return failed("lseek");
        }
        unsigned char last[200];
        const ssize_t got = read(fd_, last, sizeof last);
        if (got != 100) {
            return differs("bytes read at the end", got, 100);
        }
        if (memcmp(last, block_ + size - 100, 100) != 0) {
            return "the last bytes of the file";
        }
        if (read(fd_, last, sizeof last) != 0) {
            return "something after the end";
        }
        if (ftruncate(fd_, size / 2) != 0 || lseek(fd_, 0, SEEK_END) != size / 2) {
            return failed("ftruncate");
        }
        const ssize_t put = write(fd_, block_ + size / 2, size - size / 2);
        return put != size - size / 2 ? differs("bytes written", put, size - size / 2) : nullptr;
    }

    const char* by_vector() {
        unsigned char head[64];
        unsigned char tail[4096];
        struct iovec parts[] = {{head, sizeof head}, {nullptr, 0}, {tail, sizeof tail}};
        if (lseek(fd_, 0, SEEK_SET) != 0 || readv(fd_, parts, 3) != sizeof head + sizeof tail) {
            return failed("readv");
        }
        if (memcmp(head, block_, sizeof head) != 0 ||
            memcmp(tail, block_ + sizeof head, sizeof tail) != 0) {
            return "what readv gave";
        }
        if (lseek(fd_, 0, SEEK_SET) != 0 || writev(fd_, parts, 3) != sizeof head + sizeof tail ||
            pwritev(fd_, parts, 3, 0) != sizeof head + sizeof tail ||
            preadv(fd_, parts, 3, 0) != sizeof head + sizeof tail) {
            return failed("writev, pwritev, preadv");
        }
        return memcmp(tail, block_ + sizeof head, sizeof tail) != 0 ? "what preadv gave" : nullptr;
    }

    // From one file into the other inside the kernel.
    const char* copied() {
        off_t from = 0;
        if (ftruncate(copy_, 0) != 0 || lseek(copy_, 0, SEEK_SET) != 0 ||
            sendfile(copy_, fd_, &from, 70000) != 70000 || from != 70000) {
            return failed("sendfile");
        }
        loff_t to = 70000;
        loff_t rest = 70000;
        if (copy_file_range(fd_, &rest, copy_, &to, size - 70000, 0) != size - 70000) {
            return failed("copy_file_range");
        }
        memset(block_, 0, size);
        if (pread(copy_, block_, size, 0) != size || !same_bytes(block_, size, turn_)) {
            return "the copy";
        }
        return fsync(fd_) != 0 || fdatasync(copy_) != 0 ? failed("fsync") : nullptr;
    }

    int fd_ = -1;
    int copy_ = -1;
    unsigned turn_ = 0;
    unsigned char block_[size] = {};
};

// Calls that must fail, each with its own error. What a bad address does to the process is another
// matter, and asked for by words of their own.
class Errors final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        full_ = open("/dev/full", O_WRONLY | O_CLOEXEC);
        if (full_ < 0) {
            full_ = make_full();
        }
        readable_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
        zeros_ = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        folder_ = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (full_ < 0 || readable_ < 0 || zeros_ < 0 || folder_ < 0) {
            return failed("/dev/full, /dev/null, /dev/zero, /");
        }
        return pipe2(pipe_, O_CLOEXEC) != 0 ? failed("pipe") : nullptr;
    }

    bool command(const char* word) override {
        if (strcmp(word, "WRITE_FAULT") == 0) {
            answer(expect("write from nowhere", write(pipe_[1], nowhere(), 1), EFAULT));
        } else if (strcmp(word, "READ_FAULT") == 0) {
            answer(expect("read to nowhere", read(zeros_, nowhere(), 1), EFAULT));
        } else {
            return Holder::command(word);
        }
        return true;
    }

  protected:
    const char* step() override {
        char byte = 'x';
        struct stat status = {};
        const char* wrong = expect("write to a full device", write(full_, &byte, 1), ENOSPC);
        wrong =
            wrong ? wrong : expect("write, opened read-only", write(readable_, &byte, 1), EBADF);
        wrong = wrong ? wrong : expect("read, closed", read(987, &byte, 1), EBADF);
        wrong = wrong ? wrong : expect("open, no such file", open("/no/such", O_RDONLY), ENOENT);
        wrong = wrong ? wrong : expect("stat, no such file", stat("/no/such", &status), ENOENT);
        wrong = wrong ? wrong : expect("open, not a folder", open("/proc/1/stat/x", 0), ENOTDIR);
        wrong = wrong ? wrong : expect("open of a folder", open("/", O_WRONLY), EISDIR);
        wrong = wrong ? wrong : expect("read of a folder", read(folder_, &byte, 1), EISDIR);
        wrong = wrong ? wrong : expect("lseek, no file", lseek(pipe_[0], 0, SEEK_SET), ESPIPE);
        wrong = wrong ? wrong : expect("ioctl of a terminal", isatty(readable_) - 1, ENOTTY);
        return wrong;
    }

  private:
    static const char* expect(const char* what, ssize_t result, int error) {
        if (result != -1) {
            return differs(what, result, -1);
        }
        return errno != error ? failed(what) : nullptr;
    }
    // An address of which neither node has anything; the compiler must not see through it.
    static void* nowhere() {
        static void* volatile const address =
            mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return address;
    }
    static int make_full() {
        (void)mknod("/dev/full", S_IFCHR | 0666, 1 << 8 | 7);
        return open("/dev/full", O_WRONLY | O_CLOEXEC);
    }

    int full_ = -1;
    int readable_ = -1;
    int zeros_ = -1;
    int folder_ = -1;
    int pipe_[2] = {};
};

// Locks of a file: some are held all the time, and keep another process off; one comes and goes.
class Locks final : public Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        fd_ = scratch_file(O_CLOEXEC);
        if (fd_ < 0) {
            return "no file can be made in /tmp";
        }
        struct flock lock = {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_len = 100;
        if (fcntl(fd_, F_SETLK, &lock) != 0 || flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            return failed("lock");
        }
        return rival_.start(try_in_vain, nullptr, &fd_);
    }

  protected:
    // One that is not held comes and goes; the one that is held stays.
    const char* step() override {
        struct flock lock = {};
        lock.l_type = F_RDLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = 200;
        lock.l_len = 50;
        if (fcntl(fd_, F_SETLKW, &lock) != 0) {
            return failed("F_SETLKW");
        }
        lock.l_type = F_UNLCK;
        if (fcntl(fd_, F_SETLK, &lock) != 0) {
            return failed("F_SETLK");
        }
        lock.l_type = F_WRLCK;
        if (fcntl(fd_, F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK) {
            return failed("F_GETLK of one's own");
        }
        return nullptr;
    }

    const char* check() override { return rival_.act(); }

  private:
    // A lock of the first kind is the process', the other is the opened file's: this one has
    // neither.
    static const char* try_in_vain(void* fd) {
        char path[32];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", *static_cast<int*>(fd));
        const int again = open(path, O_RDWR | O_CLOEXEC);
        struct flock lock = {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = 99;
        lock.l_len = 1;
        const bool locked = fcntl(again, F_SETLK, &lock) == 0 || errno != EAGAIN;
        const bool flocked = flock(again, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        return close(again) != 0 ? failed("a second open of the file")
               : locked          ? "a record that is locked"
               : flocked         ? "a file that is locked"
                                 : nullptr;
    }

    mosrig::guest::Helper rival_;
    int fd_ = -1;
};

const KindOf<File> file("file");
const KindOf<Errors> errors("errors");
const KindOf<Locks> locks("locks");

}  // namespace
