// SPDX-License-Identifier: MIT
#include "harness/conformance/booted.h"

#include <fmt/format.h>

#include <csignal>
#include <utility>

#include "harness/conformance/printed.h"

namespace mosrig {

namespace {

constexpr const char* case_folder = "/run/mosrig-case";
// A run level is entered by a dozen of scripts that have nothing to do.
constexpr Millis level_time(30000);

// $1: the folder, $2: the script. Init starts what is new in a level as it enters it, so it is sent
// to and fro between two.
constexpr const char* enter_level = R"(
[ -x /etc/init.d/rc ] || exit 77
set -e
rm -rf "$1"
mkdir -m 0700 "$1"
mkfifo "$1/in" "$1/out"
printf %s "$2" >/etc/init.d/mosrig-case
chmod 0755 /etc/init.d/mosrig-case
rm -f /etc/rc?.d/S99mosrig-case
case $(runlevel) in
*2) level=3 ;;
*) level=2 ;;
esac
ln -s ../init.d/mosrig-case "/etc/rc$level.d/S99mosrig-case"
telinit "$level"
)";

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char letter : word) {
        text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    }
    return text + "'";
}

// The rig talks to the relay; who runs is somebody else.
class BootedProgram final : public Program {
  public:
    BootedProgram(Machine& machine, std::int64_t pid, std::unique_ptr<Program> relay)
        : machine_(machine), pid_(pid), relay_(std::move(relay)) {}

    [[nodiscard]] std::int64_t pid() const override { return pid_; }
    Result<void> write_line(std::string_view line, const Deadline& deadline) override {
        return relay_->write_line(line, deadline);
    }
    Result<std::optional<std::string>> read_line(const Deadline& deadline) override {
        return relay_->read_line(deadline);
    }
    Result<std::string> take_error_output() override { return relay_->take_error_output(); }
    Result<int> wait(const Deadline& deadline) override { return relay_->wait(deadline); }
    Result<void> kill(const Deadline& deadline) override {
        MOSRIG_CHECK(machine_.send_signal(pid_, SIGKILL, deadline));
        return relay_->kill(deadline);
    }

  private:
    Machine& machine_;
    std::int64_t pid_;
    std::unique_ptr<Program> relay_;  // as it goes, the program's input ends
};

Result<std::string> next_line(Program& relay, const Deadline& deadline) {
    MOSRIG_TRY(const std::optional<std::string> line, relay.read_line(deadline));
    if (!line) {
        return infra_error("the program of a boot script ended early: " +
                           relay.take_error_output().value_or(""));
    }
    return *line;
}

}  // namespace

std::string boot_script(const std::string& folder, const std::vector<std::string>& command) {
    std::string words;
    for (const std::string& word : command) {
        words += (words.empty() ? "" : " ") + quoted(word);
    }
    return fmt::format(
        "#!/bin/sh\n"
        "[ \"${{1-}}\" = start ] || exit 0\n"
        "export {0}\n"
        "(\n    {1}\n    echo $? >{2}/status\n) <{2}/in >{2}/out 2>{2}/errors &\n",
        workload_environment().front(), words, folder);
}

std::string relay_script(const std::string& folder) {
    // Of a command in the background the shell would make the input empty.
    return fmt::format(
        "exec 3<&0\n"
        "cat <&3 >{0}/in &\n"
        "cat <{0}/out\n"
        "cat {0}/errors >&2\n"
        "read status <{0}/status && exit $status\n",
        folder);
}

Result<Subject> start_from_boot_script(Stage& stage, const Run& run) {
    Machine& home = stage.home();
    const Deadline deadline =
        stage.deadline("READY of a program that a boot script starts", level_time);
    MOSRIG_TRY(const CommandResult entered,
               home.run({"sh", "-c", enter_level, "sh", case_folder,
                         boot_script(case_folder, resolve_command(run.command))},
                        deadline, 0));
    if (entered.status == status_skips) {
        return stage.skip("the nodes' init knows no run levels");
    }
    MOSRIG_CHECK(stage.require("init enters another run level", entered.ok(), entered.err));
    MOSRIG_TRY(std::unique_ptr<Program> relay,
               home.start({"sh", "-c", relay_script(case_folder)}, deadline, StartOptions{}));
    MOSRIG_TRY(const std::string ready, next_line(*relay, deadline));
    MOSRIG_CHECK(stage.require("the program is READY", ready == "READY", ready));
    MOSRIG_CHECK(relay->write_line("IDENTITY", deadline));
    MOSRIG_TRY(const std::string identity, next_line(*relay, deadline));
    const std::int64_t pid = number_after(identity, "pid=");
    MOSRIG_CHECK(stage.require("it says who it is", pid > 0, identity));
    return Subject(std::make_unique<BootedProgram>(home, pid, std::move(relay)));
}

}  // namespace mosrig
