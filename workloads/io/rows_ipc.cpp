// SPDX-License-Identifier: MIT
//
// SysV and POSIX queues, semaphores and segments: calls that end in time, lengths that are not a
// word's, and what such a thing tells of itself.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "rows.h"
#include "workloads/lib/bytes.h"
#include "workloads/lib/clock.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::call;
using mosrig::guest::failed;
using mosrig::guest::Input;
using mosrig::guest::now_ms;
using mosrig::guest::now_ns;
using mosrig::guest::Output;
using mosrig::guest::Row;
using mosrig::guest::Verdict;

class Ipc final : public mosrig::guest::Rows {
  public:
    using Rows::Rows;
    ~Ipc() override {
        (void)msgctl(queue_, IPC_RMID, nullptr);
        (void)semctl(set_, 0, IPC_RMID);
        (void)shmctl(segment_, IPC_RMID, nullptr);
    }

    const char* hold() override {
        (void)snprintf(name_, sizeof name_, "mosrig-rows-%d", getpid());
        queue_ = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
        set_ = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
        segment_ = shmget(IPC_PRIVATE, segment_size, IPC_CREAT | 0640);
        return queue_ < 0 || set_ < 0 || segment_ < 0 ? failed("msgget, semget, shmget") : nullptr;
    }

  protected:
    // The POSIX queue is made by the first of its calls and gone with the last.
    const char* act() override {
        static constexpr Row<Ipc> rows[] = {
            {"semop", &Ipc::operate},
            {"semtimedop", &Ipc::operate_in_time},
            {"semctl", &Ipc::control_set},
            {"msgsnd", &Ipc::send},
            {"msgctl", &Ipc::ask_queue},
            {"msgrcv", &Ipc::receive},
            {"shmctl", &Ipc::ask_segment},
            {"mq_open", &Ipc::open_queue},
            {"mq_timedsend", &Ipc::send_in_time},
            {"mq_getsetattr", &Ipc::set_queue},
            {"mq_timedreceive", &Ipc::receive_in_time},
            {"mq_unlink", &Ipc::remove_queue},
        };
        mosrig::guest::fill_bytes(bytes_, sizeof bytes_, ++turn_);
        return judge(*this, rows);
    }

  private:
    static constexpr size_t segment_size = 12345;
    static constexpr size_t longest = 33;
    // More operations than a call may have.
    static constexpr size_t too_many = 501;
    static constexpr int64_t soon_ms = 40;

    // A message has its type before it.
    struct Message {
        long type;
        unsigned char bytes[longest];
    };

    void operate(Verdict& verdict) {
        const struct sembuf up[3] = {{0, 5, 0}, {1, 3, 0}, {2, 7, 0}};
        const struct sembuf wait[1] = {{1, -4, IPC_NOWAIT}};
        verdict.gives(call(SYS_semop, set_, Input(up).at(), 3), 0);
        verdict.is(semctl(set_, 2, GETVAL), 7);
        verdict.fails(call(SYS_semop, set_, Input(wait).at(), 1), EAGAIN);
        const Input many(many_, sizeof many_);
        verdict.fails(call(SYS_semop, set_, many.at(), too_many), E2BIG);
    }
    void operate_in_time(Verdict& verdict) {
        const struct timespec soon = {0, soon_ms * 1000000};
        const struct timespec none = {0, 1000000000};
        const struct sembuf down[3] = {{0, -5, 0}, {1, -3, 0}, {2, -7, 0}};
        const Input operations(down);
        const Input time(soon);
        verdict.gives(call(SYS_semtimedop, set_, operations.at(), 3, time.at()), 0);
        verdict.is(semctl(set_, 0, GETVAL) + semctl(set_, 1, GETVAL) + semctl(set_, 2, GETVAL), 0);
        const int64_t begin = now_ms();
        verdict.fails(call(SYS_semtimedop, set_, operations.at(), 3, time.at()), EAGAIN);
        verdict.sees(now_ms() - begin >= soon_ms - 1);
        verdict.fails(call(SYS_semtimedop, set_, operations.at(), 3, Input(none).at()), EINVAL);
    }

    // Who has changed which of them last, and how many wait for that; then it is gone.
    void control_set(Verdict& verdict) {
        const long set = call(SYS_semget, IPC_PRIVATE, 3, IPC_CREAT | 0600);
        verdict.sees(set >= 0);
        verdict.gives(call(SYS_semctl, set, 2, GETPID, 0), 0);
        verdict.gives(call(SYS_semctl, set, 2, SETVAL, 4711), 0);
        verdict.gives(call(SYS_semctl, set, 2, GETVAL, 0), 4711);
        verdict.gives(call(SYS_semctl, set, 2, GETPID, 0), getpid());
        verdict.gives(call(SYS_semctl, set, 0, GETVAL, 0), 0);
        verdict.gives(call(SYS_semctl, set, 0, GETNCNT, 0), 0);
        verdict.gives(call(SYS_semctl, set, 2, GETZCNT, 0), 0);
        verdict.fails(call(SYS_semctl, set, 2, SETVAL, 32768), ERANGE);
        verdict.fails(call(SYS_semctl, set, 3, GETVAL, 0), EINVAL);
        verdict.gives(call(SYS_semctl, set, 0, IPC_RMID, 0), 0);
        verdict.fails(call(SYS_semctl, set, 0, GETVAL, 0), EINVAL);
    }

