// Neon: four numbers a register, 32 of them (arm64). Read by vec.h alone, which says what each function is for.
#pragma once
#include <arm_neon.h>

#include "vec.h"

namespace lenet {
namespace {

constexpr int VW = 4;
constexpr bool kManyRegisters = true;
#define LENET_REGISTER "w"  // what inline assembly calls a V
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

// Lanes for which something holds: all their bits. choose() takes b in those, a in the others.
typedef uint32x4_t Lanes;
LENET_INLINE Lanes above(V a, V b) { return vcgtq_f32(a, b); }
LENET_INLINE Lanes unordered(V a, V b) { return vmvnq_u32(vandq_u32(vceqq_f32(a, a), vceqq_f32(b, b))); }
LENET_INLINE Lanes either(Lanes a, Lanes b) { return vorrq_u32(a, b); }
LENET_INLINE Lanes without(Lanes a, Lanes b) { return vbicq_u32(a, b); }
LENET_INLINE bool any(Lanes a) { return vmaxvq_u32(a) != 0; }
LENET_INLINE V choose(Lanes which, V a, V b) { return vbslq_f32(which, b, a); }
LENET_INLINE Lanes choose(Lanes which, Lanes a, Lanes b) { return vbslq_u32(which, b, a); }
LENET_INLINE Lanes all_lanes() { return Lanes(Vi{} - 1); }

// Winners: a byte each.
LENET_INLINE Vi winners(const uint8_t* p) {
  uint32_t four;
  memcpy(&four, p, 4);
  return Vi(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}
LENET_INLINE void store_winners(uint8_t* p, Lanes right, Lanes lower, Lanes live) {
  Lanes w = (right & 1) + (lower & 2);
  w = choose(live, Lanes(Vi{} + 4), w);
  const uint16x4_t half = vmovn_u32(w);
  const uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(half, half))), 0);
  memcpy(p, &four, 4);
}

// Masks and indices are made out of the winners each time: cheaper here than reading four times as much.
constexpr bool kKeepsWinners = false;
LENET_INLINE void keep_sides(size_t, const uint8_t*, uint16_t*, uint16_t*) {}
LENET_INLINE Lanes right_of(const uint8_t* winner, const uint16_t*) {
  return vtstq_u32(uint32x4_t(winners(winner)), vdupq_n_u32(1));
}
LENET_INLINE Lanes lower_of(const uint8_t* winner, const uint16_t*) {
  return vtstq_u32(uint32x4_t(winners(winner)), vdupq_n_u32(2));
}

// table[index] in each lane; the index as four bytes, since neon can choose bytes alone
LENET_INLINE Vi pick_index(Vi winner) { return winner * 0x04040404 + 0x03020100; }
LENET_INLINE V pick(V table, Vi index) {
  return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(table), vreinterpretq_u8_s32(index)));
}

}  // namespace
}  // namespace lenet
