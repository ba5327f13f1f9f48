// Operations over whole batches: see engine.h.
#include "engine.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "layout.h"
#include "memory.h"
#include "moments.h"
#include "pool.h"

namespace lenet {

template <>
const Kernels<float>& table<float>() {
  return kernels();
}
template <>
const Kernels<double>& table<double>() {
  return reference_kernels_f64();
}

// A dilated or grouped convolution runs on the plain loops.
template <class T>
static const Kernels<T>& conv_table(const Conv& c);
template <>
const Kernels<float>& conv_table<float>(const Conv& c) {
  return c.plain() ? kernels() : reference_kernels();
}
template <>
const Kernels<double>& conv_table<double>(const Conv&) {
  return reference_kernels_f64();
}

template <class T>
static T* scratch_of(int slot, size_t count) {
  return static_cast<T*>(scratch(slot, count * sizeof(T)));
}

// ---- operations ----------------------------------------------------------------------------------------------------

template <class T>
void conv_forward(const Conv& c, int n, const T* x, const T* w, const T* b, T* y) {
  const auto& k = conv_table<T>(c);
  over_shards(groups_of(n), [&](int, int g0, int g1) {
    T* packed = scratch_of<T>(0, packed_size(c));
    T* room = scratch_of<T>(2, k.conv_room(c));
    k.conv_pack(c, w, packed);
    T* frame = c.padded() ? scratch_of<T>(1, c.frame_size() * L) : nullptr;
    for (int g = g0; g < g1; ++g) {
      const T* xg = x + size_t(g) * c.in_size() * L;
      if (frame) pad_group(c, xg, frame);
      k.conv_forward(c, frame ? frame : xg, packed, b, false, y + size_t(g) * c.out_size() * L, room);
    }
  });
}

template <class T>
void conv_backward(const Conv& c, int n, const T* x, const T* w, const T* dy, T* dx, T* dw, T* db) {
  const auto& k = conv_table<T>(c);
  const int groups = groups_of(n), shards = shards_of(groups);
  const size_t weights = packed_dw_size(c), partial = weights + c.K;
  std::vector<T> sums(dw || db ? partial * shards : 0, T(0));
  over_shards(groups, [&](int s, int g0, int g1) {
    T* dframe = scratch_of<T>(0, dy_frame_size(c) * L);
    T* frame = c.padded() && (dw || db) ? scratch_of<T>(1, c.frame_size() * L) : nullptr;
    T* packed = dx ? scratch_of<T>(2, packed_size(c)) : nullptr;
    T* room = scratch_of<T>(3, k.conv_room(c));
    if (dx) k.conv_pack_dx(c, w, packed);
    for (int g = g0; g < g1; ++g) {
      frame_group(c, dy + size_t(g) * c.out_size() * L, dframe);
      if (dw || db) {
        const T* xg = x + size_t(g) * c.in_size() * L;
        if (frame) pad_group(c, xg, frame);
        T* to = sums.data() + partial * s;
        k.conv_dw(c, frame ? frame : xg, dframe, to, db ? to + weights : nullptr, room);
      }
      if (dx) k.conv_dx(c, dframe, packed, dx + size_t(g) * c.in_size() * L, room);
    }
  });
  if (!(dw || db)) return;
  for (int s = 1; s < shards; ++s) table<T>().add(partial, sums.data(), sums.data() + partial * s, sums.data());
  if (dw) k.conv_unpack_dw(c, sums.data(), dw);
  if (db) std::memcpy(db, sums.data() + weights, c.K * sizeof(T));
}

template <class T>
void max_pool_forward(const Pool& p, int n, const T* x, T* y, int32_t* winner) {
  over_groups(groups_of(n), [&](int g) {
    table<T>().max_pool(p, x + g * p.in_size() * L, y + g * p.out_size() * L, winner + g * p.out_size() * L);
  });
}
template <class T>
void max_pool_backward(const Pool& p, int n, const T* dy, const int32_t* winner, T* dx) {
  over_groups(groups_of(n), [&](int g) {
    table<T>().max_pool_dx(p, dy + g * p.out_size() * L, winner + g * p.out_size() * L, dx + g * p.in_size() * L);
  });
}
template <class T>
void avg_pool_forward(const Pool& p, int n, const T* x, T* y) {
  over_groups(groups_of(n), [&](int g) { table<T>().avg_pool(p, x + g * p.in_size() * L, y + g * p.out_size() * L); });
}
template <class T>
void avg_pool_backward(const Pool& p, int n, const T* dy, T* dx) {
  over_groups(groups_of(n),
              [&](int g) { table<T>().avg_pool_dx(p, dy + g * p.out_size() * L, dx + g * p.in_size() * L); });
}

template <class T>
void linear_forward(int in, int out, int n, const T* x, const T* w, const T* b, T* y) {
  over_groups(groups_of(n),
              [&](int g) { table<T>().linear(in, out, x + size_t(g) * in * L, w, b, false, y + size_t(g) * out * L); });
}

template <class T>
void linear_backward(int in, int out, int n, const T* x, const T* w, const T* dy, T* dx, T* dw, T* db) {
  const int groups = groups_of(n), outp = padded_out(out);
  std::vector<T> dyt(dw || db ? size_t(groups) * L * outp : 0);
  over_groups(groups, [&](int g) {
    const T* dyg = dy + size_t(g) * out * L;
    if (!dyt.empty()) transpose_group(out, dyg, dyt.data() + size_t(g) * L * outp);
    if (dx) table<T>().linear_dx(in, out, dyg, w, dx + size_t(g) * in * L);
  });
  if (dw) {
    constexpr int kRows = 48;
    run((in + kRows - 1) / kRows, [&](int r) {
      int i1 = (r + 1) * kRows < in ? (r + 1) * kRows : in;
      table<T>().linear_dw(in, out, groups, x, size_t(in) * L, dyt.data(), r * kRows, i1, dw);
    });
  }
  if (db) table<T>().linear_db(out, groups, dyt.data(), db);
}

template <class T>
void softmax_forward(int classes, int n, const T* x, T* y) {
  over_groups(groups_of(n),
              [&](int g) { table<T>().softmax(classes, x + size_t(g) * classes * L, y + size_t(g) * classes * L); });
}
template <class T>
void softmax_backward(int classes, int n, const T* y, const T* dy, T* dx) {
  over_groups(groups_of(n), [&](int g) {
    size_t at = size_t(g) * classes * L;
    table<T>().softmax_dx(classes, y + at, dy + at, dx + at);
  });
}
template <class T>
void loss_forward(int classes, int n, const T* x, const T* target, const T* weight, T* loss, T* dx) {
  over_groups(groups_of(n), [&](int g) {
    size_t at = size_t(g) * classes * L;
    table<T>().softmax_loss(classes, x + at, target + at, weight + size_t(g) * L, loss + size_t(g) * L, dx + at);
  });
}

// ---- normalisation -------------------------------------------------------------------------------------------------

template <class T>
void norm_statistics(int C, size_t cells, int n, const T* x, T* mean, T* var) {
  const int groups = groups_of(n);
  const size_t step = 2 * size_t(C);
  std::vector<double> found(step * groups);
  over_groups(groups, [&](int g) {
    double* to = found.data() + step * g;
    table<T>().norm_stats(C, cells, real_lanes(n, g), x + size_t(g) * C * cells * L, to, to + C);
  });
  for (int c = 0; c < C; ++c) join_moments(n, cells, found.data() + c, found.data() + C + c, step, mean + c, var + c);
}
template <class T>
void norm_forward(int C, size_t cells, int n, const T* x, const T* mean, const T* scale, const T* shift, T* y) {
  over_groups(groups_of(n), [&](int g) {
    const size_t at = size_t(g) * C * cells * L;
    table<T>().norm(C, cells * L, x + at, mean, scale, shift, nullptr, false, y + at);
  });
}
template <class T>
void norm_backward(int C, size_t cells, int n, const T* x, const T* dy, const T* mean, const T* var, const T* scale,
                   T epsilon, bool batch, T* dx, T* dw, T* db) {
  const int groups = groups_of(n);
  const size_t step = 2 * size_t(C), size = size_t(C) * cells * L;
  std::vector<double> found(step * groups);
  over_groups(groups, [&](int g) {
    double* to = found.data() + step * g;
    table<T>().norm_sums(C, cells, x + size * g, nullptr, dy + size * g, mean, to, to + C);
  });
  std::vector<T> a(C), b(C);
  for (int c = 0; c < C; ++c)
    join_sums(n, cells, found.data() + c, found.data() + C + c, step, var[c], epsilon, batch, dw + c, db + c, &a[c],
              &b[c]);
  if (!dx) return;
  over_groups(groups, [&](int g) {
    table<T>().norm_dx(C, cells, real_lanes(n, g), x + size * g, nullptr, dy + size * g, mean, scale, a.data(),
                       b.data(), dx + size * g, nullptr);
  });
}

// ---- few images ----------------------------------------------------------------------------------------------------

template <class T>
void few_conv(const Conv& c, int n, const T* x, const T* w, const T* b, T* y) {
  const auto& k = conv_table<T>(c);
  T* packed = scratch_of<T>(0, k.one_packed_size(c));
  k.one_pack(c, w, packed);
  T* frame = c.padded() ? scratch_of<T>(1, c.frame_size() + kSlack) : nullptr;
  for (int i = 0; i < n; ++i, x += c.in_size(), y += c.out_size()) {
    if (frame) pad_image(c, x, frame);
    k.one_conv(c, frame ? frame : x, packed, b, false, false, size_t(c.OH) * c.OW, y);
  }
}
template <class T>
void few_max_pool(const Pool& p, int n, const T* x, T* y) {
  T* room = scratch_of<T>(0, one_pool_room(p));
  for (int i = 0; i < n; ++i) table<T>().one_max_pool(p, x + i * p.in_size(), room, y + i * p.out_size());
}
template <class T>
void few_avg_pool(const Pool& p, int n, const T* x, T* y) {
  T* room = scratch_of<T>(0, one_pool_room(p));
  for (int i = 0; i < n; ++i) table<T>().one_avg_pool(p, x + i * p.in_size(), room, y + i * p.out_size());
}
template <class T>
void few_linear(int in, int out, int n, const T* x, const T* w, const T* b, T* y) {
  constexpr size_t kOften = 1u << 17;  // weights that a cache holds while several images read them
  if (n > 4 && size_t(in) * out > kOften) {
    T *xl = scratch_of<T>(0, size_t(in) * L), *yl = scratch_of<T>(1, size_t(out) * L);
    to_lanes(size_t(n), size_t(in), x, xl);
    linear_forward(in, out, n, xl, w, b, yl);
    return from_lanes(size_t(n), size_t(out), yl, y);
  }
  for (int i = 0; i < n; ++i) table<T>().one_linear(in, out, x + size_t(i) * in, w, b, false, y + size_t(i) * out);
}
template <class T>
void few_softmax(int classes, int n, const T* x, T* y) {
  for (int i = 0; i < n; ++i) table<T>().one_softmax(classes, x + size_t(i) * classes, y + size_t(i) * classes);
}

template <class T>
void few_norm(int C, size_t cells, int n, const T* x, const T* mean, const T* scale, const T* shift, T* y) {
  const size_t size = size_t(C) * cells;
  for (int i = 0; i < n; ++i) table<T>().norm(C, cells, x + size * i, mean, scale, shift, nullptr, false, y + size * i);
}

constexpr size_t kPiece = 16384;  // numbers; smaller arrays aren't worth a second thread

template <class T>
void run_unary(Unary<T> f, size_t n, const T* x, T* y) {
  run(int((n + kPiece - 1) / kPiece), [&](int i) {
    size_t at = i * kPiece;
    f(n - at < kPiece ? n - at : kPiece, x + at, y + at);
  });
}
template <class T>
void run_binary(Binary<T> f, size_t n, const T* a, const T* b, T* y) {
  run(int((n + kPiece - 1) / kPiece), [&](int i) {
    size_t at = i * kPiece;
    f(n - at < kPiece ? n - at : kPiece, a + at, b + at, y + at);
  });
}

AdamStep adam_step(float lr, float beta1, float beta2, float eps, float beta1_pow, float beta2_pow, float l2,
                   float decay) {
  const float root = std::sqrt(1.0f - beta2_pow);
  return {beta1, beta2, lr * root / (1.0f - beta1_pow), eps * root, l2, 1.0f - lr * decay};
}

#define LENET_INSTANTIATE(T)                                                                                          \
  template void conv_forward<T>(const Conv&, int, const T*, const T*, const T*, T*);                                  \
  template void conv_backward<T>(const Conv&, int, const T*, const T*, const T*, T*, T*, T*);                         \
  template void max_pool_forward<T>(const Pool&, int, const T*, T*, int32_t*);                                        \
  template void max_pool_backward<T>(const Pool&, int, const T*, const int32_t*, T*);                                 \
  template void avg_pool_forward<T>(const Pool&, int, const T*, T*);                                                  \
  template void avg_pool_backward<T>(const Pool&, int, const T*, T*);                                                 \
  template void linear_forward<T>(int, int, int, const T*, const T*, const T*, T*);                                   \
  template void linear_backward<T>(int, int, int, const T*, const T*, const T*, T*, T*, T*);                          \
  template void softmax_forward<T>(int, int, const T*, T*);                                                           \
  template void softmax_backward<T>(int, int, const T*, const T*, T*);                                                \
  template void norm_statistics<T>(int, size_t, int, const T*, T*, T*);                                               \
  template void norm_forward<T>(int, size_t, int, const T*, const T*, const T*, const T*, T*);                        \
  template void norm_backward<T>(int, size_t, int, const T*, const T*, const T*, const T*, const T*, T, bool, T*, T*, \
                                 T*);                                                                                 \
  template void few_norm<T>(int, size_t, int, const T*, const T*, const T*, const T*, T*);                            \
  template void loss_forward<T>(int, int, const T*, const T*, const T*, T*, T*);                                      \
  template void few_conv<T>(const Conv&, int, const T*, const T*, const T*, T*);                                      \
  template void few_max_pool<T>(const Pool&, int, const T*, T*);                                                      \
  template void few_avg_pool<T>(const Pool&, int, const T*, T*);                                                      \
  template void few_linear<T>(int, int, int, const T*, const T*, const T*, T*);                                       \
  template void few_softmax<T>(int, int, const T*, T*);                                                               \
  template void run_unary<T>(Unary<T>, size_t, const T*, T*);                                                         \
  template void run_binary<T>(Binary<T>, size_t, const T*, const T*, T*);

LENET_INSTANTIATE(float)
LENET_INSTANTIATE(double)

}  // namespace lenet
