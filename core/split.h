// Convolution forward by fewer products than the dense way, two by two outputs at a time: part of kernels.cpp, read by
// ways.h. Stride 1, 5x5 and 3x3, from a few input channels on: what is added up before the products and after them is
// shared by all output channels and all input channels.
//
// In one dimension two neighbouring outputs of three taps take four products instead of six, of two taps three instead
// of four; five taps are three and two, and some products end in the same sums:
//   m: (d0-d2) g0   (d1+d2) (g0+g1+g2)/2   (d2-d1) (g0-g1+g2)/2   (d1-d3) g2
//   n: (d3-d4) g3   d4 (g3+g4)                                    (d4-d5) g4
//   y0 = [m0+n0] + [m1+n1] + m2        y1 = [m1+n1] - m2 - [m3+n2]
// In two dimensions, rows of rows: 49 products instead of 100, in 16 sums, or 16 instead of 36. Neighbours alone are
// added to each other, never multiplied by more than a half: the error is that of the plain sum. An infinity minus
// another is a NaN, so that an infinite number in x comes out as NaN where the plain sum has infinity.
#pragma once
#include "kernels.h"
#include "pool4.h"
#include "vec.h"

namespace lenet {
namespace {

// The products u of each of the four sums, in one dimension; and the sum of each product.
constexpr int kSplitOf[4][2] = {{0, 4}, {1, 5}, {2, -1}, {3, 6}};
constexpr int kSplitSum[7] = {0, 1, 2, 3, 0, 1, 3};
template <int KH>
constexpr int kSplitProducts = KH == 5 ? 7 : 4;
template <int KH>
constexpr int split_rows(int sum) {
  return KH == 5 && kSplitOf[sum][1] >= 0 ? 2 : 1;
}

constexpr int kSplitTiles = 3;                          // windows side by side …
constexpr int kSplitChannels = kManyRegisters ? 2 : 1;  // … times output channels, times four sums: registers

// With fewer channels the sums before and after cost more than the products they spare.
bool split_suits(const Conv& c) {
  const bool shape = c.plain() && c.sh == 1 && c.sw == 1 && c.kh == c.kw && c.OH >= 2 && c.OW >= 2;
  return shape && (c.kh == 5 || c.kh == 3) && c.C >= 3 && c.K >= 6;
}

// u of taps g, `step` apart, to places `to` apart
template <int KH>
LENET_INLINE void split_taps(const float* g, size_t step, float* u, size_t to) {
  const float g0 = g[0], g1 = g[step], g2 = g[2 * step], outer = 0.5f * (g0 + g2), inner = 0.5f * g1;
  u[0] = g0, u[to] = outer + inner, u[2 * to] = outer - inner, u[3 * to] = g2;
  if constexpr (KH == 5) {
    const float g3 = g[3 * step], g4 = g[4 * step];
    u[4 * to] = g3, u[5 * to] = g3 + g4, u[6 * to] = g4;
  }
}

// Packed: [sum of rows][blocks of kSplitChannels output channels][C][rows of the sum][products][channel]
// TURNED: w is [C][K] and each kernel is turned round, for an input gradient.
template <int KH, bool TURNED = false>
void split_pack(const Conv& c, const float* w, float* packed) {
  constexpr int U = kSplitProducts<KH>;
  for (int k = 0; k < c.K; ++k) {
    const int b = k / kSplitChannels * kSplitChannels, o = k - b,
              n = c.K - b < kSplitChannels ? c.K - b : kSplitChannels;
    for (int ch = 0; ch < c.C; ++ch) {
      float t[U][KH], taps[KH * KH];
      const float* own = w + (TURNED ? size_t(ch) * c.K + k : size_t(k) * c.C + ch) * KH * KH;
      for (int i = 0; i < KH * KH; ++i) taps[i] = own[TURNED ? KH * KH - 1 - i : i];
      for (int j = 0; j < KH; ++j) split_taps<KH>(taps + j, KH, &t[0][j], KH);
      float* part = packed;
      for (int a = 0; a < 4; ++a) {
        const int rows = split_rows<KH>(a);
        for (int r = 0; r < rows; ++r)
          split_taps<KH>(t[kSplitOf[a][r]], 1, part + (size_t(b) * c.C + size_t(ch) * n) * rows * U + r * U * n + o, n);
        part += size_t(c.K) * c.C * rows * U;
      }
    }
  }
}

// The operands out of four or six neighbours; to(v, operand).
template <int KH, class F>
LENET_INLINE void split_operands(const V* e, F to) {
  to(0, e[0] - e[2]), to(1, e[1] + e[2]), to(2, e[2] - e[1]), to(3, e[1] - e[3]);
  if constexpr (KH == 5) to(4, e[3] - e[4]), to(5, e[4]), to(6, e[4] - e[5]);
}

// x's operands for the rows of one sum and T windows: [C][rows of the sum][products][T]. One sum at a time, so that
// they stay in the first cache until they have been multiplied.
template <int KH, int T, int A>
LENET_INLINE void split_input(const Conv& c, const float* x, float* to) {
  constexpr int U = kSplitProducts<KH>;
  const size_t row = size_t(c.Wp) * L;
  for (int ch = 0; ch < c.C; ++ch, x += row * c.Hp)
    for (int n = 0; n < split_rows<KH>(A); ++n, to += U * T * VW)
#pragma GCC unroll 1
      for (int t = 0; t < T; ++t) {
        const int u = kSplitOf[A][n];
        V e[KH + 1];
#pragma GCC unroll 8
        for (int s = 0; s <= KH; ++s) {
          auto at = [&](int r) __attribute__((always_inline)) { return load(x + r * row + (2 * t + s) * L); };
          e[s] = u == 0   ? at(0) - at(2)
                 : u == 1 ? at(1) + at(2)
                 : u == 2 ? at(2) - at(1)
                 : u == 3 ? at(1) - at(3)
                 : u == 4 ? at(3) - at(4)
                 : u == 5 ? at(4)
                          : at(4) - at(5);
        }
        split_operands<KH>(e, [&](int v, V f) __attribute__((always_inline)) { store(to + (v * T + t) * VW, f); });
      }
}

// `rows` rows of products for KB output channels and T windows, and the two outputs of each.
template <int KH, int T, int KB>
LENET_INLINE void split_products(int rows, const float* x, const float* w, V (&out)[KB][T][2]) {
  constexpr int U = kSplitProducts<KH>;
  V sum[KB][T][4];
#pragma GCC unroll 32
  for (int n = 0; n < KB * T * 4; ++n) sum[n / (T * 4)][n / 4 % T][n % 4] = V{};
  for (int n = 0; n < rows; ++n, x += U * T * VW, w += U * KB)
#pragma GCC unroll 8
    for (int v = 0; v < U; ++v) {
      V xv[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        xv[t] = load(x + (v * T + t) * VW);
        asm("" : "+" LENET_REGISTER(xv[t]));  // or it is loaded again for each channel
      }
#pragma GCC unroll 8
      for (int k = 0; k < KB; ++k) {
        const V wv = splat(w[v * KB + k]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) sum[k][t][kSplitSum[v]] = fma(xv[t], wv, sum[k][t][kSplitSum[v]]);
      }
    }
#pragma GCC unroll 8
  for (int k = 0; k < KB; ++k)
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const V* s = sum[k][t];
      out[k][t][0] = (s[0] + s[1]) + s[2], out[k][t][1] = (s[1] - s[2]) - s[3];
    }
}

struct SplitCall {
  const Conv& c;
  const float* bias;
  bool cut;
  float* y;
  uint8_t* winner;         // null: the four outputs are stored, not their maximum
  float *operands, *rows;  // rows: what three of the four sums of rows came to, [K][T][3][2]
  size_t plane, row;       // of y
};

// All output channels of one sum of rows; the last sum ends them.
template <int KH, int T, int A, int KB>
LENET_INLINE void split_channels(const SplitCall& s, int k0, int k1, const float* w, size_t to) {
  constexpr int rows = split_rows<KH>(A), U = kSplitProducts<KH>;
  for (int k = k0; k + KB <= k1; k += KB) {
    V r[KB][T][2];
    split_products<KH, T, KB>(s.c.C * rows, s.operands, w + size_t(k) * s.c.C * rows * U, r);
#pragma GCC unroll 8
    for (int o = 0; o < KB; ++o)
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        float* kept = s.rows + size_t((k + o) * T + t) * 6 * VW;
        if constexpr (A < 3) {
          store(kept + A * 2 * VW, r[o][t][0]), store(kept + (A * 2 + 1) * VW, r[o][t][1]);
        } else {
          const V b = s.bias ? splat(s.bias[k + o]) : V{};
          V q[4];
#pragma GCC unroll 2
          for (int e = 0; e < 2; ++e) {
            const V r0 = load(kept + e * VW), r1 = load(kept + (2 + e) * VW), r2 = load(kept + (4 + e) * VW);
            q[e] = ((r0 + r1) + r2) + b, q[2 + e] = ((r1 - r2) - r[o][t][e]) + b;
          }
          const size_t at = (k + o) * s.plane + to;
          if (s.winner) {
            pool_store(q[0], q[1], q[2], q[3], s.cut, s.y + at + t * L, s.winner + at + t * L);
          } else {
            float* y = s.y + at + 2 * t * L;
#pragma GCC unroll 4
            for (int e = 0; e < 4; ++e) store(y + e / 2 * s.row + e % 2 * L, s.cut ? relu(q[e]) : q[e]);
          }
        }
      }
  }
}

