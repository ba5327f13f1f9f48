// A fork-join pool: run(n, f) calls f(0) … f(n-1), each once, on the caller and on idle workers, and returns when all
// are done. Which thread runs which index is left to chance, so results must not depend on it: callers give every index
// its own output. Waiting spins for some microseconds, then sleeps.
//
// The number of threads is min(asked, CPUs in the process's affinity mask, n). A pool that is busy (a second Python
// thread) doesn't queue: the caller runs its own indices inline. After fork() the child starts with a fresh pool.
// What f throws is thrown by run(), once all others are done or left out: the first of them. A system that gives no
// more threads is asked again a second later, and the work is done by those there are.
#pragma once
#include <cstdint>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lenet {

// The floating-point environment of every thread that computes: round to nearest, denormals kept, flags masked. Another
// library in the process may have set it otherwise; the same bits must come out all the same.
class FloatEnvironment {
 public:
#if defined(__x86_64__)
  FloatEnvironment() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~FloatEnvironment() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  FloatEnvironment() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(uint64_t(0)));
  }
  ~FloatEnvironment() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }

 private:
  uint64_t saved_;
#endif
};

void run_indices(int n, void (*call)(void*, int), void* context);

template <class F>
void run(int n, F&& f) {
  using Fn = std::remove_reference_t<F>;
  run_indices(
      n, [](void* context, int i) { (*static_cast<Fn*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

void set_num_threads(int n);  // 0: as many as the affinity mask has
int num_threads();            // what run() would use now

}  // namespace lenet
