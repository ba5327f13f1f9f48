// Gradients of a convolution behind a 2x2 maximum, by one product where the dense way takes four: part of kernels.cpp,
// read by ways.h. Three of four gradients in a window are zero, and which one isn't differs from lane to lane; so the
// other operand is selected, by lane, and multiplied once. Stride 1; weights' gradients of 5x5 and 3x3, the input's of
// 5x5.
//
// A gradient g of output channel k at the pooled cell (py, px) belongs to its winner (wy, wx), each 0 or 1:
//   dw[k][c][i][j]             += g * x[c][2 py + wy + i][2 px + wx + j]
//     Neighbouring columns of x are chosen from by wx, neighbouring rows of those by wy.
//   dx[c][2 py + r][2 px + s]  += g * w[k][c][r - wy][s - wx]
//     The four weights that a cell may meet lie side by side, and the winner is their index.
// For a cell, an input and an output channel of 5x5: 25 multiply-adds and 55 choices for dw, 36 multiply-adds and picks
// for dx, where the dense way takes 100 multiply-adds each. The sums are of the same products, in another order.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

// Keeps the compiler from moving loads across: they would all go first, and spill.
#define LENET_FENCE asm volatile("" ::: "memory")

bool winner_suits(const Conv& c) { return (c.kh == 5 && c.kw == 5) || (c.kh == 3 && c.kw == 3); }

// ---- weight gradient -----------------------------------------------------------------------------------------------

// Accumulators are KH rows times these.
constexpr int kDwChannels = kKeepsWinners ? 2 : 1;
template <int KH>
constexpr int kDwColumns = kKeepsWinners    ? (KH == 5 ? 2 : 3)
                           : kManyRegisters ? 3
                                            : (KH == 5 ? 1 : 2);

struct Winners {         // of one group, from the first output channel of a block on
  const float* g;        // gradients, zero where relu cut them off
  const uint8_t* where;  // their winners
  const int32_t* index;  // the same as pick() wants them, and as right_of() does; there if kKeepsWinners
  const uint16_t *right, *lower;
  size_t cells;  // of one channel
  Winners from(size_t channel) const {
    const size_t n = channel * cells;
    return {g + n * L, where + n * L, index + n * L, right + n, lower + n, cells};
  }
};

// KB output channels, JB kernel columns from x on, pooled rows py0 to py1. sums [KB][JB][KH] registers go on, or begin.
template <int KH, int KB, int JB>
LENET_INLINE float* dw_sums(const float* x, size_t xrow, int pw, int py0, int py1, const Winners& w, float* sums,
                            bool begin) {
  V acc[KB][JB][KH];
#pragma GCC unroll 32
  for (int n = 0; n < KB * JB * KH; ++n) acc[n / (JB * KH)][n / KH % JB][n % KH] = begin ? V{} : load(sums + n * VW);
  for (int s = 0; s < L; s += VW)
    for (int py = py0; py < py1; ++py) {
      const float* xr = x + size_t(2 * py) * xrow + s;
      size_t at = size_t(py) * pw;
      for (int px = 0; px < pw; ++px, xr += 2 * L, ++at) {
        // The rows' addresses are base + step * {0, 1, 2}, twice: hidden from the compiler, which would keep each of
        // them in a register, and has too few.
        size_t step = xrow * sizeof(float);
        const char* rows[2] = {reinterpret_cast<const char*>(xr), reinterpret_cast<const char*>(xr + 3 * xrow)};
        asm("" : "+r"(step), "+r"(rows[0]), "+r"(rows[1]));
        auto row = [&](int r) __attribute__((always_inline)) {
          return reinterpret_cast<const float*>(rows[r / 3] + r % 3 * step);
        };
        V g[KB], before[KB][JB], v[JB + 1];
        Lanes right[KB], lower[KB];
#pragma GCC unroll 8
        for (int k = 0; k < KB; ++k) {
          const size_t n = k * w.cells + at;
          right[k] = right_of(w.where + n * L + s, w.right + n), lower[k] = lower_of(w.where + n * L + s, w.lower + n);
          g[k] = load(w.g + n * L + s);
        }
#pragma GCC unroll 8
        for (int r = 0; r <= KH; ++r) {
          LENET_FENCE;
#pragma GCC unroll 8
          for (int j = 0; j <= JB; ++j) v[j] = load(row(r) + j * L);
#pragma GCC unroll 8
          for (int j = 0; j < JB; ++j)
#pragma GCC unroll 8
            for (int k = 0; k < KB; ++k) {
              const V now = choose(right[k], v[j], v[j + 1]);
              if (r > 0) acc[k][j][r - 1] = fma(choose(lower[k], before[k][j], now), g[k], acc[k][j][r - 1]);
              before[k][j] = now;
            }
        }
        LENET_FENCE;
      }
    }
#pragma GCC unroll 32
  for (int n = 0; n < KB * JB * KH; ++n) store(sums + n * VW, acc[n / (JB * KH)][n / KH % JB][n % KH]);
  return sums + KB * JB * KH * VW;
}

