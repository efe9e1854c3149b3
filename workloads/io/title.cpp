// SPDX-License-Identifier: MIT
//
// A program that writes over its arguments and its environment, as daemons do for ps: it and others
// read in /proc what it wrote last, also while it computes and makes no call.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "workloads/lib/await.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::failed;
using mosrig::guest::fill_bytes;

// As much of either as is looked at.
constexpr size_t most = 8192;

// A part of the title, and the file that shows it.
struct Part {
    const char* name;
    unsigned char* begin;
    size_t length;
};

class Title final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        struct sigaction action = {};
        action.sa_handler = [](int /*signal*/) { told_ = 1; };
        if (sigaction(SIGUSR1, &action, nullptr) != 0 || !find()) {
            return failed("setting up");
        }
        return helper_.start(look, look, this);
    }

  protected:
    // What is in its environment is asked for later.
    const char* act() override {
        static unsigned char kept[2 * most];
        memcpy(kept, arguments_.begin, arguments_.length);
        memcpy(kept + most, environment_.begin, environment_.length);
        const char* const wrong = write_and_compare();
        memcpy(arguments_.begin, kept, arguments_.length);
        memcpy(environment_.begin, kept + most, environment_.length);
        return wrong;
    }

  private:
    const char* write_and_compare() {
        write_title(++turn_);
        if (const char* wrong = compare(getpid(), turn_); wrong != nullptr) {
            return wrong;
        }
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        told_ = 0;
        return helper_.act_amid([this] {
            write_title(++turn_);
            while (told_ == 0) {
            }
        });
    }

    // Where they are: the kernel puts each one behind the one before.
    bool find() {
        arguments_ = {"cmdline", as_bytes(program_invocation_name), 0};
        environment_ = {"environ", as_bytes(environ[0]), 0};
        return find_end(arguments_) && find_end(environment_);
    }

    static unsigned char* as_bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }

    static bool find_end(Part& part) {
        static char text[most + 1];
        char path[32];
        (void)snprintf(path, sizeof path, "/proc/self/%s", part.name);
        part.length = mosrig::guest::read_text(path, text, sizeof text);
        errno = ENOMSG;
        return part.length > 1 && part.length < most && memcmp(text, part.begin, part.length) == 0;
    }

    // Arguments end as they did, or ps would go on reading. What is there says which turn it is.
    void write_title(unsigned turn) const {
        fill_bytes(arguments_.begin, arguments_.length, turn);
        arguments_.begin[arguments_.length - 1] = 0;
        fill_bytes(environment_.begin, environment_.length, turn + environment_seed);
    }

    static bool shows(pid_t pid, const Part& part, uint64_t seed, bool ended) {
        static unsigned char seen[most + 1];
        static unsigned char due[most];
        char path[32];
        (void)snprintf(path, sizeof path, "/proc/%d/%s", pid, part.name);
        const size_t length =
            mosrig::guest::read_text(path, reinterpret_cast<char*>(seen), sizeof seen);
        fill_bytes(due, part.length, seed);
        if (ended) {
            due[part.length - 1] = 0;
        }
        return length == part.length && memcmp(seen, due, length) == 0;
    }

    [[nodiscard]] const char* compare(pid_t pid, unsigned turn) const {
        if (!shows(pid, arguments_, turn, true)) {
            return pid == getpid() ? "its own cmdline" : "its cmdline, as others see it";
        }
        if (!shows(pid, environment_, turn + environment_seed, false)) {
            return pid == getpid() ? "its own environ" : "its environ, as others see it";
        }
        return nullptr;
    }

    // The other looks: at once, or when the process has made no call since and cannot say so.
    static const char* look(void* data) {
        auto& self = *static_cast<Title*>(data);
        const unsigned turn = ++self.turn_;
        if (turn % 2 == 1) {
            return self.compare(getppid(), turn);
        }
        (void)mosrig::guest::await(
            [&self, turn] { return self.compare(getppid(), turn) == nullptr; });
        const char* const wrong = self.compare(getppid(), turn);
        return kill(getppid(), SIGUSR1) != 0 ? failed("kill") : wrong;
    }

    static constexpr unsigned environment_seed = 1000000;
    static inline volatile sig_atomic_t told_;
    Part arguments_ = {};
    Part environment_ = {};
    mosrig::guest::Helper helper_;
    unsigned turn_ = 0;
};

const mosrig::guest::KindOf<Title> title("title");

}  // namespace
