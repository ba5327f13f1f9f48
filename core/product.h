// A 1x1 convolution as a matrix product, forward and backward: part of kernels.cpp, read by ways.h. The channels of a
// few positions are brought side by side first: their planes are often a power of two apart, which no cache likes, and
// each of them is read once then, whatever the number of channels.
#pragma once
#include "dense.h"
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

constexpr int kTile = 8;             // positions side by side, forward
constexpr size_t kNear = 96 * 1024;  // numbers that stay in the second cache, backward

bool product_suits(const Conv& c) {
  return c.plain() && c.kh == 1 && c.kw == 1 && c.sh == 1 && c.sw == 1 && !c.padded() && c.C > 1;
}

struct ProductCall {
  int C, n;            // channels in; positions of this tile
  const float *x, *w;  // [C][kTile][VW]; [C][OB]
  const float* bias;
  bool cut;
  float* y;
  size_t plane;  // of y
  template <int OB, int P>
  LENET_INLINE void block(int at) const {
    V acc[OB][P];
#pragma GCC unroll 8
    for (int o = 0; o < OB; ++o)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) acc[o][p] = bias ? splat(bias[o]) : V{};
    const float *from = x + at * VW, *wc = w;
    for (int c = 0; c < C; ++c, from += kTile * VW, wc += OB) {
      V xv[P];
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) xv[p] = load(from + p * VW);
#pragma GCC unroll 8
      for (int o = 0; o < OB; ++o) {
        const V wv = splat(wc[o]);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) acc[o][p] = fma(xv[p], wv, acc[o][p]);
      }
    }
#pragma GCC unroll 8
    for (int o = 0; o < OB; ++o)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) store(y + o * plane + (at + p) * L, cut ? relu(acc[o][p]) : acc[o][p]);
  }
  template <int OB>
  void run() const {
    int p = 0;
    for (; p + 4 <= n; p += 4) block<OB, 4>(p);
    for (; p < n; ++p) block<OB, 1>(p);
  }
};

// y [K][rows][columns] from x [C][rows][pitch], whose first column is x's; weights packed in blocks of K.
void product(int C, int K, int rows, int columns, size_t pitch, const float* x, const float* packed, const float* bias,
             bool cut, float* y, float* room) {
  const int b = block_of(K, kOB);
  const size_t plane = size_t(rows) * columns * L, xplane = size_t(rows) * pitch * L;
  for (int s = 0; s < L; s += VW)
    for (int r = 0; r < rows; ++r)
      for (int q = 0; q < columns; q += kTile) {
        const int n = columns - q < kTile ? columns - q : kTile;
        const float* from = x + (size_t(r) * pitch + q) * L + s;
        for (int c = 0; c < C; ++c, from += xplane)
          for (int p = 0; p < n; ++p) store(room + (c * kTile + p) * VW, load(from + p * L));
        float* to = y + (size_t(r) * columns + q) * L + s;
        for (int k = 0; k < K; k += b)
          with_block(K - k < b ? K - k : b, ProductCall{C, n, room, packed + size_t(k) * C, bias ? bias + k : nullptr,
                                                        cut, to + k * plane, plane});
      }
}

void product_forward(const Conv& c, const float* x, const float* packed, const float* bias, bool cut, float* y,
                     float* room) {
  product(c.C, c.K, 1, c.H * c.W, size_t(c.H) * c.W, x, packed, bias, cut, y, room);
}

void product_pack_dx(const Conv& c, const float* w, float* packed) {
  const int b = block_of(c.C, kOB);
  for (int ch = 0; ch < c.C; ch += b)
    for (int k = 0; k < c.K; ++k)
      for (int o = ch; o < c.C && o < ch + b; ++o) *packed++ = w[size_t(k) * c.C + o];
}
void product_dx(const Conv& c, const float* dframe, const float* packed, float* dx, float* room) {
  product(c.K, c.C, c.OH, c.OW, size_t(c.OW) + 2, dframe + L, packed, nullptr, false, dx, room);
}

// ---- weight gradient: [K][C], each a sum over all positions and lanes

