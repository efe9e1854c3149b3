// SPDX-License-Identifier: MIT
//
// SysV and POSIX messages and semaphores, between this process and a child.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::Holder;
using mosrig::guest::KindOf;

struct Message {
    long type;
    char text[128];
};

class Messages final : public Holder {
  public:
    using Holder::Holder;
    ~Messages() override {
        if (queue_ >= 0) {
            (void)msgctl(queue_, IPC_RMID, nullptr);
        }
        if (set_ >= 0) {
            (void)semctl(set_, 0, IPC_RMID);
        }
    }

    const char* hold() override {
        queue_ = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
        set_ = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
        return queue_ < 0 || set_ < 0 ? failed("msgget, semget")
                                      : helper_.start(answer_message, answer_message, this);
    }

  protected:
    const char* step() override {
        Message message = {1, {}};
        (void)snprintf(message.text, sizeof message.text, "turn %d", ++turn_);
        if (msgsnd(queue_, &message, sizeof message.text, 0) != 0) {
            return failed("msgsnd");
        }
        if (const char* wrong = helper_.act(); wrong != nullptr) {
            return wrong;
        }
        Message back = {};
        if (msgrcv(queue_, &back, sizeof back.text, 2, 0) != sizeof back.text ||
            strcmp(back.text, message.text) != 0) {
            return failed("msgrcv");
        }
        // The child has raised it by three.
        struct sembuf operation = {0, -3, 0};
        if (semop(set_, &operation, 1) != 0) {
            return failed("semop");
        }
        const int value = semctl(set_, 0, GETVAL);
        return value != 0 ? differs("the semaphore", value, 0) : nullptr;
    }

  private:
    static const char* answer_message(void* data) {
        const auto& self = *static_cast<Messages*>(data);
        Message message = {};
        struct sembuf operation = {0, 3, 0};
        if (msgrcv(self.queue_, &message, sizeof message.text, 1, 0) < 0) {
            return failed("msgrcv by the child");
        }
        message.type = 2;
        if (msgsnd(self.queue_, &message, sizeof message.text, 0) != 0 ||
            semop(self.set_, &operation, 1) != 0) {
            return failed("msgsnd by the child");
        }
        return nullptr;
    }

    mosrig::guest::Helper helper_;
    int queue_ = -1;
    int set_ = -1;
    int turn_ = 0;
};

class PosixQueue final : public Holder {
  public:
    using Holder::Holder;
    const char* hold() override {
        char name[64];
        (void)snprintf(name, sizeof name, "/mosrig-%d", getpid());
        queue_ = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, nullptr);
        (void)mq_unlink(name);
        return queue_ < 0 ? failed("mq_open") : nullptr;
    }

  protected:
    const char* step() override {
        char text[8192] = {};
        unsigned priority = 0;
        if (mq_send(queue_, "low", 4, 1) != 0 || mq_send(queue_, "high", 5, 9) != 0) {
            return failed("mq_send");
        }
        if (mq_receive(queue_, text, sizeof text, &priority) != 5 || priority != 9 ||
            mq_receive(queue_, text, sizeof text, &priority) != 4 || strcmp(text, "low") != 0) {
            return failed("mq_receive");
        }
        return nullptr;
    }

  private:
    mqd_t queue_ = -1;
};

const KindOf<Messages> messages("sysv-ipc");
const KindOf<PosixQueue> posix_queue("mqueue");

}  // namespace
