// SPDX-License-Identifier: MIT
#include "harness/conformance/suite.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/conformance/stage.h"
#include "harness/process/node_machine.h"
#include "harness/process/scene.h"

namespace mosrig {

namespace {

// GoogleTest asks for its parameters from static functions, so what they come from is static too.
Suite* current = nullptr;

// Every console from where the last look at it ended.
class ConsoleWatch {
  public:
    explicit ConsoleWatch(Suite& suite) : suite_(suite) {}

    [[nodiscard]] nlohmann::json offsets() const {
        nlohmann::json offsets = nlohmann::json::object();
        for (size_t index = 0; index < suite_.seen.size(); ++index) {
            offsets[suite_.cluster.nodes()[index].name()] = suite_.seen[index].offset;
        }
        return offsets;
    }

    // A clean console is a check as any other; one that cannot be read is not clean.
    void finish(Stage& stage) const {
        for (size_t index = 0; index < suite_.seen.size(); ++index) {
            const Node& node = suite_.cluster.nodes()[index];
            const auto text = node.console().text_since(suite_.seen[index]);
            if (!text) {
                stage.judge.trouble(text.error());
                continue;
            }
            const auto reports = find_kernel_reports(*text, suite_.seen[index].offset);
            for (const KernelReport& report : reports) {
                stage.judge.kernel_report(node.name(), report.line);
                stage.result.console[node.name()].push_back(report.excerpt);
            }
            if (reports.empty()) {
                stage.check(fmt::format("console of {} is clean", node.name()), true);
            }
            // A line that is not whole yet is read again with its end.
            suite_.seen[index].offset += text->rfind('\n') + 1;
        }
    }

