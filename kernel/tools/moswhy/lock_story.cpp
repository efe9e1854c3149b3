// SPDX-License-Identifier: GPL-2.0-only
#include "moswhy/lock_story.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "common/file.h"
#include "mosrun/options.h"

namespace mosrig {
namespace {

constexpr const char* mosrun = "mosrun";

// "PID NAME", as migstat has it; pid 0 if there is none.
struct Mark {
    pid_t pid = 0;
    std::string name;
};

Mark parse_mark(const std::string& text) {
    const std::size_t blank = text.find(' ');
    Mark mark{std::atoi(text.c_str()), blank == std::string::npos ? "" : text.substr(blank + 1)};
    return mark;
}

bool is_locked(const Subject& subject, pid_t pid) {
    return Process(pid, subject.places().proc()).number("lock").value_or(0) == 1;
}

bool is_alive(const Subject& subject, pid_t pid) {
    return Process(pid, subject.places().proc()).stat().has_value();
}

// Everything that the story is made of.
struct Evidence {
    Mark on;  // the process whose lock was written
    Mark by;  // who wrote it
    bool on_alive = false;
    std::vector<pid_t> locked_line;  // ancestors with a lock, from the parent on, without a gap
    std::vector<std::string> boot_lines;
};

Evidence gather(const Subject& subject) {
    Evidence evidence;
    auto values = parse_values(subject.process().read("migstat").value_or(""));
    evidence.on = parse_mark(values["lock_set_on"]);
    evidence.by = parse_mark(values["lock_set_by"]);
    for (const pid_t pid : subject.ancestors()) {
        if (!is_locked(subject, pid)) {
            break;
        }
        evidence.locked_line.push_back(pid);
    }
    evidence.on_alive = evidence.on.pid > 0 && is_alive(subject, evidence.on.pid);
    evidence.boot_lines = locking_lines(read_text(subject.places().inittab()).value_or(""));
    return evidence;
}

bool by_mosrun(const Evidence& evidence) {
    return evidence.by.name == mosrun;
}

// mosrun becomes the program that it starts, so process 1's child, if any, still has its number.
bool from_boot(const Subject& subject, const Evidence& evidence) {
    if (!by_mosrun(evidence) || evidence.boot_lines.empty() || evidence.on.pid == subject.pid()) {
        return false;
    }
    if (!evidence.on_alive) {
        // What was started in a login has an unlocked shell above it, or did have.
        const auto line = subject.ancestors();
        return evidence.locked_line.size() + 1 >= line.size();
    }
    const auto stat = Process(evidence.on.pid, subject.places().proc()).stat();
    return stat && stat->parent == 1;
}

std::string by_whom(const Subject& subject, const Evidence& evidence) {
    if (evidence.by.pid == 0) {
        return "";
    }
    if (by_mosrun(evidence) && evidence.by.pid == evidence.on.pid) {
        return ", which mosrun had started locked";
    }
    if (evidence.by.pid == evidence.on.pid) {
        return ", which had locked itself";
    }
    return fmt::format(", which process {} ({}){} had locked", evidence.by.pid, evidence.by.name,
                       is_alive(subject, evidence.by.pid) ? "" : ", now ended,");
}

std::string own_text(const Subject& subject, const Evidence& evidence) {
    if (evidence.by.pid != subject.pid()) {
        return fmt::format("Process {} ({}) wrote 1 to its lock.", evidence.by.pid,
                           evidence.by.name);
    }
    return by_mosrun(evidence)
               ? "mosrun started it locked, as mosrun does unless told -l or -k (nomig, runhome "
                 "and runon do the same)."
               : "It locked itself.";
}

std::string inherited_text(const Subject& subject, const Evidence& evidence) {
    if (!evidence.on_alive) {
        return fmt::format("It inherited the lock from process {}, now ended{}.", evidence.on.pid,
                           by_whom(subject, evidence));
    }
    const auto line = subject.ancestors();
    const bool ancestor = std::find(line.begin(), line.end(), evidence.on.pid) != line.end();
    return fmt::format("It inherited the lock from {} {}{}.", ancestor ? "its ancestor" : "process",
                       subject.title_of(evidence.on.pid), by_whom(subject, evidence));
}

std::string unmarked_text(const Subject& subject, const Evidence& evidence) {
    return evidence.locked_line.empty()
               ? "Who set it, the kernel does not tell; its parent is not locked."
               : fmt::format("Who set it, the kernel does not tell; locked above it are {}.",
                             subject.title_of(evidence.locked_line.back()));
}

void add_boot(const Subject& subject, const Evidence& evidence, LockStory& story) {
    story.origin = "boot";
    story.boot_lines = evidence.boot_lines;
    if (evidence.on_alive) {
        // The line that runs it, if its command can be told.
        const std::string command = subject.command_of(evidence.on.pid);
        std::erase_if(story.boot_lines, [&](const std::string& one) {
            const std::size_t path = one.find(" /");
            const std::string rest = path == std::string::npos ? "" : one.substr(path + 1);
            return rest.empty() || command.find(rest) == std::string::npos;
        });
        if (story.boot_lines.empty()) {
            story.boot_lines = evidence.boot_lines;
        }
    }
    story.text += fmt::format(
        " That is {}this node's boot profile: init runs its scripts under mosrun, and what they "
        "start inherits the lock.",
        evidence.on_alive ? "" : "most likely ");
}

void add_remedies(const Subject& subject, const Evidence& evidence, LockStory& story) {
    story.remedies.push_back({"Let it move, with all that it starts from now on:",
                              fmt::format("echo 0 > /proc/{}/lock", subject.pid())});
    if (!evidence.locked_line.empty()) {
        const pid_t parent = evidence.locked_line.front();
        story.remedies.push_back({fmt::format("Let all move that its parent {} starts from now on:",
                                              subject.title_of(parent)),
                                  fmt::format("echo 0 > /proc/{}/lock", parent)});
    }
    story.remedies.push_back({"Start a program unlocked:", "mosrun -l PROGRAM"});
    if (story.origin == "boot") {
        story.remedies.push_back(
            {"Start a service unlocked:", "mosrun -l /etc/init.d/NAME restart"});
        story.remedies.push_back({"Lock nothing at the next boot: take mosrun out of these lines:",
                                  "sed -i 's,:[^:]*/mosrun -h ,:,' /etc/inittab"});
    }
}

}  // namespace

std::vector<std::string> locking_lines(const std::string& inittab) {
    std::vector<std::string> lines;
    std::istringstream text(inittab);
    for (std::string line; std::getline(text, line);) {
        std::size_t start = 0;  // of the command: behind the third colon
        for (int colon = 0; colon < 3 && start != std::string::npos; colon++) {
            start = line.find(':', start);
            start = start == std::string::npos ? start : start + 1;
        }
        if (line.starts_with('#') || start == std::string::npos) {
            continue;
        }
        std::istringstream command(line.substr(start));
        std::vector<std::string> words;
        for (std::string word; command >> word;) {
            words.push_back(word);
        }
        const std::string program = words.empty() ? "" : words[0];
        if (program.substr(program.rfind('/') + 1) != mosrun) {
            continue;
        }
        const auto options = parse_mosrun_options({words.begin() + 1, words.end()});
        if (options && options->lock == true) {
            lines.push_back(line);
        }
    }
    return lines;
}

std::optional<LockStory> lock_story(const Subject& subject) {
    if (!is_locked(subject, subject.pid())) {
        return std::nullopt;
    }
    const Evidence evidence = gather(subject);
    LockStory story;
    if (evidence.on.pid == 0) {
        story.origin = "unknown";
        story.text = unmarked_text(subject, evidence);
    } else if (evidence.on.pid == subject.pid()) {
        story.origin = evidence.by.pid == subject.pid() ? "self" : "other";
        story.text = own_text(subject, evidence);
    } else {
        story.origin = "ancestor";
        story.text = inherited_text(subject, evidence);
    }
    if (from_boot(subject, evidence)) {
        add_boot(subject, evidence, story);
    }
    add_remedies(subject, evidence, story);
    return story;
}

}  // namespace mosrig
