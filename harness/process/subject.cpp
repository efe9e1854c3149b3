// SPDX-License-Identifier: MIT
#include "harness/process/subject.h"

#include <fmt/format.h>

namespace mosrig {

Result<Subject> Subject::start(Machine& machine, const std::vector<std::string>& argv, int user,
                               const std::vector<std::string>& environment,
                               const Deadline& deadline) {
    StartOptions options;
    options.user = user;
    options.environment = environment;
    // Every user may stand here.
    options.directory = std::string("/");
    MOSRIG_TRY(std::unique_ptr<Program> program, machine.start(argv, deadline, options));
    return Subject(std::move(program));
}

Result<std::string> Subject::next_line(const Deadline& deadline) {
    MOSRIG_TRY(std::optional<std::string> line, program_->read_line(deadline));
    if (!line) {
        const std::string errors = program_->take_error_output().value_or("");
        const int status = program_->wait(deadline).value_or(-1);
        // As a shell has it: it could not be executed, which is no fault of its own.
        const bool never_ran = output_.empty() && (status == 126 || status == 127);
        return tl::unexpected(
            Error{never_ran ? ErrorKind::infra : ErrorKind::ended,
                  fmt::format("the program ended early with status {}: {}", status, errors),
                  {},
                  {},
                  0});
    }
    return std::move(*line);
}

Result<std::string> Subject::ready(const Deadline& deadline) {
    MOSRIG_TRY(std::string line, next_line(deadline));
    output_.push_back(line);
    return line;
}

Result<std::string> Subject::ask(const std::string& word, const Deadline& deadline) {
    const Result<void> written = program_->write_line(word, deadline);
    words_.push_back(word);
    Result<std::string> answer = next_line(deadline);
    // One that has ended reads no more: that it has ended is the news.
    if (!written && (answer || answer.error().kind != ErrorKind::ended)) {
        return tl::unexpected(written.error());
    }
    MOSRIG_TRY(std::string line, std::move(answer));
    const bool differs_each_time = word == "IDENTITY" || word == "USAGE";
    output_.push_back(differs_each_time ? word : line);
    return line;
}

Result<int> Subject::finish(const Deadline& deadline) {
    MOSRIG_CHECK(program_->write_line("END", deadline));
    for (;;) {
        MOSRIG_TRY(std::optional<std::string> line, program_->read_line(deadline));
        if (!line) {
            return program_->wait(deadline);
        }
        output_.push_back(std::move(*line));
    }
}

}  // namespace mosrig
