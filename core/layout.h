// How a batch lies in memory: groups of L samples, the sample innermost, cut into shards that threads take. Conversions
// from and to a user's order, and the frames that kernels want around one group. Computes nothing. Read by engine, plan
// and the bindings.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels.h"
#include "pool.h"

namespace lenet {

inline int groups_of(int n, int lanes = L) { return (n + lanes - 1) / lanes; }
constexpr int kMostShards = 16;  // a function of the batch alone, never of the number of threads
inline int shards_of(int groups) { return groups < kMostShards ? groups : kMostShards; }

// Calls f(s, g0, g1) for the fixed shards of `groups` groups.
template <class F>
void over_shards(int groups, F f) {
  int shards = shards_of(groups);
  run(shards, [&](int s) { f(s, int(int64_t(groups) * s / shards), int(int64_t(groups) * (s + 1) / shards)); });
}

template <class F>
void over_groups(int groups, F f) {
  over_shards(groups, [&](int, int g0, int g1) {
    for (int g = g0; g < g1; ++g) f(g);
  });
}

template <class T>
void to_lanes(size_t n, size_t features, const T* dense, T* lanes);  // pad lanes become zero
template <class T>
void from_lanes(size_t n, size_t features, const T* lanes, T* dense);
// uint8 rows `indices` of images [count][features] through a 256-entry table into lanes
void gather_lanes(size_t n, size_t features, const uint8_t* images, const int64_t* indices, const float* lut,
                  float* lanes);

// One image [C][H][W] into its padded frame.
template <class T>
void pad_image(const Conv& c, const T* x, T* xp) {
  std::memset(xp, 0, c.frame_size() * sizeof(T));
  for (int ch = 0; ch < c.C; ++ch)
    for (int r = 0; r < c.H; ++r, x += c.W)
      std::memcpy(xp + (size_t(ch) * c.Hp + r + c.pt) * c.Wp + c.pl, x, c.W * sizeof(T));
}

// `rows` rows of a padded image from row `top` of the image on, which may lie in the padding: [C][rows][Wp].
inline void pad_strip(const Conv& c, int top, int rows, const float* x, float* to) {
  for (int ch = 0; ch < c.C; ++ch, x += size_t(c.H) * c.W)
    for (int r = top; r < top + rows; ++r, to += c.Wp) {
      if (r < 0 || r >= c.H) {
        std::memset(to, 0, size_t(c.Wp) * sizeof(float));
        continue;
      }
      std::memset(to, 0, size_t(c.pl) * sizeof(float));
      std::memcpy(to + c.pl, x + size_t(r) * c.W, size_t(c.W) * sizeof(float));
      std::memset(to + c.pl + c.W, 0, size_t(c.pr) * sizeof(float));
    }
}

// Steps shared with the plan, on one group of `lanes` samples.
template <class T>
void pad_group(const Conv& c, const T* x, T* xp, int lanes = L);
template <class T>
void frame_group(const Conv& c, const T* dy, T* dframe, int lanes = L);
template <class T>
void transpose_group(int out, const T* dy, T* dyt, int lanes = L);  // [out][lanes] -> [lanes][outp]
// Each pixel of x [planes][H][W] fh x fw times, and the gradient's way back; a pixel is `lanes` numbers.
template <class T>
void spread(size_t planes, int H, int W, int fh, int fw, size_t lanes, const T* x, T* y);
template <class T>
void spread_dx(size_t planes, int H, int W, int fh, int fw, size_t lanes, const T* dy, T* dx);
inline int padded_out(int out) { return (out + kLanes - 1) / kLanes * kLanes; }

}  // namespace lenet
