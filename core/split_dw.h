// A 3x3 convolution's weight gradient by fewer products than the dense way: part of kernels.cpp, read by ways.h. Stride
// 1, even outputs, from a few channels on.
//
// It is split.h turned round. There two neighbouring outputs of three taps are sums of four products; here the four
// products' gradients are sums over all pairs of outputs, and the taps' gradients sums of those, once at the end:
//   s0 += (d0-d2) y0   s1 += (d1+d2) (y0+y1)   s2 += (d2-d1) (y0-y1)   s3 += (d1-d3) y1
//   g0 = s0 + (s1+s2)/2      g1 = (s1-s2)/2      g2 = (s1+s2)/2 - s3
// In two dimensions 16 products for four outputs instead of 36.
#pragma once
#include "kernels.h"
#include "product.h"
#include "vec.h"

namespace lenet {
namespace {

constexpr size_t kNearSplit = 160 * 1024;  // numbers that stay in the second cache

bool split_dw_suits(const Conv& c) {
  const bool shape = c.plain() && c.kh == 3 && c.kw == 3 && c.sh == 1 && c.sw == 1 && c.OH % 2 == 0 && c.OW % 2 == 0;
  return shape && c.C >= 8 && c.K >= 8;
}

// Tiles of two by two outputs taken at once.
int split_dw_run(const Conv& c) {
  const int fit = int(kNearSplit / (size_t(c.C + c.K) * 4 * VW)), all = c.OH / 2 * (c.OW / 2);
  const int run = fit < 8 ? 8 : fit > 96 ? 96 : fit;
  return run < all ? run : all;
}
size_t split_dw_room(const Conv& c) { return size_t(c.C + c.K) * 4 * split_dw_run(c) * VW; }

// Four operands of each tile and channel, for the rows that go into sum U: [4][channels][run].
template <int U>
LENET_INLINE void split_dw_operands(const Conv& c, int first, int n, size_t step, const float* x, const float* dframe,
                                    float* xs, float* ys) {
  const int columns = c.OW / 2;
  const size_t xrow = size_t(c.Wp) * L, yrow = size_t(c.OW + 2) * L, xs4 = size_t(c.C) * step, ys4 = size_t(c.K) * step;
  for (int ch = 0; ch < c.C; ++ch, x += xrow * c.Hp, xs += step) {
    int row = first / columns, column = first % columns;
    for (int t = 0; t < n; ++t) {
      const float* from = x + size_t(2 * row) * xrow + size_t(2 * column) * L;
      V e[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        auto at = [&](int r) __attribute__((always_inline)) { return load(from + r * xrow + j * L); };
        e[j] = U == 0 ? at(0) - at(2) : U == 1 ? at(1) + at(2) : U == 2 ? at(2) - at(1) : at(1) - at(3);
      }
      float* to = xs + t * VW;
      store(to, e[0] - e[2]), store(to + xs4, e[1] + e[2]);
      store(to + 2 * xs4, e[2] - e[1]), store(to + 3 * xs4, e[1] - e[3]);
      if (++column == columns) ++row, column = 0;
    }
  }
  for (int k = 0; k < c.K; ++k, dframe += yrow * c.OH, ys += step) {
    int row = first / columns, column = first % columns;
    for (int t = 0; t < n; ++t) {
      const float* from = dframe + size_t(2 * row) * yrow + size_t(2 * column) * L;
      V e[2];
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        auto at = [&](int r) __attribute__((always_inline)) { return load(from + r * yrow + j * L); };
        e[j] = U == 0 ? at(0) : U == 1 ? at(0) + at(1) : U == 2 ? at(0) - at(1) : at(1);
      }
      float* to = ys + t * VW;
      store(to, e[0]), store(to + ys4, e[0] + e[1]);
      store(to + 2 * ys4, e[0] - e[1]), store(to + 3 * ys4, e[1]);
      if (++column == columns) ++row, column = 0;
    }
  }
}

// += sums [16][K][C]
void split_dw(const Conv& c, const float* xp, const float* dframe, float* sums, float* room) {
  const int run = split_dw_run(c), all = c.OH / 2 * (c.OW / 2);
  const size_t step = size_t(run) * VW, one = size_t(c.K) * c.C;
  float *xs = room, *ys = room + 4 * size_t(c.C) * step;
  for (int s = 0; s < L; s += VW)
    for (int q = 0; q < all; q += run) {
      const int n = all - q < run ? all - q : run;
      for (int u = 0; u < 4; ++u) {
        const float *x = xp + s, *dy = dframe + L + s;
        if (u == 0) split_dw_operands<0>(c, q, n, step, x, dy, xs, ys);
        if (u == 1) split_dw_operands<1>(c, q, n, step, x, dy, xs, ys);
        if (u == 2) split_dw_operands<2>(c, q, n, step, x, dy, xs, ys);
        if (u == 3) split_dw_operands<3>(c, q, n, step, x, dy, xs, ys);
        for (int v = 0; v < 4; ++v)
          product_all(c.C, c.K, n, step, xs + v * size_t(c.C) * step, ys + v * size_t(c.K) * step,
                      sums + (u * 4 + v) * one);
      }
    }
}

void split_unpack_dw(const Conv& c, const float* sums, float* dw) {
  const size_t one = size_t(c.K) * c.C;
  for (size_t i = 0; i < one; ++i) {
    float t[3][4];
    for (int v = 0; v < 4; ++v) {
      auto s = [&](int u) { return sums[(u * 4 + v) * one + i]; };
      const float half = 0.5f * (s(1) + s(2));
      t[0][v] = s(0) + half, t[1][v] = 0.5f * (s(1) - s(2)), t[2][v] = half - s(3);
    }
    for (int r = 0; r < 3; ++r) {
      const float half = 0.5f * (t[r][1] + t[r][2]);
      float* to = dw + i * 9 + r * 3;
      to[0] = t[r][0] + half, to[1] = 0.5f * (t[r][1] - t[r][2]), to[2] = half - t[r][3];
    }
  }
}

}  // namespace
}  // namespace lenet
