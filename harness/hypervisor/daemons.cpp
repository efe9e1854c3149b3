// SPDX-License-Identifier: MIT
#include "harness/hypervisor/daemons.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>
#include <sstream>
#include <system_error>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/hypervisor/hypervisor.h"
#include "harness/hypervisor/shared_use.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

constexpr const char* system_uri = "qemu:///system";

// Pid files and logs of the daemons that rigs started, and who uses them: none of one cluster
// alone.
const fs::path daemons_folder = "/run/mosrig-libvirt";

// Where libvirt's daemons keep what they need while they run.
constexpr const char* run_folder = "/run/libvirt";

// Where Debian and the other distributions keep libvirt's drivers.
constexpr std::array<const char*, 3> driver_folders{
    "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver", "/usr/lib64/libvirt/connection-driver",
    "/usr/lib/libvirt/connection-driver"};

// A folder with the QEMU driver alone: the network driver would bring up its default bridge.
Result<fs::path> make_driver_folder() {
    const fs::path folder = daemons_folder / "drivers";
    std::error_code error;
    fs::create_directories(folder, error);
    const char* const driver = "libvirt_driver_qemu.so";
    for (const char* const place : driver_folders) {
        if (fs::exists(fs::path(place) / driver, error)) {
            fs::remove(folder / driver, error);
            fs::create_symlink(fs::path(place) / driver, folder / driver, error);
            return folder;
        }
    }
    return infra_error("libvirt has no QEMU driver here", "run `make deps`");
}

// Whether a daemon listens there; a socket file alone may be left from one that died.
bool answers(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return fd &&
           ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

long pid_in(const fs::path& pid_file) {
    const auto text = read_text_file(pid_file);
    long pid = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), pid);
    }
    return pid;
}

fs::path log_of(const std::string& program) {
    return daemons_folder / (program + ".log");
}

Result<void> start(const std::string& program, std::vector<std::string> environment) {
    const fs::path pid_file = daemons_folder / (program + ".pid");
    // Its own default is a file outside the state directory, which would stay behind.
    environment.push_back("LIBVIRT_LOG_OUTPUTS=3:file:" + log_of(program).string());
    MOSRIG_TRY(const CommandResult result,
               run_subprocess({program, "-d", "-p", pid_file.string()},
                              Deadline(program + " to start", Millis(30'000)), environment));
    if (!result.ok()) {
        return infra_error(fmt::format("{} does not start: {}{}", program, result.err,
                                       last_words(log_of(program))));
    }
    return {};
}

// Not an error if it has gone already.
Result<void> stop_daemon(const std::string& program) {
    return end_process(pid_in(daemons_folder / (program + ".pid")), program);
}

// Every path below the daemons' own folder, one a line.
std::set<std::string> paths_in_run() {
    std::set<std::string> paths = {run_folder};
    std::error_code error;
    for (fs::recursive_directory_iterator at(run_folder, error), end; !error && at != end;
         at.increment(error)) {
        paths.insert(at->path().string());
    }
    return fs::exists(run_folder) ? paths : std::set<std::string>();
}

Result<void> remember_run() {
    return write_text_file(daemons_folder / "before",
                           fmt::format("{}\n", fmt::join(paths_in_run(), "\n")));
}

Result<void> start_daemons() {
    MOSRIG_TRY(const fs::path drivers, make_driver_folder());
    MOSRIG_CHECK(remember_run());
    if (!answers("/run/libvirt/virtlogd-sock")) {
        MOSRIG_CHECK(start("virtlogd", {}));
    }
    MOSRIG_CHECK(start("libvirtd", {"LIBVIRT_DRIVER_DIR=" + drivers.string()}));
    return wait_until(
               Deadline("libvirtd to answer", Millis(30'000)),
               []() -> Result<bool> { return connect_libvirt(system_uri).has_value(); }, Millis(50))
        .map_error([](Error&& error) {
            error.what += last_words(log_of("libvirtd"));
            return std::move(error);
        });
}

// The daemons leave files and folders behind. Those that are new since they started are theirs.
Result<void> clear_run() {
    MOSRIG_TRY(const std::string text, read_text_file(daemons_folder / "before"));
    std::istringstream lines(text);
    std::set<std::string> before;
    for (std::string line; std::getline(lines, line);) {
        before.insert(line);
    }
    for (const std::string& path : paths_in_run()) {
        std::error_code ignored;
        if (!before.contains(path)) {
            fs::remove_all(path, ignored);
        }
    }
    return {};
}

}  // namespace

Result<bool> ensure_libvirt(const std::string& uri, const fs::path& state,
                            const std::function<Result<void>()>& record) {
    auto first = connect_libvirt(uri);
    SharedUse use(daemons_folder);
    if (first && (uri != system_uri || !use.in_use())) {
        return false;
    }
    if (!first && uri != system_uri) {
        return tl::unexpected(first.error());
    }
    std::error_code error;
    if (!first && fs::exists("/run/systemd/system", error)) {
        Error failed = first.error();
        failed.remedy = "systemctl start libvirtd";
        return tl::unexpected(std::move(failed));
    }
    MOSRIG_CHECK(record());
    bool started = false;
    MOSRIG_CHECK(use.enter(state, [&started]() -> Result<void> {
        if (connect_libvirt(system_uri)) {
            return {};
        }
        started = true;
        return start_daemons();
    }));
    return started;
}

Result<void> release_libvirt(const fs::path& state,
                             const std::function<Result<bool>()>& still_needed) {
    return SharedUse(daemons_folder).leave(state, [&]() -> Result<void> {
        MOSRIG_TRY(const bool needed, still_needed());
        if (needed) {
            return {};
        }
        MOSRIG_CHECK(stop_daemon("libvirtd"));
        MOSRIG_CHECK(stop_daemon("virtlogd"));
        return clear_run();
    });
}

bool is_program(long pid, const std::string& name) {
    // "PID (NAME) STATE ...": a name may hold anything, but the kernel keeps 15 characters of it.
    const auto text = read_text_file(fmt::format("/proc/{}/stat", pid));
    const std::string expected = fmt::format("{} ({}) ", pid, name.substr(0, 15));
    // One that has ended and waits for its parent to notice runs nothing.
    return pid > 0 && text && text->starts_with(expected) && text->at(expected.size()) != 'Z';
}

Result<void> end_process(long pid, const std::string& name) {
    if (!is_program(pid, name)) {
        return {};
    }
    for (const int number : {SIGTERM, SIGKILL}) {
        ::kill(static_cast<pid_t>(pid), number);
        auto ended =
            wait_until(Deadline(fmt::format("{} (pid {}) to end", name, pid), Millis(10'000)),
                       [&]() -> Result<bool> {
                           // Ours to reap if this very process started it.
                           ::waitpid(static_cast<pid_t>(pid), nullptr, WNOHANG);
                           return !is_program(pid, name);
                       });
        if (ended || number == SIGKILL) {
            return ended;
        }
    }
    return {};
}

}  // namespace mosrig
