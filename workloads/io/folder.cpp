// SPDX-License-Identifier: MIT
//
// Names: a folder of its own, in which files come, are renamed, linked, listed and go; another one
// in that, where it stands for a while; and what a mask leaves of the mode of a new file.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::reads;

class Folder final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;
    ~Folder() override {
        if (held_) {
            (void)chdir("/");
            (void)rmdir(path_);
        }
    }

    // It stands in the folder, so that every name is relative and the working directory counts.
    const char* hold() override {
        held_ = mkdtemp(path_) != nullptr && chdir(path_) == 0;
        (void)umask(mask_);
        return held_ ? nullptr : "no folder can be made in /tmp";
    }

  protected:
    const char* step() override {
        const char* wrong = names();
        wrong = wrong != nullptr ? wrong : attributes();
        wrong = wrong != nullptr ? wrong : stand_inside();
        wrong = wrong != nullptr ? wrong : masks();
        return wrong != nullptr ? wrong : list();
    }

    const char* check() override { return stands_in(path_); }

  private:
    static constexpr mode_t all = 0666;

    static const char* stands_in(const char* path) {
        char place[PATH_MAX];
        if (getcwd(place, sizeof place) == nullptr) {
            return failed("getcwd");
        }
        return strcmp(place, path) != 0 ? reads("the working directory", place) : nullptr;
    }

    static const char* names() {
        char target[64] = {};
        const int fd = open("one", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
        if (fd < 0 || !mosrig::guest::write_all(fd, "12345", 5) || close(fd) != 0) {
            return failed("a new file");
        }
        if (rename("one", "two") != 0 || link("two", "three") != 0 || symlink("two", "four") != 0) {
            return failed("rename, link, symlink");
        }
        if (readlink("four", target, sizeof target) != 3 || strcmp(target, "two") != 0) {
            return failed("readlink");
        }
        if (access("one", F_OK) == 0 || access("four", R_OK) != 0) {
            return failed("access");
        }
        return mkdir("inner", 0700) != 0 || truncate("three", 3) != 0 ? failed("mkdir, truncate")
                                                                      : nullptr;
    }

    static const char* attributes() {
        struct stat status = {};
        struct statx more = {};
        struct statfs system = {};
        const struct timespec times[2] = {{1000, 0}, {2000, 500}};
        if (chmod("two", 0604) != 0 || chown("two", getuid(), getgid()) != 0 ||
            utimensat(AT_FDCWD, "two", times, 0) != 0) {
            return failed("chmod, chown, utimensat");
        }
        if (stat("two", &status) != 0 || (status.st_mode & 07777) != 0604 || status.st_size != 3 ||
            status.st_nlink != 2 || status.st_mtim.tv_sec != 2000 ||
            status.st_mtim.tv_nsec != 500) {
            return failed("stat");
        }
        if (lstat("four", &status) != 0 || !S_ISLNK(status.st_mode)) {
            return failed("lstat");
        }
        if (statx(AT_FDCWD, "three", 0, STATX_BASIC_STATS, &more) != 0 || more.stx_size != 3) {
            return failed("statx");
        }
        return statfs(".", &system) != 0 || system.f_namelen < 10 ? failed("statfs") : nullptr;
    }

    // A name leads to where it stands by then, and the whole path leads there, too.
    const char* stand_inside() const {
        char inner[sizeof path_ + 8];
        char made[sizeof inner + 8];
        (void)snprintf(inner, sizeof inner, "%s/inner", path_);
        (void)snprintf(made, sizeof made, "%s/made", inner);
        if (chdir("inner") != 0) {
            return failed("chdir");
        }
        const char* wrong = stands_in(inner);
        const int fd = open("made", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (wrong == nullptr && (fd < 0 || close(fd) != 0 || unlink(made) != 0)) {
            wrong = failed("a file where it stands");
        }
        return chdir("..") != 0 && wrong == nullptr ? failed("chdir back") : wrong;
    }

    // The last mask stays until the next turn, which may be elsewhere.
    const char* masks() {
        const mode_t before = umask(0);
        if (before != mask_) {
            return differs("the mask that was left", before, mask_);
        }
        mask_ = mask_ == 077 ? 027 : 077;
        const char* const wrong = made_with(0);
        return wrong != nullptr ? wrong : made_with(mask_);
    }

    // What a mask leaves of the mode of a new file.
    static const char* made_with(mode_t mask) {
        struct stat status = {};
        (void)umask(mask);
        const int fd = open("made", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, all);
        if (fd < 0 || fstat(fd, &status) != 0 || close(fd) != 0 || unlink("made") != 0) {
            return failed("a file by a mask");
        }
        const mode_t mode = status.st_mode & 07777;
        return mode != (all & ~mask) ? differs("mode of a new file", mode, all & ~mask) : nullptr;
    }

    static const char* list() {
        // NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
        DIR* folder = opendir(".");
        int entries = 0;
        while (folder != nullptr && readdir(folder) != nullptr) {
            ++entries;
        }
        if (folder == nullptr || closedir(folder) != 0) {
            return failed("the list of the folder");
        }
        if (entries != 6) {
            return differs("entries of the folder", entries, 6);
        }
        return unlink("two") != 0 || unlink("three") != 0 || unlink("four") != 0 ||
                       rmdir("inner") != 0
                   ? failed("unlink, rmdir")
                   : nullptr;
    }

    char path_[32] = "/tmp/mosrig-folder-XXXXXX";
    mode_t mask_ = 077;
    bool held_ = false;
};

const KindOf<Folder> folder("folder");

}  // namespace
