// A convolution as its definition has it, forward and backward, any kernel and stride: part of kernels.cpp, read by
// ways.h and pooled.h.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

// ---- blocks: how many accumulators fit beside the operands -------------------------------------------------------
constexpr int kOB = kManyRegisters ? 6 : 3;  // output channels of a forward convolution block, times 4 positions
constexpr int kWB = kManyRegisters ? 4 : 3;  // output channels of a weight-gradient block …
constexpr int kWX = kManyRegisters ? 5 : 3;  // … times kernel columns
constexpr int kCB = 6;                       // input channels of an input-gradient block …
constexpr int kCX = kManyRegisters ? 2 : 1;  // … times columns

// A run of `total` channels is cut into blocks of `most`, or of a smaller size that divides the run better.
constexpr int block_of(int total, int most) {
  if (total <= most) return total;
  for (int b = most; b > most / 2; --b)
    if (total % b == 0) return b;
  return most;
}

// ---- convolution, forward ------------------------------------------------------------------------------------------

// Packed: blocks of output channels, inside a block [C][kh][kw][block].
void pack_blocks(const float* w, int K, int inner, int most, float* packed) {
  int b = block_of(K, most);
  for (int k = 0; k < K; k += b) {
    int n = K - k < b ? K - k : b;
    for (int i = 0; i < inner; ++i)
      for (int o = 0; o < n; ++o) *packed++ = w[size_t(k + o) * inner + i];
  }
}

void dense_pack(const Conv& c, const float* w, float* packed) { pack_blocks(w, c.K, c.C * c.kh * c.kw, kOB, packed); }

// acc[o][p] over PY x PX output positions, for OB output channels
template <int OB, int PY, int PX>
LENET_INLINE void conv_block(const Conv& c, const float* x, const float* w, const float* bias, V (&acc)[OB][PY * PX]) {
#pragma GCC unroll 8
  for (int o = 0; o < OB; ++o) {
    V b = bias ? splat(bias[o]) : V{};
#pragma GCC unroll 8
    for (int p = 0; p < PY * PX; ++p) acc[o][p] = b;
  }
  const size_t row = size_t(c.Wp) * L, step_y = row * c.sh, step_x = size_t(L) * c.sw;
  for (int ch = 0; ch < c.C; ++ch) {
    for (int i = 0; i < c.kh; ++i) {
      const float* xr = x + (size_t(ch) * c.Hp + i) * row;
      for (int j = 0; j < c.kw; ++j, xr += L, w += OB) {
        V xv[PY * PX];
#pragma GCC unroll 8
        for (int p = 0; p < PY * PX; ++p) xv[p] = load(xr + (p / PX) * step_y + (p % PX) * step_x);
#pragma GCC unroll 8
        for (int o = 0; o < OB; ++o) {
          V wv = splat(w[o]);
#pragma GCC unroll 8
          for (int p = 0; p < PY * PX; ++p) acc[o][p] = fma(xv[p], wv, acc[o][p]);
        }
      }
    }
  }
}

template <int OB, int PX>
LENET_INLINE void conv_store(const Conv& c, const float* x, const float* w, const float* bias, bool cut, float* y) {
  V acc[OB][PX];
  conv_block<OB, 1, PX>(c, x, w, bias, acc);
#pragma GCC unroll 8
  for (int o = 0; o < OB; ++o)
#pragma GCC unroll 8
    for (int p = 0; p < PX; ++p) store(y + (size_t(o) * c.OH * c.OW + p) * L, cut ? relu(acc[o][p]) : acc[o][p]);
}

template <int OB>
void conv_row(const Conv& c, const float* xr, const float* w, const float* bias, bool cut, float* yr) {
  int ox = 0;
  for (; ox + 4 <= c.OW; ox += 4) conv_store<OB, 4>(c, xr + size_t(ox) * c.sw * L, w, bias, cut, yr + ox * L);
  for (; ox < c.OW; ++ox) conv_store<OB, 1>(c, xr + size_t(ox) * c.sw * L, w, bias, cut, yr + ox * L);
}

