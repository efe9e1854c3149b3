// SPDX-License-Identifier: GPL-2.0-only
// How the programs of people begin: where the node keeps things, help, options, the kernel.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "common/hpc.h"
#include "common/program.h"

namespace mosrig {

// A program and what it was called with.
template <class Options>
struct Call {
    Options options;
    Hpc hpc;
};

// Takes --root out of the words, answers --help, and has parse(words) make
// the options of the rest, a Result. If there is nothing else to do, gives the exit status instead.
template <class Parse>
auto begin_program(const char* name, const char* usage, Words words, const Parse& parse)
    -> tl::expected<Call<typename std::invoke_result_t<Parse, const Words&>::value_type>, int> {
    auto places = take_places(words);
    if (!places) {
        return tl::unexpected(wrong_usage(name, places.error().text, usage));
    }
    if (std::find(words.begin(), words.end(), "--help") != words.end()) {
        return tl::unexpected(put(usage));
    }
    auto options = parse(words);
    if (!options) {
        return tl::unexpected(wrong_usage(name, options.error().text, usage));
    }
    return {{std::move(*options), Hpc(std::move(*places))}};
}

// The same for a program that is of no use on another kernel.
template <class Parse>
auto begin_on_openmosix(const char* name, const char* usage, Words words, const Parse& parse) {
    auto call = begin_program(name, usage, std::move(words), parse);
    if (call && !is_openmosix(call->hpc.places())) {
        call = tl::unexpected(not_openmosix(name));
    }
    return call;
}

}  // namespace mosrig