    void send(Verdict& verdict) {
        Message message = {3, {}};
        memcpy(message.bytes, bytes_, longest);
        const Input text(&message, sizeof message.type + longest);
        verdict.gives(call(SYS_msgsnd, queue_, text.at(), longest, 0), 0);
        verdict.gives(call(SYS_msgsnd, queue_, text.at(), 7, 0), 0);
        message.type = 0;
        const Input untyped(&message, sizeof message.type + 7);
        verdict.fails(call(SYS_msgsnd, queue_, untyped.at(), 7, 0), EINVAL);
    }
    // Of both messages, which are there now.
    void ask_queue(Verdict& verdict) {
        const Output output(sizeof(struct msqid_ds));
        verdict.gives(call(SYS_msgctl, queue_, IPC_STAT, output.at()), 0);
        auto status = output.get<struct msqid_ds>();
        verdict.is(static_cast<long long>(status.msg_qnum), 2);
        verdict.is(static_cast<long long>(status.__msg_cbytes), longest + 7);
        verdict.is(status.msg_lspid, getpid());
        verdict.wrote(output, sizeof status);
        status.msg_perm.mode = 0600 | (turn_ & 7U);
        status.msg_qbytes = 999;
        verdict.gives(call(SYS_msgctl, queue_, IPC_SET, Input(status).at()), 0);
        verdict.gives(call(SYS_msgctl, queue_, IPC_STAT, output.at()), 0);
        verdict.is(static_cast<long long>(output.get<struct msqid_ds>().msg_qbytes), 999);
        verdict.is(output.get<struct msqid_ds>().msg_perm.mode, 0600 | (turn_ & 7U));
        const Output none(sizeof status);
        verdict.fails(call(SYS_msgctl, -1, IPC_STAT, none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    void receive(Verdict& verdict) {
        const Output none(sizeof(long) + 5);
        verdict.fails(call(SYS_msgrcv, queue_, none.at(), 5, 3, IPC_NOWAIT), E2BIG);
        verdict.fails(call(SYS_msgrcv, queue_, none.at(), 5, 4, IPC_NOWAIT), ENOMSG);
        verdict.wrote(none, 0);
        verdict.gives(call(SYS_msgrcv, queue_, none.at(), 5, 0, MSG_NOERROR | IPC_NOWAIT), 5);
        verdict.is(none.get<long>(), 3);
        verdict.sees(memcmp(none.at() + sizeof(long), bytes_, 5) == 0);
        verdict.wrote(none, sizeof(long) + 5);
        // Its buffer is longer than the message.
        const Output text(sizeof(long) + 21);
        verdict.gives(call(SYS_msgrcv, queue_, text.at(), 21, -9, IPC_NOWAIT), 7);
        verdict.is(text.get<long>(), 3);
        verdict.sees(memcmp(text.at() + sizeof(long), bytes_, 7) == 0);
        verdict.wrote(text, sizeof(long) + 7);
    }

    void ask_segment(Verdict& verdict) {
        const Output output(sizeof(struct shmid_ds));
        verdict.gives(call(SYS_shmctl, segment_, IPC_STAT, output.at()), 0);
        auto status = output.get<struct shmid_ds>();
        verdict.is(static_cast<long long>(status.shm_segsz), segment_size);
        verdict.is(status.shm_perm.mode & 0777U, 0640);
        verdict.is(status.shm_cpid, getpid());
        verdict.wrote(output, sizeof status);
        status.shm_perm.gid = 1000 + turn_;
        verdict.gives(call(SYS_shmctl, segment_, IPC_SET, Input(status).at()), 0);
        verdict.gives(call(SYS_shmctl, segment_, IPC_STAT, output.at()), 0);
        verdict.is(output.get<struct shmid_ds>().shm_perm.gid, 1000 + turn_);
        // What it tells of all segments is shorter than what it tells of one.
        const Output limits(sizeof(struct shminfo));
        verdict.sees(call(SYS_shmctl, 0, IPC_INFO, limits.at()) >= 0);
        verdict.sees(limits.get<struct shminfo>().shmmni > 0);
        verdict.wrote(limits, sizeof(struct shminfo));
    }

    void open_queue(Verdict& verdict) {
        struct mq_attr wanted = {};
        wanted.mq_maxmsg = 3;
        wanted.mq_msgsize = longest;
        const Input name(name_, strlen(name_) + 1);
        const long flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
        posix_ = static_cast<int>(call(SYS_mq_open, name.at(), flags, 0600, Input(wanted).at()));
        verdict.sees(posix_ >= 0);
        verdict.fails(call(SYS_mq_open, name.at(), flags, 0600, nullptr), EEXIST);
        wanted.mq_maxmsg = -1;
        verdict.fails(call(SYS_mq_open, "mosrig-no", flags, 0600, Input(wanted).at()), EINVAL);
    }
    // Three fit in, the fourth waits for its time.
    void send_in_time(Verdict& verdict) {
        const struct timespec past = {1, 0};
        const struct timespec none = {1, -1};
        const Input bytes(bytes_, longest + 1);
        const Input time(past);
        const auto send = [&](size_t size, const Input& until) {
            return call(SYS_mq_timedsend, posix_, bytes.at(), size, size, until.at());
        };
        verdict.gives(send(1, time), 0);
        verdict.gives(send(longest, time), 0);
        verdict.gives(send(7, time), 0);
        verdict.fails(send(7, time), ETIMEDOUT);
        verdict.fails(send(7, Input(none)), EINVAL);
        verdict.fails(send(longest + 1, time), EMSGSIZE);
    }
    void set_queue(Verdict& verdict) {
        struct mq_attr wanted = {};
        wanted.mq_flags = O_NONBLOCK;
        const Output before(sizeof wanted);
        const Output after(sizeof wanted);
        verdict.gives(call(SYS_mq_getsetattr, posix_, Input(wanted).at(), before.at()), 0);
        verdict.is(before.get<struct mq_attr>().mq_flags, 0);
        verdict.is(before.get<struct mq_attr>().mq_curmsgs, 3);
        verdict.is(before.get<struct mq_attr>().mq_msgsize, longest);
        verdict.is(before.get<long>(sizeof wanted - sizeof(long)), 0);
        verdict.wrote(before, sizeof wanted);
        verdict.gives(call(SYS_mq_getsetattr, posix_, nullptr, after.at()), 0);
        verdict.is(after.get<struct mq_attr>().mq_flags, O_NONBLOCK);
        verdict.wrote(after, sizeof wanted);
        const Output none(sizeof wanted);
        wanted.mq_flags = O_APPEND;
        verdict.fails(call(SYS_mq_getsetattr, posix_, Input(wanted).at(), none.at()), EINVAL);
        verdict.wrote(none, 0);
    }
    // The longest has the highest priority, and there is no fourth one.
    void receive_in_time(Verdict& verdict) {
        const struct timespec past = {1, 0};
        const Input time(past);
        const Output little(longest - 1);
        verdict.fails(call(SYS_mq_timedreceive, posix_, little.at(), longest - 1, nullptr, nullptr),
                      EMSGSIZE);
        verdict.wrote(little, 0);
        for (const size_t size : {longest, size_t{7}, size_t{1}}) {
            const Output bytes(longest + 6);
            const Output priority(sizeof(unsigned));
            verdict.gives(call(SYS_mq_timedreceive, posix_, bytes.at(), longest + 6, priority.at(),
                               time.at()),
                          static_cast<long>(size));
            verdict.sees(bytes.holds(bytes_, size));
            verdict.is(priority.get<unsigned>(), static_cast<long long>(size));
            verdict.wrote(bytes, size);
            verdict.wrote(priority, sizeof(unsigned));
        }
        const Output none(longest);
        const Output priority(sizeof(unsigned));
        const int64_t end = now_ns(CLOCK_REALTIME) + soon_ms * 1000000;
        const Input until(timespec{end / 1000000000, end % 1000000000});
        const auto receive = [&] {
            return call(SYS_mq_timedreceive, posix_, none.at(), longest, priority.at(), until.at());
        };
        verdict.fails(receive(), EAGAIN);
        const struct mq_attr blocking = {};
        verdict.gives(call(SYS_mq_getsetattr, posix_, Input(blocking).at(), nullptr), 0);
        verdict.fails(receive(), ETIMEDOUT);
        verdict.sees(now_ns(CLOCK_REALTIME) >= end);
        verdict.wrote(none, 0);
        verdict.wrote(priority, 0);
    }
    void remove_queue(Verdict& verdict) {
        const Input name(name_, strlen(name_) + 1);
        verdict.gives(call(SYS_close, posix_), 0);
        verdict.gives(call(SYS_mq_unlink, name.at()), 0);
        verdict.fails(call(SYS_mq_unlink, name.at()), ENOENT);
    }

    char name_[32] = {};
    int queue_ = -1;
    int set_ = -1;
    int segment_ = -1;
    int posix_ = -1;
    unsigned turn_ = 0;
    unsigned char bytes_[longest + 1] = {};
    struct sembuf many_[too_many] = {};
};

const mosrig::guest::KindOf<Ipc> ipc("rows-ipc");

}  // namespace
