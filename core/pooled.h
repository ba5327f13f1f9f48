// Convolution, relu and 2x2 maximum as one, dense, and the gradients' way back through the maximum: part of
// kernels.cpp, read by ways.h, which says when another way is taken.
#pragma once
#include "dense.h"
#include "kernels.h"
#include "pool4.h"
#include "vec.h"

namespace lenet {
namespace {

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

}  // namespace
}  // namespace lenet
