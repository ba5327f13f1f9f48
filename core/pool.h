// A fork-join pool: run(n, f) calls f(0) … f(n-1), each once, on the caller and on idle workers, and returns when all
// are done. Which thread runs which index is left to chance, so results must not depend on it: callers give every index
// its own output. Waiting spins for some microseconds, then sleeps.
//
// The number of threads is min(asked, CPUs in the process's affinity mask, n). A pool that is busy (a second Python
// thread) doesn't queue: the caller runs its own indices inline. After fork() the child starts with a fresh pool.
#pragma once
#include <type_traits>

namespace lenet {

void run_indices(int n, void (*call)(void*, int), void* context);

template <class F>
void run(int n, F&& f) {
  using Fn = std::remove_reference_t<F>;
  run_indices(n, [](void* context, int i) { (*static_cast<Fn*>(context))(i); }, const_cast<void*>(static_cast<const void*>(&f)));
}

void set_num_threads(int n);  // 0: as many as the affinity mask has
int num_threads();            // what run() would use now

}  // namespace lenet
