// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/report.h"

#include <fmt/format.h>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "common/file.h"
#include "common/syscall_name.h"
#include "common/users.h"

namespace mosrig {
namespace {

constexpr const char* start_omd = "/etc/init.d/openmosix start";

std::optional<Guest> guest_of(const Subject& subject) {
    const std::string folder = fmt::format("{}/remote/{}/", subject.places().hpc(), subject.pid());
    const auto from = read_text(folder + "from");
    if (!from) {
        return std::nullopt;
    }
    std::string identity = read_text(folder + "identity").value_or("");
    identity.erase(std::min(identity.find('\n'), identity.size()));
    return Guest{std::atol(from->c_str()), identity};
}

// "request", "syscall:16", "signal:2", "reason:monkey", "node", "none", as migstat has it.
std::string why_home(const std::string& reason) {
    const std::size_t colon = reason.find(':');
    const std::string kind = reason.substr(0, colon);
    const std::string what = colon == std::string::npos ? "" : reason.substr(colon + 1);
    if (kind == "syscall") {
        return fmt::format("It came home last for a system call that is made there, {}.",
                           syscall_name(std::atol(what.c_str())));
    }
    if (kind == "signal") {
        return fmt::format("It came home last for a signal, {}.", what);
    }
    if (kind == "reason") {
        return fmt::format("It came home last because it had to stay ({}).", what);
    }
    if (kind == "node") {
        return "It came home last because its node took it back or went away.";
    }
    return kind == "request"
               ? "It came home last because that was asked for, by somebody or by a balancer."
               : "";
}

void note_requests(const Subject& subject, std::map<std::string, std::string>& values,
                   Report& report) {
    const long pending = subject.process().number("goto").value_or(0);
    if (report.state == "pending") {
        report.notes.push_back(fmt::format(
            "A request to go to node {} waits until it next runs in user mode (or, if it was made "
            "for the next program as mosrun does, until it executes that); it {}. To cancel it: "
            "migrate {} home",
            pending, subject.process().activity(), subject.pid()));
    } else if (report.state != "home" && report.state != "away" && !report.state.empty()) {
        report.notes.push_back(fmt::format("It is on its way just now ({}).", report.state));
    }
    const std::string reason = values["home_reason"];
    const int code = std::abs(std::atoi(values["errno"].c_str()));
    // Of a request that was refused, the reason is why it did not leave.
    if (report.state == "home" && report.moves > 0 && code != EBUSY) {
        report.notes.push_back(why_home(reason));
    }
    if (code != 0) {
        report.notes.push_back(
            fmt::format("The last request failed: {}.", refusal_sentence(code, reason_of(reason))));
    }
}

void note_decay(std::map<std::string, std::string>& values, Report& report) {
    if (values["decay_job"] == "io") {
        report.notes.push_back(
            "It was declared an I/O job (iojob, mosrun -i), which is best off at home.");
    } else if (values["decay_job"] == "cpu") {
        report.notes.push_back("It was declared a CPU job (cpujob, mosrun -c).");
    }
}

Decision no_answer(const Hpc& hpc, const Error& error) {
    Decision decision;
    decision.reason = no_omd;
    const bool absent = error.code == ENOENT || error.code == ECONNREFUSED;
    decision.text = absent
                        ? "Nothing forbids it to move, but no balancer runs here: omd does not."
                        : fmt::format("Nothing forbids it to move; the balancer was not heard: {}.",
                                      error.text);
    for (const char* state : {"stay", "lstay", "quiet"}) {
        if (hpc.admin_number(state).value_or(0) == 1) {
            decision.text +=
                fmt::format(" Besides, '{}' is set on this node (mosctl no{}).", state, state);
        }
    }
    if (absent) {
        decision.remedy = {"Start it:", start_omd};
    }
    return decision;
}

// One that a process could go to, to have a command that works as it stands; "" if there is none.
std::string some_other_node(const Hpc& hpc) {
    for (const std::uint32_t id : hpc.nodes()) {
        const NodeFigures figures = hpc.figures(id);
        if (id != hpc.self() && figures.up() && (figures.status & status_block) == 0) {
            return std::to_string(id);
        }
    }
    return "";
}

Decision ask_why(const Subject& subject, const Hpc& hpc) {
    auto answer = ask_omd(subject.places().omd_socket(), fmt::format("why {}", subject.pid()));
    if (!answer) {
        return no_answer(hpc, answer.error());
    }
    Decision decision;
    decision.reason = field(*answer, "reason", std::string());
    decision.text = field(*answer, "text", std::string());
    if (decision.text.empty()) {
        decision.text = fmt::format("The balancer's word is '{}'.", decision.reason);
    }
    decision.remedy = remedy_for(decision.reason, *answer, subject.pid(), some_other_node(hpc));
    decision.answer = std::move(*answer);
    return decision;
}

// Of one that is away. What the balancer thought of it before somebody sent it there is no reason
// for its being there.
Decision why_there(const Subject& subject, const Hpc& hpc, long where) {
    Decision decision = ask_why(subject, hpc);
    const auto best = decision.answer.find("best");
    const bool sent = decision.reason == "moved" && best != decision.answer.end() &&
                      best->is_object() && field(*best, "node", 0L) == where;
    if (!sent) {
        // These say nothing of who it was: omd may have sent it before it was told to rest, or one
        // that ran earlier.
        const bool unknown = decision.reason == "not_seen" || decision.reason == "quiet" ||
                             decision.reason == "stay" || decision.reason == "lstay" ||
                             decision.reason == "balance_off" || decision.reason == no_omd;
        const bool on = decision.reason == "moved";
        decision.reason = "asked";
        decision.text =
            on ? "The balancer sent it to another node first; the balancer of that one sent it on, "
                 "or somebody asked for it."
               : fmt::format(
                     "Somebody asked for that: by migrate, by mosrun, or it did so itself{}.",
                     unknown ? "; or a balancer did, of which this node's has no record now" : "");
        decision.remedy = remedy_for("moved", decision.answer, subject.pid());
    }
    return decision;
}

}  // namespace

std::optional<Remedy> remedy_for(const std::string& word, const nlohmann::json& answer, pid_t pid,
                                 const std::string& other_node) {
    std::string node = other_node;
    if (const auto best = answer.find("best"); best != answer.end() && best->is_object()) {
        node = std::to_string(field(*best, "node", 0L));
    }
    const std::string move = fmt::format("migrate {} {}", pid, node);
    if (word == "sleeping" || word == "too_young" || word == "balanced" ||
        word == "no_better_node" || word == "just_moved" || word == "not_seen") {
        return node.empty() ? std::nullopt
                            : std::optional(Remedy{"To move it all the same:", move});
    }
    // Nodes that take no guests at all are not asked, so that it is not that.
    if (word == "refused_by_node") {
        return node.empty() ? std::nullopt
                            : std::optional(Remedy{"To move it all the same, or be told what is in "
                                                   "the way:",
                                                   move});
    }
    if (word == "stay" || word == "lstay" || word == "quiet") {
        return Remedy{"Let this node's processes move:", "mosctl no" + word};
    }
    if (word == "balance_off") {
        return Remedy{"Say 'balance = yes' in /etc/openmosix/omd.conf, then:",
                      "/etc/init.d/openmosix reload"};
    }
    if (word == "locked") {
        return Remedy{"Let it move:", fmt::format("echo 0 > /proc/{}/lock", pid)};
    }
    if (word == "alone") {
        return Remedy{"See which nodes there are, and which are down:", "showmap; mosmon"};
    }
    if (word == "moved") {
        return Remedy{"To have it back:", fmt::format("migrate {} home", pid)};
    }
    return std::nullopt;
}

Report make_report(const Subject& subject, const Hpc& hpc) {
    Report report;
    report.pid = subject.pid();
    report.name = subject.name();
    report.command = subject.command_of(subject.pid());
    const std::string uid = subject.status("Uid");
    report.user = uid.empty()
                      ? "?"
                      : user_name(static_cast<uid_t>(std::strtoul(uid.c_str(), nullptr, 10)),
                                  subject.places());
    report.self = hpc.self();
    report.guest = guest_of(subject);
    if (report.guest) {
        return report;
    }
    auto values = parse_values(subject.process().read("migstat").value_or(""));
    report.where = std::max(0L, subject.process().number("where").value_or(0));
    report.moves = subject.process().number("nmigs").value_or(0);
    report.state = values["state"];
    report.lock = lock_story(subject);
    std::istringstream words(subject.process().reasons());
    for (std::string word; words >> word;) {
        report.findings.push_back(explain_reason(word, subject));
    }
    note_requests(subject, values, report);
    note_decay(values, report);
    if (report.self == 0) {
        report.notes.emplace_back(
            "This node is not configured, so nothing moves here: see setpe(8) and omd(8).");
    } else if (report.findings.empty() && !report.lock) {
        report.decision =
            report.where > 0 ? why_there(subject, hpc, report.where) : ask_why(subject, hpc);
    }
    std::erase(report.notes, "");
    return report;
}

}  // namespace mosrig
