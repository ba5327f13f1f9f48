// One SIMD register of floats, as wide as the ISA level this file is compiled for. GCC/Clang vector extensions say most
// of it; what they can't say (a fused multiply-add without -ffp-contract, a square root, lane sums) stands in one short
// file a target, which is all that a new target has to bring: vec_avx512.h, vec_avx2.h, vec_sse.h, vec_neon.h.
// Everything is in an unnamed namespace: two levels' copies of a function must never be merged by the linker.
// Read by kernels.cpp and what belongs to it.
#pragma once
#include <cstdint>
#include <cstring>

#define LENET_INLINE inline __attribute__((always_inline))

namespace lenet {
namespace {
typedef float V4 __attribute__((vector_size(16)));
typedef float V4u __attribute__((vector_size(16), aligned(4), may_alias));
}  // namespace
}  // namespace lenet

#if defined(__AVX512F__) && !defined(LENET_LANES)  // eight lanes fill half a register
#include "vec_avx512.h"
#elif defined(__AVX2__)
#include "vec_avx2.h"
#elif defined(__x86_64__)
#include "vec_sse.h"
#elif defined(__aarch64__)
#include "vec_neon.h"
#endif

namespace lenet {
namespace {

typedef float Vu __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef int32_t Viu __attribute__((vector_size(VW * 4), aligned(4), may_alias));

LENET_INLINE V load(const float* p) { return *reinterpret_cast<const Vu*>(p); }
LENET_INLINE void store(float* p, V v) { *reinterpret_cast<Vu*>(p) = v; }
LENET_INLINE Vi loadi(const int32_t* p) { return *reinterpret_cast<const Viu*>(p); }
LENET_INLINE void storei(int32_t* p, Vi v) { *reinterpret_cast<Viu*>(p) = v; }
LENET_INLINE Vi splati(int32_t i) { return Vi{} + i; }
LENET_INLINE V select(Vi mask, V yes, V no) { return mask ? yes : no; }

// NaN goes through both: a comparison with it is false, so the value itself stays.
LENET_INLINE V relu(V x) { return select(x < V{}, V{}, x); }
LENET_INLINE V larger(V a, V b) { return select((b > a) | (b != b), b, a); }

#if !defined(LENET_BYTE_TABLE)
// Numbers by bytes, out of memory where they don't fit the registers.
struct ByteTable {
  const float* numbers;
  LENET_INLINE explicit ByteTable(const float* of) : numbers(of) {}
  LENET_INLINE V at(const uint8_t* p) const {
    float v[VW];
    for (int i = 0; i < VW; ++i) v[i] = numbers[p[i]];
    return load(v);
  }
};
#endif

// out[i] += lane sum of acc[i], for N registers.
template <int N>
LENET_INLINE void add_sums(const V* acc, float* out) {
#pragma GCC unroll 16
  for (int i = 0; i < N / 4 * 4; i += 4) {
    V4 s = sum4(acc[i], acc[i + 1], acc[i + 2], acc[i + 3]);
    *reinterpret_cast<V4u*>(out + i) = V4(*reinterpret_cast<const V4u*>(out + i)) + s;
  }
  if constexpr (N % 4 != 0) {
    constexpr int B = N / 4 * 4;
    V4 s = sum4(acc[B], B + 1 < N ? acc[B + 1] : V{}, B + 2 < N ? acc[B + 2] : V{}, V{});
    for (int i = B; i < N; ++i) out[i] += s[i - B];
  }
}

// e^x. x = n ln2 + r with |r| <= ln2 / 2, e^r by its Taylor series to r^7 (error below 1 ulp there), scaled by 2^n in
// two steps so that results near the smallest normal number stay right. NaN in, NaN out; overflow gives infinity.
LENET_INLINE V exp(V x) {
  V low = splat(-87.3f), high = splat(88.8f);
  V c = select(x < low, low, select(x > high, high, x));
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  V t = c * splat(1.44269504088896341f) + splat(magic);
  V n = t - splat(magic);
  V r = fma(n, splat(-0.693145751953125f), c);
  r = fma(n, splat(-1.42860682030941723212e-6f), r);
  V p = splat(1.0f / 5040);
  p = fma(p, r, splat(1.0f / 720));
  p = fma(p, r, splat(1.0f / 120));
  p = fma(p, r, splat(1.0f / 24));
  p = fma(p, r, splat(1.0f / 6));
  p = fma(p, r, splat(0.5f));
  p = fma(p, r, splat(1.0f));
  p = fma(p, r, splat(1.0f));
  Vi k = __builtin_convertvector(n, Vi);
  Vi half = k >> 1;
  V a = V((half + splati(127)) << 23), b = V((k - half + splati(127)) << 23);
  V y = p * a * b;
  return select(x < low, V{}, select(x != x, x, y));
}

// log(x) for x > 0 (normal numbers). x = 2^e m with m in [sqrt(1/2), sqrt(2)), log m = 2 atanh(s), s = (m-1)/(m+1).
LENET_INLINE V log(V x) {
  Vi bits = Vi(x) - splati(0x3f3504f3);
  Vi e = bits >> 23;
  V m = V((bits & splati(0x007fffff)) + splati(0x3f3504f3));
  V s = (m - splat(1.0f)) / (m + splat(1.0f));
  V z = s * s;
  V p = splat(2.0f / 9);
  p = fma(p, z, splat(2.0f / 7));
  p = fma(p, z, splat(2.0f / 5));
  p = fma(p, z, splat(2.0f / 3));
  V tail = s * z * p;
  V n = __builtin_convertvector(e, V);
  V y = fma(n, splat(1.42860682030941723212e-6f), tail + (s + s));
  return fma(n, splat(0.693145751953125f), y);
}

}  // namespace
}  // namespace lenet
