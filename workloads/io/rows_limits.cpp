// SPDX-License-Identifier: MIT
//
// What a process may use, what it has used, and how it is scheduled; and the calls that no kernel
// has any more.
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "rows.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::Input;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Limits final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    const char* hold() override { return nullptr; }

  protected:
    const char* act() override {
        static constexpr Row<Limits> rows[] = {
            {"setrlimit", &Limits::set_limit},
            {"getrlimit", &Limits::get_limit},
            {"prlimit64", &Limits::both_limits},
            {"getrusage", &Limits::usage},
            {"sysinfo", &Limits::system},
            {"setpriority", &Limits::priority},
            {"ioprio_set", &Limits::priority_of_disk},
            {"sched_getscheduler", &Limits::scheduler},
            {"sched_getparam", &Limits::parameter},
            {"sched_getattr", &Limits::attributes},
            {"sched_rr_get_interval", &Limits::interval},
            {"sched_get_priority_max", &Limits::priorities},
            {"sched_getaffinity", &Limits::get_processors},
            {"sched_setaffinity", &Limits::set_processors},
            {"getcpu", &Limits::processor},
            {"sched_yield", &Limits::yield},
        };
        return judge(*this, rows);
    }

  private:
    // The kernel's processors; there may be fewer.
    static constexpr size_t most_processors = 1024;

    void set_limit(Verdict& verdict) {
        verdict.gives(getrlimit(RLIMIT_NOFILE, &known_), 0);
        const struct rlimit wanted = {known_.rlim_cur - 3, known_.rlim_max};
        const struct rlimit wrong = {known_.rlim_max, known_.rlim_max - 1};
        verdict.gives(call(SYS_setrlimit, RLIMIT_NOFILE, Input(wanted).at()), 0);
        verdict.fails(call(SYS_setrlimit, RLIMIT_NOFILE, Input(wrong).at()), EINVAL);
    }
    void get_limit(Verdict& verdict) {
        const Output output(sizeof(struct rlimit));
        const Output none(sizeof(struct rlimit));
        verdict.gives(call(SYS_getrlimit, RLIMIT_NOFILE, output.at()), 0);
        verdict.sees(output.get<struct rlimit>().rlim_cur == known_.rlim_cur - 3);
        verdict.sees(output.get<struct rlimit>().rlim_max == known_.rlim_max);
        verdict.wrote(output, sizeof(struct rlimit));
        verdict.fails(call(SYS_getrlimit, 99, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    // The new limit goes there as the old one comes back.
    void both_limits(Verdict& verdict) {
        const Output before(sizeof(struct rlimit));
        const Output after(sizeof(struct rlimit));
        const Input wanted(known_);
        verdict.gives(call(SYS_prlimit64, 0, RLIMIT_NOFILE, wanted.at(), before.at()), 0);
        verdict.sees(before.get<struct rlimit>().rlim_cur == known_.rlim_cur - 3);
        verdict.wrote(before, sizeof known_);
        verdict.gives(call(SYS_prlimit64, getpid(), RLIMIT_NOFILE, nullptr, after.at()), 0);
        verdict.sees(after.holds(&known_, sizeof known_));
        verdict.wrote(after, sizeof known_);
        const Output none(sizeof known_);
        verdict.fails(call(SYS_prlimit64, 0x3fffffff, RLIMIT_NOFILE, wanted.at(), none.at()),
                      ESRCH);
        verdict.wrote(none, 0);
    }

    void usage(Verdict& verdict) {
        const Output output(sizeof(struct rusage));
        const Output none(sizeof(struct rusage));
        verdict.gives(call(SYS_getrusage, RUSAGE_SELF, output.at()), 0);
        const auto usage = output.get<struct rusage>();
        verdict.sees(usage.ru_utime.tv_usec < 1000000 && usage.ru_stime.tv_usec < 1000000);
        verdict.sees(usage.ru_maxrss > 0 && usage.ru_minflt > 0 && usage.ru_nivcsw >= 0);
        verdict.wrote(output, sizeof usage);
        verdict.fails(call(SYS_getrusage, 99, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    void system(Verdict& verdict) {
        char text[256];
        const Output output(sizeof(struct sysinfo));
        verdict.sees(mosrig::guest::read_text("/proc/meminfo", text, sizeof text) > 0);
        verdict.gives(call(SYS_sysinfo, output.at()), 0);
        const auto info = output.get<struct sysinfo>();
        verdict.is(static_cast<long long>(info.totalram * info.mem_unit / 1024),
                   mosrig::guest::number_after(text, "MemTotal:"));
        verdict.is(output.get<int>(sizeof info - sizeof(int)), 0);
        verdict.sees(info.uptime > 0 && info.procs > 1 && info.freeram <= info.totalram);
        verdict.wrote(output, sizeof info);
    }

    // Which of them has which priority is told from 1 on, the best being 40.
    void priority(Verdict& verdict) {
        const long before = call(SYS_getpriority, PRIO_PROCESS, 0);
        verdict.gives(call(SYS_setpriority, PRIO_PROCESS, 0, 20 - before + 2), 0);
        verdict.gives(call(SYS_getpriority, PRIO_PROCESS, getpid()), before - 2);
        verdict.gives(call(SYS_setpriority, PRIO_PROCESS, 0, 20 - before), 0);
        verdict.fails(call(SYS_setpriority, 99, 0, 1), EINVAL);
    }
    void priority_of_disk(Verdict& verdict) {
        constexpr long wanted = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 5;
        const long before = call(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
        verdict.gives(call(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, wanted), 0);
        verdict.gives(call(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), wanted);
        verdict.gives(call(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, before), 0);
        verdict.fails(call(SYS_ioprio_set, 99, 0, wanted), EINVAL);
    }

    void scheduler(Verdict& verdict) {
        verdict.gives(call(SYS_sched_getscheduler, 0), sched_getscheduler(0));
        verdict.fails(call(SYS_sched_getscheduler, -1), EINVAL);
    }
    void parameter(Verdict& verdict) {
        const Output output(4);
        const Output none(4);
        verdict.gives(call(SYS_sched_getparam, 0, output.at()), 0);
        verdict.is(output.get<int>(), 0);
        verdict.wrote(output, 4);
        verdict.fails(call(SYS_sched_getparam, 0x3fffffff, none.at()), ESRCH);
        verdict.wrote(none, 0);
    }
    // As much of it as there is room for.
    void attributes(Verdict& verdict) {
        constexpr uint32_t room = 51;
        const Output output(room);
        const Output none(room);
        verdict.gives(call(SYS_sched_getattr, 0, output.at(), room, 0), 0);
        verdict.is(output.get<uint32_t>(), room);
        verdict.is(output.get<uint32_t>(4), sched_getscheduler(0));
        verdict.is(output.get<int32_t>(16), getpriority(PRIO_PROCESS, 0));
        verdict.wrote(output, room);
        verdict.fails(call(SYS_sched_getattr, 0, none.at(), 47, 0), EINVAL);
        verdict.wrote(none, 0);
    }
    void interval(Verdict& verdict) {
        const Output output(sizeof(struct timespec));
        const Output none(sizeof(struct timespec));
        verdict.gives(call(SYS_sched_rr_get_interval, 0, output.at()), 0);
        verdict.is(output.get<struct timespec>().tv_sec, 0);
        const long part = output.get<struct timespec>().tv_nsec;
        verdict.sees(part >= 0 && part < 1000000000);
        verdict.wrote(output, sizeof(struct timespec));
        verdict.fails(call(SYS_sched_rr_get_interval, -1, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    void priorities(Verdict& verdict) {
        verdict.gives(call(SYS_sched_get_priority_max, SCHED_FIFO), 99);
        verdict.gives(call(SYS_sched_get_priority_min, SCHED_FIFO), 1);
        verdict.gives(call(SYS_sched_get_priority_max, SCHED_OTHER), 0);
        verdict.fails(call(SYS_sched_get_priority_min, 99), EINVAL);
    }

    // The first of those that it may run on.
    [[nodiscard]] size_t first_processor() const {
        const auto* const found = std::find_if(processors_, processors_ + sizeof processors_,
                                               [](unsigned char byte) { return byte != 0; });
        const auto at = static_cast<size_t>(found - processors_);
        return at == sizeof processors_
                   ? 0
                   : at * 8 + static_cast<size_t>(__builtin_ctz(processors_[at]));
    }
    void get_processors(Verdict& verdict) {
        constexpr size_t room = sizeof processors_ + 8;
        const Output most(room);
        const long size = call(SYS_sched_getaffinity, 0, room, most.at());
        verdict.sees(size >= 8 && size <= static_cast<long>(sizeof processors_));
        size_ = static_cast<size_t>(size > 0 ? size : 8);
        verdict.wrote(most, size_);
        const Output enough(size_);
        verdict.gives(call(SYS_sched_getaffinity, getpid(), size_, enough.at()), size);
        verdict.sees(enough.holds(most.at(), size_));
        verdict.wrote(enough, size_);
        const Output none(room);
        verdict.fails(call(SYS_sched_getaffinity, 0, 9, none.at()), EINVAL);
        verdict.wrote(none, 0);
        memcpy(processors_, enough.at(), std::min(size_, sizeof processors_));
        verdict.sees(std::any_of(processors_, processors_ + sizeof processors_,
                                 [](unsigned char byte) { return byte != 0; }));
    }
    // On no processor nobody can run; on one, of which so many bytes are enough to tell.
    void set_processors(Verdict& verdict) {
        const unsigned char none[3] = {};
        const size_t first = first_processor();
        unsigned char one[sizeof processors_] = {};
        one[first / 8] = static_cast<unsigned char>(1U << first % 8);
        const size_t length = first / 8 + 1;
        verdict.fails(call(SYS_sched_setaffinity, 0, 3, Input(none).at()), EINVAL);
        verdict.gives(call(SYS_sched_setaffinity, 0, length, Input(one, length).at()), 0);
        const Output now(size_);
        verdict.gives(call(SYS_sched_getaffinity, 0, size_, now.at()), static_cast<long>(size_));
        verdict.sees(now.holds(one, size_));
    }
    // It runs on that one now. Nothing asks for the third argument any more.
    void processor(Verdict& verdict) {
        const Output number(4);
        const Output node(4);
        verdict.gives(call(SYS_getcpu, number.at(), node.at(), nullptr), 0);
        verdict.is(number.get<uint32_t>(), static_cast<long long>(first_processor()));
        verdict.sees(node.get<uint32_t>() < most_processors);
        verdict.wrote(number, 4);
        verdict.wrote(node, 4);
        verdict.gives(call(SYS_sched_setaffinity, 0, size_, Input(processors_, size_).at()), 0);
    }

    void yield(Verdict& verdict) { verdict.gives(call(SYS_sched_yield), 0); }

    struct rlimit known_ = {};
    size_t size_ = 8;
    unsigned char processors_[most_processors / 8] = {};
};

// Calls that are left as numbers.
class Absent final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    const char* hold() override { return nullptr; }

  protected:
    const char* act() override {
        Verdict verdict;
        for (const auto& [name, number] : calls) {
            verdict.of(name);
            verdict.fails(call(number, 0, 0, 0, 0, 0, 0), ENOSYS);
        }
        answer_ = verdict;
        return answer_.wrong();
    }

  private:
    static constexpr struct {
        const char* name;
        long number;
    } calls[] = {
        {"_sysctl", SYS__sysctl},
        {"create_module", SYS_create_module},
        {"get_kernel_syms", SYS_get_kernel_syms},
        {"query_module", SYS_query_module},
        {"nfsservctl", SYS_nfsservctl},
        {"getpmsg", SYS_getpmsg},
        {"putpmsg", SYS_putpmsg},
        {"afs_syscall", SYS_afs_syscall},
        {"tuxcall", SYS_tuxcall},
        {"security", SYS_security},
        {"lookup_dcookie", SYS_lookup_dcookie},
        {"epoll_ctl_old", SYS_epoll_ctl_old},
        {"epoll_wait_old", SYS_epoll_wait_old},
        {"vserver", SYS_vserver},
    };

    Verdict answer_;
};

const mosrig::guest::KindOf<Limits> limits("rows-limits");
const mosrig::guest::KindOf<Absent> absent("rows-absent");

}  // namespace
