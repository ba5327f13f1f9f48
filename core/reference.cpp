// The same kernels as plain loops, for float and double: the oracle of every fast kernel, the fallback on a CPU without
// SIMD levels, the only road for dilated and grouped convolutions, and the file to read first.
// It is not fast and doesn't try to be. Shapes and rules: kernels.h.
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels.h"
#include "reference_maps.h"

namespace lenet {
namespace {

template <class T, int L>
struct Reference : ReferenceMaps<T, L> {
  using Clip = typename Kernels<T>::Clip;

  // ---- convolution: y[k][oy][ox] = b[k] + sum over c, i, j of x[c][oy*sh + i*dh][ox*sw + j*dw] * w[k][c][i][j]
  static void copy_weights(const Conv& c, const T* w, T* packed) { std::memcpy(packed, w, c.weights() * sizeof(T)); }

  // Calls f(index of w, index of xp, index of y) for every product of a convolution, in the order of w.
  template <class F>
  static void products(const Conv& c, int k, int oy, int ox, F f) {
    const int per_group = c.C / c.groups, first = k / (c.K / c.groups) * per_group;
    for (int ch = 0; ch < per_group; ++ch)
      for (int i = 0; i < c.kh; ++i)
        for (int j = 0; j < c.kw; ++j)
          f(((size_t(k) * per_group + ch) * c.kh + i) * c.kw + j,
            ((size_t(first + ch) * c.Hp + oy * c.sh + i * c.dh) * c.Wp + ox * c.sw + j * c.dw) * L);
  }

  static void conv_forward(const Conv& c, const T* xp, const T* w, const T* bias, bool cut, T* y, T*) {
    for (int k = 0; k < c.K; ++k)
      for (int oy = 0; oy < c.OH; ++oy)
        for (int ox = 0; ox < c.OW; ++ox, y += L)
          for (int l = 0; l < L; ++l) {
            T sum = bias ? bias[k] : T(0);
            products(c, k, oy, ox, [&](size_t wi, size_t xi) { sum += xp[xi + l] * w[wi]; });
            y[l] = cut && sum < 0 ? T(0) : sum;
          }
  }

  static T conv_at(const Conv& c, const T* xp, const T* w, const T* bias, int k, int oy, int ox, int l) {
    T sum = bias ? bias[k] : T(0);
    products(c, k, oy, ox, [&](size_t wi, size_t xi) { sum += xp[xi + l] * w[wi]; });
    return sum;
  }

  static void pooled_forward(const Conv& c, const T* xp, const T* w, const T* bias, bool cut, T* y, uint8_t* winner,
                             T*) {
    for (int k = 0; k < c.K; ++k)
      for (int oy = 0; oy < c.OH; oy += 2)
        for (int ox = 0; ox < c.OW; ox += 2, y += L, winner += L)
          for (int l = 0; l < L; ++l) {
            T best = conv_at(c, xp, w, bias, k, oy, ox, l);
            int at = 0;
            for (int q = 1; q < 4; ++q) {
              T v = conv_at(c, xp, w, bias, k, oy + q / 2, ox + q % 2, l);
              if (v > best || v != v) best = v, at = q;
            }
            y[l] = cut && best < 0 ? T(0) : best;
            winner[l] = uint8_t(cut && best <= 0 ? 4 : at);
          }
  }

  static const T* frame_at(const Conv& c, const T* dframe, int k, int oy, int ox) {
    return dframe + ((size_t(k) * c.OH + oy) * (c.OW + 2) + 1 + ox) * L;
  }

  static void conv_dw(const Conv& c, const T* xp, const T* dframe, T* dw, T* db, T*) {
    for (int k = 0; k < c.K; ++k)
      for (int oy = 0; oy < c.OH; ++oy)
        for (int ox = 0; ox < c.OW; ++ox) {
          const T* d = frame_at(c, dframe, k, oy, ox);
          products(c, k, oy, ox, [&](size_t wi, size_t xi) {
            for (int l = 0; l < L; ++l) dw[wi] += xp[xi + l] * d[l];
          });
          for (int l = 0; db && l < L; ++l) db[k] += d[l];
        }
  }

  // Where in x the number at xi of xp is; null in the padding.
  static T* unframed(const Conv& c, size_t xi, T* x) {
    const size_t cell = xi / L, row = cell / c.Wp;
    const int at = int(cell % c.Wp) - c.pl, y = int(row % c.Hp) - c.pt, ch = int(row / c.Hp);
    return at < 0 || at >= c.W || y < 0 || y >= c.H ? nullptr : x + ((size_t(ch) * c.H + y) * c.W + at) * L;
  }

