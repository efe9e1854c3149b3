// SPDX-License-Identifier: MIT
//
// Commands of ioctl for files, pipes, disks and sockets; and one that home does not know.
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "connection.h"
#include "rows_commands.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/scratch.h"

namespace {

using mosrig::guest::AtHome;
using mosrig::guest::call;
using mosrig::guest::comes;
using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::KindOf;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::set;
using mosrig::guest::tells;
using mosrig::guest::tells_nothing;
using mosrig::guest::Verdict;

constexpr int nobody = 0x3fffffff;
constexpr size_t file_size = 12345;

class Ioctl final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;

    const char* hold() override {
        file_ = mosrig::guest::scratch_file(O_CLOEXEC);
        reader_ = mosrig::guest::reopen(file_, O_RDONLY);
        if (reader_ < 0 || ftruncate(file_, file_size) != 0 || pwrite(file_, "x", 1, 5000) != 1 ||
            fsync(file_) != 0 || pipe2(pipe_, O_CLOEXEC) != 0 || !connection_.open()) {
            return failed("a file, a pipe, a connection");
        }
        flags_known_.was(ioctl(file_, FS_IOC_GETFLAGS, &flags_));
        cloned_.was(ioctl(file_, FICLONE, reader_));
        find_disk();
        return find_interfaces() ? nullptr : failed("the interfaces of the network");
    }

  protected:
    const char* act() override {
        static constexpr Row<Ioctl> rows[] = {
            {"FIOCLEX", &Ioctl::close_on_exec},   {"FIONBIO", &Ioctl::not_to_wait},
            {"FIOASYNC", &Ioctl::signals},        {"FIONREAD", &Ioctl::what_is_there},
            {"FIOQSIZE", &Ioctl::sizes},          {"FS_IOC_SETFLAGS", &Ioctl::flags},
            {"FICLONE", &Ioctl::clone},           {"BLKGETSIZE64", &Ioctl::disk},
            {"SIOCATMARK", &Ioctl::urgent},       {"SIOCSPGRP", &Ioctl::owner},
            {"SIOCGIFINDEX", &Ioctl::interfaces},
        };
        return judge(*this, rows);
    }

  private:
    // What is asked of an interface, and what came of it at home.
    struct Question {
        unsigned long request;
        struct ifreq asked;
        struct ifreq told;
        AtHome at_home;
    };
    static constexpr size_t most_questions = 32;

    // Some nodes have no disk that they name so.
    void find_disk() {
        for (const char* path : {"/dev/vda", "/dev/vdb", "/dev/sda", "/dev/sr0"}) {
            disk_ = disk_ >= 0 ? disk_ : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        }
        has_disk_ = disk_ >= 0;
        disk_ = has_disk_ ? disk_ : dup(file_);
    }

    void ask_at_home(unsigned long request, const struct ifreq& asked) {
        Question& question = questions_[asked_++];
        question.request = request;
        question.asked = question.told = asked;
        question.at_home.was(ioctl(datagrams_, request, &question.told));
    }
    // Of the loopback, of the next one, and of one that there is not.
    bool find_interfaces() {
        datagrams_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        for (const int index : {1, 2, nobody}) {
            struct ifreq asked = {};
            asked.ifr_ifindex = index;
            ask_at_home(SIOCGIFNAME, asked);
            struct ifreq named = questions_[asked_ - 1].told;
            named.ifr_ifindex = 0;
            if (!questions_[asked_ - 1].at_home.done()) {
                (void)snprintf(named.ifr_name, sizeof named.ifr_name, "nowhere%d", index);
            }
            for (const unsigned long request :
                 {SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR,
                  SIOCGIFHWADDR, SIOCGIFMTU}) {
                ask_at_home(request, named);
            }
        }
        return questions_[0].at_home.done() && strcmp(questions_[0].told.ifr_name, "lo") == 0;
    }

