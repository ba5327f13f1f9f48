// Conversions between a user's order and lanes, and the frames around one group: see layout.h.
#include "layout.h"

namespace lenet {

template <class T>
void to_lanes(size_t n, size_t features, const T* dense, T* lanes) {
  over_groups(groups_of(int(n)), [&](int g) {
    size_t first = size_t(g) * L, real = n - first < size_t(L) ? n - first : L;
    T* out = lanes + size_t(g) * features * L;
    for (size_t f = 0; f < features; ++f, out += L) {
      for (size_t l = 0; l < real; ++l) out[l] = dense[(first + l) * features + f];
      for (size_t l = real; l < size_t(L); ++l) out[l] = T(0);
    }
  });
}

template <class T>
void from_lanes(size_t n, size_t features, const T* lanes, T* dense) {
  over_groups(groups_of(int(n)), [&](int g) {
    size_t first = size_t(g) * L, real = n - first < size_t(L) ? n - first : L;
    const T* in = lanes + size_t(g) * features * L;
    for (size_t l = 0; l < real; ++l)
      for (size_t f = 0; f < features; ++f) dense[(first + l) * features + f] = in[f * L + l];
  });
}

void gather_lanes(size_t n, size_t features, const uint8_t* images, const int64_t* indices, const float* lut,
                  float* lanes) {
  over_groups(groups_of(int(n)), [&](int g) {
    const uint8_t* rows[L];
    size_t first = size_t(g) * L;
    for (size_t l = 0; l < size_t(L); ++l)  // pad lanes repeat the last real sample: finite, and masked in the loss
      rows[l] = images + size_t(indices[first + l < n ? first + l : n - 1]) * features;
    kernels().bytes_to_lanes(rows, lut, 1, int(features), lanes + size_t(g) * features * L, 0);
  });
}

template <class T>
void pad_group(const Conv& c, const T* x, T* xp, int lanes) {
  const size_t row = size_t(c.W) * lanes, prow = size_t(c.Wp) * lanes;
  for (int ch = 0; ch < c.C; ++ch) {
    std::memset(xp, 0, prow * c.pt * sizeof(T));
    xp += prow * c.pt;
    for (int y = 0; y < c.H; ++y, x += row, xp += prow) {
      std::memset(xp, 0, size_t(c.pl) * lanes * sizeof(T));
      std::memcpy(xp + size_t(c.pl) * lanes, x, row * sizeof(T));
      std::memset(xp + size_t(c.pl + c.W) * lanes, 0, size_t(c.pr) * lanes * sizeof(T));
    }
    std::memset(xp, 0, prow * c.pb * sizeof(T));
    xp += prow * c.pb;
  }
}

template <class T>
void frame_group(const Conv& c, const T* dy, T* dframe, int lanes) {
  const size_t row = size_t(c.OW) * lanes;
  for (int r = 0; r < c.K * c.OH; ++r, dy += row) {
    std::memset(dframe, 0, size_t(lanes) * sizeof(T));
    std::memcpy(dframe + lanes, dy, row * sizeof(T));
    std::memset(dframe + lanes + row, 0, size_t(lanes) * sizeof(T));
    dframe += row + 2 * lanes;
  }
}

template <class T>
void transpose_group(int out, const T* dy, T* dyt, int lanes) {
  const int outp = padded_out(out);
  for (int l = 0; l < lanes; ++l, dyt += outp) {
    for (int o = 0; o < out; ++o) dyt[o] = dy[size_t(o) * lanes + l];
    for (int o = out; o < outp; ++o) dyt[o] = T(0);
  }
}

template <class T>
void spread(size_t planes, int H, int W, int fh, int fw, size_t lanes, const T* x, T* y) {
  const size_t row = size_t(W) * fw * lanes;
  for (size_t r = 0; r < planes * H; ++r, y += row * fh) {
    T* to = y;
    for (int w = 0; w < W; ++w, x += lanes)
      for (int j = 0; j < fw; ++j, to += lanes)
        for (size_t l = 0; l < lanes; ++l) to[l] = x[l];
    for (int i = 1; i < fh; ++i) std::memcpy(y + row * i, y, row * sizeof(T));
  }
}

template <class T>
void spread_dx(size_t planes, int H, int W, int fh, int fw, size_t lanes, const T* dy, T* dx) {
  const size_t row = size_t(W) * fw * lanes;
  for (size_t r = 0; r < planes * H; ++r, dy += row * fh)
    for (int w = 0; w < W; ++w, dx += lanes) {
      const T* from = dy + size_t(w) * fw * lanes;
      for (size_t l = 0; l < lanes; ++l) dx[l] = from[l];
      for (int q = 1; q < fh * fw; ++q)
        for (size_t l = 0; l < lanes; ++l) dx[l] += from[row * size_t(q / fw) + size_t(q % fw) * lanes + l];
    }
}

#define LENET_INSTANTIATE(T)                                                 \
  template void to_lanes<T>(size_t, size_t, const T*, T*);                   \
  template void from_lanes<T>(size_t, size_t, const T*, T*);                 \
  template void pad_group<T>(const Conv&, const T*, T*, int);                \
  template void frame_group<T>(const Conv&, const T*, T*, int);              \
  template void transpose_group<T>(int, const T*, T*, int);                  \
  template void spread<T>(size_t, int, int, int, int, size_t, const T*, T*); \
  template void spread_dx<T>(size_t, int, int, int, int, size_t, const T*, T*);

LENET_INSTANTIATE(float)
LENET_INSTANTIATE(double)

}  // namespace lenet