  static void conv_dx(const Conv& c, const T* dframe, const T* w, T* dx, T*) {
    std::memset(dx, 0, c.in_size() * L * sizeof(T));
    for (int k = 0; k < c.K; ++k)
      for (int oy = 0; oy < c.OH; ++oy)
        for (int ox = 0; ox < c.OW; ++ox) {
          const T* d = frame_at(c, dframe, k, oy, ox);
          products(c, k, oy, ox, [&](size_t wi, size_t xi) {
            T* out = unframed(c, xi, dx);
            for (int l = 0; out && l < L; ++l) out[l] += d[l] * w[wi];
          });
        }
  }

  // The gradient of each maximum goes to its winner alone.
  static void pooled_backward(const Conv& c, const T* xp, const T* dy, const uint8_t* winner, bool, const T* w, T* dw,
                              T* db, T* dx, T*) {
    if (dx) std::memset(dx, 0, c.in_size() * L * sizeof(T));
    for (int k = 0; k < c.K; ++k)
      for (int oy = 0; oy < c.OH; oy += 2)
        for (int ox = 0; ox < c.OW; ox += 2, dy += L, winner += L)
          for (int l = 0; l < L; ++l) {
            if (winner[l] == 4) continue;
            if (db) db[k] += dy[l];
            products(c, k, oy + winner[l] / 2, ox + winner[l] % 2, [&](size_t wi, size_t xi) {
              if (dw) dw[wi] += xp[xi + l] * dy[l];
              if (T* out = dx ? unframed(c, xi, dx) : nullptr) out[l] += dy[l] * w[wi];
            });
          }
  }
  static size_t no_room(const Conv&) { return 0; }
  static void conv_products(const Conv& c, bool, double* forward, double* dw, double* dx) {
    *forward = *dw = *dx = c.products();
  }

  static void bytes_to_lanes(const uint8_t* const* images, const T* table, int H, int W, T* y, size_t row) {
    for (int h = 0; h < H; ++h)
      for (int w = 0; w < W; ++w)
        for (int l = 0; l < L; ++l) y[h * row + size_t(w) * L + l] = table[images[l][h * W + w]];
  }

  // ---- pooling; f(h, w) for every real cell of a window
  template <class F>
  static void cells(const Pool& p, int oy, int ox, F f) {
    for (int i = 0; i < p.kh; ++i)
      for (int j = 0; j < p.kw; ++j) {
        int h = oy * p.sh - p.pt + i, w = ox * p.sw - p.pl + j;
        if (h >= 0 && h < p.H && w >= 0 && w < p.W) f(h, w);
      }
  }

  static void max_pool(const Pool& p, const T* x, T* y, int32_t* winner) {
    for (int c = 0; c < p.C; ++c, x += size_t(p.H) * p.W * L)
      for (int oy = 0; oy < p.OH; ++oy)
        for (int ox = 0; ox < p.OW; ++ox, y += L, winner += L)
          for (int l = 0; l < L; ++l) {
            T best = 0;
            int at = -1;
            cells(p, oy, ox, [&](int h, int w) {
              T v = x[(size_t(h) * p.W + w) * L + l];
              if (at < 0 || v > best || v != v) best = v, at = h * p.W + w;
            });
            y[l] = best, winner[l] = at;
          }
  }

  static void max_pool_dx(const Pool& p, const T* dy, const int32_t* winner, T* dx) {
    std::memset(dx, 0, p.in_size() * L * sizeof(T));
    for (int c = 0; c < p.C; ++c, dx += size_t(p.H) * p.W * L)
      for (int o = 0; o < p.OH * p.OW; ++o, dy += L, winner += L)
        for (int l = 0; l < L; ++l) dx[size_t(winner[l]) * L + l] += dy[l];
  }

  static T count(const Pool& p, int oy, int ox) {
    if (p.divisor) return T(p.divisor);
    int real = 0, all = 0;
    for (int i = 0; i < p.kh; ++i)
      for (int j = 0; j < p.kw; ++j) {
        int h = oy * p.sh - p.pt + i, w = ox * p.sw - p.pl + j;
        real += h >= 0 && h < p.H && w >= 0 && w < p.W;
        all += h < p.H + p.pb && w < p.W + p.pr;
      }
    return T(p.exclusive ? real : all);
  }