template <int KH, int KB>
LENET_INLINE float* dw_block_columns(const float* x, size_t xrow, int pw, int py0, int py1, const Winners& w,
                                     float* sums, bool begin) {
  constexpr int JB = kDwColumns<KH>, rest = KH % JB;
  int j = 0;
  for (; j + JB <= KH; j += JB) sums = dw_sums<KH, KB, JB>(x + j * L, xrow, pw, py0, py1, w, sums, begin);
  if constexpr (rest > 0) sums = dw_sums<KH, KB, rest>(x + j * L, xrow, pw, py0, py1, w, sums, begin);
  return sums;
}

constexpr int kBandNumbers = 5 * 1024;  // of x that stay in the first cache while all output channels pass

// Packed: [C][blocks of kDwChannels output channels][blocks of kDwColumns kernel columns][channel][column][row].
template <int KH>
void winner_dw(const Conv& c, const float* xp, const Winners& w, float* dw, float* sums) {
  const int ph = c.OH / 2, pw = c.OW / 2, rows = (kBandNumbers / (c.Wp * L) - (KH - 1)) / 2, band = rows > 1 ? rows : 1;
  const size_t xrow = size_t(c.Wp) * L, n = size_t(c.K) * KH * KH;
  for (int ch = 0; ch < c.C; ++ch, xp += xrow * c.Hp) {
    for (int py = 0; py < ph; py += band) {
      const int to = py + band < ph ? py + band : ph;
      float* s = sums;
      int k = 0;
      for (; k + kDwChannels <= c.K; k += kDwChannels)
        s = dw_block_columns<KH, kDwChannels>(xp, xrow, pw, py, to, w.from(k), s, py == 0);
      for (; k < c.K; ++k) s = dw_block_columns<KH, 1>(xp, xrow, pw, py, to, w.from(k), s, py == 0);
    }
    size_t i = 0;
    for (; i + 16 <= n; i += 16, dw += 16) {
      V a[16];
#pragma GCC unroll 16
      for (int q = 0; q < 16; ++q) a[q] = load(sums + (i + q) * VW);
      add_sums<16>(a, dw);
    }
    for (; i < n; ++i, ++dw) {
      const V a[1] = {load(sums + i * VW)};
      add_sums<1>(a, dw);
    }
  }
}

template <int KH>
void winner_unpack_dw(const Conv& c, const float* packed, float* dw) {
  for (int ch = 0; ch < c.C; ++ch)
    for (int k = 0, kb; k < c.K; k += kb) {
      kb = c.K - k < kDwChannels ? 1 : kDwChannels;
      for (int j = 0, jb; j < KH; j += jb) {
        jb = KH - j < kDwColumns<KH> ? KH - j : kDwColumns<KH>;
        for (int o = 0; o < kb; ++o)
          for (int q = 0; q < jb; ++q)
            for (int i = 0; i < KH; ++i) dw[((size_t(k + o) * c.C + ch) * KH + i) * KH + j + q] = *packed++;
      }
    }
}

// ---- input gradient, 5x5 (for 3x3 split.h takes as many products, and no picks)
// ---------------------------------------

// A window's gradients reach six rows and columns. Rows held at once; all columns are.
constexpr int kReach = 6, kDxRows = kManyRegisters ? 3 : 2, kDxParts = kReach / kDxRows;
constexpr int kDxQuads = kDxRows * kReach;
constexpr int kDxStep = (kDxQuads * 4 + 15) / 16 * 16;  // numbers of a table

// Tables: [C][kDxParts][K][kDxQuads], each quad {w[r][s], w[r][s-1], w[r-1][s], w[r-1][s-1]}, zero outside.
void winner_pack_dx(const Conv& c, const float* w, float* tables) {
  for (int k = 0; k < c.K; ++k)
    for (int ch = 0; ch < c.C; ++ch, w += 25) {
      float p[7][7] = {};
      for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 5; ++j) p[i + 1][j + 1] = w[i * 5 + j];
      for (int r = 0; r < kReach; ++r) {
        const size_t part = size_t(ch) * kDxParts + r / kDxRows;
        float* to = tables + (part * c.K + k) * kDxStep + r % kDxRows * kReach * 4;
        for (int s = 0; s < kReach; ++s, to += 4)
          to[0] = p[r + 1][s + 1], to[1] = p[r + 1][s], to[2] = p[r][s + 1], to[3] = p[r][s];
      }
    }
}

LENET_INLINE void add_to(float* to, V v) { store(to, load(to) + v); }

