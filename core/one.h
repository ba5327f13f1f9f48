// Kernels for one image at a time, inference only: part of kernels.cpp. Where sixteen samples would leave fifteen lanes
// empty, the lanes here are output channels (many channels), image columns (few channels), or a linear layer's outputs.
// Activations are dense [C][H][W]; arrays have slack behind them (kSlack numbers), read and written in whole registers.
#pragma once
#include <limits>

#include "dense.h"
#include "kernels.h"
#include "loss.h"
#include "vec.h"
#include "windows.h"

namespace lenet {
namespace {

constexpr int kChannelLanesFrom = 9;            // with fewer output channels the lanes are columns
constexpr int kOneOB = kManyRegisters ? 6 : 3;  // output channels of a column block

// Four rows of four numbers, `from` apart, into four columns: rows `to` apart.
LENET_INLINE void transpose4(const float* x, size_t from, float* y, size_t to) {
  auto row = [&](int q) { return V4(*reinterpret_cast<const V4u*>(x + q * from)); };
  auto put = [&](int q, V4 r) { *reinterpret_cast<V4u*>(y + q * to) = r; };
  const V4 a = row(0), b = row(1), c = row(2), d = row(3);
  V4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  put(0, __builtin_shufflevector(ab, cd, 0, 1, 4, 5)), put(1, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  ab = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  put(2, __builtin_shufflevector(ab, cd, 0, 1, 4, 5)), put(3, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
}

bool channel_lanes(const Conv& c) { return c.K >= kChannelLanesFrom || c.sw != 1 || c.sh != 1; }

// Channel lanes: [K / VW][C][kh][kw][VW], zeros behind the last channel. Column lanes: as conv_pack does.
size_t one_packed_size(const Conv& c) {
  int K = channel_lanes(c) ? (c.K + VW - 1) / VW * VW : c.K;
  return size_t(K) * c.C * c.kh * c.kw;
}

void one_pack(const Conv& c, const float* w, float* packed) {
  const int inner = c.C * c.kh * c.kw;
  if (!channel_lanes(c)) return pack_blocks(w, c.K, inner, kOneOB, packed);
  for (int k = 0; k < c.K; k += VW, w += size_t(VW) * inner, packed += size_t(VW) * inner)
    for (int o = 0; o < VW; o += 4) {
      int i = 0;
      for (; k + o + 4 <= c.K && i + 4 <= inner; i += 4)
        transpose4(w + size_t(o) * inner + i, inner, packed + size_t(i) * VW + o, VW);
      for (; i < inner; ++i)
        for (int q = o; q < o + 4; ++q) packed[size_t(i) * VW + q] = k + q < c.K ? w[size_t(q) * inner + i] : 0.0f;
    }
}

// ---- channel lanes: PY rows x PX columns of one block of VW output channels, into y[k][…]
template <int PY, int PX, bool UNIT>
LENET_INLINE void channels_block(const Conv& c, const float* x, const float* w, V bias, V (&acc)[PY * PX]) {
  const size_t down = size_t(c.sh) * c.Wp;
  const int sw = UNIT ? 1 : c.sw;  // known at compile time where it may be: PX addresses out of one register
#pragma GCC unroll 16
  for (int p = 0; p < PY * PX; ++p) acc[p] = bias;
  for (int ch = 0; ch < c.C; ++ch)
    for (int i = 0; i < c.kh; ++i) {
      const float* xr = x + (size_t(ch) * c.Hp + i) * c.Wp;
      for (int j = 0; j < c.kw; ++j, w += VW) {
        V wv = load(w);
#pragma GCC unroll 16
        for (int p = 0; p < PY * PX; ++p)
          acc[p] = fma(splat(p < PX ? xr[p * sw + j] : xr[down + (p - PX) * sw + j]), wv, acc[p]);
      }
    }
}

// N neighbouring positions, their channels in the lanes, into n planes.
template <int N>
LENET_INLINE void scatter(const V* v, int n, size_t plane, float* y) {
  float lanes[N][VW];
#pragma GCC unroll 8
  for (int p = 0; p < N; ++p) store(lanes[p], v[p]);
  int p = 0;
#pragma GCC unroll 2
  for (; p + 4 <= N; p += 4) {
    int o = 0;
    for (; o + 4 <= n; o += 4) transpose4(lanes[p] + o, VW, y + o * plane + p, plane);
    for (; o < n; ++o)
      for (int q = p; q < p + 4; ++q) y[o * plane + q] = lanes[q][o];
  }
  for (int o = 0; p < N && o < n; ++o)
    for (int q = p; q < N; ++q) y[o * plane + q] = lanes[q][o];
}

// PX columns of PY rows from xr on, into yr and the planes of n - 1 further channels. pooled: PY is 2.
template <int PY, int PX>
LENET_INLINE void channels_step(const Conv& c, const float* xr, const float* w, V bias, bool cut, bool pooled, int n,
                                size_t plane, float* yr) {
  V acc[PY * PX];
  if (c.sw == 1)
    channels_block<PY, PX, true>(c, xr, w, bias, acc);
  else
    channels_block<PY, PX, false>(c, xr, w, bias, acc);
  if (PY == 2 && PX > 1 && pooled) {
#pragma GCC unroll 8
    for (int p = 0; p + 1 < PX; p += 2) {
      V m = larger(larger(larger(acc[p], acc[p + 1]), acc[(PY - 1) * PX + p]), acc[(PY - 1) * PX + p + 1]);
      acc[p / 2] = cut ? relu(m) : m;
    }
    scatter<PX / 2 + (PX == 1)>(acc, n, plane, yr);
  } else {
#pragma GCC unroll 16
    for (int p = 0; cut && p < PY * PX; ++p) acc[p] = relu(acc[p]);
#pragma GCC unroll 2
    for (int r = 0; r < PY; ++r) scatter<PX>(acc + r * PX, n, plane, yr + size_t(r) * c.OW);
  }
}

// PY whole rows. The steps are chosen so that the last is no narrow one, which would wait for itself.
template <int PY>
LENET_INLINE void channels_rows(const Conv& c, const float* xr, const float* w, V bias, bool cut, bool pooled, int n,
                                size_t plane, float* yr) {
  for (int ox = 0, px; ox < c.OW; ox += px) {
    const int left = c.OW - ox;
    const float* x = xr + size_t(ox) * c.sw;
    float* y = yr + (pooled ? ox / 2 : ox);
    px = kManyRegisters && (left >= 12 || left == 8) ? 8 : left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    switch (px) {
      case 8:
        if constexpr (kManyRegisters) channels_step<PY, 8>(c, x, w, bias, cut, pooled, n, plane, y);
        break;
      case 6:
        channels_step<PY, 6>(c, x, w, bias, cut, pooled, n, plane, y);
        break;
      case 4:
        channels_step<PY, 4>(c, x, w, bias, cut, pooled, n, plane, y);
        break;
      case 2:
        channels_step<PY, 2>(c, x, w, bias, cut, pooled, n, plane, y);
        break;
      default:
        channels_step<PY, 1>(c, x, w, bias, cut, pooled, n, plane, y);
    }
  }
}

void channels_conv(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, bool pooled,
                   size_t plane, float* y) {
  const size_t inner = size_t(c.C) * c.kh * c.kw;
  const int columns = pooled ? c.OW / 2 : c.OW;
  for (int k = 0; k < c.K; k += VW) {
    const int n = c.K - k < VW ? c.K - k : VW;
    float b[VW] = {};
    for (int o = 0; bias && o < n; ++o) b[o] = bias[k + o];
    const V bv = load(b);
    const float* w = packed + size_t(k) * inner;
    for (int oy = 0; oy < c.OH; oy += 2) {
      const float* xr = xp + size_t(oy) * c.sh * c.Wp;
      float* yr = y + size_t(k) * plane + size_t(pooled ? oy / 2 : oy) * columns;
      if (oy + 1 < c.OH)
        channels_rows<2>(c, xr, w, bv, cut, pooled, n, plane, yr);
      else
        channels_rows<1>(c, xr, w, bv, cut, pooled, n, plane, yr);
    }
  }
}

// ---- column lanes: OB output channels x PY rows x VX registers of neighbouring columns, stride 1
template <int OB, int PY, int VX>
LENET_INLINE void columns_block(const Conv& c, const float* x, const float* w, const float* bias,
                                V (&acc)[OB][PY * VX]) {
#pragma GCC unroll 8
  for (int o = 0; o < OB; ++o)
#pragma GCC unroll 8
    for (int p = 0; p < PY * VX; ++p) acc[o][p] = bias ? splat(bias[o]) : V{};
  for (int ch = 0; ch < c.C; ++ch)
    for (int i = 0; i < c.kh; ++i) {
      const float* xr = x + (size_t(ch) * c.Hp + i) * c.Wp;
      for (int j = 0; j < c.kw; ++j, w += OB) {
        V xv[PY * VX];
#pragma GCC unroll 8
        for (int p = 0; p < PY * VX; ++p) xv[p] = load(xr + size_t(p / VX) * c.Wp + (p % VX) * VW + j);
#pragma GCC unroll 8
        for (int o = 0; o < OB; ++o) {
          V wv = splat(w[o]);
#pragma GCC unroll 8
          for (int p = 0; p < PY * VX; ++p) acc[o][p] = fma(xv[p], wv, acc[o][p]);
        }
      }
    }
}

// Every other number: first those of a, then those of b. And the ones between.
LENET_INLINE V even(V a, V b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
  return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}
LENET_INLINE V odd(V a, V b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
  return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

// The larger of each pair of neighbours: first those of a, then those of b; VW results.
LENET_INLINE V pair_larger(V a, V b) { return larger(even(a, b), odd(a, b)); }

template <int VX>
struct ColumnsCall {
  const Conv& c;
  const float *xr, *w, *bias;  // xr: the block's first column in its first row
  bool cut, pooled;
  int columns;  // of the block that are real
  bool spill;   // whole registers may be stored, since what lies behind in y is written later
  size_t plane;
  float* y;  // where the block's first output goes, channel 0
  template <int OB>
  void run() const {
    float lanes[VX * VW];
    if (pooled) {
      V acc[OB][2 * VX];
      columns_block<OB, 2, VX>(c, xr, w, bias, acc);
#pragma GCC unroll 8
      for (int o = 0; o < OB; ++o) {
        V a = larger(acc[o][0], acc[o][VX]), b = VX > 1 ? larger(acc[o][VX - 1], acc[o][2 * VX - 1]) : V{};
        V m = pair_larger(a, b);
        if (cut) m = relu(m);
        if (spill) {
          store(y + o * plane, m);
        } else {
          store(lanes, m);
          for (int q = 0; q < columns / 2; ++q) y[o * plane + q] = lanes[q];
        }
      }
    } else {
      V acc[OB][VX];
      columns_block<OB, 1, VX>(c, xr, w, bias, acc);
      for (int o = 0; o < OB; ++o) {
        float* to = spill ? y + o * plane : lanes;
        for (int v = 0; v < VX; ++v) store(to + v * VW, cut ? relu(acc[o][v]) : acc[o][v]);
        for (int q = 0; !spill && q < columns; ++q) y[o * plane + q] = lanes[q];
      }
    }
  }
};

void columns_conv(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, bool pooled,
                  size_t plane, float* y) {
  const int inner = c.C * c.kh * c.kw, b = block_of(c.K, kOneOB), rows = pooled ? c.OH / 2 : c.OH;
  const int step = pooled ? 2 : 1, columns = pooled ? c.OW / 2 : c.OW;
  for (int k = 0; k < c.K; k += b) {
    const int n = c.K - k < b ? c.K - k : b;
    for (int oy = 0; oy < rows; ++oy)
      for (int ox = 0; ox < c.OW;) {
        const float* xr = xp + size_t(oy) * step * c.Wp + ox;
        float* yr = y + size_t(k) * plane + size_t(oy) * columns + ox / step;
        const float *w = packed + size_t(k) * inner, *bk = bias ? bias + k : nullptr;
        const int left = c.OW - ox;
        const bool two = kManyRegisters && left > VW;
        const bool spill = oy + 1 < rows && ox / step + (two && !pooled ? 2 * VW : VW) <= 2 * columns;
        if (two) {
          with_block(n, ColumnsCall<2>{c, xr, w, bk, cut, pooled, left < 2 * VW ? left : 2 * VW, spill, plane, yr});
          ox += 2 * VW;
        } else {
          with_block(n, ColumnsCall<1>{c, xr, w, bk, cut, pooled, left < VW ? left : VW, spill, plane, yr});
          ox += VW;
        }
      }
  }
}

// conv (+ relu if cut, + 2x2 maximum if pooled) of one image
void one_conv(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, bool pooled,
              size_t plane, float* y) {
  if (channel_lanes(c))
    channels_conv(c, xp, packed, bias, cut, pooled, plane, y);
  else
    columns_conv(c, xp, packed, bias, cut, pooled, plane, y);
}

// ---- pooling: lanes are columns
// VW numbers, `step` apart
LENET_INLINE V every(const float* x, int step) {
  if (step == 1) return load(x);
  if (step == 2) return even(load(x), load(x + VW));
  float lanes[VW];
  for (int i = 0; i < VW; ++i) lanes[i] = x[size_t(i) * step];
  return load(lanes);
}

// First each window's rows become one row, which has `nothing` where the padding is, then its columns one number,
// through f; done(v, oy, ox) makes the result of VW of them. What is written beyond a row is written again, or slack.
template <class F, class D>
LENET_INLINE void one_pool(const Pool& p, const float* x, float* row, float* y, float nothing, F f, D done) {
  const size_t width = one_pool_row(p);
  for (size_t i = 0; i < width; ++i) row[i] = nothing;
  for (int c = 0; c < p.C; ++c, x += size_t(p.H) * p.W)
    for (int oy = 0; oy < p.OH; ++oy, y += p.OW) {
      const Window w = window(p, oy, 0);
      for (int i = 0; i < p.W; i += VW) {
        V v = load(x + size_t(w.y0) * p.W + i);
        for (int h = w.y0 + 1; h < w.y1; ++h) v = f(v, load(x + size_t(h) * p.W + i));
        store(row + p.pl + i, v);
      }
      for (int i = p.W; i % VW; ++i) row[p.pl + i] = nothing;
      for (int ox = 0; ox < p.OW; ox += VW) {
        const float* from = row + size_t(ox) * p.sw;
        V v = every(from, p.sw);
        for (int j = 1; j < p.kw; ++j) v = f(v, every(from + j, p.sw));
        store(y + ox, done(v, oy, ox));
      }
    }
}

void one_max_pool(const Pool& p, const float* x, float* row, float* y) {
  const bool by_two =
      p.kh == 2 && p.kw == 2 && p.sh == 2 && p.sw == 2 && !p.pt && !p.pl && 2 * p.OH <= p.H && 2 * p.OW <= p.W;
  if (!by_two) {
    const float lowest = -std::numeric_limits<float>::infinity();
    return one_pool(p, x, row, y, lowest, larger, [](V v, int, int) { return v; });
  }
  for (int c = 0; c < p.C; ++c, x += size_t(p.H) * p.W)
    for (int oy = 0; oy < p.OH; ++oy, y += p.OW) {
      const float *a = x + size_t(2 * oy) * p.W, *b = a + p.W;
      for (int ox = 0; ox < p.OW; ox += VW) {  // what goes beyond the row is written again, or slack
        V low = larger(load(a + 2 * ox), load(b + 2 * ox));
        V high = larger(load(a + 2 * ox + VW), load(b + 2 * ox + VW));
        store(y + ox, pair_larger(low, high));
      }
    }
}

void one_avg_pool(const Pool& p, const float* x, float* row, float* y) {
  float* beside =
      row + one_pool_row(p);  // cells of the first row's windows: the others have so many times more or less
  for (int ox = 0; ox < p.OW + VW; ++ox) beside[ox] = cells(p, window(p, 0, ox), 0, ox);
  auto mean = [&](V sum, int oy, int ox) {
    const float below = cells(p, window(p, oy, 0), oy, 0);
    return sum / (load(beside + ox) * splat(below) / splat(beside[0]));
  };
  one_pool(p, x, row, y, 0.0f, [](V a, V b) { return a + b; }, mean);
}

// ---- softmax: lanes are classes
void one_softmax(int C, const float* x, float* y) {
  float lanes[VW];
  int32_t place[VW];
  for (int i = 0; i < VW; ++i) place[i] = i;
  const Vi at = loadi(place);
  V most = splat(x[0]), sum = V{};
  for (int c = 0; c < C; c += VW) most = larger(most, select(at < splati(C - c), load(x + c), most));
  store(lanes, most);
  float top = lanes[0];
  for (float v : lanes) top = v > top || v != v ? v : top;
  for (int c = 0; c < C; c += VW) {
    V z = load(x + c) - splat(top);
    V e = lenet::exp(select(z < splat(-64.0f), splat(-64.0f), z));
    e = select(at < splati(C - c), e, V{});
    store(y + c, e);
    sum += e;
  }
  store(lanes, sum);
  float total = 0;
  for (float v : lanes) total += v;
  for (int c = 0; c < C; c += VW) store(y + c, load(y + c) / splat(total));
}

// ---- linear: lanes are outputs, NV registers of them; the last one ends with the row, overlapping the one before.
// U sums run beside each other over the inputs.
template <int NV, int U>
LENET_INLINE void outputs_block(int in, int out, int n, const float* x, const float* w, const float* b, bool cut,
                                float* y) {
  const int last = n - VW;
  auto at = [&](int v) { return v == NV - 1 ? last : v * VW; };
  V acc[U][NV];
#pragma GCC unroll 8
  for (int u = 0; u < U; ++u)
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[u][v] = u == 0 && b ? load(b + at(v)) : V{};
  int i = 0;
  for (; i + U <= in; i += U, w += size_t(U) * out)
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) {
      V xv = splat(x[i + u]);
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) acc[u][v] = fma(xv, load(w + size_t(u) * out + at(v)), acc[u][v]);
    }
  for (; i < in; ++i, w += out)
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[0][v] = fma(splat(x[i]), load(w + at(v)), acc[0][v]);
#pragma GCC unroll 8
  for (int v = 0; v < NV; ++v) {
    V sum = acc[0][v];
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) sum += acc[u][v];
    store(y + at(v), cut ? relu(sum) : sum);
  }
}

void one_linear(int in, int out, const float* x, const float* w, const float* b, bool cut, float* y) {
  if (out < VW) {
    float sum[VW] = {};
    for (int q = 0; q < out; ++q) sum[q] = b ? b[q] : 0.0f;
    for (int i = 0; i < in; ++i)
      for (int q = 0; q < out; ++q) sum[q] += x[i] * w[size_t(i) * out + q];
    for (int q = 0; q < out; ++q) y[q] = cut && sum[q] < 0 ? 0.0f : sum[q];
    return;
  }
  constexpr int kMost = 8 * VW;
  for (int o = 0; o < out; o += kMost) {
    if (o && out - o < VW) o = out - VW;
    const int n = out - o < kMost ? out - o : kMost;
    const float *wo = w + o, *bo = b ? b + o : nullptr;
    switch ((n + VW - 1) / VW) {
      case 1:
        outputs_block<1, 4>(in, out, n, x, wo, bo, cut, y + o);
        break;
      case 2:
        outputs_block<2, 4>(in, out, n, x, wo, bo, cut, y + o);
        break;
      case 3:
        outputs_block<3, 2>(in, out, n, x, wo, bo, cut, y + o);
        break;
      case 4:
        outputs_block<4, 2>(in, out, n, x, wo, bo, cut, y + o);
        break;
      case 5:
        outputs_block<5, 1>(in, out, n, x, wo, bo, cut, y + o);
        break;
      case 6:
        outputs_block<6, 1>(in, out, n, x, wo, bo, cut, y + o);
        break;
      case 7:
        outputs_block<7, 1>(in, out, n, x, wo, bo, cut, y + o);
        break;
      default:
        outputs_block<8, 1>(in, out, n, x, wo, bo, cut, y + o);
    }
  }
}

}  // namespace
}  // namespace lenet
