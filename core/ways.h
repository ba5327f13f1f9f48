// Which way a convolution takes: by fewer products than its definition has (split.h, winner.h) where its shape allows
// it, else as defined. Part of kernels.cpp: what it puts into the table.
#pragma once
#include "dense.h"
#include "kernels.h"
#include "pooled.h"
#include "product.h"
#include "split.h"
#include "split_dw.h"
#include "vec.h"
#include "winner.h"

namespace lenet {
namespace {

// ---- convolution ---------------------------------------------------------------------------------------------------

// The input's gradient is a convolution of the output's with the turned weights, whose padding is what is missing.
Conv turned(const Conv& c) {
  const int ph = c.kh - 1, pw = c.kw - 1;
  return {c.K,       c.OH,      c.OW, c.C, c.kh, c.kw,     1,        1,   ph - c.pt, ph - c.pb,
          pw - c.pl, pw - c.pr, 1,    1,   1,    c.H + ph, c.W + pw, c.H, c.W};
}
// Not where the dense way, which leaves the padding out, has less to do. The fourth part more: the sums before and
// after.
bool split_dx(const Conv& c) {
  const int products = c.kh == 5 ? kSplitProducts<5> : kSplitProducts<3>;
  const bool shape = c.sh == 1 && c.sw == 1 && c.pt < c.kh && c.pb < c.kh && c.pl < c.kw && c.pr < c.kw;
  return shape && split_suits(turned(c)) && 1.25 * products * products * c.H * c.W < 4.0 * c.kh * c.kw * c.OH * c.OW;
}
size_t turned_frame(const Conv& c) { return turned(c).frame_size() * L; }

// A 1x1 convolution's weights are packed as the dense way's.
void conv_pack(const Conv& c, const float* w, float* packed) {
  if (!split_suits(c)) return dense_pack(c, w, packed);
  c.kh == 5 ? split_pack<5>(c, w, packed) : split_pack<3>(c, w, packed);
}
void conv_pack_dx(const Conv& c, const float* w, float* packed) {
  if (product_suits(c)) return product_pack_dx(c, w, packed);
  if (!split_dx(c)) return dense_pack_dx(c, w, packed);
  const Conv t = turned(c);
  c.kh == 5 ? split_pack<5, true>(t, w, packed) : split_pack<3, true>(t, w, packed);
}
size_t conv_room(const Conv& c) {
  if (product_suits(c)) return product_room(c);
  const size_t forward = split_suits(c) ? split_room(c) : 0,
               back = split_dx(c) ? turned_frame(c) + split_room(turned(c)) : 0;
  const size_t weights = split_dw_suits(c) ? split_dw_room(c) : 0, most = back > forward ? back : forward;
  return weights > most ? weights : most;
}
void conv_forward(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y,
                  float* room) {
  if (product_suits(c)) return product_forward(c, xp, packed, bias, cut, y, room);
  if (!split_suits(c)) return dense_forward(c, xp, packed, bias, cut, y);
  (c.kh == 5 ? split_forward<5> : split_forward<3>)(c, xp, packed, bias, cut, y, nullptr, room);
}
void conv_dw(const Conv& c, const float* xp, const float* dframe, float* dw, float* db, float* room) {
  if (product_suits(c))
    product_dw(c, xp, dframe, dw, room);
  else if (split_dw_suits(c))
    split_dw(c, xp, dframe, dw, room);
  else
    dense_dw(c, xp, dframe, dw);
  if (db) conv_db(c, dframe, db);
}
void conv_unpack_dw(const Conv& c, const float* packed, float* dw) {
  if (product_suits(c))
    memcpy(dw, packed, c.weights() * sizeof(float));
  else
    split_dw_suits(c) ? split_unpack_dw(c, packed, dw) : dense_unpack_dw(c, packed, dw);
}
void conv_dx(const Conv& c, const float* dframe, const float* packed, float* dx, float* room) {
  if (product_suits(c)) return product_dx(c, dframe, packed, dx, room);
  if (!split_dx(c)) return dense_dx(c, dframe, packed, dx);
  const Conv t = turned(c);
  const size_t row = size_t(t.Wp) * L, own = size_t(c.OW) * L;
  float* to = room;
  for (int k = 0; k < c.K; ++k) {
    memset(to, 0, row * t.pt * sizeof(float));
    to += row * t.pt;
    for (int y = 0; y < c.OH; ++y, to += row, dframe += own + 2 * L) {
      memset(to, 0, size_t(t.pl) * L * sizeof(float));
      memcpy(to + size_t(t.pl) * L, dframe + L, own * sizeof(float));
      memset(to + size_t(t.pl) * L + own, 0, size_t(t.pr) * L * sizeof(float));
    }
    memset(to, 0, row * t.pb * sizeof(float));
    to += row * t.pb;
  }
  float* rest = room + turned_frame(c);
  (c.kh == 5 ? split_forward<5> : split_forward<3>)(t, room, packed, nullptr, false, dx, nullptr, rest);
}

double tiles_of(int rows, int columns) { return double((rows + 1) / 2) * ((columns + 1) / 2); }
double split_products_of(const Conv& c) {
  const int products = c.kh == 5 ? kSplitProducts<5> : kSplitProducts<3>;
  return tiles_of(c.OH, c.OW) * products * products * c.C * c.K;
}
// How many of `n` windows' taps lie in an image of `size`, not in the padding.
double taps_inside(int n, int kernel, int step, int pad, int size) {
  int inside = 0;
  for (int o = 0; o < n; ++o)
    for (int i = 0; i < kernel; ++i) inside += o * step + i >= pad && o * step + i - pad < size;
  return inside;
}

// ---- and 2x2 maximum ----------------------------------------------------------------------------------------------

void pooled_pack(const Conv& c, const float* w, float* packed) { conv_pack(c, w, packed); }
bool winner_dx_suits(const Conv& c) { return winner_suits(c) && c.kh == 5; }

void pooled_pack_dx(const Conv& c, const float* w, float* packed) {
  winner_dx_suits(c) ? winner_pack_dx(c, w, packed) : conv_pack_dx(c, w, packed);
}
void pooled_unpack_dw(const Conv& c, const float* packed, float* dw) {
  if (!winner_suits(c)) return conv_unpack_dw(c, packed, dw);
  c.kh == 5 ? winner_unpack_dw<5>(c, packed, dw) : winner_unpack_dw<3>(c, packed, dw);
}
size_t pooled_room(const Conv& c) {
  const size_t forward = conv_room(c), back = (winner_suits(c) ? winner_room(c) : 0) +
                                              (winner_dx_suits(c) ? 0 : dy_frame_size(c) * L + conv_room(c));
  return back > forward ? back : forward;
}

void pooled_forward(const Conv& c, const float* xp, const float* packed, const float* bias, bool cut, float* y,
                    uint8_t* winner, float* room) {
  if (!split_suits(c)) return dense_pooled(c, xp, packed, bias, cut, y, winner);
  (c.kh == 5 ? split_forward<5> : split_forward<3>)(c, xp, packed, bias, cut, y, winner, room);
}

void pooled_backward(const Conv& c, const float* xp, const float* dy, const uint8_t* winner, bool cut,
                     const float* packed_dx, float* dw, float* db, float* dx, float* room) {
  if (winner_suits(c)) {
    float* own = winner_dx_suits(c) ? dx : nullptr;
    if (dw || own)
      (c.kh == 5 ? winner_backward<5> : winner_backward<3>)(c, xp, dy, winner, cut, packed_dx, dw, db, own, room);
    if (own || !dx) return;
    room += winner_room(c);
  }
  unpool(c, dy, winner, room);
  if (dw && !winner_suits(c)) conv_dw(c, xp, room, dw, db, room + dy_frame_size(c) * L);
  if (dx) conv_dx(c, room, packed_dx, dx, room + dy_frame_size(c) * L);
}

// See kernels.h; additions, choices and picks aren't counted.
void conv_products(const Conv& c, bool pooled, double* forward, double* dw, double* dx) {
  const double dense = c.products(), tiles = double(c.OH / 2) * (c.OW / 2) * c.C * c.K;
  const bool split = !product_suits(c) && split_suits(c);
  *forward = split ? split_products_of(c) : dense;
  if (pooled && winner_suits(c))
    *dw = tiles * c.kh * c.kw;
  else
    *dw = !product_suits(c) && split_dw_suits(c) ? 16 * tiles : dense;
  if (pooled && winner_dx_suits(c))
    *dx = tiles * kReach * kReach;
  else if (product_suits(c) || !split_dx(c))
    *dx = taps_inside(c.OH, c.kh, c.sh, c.pt, c.H) * taps_inside(c.OW, c.kw, c.sw, c.pl, c.W) * c.C * c.K;
  else
    *dx = split_products_of(turned(c));
}

}  // namespace
}  // namespace lenet
