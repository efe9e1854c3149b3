// SPDX-License-Identifier: MIT
#include "harness/journal/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/base/fd.h"
#include "harness/journal/journal.h"

namespace mosrig {

namespace {

using nlohmann::json;

// Which has everything that the cases need.
constexpr const char* whole_image = "debian";

// What is known of a case while the journal is read.
struct CaseRecord {
    json planned;
    json evidence = json::array();
    json finished;
    json death;
    bool begun = false;
};

// Only by running out of memory, which ends the program anyway.
class Reader {  // NOLINT(bugprone-exception-escape)
  public:
    void read(const json& event) {
        const std::string kind = event.value("event", "");
        if (kind == "run_begin") {
            begun_ = true;
            run_ = event.value("run", json::object());
            for (const json& planned : event.value("planned", json::array())) {
                record(planned.value("id", "")).planned = planned;
            }
        } else if (kind == "case_begin") {
            record(event.value("id", "")).begun = true;
        } else if (kind == "check") {
            json check = {{"check", event.value("check", "")}, {"ok", event.value("ok", false)}};
            if (event.contains("detail")) {
                check["detail"] = event["detail"];
            }
            record(event.value("id", "")).evidence.push_back(std::move(check));
        } else if (kind == "case_end") {
            record(event.value("id", "")).finished = event.value("case", json::object());
        } else if (kind == "runner_died" && !event.value("id", "").empty()) {
            record(event.value("id", "")).death = event;
        } else if (kind == "run_end") {
            run_["duration_s"] = event.value("duration_s", 0.0);
            ended_ = true;
        }
    }

    [[nodiscard]] json results() const {
        json run = run_;
        json cases = json::array();
        bool complete = ended_;
        for (const std::string& id : order_) {
            const CaseRecord& record = records_.at(id);
            complete = complete && !record.finished.is_null();
            cases.push_back(record.finished.is_null() ? unfinished(id, record) : record.finished);
        }
        run["complete"] = complete;
        return {{"run", run}, {"cases", cases}};
    }

    [[nodiscard]] bool begun() const { return begun_; }

  private:
    CaseRecord& record(const std::string& id) {
        if (records_.count(id) == 0) {
            order_.push_back(id);
        }
        return records_[id];
    }

    // A planned case of which the journal knows no end.
    static json unfinished(const std::string& id, const CaseRecord& record) {
        const json& death = record.death;
        const std::string why =
            death.is_object() ? death.value("why", "")
            : record.begun    ? "the runner ended in the middle of this case and left no word why"
                              : "the run ended before this case began";
        json evidence = record.evidence;
        evidence.push_back({{"check", "the case ran to its end"}, {"ok", false}, {"detail", why}});
        json result = {
            {"id", id},
            {"verdict", death.is_object() ? death.value("verdict", "INFRA") : "INFRA"},
            {"reason", why},
            {"manual",
             {{"expected", record.planned.value("expected", "none")},
              {"seen", "none"},
              {"errno", nullptr},
              {"message", nullptr}}},
            {"lock", nullptr},
            {"cantmove", json::array()},
            {"where", nullptr},
            {"freeze_ns", nullptr},
            {"total_ns", nullptr},
            {"evidence", evidence},
        };
        for (const char* name : {"title", "tier"}) {
            if (record.planned.contains(name)) {
                result[name] = record.planned[name];
            }
        }
        if (death.is_object() && death.contains("console")) {
            result["console"] = death["console"];
        }
        return result;
    }

    json run_;
    std::vector<std::string> order_;
    std::map<std::string, CaseRecord> records_;
    bool begun_ = false;
    bool ended_ = false;
};

std::string escape_xml(const std::string& text) {
    std::string out;
    for (const char letter : text) {
        switch (letter) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                // XML has no way to carry most control characters.
                out += static_cast<unsigned char>(letter) < ' ' && letter != '\n' ? ' ' : letter;
        }
    }
    return out;
}

// "" for a case that counts as good, else the JUnit element that says how it went wrong.
const char* junit_element(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
        case Verdict::xfail:
        case Verdict::flaky:
            return "";
        case Verdict::skip:
            return "skipped";
        case Verdict::boot:
        case Verdict::infra:
            return "error";
        default:
            return "failure";
    }
}

std::string text_of(const json& value, const char* name) {
    const auto found = value.find(name);
    return found != value.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Result<json> results_from_events(const std::vector<json>& events) {
    Reader reader;
    for (const json& event : events) {
        reader.read(event);
    }
    if (!reader.begun()) {
        return infra_error("the journal records no run", "run 'mosrig conformance' first");
    }
    return reader.results();
}

std::vector<Verdict> verdicts(const json& results) {
    std::vector<Verdict> all;
    for (const json& entry : results.value("cases", json::array())) {
        all.push_back(parse_verdict(text_of(entry, "verdict")).value_or(Verdict::infra));
    }
    return all;
}

std::vector<std::string> wrongly_skipped(const json& results) {
    std::vector<std::string> ids;
    if (text_of(results.value("run", json::object()), "image") != whole_image) {
        return ids;
    }
    for (const json& entry : results.value("cases", json::array())) {
        if (text_of(entry, "verdict") == to_string(Verdict::skip) && !entry.contains("may_skip")) {
            ids.push_back(text_of(entry, "id"));
        }
    }
    return ids;
}

std::string junit_xml(const json& results) {
    const std::vector<std::string> wrong = wrongly_skipped(results);
    std::map<std::string, int> count;
    std::string body;
    const json cases = results.value("cases", json::array());
    for (const json& entry : cases) {
        const std::string word = text_of(entry, "verdict");
        const bool wrongly =
            std::find(wrong.begin(), wrong.end(), text_of(entry, "id")) != wrong.end();
        const std::string element =
            wrongly ? "error" : junit_element(parse_verdict(word).value_or(Verdict::infra));
        ++count[element];
        body += fmt::format(R"(  <testcase classname="conformance" name="{}" time="{:.3f}")",
                            escape_xml(text_of(entry, "id")), entry.value("duration_s", 0.0));
        if (element.empty()) {
            body += "/>\n";
            continue;
        }
        body += fmt::format(">\n    <{0} message=\"{1}: {2}\"/>\n  </testcase>\n", element, word,
                            escape_xml(text_of(entry, "reason")));
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"mosrig\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
        "time=\"{:.3f}\">\n{}</testsuite>\n",
        cases.size(), count["failure"], count["error"], count["skipped"],
        results["run"].value("duration_s", 0.0), body);
}

Result<json> write_results(const std::filesystem::path& journal,
                           const std::filesystem::path& folder) {
    MOSRIG_TRY(const std::vector<json> events, read_journal(journal));
    MOSRIG_TRY(json results, results_from_events(events));
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    MOSRIG_CHECK(write_text_file(folder / "results.json", results.dump(2) + "\n"));
    MOSRIG_CHECK(write_text_file(folder / "junit.xml", junit_xml(results)));
    return results;
}

}  // namespace mosrig
