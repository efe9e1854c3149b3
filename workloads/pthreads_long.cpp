// SPDX-License-Identifier: MIT
//
// A long-running program with threads that count; RELEASE lets them end and joins them, after which
// one thread is left and the process may move.
#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstdint>

#include "lib/holder.h"

namespace {

constexpr int thread_count = 4;
constexpr struct timespec breath = {0, 10000000};

// What one thread owns. Both counters take every step, so they differ only if something broke.
struct Counter {
    std::atomic<uint64_t> up{0};
    std::atomic<uint64_t> down{0};
    pthread_t thread{};
};

class Threads final : public mosrig::guest::Holder {
  public:
    Threads() : Holder("pthreads-long") {}
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    // They count in this object, which goes before the process does.
    ~Threads() override {
        if (!joined_) {
            (void)release();
        }
    }

    const char* hold() override {
        stop_ = false;
        for (Counter& counter : counters_) {
            if (pthread_create(&counter.thread, nullptr, count, &counter) != 0) {
                return "pthread_create failed";
            }
        }
        joined_ = false;
        return nullptr;
    }

    const char* release() override {
        stop_ = true;
        for (const Counter& counter : counters_) {
            if (pthread_join(counter.thread, nullptr) != 0) {
                return "pthread_join failed";
            }
        }
        joined_ = true;
        for (const Counter& counter : counters_) {
            if (counter.up + counter.down != 0) {
                return "a thread's counters do not add up";
            }
        }
        return nullptr;
    }

  protected:
    // While they live, all threads must go on: a refused request must not have stopped one.
    const char* check() override {
        for (size_t index = 0; !joined_ && index < thread_count; ++index) {
            if (!goes_on(counters_[index].up, seen_[index])) {
                return "a thread stands still";
            }
        }
        return nullptr;
    }

  private:
    // Whether the counter leaves the value last seen within some seconds, which is ages for it.
    static bool goes_on(const std::atomic<uint64_t>& counter, uint64_t& seen) {
        for (int look = 0; look < 500; ++look) {
            const uint64_t now = counter;
            if (now != seen) {
                seen = now;
                return true;
            }
            (void)nanosleep(&breath, nullptr);
        }
        return false;
    }

    static void* count(void* argument) {
        auto& counter = *static_cast<Counter*>(argument);
        while (!stop_) {
            for (int step = 0; step < 10000; ++step) {
                counter.up.fetch_add(1, std::memory_order_relaxed);
                counter.down.fetch_sub(1, std::memory_order_relaxed);
            }
            (void)nanosleep(&breath, nullptr);
        }
        return nullptr;
    }

    static inline std::atomic<bool> stop_{false};
    Counter counters_[thread_count];
    uint64_t seen_[thread_count] = {};
    bool joined_ = true;
};

}  // namespace

int main() {
    Threads program;
    return mosrig::guest::run_holder(program);
}
