// Batch normalisation over one group, forward and backward: part of kernels.cpp. What several groups' statistics come
// to together is joined in moments.h, in a fixed order.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

// In blocks that stay in the first cache: a block's own mean first, then what it is away from it, then both joined to
// those of the blocks before (Chan, Golub and LeVeque 1979), lane by lane. One pass through memory, and a large mean
// costs no digits of a small variance.
void norm_stats(int C, size_t cells, int real, const float* x, double* mean, double* squares) {
  constexpr size_t kBlock = 256;
  for (int c = 0; c < C; ++c, x += cells * L) {
    float means[L], sums[L];
    for (int s = 0; s < L; s += VW) {
      V m = V{}, q = V{};
      for (size_t at = 0; at < cells; at += kBlock) {
        const size_t n = cells - at < kBlock ? cells - at : kBlock, even = n / 4 * 4;
        const float* from = x + at * L + s;
        V a[4] = {V{}, V{}, V{}, V{}}, b[4] = {V{}, V{}, V{}, V{}};
        for (size_t i = 0; i < even; i += 4)
#pragma GCC unroll 4
          for (int r = 0; r < 4; ++r) a[r] += load(from + (i + r) * L);
        for (size_t i = even; i < n; ++i) a[0] += load(from + i * L);
        const V own = ((a[0] + a[1]) + (a[2] + a[3])) / splat(float(n));
        for (size_t i = 0; i < even; i += 4)
#pragma GCC unroll 4
          for (int r = 0; r < 4; ++r) {
            const V d = load(from + (i + r) * L) - own;
            b[r] = fma(d, d, b[r]);
          }
        for (size_t i = even; i < n; ++i) {
          const V d = load(from + i * L) - own;
          b[0] = fma(d, d, b[0]);
        }
        const V away = own - m;
        const float all = float(at + n);
        m = fma(away, splat(float(n) / all), m);
        q += ((b[0] + b[1]) + (b[2] + b[3])) + away * away * splat(float(at) * (float(n) / all));
      }
      store(means + s, m), store(sums + s, q);
    }
    double all = 0, away = 0;
    for (int l = 0; l < real; ++l) all += means[l];
    all /= real;
    for (int l = 0; l < real; ++l) away += double(cells) * (means[l] - all) * (means[l] - all) + sums[l];
    mean[c] = all, squares[c] = away;
  }
}

template <bool REST, bool CUT>
LENET_INLINE void norm_run(size_t n, const float* x, V mean, V scale, V shift, const float* rest, float* y) {
  for (size_t i = 0; i < n; i += VW) {
    V v = fma(load(x + i) - mean, scale, shift);
    if (REST) v = v + load(rest + i);
    store(y + i, CUT ? relu(v) : v);
  }
}

// Channels in rising order: what goes beyond one is written again, or slack.
void norm(int C, size_t n, const float* x, const float* mean, const float* scale, const float* shift, const float* rest,
          bool cut, float* y) {
  for (int c = 0; c < C; ++c, x += n, y += n) {
    const V m = splat(mean[c]), s = splat(scale[c]), b = splat(shift[c]);
    if (rest) {
      cut ? norm_run<true, true>(n, x, m, s, b, rest, y) : norm_run<true, false>(n, x, m, s, b, rest, y);
      rest += n;
    } else {
      cut ? norm_run<false, true>(n, x, m, s, b, rest, y) : norm_run<false, false>(n, x, m, s, b, rest, y);
    }
  }
}

LENET_INLINE V passed(const float* y, V dy, size_t i) { return y ? select(load(y + i) > V{}, dy, V{}) : dy; }

void norm_sums(int C, size_t cells, const float* x, const float* y, const float* dy, const float* mean, double* sum,
               double* product) {
  const size_t n = cells * L, even = n / (4 * VW) * (4 * VW);
  for (int c = 0; c < C; ++c, x += n, dy += n, y += y ? n : 0) {
    const V m = splat(mean[c]);
    V a[4] = {V{}, V{}, V{}, V{}}, b[4] = {V{}, V{}, V{}, V{}};
    for (size_t i = 0; i < even; i += 4 * VW)
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        const V d = passed(y, load(dy + i + r * VW), i + r * VW);
        a[r] += d;
        b[r] = fma(d, load(x + i + r * VW) - m, b[r]);
      }
    for (size_t i = even; i < n; i += VW) {
      const V d = passed(y, load(dy + i), i);
      a[0] += d;
      b[0] = fma(d, load(x + i) - m, b[0]);
    }
    float lanes[2][VW];
    store(lanes[0], (a[0] + a[1]) + (a[2] + a[3])), store(lanes[1], (b[0] + b[1]) + (b[2] + b[3]));
    double total = 0, with_x = 0;
    for (int l = 0; l < VW; ++l) total += lanes[0][l], with_x += lanes[1][l];
    sum[c] = total, product[c] = with_x;
  }
}

void norm_dx(int C, size_t cells, int real, const float* x, const float* y, const float* dy, const float* mean,
             const float* scale, const float* a, const float* b, float* dx, float* rest) {
  int32_t place[L];
  for (int l = 0; l < L; ++l) place[l] = l;
  const size_t n = cells * L;
  for (int c = 0; c < C; ++c, x += n, dy += n, dx += n, y += y ? n : 0, rest += rest ? n : 0)
    for (int s = 0; s < L; s += VW) {
      const Vi there = loadi(place + s) < splati(real);
      const V m = splat(mean[c]), f = select(there, splat(scale[c]), V{}), av = splat(a[c]), bv = splat(b[c]);
      for (size_t i = s; i < n; i += L) {
        const V d = passed(y, load(dy + i), i);
        const V v = f * ((d - av) - (load(x + i) - m) * bv);
        store(dx + i, real < L ? select(there, v, V{}) : v);
        if (rest) store(rest + i, d);
      }
    }
}

}  // namespace
}  // namespace lenet
