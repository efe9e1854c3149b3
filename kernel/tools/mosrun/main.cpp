// SPDX-License-Identifier: GPL-2.0-only
// mosrun: runs a program at a place and with a lock. See mosrun(1).
#include <fmt/format.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "common/file.h"
#include "common/guarded.h"
#include "common/process.h"
#include "mosrun/options.h"
#include "mosrun/patience.h"
#include "mosrun/search.h"

namespace {

using namespace mosrig;

// As env and nohup have them: the program's own status must stay recognisable.
enum Exit { exit_own_failure = 125, exit_cannot_run = 126, exit_not_found = 127 };

constexpr const char* shell = "/bin/sh";
// A burst of programs uses up the idle links to a node; omd has new ones soon.
constexpr std::chrono::seconds link_patience{2};
constexpr const char* decay_folder = "/proc/hpc/decay/";

void complain(const std::string& text) {
    fmt::print(stderr, "mosrun: {}\n", text);
}

// A kernel that cannot migrate keeps every program at home: that is a warning only, so that a
// system whose start is run by mosrun comes up with any kernel.
void set_lock(const Process& self, bool lock) {
    if (const auto set = self.write("lock", lock ? "1" : "0"); !set) {
        complain("lock not set: " + set.error().text);
    }
}

// What the balancer should know of it changes no result, so a failure is a warning too.
void set_decay(const MosrunOptions& options) {
    for (const auto& [file, text] : options.decay) {
        if (const auto set = write_text(decay_folder + file, text); !set) {
            complain("decay not set: " + set.error().text);
            return;
        }
    }
}

// A list may name this very node, which as a place is home.
unsigned place_of(const MosrunOptions& options) {
    return options.node ? *options.node : pick_node(options.choice, std::random_device()());
}

bool send_to(const Process& self, unsigned node) {
    const std::string request = node == 0 ? "home" : fmt::format("exec {}", node);
    const auto sent = ask_patiently([&] { return self.write("goto", request); }, link_patience);
    if (sent) {
        return true;
    }
    const int code = sent.error().code;
    if (code == ENOENT && node == 0) {
        return true;  // not an openMosix kernel: at home anyway, set_lock() has said it
    }
    complain(code == ENOENT
                 ? fmt::format("cannot run on node {}: this kernel is no openMosix kernel", node)
                 : fmt::format("cannot run {}: {}",
                               node == 0 ? "at home" : fmt::format("on node {}", node),
                               refusal_sentence(code, self.reasons())));
    return false;
}

// The exit status for a program that could not be run.
int cannot_run(const std::string& program, int code) {
    complain(
        fmt::format("cannot run {}: {} ({})", program, errno_name(code), strerrordesc_np(code)));
    return code == ENOENT || code == ENOTDIR ? exit_not_found : exit_cannot_run;
}

// Requests the move and executes. Comes back with an exit status only.
int go(const Process& self, const MosrunOptions& options, const std::string& file,
       const std::vector<std::string>& arguments) {
    if ((options.node || !options.choice.empty()) && !send_to(self, place_of(options))) {
        if (!options.anywhere) {
            return exit_own_failure;
        }
        complain("it runs here");
    }
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    ::execv(file.c_str(), argv.data());
    const int code = errno;
    if (code != ENOEXEC || file == shell) {
        return cannot_run(options.program, code);
    }
    // A script without an interpreter line. The kernel dropped the request with the execve().
    std::vector<std::string> script{shell, file};
    script.insert(script.end(), arguments.begin() + 1, arguments.end());
    return go(self, options, shell, script);
}

int run(const MosrunOptions& options) {
    const char* path = std::getenv("PATH");
    const auto file = find_program(options.program, path != nullptr ? path : "/bin:/usr/bin");
    if (!file) {
        return cannot_run(options.program, file.error().code);
    }
    const Process self = Process::self();
    if (options.lock) {
        set_lock(self, *options.lock);
    }
    set_decay(options);
    return go(self, options, *file, options.arguments);
}

int start(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        return std::fputs(mosrun_usage, stdout) < 0 ? exit_own_failure : 0;
    }
    const auto options = parse_mosrun_options({argv + 1, argv + argc});
    if (!options) {
        complain(options.error().text);
        std::fputs(mosrun_usage, stderr);
        return exit_own_failure;
    }
    return run(*options);
}

}  // namespace

int main(int argc, char** argv) {
    return guarded("mosrun", exit_own_failure, [&] { return start(argc, argv); });
}
