// SPDX-License-Identifier: MIT
#include "harness/hypervisor/daemons.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "harness/base/fd.h"
#include "harness/base/subprocess.h"
#include "harness/hypervisor/hypervisor.h"

namespace mosrig {

namespace {

namespace fs = std::filesystem;

constexpr const char* system_uri = "qemu:///system";

// Where Debian and the other distributions keep libvirt's drivers.
constexpr std::array<const char*, 3> driver_folders{
    "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver", "/usr/lib64/libvirt/connection-driver",
    "/usr/lib/libvirt/connection-driver"};

// A folder with the QEMU driver alone: the network driver would bring up its default bridge.
Result<fs::path> make_driver_folder(const fs::path& state) {
    const fs::path folder = state / "libvirt-drivers";
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

Result<void> start(const std::string& program, const fs::path& state, const Recorder& record,
                   const std::vector<std::string>& environment) {
    const fs::path pid_file = state / (program + ".pid");
    MOSRIG_CHECK(record("daemon", pid_file.string()));
    SubprocessOptions options;
    options.environment = environment;
    // Its own default is a file outside the state directory, which would stay behind.
    options.environment.push_back("LIBVIRT_LOG_OUTPUTS=3:file:" +
                                  (state / (program + ".log")).string());
    MOSRIG_TRY(const CommandResult result,
               run_subprocess({program, "-d", "-p", pid_file.string()},
                              Deadline(program + " to start", Millis(30'000)), options));
    if (!result.ok()) {
        return infra_error(fmt::format("{} does not start: {}", program, result.err),
                           "see " + (state / (program + ".log")).string());
    }
    return {};
}

}  // namespace

Result<bool> ensure_libvirt(const std::string& uri, const fs::path& state, const Recorder& record) {
    auto first = connect_libvirt(uri);
    if (first) {
        return false;
    }
    if (uri != system_uri) {
        return tl::unexpected(first.error());
    }
    std::error_code error;
    if (fs::exists("/run/systemd/system", error)) {
        Error failed = first.error();
        failed.remedy = "systemctl start libvirtd";
        return tl::unexpected(std::move(failed));
    }
    MOSRIG_TRY(const fs::path drivers, make_driver_folder(state));
    if (!answers("/run/libvirt/virtlogd-sock")) {
        MOSRIG_CHECK(start("virtlogd", state, record, {}));
    }
    MOSRIG_CHECK(start("libvirtd", state, record, {"LIBVIRT_DRIVER_DIR=" + drivers.string()}));
    MOSRIG_CHECK(wait_until(
        Deadline("libvirtd to answer", Millis(30'000)),
        [&]() -> Result<bool> { return connect_libvirt(uri).has_value(); }, Millis(50)));
    return true;
}

bool is_program(long pid, const std::string& name) {
    const auto text = read_text_file(fmt::format("/proc/{}/comm", pid));
    // The kernel keeps 15 characters of a name.
    return pid > 0 && text && *text == name.substr(0, 15) + "\n";
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

Result<void> stop_daemon(const fs::path& pid_file) {
    const std::string program = pid_file.stem().string();
    MOSRIG_CHECK(end_process(pid_in(pid_file), program));
    std::error_code error;
    fs::remove(pid_file, error);
    if (program == "virtlogd") {
        fs::remove("/run/libvirt/virtlogd-sock", error);
        fs::remove("/run/libvirt/virtlogd-admin-sock", error);
    }
    if (program == "libvirtd") {
        // It leaves these behind, and nobody else uses them once it has gone.
        for (const char* const file :
             {"/run/libvirt/libvirt-sock", "/run/libvirt/libvirt-sock-ro",
              "/run/libvirt/libvirt-admin-sock", "/run/libvirt/qemu/driver.pid"}) {
            fs::remove(file, error);
        }
    }
    return {};
}

}  // namespace mosrig
