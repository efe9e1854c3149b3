// SPDX-License-Identifier: MIT
#include "harness/workload/allowed_keys.h"

#include <map>

namespace mosrig {

namespace {

struct Allowed {
    Keys run;
    Keys phase;
};

Keys operator+(Keys keys, const Keys& more) {
    keys.insert(more.begin(), more.end());
    return keys;
}

const std::map<Procedure, Allowed>& table() {
    // Of a process before any request, and of what the report shows.
    const Keys stated = {"cantmove", "lock", "parent_lock", "manual"};
    const Keys refused = stated + Keys{"as", "errno", "moswhy"};
    // A start of a program that speaks the contract.
    const Keys subject = {"command", "user", "phases"};
    static const std::map<Procedure, Allowed> all = {
        {Procedure::phases,
         {subject + Keys{"from", "reason", "moswhy", "stays_for_good", "watcher", "needs"},
          refused + Keys{"send", "write_lock", "write_errno", "subject", "times", "decisive",
                         "away", "ends", "home_reason", "cantmove_home", "companion", "pageout",
                         "route", "onward"}}},
        {Procedure::stalled, {{"command", "phases", "output", "output_count"}, refused}},
        {Procedure::existing, {{"command", "phases"}, refused}},
        {Procedure::kill, {subject, stated}},
        {Procedure::script, {{"command", "phases"}, stated + Keys{"times"}}},
        {Procedure::program,
         {subject + Keys{"status", "stays_away", "each_moves", "each_goes"},
          {"cantmove", "lock", "manual"}}},
        {Procedure::round_trips, {subject + Keys{"round_trips", "round_trips_at_most"}, stated}},
        {Procedure::requests, {subject, stated}},
        {Procedure::emptying, {subject + Keys{"interrupted"}, stated}},
        {Procedure::strangers, {subject, stated}},
        // Nothing is read of a route but how many nodes it takes.
        {Procedure::failures, {subject + Keys{"messages", "events"}, stated + Keys{"route"}}},
        {Procedure::deaf, {subject, stated}},
        {Procedure::transit, {subject + Keys{"messages"}, stated + Keys{"route"}}},
        {Procedure::disasters, {subject + Keys{"messages", "events"}, stated + Keys{"route"}}},
        {Procedure::bad_network, {subject + Keys{"messages", "events"}, stated}},
        {Procedure::soak, {subject + Keys{"copies"}, stated + Keys{"times"}}},
        {Procedure::out_of_memory, {subject + Keys{"events"}, stated}},
        {Procedure::balance,
         {subject + Keys{"from", "asks", "copies", "automatic", "busy", "crowd", "crowd_there",
                         "hog", "speeds", "best", "extra_moves", "frees", "quiet_s"},
          stated + Keys{"send", "subject", "moswhy"}}},
        {Procedure::tools, {subject + Keys{"asks", "needs"}, stated}},
        {Procedure::session, {{"phases", "needs", "steps"}, stated}},
        {Procedure::daemon, {subject, stated}},
    };
    return all;
}

}  // namespace

const Keys& run_keys(Procedure procedure) {
    return table().at(procedure).run;
}

const Keys& phase_keys(Procedure procedure) {
    return table().at(procedure).phase;
}

bool needs_command(Procedure procedure) {
    return run_keys(procedure).count("command") != 0;
}

}  // namespace mosrig