  private:
    Suite& suite_;
};

std::string seconds(std::int64_t nanoseconds) {
    return fmt::format("{:.1f} ms", static_cast<double>(nanoseconds) / 1e6);
}

// The line a person sees of a finished case.
std::string describe(const CaseResult& result) {
    std::string text = to_string(result.seen);
    if (!result.errno_name.empty()) {
        text += " " + result.errno_name;
    }
    if (!result.cantmove.empty()) {
        text += fmt::format(" ({})", join_words(result.cantmove));
    }
    if (result.freeze_ns) {
        text += fmt::format(", frozen {}", seconds(*result.freeze_ns));
    }
    if (!result.reason.empty()) {
        text += "; " + result.reason;
    }
    return text;
}

std::string head_of(size_t number, size_t total, const std::string& id) {
    return fmt::format("[{:2}/{}] {:<16}", number, total, id);
}

// Whether the next case may be played on these nodes. A kernel that complained is not trusted
// again.
bool spoils(Suite& suite, const CaseResult& result) {
    if (result.verdict == Verdict::pass || result.verdict == Verdict::skip) {
        return false;
    }
    if (result.verdict == Verdict::kernel) {
        return true;
    }
    return std::any_of(
        suite.cluster.nodes().begin(), suite.cluster.nodes().end(), [&suite](Node& node) {
            const Deadline patience = suite.cluster.deadline("a sign of life", Millis(5000));
            return !node.read_file("/proc/uptime", patience);
        });
}

// Index 0 is the home of the case: the first node, or the first that boots as the case wants it.
std::vector<std::unique_ptr<NodeMachine>> machines_for(Cluster& cluster,
                                                       const Description& description) {
    std::vector<std::unique_ptr<NodeMachine>> machines;
    for (Node& node : cluster.nodes()) {
        machines.push_back(std::make_unique<NodeMachine>(node));
    }
    for (size_t index = 0; index < machines.size(); ++index) {
        if (!description.boot.empty() &&
            cluster.nodes()[index].info().profile == description.boot) {
            std::swap(machines.front(), machines[index]);
            break;
        }
    }
    return machines;
}

class Conformance : public testing::TestWithParam<Description> {};

TEST_P(Conformance, Case) {
    if (current->spoiled) {
        GTEST_SKIP() << "left to the next process, on fresh nodes";
    }
    const size_t number = current->done + 1;
    if (isatty(STDOUT_FILENO) != 0) {
        fmt::print("{} ...", head_of(number, current->total, GetParam().id));
        (void)std::fflush(stdout);
    }
    const CaseResult result = play_case(*current, GetParam());
    current->done = number;
    current->spoiled = current->spoiled || spoils(*current, result);
    show_case(number, current->total, result);
    if (result.verdict == Verdict::skip) {
        GTEST_SKIP() << result.reason;
    }
    EXPECT_EQ(result.verdict, Verdict::pass) << result.reason;
}

std::string case_name(const testing::TestParamInfo<Description>& info) {
    std::string name = info.param.id;
    for (char& letter : name) {
        letter = letter == '-' ? '_' : letter;
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(Workloads, Conformance,
                         testing::ValuesIn(current != nullptr ? current->cases
                                                              : std::vector<Description>()),
                         case_name);

}  // namespace

void show_case(size_t number, size_t total, const CaseResult& result) {
    fmt::print("{}{} {:<7} {:6.1f} s  {}\n", isatty(STDOUT_FILENO) != 0 ? "\r\033[K" : "",
               head_of(number, total, result.id), to_string(result.verdict), result.duration_s,
               describe(result));
    (void)std::fflush(stdout);
}

CaseResult play_case(Suite& suite, const Description& description) {
    const std::vector<std::unique_ptr<NodeMachine>> owners =
        machines_for(suite.cluster, description);
    Machines machines;
    for (const std::unique_ptr<NodeMachine>& owner : owners) {
        machines.push_back(owner.get());
    }
    const auto journal = [&suite](nlohmann::json event) {
        if (const Result<void> written = suite.journal.append(std::move(event)); !written) {
            fmt::print(stderr, "{}\n", written.error().message());
        }
    };
    const auto plain = [&suite](std::string name, Millis nominal) {
        return suite.cluster.deadline(std::move(name), nominal);
    };
    Scene scene(machines, plain, suite.scenes / (description.id + ".txt"));
    Stage stage(
        machines,
        [&](std::string name, Millis nominal) {
            return scene.watch(plain(std::move(name), nominal));
        },
        [&journal, &description](const Check& check) {
            journal({{"event", "check"},
                     {"id", description.id},
                     {"check", check.check},
                     {"ok", check.ok},
                     {"detail", check.detail}});
        });
    stage.impair = [&](const fabric::Impairment& impairment) {
        return fabric::ask_switch(fabric::control_path(suite.cluster.info().fabric_socket),
                                  impairment, plain("the network", Millis(5000)));
    };
    const ConsoleWatch consoles(suite);
    journal({{"event", "case_begin"}, {"id", description.id}, {"console", consoles.offsets()}});
    play(stage, description);
    consoles.finish(stage);
    CaseResult& result = stage.result;
    result.verdict = stage.judge.verdict();
    result.reason = stage.judge.reason();
    if (result.verdict == Verdict::pass) {
        scene.forget();
    } else if (!scene.recorded().empty()) {
        result.reason += fmt::format(" (see {})", scene.recorded().string());
    }
    result.evidence = stage.judge.checks();
    journal({{"event", "case_end"}, {"id", description.id}, {"case", to_json(result)}});
    suite.spoiled = stage.nodes_used_up;
    return result;
}

void prepare_nodes(Cluster& cluster) {
    for (Node& node : cluster.nodes()) {
        NodeMachine machine(node);
        const Result<void> traced =
            trace_moves(machine, cluster.deadline("the trace events", Millis(10000)));
        if (!traced) {
            fmt::print(stderr, "mosrig: {}\n", traced.error().message());
        }
    }
}

void run_suite(Suite& suite) {
    current = &suite;
    prepare_nodes(suite.cluster);
    int count = 1;
    std::string name = "mosrig";
    char* arguments[] = {name.data(), nullptr};
    testing::InitGoogleTest(&count, arguments);
    // The journal is the record, and the line of each case is printed above.
    testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());  // NOLINT
    // What failed stands in the journal.
    const int failed = RUN_ALL_TESTS();
    static_cast<void>(failed);
}

}  // namespace mosrig
