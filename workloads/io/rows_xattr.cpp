// SPDX-License-Identifier: MIT
//
// Extended attributes of a file, of a link and of an open file: set, read, listed and removed.
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include <cerrno>
#include <initializer_list>

#include "rows.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Path;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class ExtendedAttributes final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    ~ExtendedAttributes() override {
        (void)unlinkat(folder_.fd(), "file", 0);
        (void)unlinkat(folder_.fd(), "link", 0);
    }

    // On a disk; file systems in memory have none.
    const char* lacks() override {
        const int fd = mosrig::guest::scratch_file(O_CLOEXEC);
        const bool kept = fd >= 0 && fsetxattr(fd, "user.try", "x", 1, 0) == 0;
        (void)close(fd);
        return kept ? nullptr : "no file system with extended attributes";
    }

    const char* hold() override {
        if (!folder_.make("/var/tmp")) {
            return failed("a folder in /var/tmp");
        }
        fd_ = openat(folder_.fd(), "file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        return fd_ < 0 || symlinkat("file", folder_.fd(), "link") != 0
                   ? failed("a file and a link to it")
                   : nullptr;
    }

  protected:
    // What is set in the first three lives until the last three.
    const char* act() override {
        static constexpr Row<ExtendedAttributes> rows[] = {
            {"setxattr", &ExtendedAttributes::set},
            {"lsetxattr", &ExtendedAttributes::set_of_link},
            {"fsetxattr", &ExtendedAttributes::set_of_open},
            {"getxattr", &ExtendedAttributes::get},
            {"lgetxattr", &ExtendedAttributes::get_of_link},
            {"fgetxattr", &ExtendedAttributes::get_of_open},
            {"listxattr", &ExtendedAttributes::list},
            {"llistxattr", &ExtendedAttributes::list_of_link},
            {"flistxattr", &ExtendedAttributes::list_of_open},
            {"removexattr", &ExtendedAttributes::remove},
            {"lremovexattr", &ExtendedAttributes::remove_of_link},
            {"fremovexattr", &ExtendedAttributes::remove_of_open},
        };
        mosrig::guest::fill_bytes(value_, sizeof value_, ++turn_);
        return judge(*this, rows);
    }

  private:
    // The names have their ends with them. A link may have but trusted ones.
    static constexpr char of_file[] = "user.mosrig.file";
    static constexpr char of_link[] = "trusted.mosrig.link";
    static constexpr char of_open[] = "user.mosrig.open";
    static constexpr size_t short_size = 33;
    static constexpr size_t long_size = 1501;

    [[nodiscard]] Path file() const { return {folder_, "file"}; }
    [[nodiscard]] Path link() const { return {folder_, "link"}; }

    void set(Verdict& verdict) {
        const Input name(of_file);
        const Input value(value_, short_size);
        verdict.gives(call(SYS_setxattr, link().text(), name.at(), value.at(), short_size, 0), 0);
        verdict.fails(call(SYS_setxattr, file().text(), name.at(), value.at(), 1, XATTR_CREATE),
                      EEXIST);
        verdict.fails(call(SYS_setxattr, file().text(), "user.no", value.at(), 1, XATTR_REPLACE),
                      ENODATA);
        verdict.fails(call(SYS_setxattr, file().text(), "", value.at(), 1, 0), ERANGE);
        verdict.fails(call(SYS_setxattr, "/no/such", name.at(), value.at(), 1, 0), ENOENT);
    }
    void set_of_link(Verdict& verdict) {
        const Input name(of_link);
        const Input value(value_, short_size);
        verdict.gives(call(SYS_lsetxattr, link().text(), name.at(), value.at(), short_size, 0), 0);
        verdict.fails(call(SYS_lsetxattr, link().text(), of_file, value.at(), 1, 0), EPERM);
    }
    void set_of_open(Verdict& verdict) {
        const Input name(of_open);
        const Input value(value_, long_size);
        verdict.gives(call(SYS_fsetxattr, fd_, name.at(), value.at(), long_size, 0), 0);
        // More than any may have, and than a message may hold.
        verdict.fails(call(SYS_fsetxattr, fd_, name.at(), value_, XATTR_SIZE_MAX + 1, 0), E2BIG);
        verdict.fails(call(SYS_fsetxattr, 987, name.at(), value.at(), 1, 0), EBADF);
    }

    // One of each length, in room for more, in just enough, in too little and in none.
    template <class File, size_t count>
    void judge_value(Verdict& verdict, long number, File of, const char (&name)[count],
                     size_t length, int line = __builtin_LINE()) const {
        const Input key(name);
        const auto whole = static_cast<long>(length);
        const Output more(length + 31);
        const Output enough(length);
        const Output little(length - 2);
        verdict.gives(call(number, of, key.at(), more.at(), length + 31), whole, line);
        verdict.sees(more.holds(value_, length), line);
        verdict.wrote(more, length, line);
        verdict.gives(call(number, of, key.at(), enough.at(), length), whole, line);
        verdict.sees(enough.holds(value_, length), line);
        verdict.wrote(enough, length, line);
        verdict.fails(call(number, of, key.at(), little.at(), length - 2), ERANGE, line);
        verdict.gives(call(number, of, key.at(), little.at(), 0), whole, line);
        verdict.fails(call(number, of, "user.no", little.at(), length - 2), ENODATA, line);
        verdict.wrote(little, 0, line);
    }
    void get(Verdict& verdict) {
        judge_value(verdict, SYS_getxattr, link().text(), of_file, short_size);
    }
    void get_of_link(Verdict& verdict) {
        judge_value(verdict, SYS_lgetxattr, link().text(), of_link, short_size);
    }
    void get_of_open(Verdict& verdict) {
        judge_value(verdict, SYS_fgetxattr, fd_, of_open, long_size);
    }

    // Names that fill a list, in whatever order.
    template <class File>
    void judge_list(Verdict& verdict, long number, File of,
                    std::initializer_list<const char*> names, int line = __builtin_LINE()) const {
        size_t length = 0;
        for (const char* name : names) {
            length += strlen(name) + 1;
        }
        const auto whole = static_cast<long>(length);
        const Output more(length + 15);
        const Output little(length - 2);
        verdict.gives(call(number, of, more.at(), length + 15), whole, line);
        for (const char* name : names) {
            verdict.sees(memmem(more.at(), length, name, strlen(name) + 1) != nullptr, line);
        }
        verdict.wrote(more, length, line);
        verdict.fails(call(number, of, little.at(), length - 2), ERANGE, line);
        verdict.gives(call(number, of, little.at(), 0), whole, line);
        verdict.wrote(little, 0, line);
    }
    void list(Verdict& verdict) {
        judge_list(verdict, SYS_listxattr, link().text(), {of_file, of_open});
    }
    void list_of_link(Verdict& verdict) {
        judge_list(verdict, SYS_llistxattr, link().text(), {of_link});
    }
    void list_of_open(Verdict& verdict) {
        judge_list(verdict, SYS_flistxattr, fd_, {of_file, of_open});
    }

    void remove(Verdict& verdict) {
        const Input name(of_file);
        verdict.gives(call(SYS_removexattr, link().text(), name.at()), 0);
        verdict.fails(call(SYS_removexattr, link().text(), name.at()), ENODATA);
    }
    void remove_of_link(Verdict& verdict) {
        const Input name(of_link);
        verdict.gives(call(SYS_lremovexattr, link().text(), name.at()), 0);
        verdict.fails(call(SYS_lremovexattr, link().text(), name.at()), ENODATA);
    }
    void remove_of_open(Verdict& verdict) {
        const Input name(of_open);
        verdict.gives(call(SYS_fremovexattr, fd_, name.at()), 0);
        verdict.fails(call(SYS_fremovexattr, fd_, name.at()), ENODATA);
        const Output none(11);
        verdict.gives(call(SYS_flistxattr, fd_, none.at(), 11), 0);
        verdict.wrote(none, 0);
    }

    mosrig::guest::OwnFolder folder_;
    int fd_ = -1;
    unsigned turn_ = 0;
    unsigned char value_[XATTR_SIZE_MAX + 1] = {};
};

const mosrig::guest::KindOf<ExtendedAttributes> extended_attributes("rows-xattr");

}  // namespace
