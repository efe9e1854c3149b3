// SPDX-License-Identifier: MIT
//
// What the kinds `io rows-...` are made of. Each makes every call of its family past the C library,
// which would make another one of many: what travels is as the row of that very call says.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "workloads/lib/deed.h"

namespace mosrig::guest {

// An argument as it fills its register: what the C library leaves in the upper half for one that is
// short is not defined.
template <class Argument>
long whole(Argument argument) {
    if constexpr (std::is_pointer_v<Argument>) {
        return reinterpret_cast<long>(argument);
    } else if constexpr (std::is_null_pointer_v<Argument>) {
        return 0;
    } else {
        return static_cast<long>(argument);
    }
}

// A system call by its number.
template <class... Arguments>
long call(long number, Arguments... arguments) {
    return syscall(number, whole(arguments)...);
}

// What a call reads: in memory that may only be read, and right before memory that may not even be
// that, so that who takes more than the call does is refused.
class Input {
  public:
    Input(const void* bytes, size_t size);
    template <class Object>
    explicit Input(const Object& object) : Input(&object, sizeof object) {}
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;
    ~Input();

    [[nodiscard]] const unsigned char* at() const { return start_; }

  private:
    unsigned char* pages_;
    unsigned char* start_;
};

// Where a call writes: at an odd address, one half in a page that has been written to, the other in
// one that nobody has touched yet. What it must leave alone is looked at, too.
class Output {
  public:
    // From now on it is the second half that has been written to, or the first one again.
    static void turn_over() { second_ = !second_; }

    explicit Output(size_t size);
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output();

    [[nodiscard]] unsigned char* at() const { return start_; }
    // For a call that reads it as well. Both pages are touched by that.
    template <class Object>
    void put(const Object& object) {
        memcpy(start_, &object, sizeof object);
    }
    // What lies there, from a place on.
    template <class Object>
    [[nodiscard]] Object get(size_t place = 0) const {
        Object object;
        memcpy(&object, start_ + place, sizeof object);
        return object;
    }
    [[nodiscard]] bool holds(const void* bytes, size_t size, size_t place = 0) const {
        return memcmp(start_ + place, bytes, size) == 0;
    }
    // Whether nothing but the first `count` bytes has changed.
    [[nodiscard]] bool kept(size_t count) const;

  private:
    static bool second_;

    unsigned char* pages_;
    unsigned char* start_;
    unsigned char* touched_;
};

// The first thing that was wrong with any of many calls. It says where in the source that was asked
// for, since a call is made in more than one way.
class Verdict {
  public:
    // The next words are about this call.
    void of(const char* name) { name_ = name; }
    // nullptr if all was right.
    [[nodiscard]] const char* wrong() const { return wrong_[0] != '\0' ? wrong_ : nullptr; }

    // A call that was made just now has given this, or has failed with this error.
    void gives(long seen, long wanted, int line = __builtin_LINE());
    void fails(long seen, int error, int line = __builtin_LINE());
    // What came of it.
    void is(long long seen, long long wanted, int line = __builtin_LINE());
    void sees(bool right, int line = __builtin_LINE());
    // A call that may write so much has written so much, and nothing beside it.
    void wrote(const Output& output, size_t count, int line = __builtin_LINE());

  private:
    void note(int line, const char* text);

    const char* name_ = "";
    char wrong_[160] = {};
};

// Who tries which call.
template <class Program>
struct Row {
    const char* call;
    void (Program::*attempt)(Verdict& verdict);
};

class Rows : public Deed {
  public:
    using Deed::Deed;

  protected:
    // All of them, twice, each time with another half of what they write to.
    template <class Program, size_t count>
    const char* judge(Program& program, const Row<Program> (&rows)[count]) {
        verdict_ = {};
        for (size_t turn = 0; turn < 2 * count && verdict_.wrong() == nullptr; ++turn) {
            // The next ones use what this one should have made.
            const Row<Program>& row = rows[turn % count];
            verdict_.of(row.call);
            (program.*row.attempt)(verdict_);
            if (turn % count == count - 1) {
                Output::turn_over();
            }
        }
        return verdict_.wrong();
    }

  private:
    Verdict verdict_;
};

// A folder for names of one's own, gone with its owner if it is empty again.
class OwnFolder {
  public:
    OwnFolder() = default;
    OwnFolder(const OwnFolder&) = delete;
    OwnFolder& operator=(const OwnFolder&) = delete;
    ~OwnFolder();

    // False with errno if there can be none.
    [[nodiscard]] bool make(const char* parent);
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] const char* path() const { return path_; }

  private:
    char path_[64] = {};
    int fd_ = -1;
};

// The path of a name in a folder.
class Path {
  public:
    Path(const OwnFolder& folder, const char* name);
    [[nodiscard]] const char* text() const { return text_; }

  private:
    char text_[128];
};

}  // namespace mosrig::guest
