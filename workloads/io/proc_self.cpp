// SPDX-License-Identifier: MIT
//
// What /proc/self tells is what home's /proc tells of the process. To read its own memory there has
// a word of its own, since that brings a process home.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::read_text;
using mosrig::guest::reads;

class ProcSelf final : public mosrig::guest::Holder {
  public:
    using Holder::Holder;

    const char* hold() override {
        if (!be_unlike_others()) {
            return failed("umask, limits, signals");
        }
        return learn(known_) && read_command(command_) ? nullptr : failed("/proc/self");
    }

    bool command(const char* word) override {
        if (strcmp(word, "CMDLINE") == 0) {
            char now[sizeof command_] = {};
            mosrig::guest::answer(read_command(now) && strcmp(now, command_) == 0 ? nullptr
                                                                                  : "cmdline");
            return true;
        }
        if (strcmp(word, "MEMORY") == 0) {
            mosrig::guest::answer(read_memory());
            return true;
        }
        return Holder::command(word);
    }

  protected:
    const char* step() override {
        Seen now;
        if (!learn(now)) {
            return failed("/proc/self");
        }
        if (now.pid != getpid()) {
            return differs("pid in /proc/self/stat", now.pid, getpid());
        }
        if (strcmp(now.exe, known_.exe) != 0 || strcmp(now.comm, known_.comm) != 0 ||
            strcmp(now.cwd, known_.cwd) != 0) {
            return "exe, comm or cwd in /proc/self";
        }
        if (now.descriptors != known_.descriptors) {
            return differs("descriptors in /proc/self/fd", now.descriptors, known_.descriptors);
        }
        if (strcmp(now.limits, known_.limits) != 0) {
            return "/proc/self/limits";
        }
        for (size_t at = 0; at < count_fields; ++at) {
            if (strcmp(now.status[at], known_.status[at]) != 0) {
                return reads("/proc/self/status", now.status[at]);
            }
        }
        return mappings();
    }

  private:
    // What anything that stands in for the process would hardly have by itself.
    static bool be_unlike_others() {
        const struct rlimit limit = {4321, 8765};
        sigset_t blocked;
        (void)umask(027);
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGUSR2);
        return setrlimit(RLIMIT_NOFILE, &limit) == 0 &&
               sigprocmask(SIG_BLOCK, &blocked, nullptr) == 0 &&
               signal(SIGURG, SIG_IGN) != SIG_ERR &&
               signal(SIGUSR1, [](int /*signal*/) {}) != SIG_ERR &&
               prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    }

    // Lines of /proc/self/status: to whom the process belongs, what it may do, its signals.
    static constexpr const char* fields[] = {"Name",   "Umask",  "Tgid",       "Pid",     "PPid",
                                             "Uid",    "Gid",    "Groups",     "Threads", "SigBlk",
                                             "SigIgn", "SigCgt", "CapInh",     "CapPrm",  "CapEff",
                                             "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"};
    static constexpr size_t count_fields = sizeof fields / sizeof fields[0];

    struct Seen {
        long pid = 0;
        int descriptors = 0;
        char comm[32] = {};
        char exe[PATH_MAX] = {};
        char cwd[PATH_MAX] = {};
        char limits[2048] = {};
        char status[count_fields][96] = {};
    };

    // Each of the lines, without its end; false if one is missing, or too long.
    static bool learn_status(Seen& seen) {
        static char text[4096];
        text[0] = '\n';
        (void)read_text("/proc/self/status", text + 1, sizeof text - 1);
        for (size_t at = 0; at < count_fields; ++at) {
            char name[32];
            (void)snprintf(name, sizeof name, "\n%s:", fields[at]);
            const char* const line = strstr(text, name);
            const size_t length = line != nullptr ? strcspn(line + 1, "\n") : 0;
            if (length == 0 || length >= sizeof seen.status[at]) {
                errno = ENOMSG;
                return false;
            }
            memcpy(seen.status[at], line + 1, length);
        }
        return true;
    }

    static bool learn(Seen& seen) {
        char stat[512];
        if (read_text("/proc/self/stat", stat, sizeof stat) == 0 ||
            read_text("/proc/self/comm", seen.comm, sizeof seen.comm) == 0 ||
            readlink("/proc/self/exe", seen.exe, sizeof seen.exe - 1) <= 0 ||
            readlink("/proc/self/cwd", seen.cwd, sizeof seen.cwd - 1) <= 0 ||
            read_text("/proc/self/limits", seen.limits, sizeof seen.limits) == 0 ||
            !learn_status(seen)) {
            return false;
        }
        seen.pid = strtol(stat, nullptr, 10);
        // NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
        DIR* folder = opendir("/proc/self/fd");
        while (folder != nullptr && readdir(folder) != nullptr) {
            ++seen.descriptors;
        }
        return folder != nullptr && closedir(folder) == 0;
    }

    static bool read_command(char (&text)[256]) {
        return read_text("/proc/self/cmdline", text, sizeof text) > 0 && text[0] != '\0';
    }

    // Its own, as it has just written it.
    const char* read_memory() {
        char seen[sizeof written_] = {};
        (void)snprintf(written_, sizeof written_, "written in turn %u", ++turn_);
        const int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        const ssize_t count =
            pread(fd, seen, sizeof seen, static_cast<off_t>(reinterpret_cast<uintptr_t>(written_)));
        const int error = errno;
        (void)close(fd);
        errno = error;
        if (count != sizeof seen) {
            return failed("read of /proc/self/mem");
        }
        return strcmp(seen, written_) != 0 ? reads("/proc/self/mem", seen) : nullptr;
    }

    // A mapping is in the list while it is there, and as it then may be used.
    static const char* mappings() {
        constexpr size_t size = 3UL * 4096;
        unsigned char* const made = mosrig::guest::map_private(size);
        if (made == nullptr || mprotect(made, size, PROT_READ) != 0) {
            return failed("a mapping");
        }
        char line[64];
        (void)snprintf(line, sizeof line, "%lx-%lx r--p ", reinterpret_cast<unsigned long>(made),
                       reinterpret_cast<unsigned long>(made + size));
        const bool there = maps_have(line);
        if (munmap(made, size) != 0) {
            return failed("munmap");
        }
        if (!there) {
            return "a mapping is not in /proc/self/maps";
        }
        return maps_have(line) ? "a mapping that is gone is in /proc/self/maps" : nullptr;
    }

    static bool maps_have(const char* line) {
        static char maps[1U << 14U];
        return read_text("/proc/self/maps", maps, sizeof maps) != 0 &&
               strstr(maps, line) != nullptr;
    }

    Seen known_;
    char command_[256] = {};
    char written_[64] = {};
    unsigned turn_ = 0;
};

const mosrig::guest::KindOf<ProcSelf> proc_self("proc-self");

}  // namespace