// Calls f.template operator()<N>() for a run-time n in 1..6.
template <class F>
LENET_INLINE void with_block(int n, F f) {
  switch (n) {
    case 1:
      return f.template run<1>();
    case 2:
      return f.template run<2>();
    case 3:
      return f.template run<3>();
    case 4:
      return f.template run<4>();
    case 5:
      return f.template run<5>();
    default:
      return f.template run<6>();
  }
}

struct ForwardCall {
  const Conv& c;
  const float *xr, *w, *bias;
  bool cut;
  float* yr;
  template <int OB>
  void run() const {
    conv_row<OB>(c, xr, w, bias, cut, yr);
  }
};

// Row by row: all output channels of one while its input is in the cache.
void dense_forward(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y) {
  const int b = block_of(c.K, kOB), inner = c.C * c.kh * c.kw;
  for (int s = 0; s < L; s += VW)
    for (int oy = 0; oy < c.OH; ++oy) {
      const float* xr = xp + size_t(oy) * c.sh * c.Wp * L + s;
      float* yr = y + size_t(oy) * c.OW * L + s;
      for (int k = 0; k < c.K; k += b)
        with_block(c.K - k < b ? c.K - k : b, ForwardCall{c, xr, packed + size_t(k) * inner, bias ? bias + k : nullptr,
                                                          cut, yr + size_t(k) * c.OH * c.OW * L});
    }
}

// ---- convolution, weight gradient ----------------------------------------------------------------------------------

// Output channels of a block: with all nine kernel places of 3x3 at once, two; else as many as go with the columns of
// one kernel row.
constexpr int kWhole = kManyRegisters ? 2 : 1;
bool dw_whole(const Conv& c) { return c.kh == 3 && c.kw == 3; }
int dw_block_of(const Conv& c) { return block_of(c.K, dw_whole(c) ? kWhole : kWB); }

// Packed: blocks of output channels, inside a block [C][kh][kw][block]. KY rows and KX columns of the kernel.
template <int OB, int KY, int KX>
LENET_INLINE void dw_block(const Conv& c, int rows, const float* x, const float* dy, float* out) {
  const size_t xrow = size_t(c.Wp) * L, drow = size_t(c.OW + 2) * L, dplane = drow * c.OH, sx = size_t(c.sw) * L;
  V acc[KY * KX * OB];
#pragma GCC unroll 32
  for (int n = 0; n < KY * KX * OB; ++n) acc[n] = V{};
  for (int s = 0; s < L; s += VW)
    for (int oy = 0; oy < rows; ++oy) {
      const float* xr = x + size_t(oy) * c.sh * xrow + s;
      const float* dr = dy + size_t(oy) * drow + L + s;
      for (int ox = 0; ox < c.OW; ++ox, xr += sx, dr += L) {
        V d[OB];
#pragma GCC unroll 8
        for (int o = 0; o < OB; ++o) d[o] = load(dr + o * dplane);
#pragma GCC unroll 16
        for (int n = 0; n < KY * KX; ++n) {
          V xv = load(xr + n / KX * xrow + n % KX * L);
#pragma GCC unroll 8
          for (int o = 0; o < OB; ++o) acc[n * OB + o] = fma(xv, d[o], acc[n * OB + o]);
        }
      }
    }
  add_sums<KY * KX * OB>(acc, out);
}

template <int OB, int KX>
LENET_INLINE int dw_columns(const Conv& c, int rows, const float* x, const float* dy, float* out, int j) {
  for (; j + KX <= c.kw; j += KX) dw_block<OB, 1, KX>(c, rows, x + j * L, dy, out + j * OB);
  return j;
}

template <int OB>
void dw_channels(const Conv& c, int rows, const float* xp, const float* dy, float* out) {
  for (int ch = 0; ch < c.C; ++ch)
    for (int i = 0; i < c.kh; ++i) {
      const float* x = xp + (size_t(ch) * c.Hp + i) * c.Wp * L;
      if (OB <= kWhole && dw_whole(c)) {
        dw_block<OB <= kWhole ? OB : 1, 3, 3>(c, rows, x, dy, out);
        out += 9 * OB;
        break;
      }
      int j = dw_columns<OB, kWX>(c, rows, x, dy, out, 0);
      j = dw_columns<OB, 3>(c, rows, x, dy, out, j);
      j = dw_columns<OB, 2>(c, rows, x, dy, out, j);
      dw_columns<OB, 1>(c, rows, x, dy, out, j);
      out += c.kw * OB;
    }
}

