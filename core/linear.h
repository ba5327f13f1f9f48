// A linear layer, forward and backward: part of kernels.cpp.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

constexpr int kLB = kManyRegisters ? 12 : 6;  // outputs of a linear block
constexpr int kDI = kManyRegisters ? 6 : 3;   // rows of a linear weight-gradient block, times 4 registers

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
  const int outp = (out + kLanes - 1) / kLanes * kLanes;
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
  const int outp = (out + kLanes - 1) / kLanes * kLanes;
  for (int o = 0; o < outp; o += VW) {
    V sum = V{};
    for (int n = 0; n < groups * L; ++n) sum += load(dyt + size_t(n) * outp + o);
    float tail[VW];
    store(tail, sum);
    for (int q = 0; q < VW && o + q < out; ++q) db[o + q] = tail[q];
  }
}

}  // namespace
}  // namespace lenet
