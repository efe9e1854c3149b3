// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstring>

namespace mosrig::guest {

// The workload contract on the wire: a program says READY, then obeys lines on stdin:
// VERIFY is answered by OK or "BAD why", END ends it with a line "SUMMARY ...".
// RELEASE asks it to drop whatever keeps it from moving, and is answered as VERIFY is;
// IDENTITY is answered by who and where the program believes to be;
// BUSY has it compute while it waits, as if it had much to do.
// Nothing here allocates or uses a thread, so that a workload does only what it says it does.
class Workload {
  public:
    Workload() = default;
    Workload(const Workload&) = delete;
    Workload& operator=(const Workload&) = delete;
    virtual ~Workload() = default;

    // One turn of work between two looks at stdin; returns at once if the program only waits.
    virtual void work() {}
    // nullptr if all is well, else what is wrong in a few words (static text).
    virtual const char* verify() { return nullptr; }
    // Drops the reason for staying; nullptr or what failed.
    virtual const char* release() { return "nothing to release"; }
    // Any other word of the rig; false if this program does not know it.
    virtual bool command(const char* word) { return word == nullptr; }
    // What END prints after SUMMARY; must not depend on time or place.
    virtual void summary(char* text, size_t room) = 0;
    // How long a turn may sleep for a line of the rig, in milliseconds; 0 only looks.
    virtual int patience_ms() const { return 100; }
};

// Writes one line, whole, to stdout.
void say(const char* text);

// Says OK, or BAD and what is wrong: the answer to a word.
void answer(const char* wrong);

// What a program does at a word, and says as an answer to it.
struct Part {
    const char* word;
    const char* (*act)();
};

// Does the part of that word, and answers; false if there is none.
template <size_t count>
bool answer_part(const Part (&parts)[count], const char* word) {
    for (const Part& part : parts) {
        if (strcmp(part.word, word) == 0) {
            answer(part.act());
            return true;
        }
    }
    return false;
}

// Obeys the rig until END; returns the exit status of the program. Says READY first, unless another
// process of this program has said it already.
int serve(Workload& workload, bool say_ready = true);

// The program's own name for an error number, or "error"; for BAD lines.
const char* errno_text();

// Prints "SKIP why" instead of READY: the node lacks what this workload needs. Returns status 77.
int skip(const char* why);

}  // namespace mosrig::guest
