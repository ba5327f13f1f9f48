// Softmax and its loss: part of kernels.cpp.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

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

void class_loss(int C, size_t cells, const float* x, const int32_t* label, float smoothing, const float* weight,
                float* loss, float* dx) {
  const size_t step = cells * L;  // from class to class
  const float rest = smoothing / float(C);
  const V low = splat(-64.0f), own = splat(1.0f - smoothing + rest), others = splat(rest);
  for (size_t i = 0; i < step; i += VW) {
    V top = load(x + i);
    for (int c = 1; c < C; ++c) top = larger(top, load(x + c * step + i));
    V sum = V{};
    for (int c = 0; c < C; ++c) {
      V z = load(x + c * step + i) - top;
      V e = lenet::exp(select(z < low, low, z));
      store(dx + c * step + i, e);
      sum += e;
    }
    const V log_sum = lenet::log(sum), w = load(weight + i);
    const Vi at = loadi(label + i);
    V mass = V{}, total = V{};
    for (int c = 0; c < C; ++c) {
      const V t = select(at == splati(c), own, others);
      V z = load(x + c * step + i) - top;
      z = select(z < low, low, z);
      total += select(t != V{}, t * (log_sum - z), V{});
      mass += t;
    }
    for (int c = 0; c < C; ++c) {
      const V t = select(at == splati(c), own, others), p = load(dx + c * step + i) / sum;
      store(dx + c * step + i, select(w != V{}, w * (mass * p - t), V{}));
    }
    store(loss + i, select(w != V{}, w * total, V{}));  // a NaN in an ignored cell stays out
  }
}

}  // namespace
}  // namespace lenet
