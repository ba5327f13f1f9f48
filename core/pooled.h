// Convolution, relu and 2x2 maximum as one, and the way back: part of kernels.cpp. Here the four cells of a window
// meet, and here is decided which way is taken: by fewer products (winner.h, split.h) where shape and level allow it,
// else by the dense convolution's kernels around an image of gradients that are mostly zero.
#pragma once
#include "kernels.h"
#include "pool4.h"
#include "split.h"
#include "vec.h"
#include "winner.h"

namespace lenet {
namespace {

// ---- dense ---------------------------------------------------------------------------------------------------------

template <int OB>
void conv_pool_rows(const Conv& c, const float* xp, const float* w, const float* bias, bool cut, float* y,
                    uint8_t* winner) {
  const int ph = c.OH / 2, pw = c.OW / 2;
  for (int s = 0; s < L; s += VW)
    for (int oy = 0; oy < ph; ++oy)
      for (int ox = 0; ox < pw; ++ox) {
        V acc[OB][4];
        conv_block<OB, 2, 2>(c, xp + (size_t(oy) * 2 * c.Wp + ox * 2) * L + s, w, bias, acc);
        size_t at = (size_t(oy) * pw + ox) * L + s;
#pragma GCC unroll 8
        for (int o = 0; o < OB; ++o, at += size_t(ph) * pw * L)
          pool_store(acc[o][0], acc[o][1], acc[o][2], acc[o][3], cut, y + at, winner + at);
      }
}

struct PoolCall {
  const Conv& c;
  const float *xp, *w, *bias;
  bool cut;
  float* y;
  uint8_t* winner;
  template <int OB>
  void run() const {
    conv_pool_rows<OB>(c, xp, w, bias, cut, y, winner);
  }
};

void dense_pooled(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y,
                  uint8_t* winner) {
  int b = block_of(c.K, kOB), inner = c.C * c.kh * c.kw;
  size_t plane = size_t(c.OH / 2) * (c.OW / 2) * L;
  for (int k = 0; k < c.K; k += b) {
    int n = c.K - k < b ? c.K - k : b;
    with_block(n, PoolCall{c, xp, packed + size_t(k) * inner, bias ? bias + k : nullptr, cut, y + k * plane,
                           winner + k * plane});
  }
}

void unpool(const Conv& c, const float* dy, const uint8_t* winner, float* frame) {
  const int ph = c.OH / 2, pw = c.OW / 2;
  const size_t row = size_t(c.OW + 2) * L;
  for (int k = 0; k < c.K; ++k)
    for (int oy = 0; oy < ph; ++oy) {
      float* top = frame + (size_t(k) * c.OH + oy * 2) * row;
      for (int s = 0; s < L; s += VW) {
        for (int e = 0; e < 2; ++e) {
          store(top + e * row + s, V{});
          store(top + e * row + (c.OW + 1) * L + s, V{});
        }
      }
      for (int ox = 0; ox < pw; ++ox)
        for (int s = 0; s < L; s += VW) {
          size_t at = ((size_t(k) * ph + oy) * pw + ox) * L + s;
          V d = load(dy + at);
          Vi w = winners(winner + at);
          float* out = top + (1 + ox * 2) * L + s;
          store(out, select(w == splati(0), d, V{}));
          store(out + L, select(w == splati(1), d, V{}));
          store(out + row, select(w == splati(2), d, V{}));
          store(out + row + L, select(w == splati(3), d, V{}));
        }
    }
}

// ---- which way ------------------------------------------------------------------------------------------------------

void pooled_pack(const Conv& c, const float* w, float* packed) {
  if (!split_suits(c)) return conv_pack(c, w, packed);
  c.kh == 5 ? split_pack<5>(c, w, packed) : split_pack<3>(c, w, packed);
}
void pooled_pack_dx(const Conv& c, const float* w, float* packed) {
  if (!winner_suits(c)) return conv_pack_dx(c, w, packed);
  c.kh == 5 ? winner_pack_dx<5>(c, w, packed) : winner_pack_dx<3>(c, w, packed);
}
void pooled_unpack_dw(const Conv& c, const float* packed, float* dw) {
  if (!winner_suits(c)) return conv_unpack_dw(c, packed, dw);
  c.kh == 5 ? winner_unpack_dw<5>(c, packed, dw) : winner_unpack_dw<3>(c, packed, dw);
}
size_t pooled_room(const Conv& c) {
  const size_t back = winner_suits(c) ? winner_room(c) : dy_frame_size(c) * L,
               forward = split_suits(c) ? split_room(c) : 0;
  return back > forward ? back : forward;
}

void pooled_forward(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y,
                    uint8_t* winner, float* room) {
  if (split_suits(c))
    return (c.kh == 5 ? split_forward<5> : split_forward<3>)(c, xp, packed, bias, cut, y, winner, room);
  dense_pooled(c, xp, packed, bias, cut, y, winner);
}

void pooled_backward(const Conv& c, const float* xp, const float* dy, const uint8_t* winner, bool cut,
                     const float* packed_dx, float* dw, float* db, float* dx, float* room) {
  if (winner_suits(c))
    return (c.kh == 5 ? winner_backward<5> : winner_backward<3>)(c, xp, dy, winner, cut, packed_dx, dw, db, dx, room);
  unpool(c, dy, winner, room);
  conv_dw(c, xp, room, dw, db);
  if (dx) conv_dx(c, room, packed_dx, dx);
}

}  // namespace
}  // namespace lenet
