// SPDX-License-Identifier: GPL-2.0-only
// moswhy: why a process is where it is. See moswhy(1).
#include <fmt/format.h>
#include <algorithm>
#include <optional>

#include "common/begin.h"
#include "common/printable.h"
#include "moswhy/render.h"

namespace mosrig {
namespace {

constexpr const char* program_name = "moswhy";
constexpr const char* usage_text =
    "usage: moswhy [--json] [--root DIR] PID\n"
    "       moswhy [--json] [--root DIR] --all\n";

struct Options {
    bool json = false;
    bool all = false;
    pid_t pid = 0;
};

Result<Options> parse_options(const Words& words) {
    Options options;
    for (const std::string& word : words) {
        if (word == "--json") {
            options.json = true;
        } else if (word == "--all" || word == "-a") {
            options.all = true;
        } else if (const auto pid = parse_number(word, INT32_MAX); pid && *pid > 0) {
            if (options.pid != 0) {
                return fail("more than one process id");
            }
            options.pid = static_cast<pid_t>(*pid);
        } else {
            return fail("'" + word + "' is neither an option nor a process id");
        }
    }
    if (options.all == (options.pid != 0)) {
        return fail(options.all ? "--all and a process id exclude each other"
                                : "no process id given");
    }
    return options;
}

// A name may hold any bytes.
std::string to_text(const nlohmann::json& json) {
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Kernel threads have no memory of their own, and there are very many of them.
bool is_kernel_thread(const Subject& subject) {
    const auto stat = subject.process().stat();
    return subject.pid() == 2 || (stat && stat->parent == 2);
}

int explain_all(const Options& options, const Hpc& hpc) {
    nlohmann::json all = nlohmann::json::array();
    std::string table = options.json ? "" : "    PID  NODE COMMAND         WHY\n";
    std::size_t kernel_threads = 0;
    for (const pid_t pid : Subject(1, hpc.places()).all()) {
        const Subject subject(pid, hpc.places());
        if (!subject.exists()) {
            continue;
        }
        if (is_kernel_thread(subject)) {
            kernel_threads++;
            continue;
        }
        const Report report = make_report(subject, hpc);
        if (options.json) {
            all.push_back(render_json(report));
        } else {
            const long node = report.where > 0 ? report.where : static_cast<long>(report.self);
            table += fmt::format("{:7} {:5} {:15} {}\n", pid, node, printable(report.name),
                                 render_summary(report));
        }
    }
    if (options.json) {
        return put(to_text(all));
    }
    return put(table + fmt::format("and {} threads of the kernel, which stay\n", kernel_threads));
}

int explain_one(const Options& options, const Hpc& hpc) {
    const Subject subject(options.pid, hpc.places());
    if (!subject.exists()) {
        complain(program_name, fmt::format("there is no process {}", options.pid));
        return exit_failed;
    }
    const Report report = make_report(subject, hpc);
    return put(options.json ? to_text(render_json(report)) : render_text(report));
}

}  // namespace

int moswhy_program(Words words) {
    const auto call = begin_on_openmosix(program_name, usage_text, std::move(words), parse_options);
    if (!call) {
        return call.error();
    }
    const auto& [options, hpc] = *call;
    return options.all ? explain_all(options, hpc) : explain_one(options, hpc);
}

}  // namespace mosrig
