// SPDX-License-Identifier: MIT
//
// Every call that changes or tells what a file is: its mode, its owner, its times, and the file
// system that it lies on.
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <utime.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "rows.h"
#include "workloads/lib/kinds.h"

// Newer than the headers of some systems.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Path;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Attributes final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    ~Attributes() override {
        (void)unlinkat(folder_.fd(), "file", 0);
        (void)unlinkat(folder_.fd(), "link", 0);
    }

    const char* hold() override {
        if (!folder_.make("/tmp")) {
            return failed("a folder in /tmp");
        }
        fd_ = openat(folder(), "file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        return fd_ < 0 || ftruncate(fd_, size) != 0 || symlinkat("file", folder(), "link") != 0
                   ? failed("a file and a link to it")
                   : nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<Attributes> rows[] = {
            {"fchmod", &Attributes::mode_of_open},
            {"fchmodat", &Attributes::mode_at},
            {"fchmodat2", &Attributes::mode_as_told},
            {"chown", &Attributes::owner},
            {"fchown", &Attributes::owner_of_open},
            {"lchown", &Attributes::owner_of_link},
            {"fchownat", &Attributes::owner_at},
            {"utime", &Attributes::times_in_seconds},
            {"utimes", &Attributes::times_in_microseconds},
            {"futimesat", &Attributes::times_at},
            {"utimensat", &Attributes::times_in_nanoseconds},
            {"fstat", &Attributes::look_at_open},
            {"statx", &Attributes::look_at_more},
            {"statfs", &Attributes::system},
            {"fstatfs", &Attributes::system_of_open},
            {"ustat", &Attributes::system_of_device},
        };
        return judge(*this, rows);
    }

  private:
    static constexpr off_t size = 12345;

    [[nodiscard]] int folder() const { return folder_.fd(); }
    // As the call sees it that has a case of its own.
    [[nodiscard]] struct stat status_of(const char* name) const {
        struct stat status = {};
        (void)fstatat(folder(), name, &status, AT_SYMLINK_NOFOLLOW);
        return status;
    }
    void judge_mode(Verdict& verdict, mode_t mode, int line = __builtin_LINE()) const {
        verdict.is(status_of("file").st_mode & 07777U, mode, line);
    }
    void judge_owner(Verdict& verdict, const char* name, uid_t user, gid_t group,
                     int line = __builtin_LINE()) const {
        const struct stat status = status_of(name);
        verdict.is(status.st_uid, user, line);
        verdict.is(status.st_gid, group, line);
    }
    void judge_times(Verdict& verdict, const struct timespec& read, const struct timespec& written,
                     int line = __builtin_LINE()) const {
        const struct stat status = status_of("file");
        verdict.is(status.st_atim.tv_sec, read.tv_sec, line);
        verdict.is(status.st_atim.tv_nsec, read.tv_nsec, line);
        verdict.is(status.st_mtim.tv_sec, written.tv_sec, line);
        verdict.is(status.st_mtim.tv_nsec, written.tv_nsec, line);
    }

    void mode_of_open(Verdict& verdict) {
        verdict.gives(call(SYS_fchmod, fd_, 0640), 0);
        judge_mode(verdict, 0640);
        verdict.fails(call(SYS_fchmod, 987, 0600), EBADF);
    }
    void mode_at(Verdict& verdict) {
        const Input name("file", 5);
        verdict.gives(call(SYS_fchmodat, folder(), name.at(), 04711), 0);
        judge_mode(verdict, 04711);
        verdict.fails(call(SYS_fchmodat, folder(), "no", 0600), ENOENT);
    }
    void mode_as_told(Verdict& verdict) {
        const Input name("file", 5);
        verdict.gives(call(SYS_fchmodat2, folder(), name.at(), 0604, AT_SYMLINK_NOFOLLOW), 0);
        judge_mode(verdict, 0604);
        verdict.fails(call(SYS_fchmodat2, folder(), name.at(), 0604, 1), EINVAL);
    }

    void owner(Verdict& verdict) {
        // Through the link.
        verdict.gives(call(SYS_chown, Path(folder_, "link").text(), 11, 12), 0);
        judge_owner(verdict, "file", 11, 12);
        judge_owner(verdict, "link", getuid(), getgid());
    }
    void owner_of_open(Verdict& verdict) {
        verdict.gives(call(SYS_fchown, fd_, 13, -1), 0);
        judge_owner(verdict, "file", 13, 12);
        verdict.fails(call(SYS_fchown, 987, 13, 14), EBADF);
    }
    void owner_of_link(Verdict& verdict) {
        verdict.gives(call(SYS_lchown, Path(folder_, "link").text(), 15, 16), 0);
        judge_owner(verdict, "link", 15, 16);
        judge_owner(verdict, "file", 13, 12);
    }
    void owner_at(Verdict& verdict) {
        const Input name("link", 5);
        verdict.gives(
            call(SYS_fchownat, folder(), name.at(), getuid(), getgid(), AT_SYMLINK_NOFOLLOW), 0);
        verdict.gives(call(SYS_fchownat, folder(), name.at(), getuid(), getgid(), 0), 0);
        judge_owner(verdict, "link", getuid(), getgid());
        judge_owner(verdict, "file", getuid(), getgid());
        verdict.fails(call(SYS_fchownat, folder(), "no", 1, 1, 0), ENOENT);
    }

    void times_in_seconds(Verdict& verdict) {
        const struct utimbuf wanted = {1001, 2002};
        const Input times(wanted);
        verdict.gives(call(SYS_utime, Path(folder_, "file").text(), times.at()), 0);
        judge_times(verdict, {1001, 0}, {2002, 0});
        // Without times it is now.
        verdict.gives(call(SYS_utime, Path(folder_, "file").text(), nullptr), 0);
        verdict.sees(status_of("file").st_mtim.tv_sec > 1000000);
        verdict.fails(call(SYS_utime, Path(folder_, "no").text(), times.at()), ENOENT);
    }
    void times_in_microseconds(Verdict& verdict) {
        const struct timeval wanted[2] = {{3003, 4}, {5005, 999999}};
        const Input times(wanted);
        verdict.gives(call(SYS_utimes, Path(folder_, "file").text(), times.at()), 0);
        judge_times(verdict, {3003, 4000}, {5005, 999999000});
        const struct timeval none[2] = {{1, 0}, {1, 1000000}};
        verdict.fails(call(SYS_utimes, Path(folder_, "file").text(), Input(none).at()), EINVAL);
    }
    void times_at(Verdict& verdict) {
        const struct timeval wanted[2] = {{6006, 7}, {8008, 9}};
        const Input times(wanted);
        const Input name("file", 5);
        verdict.gives(call(SYS_futimesat, folder(), name.at(), times.at()), 0);
        judge_times(verdict, {6006, 7000}, {8008, 9000});
        // Without a name it is the descriptor's own file.
        verdict.gives(call(SYS_futimesat, fd_, nullptr, Input(times_of_open).at()), 0);
        judge_times(verdict, {10, 11000}, {12, 13000});
        verdict.fails(call(SYS_futimesat, folder(), "no", times.at()), ENOENT);
    }
    void times_in_nanoseconds(Verdict& verdict) {
        const struct timespec wanted[2] = {{14, 15}, {16, 999999999}};
        const struct timespec half[2] = {{0, UTIME_OMIT}, {17, 18}};
        const Input name("file", 5);
        verdict.gives(call(SYS_utimensat, folder(), name.at(), Input(wanted).at(), 0), 0);
        judge_times(verdict, {14, 15}, {16, 999999999});
        verdict.gives(call(SYS_utimensat, fd_, nullptr, Input(half).at(), 0), 0);
        judge_times(verdict, {14, 15}, {17, 18});
        verdict.fails(call(SYS_utimensat, folder(), "no", Input(wanted).at(), 0), ENOENT);
    }

    void look_at_open(Verdict& verdict) {
        const Output output(sizeof(struct stat));
        verdict.gives(call(SYS_fstat, fd_, output.at()), 0);
        const auto status = output.get<struct stat>();
        verdict.is(status.st_size, size);
        verdict.is(static_cast<long long>(status.st_ino),
                   static_cast<long long>(status_of("file").st_ino));
        verdict.is(status.st_mtim.tv_nsec, 18);
        verdict.is(output.get<int64_t>(sizeof status - sizeof(int64_t)), 0);
        verdict.wrote(output, sizeof status);
        const Output none(sizeof status);
        verdict.fails(call(SYS_fstat, 987, none.at()), EBADF);
        verdict.wrote(none, 0);
    }
    void look_at_more(Verdict& verdict) {
        const Output output(sizeof(struct statx));
        const Input name("file", 5);
        verdict.gives(call(SYS_statx, folder(), name.at(), 0, STATX_ALL, output.at()), 0);
        const auto status = output.get<struct statx>();
        const struct stat plain = status_of("file");
        verdict.is(status.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
        verdict.is(static_cast<long long>(status.stx_size), size);
        verdict.is(status.stx_mtime.tv_nsec, 18);
        // These lie in the second half.
        verdict.is(status.stx_dev_major, major(plain.st_dev));
        verdict.is(status.stx_dev_minor, minor(plain.st_dev));
        verdict.is(output.get<int64_t>(sizeof status - sizeof(int64_t)), 0);
        verdict.wrote(output, sizeof status);
        const Output none(sizeof status);
        verdict.fails(call(SYS_statx, folder(), "no", 0, STATX_ALL, none.at()), ENOENT);
        verdict.fails(call(SYS_statx, folder(), name.at(), 1, STATX_ALL, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }

    void judge_system(Verdict& verdict, const Output& output, int line = __builtin_LINE()) const {
        const auto system = output.get<struct statfs>();
        verdict.sees(system.f_blocks > 0 && system.f_bavail <= system.f_blocks, line);
        verdict.is(system.f_namelen, 255, line);
        verdict.is(system.f_spare[3], 0, line);
        verdict.wrote(output, sizeof system, line);
    }
    void system(Verdict& verdict) {
        const Output output(sizeof(struct statfs));
        const Output none(sizeof(struct statfs));
        verdict.gives(call(SYS_statfs, folder_.path(), output.at()), 0);
        judge_system(verdict, output);
        verdict.fails(call(SYS_statfs, Path(folder_, "no").text(), none.at()), ENOENT);
        verdict.wrote(none, 0);
    }
    void system_of_open(Verdict& verdict) {
        const Output output(sizeof(struct statfs));
        const Output none(sizeof(struct statfs));
        verdict.gives(call(SYS_fstatfs, fd_, output.at()), 0);
        judge_system(verdict, output);
        verdict.fails(call(SYS_fstatfs, 987, none.at()), EBADF);
        verdict.wrote(none, 0);
    }
    // How much is free may change at any time; between two looks that see the same it has not.
    void system_of_device(Verdict& verdict) {
        struct Ustat {
            int32_t free;
            uint64_t inodes;
            char names[12];
        };
        struct statfs before = {};
        struct statfs after = {};
        Ustat seen = {};
        do {
            const Output output(sizeof(Ustat));
            verdict.gives(fstatfs(fd_, &before), 0);
            verdict.gives(call(SYS_ustat, status_of("file").st_dev, output.at()), 0);
            verdict.gives(fstatfs(fd_, &after), 0);
            verdict.wrote(output, sizeof(Ustat));
            verdict.is(output.get<int>(sizeof(Ustat) - sizeof(int)), 0);
            seen = output.get<Ustat>();
        } while (verdict.wrong() == nullptr &&
                 (before.f_bfree != after.f_bfree || before.f_ffree != after.f_ffree));
        verdict.is(seen.free, static_cast<int32_t>(before.f_bfree));
        verdict.is(static_cast<long long>(seen.inodes), static_cast<long long>(before.f_ffree));
        verdict.is(seen.names[0] + seen.names[11], 0);
        const Output none(sizeof(Ustat));
        verdict.fails(call(SYS_ustat, 0x7fffffff, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }

    static constexpr struct timeval times_of_open[2] = {{10, 11}, {12, 13}};

    mosrig::guest::OwnFolder folder_;
    int fd_ = -1;
};

const mosrig::guest::KindOf<Attributes> attributes("rows-attributes");

}  // namespace
