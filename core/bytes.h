// Images of bytes through a table of 256 numbers into lanes: part of kernels.cpp. Sixteen pixels of sixteen images at a
// time: turned, so that a pixel's sixteen bytes lie side by side, then looked up.
#pragma once
#include "kernels.h"
#include "vec.h"

namespace lenet {
namespace {

typedef uint8_t B16 __attribute__((vector_size(16)));

// Four rounds of interleaving row i with row i + 8 turn sixteen rows into sixteen columns.
LENET_INLINE void turn16(B16 (&a)[16]) {
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    B16 b[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      b[2 * i + 1] =
          __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = b[i];
  }
}

void bytes_to_lanes(const uint8_t* const* images, const float* lut, int H, int W, float* y, size_t row) {
  const ByteTable table(lut);
  const int n = H * W;
  int h = 0, w = 0;
  for (int f = 0; f < n; f += 16) {
    const int from = f + 16 <= n || n < 16 ? f : n - 16, many = n - from < 16 ? n - from : 16;
    B16 a[16];
#pragma GCC unroll 16
    for (int l = 0; l < 16; ++l) {
      a[l] = B16{};
      if (l < L && many == 16)
        memcpy(&a[l], images[l] + from, 16);
      else if (l < L)
        memcpy(&a[l], images[l] + from, size_t(many));
    }
    turn16(a);
    alignas(16) uint8_t pixels[16][16];
    memcpy(pixels, a, sizeof a);
    for (int q = f - from; q < many; ++q) {
      float* to = y + h * row + size_t(w) * L;
      for (int s = 0; s < L; s += VW) store(to + s, table.at(pixels[q] + s));
      if (++w == W) w = 0, ++h;
    }
  }
}

}  // namespace
}  // namespace lenet
