// SPDX-License-Identifier: MIT
#include "harness/conformance/balancing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace mosrig {

namespace {

constexpr const char* stay_file = "/proc/hpc/admin/stay";
constexpr const char* speed_file = "/proc/hpc/admin/speed";
constexpr int usual_speed = 10000;

}  // namespace

Balancing::~Balancing() {
    for (const auto& [machine, speed] : before_) {
        (void)write(*machine, stay_file, 1);
        (void)write(*machine, speed_file, speed);
    }
}

Result<void> Balancing::begin(const std::vector<int>& speeds) {
    for (Machine* machine : stage_.machines()) {
        MOSRIG_TRY(const int speed, read_speed(*machine));
        before_[machine] = speed;
    }
    MOSRIG_CHECK(set_speeds(speeds));
    for (Machine* machine : stage_.machines()) {
        MOSRIG_CHECK(write(*machine, stay_file, 0));
    }
    return {};
}

Result<void> Balancing::set_speeds(const std::vector<int>& speeds) {
    size_t place = 0;
    for (Machine* machine : stage_.machines()) {
        const int speed = speeds.empty() ? usual_speed : speeds[std::min(place, speeds.size() - 1)];
        MOSRIG_CHECK(write(*machine, speed_file, speed));
        ++place;
    }
    return {};
}

Result<int> Balancing::read_speed(Machine& machine) {
    const Result<std::string> text = stage_.read_text(machine, speed_file);
    if (!text && text.error().sys_errno == ENOENT) {
        return stage_.skip("the kernel of the nodes has no balancer");
    }
    return text.map([](const std::string& number) { return std::atoi(number.c_str()); });
}

Result<void> Balancing::write(Machine& machine, const char* file, int value) {
    MOSRIG_TRY(const int error,
               machine.write_file(file, std::to_string(value),
                                  stage_.soon(fmt::format("{} of {}", file, machine.name())), 0));
    return error == 0 ? Result<void>()
                      : infra_error(fmt::format("{} on {} does not take {}: {}", file,
                                                machine.name(), value, errno_name(error)));
}

}  // namespace mosrig
