// How a batch enters a plan: rows of bytes or floats, or lanes, into what the rows take; warped on the way if asked
// to. Plain code at baseline: an augmented image is the same on every ISA level.
#include <cmath>
#include <cstring>

#include "layout.h"
#include "plan.h"
#include "plan_run.h"

namespace lenet {

// The padding around one group's images.
static void zero_border(const Conv& c, size_t lanes, float* frame) {
  const size_t row = size_t(c.Wp) * lanes, left = size_t(c.pl) * lanes, right = size_t(c.pr) * lanes;
  auto zero = [](float* at, size_t n) { std::memset(at, 0, n * sizeof(float)); };
  for (int ch = 0; ch < c.C; ++ch, frame += row * c.Hp) {
    zero(frame, row * c.pt + left);
    for (int y = 1; y < c.H; ++y)
      zero(frame + row * (c.pt + y) - right, right + left);  // one row's end, the next one's start
    zero(frame + row * (c.pt + c.H) - right, right + row * c.pb);
  }
}

// One group's input, into its entry's padded frame or to the arena's start.
void Plan::load(const Graph& form, const Kernels<float>& k, const Source& source, const int64_t* indices, size_t n,
                int g, float* arena) const {
  const int lanes = k.lanes;
  int C = 1, H = 1, W = int(form.in_size), Hp = 1, Wp = W, top = 0, left = 0;
  float* out = arena;
  if (form.framed()) {
    const Row& entry = form.rows[size_t(form.entry)];
    const Conv& c = entry.conv;
    C = c.C, H = c.H, W = c.W, Hp = c.Hp, Wp = c.Wp, top = c.pt, left = c.pl;
    out = arena + entry.frame;
    zero_border(c, size_t(lanes), out);
  }
  const size_t in_size = form.in_size;
  const size_t start = size_t(g) * lanes;
  size_t rows[kLanes];
  for (size_t l = 0; l < size_t(lanes); ++l) {  // pad lanes repeat the last sample: finite, and masked in the loss
    size_t at = start + l < n ? start + l : n - 1;
    rows[l] = (indices ? size_t(indices[at]) : at) * in_size;
  }
  if (source.warps) return load_warped(form.rows[size_t(form.entry)].conv, lanes, source, rows, start, n, out);
  if (source.bytes) {
    const uint8_t* images[kLanes];
    for (int ch = 0; ch < C; ++ch) {
      for (int l = 0; l < lanes; ++l) images[l] = source.bytes + rows[l] + size_t(ch) * H * W;
      float* to = out + ((size_t(ch) * Hp + top) * Wp + left) * lanes;
      k.bytes_to_lanes(images, source.lut, H, W, to, size_t(Wp) * lanes);
    }
    return;
  }
  size_t f = 0;
  for (int ch = 0; ch < C; ++ch)
    for (int y = 0; y < H; ++y) {
      float* to = out + ((size_t(ch) * Hp + y + top) * Wp + left) * lanes;
      if (source.lanes) {
        from_full(size_t(W), lanes, g, in_size, f, source.lanes, to);
        f += size_t(W);
        continue;
      }
      for (int x = 0; x < W; ++x, ++f, to += lanes)
        for (int l = 0; l < lanes; ++l) to[l] = source.floats[rows[l] + f];
    }
}

namespace {

struct Plane {  // one channel of an image, as floats
  const float* pixels;
  int H, W;
  float outside;
  float at(int y, int x) const { return y >= 0 && y < H && x >= 0 && x < W ? pixels[y * W + x] : outside; }
};

// A whole shift: copies. `to` has `step` numbers from one pixel to the next and `row` from one row to the next.
void shift(const Plane& p, int down, int right, float* to, size_t step, size_t row) {
  for (int y = 0; y < p.H; ++y, to += row)
    for (int x = 0; x < p.W; ++x) to[x * step] = p.at(y - down, x - right);
}

void warp(const Plane& p, const float* m, float* to, size_t step, size_t row) {
  for (int y = 0; y < p.H; ++y, to += row) {
    const float x0 = m[1] * float(y) + m[2], y0 = m[4] * float(y) + m[5];
    for (int x = 0; x < p.W; ++x) {
      // Clamped first: a pixel that far outside is outside, and the conversion to int must not overflow.
      const float sx = std::fmin(std::fmax(m[0] * float(x) + x0, -2.0f), float(p.W + 1));
      const float sy = std::fmin(std::fmax(m[3] * float(x) + y0, -2.0f), float(p.H + 1));
      const int ix = int(sx + 4.0f) - 4, iy = int(sy + 4.0f) - 4;  // floor
      const float fx = sx - float(ix), fy = sy - float(iy);
      float a, b, c, d;
      if (ix >= 0 && iy >= 0 && ix + 1 < p.W && iy + 1 < p.H) {
        const float* q = p.pixels + iy * p.W + ix;
        a = q[0], b = q[1], c = q[p.W], d = q[p.W + 1];
      } else {
        a = p.at(iy, ix), b = p.at(iy, ix + 1), c = p.at(iy + 1, ix), d = p.at(iy + 1, ix + 1);
      }
      const float above = a + fx * (b - a), below = c + fx * (d - c);
      to[x * step] = above + fy * (below - above);
    }
  }
}

}  // namespace

// As load(), each sample warped, for the convolution c, which alone says how the numbers lie as an image.
void Plan::load_warped(const Conv& c, int lanes, const Source& source, const size_t* rows, size_t start, size_t n,
                       float* out) const {
  const size_t in_size = c.in_size();
  const int Hp = c.padded() ? c.Hp : c.H, Wp = c.padded() ? c.Wp : c.W, top = c.pt, left = c.pl;
  float* pixels = static_cast<float*>(scratch(7, in_size * sizeof(float)));
  for (int l = 0; l < lanes; ++l) {
    const float* m = source.warps + 6 * (start + l < n ? start + l : n - 1);
    const bool whole =
        m[0] == 1 && m[1] == 0 && m[3] == 0 && m[4] == 1 && m[2] == float(int(m[2])) && m[5] == float(int(m[5]));
    const uint8_t* image = source.bytes + rows[l];
    for (size_t f = 0; f < in_size; ++f) pixels[f] = source.lut[image[f]];
    for (int ch = 0; ch < c.C; ++ch) {
      const Plane plane{pixels + size_t(ch) * c.H * c.W, c.H, c.W, source.lut[0]};
      float* to = out + ((size_t(ch) * Hp + top) * Wp + left) * lanes + l;
      if (whole)
        shift(plane, -int(m[5]), -int(m[2]), to, lanes, size_t(Wp) * lanes);
      else
        warp(plane, m, to, lanes, size_t(Wp) * lanes);
    }
  }
}

}  // namespace lenet
