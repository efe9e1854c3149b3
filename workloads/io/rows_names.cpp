// SPDX-License-Identifier: MIT
//
// Every call that makes, changes, looks up or lists names, most of them in a folder that is given
// by a descriptor.
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "rows.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Path;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

// A name as an argument: its end is the end of what can be read.
template <size_t size>
Input named(const char (&name)[size]) {
    return Input(name, size);
}

class Names final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    const char* hold() override {
        root_ = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        here_ = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return root_ < 0 || here_ < 0 || !folder_.make("/tmp") ? failed("a folder in /tmp")
                                                               : nullptr;
    }

  protected:
    // From the first name to the last one's end.
    const char* act() override {
        static constexpr Row<Names> rows[] = {
            {"creat", &Names::create},
            {"openat", &Names::open_at},
            {"openat2", &Names::open_at_as_told},
            {"name_to_handle_at", &Names::get_handle},
            {"open_by_handle_at", &Names::open_handle},
            {"mkdirat", &Names::make_folder},
            {"mknod", &Names::make_pipe},
            {"mknodat", &Names::make_node},
            {"symlinkat", &Names::make_symlink},
            {"readlink", &Names::read_link},
            {"readlinkat", &Names::read_link_at},
            {"linkat", &Names::make_link},
            {"renameat", &Names::rename_at},
            {"renameat2", &Names::rename_as_told},
            {"faccessat", &Names::access_at},
            {"faccessat2", &Names::access_as_told},
            {"stat", &Names::look_at},
            {"lstat", &Names::look_at_link},
            {"newfstatat", &Names::look_from},
            {"fchdir", &Names::stand_in},
            {"getcwd", &Names::place},
            {"chdir", &Names::go},
            {"chroot", &Names::enclose},
            {"getdents", &Names::list},
            {"getdents64", &Names::list_64},
            {"unlinkat", &Names::remove},
        };
        return judge(*this, rows);
    }

  private:
    static constexpr unsigned most_of_handle = 128;
    static constexpr size_t target_length = 13;
    static constexpr const char* target = "nowhere/at/al";

    [[nodiscard]] int folder() const { return folder_.fd(); }
    [[nodiscard]] bool is_there(const char* name) const {
        struct stat status = {};
        return fstatat(folder(), name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    }

    void create(Verdict& verdict) {
        const long fd = call(SYS_creat, Path(folder_, "file").text(), 0640);
        verdict.sees(fd >= 0);
        verdict.gives(call(SYS_write, fd, "1234567", 7), 7);
        verdict.gives(call(SYS_close, fd), 0);
        verdict.fails(call(SYS_creat, folder_.path(), 0640), EISDIR);
    }

    void open_at(Verdict& verdict) {
        const Input name = named("file");
        const long fd = call(SYS_openat, folder(), name.at(), O_RDONLY | O_CLOEXEC);
        const Output content(9);
        verdict.gives(call(SYS_read, fd, content.at(), 9), 7);
        verdict.sees(content.holds("1234567", 7));
        verdict.wrote(content, 7);
        verdict.gives(call(SYS_close, fd), 0);
        verdict.fails(call(SYS_openat, folder(), name.at(), O_CREAT | O_EXCL, 0600), EEXIST);
        verdict.fails(call(SYS_openat, folder(), "no", O_RDONLY), ENOENT);
    }

    void open_at_as_told(Verdict& verdict) {
        struct {
            struct open_how how;
            unsigned char more[9];
        } request = {{O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH}, {}};
        const Input zeros(&request, sizeof request.how + sizeof request.more);
        request.more[sizeof request.more - 1] = 1;
        const Input more(&request, sizeof request.how + sizeof request.more);
        constexpr size_t size = sizeof request.how + sizeof request.more;
        const long fd = call(SYS_openat2, folder(), named("file").at(), zeros.at(), size);
        verdict.sees(fd >= 0);
        verdict.gives(call(SYS_close, fd), 0);
        verdict.fails(call(SYS_openat2, folder(), "..", zeros.at(), size), EXDEV);
        // Its last byte says something that no kernel knows.
        verdict.fails(call(SYS_openat2, folder(), "file", more.at(), size), E2BIG);
        verdict.fails(call(SYS_openat2, folder(), "file", zeros.at(), 7), EINVAL);
    }

    // The mount that a file is on, by another call.
    [[nodiscard]] unsigned long long mount_of(const char* name, unsigned mask) const {
        struct statx status = {};
        return statx(folder(), name, 0, mask, &status) == 0 ? status.stx_mnt_id : 0;
    }

    // Its length stands in it: as it is to be, if there is too little room.
    void get_handle(Verdict& verdict) {
        constexpr int unique = 1;               // AT_HANDLE_MNT_ID_UNIQUE
        constexpr unsigned of_unique = 0x4000;  // STATX_MNT_ID_UNIQUE
        constexpr size_t head = sizeof(struct file_handle);
        const Output mount(sizeof(int));
        const Output long_mount(sizeof(uint64_t));
        Output no_room(head);
        no_room.put(file_handle{});
        const Input name = named("file");
        verdict.fails(call(SYS_name_to_handle_at, folder(), name.at(), no_room.at(), mount.at(), 0),
                      EOVERFLOW);
        const auto length = no_room.get<unsigned>();
        verdict.sees(length > 0 && length <= most_of_handle);
        verdict.wrote(no_room, head);

        Output handle(head + length);
        handle.put(length);
        verdict.gives(call(SYS_name_to_handle_at, folder(), name.at(), handle.at(), mount.at(), 0),
                      0);
        verdict.wrote(handle, head + length);
        verdict.sees(mount.get<unsigned>() == mount_of("file", STATX_MNT_ID));
        verdict.wrote(mount, sizeof(int));
        verdict.gives(
            call(SYS_name_to_handle_at, folder(), name.at(), handle.at(), long_mount.at(), unique),
            0);
        verdict.sees(long_mount.get<uint64_t>() == mount_of("file", of_unique));
        memcpy(handle_, handle.at(), head + length);
    }

    void open_handle(Verdict& verdict) {
        unsigned length = 0;
        memcpy(&length, handle_, sizeof length);
        const Input handle(handle_, sizeof(struct file_handle) + length);
        const long fd = call(SYS_open_by_handle_at, folder(), handle.at(), O_RDONLY);
        const Output content(9);
        verdict.gives(call(SYS_read, fd, content.at(), 9), 7);
        verdict.sees(content.holds("1234567", 7));
        verdict.gives(call(SYS_close, fd), 0);
        const Input too_long(file_handle{most_of_handle + 1, 0, {}});
        verdict.fails(call(SYS_open_by_handle_at, folder(), too_long.at(), O_RDONLY), EINVAL);
    }

    void make_folder(Verdict& verdict) {
        verdict.gives(call(SYS_mkdirat, folder(), named("inner").at(), 0750), 0);
        verdict.fails(call(SYS_mkdirat, folder(), "inner", 0750), EEXIST);
        verdict.fails(call(SYS_mkdirat, folder(), "no/inner", 0750), ENOENT);
        verdict.sees(is_there("inner"));
    }

    void make_pipe(Verdict& verdict) {
        const Path path(folder_, "pipe");
        verdict.gives(call(SYS_mknod, path.text(), S_IFIFO | 0600, 0), 0);
        verdict.fails(call(SYS_mknod, path.text(), S_IFIFO | 0600, 0), EEXIST);
        verdict.gives(call(SYS_unlink, path.text()), 0);
    }
    void make_node(Verdict& verdict) {
        struct stat status = {};
        verdict.gives(call(SYS_mknodat, folder(), named("fifo").at(), S_IFIFO | 0600, 0), 0);
        verdict.fails(call(SYS_mknodat, folder(), "fifo", S_IFIFO | 0600, 0), EEXIST);
        verdict.gives(fstatat(folder(), "fifo", &status, 0), 0);
        verdict.sees(S_ISFIFO(status.st_mode));
    }

    void make_symlink(Verdict& verdict) {
        const Input text(target, target_length + 1);
        verdict.gives(call(SYS_symlinkat, text.at(), folder(), named("symlink").at()), 0);
        verdict.fails(call(SYS_symlinkat, text.at(), folder(), "symlink"), EEXIST);
    }

    void read_link(Verdict& verdict) {
        const Output text(33);
        const Path path(folder_, "symlink");
        verdict.gives(call(SYS_readlink, path.text(), text.at(), 33), target_length);
        verdict.sees(text.holds(target, target_length));
        verdict.wrote(text, target_length);
    }

    void read_link_at(Verdict& verdict) {
        const Output all(33);
        const Output part(7);
        const Input name = named("symlink");
        verdict.gives(call(SYS_readlinkat, folder(), name.at(), all.at(), 33), target_length);
        verdict.sees(all.holds(target, target_length));
        verdict.wrote(all, target_length);
        verdict.gives(call(SYS_readlinkat, folder(), name.at(), part.at(), 7), 7);
        verdict.sees(part.holds(target, 7));
        verdict.wrote(part, 7);
        const Output none(11);
        verdict.fails(call(SYS_readlinkat, folder(), "file", none.at(), 11), EINVAL);
        verdict.fails(call(SYS_readlinkat, folder(), "no", none.at(), 11), ENOENT);
        verdict.wrote(none, 0);
    }

    void make_link(Verdict& verdict) {
        const Input from = named("file");
        const Input to = named("second");
        verdict.gives(call(SYS_linkat, folder(), from.at(), folder(), to.at(), 0), 0);
        verdict.fails(call(SYS_linkat, folder(), from.at(), folder(), to.at(), 0), EEXIST);
        verdict.fails(call(SYS_linkat, folder(), "symlink", folder(), "x", AT_SYMLINK_FOLLOW),
                      ENOENT);
        verdict.sees(is_there("second"));
    }

    void rename_at(Verdict& verdict) {
        const Input to = named("inner/third");
        verdict.gives(call(SYS_renameat, folder(), "second", folder(), to.at()), 0);
        verdict.fails(call(SYS_renameat, folder(), "second", folder(), to.at()), ENOENT);
        verdict.sees(!is_there("second") && is_there("inner/third"));
    }

    void rename_as_told(Verdict& verdict) {
        const Input from = named("inner/third");
        verdict.fails(call(SYS_renameat2, folder(), from.at(), folder(), "fifo", RENAME_NOREPLACE),
                      EEXIST);
        verdict.gives(call(SYS_renameat2, folder(), from.at(), folder(), "fifo", RENAME_EXCHANGE),
                      0);
        struct stat status = {};
        verdict.gives(fstatat(folder(), "fifo", &status, 0), 0);
        verdict.is(status.st_size, 7);
        verdict.sees(S_ISREG(status.st_mode) && status.st_nlink == 2);
    }

    void access_at(Verdict& verdict) {
        verdict.gives(call(SYS_faccessat, folder(), named("file").at(), R_OK), 0);
        verdict.fails(call(SYS_faccessat, folder(), named("symlink").at(), F_OK), ENOENT);
    }

    void access_as_told(Verdict& verdict) {
        const Input name = named("symlink");
        verdict.gives(call(SYS_faccessat2, folder(), name.at(), F_OK, AT_SYMLINK_NOFOLLOW), 0);
        verdict.fails(call(SYS_faccessat2, folder(), name.at(), F_OK, AT_EACCESS), ENOENT);
        verdict.fails(call(SYS_faccessat2, folder(), name.at(), F_OK, 1), EINVAL);
    }

    // All three give the same structure, of a file or of a link.
    void judge_status(Verdict& verdict, const Output& output, bool of_link) const {
        const auto status = output.get<struct stat>();
        verdict.is(status.st_size, of_link ? static_cast<off_t>(target_length) : 7);
        verdict.sees(of_link ? S_ISLNK(status.st_mode) : S_ISREG(status.st_mode));
        verdict.is(status.st_uid, getuid());
        verdict.sees(status.st_ctim.tv_sec > 0 && status.st_blksize > 0);
        // What nobody fills in is nothing.
        verdict.is(output.get<int64_t>(sizeof status - sizeof(int64_t)), 0);
        verdict.wrote(output, sizeof status);
    }
    void look_at(Verdict& verdict) {
        const Output status(sizeof(struct stat));
        const Output none(sizeof(struct stat));
        verdict.gives(call(SYS_stat, Path(folder_, "file").text(), status.at()), 0);
        judge_status(verdict, status, false);
        verdict.fails(call(SYS_stat, Path(folder_, "symlink").text(), none.at()), ENOENT);
        verdict.wrote(none, 0);
    }
    void look_at_link(Verdict& verdict) {
        const Output status(sizeof(struct stat));
        verdict.gives(call(SYS_lstat, Path(folder_, "symlink").text(), status.at()), 0);
        judge_status(verdict, status, true);
    }
    void look_from(Verdict& verdict) {
        const Output file(sizeof(struct stat));
        const Output link(sizeof(struct stat));
        verdict.gives(call(SYS_newfstatat, folder(), named("file").at(), file.at(), 0), 0);
        judge_status(verdict, file, false);
        verdict.gives(
            call(SYS_newfstatat, folder(), named("symlink").at(), link.at(), AT_SYMLINK_NOFOLLOW),
            0);
        judge_status(verdict, link, true);
        const Output none(sizeof(struct stat));
        verdict.fails(call(SYS_newfstatat, folder(), "file/x", none.at(), 0), ENOTDIR);
        verdict.wrote(none, 0);
    }

    void stand_in(Verdict& verdict) {
        verdict.gives(call(SYS_fchdir, folder()), 0);
        verdict.gives(call(SYS_access, "inner", F_OK), 0);
        verdict.fails(call(SYS_fchdir, 987), EBADF);
    }

    // It stands in the folder now.
    void place(Verdict& verdict) {
        const size_t length = strlen(folder_.path()) + 1;
        const Output path(length + 12);
        verdict.gives(call(SYS_getcwd, path.at(), length + 12), static_cast<long>(length));
        verdict.sees(path.holds(folder_.path(), length));
        verdict.wrote(path, length);
        const Output none(length - 1);
        verdict.fails(call(SYS_getcwd, none.at(), length - 1), ERANGE);
        verdict.wrote(none, 0);
    }

    // Into the folder's "inner", and back.
    void go(Verdict& verdict) {
        verdict.gives(call(SYS_chdir, named("inner").at()), 0);
        verdict.gives(call(SYS_access, "third", F_OK), 0);
        verdict.fails(call(SYS_chdir, "third"), ENOTDIR);
        verdict.fails(call(SYS_chdir, "inner"), ENOENT);
        verdict.gives(call(SYS_chdir, ".."), 0);
        verdict.gives(call(SYS_access, "inner/third", F_OK), 0);
    }

    // Once in the folder's "inner", and out again.
    void enclose(Verdict& verdict) {
        verdict.fails(call(SYS_chroot, "no"), ENOENT);
        verdict.gives(call(SYS_chroot, named("inner").at()), 0);
        verdict.gives(call(SYS_access, "/third", F_OK), 0);
        verdict.fails(call(SYS_access, "/inner", F_OK), ENOENT);
        verdict.gives(call(SYS_fchdir, root_), 0);
        verdict.gives(call(SYS_chroot, "."), 0);
        verdict.gives(call(SYS_access, folder_.path(), F_OK), 0);
    }

    // An entry of either kind has its length two bytes before byte 18, and where the name stands
    // and where the type depends on which it is: `type` counts from the end of the entry if it is
    // negative.
    void judge_list(Verdict& verdict, long number, size_t name, int type) const {
        // Room for one entry or two at a time, and never for a half of one.
        constexpr size_t room = 77;
        constexpr struct {
            const char* name;
            unsigned char type;
        } known[] = {{".", DT_DIR},    {"..", DT_DIR},    {"file", DT_REG},
                     {"fifo", DT_REG}, {"inner", DT_DIR}, {"symlink", DT_LNK}};
        int seen = 0;
        verdict.gives(call(SYS_lseek, folder(), 0, SEEK_SET), 0);
        const Output small(23);
        verdict.fails(call(number, folder(), small.at(), 23), EINVAL);
        verdict.wrote(small, 0);
        for (long got = 1; got > 0;) {
            const Output entries(room);
            got = call(number, folder(), entries.at(), room);
            verdict.sees(got >= 0 && got <= static_cast<long>(room));
            verdict.wrote(entries, static_cast<size_t>(got > 0 ? got : 0));
            for (long at = 0; at < got;) {
                const auto place = static_cast<size_t>(at);
                const auto length = entries.get<uint16_t>(place + 16);
                const unsigned char* const entry = entries.at() + place;
                for (const auto& one : known) {
                    seen += memcmp(entry + name, one.name, strlen(one.name) + 1) == 0 &&
                                    entry[type < 0 ? length + type : type] == one.type
                                ? 1
                                : 0;
                }
                verdict.sees(entries.get<uint64_t>(place) != 0 && length > name);
                at = length > name ? at + length : got;
            }
        }
        verdict.is(seen, std::size(known));
        const Output none(room);
        verdict.gives(call(number, folder(), none.at(), room), 0);
        verdict.wrote(none, 0);
    }
    void list(Verdict& verdict) { judge_list(verdict, SYS_getdents, 18, -1); }
    void list_64(Verdict& verdict) { judge_list(verdict, SYS_getdents64, 19, 18); }

    void remove(Verdict& verdict) {
        verdict.fails(call(SYS_unlinkat, folder(), "inner", 0), EISDIR);
        verdict.fails(call(SYS_unlinkat, folder(), "inner", AT_REMOVEDIR), ENOTEMPTY);
        verdict.fails(call(SYS_unlinkat, folder(), "file", AT_REMOVEDIR), ENOTDIR);
        for (const char* name : {"file", "fifo", "symlink", "inner/third"}) {
            verdict.gives(call(SYS_unlinkat, folder(), name, 0), 0);
        }
        verdict.gives(call(SYS_unlinkat, folder(), named("inner").at(), AT_REMOVEDIR), 0);
        verdict.fails(call(SYS_unlinkat, folder(), "inner", AT_REMOVEDIR), ENOENT);
        verdict.gives(call(SYS_fchdir, here_), 0);
    }

    mosrig::guest::OwnFolder folder_;
    unsigned char handle_[sizeof(struct file_handle) + most_of_handle] = {};
    int root_ = -1;
    int here_ = -1;
};

const mosrig::guest::KindOf<Names> names("rows-names");

}  // namespace
