// Neon: four numbers a register, 32 of them (arm64). Read by vec.h alone, which says what each function is for.
#pragma once
#include <arm_neon.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 4;
constexpr bool kManyRegisters = true;
typedef float V __attribute__((vector_size(16)));
typedef int32_t Vi __attribute__((vector_size(16)));

// Not V{} + f: adding 0 is an instruction of its own, since it turns -0 into 0.
LENET_INLINE V splat(float f) { return vdupq_n_f32(f); }
// a * b + c, rounded once
LENET_INLINE V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
LENET_INLINE V square_root(V x) { return vsqrtq_f32(x); }

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
