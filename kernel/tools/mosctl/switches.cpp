// SPDX-License-Identifier: GPL-2.0-only
#include "mosctl/switches.h"

#include <fmt/format.h>
#include <array>
#include <csignal>
#include <optional>

#include "common/file.h"
#include "common/hpc.h"
#include "common/process.h"
#include "mosctl/name.h"
#include "openmosix.h"

namespace mosrig {
namespace {

struct Switch {
    const char* name;
    const char* set;      // what holds while it is set
    const char* cleared;  // and what while it is not
};

constexpr std::array switches{
    Switch{"stay", "no process leaves this node by itself", "processes may leave this node"},
    Switch{"lstay", "this node's own processes stay, guests may leave",
           "this node's own processes may leave"},
    Switch{"block", "no guests are accepted", "guests are accepted"},
    Switch{"quiet", "this node takes no part in balancing", "this node takes part in balancing"},
};

const Switch* find_switch(const std::string& name) {
    for (const Switch& one : switches) {
        if (name == one.name) {
            return &one;
        }
    }
    return nullptr;
}

struct Order {
    const Switch* what;
    bool on;
};

std::optional<Order> parse_order(const std::string& word) {
    if (const Switch* what = find_switch(word)) {
        return Order{what, true};
    }
    for (const std::string prefix : {"no", "-"}) {
        if (word.starts_with(prefix)) {
            if (const Switch* what = find_switch(word.substr(prefix.size()))) {
                return Order{what, false};
            }
        }
    }
    return std::nullopt;
}

int failed(const std::string& what, const Error& error) {
    const bool rights = error.code == EACCES || error.code == EPERM;
    complain(mosctl_name,
             fmt::format("{}: {}{}", what, error.text, rights ? "; only root may" : ""));
    return exit_failed;
}

// With the default action a signal would end the program before it could say what is left.
void let_signals_interrupt() {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // without SA_RESTART: the write returns EINTR
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        ::sigaction(number, &action, nullptr);
    }
}

// Own processes that are on other nodes now.
std::size_t count_away(const Hpc& hpc) {
    std::size_t away = 0;
    for (const std::uint32_t pid : numbers_in(hpc.places().proc())) {
        const Process process(static_cast<pid_t>(pid), hpc.places().proc());
        away += process.number("where").value_or(0) > 0 ? 1 : 0;
    }
    return away;
}

int write_number(const Hpc& hpc, const char* file, std::uint32_t number) {
    const auto done = hpc.set_admin(file, fmt::format("{}\n", number));
    return done ? exit_done : failed(file, done.error());
}

}  // namespace

bool is_switch(const std::string& word) {
    return parse_order(word).has_value();
}

int flip(const Hpc& hpc, const std::string& word) {
    const auto order = parse_order(word);
    if (!order) {
        return exit_usage;
    }
    const auto now = hpc.admin_number(order->what->name);
    if (!now) {
        return failed(word, now.error());
    }
    const char* state = order->on ? order->what->set : order->what->cleared;
    if ((*now != 0) == order->on) {
        return put(fmt::format("{} already\n", state));
    }
    const auto done = hpc.set_admin(order->what->name, order->on ? "1\n" : "0\n");
    return done ? exit_done : failed(word, done.error());
}

int expel(const Hpc& hpc, const Words& /*words*/) {
    let_signals_interrupt();
    const auto done = hpc.set_admin("expel", "1\n");
    if (done) {
        return put(
            "All guests were expelled, no further ones are accepted (until: mosctl noblock)\n");
    }
    if (done.error().code != EINTR) {
        return failed("expel", done.error());
    }
    complain(mosctl_name, fmt::format("interrupted: {} guests are here still; no further ones are "
                                      "accepted (until: mosctl noblock)",
                                      hpc.guests().size()));
    return exit_failed;
}

int bring(const Hpc& hpc, const Words& /*words*/) {
    let_signals_interrupt();
    const auto done = hpc.set_admin("bring", "1\n");
    if (done) {
        return put("All processes of this node are at home and stay (until: mosctl nolstay)\n");
    }
    if (done.error().code != EINTR) {
        return failed("bring", done.error());
    }
    complain(mosctl_name,
             fmt::format("interrupted: {} processes are away still; those at home stay "
                         "(until: mosctl nolstay)",
                         count_away(hpc)));
    return exit_failed;
}

int set_speed(const Hpc& hpc, const Words& words) {
    const auto speed = parse_number(words[1], 100'000'000);
    if (!speed || *speed == 0) {
        complain(mosctl_name, fmt::format("'{}' is no speed; a Pentium III at 1 GHz has {}",
                                          words[1], OM_STANDARD_SPEED));
        return exit_usage;
    }
    return write_number(hpc, "speed", *speed);
}

int set_yard(const Hpc& /*hpc*/, const Words& words) {
    // The unit of all speeds and loads is the same on all nodes, so that none needs converting.
    if (parse_number(words[1], UINT32_MAX) == OM_STANDARD_SPEED) {
        return exit_done;
    }
    complain(mosctl_name,
             fmt::format("the yardstick is fixed: {} is a Pentium III at 1 GHz; use 'mosctl "
                         "setspeed N' to tell this node's speed",
                         OM_STANDARD_SPEED));
    return exit_failed;
}

int set_decay(const Hpc& hpc, const Words& words) {
    const auto interval = parse_number(words[1], longest_decay);
    const auto slow = parse_number(words[2], 1000);
    const auto fast = parse_number(words[3], 1000);
    if (!interval || *interval == 0 || !slow || *slow == 0 || !fast || *fast == 0) {
        complain(mosctl_name,
                 fmt::format("setdecay takes seconds (1 to {}) and two rates in permille kept "
                             "(1 to 1000)",
                             longest_decay));
        return exit_usage;
    }
    for (const auto& [file, number] :
         {std::pair{"decay-interval", *interval}, {"slow-decay", *slow}, {"fast-decay", *fast}}) {
        if (const int status = write_number(hpc, file, number); status != exit_done) {
            return status;
        }
    }
    return exit_done;
}

}  // namespace mosrig
