// SPDX-License-Identifier: MIT
//
// Asleep in calls that nothing breaks off, until a child at home sees the process there and ends
// them: for a message in a queue, and for the other end of a FIFO. No memory follows a process in
// such a call, so it makes that when it is told to.
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "workloads/lib/deed.h"
#include "workloads/lib/helper.h"
#include "workloads/lib/kinds.h"
#include "workloads/lib/state.h"

namespace {

using mosrig::guest::differs;
using mosrig::guest::failed;
using mosrig::guest::KindOf;
using mosrig::guest::reads;

class AsleepUnbroken : public mosrig::guest::Deed {
  public:
    // `place`: a part of the name of the kernel's function in which it waits.
    AsleepUnbroken(const char* name, const char* place) : Deed(name), place_(place) {}

    const char* hold() override {
        const char* const wrong = make();
        return wrong != nullptr ? wrong : helper_.start(wake_asleep, wake_asleep, this);
    }

  protected:
    // Makes what it waits for; nullptr or what failed.
    virtual const char* make() = 0;
    // The call, and what came of it; nullptr, or what was wrong.
    virtual const char* call() = 0;
    // Of the child: ends that call; nullptr, or what was wrong.
    virtual const char* wake() = 0;

    // Counts both sides' turns, from 1.
    [[nodiscard]] unsigned turn() const { return turn_; }

    const char* act() override {
        ++turn_;
        const char* seen = nullptr;
        const char* const wrong = helper_.act_amid([&] { seen = call(); });
        // What the child saw comes first: it may be why the call ended as it did.
        return wrong != nullptr ? wrong : seen;
    }

  private:
    static const char* wake_asleep(void* data) {
        auto& self = *static_cast<AsleepUnbroken*>(data);
        ++self.turn_;
        // One that is not seen there is woken nevertheless, to tell of it.
        const char* const unseen = mosrig::guest::await_within(getppid(), self.place_);
        const char* const wrong = self.wake();
        return unseen != nullptr ? unseen : wrong;
    }

    const char* place_;
    mosrig::guest::Helper helper_;
    unsigned turn_ = 0;
};

// Messages that carry the turn, each with another priority.
class Queue final : public AsleepUnbroken {
  public:
    explicit Queue(const char* name) : AsleepUnbroken(name, "wq_sleep") {}

    const char* lacks() override {
        return mq_open("/mosrig-none", O_RDONLY) == -1 && errno == ENOSYS
                   ? "this node has no message queues"
                   : nullptr;
    }

  protected:
    const char* make() override {
        char name[64];
        struct mq_attr attributes = {};
        attributes.mq_maxmsg = 4;
        attributes.mq_msgsize = size;
        (void)snprintf(name, sizeof name, "/mosrig-asleep-%d", getpid());
        queue_ = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
        return queue_ < 0 || mq_unlink(name) != 0 ? failed("mq_open, mq_unlink") : nullptr;
    }

    const char* call() override {
        char text[size + 1] = {};
        char wanted[size] = {};
        unsigned priority = 0;
        const ssize_t count = mq_receive(queue_, text, size, &priority);
        if (count < 0) {
            return failed("mq_receive");
        }
        if (count != write_message(wanted) || strcmp(text, wanted) != 0) {
            return reads("the message", text);
        }
        if (priority != turn() + 5) {
            return differs("the priority of the message", priority, turn() + 5);
        }
        struct pollfd more = {queue_, POLLIN, 0};
        return poll(&more, 1, 0) != 0 ? "more than one message has come" : nullptr;
    }

    const char* wake() override {
        char text[size] = {};
        const int length = write_message(text);
        return mq_send(queue_, text, static_cast<size_t>(length), turn() + 5) != 0
                   ? failed("mq_send")
                   : nullptr;
    }

  private:
    static constexpr size_t size = 64;

    int write_message(char (&text)[size]) const {
        return snprintf(text, sizeof text, "message %u", turn());
    }

    mqd_t queue_ = -1;
};

// The open is what waits.
class Fifo final : public AsleepUnbroken {
  public:
    explicit Fifo(const char* name) : AsleepUnbroken(name, "wait_for_partner") {}
    Fifo(const Fifo&) = delete;
    Fifo& operator=(const Fifo&) = delete;
    ~Fifo() override {
        if (path_[0] != '\0') {
            (void)unlink(path_);
        }
    }

  protected:
    const char* make() override {
        (void)snprintf(path_, sizeof path_, "/tmp/mosrig-asleep-%d", getpid());
        return mkfifo(path_, 0600) != 0 ? failed("mkfifo") : nullptr;
    }

    // One letter, and the end of the FIFO.
    const char* call() override {
        char letters[2] = {};
        const int end = open(path_, O_RDONLY | O_CLOEXEC);
        if (end < 0) {
            return failed("open of the FIFO");
        }
        if (read(end, letters, 2) != 1 || read(end, letters + 1, 1) != 0 || close(end) != 0) {
            return failed("a letter, and the end of the FIFO");
        }
        return letters[0] != letter() ? differs("the letter", letters[0], letter()) : nullptr;
    }

    const char* wake() override {
        const int end = open(path_, O_WRONLY | O_CLOEXEC);
        const char told = letter();
        return end < 0 || write(end, &told, 1) != 1 || close(end) != 0
                   ? failed("the other end of the FIFO")
                   : nullptr;
    }

  private:
    [[nodiscard]] char letter() const { return static_cast<char>('a' + turn() % 26); }

    char path_[48] = {};
};

const KindOf<Queue> in_queue("asleep-mqueue");
const KindOf<Fifo> in_fifo("asleep-fifo");

}  // namespace