    void close_on_exec(Verdict& verdict) {
        verdict.gives(call(SYS_ioctl, pipe_[0], FIONCLEX, 0), 0);
        verdict.gives(call(SYS_fcntl, pipe_[0], F_GETFD, 0), 0);
        verdict.gives(call(SYS_ioctl, pipe_[0], FIOCLEX, 0), 0);
        verdict.gives(call(SYS_fcntl, pipe_[0], F_GETFD, 0), FD_CLOEXEC);
        verdict.fails(call(SYS_ioctl, 987, FIOCLEX, 0), EBADF);
    }
    void judge_flag(Verdict& verdict, int fd, unsigned long request, long flag,
                    int line = __builtin_LINE()) {
        for (const int on : {1, 0}) {
            set(verdict, fd, request, on, line);
            verdict.is(call(SYS_fcntl, fd, F_GETFL, 0) & flag, on != 0 ? flag : 0, line);
        }
    }
    void not_to_wait(Verdict& verdict) {
        judge_flag(verdict, pipe_[0], FIONBIO, O_NONBLOCK);
        judge_flag(verdict, file_, FIONBIO, O_NONBLOCK);
    }
    // Nobody owns it who could get them.
    void signals(Verdict& verdict) {
        judge_flag(verdict, pipe_[0], FIOASYNC, O_ASYNC);
        judge_flag(verdict, connection_.server, FIOASYNC, O_ASYNC);
        verdict.fails(call(SYS_ioctl, file_, FIOASYNC, Input(1).at()), ENOTTY);
    }
    void what_is_there(Verdict& verdict) {
        const Output bytes(33);
        verdict.gives(
            call(SYS_write, pipe_[1], Input("thirty-three bytes for a pipe ...", 33).at(), 33), 33);
        tells(verdict, pipe_[0], FIONREAD, 33);
        verdict.gives(call(SYS_read, pipe_[0], bytes.at(), 33), 33);
        tells(verdict, pipe_[0], FIONREAD, 0);
        verdict.gives(call(SYS_lseek, file_, 45, SEEK_SET), 45);
        tells(verdict, file_, FIONREAD, static_cast<int>(file_size - 45));
        tells(verdict, datagrams_, FIONREAD, 0);
    }
    void sizes(Verdict& verdict) {
        struct stat status = {};
        verdict.gives(fstat(file_, &status), 0);
        tells(verdict, file_, FIOQSIZE, int64_t{status.st_blocks} * 512);
        tells_nothing(verdict, pipe_[0], FIOQSIZE, ENOTTY);
        tells(verdict, file_, FIGETBSZ, static_cast<int>(status.st_blksize));
        tells_nothing(verdict, 987, FIGETBSZ, EBADF);
    }
    // Only some file systems have any.
    void flags(Verdict& verdict) {
        const int wanted = flags_ ^ FS_NODUMP_FL;
        if (!flags_known_.done()) {
            const Output none(sizeof wanted);
            flags_known_.judge(verdict, call(SYS_ioctl, file_, FS_IOC_GETFLAGS, none.at()));
            flags_known_.judge(verdict,
                               call(SYS_ioctl, file_, FS_IOC_SETFLAGS, Input(wanted).at()));
            return;
        }
        tells(verdict, file_, FS_IOC_GETFLAGS, flags_);
        set(verdict, file_, FS_IOC_SETFLAGS, wanted);
        tells(verdict, file_, FS_IOC_GETFLAGS, wanted);
        set(verdict, file_, FS_IOC_SETFLAGS, flags_);
        tells(verdict, reader_, FS_IOC_GETFLAGS, flags_);
    }
    // Few file systems can; who may not is told so before that.
    void clone(Verdict& verdict) {
        const struct file_clone_range whole = {reader_, 0, 0, 0};
        cloned_.judge(verdict, call(SYS_ioctl, file_, FICLONE, reader_));
        cloned_.judge(verdict, call(SYS_ioctl, file_, FICLONERANGE, Input(whole).at()));
        verdict.fails(call(SYS_ioctl, reader_, FICLONE, file_), EBADF);
        verdict.fails(call(SYS_ioctl, reader_, FICLONERANGE, Input(whole).at()), EBADF);
        verdict.fails(call(SYS_ioctl, file_, FICLONE, pipe_[0]), EXDEV);
    }
    void disk(Verdict& verdict) {
        if (!has_disk_) {
            tells_nothing(verdict, disk_, BLKGETSIZE64, ENOTTY);
            tells_nothing(verdict, disk_, BLKSSZGET, ENOTTY);
            return;
        }
        const long size = call(SYS_lseek, disk_, 0, SEEK_END);
        const Output sector(sizeof(int));
        tells(verdict, disk_, BLKGETSIZE64, int64_t{size});
        verdict.gives(call(SYS_ioctl, disk_, BLKSSZGET, sector.at()), 0);
        const int bytes = sector.get<int>();
        verdict.sees(bytes >= 512 && (bytes & (bytes - 1)) == 0 && size % bytes == 0);
        verdict.wrote(sector, sizeof bytes);
    }

