// Kernels for one image at a time, inference only: part of kernels.cpp. Where sixteen samples would leave fifteen lanes
// empty, the lanes here are output channels (many channels), image columns (few channels), or a linear layer's outputs.
// Activations are dense [C][H][W]; arrays that are read in registers have slack behind them (kSlack numbers).
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

constexpr int kChannelLanesFrom = 9;            // with fewer output channels the lanes are columns
constexpr int kPX = kManyRegisters ? 8 : 4;     // positions of a channel block, in each of one or two rows
constexpr int kOneOB = kManyRegisters ? 6 : 3;  // output channels of a column block

bool channel_lanes(const Conv& c) { return c.K >= kChannelLanesFrom; }

// Channel lanes: [K / VW][C][kh][kw][VW], zeros behind the last channel. Column lanes: as conv_pack does.
size_t one_packed_size(const Conv& c) {
  int K = channel_lanes(c) ? (c.K + VW - 1) / VW * VW : c.K;
  return size_t(K) * c.C * c.kh * c.kw;
}

void one_pack(const Conv& c, const float* w, float* packed) {
  const int inner = c.C * c.kh * c.kw;
  if (!channel_lanes(c)) return pack_blocks(w, c.K, inner, kOneOB, packed);
  for (int k = 0; k < c.K; k += VW)
    for (int i = 0; i < inner; ++i)
      for (int o = 0; o < VW; ++o) *packed++ = k + o < c.K ? w[size_t(k + o) * inner + i] : 0.0f;
}

// ---- channel lanes: PY rows x PX columns of one block of VW output channels, into y[k][…]
template <int PY, int PX, bool UNIT>
LENET_INLINE void channels_block(const Conv& c, const float* x, const float* w, V bias, V (&acc)[PY * PX]) {
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
          acc[p] = fma(splat(p < PX ? xr[p * sw + j] : xr[size_t(c.Wp) + (p - PX) * sw + j]), wv, acc[p]);
      }
    }
}

LENET_INLINE void scatter(V v, int n, size_t plane, float* y) {
  float lanes[VW];
  store(lanes, v);
  for (int o = 0; o < n; ++o) y[o * plane] = lanes[o];
}

template <int PX>
LENET_INLINE int channels_run(const Conv& c, const float* xr, const float* w, V bias, bool cut, bool pooled, int ox,
                              int n, float* yr) {
  const size_t plane = pooled ? size_t(c.OH / 2) * (c.OW / 2) : size_t(c.OH) * c.OW;
  for (; ox + PX <= c.OW; ox += PX) {
    if (pooled) {
      V acc[2 * PX];
      channels_block<2, PX, true>(c, xr + ox, w, bias, acc);
#pragma GCC unroll 8
      for (int p = 0; p + 1 < PX; p += 2) {
        V m = larger(larger(larger(acc[p], acc[p + 1]), acc[PX + p]), acc[PX + p + 1]);
        scatter(cut ? relu(m) : m, n, plane, yr + (ox + p) / 2);
      }
    } else {
      V acc[PX];
      if (c.sw == 1)
        channels_block<1, PX, true>(c, xr + ox, w, bias, acc);
      else
        channels_block<1, PX, false>(c, xr + size_t(ox) * c.sw, w, bias, acc);
#pragma GCC unroll 8
      for (int p = 0; p < PX; ++p) scatter(cut ? relu(acc[p]) : acc[p], n, plane, yr + ox + p);
    }
  }
  return ox;
}

