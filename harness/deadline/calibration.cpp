// SPDX-License-Identifier: MIT
#include "harness/deadline/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/base/fd.h"

namespace mosrig {

namespace {

// 50 times fork, exec and wait of a static program where nominal times hold: four times what a KVM
// guest on an idle host takes, since emulation slows a fork far more than anything a case waits
// for.
constexpr std::chrono::microseconds probe_reference(100'000);

std::filesystem::path calibration_file(const std::filesystem::path& state) {
    return state / "calibration.json";
}

}  // namespace

Calibration::Calibration(double factor)
    : factor_(std::isfinite(factor) ? std::clamp(factor, 1.0, 30.0) : 30.0) {}

Calibration Calibration::from_probe(std::chrono::microseconds measured) {
    return Calibration(static_cast<double>(measured.count()) /
                       static_cast<double>(probe_reference.count()));
}

Result<Calibration> Calibration::load(const std::filesystem::path& state) {
    MOSRIG_TRY(const std::string text, read_text_file(calibration_file(state)));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("factor") || !json["factor"].is_number()) {
        return infra_error(fmt::format("{} holds no factor", calibration_file(state).string()),
                           "run `mosrig down` and `mosrig up`");
    }
    return Calibration(json["factor"].get<double>());
}

Result<void> Calibration::save(const std::filesystem::path& state) const {
    const nlohmann::json json = {{"factor", factor_}};
    return write_text_file(calibration_file(state), json.dump() + "\n");
}

Millis Calibration::scale(Millis nominal) const {
    return Millis(std::llround(static_cast<double>(nominal.count()) * factor_));
}

Deadline Calibration::deadline(std::string name, Millis nominal) const {
    return {std::move(name), scale(nominal)};
}

}  // namespace mosrig
