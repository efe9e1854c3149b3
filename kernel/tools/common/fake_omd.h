// SPDX-License-Identifier: GPL-2.0-only
// A node daemon that has one answer, for tests of those who ask.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <array>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "common/fd.h"

namespace mosrig {

class FakeOmd {
  public:
    // Listens at `path` and gives one caller `answer`.
    FakeOmd(const std::string& path, std::string answer)
        : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::filesystem::remove(path);  // of one before, that has gone
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        (void)::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
        (void)::listen(listener_.get(), 1);
        thread_ = std::thread([this] { serve(); });
    }
    FakeOmd(const FakeOmd&) = delete;
    FakeOmd& operator=(const FakeOmd&) = delete;
    ~FakeOmd() {
        // Wakes accept() if nobody came.
        ::shutdown(listener_.get(), SHUT_RDWR);
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    // What was asked, once it was answered.
    [[nodiscard]] std::string request() {
        thread_.join();
        return request_;
    }

  private:
    void serve() {
        const Fd caller(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!caller.valid()) {
            return;
        }
        std::array<char, 256> block{};
        const ssize_t got = ::recv(caller.get(), block.data(), block.size(), 0);
        request_.assign(block.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        (void)::send(caller.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }

    Fd listener_;
    std::string answer_;
    std::string request_;
    std::thread thread_;
};

}  // namespace mosrig
