// SPDX-License-Identifier: MIT
//
// Every option of prctl that leaves a process away: numbers, and the few that point to something.
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "rows_commands.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::AtHome;
using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

// All five arguments: some options fail if one that they do not use is not 0.
template <class Argument>
long option(int which, Argument argument, long third = 0) {
    return call(SYS_prctl, which, argument, third, 0, 0);
}

class Options final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    const char* hold() override {
        traced_.was(option(PR_SET_PTRACER, 0));
        return option(PR_GET_NAME, name_) != 0 || option(PR_GET_PDEATHSIG, &death_) != 0
                   ? failed("prctl")
                   : nullptr;
    }

  protected:
    const char* act() override {
        static constexpr Row<Options> rows[] = {
            {"PR_SET_NAME", &Options::name},
            {"PR_SET_PDEATHSIG", &Options::signal_of_parent},
            {"PR_SET_CHILD_SUBREAPER", &Options::reaper},
            {"PR_SET_DUMPABLE", &Options::dumpable},
            {"PR_SET_KEEPCAPS", &Options::kept_capabilities},
            {"PR_SET_SECUREBITS", &Options::secure_bits},
            {"PR_CAPBSET_DROP", &Options::bounding_set},
            {"PR_CAP_AMBIENT", &Options::ambient_set},
            {"PR_SET_TIMERSLACK", &Options::slack},
            {"PR_SET_PTRACER", &Options::tracer},
            {"PR_SET_NO_NEW_PRIVS", &Options::no_new_privileges},
        };
        return judge(*this, rows);
    }

  private:
    static constexpr size_t room = 16;

    void judge_name(Verdict& verdict, const char* wanted, int line = __builtin_LINE()) {
        char padded[room] = {};
        memcpy(padded, wanted, strnlen(wanted, room - 1));
        const Output name(room);
        verdict.gives(option(PR_GET_NAME, name.at()), 0, line);
        verdict.sees(name.holds(padded, room), line);
        verdict.wrote(name, room, line);
    }
    // As long as it says, or as there is room for.
    void name(Verdict& verdict) {
        verdict.gives(option(PR_SET_NAME, Input("a", 2).at()), 0);
        judge_name(verdict, "a");
        verdict.gives(option(PR_SET_NAME, Input("fifteen letters", 16).at()), 0);
        judge_name(verdict, "fifteen letters");
        verdict.gives(option(PR_SET_NAME, Input("more letters than fit", 22).at()), 0);
        judge_name(verdict, "more letters than fit");
        verdict.gives(option(PR_SET_NAME, Input(name_, strlen(name_) + 1).at()), 0);
        judge_name(verdict, name_);
    }
    // One that tells a number into memory.
    void judge_told(Verdict& verdict, int which, int wanted, int line = __builtin_LINE()) {
        const Output told(sizeof wanted);
        verdict.gives(option(which, told.at()), 0, line);
        verdict.is(told.get<int>(), wanted, line);
        verdict.wrote(told, sizeof wanted, line);
    }
    void signal_of_parent(Verdict& verdict) {
        verdict.gives(option(PR_SET_PDEATHSIG, SIGWINCH), 0);
        judge_told(verdict, PR_GET_PDEATHSIG, SIGWINCH);
        verdict.fails(option(PR_SET_PDEATHSIG, 99), EINVAL);
        verdict.gives(option(PR_SET_PDEATHSIG, death_), 0);
        judge_told(verdict, PR_GET_PDEATHSIG, death_);
    }
    void reaper(Verdict& verdict) {
        verdict.gives(option(PR_SET_CHILD_SUBREAPER, 1), 0);
        judge_told(verdict, PR_GET_CHILD_SUBREAPER, 1);
        verdict.gives(option(PR_SET_CHILD_SUBREAPER, 0), 0);
        judge_told(verdict, PR_GET_CHILD_SUBREAPER, 0);
    }

    void dumpable(Verdict& verdict) {
        verdict.gives(option(PR_SET_DUMPABLE, 0), 0);
        verdict.gives(option(PR_GET_DUMPABLE, 0), 0);
        verdict.fails(option(PR_SET_DUMPABLE, 2), EINVAL);
        verdict.gives(option(PR_SET_DUMPABLE, 1), 0);
        verdict.gives(option(PR_GET_DUMPABLE, 0), 1);
    }
    void kept_capabilities(Verdict& verdict) {
        verdict.gives(option(PR_SET_KEEPCAPS, 1), 0);
        verdict.gives(option(PR_GET_KEEPCAPS, 0), 1);
        verdict.fails(option(PR_SET_KEEPCAPS, 2), EINVAL);
        verdict.gives(option(PR_SET_KEEPCAPS, 0), 0);
        verdict.gives(option(PR_GET_KEEPCAPS, 0), 0);
    }
    void secure_bits(Verdict& verdict) {
        verdict.gives(option(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), 0);
        verdict.gives(option(PR_GET_SECUREBITS, 0), SECBIT_NO_SETUID_FIXUP);
        verdict.fails(option(PR_SET_SECUREBITS, 1 << 20), EPERM);
        verdict.gives(option(PR_SET_SECUREBITS, 0), 0);
        verdict.gives(option(PR_GET_SECUREBITS, 0), 0);
    }
    // What has been dropped does not come back, and is dropped again for nothing.
    void bounding_set(Verdict& verdict) {
        verdict.gives(option(PR_CAPBSET_READ, CAP_KILL), 1);
        verdict.gives(option(PR_CAPBSET_READ, CAP_WAKE_ALARM), dropped_ ? 0 : 1);
        verdict.gives(option(PR_CAPBSET_DROP, CAP_WAKE_ALARM), 0);
        verdict.gives(option(PR_CAPBSET_READ, CAP_WAKE_ALARM), 0);
        verdict.fails(option(PR_CAPBSET_READ, 99), EINVAL);
        verdict.fails(option(PR_CAPBSET_DROP, 99), EINVAL);
        dropped_ = true;
    }
    void ambient_set(Verdict& verdict) {
        verdict.gives(option(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL), 0);
        verdict.fails(option(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL), EPERM);
        verdict.gives(option(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL), 0);
        verdict.gives(option(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL), 0);
        verdict.fails(option(PR_CAP_AMBIENT, 99, CAP_KILL), EINVAL);
    }
    // 0 is what it had from its parent.
    void slack(Verdict& verdict) {
        const long before = option(PR_GET_TIMERSLACK, 0);
        verdict.sees(before > 0);
        verdict.gives(option(PR_SET_TIMERSLACK, 77777), 0);
        verdict.gives(option(PR_GET_TIMERSLACK, 0), 77777);
        verdict.gives(option(PR_SET_TIMERSLACK, 0), 0);
        verdict.gives(option(PR_GET_TIMERSLACK, 0), before);
    }
    // Few kernels have it.
    void tracer(Verdict& verdict) { traced_.judge(verdict, option(PR_SET_PTRACER, 0)); }
    // Promised once and for all. And none of its calls is filtered.
    void no_new_privileges(Verdict& verdict) {
        verdict.gives(option(PR_GET_NO_NEW_PRIVS, 0), promised_ ? 1 : 0);
        verdict.gives(option(PR_SET_NO_NEW_PRIVS, 1), 0);
        promised_ = true;
        verdict.gives(option(PR_GET_NO_NEW_PRIVS, 0), 1);
        verdict.fails(option(PR_SET_NO_NEW_PRIVS, 0), EINVAL);
        verdict.fails(option(PR_GET_NO_NEW_PRIVS, 1), EINVAL);
        verdict.gives(option(PR_GET_SECCOMP, 0), 0);
    }

    char name_[room] = {};
    int death_ = 0;
    bool dropped_ = false;
    bool promised_ = false;
    AtHome traced_;
};

const mosrig::guest::KindOf<Options> options("rows-prctl");

}  // namespace
