// Maximum and average pooling with any window: part of kernels.cpp.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

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

}  // namespace
}  // namespace lenet