template <int KH, int T, int A>
LENET_INLINE const float* split_sum(const SplitCall& s, const float* x, const float* w, size_t to) {
  constexpr int KB = kSplitChannels;
  const int K = s.c.K, even = K / KB * KB;
  split_input<KH, T, A>(s.c, x, s.operands);
  split_channels<KH, T, A, KB>(s, 0, even, w, to);
  split_channels<KH, T, A, 1>(s, even, K, w, to);
  return w + size_t(K) * s.c.C * split_rows<KH>(A) * kSplitProducts<KH>;
}

// T windows of two by two outputs from x on; to: where they go in each plane of y.
template <int KH, int T>
void split_tiles(const SplitCall& s, const float* x, const float* w, size_t to) {
  w = split_sum<KH, T, 0>(s, x, w, to);
  w = split_sum<KH, T, 1>(s, x, w, to);
  w = split_sum<KH, T, 2>(s, x, w, to);
  split_sum<KH, T, 3>(s, x, w, to);
}

// Operands of the two rows of a sum, and what is kept of the sums of rows.
size_t split_room(const Conv& c) { return (size_t(2) * kSplitProducts<5> * c.C + size_t(6) * c.K) * kSplitTiles * VW; }

// winner null: the convolution alone. An odd last row or column is computed with its neighbour once more.
template <int KH>
void split_forward(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y,
                   uint8_t* winner, float* room) {
  const int side = winner ? 1 : 2, columns = c.OW / 2;  // of a window in y
  const size_t row = size_t(c.OW / 2 * side + (!winner && c.OW % 2)) * L, xrow = size_t(c.Wp) * L;
  const size_t plane = row * (winner ? c.OH / 2 : c.OH);
  float* rows = room + size_t(2) * kSplitProducts<5> * c.C * kSplitTiles * VW;
  const SplitCall call{c, bias, cut, y, winner, room, rows, plane, row};
  for (int s = 0; s < L; s += VW)
    for (int oy = 0; oy < c.OH; oy += 2) {
      if (oy + 2 > c.OH) oy = c.OH - 2;
      const float* x = xp + size_t(oy) * xrow + s;
      const size_t to = size_t(winner ? oy / 2 : oy) * row + s;
      int ox = 0;
      for (; ox + 3 <= columns; ox += 3) split_tiles<KH, 3>(call, x + 2 * ox * L, packed, to + ox * side * L);
      for (; ox + 2 <= columns; ox += 2) split_tiles<KH, 2>(call, x + 2 * ox * L, packed, to + ox * side * L);
      for (; ox < columns; ++ox) split_tiles<KH, 1>(call, x + 2 * ox * L, packed, to + ox * side * L);
      if (c.OW % 2) split_tiles<KH, 1>(call, x + (c.OW - 2) * L, packed, to + (c.OW - 2) * L);
    }
}

}  // namespace
}  // namespace lenet
