// SSE4.2: four numbers a register, 16 of them (x86-64-v2). Read by vec.h alone, which says what each function is for.
#pragma once
#include <immintrin.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 4;
constexpr bool kManyRegisters = false;
typedef float V __attribute__((vector_size(16)));
typedef int32_t Vi __attribute__((vector_size(16)));

// Not V{} + f: adding 0 is an instruction of its own, since it turns -0 into 0.
LENET_INLINE V splat(float f) { return _mm_set1_ps(f); }
// a * b + c; this level rounds twice
LENET_INLINE V fma(V a, V b, V c) { return a * b + c; }
LENET_INLINE V square_root(V x) { return _mm_sqrt_ps(x); }

// Lane sums of four registers at once: {sum(a), sum(b), sum(c), sum(d)}.
LENET_INLINE V4 sum4(V a, V b, V c, V d) {
  V4 r;
  for (int i = 0; i < 4; ++i) {
    V v = i == 0 ? a : i == 1 ? b : i == 2 ? c : d;
    r[i] = (v[0] + v[2]) + (v[1] + v[3]);
  }
  return r;
}

}  // namespace
}  // namespace lenet
