// SSE4.2: four numbers a register, 16 of them (x86-64-v2). Read by vec.h alone, which says what each function is for.
#pragma once
#include <immintrin.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 4;
constexpr bool kManyRegisters = false;
#define LENET_REGISTER "x"  // what inline assembly calls a V
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

// Lanes for which something holds: their sign bits. choose() takes b in those, a in the others.
typedef V Lanes;
LENET_INLINE Lanes above(V a, V b) { return _mm_cmpgt_ps(a, b); }
LENET_INLINE Lanes unordered(V a, V b) { return _mm_cmpunord_ps(a, b); }
LENET_INLINE Lanes either(Lanes a, Lanes b) { return _mm_or_ps(a, b); }
LENET_INLINE Lanes without(Lanes a, Lanes b) { return _mm_andnot_ps(b, a); }
LENET_INLINE bool any(Lanes a) { return _mm_movemask_ps(a) != 0; }
LENET_INLINE V choose(Lanes which, V a, V b) { return _mm_blendv_ps(a, b, which); }
LENET_INLINE Lanes all_lanes() { return Lanes(Vi{} - 1); }

// Winners: a byte each.
LENET_INLINE Vi winners(const uint8_t* p) {
  int32_t four;
  memcpy(&four, p, 4);
  return Vi(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)));
}
LENET_INLINE void store_winners(uint8_t* p, Lanes right, Lanes lower, Lanes live) {
  Vi w = (Vi(right) & 1) + (Vi(lower) & 2);
  w = Vi(choose(live, V(Vi{} + 4), V(w)));
  const __m128i half = _mm_packs_epi32(__m128i(w), __m128i(w));
  const int32_t four = _mm_cvtsi128_si32(_mm_packus_epi16(half, half));
  memcpy(p, &four, 4);
}

// Masks and indices are made out of the winners each time: cheaper here than reading four times as much.
constexpr bool kKeepsWinners = false;
LENET_INLINE void keep_sides(size_t, const uint8_t*, uint16_t*, uint16_t*) {}
LENET_INLINE Lanes right_of(const uint8_t* winner, const uint16_t*) { return V(winners(winner) << 31); }
LENET_INLINE Lanes lower_of(const uint8_t* winner, const uint16_t*) { return V(winners(winner) << 30); }

// table[index] in each lane; the index as four bytes, since SSE can choose bytes alone
LENET_INLINE Vi pick_index(Vi winner) { return winner * 0x04040404 + 0x03020100; }
LENET_INLINE V pick(V table, Vi index) { return V(_mm_shuffle_epi8(__m128i(table), __m128i(index))); }

}  // namespace
}  // namespace lenet
