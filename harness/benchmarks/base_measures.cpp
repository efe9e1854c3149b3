// SPDX-License-Identifier: MIT
#include "harness/benchmarks/base_measures.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/benchmarks/statistics.h"
#include "harness/process/subject.h"

namespace mosrig {

namespace {

constexpr const char* tcp_port = "7411";
constexpr const char* iperf_port = "7412";
constexpr const char* rounds = "100";  // of each measure, for one value: their median
constexpr Millis server_time(20000);
constexpr Millis transfer_time(60000);

std::string tcp_program() {
    return fmt::format("{}/tcp", workload_folder);
}

}  // namespace

Result<double> parse_iperf(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return infra_error("iperf3 printed no JSON");
    }
    const auto place = nlohmann::json::json_pointer("/end/sum_received/bits_per_second");
    if (json.contains("error") || !json.contains(place) || !json[place].is_number()) {
        return infra_error("iperf3: " + json.value("error", "it measured nothing"));
    }
    return json[place].get<double>();
}

Result<std::unique_ptr<BaseMeasures>> BaseMeasures::open(Cluster& cluster, Machine& home,
                                                         Machine& guest) {
    std::unique_ptr<BaseMeasures> made(new BaseMeasures(cluster, home));
    Node* const node = cluster.node(guest.id());
    made->address_ = node == nullptr ? std::string() : node->info().address;
    MOSRIG_TRY(made->tcp_,
               made->serve(guest, {tcp_program(), "serve", made->address_, tcp_port}, "READY"));
    MOSRIG_TRY(const CommandResult iperf,
               home.run({"iperf3", "--version"}, cluster.deadline("iperf3", server_time), 0));
    if (iperf.ok()) {
        MOSRIG_TRY(made->iperf_, made->serve(guest,
                                             {"iperf3", "-s", "--forceflush", "-B", made->address_,
                                              "-p", iperf_port},
                                             "Server listening"));
    }
    return made;
}

Result<std::unique_ptr<Program>> BaseMeasures::serve(Machine& guest,
                                                     const std::vector<std::string>& argv,
                                                     const std::string& when_ready) {
    const Deadline ready = cluster_.deadline(fmt::format("the server {}", argv[0]), server_time);
    MOSRIG_TRY(std::unique_ptr<Program> server, guest.start(argv, ready, {}));
    for (;;) {
        MOSRIG_TRY(const std::optional<std::string> line, server->read_line(ready));
        if (!line) {
            return infra_error(fmt::format("{} ended at once: {}", argv[0],
                                           server->take_error_output().value_or("")));
        }
        if (line->starts_with(when_ready)) {
            return server;
        }
    }
}

Result<std::vector<double>> BaseMeasures::numbers(const std::vector<std::string>& argv) {
    MOSRIG_TRY(const CommandResult result,
               home_.run(argv, cluster_.deadline("a base measure", transfer_time), 0));
    std::vector<double> values;
    std::istringstream lines(result.out);
    for (double value = 0; lines >> value;) {
        values.push_back(value);
    }
    if (!result.ok() || values.empty()) {
        return infra_error(fmt::format("{} {} failed: {}", argv[0], argv[1], result.err));
    }
    return values;
}

Result<void> BaseMeasures::measure_times(BaseSamples& into) {
    MOSRIG_TRY(const auto small,
               numbers({tcp_program(), "ping", address_, tcp_port, rounds, "64", "64"}));
    MOSRIG_TRY(const auto page,
               numbers({tcp_program(), "ping", address_, tcp_port, rounds, "64", "4096"}));
    MOSRIG_TRY(const auto forks,
               numbers({"/usr/local/lib/mosrig/mosrig-run", "fork", "1", rounds}));
    into.R.push_back(median(small));
    into.R4.push_back(median(page));
    into.f.push_back(median(forks));
    return {};
}

Result<void> BaseMeasures::measure_throughput(BaseSamples& into) {
    if (!iperf_) {
        return {};
    }
    double best = 0;
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"-Z"}, {"-P", "2"}}) {
        MOSRIG_TRY(const double reached, iperf(more));
        best = std::max(best, reached);
    }
    into.B.push_back(best);
    return {};
}

Result<double> BaseMeasures::iperf(const std::vector<std::string>& more) {
    std::vector<std::string> argv = {"iperf3", "-c", address_, "-p", iperf_port, "-t", "2", "-J"};
    argv.insert(argv.end(), more.begin(), more.end());
    const Deadline patience = cluster_.deadline("iperf3", transfer_time);
    Result<double> reached;
    // Its server needs a moment between two clients, and says so.
    MOSRIG_CHECK(wait_until(
        patience,
        [&]() -> Result<bool> {
            MOSRIG_TRY(const CommandResult result, home_.run(argv, patience, 0));
            reached = parse_iperf(result.out);
            return reached || reached.error().what.find("busy") == std::string::npos;
        },
        Millis(100)));
    return reached;
}

Result<double> BaseMeasures::blast(std::int64_t bytes) {
    MOSRIG_TRY(const auto took,
               numbers({tcp_program(), "blast", address_, tcp_port, std::to_string(bytes)}));
    return took.front();
}

}  // namespace mosrig
