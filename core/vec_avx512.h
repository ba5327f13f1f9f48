// AVX-512: sixteen numbers a register, 32 of them (x86-64-v4). Read by vec.h alone, which says what each function is
// for.
#pragma once
#include <immintrin.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 16;
constexpr bool kManyRegisters = true;
#define LENET_REGISTER "v"  // what inline assembly calls a V
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

// Lanes for which something holds. choose() takes b in those, a in the others.
typedef __mmask16 Lanes;
LENET_INLINE Lanes above(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
LENET_INLINE Lanes unordered(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
LENET_INLINE Lanes either(Lanes a, Lanes b) { return _kor_mask16(a, b); }
LENET_INLINE Lanes without(Lanes a, Lanes b) { return _kandn_mask16(b, a); }
LENET_INLINE bool any(Lanes a) { return !_kortestz_mask16_u8(a, a); }
LENET_INLINE V choose(Lanes which, V a, V b) { return _mm512_mask_blend_ps(which, a, b); }
LENET_INLINE Lanes choose(Lanes which, Lanes a, Lanes b) { return either(without(a, which), _kand_mask16(b, which)); }

// Winners: a byte each.
LENET_INLINE Vi winners(const uint8_t* p) {
  return Vi(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
LENET_INLINE void store_winners(uint8_t* p, Lanes right, Lanes lower, Lanes live) {
  __m128i w = _mm_maskz_mov_epi8(right, _mm_set1_epi8(1));
  w = _mm_mask_add_epi8(w, lower, w, _mm_set1_epi8(2));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_mask_mov_epi8(_mm_set1_epi8(4), live, w));
}
LENET_INLINE Lanes all_lanes() { return 0xffff; }

// Making a mask or an index out of winners costs as much as a multiply-add, reading one less: they are made once and
// kept, masks four windows at a time.
constexpr bool kKeepsWinners = true;
LENET_INLINE void keep_sides(size_t windows, const uint8_t* winner, uint16_t* right, uint16_t* lower) {
  for (size_t i = 0; i < windows; i += 4, winner += 64) {
    const size_t n = windows - i < 4 ? windows - i : 4;
    const __m512i w = _mm512_maskz_loadu_epi8(~uint64_t(0) >> (64 - 16 * n), winner);
    const uint64_t r = _mm512_test_epi8_mask(w, _mm512_set1_epi8(1)), l = _mm512_test_epi8_mask(w, _mm512_set1_epi8(2));
    memcpy(right + i, &r, 2 * n);
    memcpy(lower + i, &l, 2 * n);
  }
}
LENET_INLINE Lanes right_of(const uint8_t*, const uint16_t* kept) { return _load_mask16((__mmask16*)kept); }
LENET_INLINE Lanes lower_of(const uint8_t*, const uint16_t* kept) { return _load_mask16((__mmask16*)kept); }

// table[index] in each lane
LENET_INLINE Vi pick_index(Vi winner) { return winner; }
LENET_INLINE V pick(V table, Vi index) { return _mm512_permutexvar_ps(__m512i(index), table); }

// 256 numbers in sixteen registers: two at a time hold 32, of which a permutation picks by a byte's lowest five bits;
// the rest is chosen by its other three.
#define LENET_BYTE_TABLE
struct ByteTable {
  V part[16];
  LENET_INLINE explicit ByteTable(const float* numbers) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) part[i] = _mm512_loadu_ps(numbers + 16 * i);
  }
  LENET_INLINE V at(const uint8_t* p) const {
    const __m512i b = __m512i(winners(p));
    const Lanes k5 = _mm512_test_epi32_mask(b, _mm512_set1_epi32(32)),
                k6 = _mm512_test_epi32_mask(b, _mm512_set1_epi32(64)),
                k7 = _mm512_test_epi32_mask(b, _mm512_set1_epi32(128));
    V v[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) v[i] = _mm512_permutex2var_ps(part[2 * i], b, part[2 * i + 1]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) v[i] = choose(k5, v[2 * i], v[2 * i + 1]);
    return choose(k7, choose(k6, v[0], v[1]), choose(k6, v[2], v[3]));
  }
};

}  // namespace
}  // namespace lenet
