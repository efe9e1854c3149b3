// SPDX-License-Identifier: MIT
//
// One program for a topic, one source file for each kind of it: `stay aio`, `io pipes`. A file
// says at its end
//     const KindOf<Aio> aio("aio");
// and nothing else has to know of it.
#pragma once

#include "holder.h"

namespace mosrig::guest {

class Kind {
  public:
    explicit Kind(const char* name);
    Kind(const Kind&) = delete;
    Kind& operator=(const Kind&) = delete;
    virtual ~Kind() = default;

    [[nodiscard]] const char* name() const { return name_; }
    // The program itself, made at the first call.
    [[nodiscard]] virtual Holder& holder() const = 0;

    [[nodiscard]] static const Kind* find(const char* name);
    // Prints the names, for a person who gave none of them.
    static void list();

  private:
    const char* name_;
    const Kind* next_;
};

// A kind made as Program(name, arguments...).
template <class Program, auto... arguments>
class KindOf final : public Kind {
  public:
    using Kind::Kind;
    [[nodiscard]] Holder& holder() const override {
        static Program program(name(), arguments...);
        return program;
    }
};

}  // namespace mosrig::guest