    // A byte that is ahead of the others, of which one stands before it and one behind.
    void urgent(Verdict& verdict) {
        const int from = connection_.client;
        const int to = connection_.server;
        char byte = 0;
        tells(verdict, to, SIOCATMARK, 0);
        verdict.gives(call(SYS_sendto, from, "a", 1, 0, nullptr, 0), 1);
        verdict.gives(call(SYS_sendto, from, "!", 1, MSG_OOB, nullptr, 0), 1);
        verdict.gives(call(SYS_sendto, from, "b", 1, 0, nullptr, 0), 1);
        verdict.sees(comes(to, POLLPRI));
        tells(verdict, to, SIOCATMARK, 0);
        verdict.gives(call(SYS_recvfrom, to, &byte, 1, 0, nullptr, nullptr), 1);
        verdict.is(byte, 'a');
        tells(verdict, to, SIOCATMARK, 1);
        verdict.gives(call(SYS_recvfrom, to, &byte, 1, MSG_OOB, nullptr, nullptr), 1);
        verdict.is(byte, '!');
        verdict.sees(comes(to));
        verdict.gives(call(SYS_recvfrom, to, &byte, 1, 0, nullptr, nullptr), 1);
        verdict.is(byte, 'b');
        tells(verdict, to, SIOCATMARK, 0);
        tells(verdict, from, SIOCOUTQNSD, 0);
        tells_nothing(verdict, pipe_[0], SIOCATMARK, ENOTTY);
    }
    // A process, or less than nothing for a group of them.
    void owner(Verdict& verdict) {
        for (const int who : {getpid(), -getpgrp(), 0}) {
            set(verdict, connection_.server, SIOCSPGRP, who);
            tells(verdict, connection_.server, SIOCGPGRP, who);
            set(verdict, connection_.server, FIOSETOWN, 0);
            tells(verdict, connection_.server, SIOCGPGRP, 0);
            set(verdict, connection_.server, FIOSETOWN, who);
            tells(verdict, connection_.server, FIOGETOWN, who);
        }
        verdict.fails(call(SYS_ioctl, connection_.server, SIOCSPGRP, Input(nobody).at()), ESRCH);
        tells_nothing(verdict, pipe_[0], SIOCGPGRP, ENOTTY);
    }
    void interfaces(Verdict& verdict) {
        for (size_t which = 0; which < asked_; ++which) {
            const Question& question = questions_[which];
            Output both(sizeof(struct ifreq));
            both.put(question.asked);
            question.at_home.judge(verdict,
                                   call(SYS_ioctl, datagrams_, question.request, both.at()));
            verdict.sees(both.holds(&question.told, sizeof question.told));
            verdict.wrote(both, sizeof(struct ifreq));
        }
        tells_nothing(verdict, pipe_[0], SIOCGIFINDEX, ENOTTY);
    }

    int file_ = -1;
    int reader_ = -1;
    int disk_ = -1;
    int datagrams_ = -1;
    int pipe_[2] = {-1, -1};
    mosrig::guest::Connection connection_;
    bool has_disk_ = false;
    int flags_ = 0;
    AtHome flags_known_;
    AtHome cloned_;
    size_t asked_ = 0;
    Question questions_[most_questions] = {};
};

// A list of interfaces, at an address that stands in what the command points to.
class Unlisted final : public mosrig::guest::Deed {
  public:
    using Deed::Deed;

    const char* hold() override {
        socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return list(known_, known_size_);
    }

  protected:
    const char* act() override {
        unsigned char now[most] = {};
        size_t size = 0;
        if (const char* wrong = list(now, size); wrong != nullptr) {
            return wrong;
        }
        if (size != known_size_) {
            return differs("bytes about interfaces", static_cast<long>(size),
                           static_cast<long>(known_size_));
        }
        return memcmp(now, known_, sizeof now) != 0 ? "another list of interfaces" : nullptr;
    }

  private:
    static constexpr size_t most = 8 * sizeof(struct ifreq);

    const char* list(unsigned char (&into)[most], size_t& size) const {
        struct ifconf list = {};
        list.ifc_len = sizeof into;
        list.ifc_buf = reinterpret_cast<char*>(into);
        if (ioctl(socket_, SIOCGIFCONF, &list) != 0) {
            return failed("SIOCGIFCONF");
        }
        size = static_cast<size_t>(list.ifc_len);
        return size == 0 ? "no interface has an address" : nullptr;
    }

    int socket_ = -1;
    size_t known_size_ = 0;
    unsigned char known_[most] = {};
};

const KindOf<Ioctl> rows("rows-ioctl");
const KindOf<Unlisted> unlisted("unlisted-command");

}  // namespace