  static void avg_pool(const Pool& p, const T* x, T* y) {
    for (int c = 0; c < p.C; ++c, x += size_t(p.H) * p.W * L)
      for (int oy = 0; oy < p.OH; ++oy)
        for (int ox = 0; ox < p.OW; ++ox, y += L)
          for (int l = 0; l < L; ++l) {
            T sum = 0;
            cells(p, oy, ox, [&](int h, int w) { sum += x[(size_t(h) * p.W + w) * L + l]; });
            y[l] = sum / count(p, oy, ox);
          }
  }

  static void avg_pool_dx(const Pool& p, const T* dy, T* dx) {
    std::memset(dx, 0, p.in_size() * L * sizeof(T));
    for (int c = 0; c < p.C; ++c, dx += size_t(p.H) * p.W * L)
      for (int oy = 0; oy < p.OH; ++oy)
        for (int ox = 0; ox < p.OW; ++ox, dy += L) {
          T n = count(p, oy, ox);
          cells(p, oy, ox, [&](int h, int w) {
            for (int l = 0; l < L; ++l) dx[(size_t(h) * p.W + w) * L + l] += dy[l] / n;
          });
        }
  }

  // ---- elementwise
  static void relu(size_t n, const T* x, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? T(0) : x[i];
  }
  static void relu_dx(size_t n, const T* y, const T* dy, T* dx) {
    for (size_t i = 0; i < n; ++i) dx[i] = y[i] > 0 ? dy[i] : T(0);
  }
  static void sigmoid(size_t n, const T* x, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? std::exp(x[i]) / (1 + std::exp(x[i])) : 1 / (1 + std::exp(-x[i]));
  }
  static void sigmoid_dx(size_t n, const T* y, const T* dy, T* dx) {
    for (size_t i = 0; i < n; ++i) dx[i] = dy[i] * y[i] * (1 - y[i]);
  }
  static void tanh(size_t n, const T* x, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = std::tanh(x[i]);
  }
  static void tanh_dx(size_t n, const T* y, const T* dy, T* dx) {
    for (size_t i = 0; i < n; ++i) dx[i] = dy[i] * (1 - y[i] * y[i]);
  }
  static void add(size_t n, const T* a, const T* b, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
  }
  static void add_cut(size_t n, const T* a, const T* b, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = a[i] + b[i] < 0 ? T(0) : a[i] + b[i];
  }
  static void mul(size_t n, const T* a, const T* b, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
  }
  static void scale(size_t n, T factor, const T* x, T* y) {
    for (size_t i = 0; i < n; ++i) y[i] = x[i] * factor;
  }

  // ---- linear: y[o] = b[o] + sum over i of x[i] * w[i][o]
  static void linear(int in, int out, const T* x, const T* w, const T* b, bool cut, T* y) {
    for (int o = 0; o < out; ++o)
      for (int l = 0; l < L; ++l) {
        T sum = b ? b[o] : T(0);
        for (int i = 0; i < in; ++i) sum += x[size_t(i) * L + l] * w[size_t(i) * out + o];
        y[size_t(o) * L + l] = cut && sum < 0 ? T(0) : sum;
      }
  }
  static void linear_dx(int in, int out, const T* dy, const T* w, T* dx) {
    for (int i = 0; i < in; ++i)
      for (int l = 0; l < L; ++l) {
        T sum = 0;
        for (int o = 0; o < out; ++o) sum += dy[size_t(o) * L + l] * w[size_t(i) * out + o];
        dx[size_t(i) * L + l] = sum;
      }
  }
  static void linear_dw(int, int out, int groups, const T* x, size_t stride, const T* dyt, int i0, int i1, T* dw) {
    const int outp = (out + kLanes - 1) / kLanes * kLanes;
    for (int i = i0; i < i1; ++i)
      for (int o = 0; o < out; ++o) {
        T sum = 0;
        for (int n = 0; n < groups * L; ++n)
          sum += x[n / L * stride + size_t(i) * L + n % L] * dyt[size_t(n) * outp + o];
        dw[size_t(i) * out + o] = sum;
      }
  }
  static void linear_db(int out, int groups, const T* dyt, T* db) {
    const int outp = (out + kLanes - 1) / kLanes * kLanes;
    for (int o = 0; o < out; ++o) {
      db[o] = 0;
      for (int n = 0; n < groups * L; ++n) db[o] += dyt[size_t(n) * outp + o];
    }
  }

