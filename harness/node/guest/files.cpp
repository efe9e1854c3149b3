// SPDX-License-Identifier: MIT
#include "harness/node/guest/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "harness/node/guest/job.h"
#include "harness/node/wire.h"

namespace mosrig::guest {

namespace {

constexpr std::size_t chunk = 64U << 10;

int write_once(const std::string& path, std::string_view data) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    const ssize_t put = ::write(fd, data.data(), data.size());
    int error = put < 0 ? errno : 0;
    if (::close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

bool is_number(const char* text) {
    return *text != '\0' && std::strspn(text, "0123456789") == std::strlen(text);
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

int read_whole(const std::string& path, std::string& data) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno;
    }
    std::array<char, chunk> buffer{};
    int error = 0;
    for (ssize_t got = 1; error == 0 && got != 0;) {
        got = ::read(fd, buffer.data(), buffer.size());
        if (got > 0) {
            data.append(buffer.data(), static_cast<std::size_t>(got));
            error = data.size() > wire::max_read ? EFBIG : 0;
        } else if (got < 0 && errno != EINTR) {
            error = errno;
        }
    }
    ::close(fd);
    return error;
}

int read_of_each_process(const std::string& name, std::string& data) {
    const std::unique_ptr<DIR, CloseFolder> folder(::opendir("/proc"));
    if (!folder) {
        return errno;
    }
    while (const dirent* const entry = ::readdir(folder.get())) {
        if (!is_number(entry->d_name)) {
            continue;
        }
        const std::size_t before = data.size();
        const int error = read_whole("/proc/" + std::string(entry->d_name) + "/" + name, data);
        if (error == EFBIG) {
            return error;
        }
        if (error != 0) {
            data.resize(before);
        }
    }
    return 0;
}

int write_whole(const std::string& path, std::string_view data, std::uint32_t user) {
    if (user == 0) {
        return write_once(path, data);
    }
    // Credentials count for the whole process, so another user's write is made by a child.
    const pid_t child = ::fork();
    if (child == 0) {
        const int error = become_user(user);
        ::_exit(error != 0 ? error : write_once(path, data));
    }
    int raw = 0;
    while (child > 0 && ::waitpid(child, &raw, 0) < 0 && errno == EINTR) {
    }
    return child < 0 ? errno : WIFEXITED(raw) ? WEXITSTATUS(raw) : EIO;
}

}  // namespace mosrig::guest