void channels_conv(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, bool pooled,
                   float* y) {
  const size_t inner = size_t(c.C) * c.kh * c.kw;
  const int rows = pooled ? c.OH / 2 : c.OH, step = pooled ? 2 : c.sh, columns = pooled ? c.OW / 2 : c.OW;
  for (int k = 0; k < c.K; k += VW) {
    const int n = c.K - k < VW ? c.K - k : VW;
    float b[VW] = {};
    for (int o = 0; bias && o < n; ++o) b[o] = bias[k + o];
    const V bv = load(b);
    const float* w = packed + size_t(k) * inner;
    for (int oy = 0; oy < rows; ++oy) {
      const float* xr = xp + size_t(oy) * step * c.Wp;
      float* yr = y + (size_t(k) * rows + oy) * columns;
      int ox = channels_run<kPX>(c, xr, w, bv, cut, pooled, 0, n, yr);
      ox = channels_run<2>(c, xr, w, bv, cut, pooled, ox, n, yr);
      if (!pooled) channels_run<1>(c, xr, w, bv, cut, pooled, ox, n, yr);
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

// The larger of each pair of neighbours: first those of a, then those of b; VW results.
LENET_INLINE V pair_larger(V a, V b) {
#if defined(__AVX512F__)
  V even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  V odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX2__)
  V even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
  V odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
  V even = __builtin_shufflevector(a, b, 0, 2, 4, 6);
  V odd = __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
  return larger(even, odd);
}

template <int VX>
struct ColumnsCall {
  const Conv& c;
  const float *xr, *w, *bias;  // xr: the block's first column in its first row
  bool cut, pooled;
  int columns;  // of the block that are real
  bool spill;   // pooled: a whole register may be stored, since what lies behind in y is written later
  float* y;     // where the block's first output goes, channel 0
  template <int OB>
  void run() const {
    float lanes[VX * VW];
    if (pooled) {
      V acc[OB][2 * VX];
      columns_block<OB, 2, VX>(c, xr, w, bias, acc);
      const size_t plane = size_t(c.OH / 2) * (c.OW / 2);
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
      const size_t plane = size_t(c.OH) * c.OW;
      for (int o = 0; o < OB; ++o) {
        for (int v = 0; v < VX; ++v) store(lanes + v * VW, cut ? relu(acc[o][v]) : acc[o][v]);
        for (int q = 0; q < columns; ++q) y[o * plane + q] = lanes[q];
      }
    }
  }
};

void columns_conv(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, bool pooled,
                  float* y) {
  const int inner = c.C * c.kh * c.kw, b = block_of(c.K, kOneOB), rows = pooled ? c.OH / 2 : c.OH;
  const int step = pooled ? 2 : 1, columns = pooled ? c.OW / 2 : c.OW;
  for (int k = 0; k < c.K; k += b) {
    const int n = c.K - k < b ? c.K - k : b;
    for (int oy = 0; oy < rows; ++oy)
      for (int ox = 0; ox < c.OW;) {
        const float* xr = xp + size_t(oy) * step * c.Wp + ox;
        float* yr = y + (size_t(k) * rows + oy) * columns + ox / step;
        const float *w = packed + size_t(k) * inner, *bk = bias ? bias + k : nullptr;
        const int left = c.OW - ox;
        const bool spill = pooled && oy + 1 < rows && ox / 2 + VW <= 2 * columns;
        if (kManyRegisters && left > VW) {
          with_block(n, ColumnsCall<2>{c, xr, w, bk, cut, pooled, left < 2 * VW ? left : 2 * VW, spill, yr});
          ox += 2 * VW;
        } else {
          with_block(n, ColumnsCall<1>{c, xr, w, bk, cut, pooled, left < VW ? left : VW, spill, yr});
          ox += VW;
        }
      }
  }
}

// conv (+ relu if cut, + 2x2 maximum if pooled) of one image
void one_conv(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, bool pooled, float* y) {
  if (channel_lanes(c))
    channels_conv(c, xp, packed, bias, cut, pooled, y);
  else if (c.sw == 1 && c.sh == 1)
    columns_conv(c, xp, packed, bias, cut, pooled, y);
  else {  // few channels and a stride: plain
    const int b = block_of(c.K, kOneOB), inner = c.C * c.kh * c.kw;
    for (int k = 0; k < c.K; ++k) {
      const int first = k / b * b, n = c.K - first < b ? c.K - first : b;
      const float* w = packed + size_t(first) * inner + (k - first);
      for (int oy = 0; oy < c.OH; ++oy)
        for (int ox = 0; ox < c.OW; ++ox, ++y) {
          float sum = bias ? bias[k] : 0.0f;
          int at = 0;
          for (int ch = 0; ch < c.C; ++ch)
            for (int i = 0; i < c.kh; ++i)
              for (int j = 0; j < c.kw; ++j, at += n)
                sum += xp[(size_t(ch) * c.Hp + oy * c.sh + i) * c.Wp + ox * c.sw + j] * w[at];
          *y = cut && sum < 0 ? 0.0f : sum;
        }
    }
  }
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
