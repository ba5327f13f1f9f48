// The plain loops of activations and batch normalisation: part of reference.cpp. Shapes and rules: kernels.h.
#pragma once
#include <cmath>

#include "kernels.h"

namespace lenet {
namespace {

template <class T, int L>
struct ReferenceMaps {
  // ---- activations: f(x), and the slope from x and y = f(x)
  static T logistic(T x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
  static T below(T x) { return std::erfc(-x * std::sqrt(T(0.5))) / 2; }  // the normal distribution's share
  static T gelu_inner(T x) { return std::tanh(std::sqrt(T(2 / M_PI)) * (x + T(0.044715) * x * x * x)); }
  static T value_of(Act act, T slope, T x) {
    switch (act) {
      case Act::relu:
        return x < 0 ? T(0) : x;
      case Act::sigmoid:
        return logistic(x);
      case Act::tanh:
        return std::tanh(x);
      case Act::relu6:
        return x < 0 ? T(0) : x > 6 ? T(6) : x;
      case Act::leaky_relu:
        return x < 0 ? slope * x : x;
      case Act::gelu:
        return x * below(x);
      case Act::gelu_tanh:
        return x / 2 * (1 + gelu_inner(x));
      default:
        return x * logistic(x);
    }
  }
  static T slope_of(Act act, T slope, T x, T y) {
    switch (act) {
      case Act::relu:
        return y > 0;
      case Act::sigmoid:
        return y * (1 - y);
      case Act::tanh:
        return 1 - y * y;
      case Act::relu6:
        return x > 0 && x < 6;
      case Act::leaky_relu:
        return x < 0 ? slope : T(1);
      case Act::gelu:
        return below(x) + x * std::exp(-x * x / 2) / std::sqrt(T(2 * M_PI));
      case Act::gelu_tanh: {
        const T t = gelu_inner(x);
        return (1 + t) / 2 + x / 2 * (1 - t * t) * std::sqrt(T(2 / M_PI)) * (1 + 3 * T(0.044715) * x * x);
      }
      default:
        return logistic(x) + y * (1 - logistic(x));
    }
  }
  static void activate(Act act, T slope, size_t n, const T* x, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = value_of(act, slope, x[i]);
  }
  static void activate_dx(Act act, T slope, size_t n, const T* x, const T* y, const T* dy, T* dx) {
    for (size_t i = 0; i < n; ++i) dx[i] = dy[i] * slope_of(act, slope, x[i], y[i]);
  }

  // ---- batch normalisation, by the definition
  template <class F>
  static void lanes(size_t cells, int real, F f) {
    for (size_t i = 0; i < cells; ++i)
      for (int l = 0; l < real; ++l) f(i * L + l);
  }
  static void norm_stats(int C, size_t cells, int real, const T* x, double* mean, double* squares) {
    for (int c = 0; c < C; ++c, x += cells * L) {
      double sum = 0, away = 0;
      lanes(cells, real, [&](size_t i) { sum += double(x[i]); });
      sum /= double(cells) * real;
      lanes(cells, real, [&](size_t i) { away += (double(x[i]) - sum) * (double(x[i]) - sum); });
      mean[c] = sum, squares[c] = away;
    }
  }
  static void norm(int C, size_t n, const T* x, const T* mean, const T* scale, const T* shift, const T* rest, bool cut,
                   T* y) {
    for (int c = 0; c < C; ++c)
      for (size_t i = 0; i < n; ++i) {
        const T v = (x[c * n + i] - mean[c]) * scale[c] + shift[c] + (rest ? rest[c * n + i] : T(0));
        y[c * n + i] = cut && v < 0 ? T(0) : v;
      }
  }
  static void norm_sums(int C, size_t cells, const T* x, const T* y, const T* dy, const T* mean, double* sum,
                        double* product) {
    for (int c = 0; c < C; ++c) {
      sum[c] = product[c] = 0;
      for (size_t i = c * cells * L; i < (c + 1) * cells * L; ++i) {
        const double d = y && !(y[i] > 0) ? 0 : double(dy[i]);
        sum[c] += d, product[c] += d * (double(x[i]) - double(mean[c]));
      }
    }
  }
  static void norm_dx(int C, size_t cells, int real, const T* x, const T* y, const T* dy, const T* mean, const T* scale,
                      const T* a, const T* b, T* dx, T* rest) {
    for (int c = 0; c < C; ++c)
      for (size_t i = c * cells * L; i < (c + 1) * cells * L; ++i) {
        const T d = y && !(y[i] > 0) ? T(0) : dy[i];
        dx[i] = int(i % L) < real ? scale[c] * (d - a[c] - (x[i] - mean[c]) * b[c]) : T(0);
        if (rest) rest[i] = d;
      }
  }
};

}  // namespace
}  // namespace lenet