// In strips of rows that stay in the second cache, since every block of channels reads them anew.
void dense_dw(const Conv& c, const float* xp, const float* dframe, float* dw) {
  constexpr size_t kNear = 128 * 1024;  // numbers
  const size_t drow = size_t(c.OW + 2) * L, dplane = drow * c.OH, xrow = size_t(c.Wp) * L;
  const int b = dw_block_of(c), inner = c.C * c.kh * c.kw;
  const size_t fit = kNear / (c.C * xrow * c.sh + c.K * drow);
  const int strip = fit < 2 ? 2 : fit < size_t(c.OH) ? int(fit) : c.OH;
  for (int oy = 0; oy < c.OH; oy += strip) {
    const int rows = c.OH - oy < strip ? c.OH - oy : strip;
    const float* x = xp + size_t(oy) * c.sh * xrow;
    for (int k = 0; k < c.K; k += b) {
      const int n = c.K - k < b ? c.K - k : b;
      const float* dy = dframe + k * dplane + oy * drow;
      float* out = dw + size_t(k) * inner;
      if (n == 1)
        dw_channels<1>(c, rows, x, dy, out);
      else if (n == 2)
        dw_channels<2>(c, rows, x, dy, out);
      else if (n == 3)
        dw_channels<3>(c, rows, x, dy, out);
      else
        dw_channels<4>(c, rows, x, dy, out);
    }
  }
}

void conv_db(const Conv& c, const float* dframe, float* db) {
  const size_t dplane = size_t(c.OW + 2) * L * c.OH;
  for (int k = 0; k < c.K; ++k) {
    V sum[4] = {V{}, V{}, V{}, V{}};
    const float* d = dframe + k * dplane;
    const size_t n = dplane / L;  // the zero columns add nothing
    for (int s = 0; s < L; s += VW) {
      size_t i = 0;
      for (; i + 4 <= n; i += 4)
        for (int q = 0; q < 4; ++q) sum[q] += load(d + (i + q) * L + s);
      for (; i < n; ++i) sum[0] += load(d + i * L + s);
    }
    V total[1] = {(sum[0] + sum[1]) + (sum[2] + sum[3])};
    add_sums<1>(total, db + k);
  }
}

void dense_unpack_dw(const Conv& c, const float* packed, float* dw) {
  const int b = dw_block_of(c), inner = c.C * c.kh * c.kw;
  for (int k = 0; k < c.K; k += b) {
    int n = c.K - k < b ? c.K - k : b;
    for (int i = 0; i < inner; ++i)
      for (int o = 0; o < n; ++o) dw[size_t(k + o) * inner + i] = *packed++;
  }
}

// ---- convolution, input gradient -----------------------------------------------------------------------------------

// Packed: blocks of input channels, inside a block [K][kh][kw][block].
void dense_pack_dx(const Conv& c, const float* w, float* packed) {
  const int b = block_of(c.C, kCB), area = c.kh * c.kw;
  for (int ch = 0; ch < c.C; ch += b) {
    int n = c.C - ch < b ? c.C - ch : b;
    for (int k = 0; k < c.K; ++k)
      for (int i = 0; i < area; ++i)
        for (int o = 0; o < n; ++o) *packed++ = w[(size_t(k) * c.C + ch + o) * area + i];
  }
}