// Positions taken at once: as many as stay near, for both sides' channels.
int product_run(const Conv& c) {
  const int fit = int(kNear / (size_t(c.C + c.K) * VW));
  return fit < 16 ? 16 : fit > 128 ? 128 : fit;
}
size_t product_room(const Conv& c) {
  const size_t forward = size_t(c.C > c.K ? c.C : c.K) * kTile * VW, back = size_t(c.C + c.K) * product_run(c) * VW;
  return forward > back ? forward : back;
}

template <int OB, int CB>
LENET_INLINE void product_sums(int n, size_t step, const float* x, const float* dy, size_t row, float* dw) {
  V acc[OB * CB];
#pragma GCC unroll 32
  for (int i = 0; i < OB * CB; ++i) acc[i] = V{};
  for (int p = 0; p < n; ++p, x += VW, dy += VW) {
    V xv[CB];
#pragma GCC unroll 8
    for (int j = 0; j < CB; ++j) xv[j] = load(x + j * step);
#pragma GCC unroll 8
    for (int o = 0; o < OB; ++o) {
      const V d = load(dy + o * step);
#pragma GCC unroll 8
      for (int j = 0; j < CB; ++j) acc[o * CB + j] = fma(xv[j], d, acc[o * CB + j]);
    }
  }
  float sums[OB * CB] = {};
  add_sums<OB * CB>(acc, sums);
  for (int o = 0; o < OB; ++o)
    for (int j = 0; j < CB; ++j) dw[o * row + j] += sums[o * CB + j];
}

template <int OB>
void product_channels(int C, int n, size_t step, const float* x, const float* dy, float* dw) {
  constexpr int CB = kManyRegisters ? 5 : 3;
  int c = 0;
  const int b = block_of(C, CB);
  for (; b == CB && c + CB <= C; c += CB) product_sums<OB, CB>(n, step, x + c * step, dy, size_t(C), dw + c);
  for (; c + 4 <= C; c += 4) product_sums<OB, 4>(n, step, x + c * step, dy, size_t(C), dw + c);
  for (; c + 2 <= C; c += 2) product_sums<OB, 2>(n, step, x + c * step, dy, size_t(C), dw + c);
  for (; c < C; ++c) product_sums<OB, 1>(n, step, x + c * step, dy, size_t(C), dw + c);
}

// dw [K][C] += over n places the products of dy [K] and x [C], `step` numbers from one channel to the next
void product_all(int C, int K, int n, size_t step, const float* x, const float* dy, float* dw) {
  int k = 0;
  for (; k + 4 <= K; k += 4) product_channels<4>(C, n, step, x, dy + k * step, dw + size_t(k) * C);
  for (; k + 2 <= K; k += 2) product_channels<2>(C, n, step, x, dy + k * step, dw + size_t(k) * C);
  for (; k < K; ++k) product_channels<1>(C, n, step, x, dy + k * step, dw + size_t(k) * C);
}

void product_dw(const Conv& c, const float* x, const float* dframe, float* dw, float* room) {
  const int run = product_run(c), all = c.OH * c.OW;
  const size_t step = size_t(run) * VW, pitch = size_t(c.OW) + 2;
  float* own = room + size_t(c.C) * step;
  for (int s = 0; s < L; s += VW)
    for (int q = 0; q < all; q += run) {
      const int n = all - q < run ? all - q : run;
      for (int ch = 0; ch < c.C; ++ch)
        for (int p = 0; p < n; ++p) store(room + ch * step + p * VW, load(x + (size_t(ch) * all + q + p) * L + s));
      for (int k = 0; k < c.K; ++k) {
        const float* from = dframe + size_t(k) * c.OH * pitch * L + L + s;
        int row = q / c.OW, column = q % c.OW;
        for (int p = 0; p < n; ++p) {
          store(own + k * step + p * VW, load(from + (row * pitch + column) * L));
          if (++column == c.OW) ++row, column = 0;
        }
      }
      product_all(c.C, c.K, n, step, room, own, dw);
    }
}

}  // namespace
}  // namespace lenet
