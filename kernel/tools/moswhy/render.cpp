// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/render.h"

#include <fmt/format.h>
#include <sstream>

#include "common/printable.h"

namespace mosrig {
namespace {

constexpr const char* indentation = "    ";

std::string paragraph(const std::string& text) {
    return wrap(text, "", "");
}

std::string render_command(const std::string& command) {
    return command.empty() ? "" : fmt::format("        {}\n", command);
}

std::string render_remedy(const Remedy& remedy) {
    return wrap(remedy.text, indentation, indentation) + render_command(remedy.command);
}

std::string place_of(const Report& report) {
    if (report.self == 0) {
        return "at home, on this node, which is not configured";
    }
    return report.where > 0 ? fmt::format("away from home: on node {}, its home is node {}",
                                          report.where, report.self)
                            : fmt::format("at home, on node {}", report.self);
}

std::string render_guest(const Report& report) {
    const Guest& guest = *report.guest;
    const std::string number = guest.identity.substr(0, guest.identity.find(' '));
    std::string text =
        wrap(fmt::format(
                 "{} ({}): a guest on node {}. Its home is node {}, where it is process {}; what "
                 "it may do and where it goes is decided there. Ask there:",
                 report.pid, report.name, report.self, guest.from, guest.identity),
             "", "");
    text += render_command(fmt::format("moswhy {}", number));
    text += "Root of this node can send it back:\n";
    return text + render_command(fmt::format("migrate {} home", report.pid));
}

std::string render_lock(const LockStory& lock) {
    std::string text = paragraph("It is locked: the balancer leaves it alone. " + lock.text);
    for (const std::string& line : lock.boot_lines) {
        text += fmt::format("        {}\n", line);
    }
    for (const Remedy& remedy : lock.remedies) {
        text += render_remedy(remedy);
    }
    return text;
}

std::string render_finding(const Report& report, const Finding& finding) {
    std::string text = paragraph(fmt::format("It {}: {} ({}).",
                                             report.where > 0 ? "must come home" : "cannot move",
                                             finding.meaning, finding.word));
    for (const std::string& cause : finding.explanation.causes) {
        text += wrap(cause, "  - ", indentation);
    }
    if (finding.hidden) {
        text +=
            wrap("What exactly, only root and its owner can see. Ask as one of them:", indentation,
                 indentation);
        text += render_command(fmt::format("sudo moswhy {}", report.pid));
    }
    if (!finding.explanation.remedy.empty()) {
        text += wrap(finding.explanation.remedy, indentation, indentation);
    }
    return text + render_command(finding.explanation.command);
}

std::string render_decision(const Report& report, const Decision& decision) {
    const bool speaks = !decision.answer.is_null() && report.where == 0;
    std::string text =
        paragraph(speaks ? "Nothing forbids it to move. " + decision.text : decision.text);
    return decision.remedy ? text + render_remedy(*decision.remedy) : text;
}

std::string render_own(const Report& report) {
    std::string text = paragraph(fmt::format("{} ({}) of {}: {}; it has moved {} time{}.",
                                             report.pid, report.name, report.user, place_of(report),
                                             report.moves, report.moves == 1 ? "" : "s"));
    for (const Finding& finding : report.findings) {
        text += "\n" + render_finding(report, finding);
    }
    if (report.lock) {
        text += "\n" + render_lock(*report.lock);
    }
    if (report.decision) {
        text += "\n" + render_decision(report, *report.decision);
    }
    for (const std::string& note : report.notes) {
        text += "\n" + paragraph(note);
    }
    return text;
}

std::string summary_of(const Report& report) {
    if (report.guest) {
        return fmt::format("guest of node {}: {}", report.guest->from, report.guest->identity);
    }
    std::string text;
    for (const Finding& finding : report.findings) {
        const auto& causes = finding.explanation.causes;
        text += text.empty() ? "stays: " : "; ";
        text += finding.word;
        if (!causes.empty()) {
            text += fmt::format(
                ": {}{}", causes.front(),
                causes.size() > 1 ? fmt::format(" and {} more", causes.size() - 1) : "");
        } else if (finding.hidden) {
            text += " (details are for root and its owner)";
        }
    }
    if (report.lock) {
        text += text.empty() ? "" : "; ";
        text += report.lock->origin == "boot" ? "locked at boot" : "locked";
    }
    if (report.decision) {
        const std::string& reason = report.decision->reason;
        text += reason == no_omd ? "free, but omd does not run" : reason;
    }
    return text.empty() ? "free" : text;
}

nlohmann::json to_json(const Remedy& remedy) {
    return {{"text", remedy.text}, {"command", remedy.command}};
}

nlohmann::json to_json(const LockStory& lock) {
    nlohmann::json remedies = nlohmann::json::array();
    for (const Remedy& remedy : lock.remedies) {
        remedies.push_back(to_json(remedy));
    }
    return {{"origin", lock.origin},
            {"text", lock.text},
            {"boot_lines", lock.boot_lines},
            {"remedies", std::move(remedies)}};
}

nlohmann::json to_json(const Finding& finding) {
    return {{"word", finding.word},
            {"meaning", finding.meaning},
            {"causes", finding.explanation.causes},
            {"remedy", finding.explanation.remedy},
            {"command", finding.explanation.command},
            {"hidden", finding.hidden}};
}

nlohmann::json to_json(const Decision& decision) {
    return {{"reason", decision.reason},
            {"text", decision.text},
            {"remedy", decision.remedy ? to_json(*decision.remedy) : nlohmann::json()},
            {"omd", decision.answer}};
}

}  // namespace

std::string wrap(const std::string& text, const std::string& first, const std::string& indent,
                 std::size_t width) {
    std::istringstream words(text);
    std::string lines;
    std::string line = first;
    bool empty = true;
    for (std::string word; words >> word;) {
        if (!empty && line.size() + 1 + word.size() > width) {
            lines += line + "\n";
            line = indent;
            empty = true;
        }
        line += (empty ? "" : " ") + word;
        empty = false;
    }
    return empty ? lines : lines + line + "\n";
}

// Names of processes, threads and files are in all of it, and those are anybody's bytes.
std::string render_text(const Report& report) {
    return printable(report.guest ? render_guest(report) : render_own(report), true);
}

std::string render_summary(const Report& report) {
    return printable(summary_of(report));
}

nlohmann::json render_json(const Report& report) {
    nlohmann::json json{
        {"pid", report.pid},         {"name", report.name},   {"user", report.user},
        {"command", report.command}, {"home", report.self},   {"where", report.where},
        {"moves", report.moves},     {"state", report.state}, {"locked", report.lock.has_value()},
        {"notes", report.notes}};
    json["guest"] = report.guest ? nlohmann::json{{"from", report.guest->from},
                                                  {"identity", report.guest->identity}}
                                 : nlohmann::json();
    json["lock"] = report.lock ? to_json(*report.lock) : nlohmann::json();
    json["reasons"] = nlohmann::json::array();
    for (const Finding& finding : report.findings) {
        json["reasons"].push_back(to_json(finding));
    }
    json["decision"] = report.decision ? to_json(*report.decision) : nlohmann::json();
    return json;
}

}  // namespace mosrig
