// A mutex that survives fork(): in the child it starts open, whoever held it in the parent. Read by plan.h, rng.h and
// the memory recycler (memory.cpp); the pool has its own way (pool.cpp).
//
// The rule for all of them: take it after the GIL is released, or where nothing inside waits for the GIL.
#pragma once
#include <atomic>
#include <mutex>

namespace lenet {

inline std::atomic<unsigned> forks{0};  // that led to this process; lock.cpp counts them

class Lock {
 public:
  Lock();
  ~Lock() { delete state_.load(std::memory_order_relaxed); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() {
    State* s = state_.load(std::memory_order_acquire);
    if (s->forks != forks.load(std::memory_order_relaxed)) s = renewed(s);
    s->mutex.lock();
  }
  void unlock() { state_.load(std::memory_order_relaxed)->mutex.unlock(); }

 private:
  struct State {
    std::mutex mutex;
    unsigned forks;
  };
  State* renewed(State* old);
  std::atomic<State*> state_;
};

using Hold = std::lock_guard<Lock>;

}  // namespace lenet
