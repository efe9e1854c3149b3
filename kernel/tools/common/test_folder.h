// SPDX-License-Identifier: GPL-2.0-only
// A folder that stands for / in a test: what /proc and /etc of a node would hold.
#pragma once

#include <gtest/gtest.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/places.h"

namespace mosrig {

class TestFolder {
  public:
    TestFolder() {
        std::string path = testing::TempDir() + "om_rootXXXXXX";
        EXPECT_NE(::mkdtemp(path.data()), nullptr);
        root_ = path;
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() {
        std::error_code error;
        std::filesystem::remove_all(root_, error);
    }
    [[nodiscard]] Places places() const { return {root_.string()}; }
    [[nodiscard]] std::string path(const std::string& name) const { return root_ / name; }
    // Writes the file `name`, with the folders above it.
    void put(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories((root_ / name).parent_path());
        std::ofstream(root_ / name, std::ios::binary) << text;
    }
    void link(const std::string& name, const std::string& target) const {
        std::filesystem::create_directories((root_ / name).parent_path());
        std::filesystem::create_symlink(target, root_ / name);
    }
    [[nodiscard]] std::string get(const std::string& name) const {
        std::ifstream file(root_ / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    // A process with the files that every one has.
    void process(int pid, const std::string& name, int parent, const std::string& more = "") const {
        const std::string folder = "proc/" + std::to_string(pid) + "/";
        put(folder + "comm", name + "\n");
        put(folder + "stat", std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) +
                                 " 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0 1 0 100 4096000 300 "
                                 "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n");
        put(folder + "status", "Name:\t" + name + "\nUid:\t1000\t1000\t1000\t1000\n" + more);
        put(folder + "cmdline", name + '\0');
        put(folder + "lock", "0\n");
        put(folder + "cantmove", "");
        put(folder + "where", "0\n");
        put(folder + "nmigs", "0\n");
        put(folder + "goto", "0\n");
        put(folder + "maps", "");
        put(folder + "migstat", "state home\nresult none\nerrno 0\nhome_reason none\n");
        std::filesystem::create_directories(root_ / folder / "fd");
        put(folder + "task/" + std::to_string(pid) + "/comm", name + "\n");
        put(folder + "task/" + std::to_string(pid) + "/stat", get(folder + "stat"));
    }
    // This node is number `self` of two; node 2 is down.
    void cluster(int self = 1) const {
        put("etc/openmosix.map", "1 10.66.0.1 2\n");
        put("etc/hosts", "10.66.0.1 node1\n10.66.0.2 node2\n");
        put("proc/hpc/admin/mospe", std::to_string(self) + "\n");
        put("proc/hpc/admin/config", "1 10.66.0.1 1\n2 10.66.0.2 1\n");
        for (const char* name : {"block", "stay", "lstay", "quiet"}) {
            put(std::string("proc/hpc/admin/") + name, "0\n");
        }
        node(1, "1", "150", "12000", "90", "200000", "250000", "500000", "3");
        node(2, "-101", "-101", "10000", "-101", "-101", "-101", "-101", "1");
    }
    void node(int id, const std::string& cpus, const std::string& load, const std::string& speed,
              const std::string& util, const std::string& mem, const std::string& rmem,
              const std::string& tmem, const std::string& status) const {
        const std::string folder = "proc/hpc/nodes/" + std::to_string(id) + "/";
        put(folder + "cpus", cpus + "\n");
        put(folder + "load", load + "\n");
        put(folder + "speed", speed + "\n");
        put(folder + "util", util + "\n");
        put(folder + "mem", mem + "\n");
        put(folder + "rmem", rmem + "\n");
        put(folder + "tmem", tmem + "\n");
        put(folder + "status", status + "\n");
    }

  private:
    std::filesystem::path root_;
};

}  // namespace mosrig
