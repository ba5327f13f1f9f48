// AVX2 and FMA: eight numbers a register, 16 of them (x86-64-v3). Read by vec.h alone, which says what each function is
// for.
#pragma once
#include <immintrin.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 8;
constexpr bool kManyRegisters = false;
typedef float V __attribute__((vector_size(32)));
typedef int32_t Vi __attribute__((vector_size(32)));

// Not V{} + f: adding 0 is an instruction of its own, since it turns -0 into 0.
LENET_INLINE V splat(float f) { return _mm256_set1_ps(f); }
// a * b + c, rounded once
LENET_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
LENET_INLINE V square_root(V x) { return _mm256_sqrt_ps(x); }

// Lane sums of four registers at once, by transposing: {sum(a), sum(b), sum(c), sum(d)}.
LENET_INLINE V4 sum4(V a, V b, V c, V d) {
  V ab = V(_mm256_unpacklo_ps(a, b)) + V(_mm256_unpackhi_ps(a, b));
  V cd = V(_mm256_unpacklo_ps(c, d)) + V(_mm256_unpackhi_ps(c, d));
  V q = V(_mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd)))) +
        V(_mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd))));
  return V4(_mm_add_ps(_mm256_castps256_ps128(q), _mm256_extractf128_ps(q, 1)));
}

}  // namespace
}  // namespace lenet