// CX neighbouring columns from x, stride 1; kernel rows and columns clipped to those that touch a real gradient. The
// outer columns of a pair may look one column past an edge: the frame holds zeros there.
template <int CB, int CX>
LENET_INLINE void dx_block(const Conv& c, const float* dframe, const float* w, int y, int x, float* dx) {
  const size_t drow = size_t(c.OW + 2) * L, dplane = drow * c.OH;
  const int i0 = y + c.pt - c.OH + 1 > 0 ? y + c.pt - c.OH + 1 : 0, i1 = y + c.pt < c.kh - 1 ? y + c.pt : c.kh - 1;
  const int px = x + c.pl;
  const int j0 = px - c.OW + 1 > 0 ? px - c.OW + 1 : 0, jx = px + CX - 1, j1 = jx < c.kw - 1 ? jx : c.kw - 1;
  V acc[CB][CX];
#pragma GCC unroll 8
  for (int ch = 0; ch < CB; ++ch)
#pragma GCC unroll 8
    for (int p = 0; p < CX; ++p) acc[ch][p] = V{};
  for (int k = 0; k < c.K; ++k) {
    for (int i = i0; i <= i1; ++i) {
      const float* d = dframe + k * dplane + size_t(y + c.pt - i) * drow + (1 + px) * ptrdiff_t(L);
      const float* wr = w + (size_t(k) * c.kh + i) * c.kw * CB;
      for (int j = j0; j <= j1; ++j) {
        V dv[CX];
#pragma GCC unroll 8
        for (int p = 0; p < CX; ++p) dv[p] = load(d + (p - j) * L);
#pragma GCC unroll 8
        for (int ch = 0; ch < CB; ++ch) {
          V wv = splat(wr[j * CB + ch]);
#pragma GCC unroll 8
          for (int p = 0; p < CX; ++p) acc[ch][p] = fma(dv[p], wv, acc[ch][p]);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int ch = 0; ch < CB; ++ch)
#pragma GCC unroll 8
    for (int p = 0; p < CX; ++p) store(dx + (size_t(ch) * c.H * c.W + p) * L, acc[ch][p]);
}

// one column, any stride
template <int CB>
LENET_INLINE void dx_strided(const Conv& c, const float* dframe, const float* w, int y, int x, float* dx) {
  const size_t drow = size_t(c.OW + 2) * L, dplane = drow * c.OH;
  V acc[CB];
#pragma GCC unroll 8
  for (int ch = 0; ch < CB; ++ch) acc[ch] = V{};
  for (int i = 0; i < c.kh; ++i) {
    int ty = y + c.pt - i;
    if (ty < 0 || ty % c.sh || ty / c.sh >= c.OH) continue;
    for (int j = 0; j < c.kw; ++j) {
      int tx = x + c.pl - j;
      if (tx < 0 || tx % c.sw || tx / c.sw >= c.OW) continue;
      const float* d = dframe + (ty / c.sh) * drow + size_t(1 + tx / c.sw) * L;
      const float* wr = w + (size_t(i) * c.kw + j) * CB;
      for (int k = 0; k < c.K; ++k, wr += c.kh * c.kw * CB) {
        V dv = load(d + k * dplane);
#pragma GCC unroll 8
        for (int ch = 0; ch < CB; ++ch) acc[ch] = fma(dv, splat(wr[ch]), acc[ch]);
      }
    }
  }
#pragma GCC unroll 8
  for (int ch = 0; ch < CB; ++ch) store(dx + size_t(ch) * c.H * c.W * L, acc[ch]);
}

struct DxCall {
  const Conv& c;
  const float *dframe, *w;
  float* dx;
  template <int CB>
  void run() const {
    for (int s = 0; s < L; s += VW)
      for (int y = 0; y < c.H; ++y) {
        float* out = dx + size_t(y) * c.W * L + s;
        int x = 0;
        if (c.sh == 1 && c.sw == 1) {
          // A pair must not reach two columns past an edge: true as long as both columns' own kernels touch the image
          // or the neighbour does; a column beyond reach of every window has an empty j range and stays zero.
          for (; x + kCX <= c.W; x += kCX) dx_block<CB, kCX>(c, dframe + s, w, y, x, out + x * L);
          for (; x < c.W; ++x) dx_block<CB, 1>(c, dframe + s, w, y, x, out + x * L);
        } else {
          for (; x < c.W; ++x) dx_strided<CB>(c, dframe + s, w, y, x, out + x * L);
        }
      }
  }
};

void dense_dx(const Conv& c, const float* dframe, const float* packed, float* dx) {
  const int b = block_of(c.C, kCB);
  for (int ch = 0; ch < c.C; ch += b) {
    int n = c.C - ch < b ? c.C - ch : b;
    with_block(n, DxCall{c, dframe, packed + size_t(ch) * c.K * c.kh * c.kw, dx + size_t(ch) * c.H * c.W * L});
  }
}

}  // namespace
}  // namespace lenet
