// A mutex that survives fork(): see lock.h.
#include "lock.h"

#include <pthread.h>

namespace lenet {

Lock::Lock() : state_(new State{{}, forks.load(std::memory_order_relaxed)}) {
  static const int counting = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  (void)counting;
}

// The old one may be locked for ever, by a thread that this process doesn't have: it is left behind.
Lock::State* Lock::renewed(State* old) {
  State* fresh = new State{{}, forks.load(std::memory_order_relaxed)};
  if (state_.compare_exchange_strong(old, fresh, std::memory_order_acq_rel)) return fresh;
  delete fresh;  // another thread of the child was quicker
  return old;
}

}  // namespace lenet