// kDxRows rows of one input channel along a pooled row; adds to dx. What a window shares with the next one stays in
// registers.
LENET_INLINE void dx_rows(const float* tables, int K, int pw, const Winners& w, float* dx, size_t drow) {
  constexpr int rows = kDxRows, columns = kReach, quads = kDxQuads, held = VW / 4;
  V acc[quads];
#pragma GCC unroll 32
  for (int n = 0; n < quads; ++n) acc[n] = V{};
  for (int px = 0; px < pw; ++px) {
    const float *q = tables, *g = w.g + size_t(px) * L;
    for (size_t k = 0, at = size_t(px) * L; k < size_t(K); ++k, q += kDxStep, g += w.cells * L, at += w.cells * L) {
      const V gv = load(g);
      Vi index[held];
      index[0] = kKeepsWinners ? loadi(w.index + at) : pick_index(winners(w.where + at));
#pragma GCC unroll 4
      for (int m = 1; m < held; ++m) index[m] = index[0] + splati(4 * m);
#pragma GCC unroll 32
      for (int n = 0; n < quads; ++n) acc[n] = fma(pick(load(q + n / held * VW), index[n % held]), gv, acc[n]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      float* to = dx + r * drow + size_t(px) * 2 * L;
      add_to(to, acc[r * columns]);
      add_to(to + L, acc[r * columns + 1]);
#pragma GCC unroll 8
      for (int s = 0; s < columns - 2; ++s) acc[r * columns + s] = acc[r * columns + s + 2];
      acc[r * columns + columns - 2] = acc[r * columns + columns - 1] = V{};
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int s = 0; s < columns - 2; ++s) add_to(dx + r * drow + size_t(2 * pw + s) * L, acc[r * columns + s]);
}

// plane: room for one padded input channel.
void winner_dx(const Conv& c, const Winners& w, const float* tables, float* dx, float* plane) {
  const int ph = c.OH / 2, pw = c.OW / 2;
  const size_t prow = size_t(c.Wp) * L, row = size_t(c.W) * L;
  for (int ch = 0; ch < c.C; ++ch, dx += row * c.H) {
    float* to = c.padded() ? plane : dx;
    memset(to, 0, prow * c.Hp * sizeof(float));
    for (int py = 0; py < ph; ++py)
      for (int h = 0; h < kDxParts; ++h)
        for (int s = 0; s < L; s += VW) {
          const size_t at = size_t(py) * pw * L + s;
          dx_rows(tables + (size_t(ch) * kDxParts + h) * c.K * kDxStep, c.K, pw,
                  {w.g + at, w.where + at, w.index + at, nullptr, nullptr, w.cells},
                  to + (2 * py + h * kDxRows) * prow + s, prow);
        }
    for (int y = 0; c.padded() && y < c.H; ++y)
      memcpy(dx + y * row, plane + (size_t(y + c.pt) * c.Wp + c.pl) * L, row * sizeof(float));
  }
}

// ---- both ----------------------------------------------------------------------------------------------------------

// Room: gradients, indices, sides, then sums of one input channel or a padded plane.
size_t sides_room(size_t cells) { return (cells / 2 + L) / L * L; }  // 16 bits a cell
size_t winner_room(const Conv& c) {
  const size_t cells = c.out_size() / 4, sums = size_t(c.K) * c.kh * c.kw * VW, plane = size_t(c.Hp) * c.Wp * L;
  return 2 * cells * L + 2 * sides_room(cells) + (sums > plane ? sums : plane);
}

template <int KH>
void winner_backward(const Conv& c, const float* xp, const float* dy, const uint8_t* winner, bool cut,
                     const float* tables, float* dw, float* db, float* dx, float* room) {
  const size_t cells = size_t(c.OH / 2) * (c.OW / 2), all = cells * c.K;
  float* g = room;
  auto* index = reinterpret_cast<int32_t*>(room + all * L);
  auto* right = reinterpret_cast<uint16_t*>(room + 2 * all * L);
  auto* lower = reinterpret_cast<uint16_t*>(room + 2 * all * L + sides_room(all));
  float* rest = room + 2 * all * L + 2 * sides_room(all);
  if (kKeepsWinners) keep_sides(all, winner, right, lower);
  for (int k = 0; k < c.K; ++k) {
    V sum[4] = {V{}, V{}, V{}, V{}};
    for (int s = 0; s < L; s += VW)
      for (size_t i = 0; i < cells; ++i) {
        const size_t at = (k * cells + i) * L + s;
        const Vi w = winners(winner + at);
        V d = load(dy + at);
        if (cut) {
          d = select(w == splati(4), V{}, d);
          store(g + at, d);
        }
        if (kKeepsWinners && dx) storei(index + at, pick_index(w));
        sum[i % 4] += d;
      }
    const V total[1] = {(sum[0] + sum[1]) + (sum[2] + sum[3])};
    if (db) add_sums<1>(total, db + k);
  }
  const Winners w{cut ? g : dy, winner, index, right, lower, cells};
  if (dw) winner_dw<KH>(c, xp, w, dw, rest);
  if (dx) winner_dx(c, w, tables, dx, rest);
}

#undef LENET_FENCE

}  // namespace
}  // namespace lenet
