// Every SIMD kernel, once; CMake compiles this file for each ISA level with LENET_LEVEL set to the level's name.
// What each kernel computes is said in kernels.h and, in plain loops, in reference.cpp: read that first. This file only
// adds register blocking, each subject in a file of its own, included below. No STL, no allocation, no threads, no
// exceptions; nothing here but the table has linkage.
//
// A register holds VW samples. Where VW < L the outermost loop walks the L / VW slices of a group ("s").
#include "kernels.h"

#include "vec.h"

#ifndef LENET_LEVEL
#error \
    "CMake defines LENET_LEVEL (the level's name), LENET_TABLE (the getter's name) and LENET_HALF (that of half as wide groups)"
#endif

namespace lenet {
namespace {

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
void add_cut(size_t n, const float* a, const float* b, float* y) {
  each(n, a, b, y, [](V p, V q) { return relu(p + q); });
}
void mul(size_t n, const float* a, const float* b, float* y) {
  each(n, a, b, y, [](V p, V q) { return p * q; });
}
void scale(size_t n, float factor, const float* x, float* y) {
  V f = splat(factor);
  each(n, x, x, y, [f](V a, V) { return a * f; });
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

#include "activate.h"
#include "bytes.h"
#include "linear.h"
#include "loss.h"
#include "norm.h"
#include "updates.h"
#include "ways.h"
#include "windows.h"
#if !defined(LENET_LANES)
#include "one.h"  // one image has no lanes
#endif

namespace lenet {

#if !defined(LENET_LANES)
const Kernels<float>& LENET_HALF();
#endif
const Kernels<float>& LENET_TABLE() {
  static const Kernels<float> table = {
      LENET_LEVEL,
      VW,
      L,
#if defined(LENET_LANES)
      nullptr,
#else
      &LENET_HALF(),
#endif
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
      conv_products,
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
      activate,
      activate_dx,
      add,
      add_cut,
      mul,
      scale,
      linear,
      linear_dx,
      linear_dw,
      linear_db,
      softmax,
      softmax_dx,
      softmax_loss,
      class_loss,
      norm_stats,
      norm,
      norm_sums,
      norm_dx,
#if defined(LENET_LANES)
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
      nullptr,
#else
      one_packed_size,
      one_pack,
      one_conv,
      one_max_pool,
      one_avg_pool,
      one_linear,
      one_softmax,
#endif
      sgd,
      momentum,
      adam,
      sum_squares,
      multiply_adds,
  };
  return table;
}

}  // namespace lenet