  // ---- softmax and its loss, lane by lane
  static void softmax(int C, const T* x, T* y) {
    for (int l = 0; l < L; ++l) {
      T top = x[l], sum = 0;
      for (int c = 1; c < C; ++c) {
        T v = x[size_t(c) * L + l];
        if (v > top || v != v) top = v;
      }
      for (int c = 0; c < C; ++c) {
        T z = x[size_t(c) * L + l] - top;
        sum += y[size_t(c) * L + l] = std::exp(z < -64 ? T(-64) : z);
      }
      for (int c = 0; c < C; ++c) y[size_t(c) * L + l] /= sum;
    }
  }
  static void softmax_dx(int C, const T* y, const T* dy, T* dx) {
    for (int l = 0; l < L; ++l) {
      T dot = 0;
      for (int c = 0; c < C; ++c) dot += y[size_t(c) * L + l] * dy[size_t(c) * L + l];
      for (int c = 0; c < C; ++c) dx[size_t(c) * L + l] = y[size_t(c) * L + l] * (dy[size_t(c) * L + l] - dot);
    }
  }
  static void softmax_loss(int C, const T* x, const T* target, const T* weight, T* loss, T* dx) {
    for (int l = 0; l < L; ++l) {
      T top = x[l], sum = 0, mass = 0, total = 0;
      for (int c = 1; c < C; ++c) {
        T v = x[size_t(c) * L + l];
        if (v > top || v != v) top = v;
      }
      auto clamped = [&](int c) {
        T z = x[size_t(c) * L + l] - top;
        return z < -64 ? T(-64) : z;
      };
      for (int c = 0; c < C; ++c) sum += std::exp(clamped(c));
      for (int c = 0; c < C; ++c) {
        T t = target[size_t(c) * L + l];
        mass += t;
        if (t != 0) total += t * (std::log(sum) - clamped(c));
      }
      for (int c = 0; c < C; ++c)
        dx[size_t(c) * L + l] =
            weight[l] != 0 ? weight[l] * (mass * std::exp(clamped(c)) / sum - target[size_t(c) * L + l]) : T(0);
      loss[l] = weight[l] != 0 ? weight[l] * total : T(0);
    }
  }

  // One cell after another, each as softmax_loss has it.
  static void class_loss(int C, size_t cells, const T* x, const int32_t* label, T smoothing, const T* weight, T* loss,
                         T* dx) {
    std::vector<T> own(size_t(C) * L), target(own.size()), gradient(own.size());
    for (size_t i = 0; i < cells; ++i) {
      for (int c = 0; c < C; ++c)
        for (int l = 0; l < L; ++l) {
          own[size_t(c) * L + l] = x[(c * cells + i) * L + l];
          target[size_t(c) * L + l] = smoothing / T(C) + (label[i * L + l] == c ? 1 - smoothing : T(0));
        }
      softmax_loss(C, own.data(), target.data(), weight + i * L, loss + i * L, gradient.data());
      for (int c = 0; c < C; ++c) std::memcpy(dx + (c * cells + i) * L, gradient.data() + size_t(c) * L, L * sizeof(T));
    }
  }

  // ---- one image
  static size_t one_packed_size(const Conv& c) { return c.weights(); }
  static void one_conv(const Conv& c, const T* xp, const T* w, const T* bias, bool cut, bool pooled, size_t plane,
                       T* y) {
    auto at = [&](int k, int oy, int ox) {
      T sum = bias ? bias[k] : T(0);
      products(c, k, oy, ox, [&](size_t wi, size_t xi) { sum += xp[xi / L] * w[wi]; });
      return sum;
    };
    for (int k = 0; k < c.K; ++k)
      for (int oy = 0; oy < (pooled ? c.OH / 2 : c.OH); ++oy)
        for (int ox = 0; ox < (pooled ? c.OW / 2 : c.OW); ++ox) {
          T v = pooled ? at(k, 2 * oy, 2 * ox) : at(k, oy, ox);
          for (int q = 1; pooled && q < 4; ++q) {
            T other = at(k, 2 * oy + q / 2, 2 * ox + q % 2);
            if (other > v || other != other) v = other;
          }
          y[k * plane + size_t(oy) * (pooled ? c.OW / 2 : c.OW) + ox] = cut && v < 0 ? T(0) : v;
        }
  }
  // The kernels of lanes do it: the image in the first of sixteen lanes, and out of it again.
  template <class F>
  static void in_a_lane(size_t in, size_t out, const T* x, T* y, F f) {
    std::vector<T> xl(in * L), yl(out * L);
    for (size_t i = 0; i < in; ++i) xl[i * L] = x[i];
    f(xl.data(), yl.data());
    for (size_t o = 0; o < out; ++o) y[o] = yl[o * L];
  }
  static void one_max_pool(const Pool& p, const T* x, T*, T* y) {
    in_a_lane(p.in_size(), p.out_size(), x, y, [&](const T* xl, T* yl) {
      std::vector<int32_t> winner(p.out_size() * L);
      max_pool(p, xl, yl, winner.data());
    });
  }
  static void one_avg_pool(const Pool& p, const T* x, T*, T* y) {
    in_a_lane(p.in_size(), p.out_size(), x, y, [&](const T* xl, T* yl) { avg_pool(p, xl, yl); });
  }
  static void one_softmax(int C, const T* x, T* y) {
    in_a_lane(size_t(C), size_t(C), x, y, [&](const T* xl, T* yl) { softmax(C, xl, yl); });
  }
  static void one_linear(int in, int out, const T* x, const T* w, const T* b, bool cut, T* y) {
    for (int o = 0; o < out; ++o) {
      T sum = b ? b[o] : T(0);
      for (int i = 0; i < in; ++i) sum += x[i] * w[size_t(i) * out + o];
      y[o] = cut && sum < 0 ? T(0) : sum;
    }
  }

