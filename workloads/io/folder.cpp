// SPDX-License-Identifier: MIT
//
// Names: a folder of its own, in which files come, are renamed, linked, listed and go.
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
        return held_ ? nullptr : "no folder can be made in /tmp";
    }

  protected:
    const char* step() override {
        const char* wrong = names();
        wrong = wrong != nullptr ? wrong : attributes();
        return wrong != nullptr ? wrong : list();
    }

    const char* check() override {
        char place[PATH_MAX];
        if (getcwd(place, sizeof place) == nullptr) {
            return failed("getcwd");
        }
        return strcmp(place, path_) != 0 ? "the working directory" : nullptr;
    }

  private:
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
    bool held_ = false;
};

const KindOf<Folder> folder("folder");

}  // namespace
