// SPDX-License-Identifier: MIT
// The description of a case: the YAML file beside a workload.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/terminal_size.h"
#include "harness/verdict/case_result.h"

namespace mosrig {

// How a case is driven.
enum class Procedure {
    phases,         // a workload that speaks the contract
    stalled,        // a program that prints and ends, held at its first output
    existing,       // a process that every node has
    kill,           // killed at home while it is away
    script,         // a program of anyone's that computes and prints
    program,        // a real program, run still and under continuous moves
    round_trips,    // a workload whose calls are counted on the wire
    requests,       // what may be asked for, and what is answered to it
    emptying,       // a node's guests go, or its own processes come
    strangers,      // packets and connections of who is not of the cluster
    failures,       // a side dies or a link breaks at one message of a move
    deaf,           // a guest's kernel answers, and a body there hears nothing
    transit,        // signals come while a message of a move is held back
    disasters,      // a whole node, or the network between two, goes
    bad_network,    // the network delays frames, or loses some
    soak,           // very many moves, and nothing left behind
    out_of_memory,  // memory runs out under a process that is away
    balance,        // nobody asks: what the balancer does by itself
    tools,          // what people type, and what they are told
    session,        // somebody works at a terminal, over ssh
    daemon,         // the node daemon goes, comes back, is a stranger, does without a map
};

// Something to be shown beside the phases.
enum class Proof { away_time, cpu_time, demand_paging, memory_options };

// Who starts the program.
enum class Origin {
    rig,
    boot_script,  // of the node, so that it descends from inittab's rc lines
};

// Whose state a phase looks at: so many generations below the program.
enum class Who { started, child, grandchild };

// Where the process is once it has done away what the phase asks of it.
enum class Ends {
    away,  // still there, without having left for an instant
    home,  // it came home by itself
    gone,  // it ended there
    any,
};

// What holds between two things that the rig does to a program.
struct Phase {
    std::string send;             // a word of the contract that begins the phase, may be empty
    std::optional<int> set_lock;  // written to /proc/PID/lock at the beginning
    std::string lock_errno;       // that this write must give, empty: it succeeds
    int user = 0;                 // who writes and asks
    Who who = Who::started;
    std::vector<std::string> cantmove;
    int lock = 0;
    std::optional<int> parent_lock;
    std::optional<Answer> manual;   // nothing: only look
    std::string errno_name;         // of a refusal
    int times = 1;                  // moves out and home
    std::vector<std::string> away;  // words sent while away, each answered by OK
    Ends ends = Ends::away;
    std::string home_reason;                 // what brings it home, as migstat begins it
    std::vector<std::string> cantmove_home;  // once that has happened
    bool companion = false;                  // its child is away, too, on the last node
    bool pageout = false;    // once away, all its memory there is paged out before it goes on
    std::vector<int> route;  // nodes that it goes on to from the first, without coming home
    std::vector<std::string> onward;  // words that it answers on each of those
    bool decisive = false;            // the report shows this phase
    // Patterns of what moswhy says of it, as on one line; PID and PARENT stand for its numbers.
    std::vector<std::string> moswhy;
};

// A command that somebody types, and what comes of it.
struct Ask {
    std::vector<std::string> run;  // PID stands for the process under test, here and below
    int user = 0;
    bool at_guest = false;
    int status = 0;
    std::vector<std::string> out;  // patterns, each of which is found in what it prints
    std::vector<std::string> err;  // the same, on standard error
};

// Something that somebody at a terminal does, and what the screen shows in the end.
struct Step {
    std::string keys;
    std::optional<TerminalSize> size;  // the window gets this size, instead of keys
    std::string front;  // program that must have the terminal before; with keys it may be empty
    std::string shows;  // pattern of the whole screen; ^ and $ are of each line
    std::string moves;  // name of the program that is asked to move before, and does so at a key
};

// One start of the program.
struct Run {
    std::vector<std::string> command;
    Origin origin = Origin::rig;
    int user = 0;
    std::vector<Phase> phases;
    std::vector<std::string> output;                 // exact lines, digits shown as '#'
    std::map<std::string, int> output_count;         // text and how often the output has it
    std::string watcher;                             // shell text that runs beside it, with PID set
    std::map<std::string, int> round_trips;          // word, and what one of its calls costs
    std::map<std::string, int> round_trips_at_most;  // the same, where less will do
    int status = 0;                                  // with which the program ends
    std::string stays_away;                          // name of the process no call may bring home
    std::string each_moves;                          // pattern of the names of those that must move
    std::string each_goes;  // prefix: with each argument it names one that must move once
    std::vector<std::string> messages;      // at which something is to fail
    std::vector<std::string> events;        // what is to happen to nodes and links
    int copies = 1;                         // how many of the program run at once
    Automatic automatic = Automatic::none;  // what the balancer makes of them
    bool busy = false;                      // it computes, though it only holds something
    int crowd = 0;                   // busy loops that compete with them and are locked at home
    int crowd_there = 0;             // the same on the node that it is moved to by hand first
    bool hog = false;                // a program takes nearly all memory of the node
    std::vector<int> speeds;         // of home and of the others, the last of all further ones
    std::vector<int> best;           // how many of them home and each other shall have in the end
    std::optional<int> extra_moves;  // beyond the least; nothing: a quarter of them
    std::string frees;  // a word that lets it go, or lock: 0 is written to it; then it leaves
    bool interrupted = false;  // what empties a node is interrupted first
    std::vector<Ask> asks;
    std::vector<Step> steps;
    std::vector<std::string> needs;  // programs that the nodes must have
    int quiet_s = 10;                // once they have spread, none of them moves for so long
};

struct Description {
    std::string id;
    std::string title;
    std::string tier;  // quick, full, night
    Procedure procedure = Procedure::phases;
    int vcpus = 0;         // not 0: it wants nodes of its own, each with so many CPUs
    int memory_mib = 0;    // not 0: the same, each with so much memory
    int nodes = 2;         // how many it takes; with fewer it is skipped, as it may be
    std::string may_skip;  // why a skip of it is no failure of the run; empty: it is one
    // Not empty: it wants nodes of its own, one of each boot profile; home is the one of this.
    std::string boot;
    // Not empty: it wants nodes of its own, of which the guest's CPU lacks this feature.
    std::string guest_lacks;
    std::vector<Proof> proofs;
    std::vector<Run> runs;

    // The phase that the report shows: the decisive one, else the first that asks for a move, else
    // the first.
    [[nodiscard]] const Phase& decisive() const;
    [[nodiscard]] bool wants_own_nodes() const {
        return vcpus != 0 || memory_mib != 0 || !boot.empty() || !guest_lacks.empty();
    }
    [[nodiscard]] bool proves(Proof proof) const;
    // Whether a run of `wanted` (quick, full, night) has this case.
    [[nodiscard]] bool in_tier(const std::string& wanted) const;
};

// Whether one of the words of a command line, an id or a pattern as 'fail-*', means the case `id`.
bool is_named(const std::string& id, const std::vector<std::string>& words);

// Parses the descriptions in one file, parted by `---`; an error says where in the text it is
// wrong.
Result<std::vector<Description>> parse_descriptions(const std::string& yaml,
                                                    const std::string& name);

// Every *.yml in `folder` and the folders in it, by id. Two of one id are an error.
Result<std::vector<Description>> load_descriptions(const std::filesystem::path& folder);

}  // namespace mosrig
