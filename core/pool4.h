// The maximum of a window of four: part of kernels.cpp, read by pooled.h and split.h.
#pragma once
#include "vec.h"

namespace lenet {
namespace {

// relu and the 2x2 maximum; the winner is the first of equals, 4 where relu cut it off, a NaN wherever there is one. In
// pairs, with NaN looked for apart: comparisons are what costs.
LENET_INLINE void pool_store(V a, V b, V c, V d, bool cut, float* y, uint8_t* winner) {
  Lanes right = above(b, a), lower, right_below = above(d, c);
  V best = choose(right, a, b), below = choose(right_below, c, d);
  lower = above(below, best);
  best = choose(lower, best, below);
  right = choose(lower, right, right_below);
  if (__builtin_expect(any(either(unordered(a, b), unordered(c, d))), 0)) {
    best = a, right = without(right, right), lower = right;  // one after another: what comes later wins as a NaN
    Lanes t = either(above(b, best), unordered(b, b));
    best = choose(t, best, b), right = either(right, t);
    t = either(above(c, best), unordered(c, c));
    best = choose(t, best, c), right = without(right, t), lower = either(lower, t);
    t = either(above(d, best), unordered(d, d));
    best = choose(t, best, d), right = either(right, t), lower = either(lower, t);
    const Lanes live = either(above(best, V{}), unordered(best, best));
    store(y, cut ? choose(live, V{}, best) : best);
    store_winners(winner, right, lower, cut ? live : all_lanes());
    return;
  }
  const Lanes live = cut ? above(best, V{}) : all_lanes();
  store(y, cut ? choose(live, V{}, best) : best);
  store_winners(winner, right, lower, live);
}

}  // namespace
}  // namespace lenet
