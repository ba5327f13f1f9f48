// What the files of a plan share: the segments of a pass in turn, and rows that only move numbers. Read by plan_*.cpp.
#pragma once
#include <cstring>

#include "layout.h"
#include "plan.h"
#include "pool.h"

namespace lenet {

// Numbers of the plan's group g of `lanes` samples, from and to whole groups one after another: n of them from the
// `at`-th of `size` on.
inline void from_full(size_t n, int lanes, int g, size_t size, size_t at, const float* full, float* to) {
  const size_t own = size_t(lanes), first = size_t(g) * own;
  full += (first / kLanes * size + at) * kLanes + first % kLanes;
  if (own == kLanes) return void(std::memcpy(to, full, n * own * sizeof(float)));
  for (size_t i = 0; i < n; ++i, full += kLanes, to += own) std::memcpy(to, full, own * sizeof(float));
}
inline void to_full(size_t n, int lanes, int g, size_t size, size_t at, const float* from, float* full) {
  const size_t own = size_t(lanes), first = size_t(g) * own;
  full += (first / kLanes * size + at) * kLanes + first % kLanes;
  if (own == kLanes) return void(std::memcpy(full, from, n * own * sizeof(float)));
  for (size_t i = 0; i < n; ++i, full += kLanes, from += own) std::memcpy(full, from, own * sizeof(float));
}

// f(shard, group) for all groups, shard by shard.
template <class F>
void over_groups_of_shards(int groups, F f) {
  over_shards(groups, [&](int s, int g0, int g1) {
    for (int g = g0; g < g1; ++g) f(s, g);
  });
}

// All rows in their segments, each entered by enter(g); then leave(shard, g), while the group is in the cache.
template <class Enter, class Leave>
void Plan::run_segments(bool training, Enter enter, Leave leave) {
  const size_t last = cuts_.size() - 2;
  if (wide_) run(groups(), enter);
  for (size_t i = 0; i <= last; ++i) {
    if (i) join_statistics(cuts_[i]);
    if (wide_) {
      for (size_t r = cuts_[i]; r < cuts_[i + 1]; ++r) {
        Stopwatch watch(clock_, r);
        forward_wide(r);
      }
      if (i < last && rows()[cuts_[i + 1]].batch) statistics_wide(cuts_[i + 1]);
      if (i == last) run(groups(), [&](int g) { leave(g, g); });
      continue;
    }
    over_groups_of_shards(groups(), [&](int s, int g) {
      if (i == 0) enter(g);
      for (size_t r = cuts_[i]; r < cuts_[i + 1]; ++r) {
        Stopwatch watch(clock_, r);
        forward_row(training_form_, r, *kernels_, group(g), packed_.data(), masks_.data() + mask_size_ * size_t(g),
                    training);
      }
      if (i < last) {
        Stopwatch watch(clock_, cuts_[i + 1]);
        if (rows()[cuts_[i + 1]].batch) norm_statistics(cuts_[i + 1], g);
      } else {
        leave(s, g);
      }
    });
  }
}

// n numbers through a row's activation; relu, sigmoid and tanh by the kernels that eager calls have.
inline void activate_all(const Row& row, size_t n, const float* x, float* y) {
  const auto& k = kernels();
  if (row.act == Act::relu) return k.relu(n, x, y);
  if (row.act == Act::sigmoid) return k.sigmoid(n, x, y);
  if (row.act == Act::tanh) return k.tanh(n, x, y);
  k.activate(row.act, row.slope, n, x, y);
}

// The values a row joins, one after another; a number is `lanes` floats.
inline void join_all(const Graph& form, const Row& row, size_t lanes, const float* arena, float* y) {
  size_t filled = 0;
  for (size_t i = 0; i < row.from.size(); ++i) {
    const size_t n = form.size_of(row.from[i]) * lanes, at = row.at[i] * lanes;
    std::memset(y + filled, 0, (at - filled) * sizeof(float));
    std::memcpy(y + at, arena + form.place_of(row.from[i]), n * sizeof(float));
    filled = at + n;
  }
  std::memset(y + filled, 0, (row.out_size * lanes - filled) * sizeof(float));
}

}  // namespace lenet
