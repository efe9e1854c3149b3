// SPDX-License-Identifier: MIT
#include "harness/simulate/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace mosrig::simulate {
namespace {

constexpr double page_width = 640;
constexpr double panel_height = 210;
constexpr double left_margin = 70;
constexpr double right_margin = 20;
constexpr double top_margin = 34;
constexpr double bottom_margin = 36;

struct Panel {
    const char* title;
    std::function<double(const Outcome&)> value;
};

const char* colour(Policy policy) {
    switch (policy) {
        case Policy::none:
            return "#888888";
        case Policy::naive:
            return "#d1495b";
        case Policy::ours:
            break;
    }
    return "#00798c";
}

// A round number not below it: 1, 2 or 5 times a power of ten.
double round_up(double value) {
    const double power = std::pow(10, std::floor(std::log10(std::max(value, 1e-9))));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (value <= step * power * (1 + 1e-9)) {
            return step * power;
        }
    }
    return 10 * power;
}

class Drawing {
  public:
    Drawing(const std::vector<Run>& runs, const Panel& panel, double top)
        : runs_(runs), panel_(panel), top_(top) {
        for (const auto& [scenario, outcome] : runs) {
            least_ = std::min(least_, std::log10(scenario.nodes));
            most_ = std::max(most_, std::log10(scenario.nodes));
            highest_ = std::max(highest_, panel.value(outcome));
        }
        highest_ = round_up(highest_);
    }
    std::string draw() const {
        std::string out = fmt::format("<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n",
                                      left_margin, top_ + 22, panel_.title);
        for (int i = 0; i <= 4; i++) {
            const double value = highest_ * i / 4;
            out += fmt::format(
                "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#dddddd\"/>\n"
                "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
                left_margin, page_width - right_margin, y(value), left_margin - 6, y(value) + 4,
                value);
        }
        for (double nodes = std::pow(10, std::ceil(least_ - 1e-9));
             std::log10(nodes) <= most_ + 1e-9; nodes *= 10) {
            out += fmt::format(
                "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.0f} nodes</text>\n",
                x(nodes), top_ + panel_height - bottom_margin + 18, nodes);
        }
        return out + lines();
    }

  private:
    [[nodiscard]] double x(double nodes) const {
        const double span = std::max(1e-9, most_ - least_);
        return left_margin + 20 +
               (std::log10(nodes) - least_) / span * (page_width - left_margin - right_margin - 40);
    }
    [[nodiscard]] double y(double value) const {
        return top_ + panel_height - bottom_margin -
               value / highest_ * (panel_height - top_margin - bottom_margin);
    }
    [[nodiscard]] std::string lines() const {
        std::map<Policy, std::string> paths;
        std::string out;
        for (const auto& [scenario, outcome] : runs_) {
            const double value = panel_.value(outcome);
            if (value < 0) {
                continue;  // never balanced: nothing to draw
            }
            std::string& path = paths[scenario.policy];
            path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x(scenario.nodes),
                                y(value));
            out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n",
                               x(scenario.nodes), y(value), colour(scenario.policy));
        }
        for (const auto& [policy, path] : paths) {
            out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                               path, colour(policy));
        }
        return out;
    }

    const std::vector<Run>& runs_;
    const Panel& panel_;
    double top_;
    double least_ = 9;
    double most_ = 0;
    double highest_ = 1e-6;
};

}  // namespace

std::vector<std::uint32_t> plot_sizes(std::uint32_t largest) {
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t power = 10; power <= largest; power *= 10) {
        for (const std::uint32_t step : {1U, 3U}) {
            if (power * step <= largest) {
                sizes.push_back(power * step);
            }
        }
    }
    return sizes;
}

std::string plot(const std::vector<Run>& runs) {
    const std::vector<Panel> panels{
        {"Time until 99 % of the jobs are well placed, s",
         [](const Outcome& outcome) { return outcome.nearly_s; }},
        {"Messages per node and second", [](const Outcome& outcome) { return outcome.messages; }},
        {"CPU of a node's daemon per second, microseconds (its policy, on this machine)",
         [](const Outcome& outcome) { return outcome.daemon_us; }}};
    const double height = panel_height * static_cast<double>(panels.size()) + 30;
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        page_width, height);
    for (std::size_t i = 0; i < panels.size(); i++) {
        out += Drawing(runs, panels[i], panel_height * static_cast<double>(i)).draw();
    }
    double place = left_margin;
    for (const Policy policy : {Policy::ours, Policy::naive, Policy::none}) {
        const bool drawn = std::any_of(runs.begin(), runs.end(),
                                       [&](const Run& run) { return run.first.policy == policy; });
        if (drawn) {
            out += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n", place,
                               height - 10, colour(policy), policy_word(policy));
            place += 70;
        }
    }
    return out + "</svg>\n";
}

}  // namespace mosrig::simulate
