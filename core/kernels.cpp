// Every SIMD kernel, once; CMake compiles this file for each ISA level with LENET_LEVEL set to the level's name.
// What each kernel computes is said in kernels.h and, in plain loops, in reference.cpp: read that first. This file only
// adds register blocking. No STL, no allocation, no threads, no exceptions; nothing here but the table has linkage.
//
// A register holds VW samples. Where VW < L the outermost loop walks the L / VW slices of a group ("s").
#include "kernels.h"

#include "vec.h"

#ifndef LENET_LEVEL
#error "CMake defines LENET_LEVEL (the level's name) and LENET_TABLE (the getter's name)"
#endif

namespace lenet {
namespace {

// ---- blocks: how many accumulators fit beside the operands -------------------------------------------------------
constexpr int kOB = kManyRegisters ? 6 : 3;   // output channels of a forward convolution block, times 4 positions
constexpr int kWB = kManyRegisters ? 4 : 3;   // output channels of a weight-gradient block …
constexpr int kWX = kManyRegisters ? 5 : 3;   // … times kernel columns
constexpr int kCB = 6;                        // input channels of an input-gradient block …
constexpr int kCX = kManyRegisters ? 2 : 1;   // … times columns
constexpr int kLB = kManyRegisters ? 12 : 6;  // outputs of a linear block
constexpr int kDI = kManyRegisters ? 6 : 3;   // rows of a linear weight-gradient block, times 4 registers

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
void conv_rows(const Conv& c, const float* xp, const float* w, const float* bias, bool cut, float* y) {
  for (int s = 0; s < L; s += VW)
    for (int oy = 0; oy < c.OH; ++oy) {
      const float* xr = xp + size_t(oy) * c.sh * c.Wp * L + s;
      float* yr = y + size_t(oy) * c.OW * L + s;
      int ox = 0;
      for (; ox + 4 <= c.OW; ox += 4) conv_store<OB, 4>(c, xr + size_t(ox) * c.sw * L, w, bias, cut, yr + ox * L);
      for (; ox < c.OW; ++ox) conv_store<OB, 1>(c, xr + size_t(ox) * c.sw * L, w, bias, cut, yr + ox * L);
    }
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
  const float *xp, *w, *bias;
  bool cut;
  float* y;
  template <int OB>
  void run() const {
    conv_rows<OB>(c, xp, w, bias, cut, y);
  }
};

void dense_forward(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y) {
  int b = block_of(c.K, kOB), inner = c.C * c.kh * c.kw;
  for (int k = 0; k < c.K; k += b) {
    int n = c.K - k < b ? c.K - k : b;
    with_block(n, ForwardCall{c, xp, packed + size_t(k) * inner, bias ? bias + k : nullptr, cut,
                              y + size_t(k) * c.OH * c.OW * L});
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
LENET_INLINE void dw_block(const Conv& c, const float* x, const float* dy, float* out) {
  const size_t xrow = size_t(c.Wp) * L, drow = size_t(c.OW + 2) * L, dplane = drow * c.OH, sx = size_t(c.sw) * L;
  V acc[KY * KX * OB];
#pragma GCC unroll 32
  for (int n = 0; n < KY * KX * OB; ++n) acc[n] = V{};
  for (int s = 0; s < L; s += VW)
    for (int oy = 0; oy < c.OH; ++oy) {
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
LENET_INLINE int dw_columns(const Conv& c, const float* x, const float* dy, float* out, int j) {
  for (; j + KX <= c.kw; j += KX) dw_block<OB, 1, KX>(c, x + j * L, dy, out + j * OB);
  return j;
}

template <int OB>
void dw_channels(const Conv& c, const float* xp, const float* dy, float* out) {
  for (int ch = 0; ch < c.C; ++ch)
    for (int i = 0; i < c.kh; ++i) {
      const float* x = xp + (size_t(ch) * c.Hp + i) * c.Wp * L;
      if (OB <= kWhole && dw_whole(c)) {
        dw_block<OB <= kWhole ? OB : 1, 3, 3>(c, x, dy, out);
        out += 9 * OB;
        break;
      }
      int j = dw_columns<OB, kWX>(c, x, dy, out, 0);
      j = dw_columns<OB, 3>(c, x, dy, out, j);
      j = dw_columns<OB, 2>(c, x, dy, out, j);
      dw_columns<OB, 1>(c, x, dy, out, j);
      out += c.kw * OB;
    }
}

void conv_dw(const Conv& c, const float* xp, const float* dframe, float* dw, float* db) {
  const size_t drow = size_t(c.OW + 2) * L, dplane = drow * c.OH;
  const int b = dw_block_of(c), inner = c.C * c.kh * c.kw;
  for (int k = 0; k < c.K; k += b) {
    int n = c.K - k < b ? c.K - k : b;
    const float* dy = dframe + k * dplane;
    float* out = dw + size_t(k) * inner;
    if (n == 1)
      dw_channels<1>(c, xp, dy, out);
    else if (n == 2)
      dw_channels<2>(c, xp, dy, out);
    else if (n == 3)
      dw_channels<3>(c, xp, dy, out);
    else
      dw_channels<4>(c, xp, dy, out);
  }
  if (!db) return;
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

void conv_unpack_dw(const Conv& c, const float* packed, float* dw) {
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

// ---- pooling -------------------------------------------------------------------------------------------------------

struct Window {
  int y0, y1, x0, x1;
};
LENET_INLINE Window window(const Pool& p, int oy, int ox) {
  int y = oy * p.sh - p.pt, x = ox * p.sw - p.pl;
  return {y > 0 ? y : 0, y + p.kh < p.H ? y + p.kh : p.H, x > 0 ? x : 0, x + p.kw < p.W ? x + p.kw : p.W};
}

void max_pool(const Pool& p, const float* x, float* y, int32_t* winner) {
  for (int c = 0; c < p.C; ++c, x += size_t(p.H) * p.W * L)
    for (int oy = 0; oy < p.OH; ++oy)
      for (int ox = 0; ox < p.OW; ++ox, y += L, winner += L) {
        Window w = window(p, oy, ox);
        for (int s = 0; s < L; s += VW) {
          V best = load(x + (size_t(w.y0) * p.W + w.x0) * L + s);
          Vi at = splati(w.y0 * p.W + w.x0);
          for (int h = w.y0; h < w.y1; ++h)
            for (int v = w.x0; v < w.x1; ++v) {
              V value = load(x + (size_t(h) * p.W + v) * L + s);
              Vi take = (value > best) | (value != value);
              best = select(take, value, best);
              at = take ? splati(h * p.W + v) : at;
            }
          store(y + s, best);
          storei(winner + s, at);
        }
      }
}

void zero(size_t n, float* x) { memset(x, 0, n * sizeof(float)); }

void max_pool_dx(const Pool& p, const float* dy, const int32_t* winner, float* dx) {
  zero(p.in_size() * L, dx);
  for (int c = 0; c < p.C; ++c, dx += size_t(p.H) * p.W * L)
    for (int oy = 0; oy < p.OH; ++oy)
      for (int ox = 0; ox < p.OW; ++ox, dy += L, winner += L) {
        Window w = window(p, oy, ox);
        for (int s = 0; s < L; s += VW) {
          V d = load(dy + s);
          Vi at = loadi(winner + s);
          for (int h = w.y0; h < w.y1; ++h)
            for (int v = w.x0; v < w.x1; ++v) {
              float* out = dx + (size_t(h) * p.W + v) * L + s;
              store(out, load(out) + select(at == splati(h * p.W + v), d, V{}));
            }
        }
      }
}

LENET_INLINE float cells(const Pool& p, const Window& w, int oy, int ox) {
  if (p.divisor) return float(p.divisor);
  if (p.exclusive) return float((w.y1 - w.y0) * (w.x1 - w.x0));
  int y = oy * p.sh - p.pt, x = ox * p.sw - p.pl;  // cells of the padded image, a ceil_mode overhang left out
  int y1 = y + p.kh < p.H + p.pb ? y + p.kh : p.H + p.pb, x1 = x + p.kw < p.W + p.pr ? x + p.kw : p.W + p.pr;
  return float((y1 - y) * (x1 - x));
}

void avg_pool(const Pool& p, const float* x, float* y) {
  for (int c = 0; c < p.C; ++c, x += size_t(p.H) * p.W * L)
    for (int oy = 0; oy < p.OH; ++oy)
      for (int ox = 0; ox < p.OW; ++ox, y += L) {
        Window w = window(p, oy, ox);
        V n = splat(cells(p, w, oy, ox));
        for (int s = 0; s < L; s += VW) {
          V sum = V{};
          for (int h = w.y0; h < w.y1; ++h)
            for (int v = w.x0; v < w.x1; ++v) sum += load(x + (size_t(h) * p.W + v) * L + s);
          store(y + s, sum / n);
        }
      }
}

void avg_pool_dx(const Pool& p, const float* dy, float* dx) {
  zero(p.in_size() * L, dx);
  for (int c = 0; c < p.C; ++c, dx += size_t(p.H) * p.W * L)
    for (int oy = 0; oy < p.OH; ++oy)
      for (int ox = 0; ox < p.OW; ++ox, dy += L) {
        Window w = window(p, oy, ox);
        V n = splat(cells(p, w, oy, ox));
        for (int s = 0; s < L; s += VW) {
          V d = load(dy + s) / n;
          for (int h = w.y0; h < w.y1; ++h)
            for (int v = w.x0; v < w.x1; ++v) {
              float* out = dx + (size_t(h) * p.W + v) * L + s;
              store(out, load(out) + d);
            }
        }
      }
}

// ---- elementwise ---------------------------------------------------------------------------------------------------

// y[i] = f(a[i], b[i]); the tail goes through the same register code, so every element is computed alike
template <class F>
LENET_INLINE void each(size_t n, const float* a, const float* b, float* y, F f) {
  size_t i = 0;
  for (; i + VW <= n; i += VW) store(y + i, f(load(a + i), load(b + i)));
  if (i < n) {
    float ta[VW] = {}, tb[VW] = {}, ty[VW];
    for (size_t j = i; j < n; ++j) ta[j - i] = a[j], tb[j - i] = b[j];
    store(ty, f(load(ta), load(tb)));
    for (size_t j = i; j < n; ++j) y[j] = ty[j - i];
  }
}

LENET_INLINE V sigmoid_of(V x) {  // e^-|x| never overflows
  V e = lenet::exp(select(x < V{}, x, -x));
  V s = splat(1.0f) / (splat(1.0f) + e);
  return select(x < V{}, e * s, s);
}

LENET_INLINE V tanh_of(V x) {  // near zero the quotient would cancel: a series there
  V a = select(x < V{}, -x, x);
  V e = lenet::exp(a * splat(-2.0f));
  V big = (splat(1.0f) - e) / (splat(1.0f) + e);
  V z = x * x;
  V p = splat(-1382.0f / 155925);
  p = fma(p, z, splat(62.0f / 2835));
  p = fma(p, z, splat(-17.0f / 315));
  p = fma(p, z, splat(2.0f / 15));
  p = fma(p, z, splat(-1.0f / 3));
  V small = fma(x * z, p, x);
  return select(a < splat(0.25f), small, select(x < V{}, -big, big));
}

void relu_all(size_t n, const float* x, float* y) {
  each(n, x, x, y, [](V a, V) { return relu(a); });
}
void relu_dx(size_t n, const float* y, const float* dy, float* dx) {
  each(n, y, dy, dx, [](V a, V d) { return select(a > V{}, d, V{}); });
}
void sigmoid(size_t n, const float* x, float* y) {
  each(n, x, x, y, [](V a, V) { return sigmoid_of(a); });
}
void sigmoid_dx(size_t n, const float* y, const float* dy, float* dx) {
  each(n, y, dy, dx, [](V a, V d) { return d * a * (splat(1.0f) - a); });
}
void tanh_all(size_t n, const float* x, float* y) {
  each(n, x, x, y, [](V a, V) { return tanh_of(a); });
}
void tanh_dx(size_t n, const float* y, const float* dy, float* dx) {
  each(n, y, dy, dx, [](V a, V d) { return d * (splat(1.0f) - a * a); });
}
void add(size_t n, const float* a, const float* b, float* y) {
  each(n, a, b, y, [](V p, V q) { return p + q; });
}
void mul(size_t n, const float* a, const float* b, float* y) {
  each(n, a, b, y, [](V p, V q) { return p * q; });
}
void scale(size_t n, float factor, const float* x, float* y) {
  V f = splat(factor);
  each(n, x, x, y, [f](V a, V) { return a * f; });
}

// ---- linear --------------------------------------------------------------------------------------------------------

template <int OB>
LENET_INLINE void linear_block(int in, int out, const float* x, const float* w, const float* b, bool cut, float* y) {
  V acc[OB];
#pragma GCC unroll 16
  for (int o = 0; o < OB; ++o) acc[o] = b ? splat(b[o]) : V{};
  for (int i = 0; i < in; ++i, w += out, x += L) {
    V xv = load(x);
#pragma GCC unroll 16
    for (int o = 0; o < OB; ++o) acc[o] = fma(xv, splat(w[o]), acc[o]);
  }
#pragma GCC unroll 16
  for (int o = 0; o < OB; ++o) store(y + o * L, cut ? relu(acc[o]) : acc[o]);
}

template <int OB>
LENET_INLINE int linear_run(int in, int out, const float* x, const float* w, const float* b, bool cut, float* y,
                            int o) {
  for (; o + OB <= out; o += OB) linear_block<OB>(in, out, x, w + o, b ? b + o : nullptr, cut, y + size_t(o) * L);
  return o;
}

// OB outputs of y go on with IB inputs, held in xv.
template <int IB, int OB>
LENET_INLINE void stream_block(int out, const V* xv, const float* w, float* y) {
  V acc[OB];
#pragma GCC unroll 8
  for (int o = 0; o < OB; ++o) acc[o] = load(y + o * L);
#pragma GCC unroll 16
  for (int r = 0; r < IB; ++r)
#pragma GCC unroll 8
    for (int o = 0; o < OB; ++o) acc[o] = fma(xv[r], splat(w[size_t(r) * out + o]), acc[o]);
#pragma GCC unroll 8
  for (int o = 0; o < OB; ++o) store(y + o * L, acc[o]);
}

template <int IB>
LENET_INLINE int stream_rows(int in, int out, const float* x, const float* w, float* y, int i) {
  for (; i + IB <= in; i += IB) {
    V xv[IB];
#pragma GCC unroll 16
    for (int r = 0; r < IB; ++r) xv[r] = load(x + size_t(i + r) * L);
    const float* wr = w + size_t(i) * out;
    int o = 0;
    for (; o + 4 <= out; o += 4) stream_block<IB, 4>(out, xv, wr + o, y + size_t(o) * L);
    for (; o < out; ++o) stream_block<IB, 1>(out, xv, wr + o, y + size_t(o) * L);
  }
  return i;
}

// Weights beyond the cache: a block of outputs would take 48 bytes out of each row, and come back for the next 48 when
// they are gone. Here a few whole rows go by at once, and the sums wait in y. The order of each sum is the same.
void linear_stream(int in, int out, const float* x, const float* w, const float* b, bool cut, float* y) {
  for (int o = 0; o < out; ++o) store(y + size_t(o) * L, b ? splat(b[o]) : V{});
  int i = stream_rows<kManyRegisters ? 16 : 8>(in, out, x, w, y, 0);
  stream_rows<1>(in, out, x, w, y, i);
  for (int o = 0; cut && o < out; ++o) store(y + size_t(o) * L, relu(load(y + size_t(o) * L)));
}

constexpr int64_t kCached = 96 * 1024;  // weights that stay in a core's second cache beside the activations

void linear(int in, int out, const float* x, const float* w, const float* b, bool cut, float* y) {
  for (int s = 0; s < L; s += VW) {
    if (in * int64_t(out) > kCached) {
      linear_stream(in, out, x + s, w, b, cut, y + s);
      continue;
    }
    int o = linear_run<kLB>(in, out, x + s, w, b, cut, y + s, 0);
    if (out - o == 10) o = linear_run<kManyRegisters ? 10 : 5>(in, out, x + s, w, b, cut, y + s, o);
    o = linear_run<4>(in, out, x + s, w, b, cut, y + s, o);
    linear_run<1>(in, out, x + s, w, b, cut, y + s, o);
  }
}

template <int IB>
LENET_INLINE int linear_dx_run(int in, int out, const float* dy, const float* w, float* dx, int i) {
  for (; i + IB <= in; i += IB) {
    const float* wr = w + size_t(i) * out;
    V acc[IB];
#pragma GCC unroll 16
    for (int r = 0; r < IB; ++r) acc[r] = V{};
    for (int o = 0; o < out; ++o) {
      V d = load(dy + size_t(o) * L);
#pragma GCC unroll 16
      for (int r = 0; r < IB; ++r) acc[r] = fma(d, splat(wr[size_t(r) * out + o]), acc[r]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < IB; ++r) store(dx + size_t(i + r) * L, acc[r]);
  }
  return i;
}

void linear_dx(int in, int out, const float* dy, const float* w, float* dx) {
  for (int s = 0; s < L; s += VW) {
    int i = linear_dx_run<kLB>(in, out, dy + s, w, dx + s, 0);
    i = linear_dx_run<4>(in, out, dy + s, w, dx + s, i);
    linear_dx_run<1>(in, out, dy + s, w, dx + s, i);
  }
}

// IB rows x OV registers of outputs; the sum runs over all samples in order
template <int IB, int OV>
LENET_INLINE void dense_block(int out, int outp, int groups, const float* x, size_t stride, const float* dyt, int i,
                              int o, float* dw) {
  V acc[IB][OV];
#pragma GCC unroll 8
  for (int r = 0; r < IB; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < OV; ++v) acc[r][v] = V{};
  for (int g = 0; g < groups; ++g) {
    const float* xg = x + g * stride + size_t(i) * L;
    const float* dg = dyt + size_t(g) * L * outp + o;
    for (int l = 0; l < L; ++l, dg += outp) {
      V d[OV];
#pragma GCC unroll 8
      for (int v = 0; v < OV; ++v) d[v] = load(dg + v * VW);
#pragma GCC unroll 8
      for (int r = 0; r < IB; ++r) {
        V xv = splat(xg[r * L + l]);
#pragma GCC unroll 8
        for (int v = 0; v < OV; ++v) acc[r][v] = fma(xv, d[v], acc[r][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < IB; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < OV; ++v) {
      float* to = dw + size_t(i + r) * out + o + v * VW;
      int left = out - o - v * VW;
      if (left >= VW) {
        store(to, acc[r][v]);
      } else if (left > 0) {
        float tail[VW];
        store(tail, acc[r][v]);
        memcpy(to, tail, size_t(left) * sizeof(float));
      }
    }
}

template <int IB>
LENET_INLINE int dense_rows(int out, int groups, const float* x, size_t stride, const float* dyt, int i, int i1,
                            float* dw) {
  const int outp = (out + L - 1) / L * L;
  for (; i + IB <= i1; i += IB) {
    int o = 0;
    for (; o + 3 * VW < out; o += 4 * VW) dense_block<IB, 4>(out, outp, groups, x, stride, dyt, i, o, dw);
    for (; o + VW < out; o += 2 * VW) dense_block<IB, 2>(out, outp, groups, x, stride, dyt, i, o, dw);
    for (; o < out; o += VW) dense_block<IB, 1>(out, outp, groups, x, stride, dyt, i, o, dw);
  }
  return i;
}

void linear_dw(int, int out, int groups, const float* x, size_t stride, const float* dyt, int i0, int i1, float* dw) {
  int i = dense_rows<kDI>(out, groups, x, stride, dyt, i0, i1, dw);
  dense_rows<1>(out, groups, x, stride, dyt, i, i1, dw);
}

void linear_db(int out, int groups, const float* dyt, float* db) {
  const int outp = (out + L - 1) / L * L;
  for (int o = 0; o < outp; o += VW) {
    V sum = V{};
    for (int n = 0; n < groups * L; ++n) sum += load(dyt + size_t(n) * outp + o);
    float tail[VW];
    store(tail, sum);
    for (int q = 0; q < VW && o + q < out; ++q) db[o + q] = tail[q];
  }
}

// ---- softmax and its loss ------------------------------------------------------------------------------------------

// y = e^(x - max), clamped; returns the sum and the maximum
LENET_INLINE V exponentials(int C, const float* x, float* y, V* top) {
  V m = load(x);
  for (int c = 1; c < C; ++c) m = larger(m, load(x + size_t(c) * L));
  V sum = V{};
  for (int c = 0; c < C; ++c) {
    V z = load(x + size_t(c) * L) - m;
    V e = lenet::exp(select(z < splat(-64.0f), splat(-64.0f), z));
    store(y + size_t(c) * L, e);
    sum += e;
  }
  *top = m;
  return sum;
}

void softmax(int C, const float* x, float* y) {
  for (int s = 0; s < L; s += VW) {
    V top, sum = exponentials(C, x + s, y + s, &top);
    for (int c = 0; c < C; ++c) store(y + size_t(c) * L + s, load(y + size_t(c) * L + s) / sum);
  }
}

void softmax_dx(int C, const float* y, const float* dy, float* dx) {
  for (int s = 0; s < L; s += VW) {
    V dot = V{};
    for (int c = 0; c < C; ++c) dot = fma(load(y + size_t(c) * L + s), load(dy + size_t(c) * L + s), dot);
    for (int c = 0; c < C; ++c)
      store(dx + size_t(c) * L + s, load(y + size_t(c) * L + s) * (load(dy + size_t(c) * L + s) - dot));
  }
}

void softmax_loss(int C, const float* x, const float* target, const float* weight, float* loss, float* dx) {
  for (int s = 0; s < L; s += VW) {
    V top, sum = exponentials(C, x + s, dx + s, &top);
    V log_sum = lenet::log(sum), w = load(weight + s), mass = V{}, total = V{};
    for (int c = 0; c < C; ++c) {
      V t = load(target + size_t(c) * L + s), z = load(x + size_t(c) * L + s) - top;
      z = select(z < splat(-64.0f), splat(-64.0f), z);
      total += select(t != V{}, t * (log_sum - z), V{});
      mass += t;
    }
    for (int c = 0; c < C; ++c) {
      V t = load(target + size_t(c) * L + s), p = load(dx + size_t(c) * L + s) / sum;
      store(dx + size_t(c) * L + s, select(w != V{}, w * (mass * p - t), V{}));
    }
    store(loss + s, select(w != V{}, w * total, V{}));  // a NaN in an ignored sample stays out
  }
}

// ---- optimizers ----------------------------------------------------------------------------------------------------

using ClipF = Kernels<float>::Clip;

LENET_INLINE V clipped(V g, V scale, V lo, V hi) {
  g = g * scale;
  return select(g < lo, lo, select(g > hi, hi, g));
}

// f(p, g, a, b) updates registers in place; a and b may be null arrays
template <class F>
LENET_INLINE void update(size_t n, float* p, const float* g, float* a, float* b, ClipF clip, float l2, F f) {
  V scale = splat(clip.scale), lo = splat(clip.lo), hi = splat(clip.hi), decay = splat(l2);
  const bool plain = clip.scale == 1.0f && clip.lo == -__builtin_inff() && clip.hi == __builtin_inff();
  for (size_t i = 0; i < n; i += VW) {
    if (i + VW <= n) {
      V pv = load(p + i), gv = load(g + i), av = a ? load(a + i) : V{}, bv = b ? load(b + i) : V{};
      if (!plain) gv = clipped(gv, scale, lo, hi);
      if (l2 != 0.0f) gv = gv + decay * pv;
      f(pv, gv, av, bv);
      store(p + i, pv);
      if (a) store(a + i, av);
      if (b) store(b + i, bv);
    } else {
      float t[4][VW] = {};
      for (size_t j = i; j < n; ++j) {
        t[0][j - i] = p[j], t[1][j - i] = g[j];
        if (a) t[2][j - i] = a[j];
        if (b) t[3][j - i] = b[j];
      }
      V pv = load(t[0]), gv = load(t[1]), av = load(t[2]), bv = load(t[3]);
      if (!plain) gv = clipped(gv, scale, lo, hi);
      if (l2 != 0.0f) gv = gv + decay * pv;
      f(pv, gv, av, bv);
      store(t[0], pv), store(t[2], av), store(t[3], bv);
      for (size_t j = i; j < n; ++j) {
        p[j] = t[0][j - i];
        if (a) a[j] = t[2][j - i];
        if (b) b[j] = t[3][j - i];
      }
    }
  }
}

void sgd(size_t n, float* p, const float* g, float lr, float l2, ClipF clip) {
  V step = splat(lr);
  update(n, p, g, nullptr, nullptr, clip, l2, [=](V& pv, V gv, V&, V&) { pv = pv - step * gv; });
}

void momentum(size_t n, float* p, const float* g, float* velocity, float lr, float mu, bool nesterov, float l2,
              ClipF clip) {
  V step = splat(lr), keep = splat(mu);
  update(n, p, g, velocity, nullptr, clip, l2, [=](V& pv, V gv, V& v, V&) {
    v = keep * v + gv;
    pv = pv - step * (nesterov ? gv + keep * v : v);
  });
}

void adam(size_t n, float* p, const float* g, float* m, float* v, AdamStep a, ClipF clip) {
  V b1 = splat(a.beta1), c1 = splat(1.0f - a.beta1), b2 = splat(a.beta2), c2 = splat(1.0f - a.beta2);
  V step = splat(a.step), eps = splat(a.eps), decay = splat(a.decay);
  const bool decays = a.decay != 1.0f;
  update(n, p, g, m, v, clip, a.l2, [=](V& pv, V gv, V& mv, V& vv) {
    if (decays) pv = pv * decay;
    mv = b1 * mv + c1 * gv;
    vv = b2 * vv + c2 * (gv * gv);
    pv = pv - step * (mv / (square_root(vv) + eps));
  });
}

double sum_squares(size_t n, const float* x) {
  V a[4] = {V{}, V{}, V{}, V{}};
  size_t i = 0;
  for (; i + 4 * VW <= n; i += 4 * VW)
    for (int q = 0; q < 4; ++q) {
      V v = load(x + i + q * VW);
      a[q] = fma(v, v, a[q]);
    }
  double total = 0;
  float lanes[VW];
  store(lanes, (a[0] + a[1]) + (a[2] + a[3]));
  for (int q = 0; q < VW; ++q) total += lanes[q];
  for (; i < n; ++i) total += double(x[i]) * x[i];
  return total;
}

float multiply_adds(long rounds) {
  V acc[kPeakChains];
  for (int i = 0; i < kPeakChains; ++i) acc[i] = splat(float(i));
  const V a = splat(0.999f), b = splat(0.001f);
  for (long r = 0; r < rounds; ++r)
#pragma GCC unroll 16
    for (int i = 0; i < kPeakChains; ++i) acc[i] = fma(acc[i], a, b);
  V sum = acc[0];
  for (int i = 1; i < kPeakChains; ++i) sum += acc[i];
  float lanes[VW];
  store(lanes, sum);
  return lanes[0];
}

}  // namespace
}  // namespace lenet

#include "bytes.h"
#include "one.h"
#include "ways.h"

namespace lenet {

const Kernels<float>& LENET_TABLE() {
  static const Kernels<float> table = {
      LENET_LEVEL,
      VW,
      conv_pack,
      conv_pack_dx,
      conv_unpack_dw,
      conv_room,
      conv_forward,
      conv_dw,
      conv_dx,
      pooled_pack,
      pooled_pack_dx,
      pooled_unpack_dw,
      pooled_room,
      pooled_forward,
      pooled_backward,
      bytes_to_lanes,
      max_pool,
      max_pool_dx,
      avg_pool,
      avg_pool_dx,
      relu_all,
      relu_dx,
      sigmoid,
      sigmoid_dx,
      tanh_all,
      tanh_dx,
      add,
      mul,
      scale,
      linear,
      linear_dx,
      linear_dw,
      linear_db,
      softmax,
      softmax_dx,
      softmax_loss,
      one_packed_size,
      one_pack,
      one_conv,
      one_max_pool,
      one_avg_pool,
      one_linear,
      one_softmax,
      sgd,
      momentum,
      adam,
      sum_squares,
      multiply_adds,
  };
  return table;
}

}  // namespace lenet