  // ---- optimizers
  static T clipped(T g, Clip clip) {
    g *= clip.scale;
    return g < clip.lo ? clip.lo : g > clip.hi ? clip.hi : g;
  }
  static T gradient(T g, T p, T l2, Clip clip) {
    g = clipped(g, clip);
    return l2 != 0 ? g + l2 * p : g;
  }
  static void sgd(size_t n, T* p, const T* g, T lr, T l2, Clip clip) {
    for (size_t i = 0; i < n; ++i) p[i] -= lr * gradient(g[i], p[i], l2, clip);
  }
  static void momentum(size_t n, T* p, const T* g, T* v, T lr, T mu, bool nesterov, T l2, Clip clip) {
    for (size_t i = 0; i < n; ++i) {
      T d = gradient(g[i], p[i], l2, clip);
      v[i] = mu * v[i] + d;
      p[i] -= lr * (nesterov ? d + mu * v[i] : v[i]);
    }
  }
  static void adam(size_t n, T* p, const T* g, T* m, T* v, AdamStep a, Clip clip) {
    for (size_t i = 0; i < n; ++i) {
      T d = gradient(g[i], p[i], T(a.l2), clip);
      p[i] *= T(a.decay);
      m[i] = T(a.beta1) * m[i] + T(1.0f - a.beta1) * d;
      v[i] = T(a.beta2) * v[i] + T(1.0f - a.beta2) * (d * d);
      p[i] -= T(a.step) * (m[i] / (std::sqrt(v[i]) + T(a.eps)));
    }
  }
  static double sum_squares(size_t n, const T* x) {
    double total = 0;
    for (size_t i = 0; i < n; ++i) total += double(x[i]) * double(x[i]);
    return total;
  }

  static float multiply_adds(long rounds) {
    T acc[kPeakChains] = {};
    for (long r = 0; r < rounds; ++r)
      for (T& a : acc) a = a * T(0.999) + T(0.001);
    T sum = 0;
    for (T a : acc) sum += a;
    return float(sum);
  }

  static const Kernels<T>* half() {
    if constexpr (L == kLanes) return &Reference<T, kLanes / 2>::table();
    return nullptr;
  }
  static const Kernels<T>& table() {
    static const Kernels<T> kTable = {
        "reference",
        1,
        L,
        half(),
        copy_weights,
        copy_weights,
        copy_weights,
        no_room,
        conv_forward,
        conv_dw,
        conv_dx,
        copy_weights,
        copy_weights,
        copy_weights,
        no_room,
        pooled_forward,
        pooled_backward,
        conv_products,
        bytes_to_lanes,
        max_pool,
        max_pool_dx,
        avg_pool,
        avg_pool_dx,
        relu,
        relu_dx,
        sigmoid,
        sigmoid_dx,
        tanh,
        tanh_dx,
        Reference::activate,
        Reference::activate_dx,
        add,
        add_cut,
        mul,
        scale,
        linear,
        linear_dx,
        linear_dw,
        linear_db,
        softmax,
        softmax_dx,
        softmax_loss,
        class_loss,
        Reference::norm_stats,
        Reference::norm,
        Reference::norm_sums,
        Reference::norm_dx,
        one_packed_size,
        copy_weights,
        one_conv,
        one_max_pool,
        one_avg_pool,
        one_linear,
        one_softmax,
        sgd,
        momentum,
        adam,
        sum_squares,
        multiply_adds,
    };
    return kTable;
  }
};

}  // namespace

const Kernels<float>& reference_kernels() { return Reference<float, kLanes>::table(); }
const Kernels<double>& reference_kernels_f64() { return Reference<double, kLanes>::table(); }

}  // namespace lenet
