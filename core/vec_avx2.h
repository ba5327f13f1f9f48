// AVX2 and FMA: eight numbers a register, 16 of them (x86-64-v3), or 32 (v4, groups of eight). Read by vec.h alone,
// which says what each function is for.
#pragma once
#include <immintrin.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 8;
#if defined(__AVX512VL__)
constexpr bool kManyRegisters = true;
#define LENET_REGISTER "v"  // what inline assembly calls a V
#else
constexpr bool kManyRegisters = false;
#define LENET_REGISTER "x"
#endif
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

// Lanes for which something holds: their sign bits. choose() takes b in those, a in the others.
typedef V Lanes;
LENET_INLINE Lanes above(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
LENET_INLINE Lanes unordered(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_UNORD_Q); }
LENET_INLINE Lanes either(Lanes a, Lanes b) { return _mm256_or_ps(a, b); }
LENET_INLINE Lanes without(Lanes a, Lanes b) { return _mm256_andnot_ps(b, a); }
LENET_INLINE bool any(Lanes a) { return _mm256_movemask_ps(a) != 0; }
LENET_INLINE V choose(Lanes which, V a, V b) { return _mm256_blendv_ps(a, b, which); }
LENET_INLINE Lanes all_lanes() { return Lanes(Vi{} - 1); }

// Winners: a byte each.
LENET_INLINE Vi winners(const uint8_t* p) {
  return Vi(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
LENET_INLINE void store_winners(uint8_t* p, Lanes right, Lanes lower, Lanes live) {
  Vi w = (Vi(right) & 1) + (Vi(lower) & 2);
  w = Vi(choose(live, V(Vi{} + 4), V(w)));
  const __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(__m256i(w)), _mm256_extracti128_si256(__m256i(w), 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(half, half));
}

// Masks and indices are made out of the winners each time: cheaper here than reading four times as much.
constexpr bool kKeepsWinners = false;
LENET_INLINE void keep_sides(size_t, const uint8_t*, uint16_t*, uint16_t*) {}
LENET_INLINE Lanes right_of(const uint8_t* winner, const uint16_t*) { return V(winners(winner) << 31); }
LENET_INLINE Lanes lower_of(const uint8_t* winner, const uint16_t*) { return V(winners(winner) << 30); }

// table[index] in each lane
LENET_INLINE Vi pick_index(Vi winner) { return winner; }
LENET_INLINE V pick(V table, Vi index) { return _mm256_permutevar8x32_ps(table, __m256i(index)); }

}  // namespace
}  // namespace lenet
