// AVX-512: sixteen numbers a register, 32 of them (x86-64-v4). Read by vec.h alone, which says what each function is
// for.
#pragma once
#include <immintrin.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 16;
constexpr bool kManyRegisters = true;
typedef float V __attribute__((vector_size(64)));
typedef int32_t Vi __attribute__((vector_size(64)));

// Not V{} + f: adding 0 is an instruction of its own, since it turns -0 into 0.
LENET_INLINE V splat(float f) { return _mm512_set1_ps(f); }
// a * b + c, rounded once
LENET_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
LENET_INLINE V square_root(V x) { return _mm512_sqrt_ps(x); }

// Lane sums of four registers at once, by transposing: {sum(a), sum(b), sum(c), sum(d)}.
LENET_INLINE V4 sum4(V a, V b, V c, V d) {
  V ab = V(_mm512_unpacklo_ps(a, b)) + V(_mm512_unpackhi_ps(a, b));
  V cd = V(_mm512_unpacklo_ps(c, d)) + V(_mm512_unpackhi_ps(c, d));
  V q = V(_mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd)))) +
        V(_mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
  __m256 h = _mm256_add_ps(_mm512_castps512_ps256(q), _mm512_extractf32x8_ps(q, 1));
  return V4(_mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1)));
}

}  // namespace
}  // namespace lenet
