// The eager operations: shapes of convolutions and poolings, and one call a batch, forward and backward.
#include "bind.h"
#include "engine.h"
#include "shapes.h"

namespace lenet {
namespace {

template <class T>
void bind_on(nb::module_& m) {
  using B = Buffer<T>;
  m.def(
      "conv2d",
      [](const Conv& c, int n, const B& x, Array<const T> w, MaybeArray<const T> b) {
        need(w.size() == c.weights() && (!b || b->size() == size_t(c.K)), say::conv_sizes);
        auto y = answer(x, n, c.in_size(), c.out_size());
        Free gil;
        (x.few ? few_conv<T> : conv_forward<T>)(c, n, x.data, w.data(), data_or_null(b), y->data);
        return y;
      },
      "conv"_a, "n"_a, "x"_a, "w"_a, "b"_a.none());
  m.def(
      "conv2d_backward",
      [](const Conv& c, int n, const B& x, Array<const T> w, const B& dy, bool need_dx, MaybeArray<T> dw,
         MaybeArray<T> db) {
        need_size(x, n, c.in_size());
        need_size(dy, n, c.out_size());
        need(w.size() == c.weights() && (!dw || dw->size() == w.size()) && (!db || db->size() == size_t(c.K)),
             say::conv_backward_sizes);
        BufferPtr<T> dx = need_dx ? make<T>(x.size) : nullptr;
        Free gil;
        conv_backward(c, n, x.data, w.data(), dy.data, dx ? dx->data : nullptr, data_or_null(dw), data_or_null(db));
        return dx;
      },
      "conv"_a, "n"_a, "x"_a, "w"_a, "dy"_a, "need_dx"_a, "dw"_a.none(), "db"_a.none());

  m.def(
      "max_pool2d",
      [](const Pool& p, int n, const B& x) {
        auto y = answer(x, n, p.in_size(), p.out_size());
        BufferPtr<int32_t> winner = x.few ? nullptr : make<int32_t>(y->size);
        {
          Free gil;
          if (x.few)
            few_max_pool(p, n, x.data, y->data);
          else
            max_pool_forward(p, n, x.data, y->data, winner->data);
        }
        return nb::make_tuple(std::move(y), std::move(winner));
      },
      "pool"_a, "n"_a, "x"_a, "The maxima, and where each was, for max_pool2d_backward (None of few samples).");
  m.def(
      "max_pool2d_backward",
      [](const Pool& p, int n, const B& dy, const Buffer<int32_t>& winner) {
        need_size(dy, n, p.out_size());
        need(winner.size == dy.size, say::winner_size);
        auto dx = make<T>(size_of(samples(n), p.in_size(), false));
        Free gil;
        max_pool_backward(p, n, dy.data, winner.data, dx->data);
        return dx;
      },
      "pool"_a, "n"_a, "dy"_a, "winner"_a);
  m.def(
      "avg_pool2d",
      [](const Pool& p, int n, const B& x) {
        auto y = answer(x, n, p.in_size(), p.out_size());
        Free gil;
        (x.few ? few_avg_pool<T> : avg_pool_forward<T>)(p, n, x.data, y->data);
        return y;
      },
      "pool"_a, "n"_a, "x"_a);
  m.def(
      "avg_pool2d_backward",
      [](const Pool& p, int n, const B& dy) {
        need_size(dy, n, p.out_size());
        auto dx = make<T>(size_of(samples(n), p.in_size(), false));
        Free gil;
        avg_pool_backward(p, n, dy.data, dx->data);
        return dx;
      },
      "pool"_a, "n"_a, "dy"_a);

  auto unary = [&m](const char* name, Unary<T> Kernels<T>::* f) {
    m.def(
        name,
        [f](const B& x) {
          auto y = make<T>(x.size, x.few);
          Free gil;
          if (x.few)
            (table<T>().*f)(x.size, x.data, y->data);
          else
            run_unary<T>(table<T>().*f, x.size, x.data, y->data);
          return y;
        },
        "x"_a);
  };
  unary("relu", &Kernels<T>::relu);
  unary("sigmoid", &Kernels<T>::sigmoid);
  unary("tanh", &Kernels<T>::tanh);
  auto binary = [&m](const char* name, Binary<T> Kernels<T>::* f, const char* first, const char* second) {
    m.def(
        name,
        [f](const B& a, const B& b) {
          need(a.size == b.size && a.few == b.few, say::two_buffers);
          auto y = make<T>(a.size, a.few);
          Free gil;
          if (a.few)
            (table<T>().*f)(a.size, a.data, b.data, y->data);
          else
            run_binary<T>(table<T>().*f, a.size, a.data, b.data, y->data);
          return y;
        },
        nb::arg(first), nb::arg(second));
  };
  binary("relu_backward", &Kernels<T>::relu_dx, "y", "dy");
  binary("sigmoid_backward", &Kernels<T>::sigmoid_dx, "y", "dy");
  binary("tanh_backward", &Kernels<T>::tanh_dx, "y", "dy");
  binary("add", &Kernels<T>::add, "a", "b");
  binary("mul", &Kernels<T>::mul, "a", "b");
  m.def(
      "scale",
      [](const B& x, double factor) {
        auto y = make<T>(x.size, x.few);
        Free gil;
        table<T>().scale(x.size, T(factor), x.data, y->data);
        return y;
      },
      "x"_a, "factor"_a);

  m.def(
      "linear",
      [](int in, int out, int n, const B& x, Array<const T> w, MaybeArray<const T> b) {
        check_sizes("linear", {in, out});
        need(w.size() == size_t(in) * out && (!b || b->size() == size_t(out)), say::linear_sizes);
        auto y = answer(x, n, in, out);
        Free gil;
        (x.few ? few_linear<T> : linear_forward<T>)(in, out, n, x.data, w.data(), data_or_null(b), y->data);
        return y;
      },
      "n_in"_a, "n_out"_a, "n"_a, "x"_a, "w"_a, "b"_a.none());
  m.def(
      "linear_backward",
      [](int in, int out, int n, const B& x, Array<const T> w, const B& dy, bool need_dx, MaybeArray<T> dw,
         MaybeArray<T> db) {
        check_sizes("linear_backward", {in, out});
        need_size(x, n, in);
        need_size(dy, n, out);
        need(w.size() == size_t(in) * out && (!dw || dw->size() == w.size()) && (!db || db->size() == size_t(out)),
             say::linear_backward_sizes);
        BufferPtr<T> dx = need_dx ? make<T>(x.size) : nullptr;
        Free gil;
        linear_backward(in, out, n, x.data, w.data(), dy.data, dx ? dx->data : nullptr, data_or_null(dw),
                        data_or_null(db));
        return dx;
      },
      "n_in"_a, "n_out"_a, "n"_a, "x"_a, "w"_a, "dy"_a, "need_dx"_a, "dw"_a.none(), "db"_a.none());

  m.def(
      "softmax",
      [](int classes, int n, const B& x) {
        check_sizes("softmax", {classes});
        auto y = answer(x, n, classes, classes);
        Free gil;
        (x.few ? few_softmax<T> : softmax_forward<T>)(classes, n, x.data, y->data);
        return y;
      },
      "classes"_a, "n"_a, "x"_a);
  m.def(
      "softmax_backward",
      [](int classes, int n, const B& y, const B& dy) {
        check_sizes("softmax_backward", {classes});
        need_size(y, n, classes);
        need_size(dy, n, classes);
        auto dx = make<T>(y.size);
        Free gil;
        softmax_backward(classes, n, y.data, dy.data, dx->data);
        return dx;
      },
      "classes"_a, "n"_a, "y"_a, "dy"_a);
  m.def(
      "softmax_loss",
      [](int classes, int n, const B& x, const B& target, const B& weight) {
        check_sizes("softmax_loss", {classes});
        need_size(x, n, classes);
        need_size(target, n, classes);
        need_size(weight, n, 1);
        auto loss = make<T>(weight.size);
        auto dx = make<T>(x.size);
        {
          Free gil;
          loss_forward(classes, n, x.data, target.data, weight.data, loss->data, dx->data);
        }
        return nb::make_tuple(std::move(loss), std::move(dx));
      },
      "classes"_a, "n"_a, "x"_a, "target"_a, "weight"_a,
      "Each sample's weight * -sum(target * log softmax(x)), and its gradient.");
  m.def(
      "class_targets",
      [](int classes, int n, Array<const int64_t> labels, double smoothing, B*) {
        check_sizes("class_targets", {classes});
        need(labels.size() == samples(n), say::targets_labels);
        auto target = make<T>(size_of(samples(n), size_t(classes), false));
        FloatEnvironment environment;
        const T rest = T(smoothing) / T(classes), full = T(1.0) - T(smoothing) + rest;
        for (size_t i = 0; i < target->size; ++i) target->data[i] = rest;
        for (int i = 0; i < n; ++i) {
          int64_t label = labels.data()[i];
          if (label >= 0 && label < classes) target->data[(size_t(i / L) * classes + size_t(label)) * L + i % L] = full;
        }
        return target;
      },
      "classes"_a, "n"_a, "labels"_a, "smoothing"_a, "like"_a,
      "(1 - smoothing) * onehot + smoothing / classes, in lanes of the type of `like`.");
}

}  // namespace

void bind_operations(nb::module_& m) {
  nb::class_<Conv>(m, "Conv", "The shape of a 2-D convolution on images of a given size.")
      .def(
          "__init__",
          [](Conv* self, int C, int H, int W, int K, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr,
             int dh, int dw, int groups) {
            check_sizes("a convolution", {C, H, W, K, kh, kw, sh, sw, dh, dw, groups});
            check_sizes("a convolution's padding", {pt, pb, pl, pr}, 0);
            need(C % groups == 0 && K % groups == 0, say::conv_groups);
            need((kh - 1ll) * dh < H + pt + pb && (kw - 1ll) * dw < W + pl + pr, say::kernel_too_large);
            const size_t Hp = size_t(H) + pt + pb, Wp = size_t(W) + pl + pr;
            check_numbers("a convolution's padded image", {size_t(C), Hp, Wp});
            check_numbers("a convolution's weights", {size_t(K), size_t(C / groups), size_t(kh), size_t(kw)},
                          kMostWeights);
            const Conv c = make_conv(C, H, W, K, kh, kw, sh, sw, pt, pb, pl, pr, dh, dw, groups);
            check_numbers("a convolution's output", {size_t(K), size_t(c.OH), size_t(c.OW) + 2});
            new (self) Conv(c);
          },
          "C"_a, "H"_a, "W"_a, "K"_a, "kh"_a, "kw"_a, "sh"_a, "sw"_a, "pt"_a, "pb"_a, "pl"_a, "pr"_a, "dh"_a, "dw"_a,
          "groups"_a)
      .def_ro("OH", &Conv::OH)
      .def_ro("OW", &Conv::OW);
  nb::class_<Pool>(m, "Pool", "The shape of a 2-D pooling on images of a given size.")
      .def(
          "__init__",
          [](Pool* self, int C, int H, int W, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, bool ceil,
             bool exclusive, int divisor) {
            check_sizes("a pooling", {C, H, W, kh, kw, sh, sw});
            check_sizes("a pooling's padding or divisor", {pt, pb, pl, pr, divisor}, 0);
            need(pt < kh && pb < kh && pl < kw && pr < kw, say::padding_too_large);
            need(kh <= H + pt + pb && kw <= W + pl + pr, say::window_too_large);
            check_numbers("a pooling's padded image", {size_t(C), size_t(H) + pt + pb, size_t(W) + pl + pr});
            new (self) Pool(make_pool(C, H, W, kh, kw, sh, sw, pt, pb, pl, pr, ceil, exclusive, divisor));
          },
          "C"_a, "H"_a, "W"_a, "kh"_a, "kw"_a, "sh"_a, "sw"_a, "pt"_a, "pb"_a, "pl"_a, "pr"_a, "ceil"_a, "exclusive"_a,
          "divisor"_a)
      .def_ro("OH", &Pool::OH)
      .def_ro("OW", &Pool::OW);

  bind_on<float>(m);
  bind_on<double>(m);
  bind_maps(m);
}

}  // namespace lenet
