// Optimizers, in place: part of kernels.cpp.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

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

}  // namespace
}  // namespace lenet
