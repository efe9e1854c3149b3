// SPDX-License-Identifier: MIT
#include "harness/conformance/messages.h"

#include <fmt/format.h>

#include <map>

#include "harness/conformance/fault_point.h"

namespace mosrig {

namespace {

const std::map<std::string, Message>& known_messages() {
    static const std::map<std::string, Message> messages = {
        {"prepare", {Leg::out, true, true}},
        {"vmas", {Leg::out, true, true}},
        {"ready", {Leg::out, false, true}},
        {"refuse", {Leg::refused, false, true}},
        {"commit", {Leg::out, true, false}},
        {"resumed", {Leg::out, false, false}},
        {"pages", {Leg::away, true, false}},
        {"pushed", {Leg::away, true, false}},
        {"fault", {Leg::away, false, false}},
        {"hole", {Leg::away, true, false}},
        {"badpage", {Leg::away, true, false}},
        {"ops", {Leg::away, false, false}},
        {"usage", {Leg::away, false, false}},
        {"bytes-up", {Leg::away, false, false, "bytes"}},
        {"bytes-down", {Leg::away, true, false, "bytes"}},
        {"park", {Leg::away, true, false}},
        {"parked", {Leg::away, false, false}},
        {"regs", {Leg::away, true, false}},
        {"call", {Leg::away, false, false}},
        {"reply", {Leg::away, true, false}},
        {"leave", {Leg::expelled, false, false}},
        {"recall", {Leg::home, true, false}},
        {"return", {Leg::home, false, false}},
        {"pages-up", {Leg::home, false, false, "pages"}},
        {"returned", {Leg::home, false, false}},
        {"taken", {Leg::home, true, false}},
    };
    return messages;
}

}  // namespace

Result<Message> find_message(const std::string& name) {
    const std::string prefix = "onward-";
    const bool onward = name.rfind(prefix, 0) == 0;
    const std::string type = onward ? name.substr(prefix.size()) : name;
    const auto found = known_messages().find(type);
    const bool known = found != known_messages().end() &&
                       (!onward || found->second.leg == Leg::out ||
                        found->second.leg == Leg::refused || found->second.leg == Leg::home);
    if (!known) {
        return usage_error(fmt::format("there is no message '{}' to fail at", name));
    }
    Message message = found->second;
    if (message.type.empty()) {
        message.type = type;
    }
    message.onward = onward;
    return message;
}

std::vector<std::string> sides_of(const std::string& action) {
    // What spoils a message spoils it as it is sent.
    const bool spoils = action == "garbage" || action == "payload" || action == "truncate";
    return spoils ? std::vector<std::string>{"send"} : std::vector<std::string>{"send", "recv"};
}

int count_failures(const Run& run) {
    std::size_t each = 0;
    for (const std::string& action : run.events) {
        each += sides_of(action).size();
    }
    return static_cast<int>(run.messages.size() * each);
}

Machine& destination_of(Stage& stage, const Message& message) {
    if (message.onward) {
        return *stage.machines().at(2);
    }
    const bool comes_home = message.leg == Leg::home || message.leg == Leg::expelled;
    return comes_home ? stage.home() : stage.guest();
}

int target_of(Stage& stage, const Message& message) {
    const Machine& destination = destination_of(stage, message);
    return &destination == &stage.home() ? 0 : destination.id();
}

Machine& machine_of(Stage& stage, const Message& message, const std::string& side) {
    if (message.at_home(side)) {
        return stage.home();
    }
    // What is said as it leaves a node is said there, wherever it goes.
    return message.onward && message.leg != Leg::home ? destination_of(stage, message)
                                                      : stage.guest();
}

Result<Clock::time_point> provoke(Stage& stage, std::int64_t pid, const Message& message,
                                  const std::string& side, const std::string& action) {
    if (message.leg == Leg::home || message.leg == Leg::expelled || message.onward) {
        MOSRIG_CHECK(move_to(stage, pid, stage.guest().id(), 0, true));
    }
    const Clock::time_point ordered = Clock::now();
    MOSRIG_CHECK(arm_fault(stage, machine_of(stage, message, side),
                           fmt::format("{}:{}:{}", side, message.type, action)));
    if (message.leg == Leg::expelled) {
        MOSRIG_TRY(const std::int64_t body, find_body(stage, stage.guest(), pid));
        MOSRIG_TRY(const int error,
                   stage.guest().write_file(fmt::format("/proc/{}/goto", body), "0",
                                            stage.soon("an order of the guest"), 0));
        MOSRIG_CHECK(stage.require("the guest may send it away", error == 0, errno_name(error)));
        return ordered;
    }
    MOSRIG_TRY(
        const MoveAnswer answer,
        request_by_file(stage.home(), pid, target_of(stage, message), 0, stage.soon("a request")));
    MOSRIG_CHECK(
        stage.require("the request is taken", answer.seen == Answer::moves, answer.message));
    return ordered;
}

}  // namespace mosrig
