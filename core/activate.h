// Activations beyond relu, each with its gradient: part of kernels.cpp. NaN goes through all of them.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

// The normal distribution's share below x, and its density: erfc by a polynomial in 1 / (1 + z / 2), whose relative
// error is 1.2e-7 (Press et al., Numerical Recipes, section 6.2).
LENET_INLINE V gauss(V x) {
  const V z = select(x < V{}, -x, x) * splat(0.70710678118654752f);
  const V t = splat(1.0f) / fma(z, splat(0.5f), splat(1.0f));
  V p = splat(0.17087277f);
  p = fma(p, t, splat(-0.82215223f));
  p = fma(p, t, splat(1.48851587f));
  p = fma(p, t, splat(-1.13520398f));
  p = fma(p, t, splat(0.27886807f));
  p = fma(p, t, splat(-0.18628806f));
  p = fma(p, t, splat(0.09678418f));
  p = fma(p, t, splat(0.37409196f));
  p = fma(p, t, splat(1.00002368f));
  p = fma(p, t, splat(-1.26551223f));
  const V tail = splat(0.5f) * t * lenet::exp(fma(-z, z, p));
  return select(x < V{}, tail, splat(1.0f) - tail);
}
LENET_INLINE V density(V x) { return splat(0.39894228040143268f) * lenet::exp(splat(-0.5f) * x * x); }

constexpr float kGeluRoot = 0.79788456080286536f, kGeluCube = 0.044715f;
LENET_INLINE V gelu_inner(V x) { return tanh_of(splat(kGeluRoot) * fma(splat(kGeluCube) * x * x, x, x)); }

// f(x) of each activation; the slope from x and y = f(x).
template <Act A>
LENET_INLINE V value_of(V x, V slope) {
  const V one = splat(1.0f), half = splat(0.5f), six = splat(6.0f);
  switch (A) {
    case Act::relu:
      return relu(x);
    case Act::sigmoid:
      return sigmoid_of(x);
    case Act::tanh:
      return tanh_of(x);
    case Act::relu6:
      return select(x > six, six, relu(x));
    case Act::leaky_relu:
      return select(x < V{}, x * slope, x);
    case Act::gelu:
      return x * gauss(x);
    case Act::gelu_tanh:
      return half * x * (one + gelu_inner(x));
    default:
      return x * sigmoid_of(x);
  }
}

template <Act A>
LENET_INLINE V slope_of(V x, V y, V slope) {
  const V one = splat(1.0f), half = splat(0.5f);
  switch (A) {
    case Act::relu:
      return select(y > V{}, one, V{});
    case Act::sigmoid:
      return y * (one - y);
    case Act::tanh:
      return one - y * y;
    case Act::relu6:
      return select((x > V{}) & (x < splat(6.0f)), one, V{});
    case Act::leaky_relu:
      return select(x < V{}, slope, one);
    case Act::gelu:
      return fma(x, density(x), gauss(x));
    case Act::gelu_tanh: {
      const V t = gelu_inner(x);
      const V inner = splat(kGeluRoot) * fma(splat(3 * kGeluCube) * x, x, one);
      return fma(half * x * (one - t * t), inner, half * (one + t));
    }
    default: {
      const V s = sigmoid_of(x);
      return fma(y, one - s, s);
    }
  }
}

// f of the activation that is asked for, as a constant.
template <class F>
LENET_INLINE void with_act(Act act, F f) {
  switch (act) {
    case Act::relu:
      return f.template run<Act::relu>();
    case Act::sigmoid:
      return f.template run<Act::sigmoid>();
    case Act::tanh:
      return f.template run<Act::tanh>();
    case Act::relu6:
      return f.template run<Act::relu6>();
    case Act::leaky_relu:
      return f.template run<Act::leaky_relu>();
    case Act::gelu:
      return f.template run<Act::gelu>();
    case Act::gelu_tanh:
      return f.template run<Act::gelu_tanh>();
    case Act::silu:
      return f.template run<Act::silu>();
  }
}

struct ActCall {
  V slope;
  size_t n;
  const float* x;
  float* y;
  template <Act A>
  void run() const {
    const V s = slope;
    each(n, x, x, y, [s](V a, V) { return value_of<A>(a, s); });
  }
};
struct ActDxCall {
  V slope;
  size_t n;
  const float *x, *y, *dy;
  float* dx;
  template <Act A>
  void run() const {
    size_t i = 0;
    for (; i + VW <= n; i += VW) store(dx + i, load(dy + i) * slope_of<A>(load(x + i), load(y + i), slope));
    if (i < n) {
      float t[3][VW] = {};
      for (size_t j = i; j < n; ++j) t[0][j - i] = x[j], t[1][j - i] = y[j], t[2][j - i] = dy[j];
      store(t[2], load(t[2]) * slope_of<A>(load(t[0]), load(t[1]), slope));
      for (size_t j = i; j < n; ++j) dx[j] = t[2][j - i];
    }
  }
};

void activate(Act act, float slope, size_t n, const float* x, float* y) {
  with_act(act, ActCall{splat(slope), n, x, y});
}
void activate_dx(Act act, float slope, size_t n, const float* x, const float* y, const float* dy, float* dx) {
  with_act(act, ActDxCall{splat(slope), n, x, y, dy, dx});
}

}  // namespace
}  // namespace lenet
