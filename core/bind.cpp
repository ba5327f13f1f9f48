// The only file that knows Python, with leave.h. A dozen big calls: shapes are checked here once more against the
// buffers' sizes, the GIL is released around every computation, and activations travel as Buffers, never as numpy
// arrays.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>

#include "checked.h"
#include "engine.h"
#include "leave.h"
#include "plan.h"
#include "pool.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace lenet;

namespace {

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using MaybeArray = std::optional<Array<T>>;

// Activations in lanes, or any numbers the core passes to itself. few: those of up to kFewSamples samples, one sample
// after another; the forward operations take either form and answer in the same.
template <class T>
struct Buffer {
  T* data;
  size_t size;
  bool few;
  explicit Buffer(size_t n, bool dense = false) : data(nullptr), size(n), few(dense) {
    product({n, 2, sizeof(T)});  // throws where bytes() would wrap around
    data = static_cast<T*>(take_memory(bytes()));
  }
  ~Buffer() { give_memory(data, bytes()); }
  size_t bytes() const { return (size + (few ? kSlack : 0)) * sizeof(T); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};
template <class T>
using BufferPtr = std::unique_ptr<Buffer<T>>;

template <class T>
BufferPtr<T> make(size_t n, bool few = false) {
  return std::make_unique<Buffer<T>>(n, few);
}

void need(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

// The numbers that n samples take, in lanes or as few.
size_t size_of(size_t n, size_t features, bool few) {
  check_samples(n);
  return product({few ? n : size_t(groups_of(int(n))) * L, features});
}
size_t samples(int n) { return n > 0 ? size_t(n) : 0; }

template <class T>
void need_size(const Buffer<T>& b, int n, size_t features) {
  need(!b.few, "this operation takes lanes");
  need(b.size == size_of(samples(n), features, false), "buffer size doesn't match the batch");
}

// What an operation makes of n samples of x: a buffer of the same form.
template <class T>
BufferPtr<T> answer(const Buffer<T>& x, int n, size_t in, size_t out) {
  need(x.size == size_of(samples(n), in, x.few), "buffer size doesn't match the batch");
  return make<T>(size_of(samples(n), out, x.few), x.few);
}

template <class T>
T* data_or_null(MaybeArray<T>& a) {
  return a ? a->data() : nullptr;
}

struct Free {  // a scope that computes: the GIL released, the calling thread's roundings as everywhere else
  Leave release;
  FloatEnvironment environment;
};

template <class T>
void bind_operations(nb::module_& m, const char* buffer_name) {
  using B = Buffer<T>;
  nb::class_<B>(m, buffer_name, "Numbers in the core's own layout: groups of 16 samples, the sample innermost.")
      .def(nb::init<size_t>(), "size"_a)
      .def_ro("size", &B::size)
      .def(
          "copy_to",
          [](const B& b, Array<T> out) {
            need(out.size() == b.size, "copy_to: sizes differ");
            std::memcpy(out.data(), b.data, b.size * sizeof(T));
          },
          "out"_a, "Copies the raw numbers into an array of the same size.")
      .def(
          "copy_from",
          [](B& b, Array<const T> in) {
            need(in.size() == b.size, "copy_from: sizes differ");
            std::memcpy(b.data, in.data(), b.size * sizeof(T));
          },
          "array"_a, "Copies raw numbers from an array of the same size.");

  m.def(
      "to_lanes",
      [](Array<const T> dense, size_t n) {
        need(n > 0 && dense.size() > 0 && dense.size() % n == 0, "to_lanes: the array doesn't hold n samples");
        size_t features = dense.size() / n;
        auto out = make<T>(size_of(n, features, false));
        Free gil;
        to_lanes(n, features, dense.data(), out->data);
        return out;
      },
      "dense"_a, "n"_a);
  m.def(
      "to_few",
      [](Array<const T> dense, size_t n) {
        need(n > 0 && n <= size_t(kFewSamples) && dense.size() % n == 0,
             "to_few: the array doesn't hold n samples, or too many");
        auto out = make<T>(dense.size(), true);
        std::memcpy(out->data, dense.data(), dense.size() * sizeof(T));
        return out;
      },
      "dense"_a, "n"_a, "The numbers of up to 8 samples as they are, for operations that no backward follows.");
  m.def(
      "from_lanes",
      [](const B& lanes, size_t n, Array<T> out) {
        need(n > 0 && out.size() % n == 0, "from_lanes: the array doesn't hold n samples");
        check_samples(n);
        if (lanes.few) {
          need(lanes.size == out.size(), "buffer size doesn't match the batch");
          std::memcpy(out.data(), lanes.data, lanes.size * sizeof(T));
          return;
        }
        need_size(lanes, int(n), out.size() / n);
        Free gil;
        from_lanes(n, out.size() / n, lanes.data, out.data());
      },
      "lanes"_a, "n"_a, "out"_a);

  m.def(
      "conv2d",
      [](const Conv& c, int n, const B& x, Array<const T> w, MaybeArray<const T> b) {
        need(w.size() == c.weights() && (!b || b->size() == size_t(c.K)), "conv2d: weight or bias size");
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
             "conv2d_backward: weight or bias size");
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
        need(winner.size == dy.size, "max_pool2d_backward: winner size");
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
          need(a.size == b.size && a.few == b.few, "the two buffers differ in size");
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
        need(w.size() == size_t(in) * out && (!b || b->size() == size_t(out)), "linear: weight or bias size");
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
             "linear_backward: weight or bias size");
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
        need(labels.size() == samples(n), "class_targets: one label a sample");
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
  m.def(
      "total",
      [](const B& x, int n) {
        need_size(x, n, 1);
        FloatEnvironment environment;
        double sum = 0;
        for (int i = 0; i < n; ++i) sum += x.data[i];
        return sum;
      },
      "x"_a, "n"_a, "The sum of the first n numbers of a one-number-a-sample buffer.");
}

// ---- optimizers over lists of parameters ---------------------------------------------------------------------------

using FloatArray = Array<float>;
struct Piece {
  float *p, *g, *a, *b;
  size_t n;
};

std::vector<Piece> pieces_of(const std::vector<FloatArray>& p, const std::vector<FloatArray>& g,
                             const std::vector<FloatArray>* a, const std::vector<FloatArray>* b) {
  std::vector<Piece> out;
  need(p.size() == g.size() && (!a || a->size() == p.size()) && (!b || b->size() == p.size()),
       "lists of parameters, gradients and states differ in length");
  for (size_t i = 0; i < p.size(); ++i) {
    size_t n = p[i].size();
    need(g[i].size() == n && (!a || (*a)[i].size() == n) && (!b || (*b)[i].size() == n),
         "a parameter, its gradient and its states differ in size");
    for (size_t at = 0; at < n; at += kChunk)
      out.push_back({p[i].data() + at, g[i].data() + at, a ? (*a)[i].data() + at : nullptr,
                     b ? (*b)[i].data() + at : nullptr, n - at < kChunk ? n - at : kChunk});
  }
  return out;
}

constexpr float kInf = std::numeric_limits<float>::infinity();
const Kernels<float>::Clip kNoClip{1.0f, -kInf, kInf};

// Numbers come in as Python's doubles: they become floats inside Free, whose rounding is the same for every caller.
void bind_optimizers(nb::module_& m) {
  m.def(
      "sgd",
      [](const std::vector<FloatArray>& p, const std::vector<FloatArray>& g, double lr, double l2) {
        auto pieces = pieces_of(p, g, nullptr, nullptr);
        Free gil;
        run(int(pieces.size()),
            [&](int i) { kernels().sgd(pieces[i].n, pieces[i].p, pieces[i].g, float(lr), float(l2), kNoClip); });
      },
      "params"_a, "grads"_a, "lr"_a, "l2"_a);
  m.def(
      "momentum",
      [](const std::vector<FloatArray>& p, const std::vector<FloatArray>& g, const std::vector<FloatArray>& v,
         double lr, double mu, bool nesterov, double l2) {
        auto pieces = pieces_of(p, g, &v, nullptr);
        Free gil;
        run(int(pieces.size()), [&](int i) {
          const Piece& q = pieces[i];
          kernels().momentum(q.n, q.p, q.g, q.a, float(lr), float(mu), nesterov, float(l2), kNoClip);
        });
      },
      "params"_a, "grads"_a, "velocities"_a, "lr"_a, "mu"_a, "nesterov"_a, "l2"_a);
  m.def(
      "adam",
      [](const std::vector<FloatArray>& p, const std::vector<FloatArray>& g, const std::vector<FloatArray>& mom1,
         const std::vector<FloatArray>& mom2, double lr, double beta1, double beta2, double eps, double beta1_pow,
         double beta2_pow, double l2, double decay) {
        auto pieces = pieces_of(p, g, &mom1, &mom2);
        Free gil;
        const AdamStep step = adam_step(float(lr), float(beta1), float(beta2), float(eps), float(beta1_pow),
                                        float(beta2_pow), float(l2), float(decay));
        run(int(pieces.size()), [&](int i) {
          const Piece& q = pieces[i];
          kernels().adam(q.n, q.p, q.g, q.a, q.b, step, kNoClip);
        });
      },
      "params"_a, "grads"_a, "moments1"_a, "moments2"_a, "lr"_a, "beta1"_a, "beta2"_a, "eps"_a, "beta1_pow"_a,
      "beta2_pow"_a, "l2"_a, "decay"_a,
      "Adam (l2 is added to the gradient) and AdamW (decay: p *= 1 - lr * decay first); beta_pow: beta^(t+1), "
      "float32.");
}

// ---- plan ----------------------------------------------------------------------------------------------------------

// Keeps the arrays alive that the plan points into.
struct BoundPlan {
  std::unique_ptr<Plan> plan;
  std::vector<FloatArray> held;
  std::vector<nb::object> objects;
};

Row row_of(nb::handle description) {
  nb::tuple t = nb::cast<nb::tuple>(description);
  std::string kind = nb::cast<std::string>(t[0]);
  Row row{};
  if (kind == "conv2d") {
    row.kind = Kind::conv;
    row.conv = nb::cast<Conv>(t[1]);
    row.w = nb::cast<int>(t[2]), row.b = nb::cast<int>(t[3]);
    row.in_size = row.conv.in_size(), row.out_size = row.conv.out_size();
  } else if (kind == "max_pool2d" || kind == "avg_pool2d") {
    row.kind = kind == "max_pool2d" ? Kind::max_pool : Kind::avg_pool;
    row.pool = nb::cast<Pool>(t[1]);
    row.in_size = row.pool.in_size(), row.out_size = row.pool.out_size();
  } else if (kind == "linear") {
    row.kind = Kind::linear;
    row.in = nb::cast<int>(t[1]), row.out = nb::cast<int>(t[2]);
    check_sizes("linear", {row.in, row.out});
    check_numbers("linear", {size_t(row.in), size_t(row.out)}, kMostWeights);
    row.w = nb::cast<int>(t[3]), row.b = nb::cast<int>(t[4]);
    row.in_size = row.in, row.out_size = row.out;
  } else if (kind == "relu" || kind == "sigmoid" || kind == "tanh") {
    row.kind = kind == "relu" ? Kind::relu : kind == "sigmoid" ? Kind::sigmoid : Kind::tanh;
    row.in_size = row.out_size = nb::cast<size_t>(t[1]);
  } else if (kind == "softmax") {
    row.kind = Kind::softmax;
    row.in = row.out = nb::cast<int>(t[1]);
    check_sizes("softmax", {row.in});
    row.in_size = row.out_size = row.out;
  } else if (kind == "dropout") {
    row.kind = Kind::dropout;
    row.in_size = row.out_size = nb::cast<size_t>(t[1]);
    row.p = nb::cast<float>(t[2]), row.upscale = nb::cast<bool>(t[3]);
  } else {
    throw std::invalid_argument("a plan has no row named " + kind);
  }
  need(row.in_size > 0, "a plan's row of no numbers");
  check_numbers("a plan's row", {row.in_size});
  return row;
}

Update update_of(nb::dict d) {
  FloatEnvironment environment;
  Update u;
  std::string rule = nb::cast<std::string>(d["rule"]), clip = nb::cast<std::string>(d["clip"]);
  u.rule = rule == "sgd" ? Update::sgd : rule == "momentum" ? Update::momentum : Update::adam;
  need(rule == "sgd" || rule == "momentum" || rule == "adam", "a plan knows the rules sgd, momentum and adam");
  u.clip = clip == "value"         ? Update::by_value
           : clip == "norm"        ? Update::by_norm
           : clip == "global_norm" ? Update::by_global_norm
                                   : Update::no_clip;
  auto number = [&](const char* key) { return nb::cast<float>(d[key]); };
  u.mu = number("mu"), u.beta1 = number("beta1"), u.beta2 = number("beta2"), u.eps = number("eps");
  u.decay = number("decay"), u.nesterov = nb::cast<bool>(d["nesterov"]);
  u.beta1_pow = number("beta1_pow"), u.beta2_pow = number("beta2_pow");
  u.clip_lo = number("clip_lo"), u.clip_hi = number("clip_hi");
  return u;
}

Source source_of(size_t in_size, MaybeArray<const uint8_t>& bytes, MaybeArray<const float>& lut,
                 MaybeArray<const float>& floats, size_t* count) {
  Source s;
  if (bytes) {
    need(lut && lut->size() == 256, "uint8 images need a table of 256 numbers");
    need(bytes->size() % in_size == 0, "the images don't have the network's size");
    s.bytes = bytes->data(), s.lut = lut->data();
    *count = bytes->size() / in_size;
  } else {
    need(floats.has_value() && floats->size() % in_size == 0, "the images don't have the network's size");
    s.floats = floats->data();
    *count = floats->size() / in_size;
  }
  return s;
}

void check_indices(const Array<const int64_t>& indices, size_t count) {
  for (size_t i = 0; i < indices.size(); ++i)
    need(indices.data()[i] >= 0 && size_t(indices.data()[i]) < count, "an index lies outside the images");
}

void bind_plan(nb::module_& m) {
  nb::class_<Plan::Pass>(m, "Pass", "One forward pass of a plan, for its backward.");
  nb::class_<BoundPlan>(m, "Plan", "A chain of operations run as one: see plan.h.")
      .def(
          "__init__",
          [](BoundPlan* self, nb::list rows, std::vector<FloatArray> values, std::vector<bool> trainable,
             std::vector<FloatArray> grads) {
            need(values.size() == trainable.size() && values.size() == grads.size(),
                 "one flag and gradient a parameter");
            std::vector<Row> r;
            for (nb::handle h : rows) r.push_back(row_of(h));
            need(!r.empty(), "a plan needs a row");
            size_t size = r.front().in_size;
            for (const Row& row : r) {
              need(row.in_size == size, "neighbouring rows disagree about their size");
              size = row.out_size;
              size_t w = row.kind == Kind::conv     ? row.conv.weights()
                         : row.kind == Kind::linear ? size_t(row.in) * row.out
                                                    : 0;
              size_t b = row.kind == Kind::conv ? row.conv.K : row.kind == Kind::linear ? row.out : 0;
              auto fits = [&](int i, size_t n) {
                return i < 0 || (size_t(i) < values.size() && values[i].size() == n);
              };
              need((w == 0 || row.w >= 0) && fits(row.w, w) && fits(row.b, b), "a row's parameter has another size");
            }
            std::vector<Param> p;
            for (size_t i = 0; i < values.size(); ++i) {
              need(grads[i].size() == values[i].size(), "a gradient has another size than its parameter");
              Param q{values[i].data(), values[i].size(), trainable[i]};
              q.grad = grads[i].data();
              p.push_back(q);
            }
            new (self) BoundPlan{std::make_unique<Plan>(std::move(r), std::move(p)), std::move(values), {}};
            for (auto& g : grads) self->held.push_back(g);
          },
          "rows"_a, "values"_a, "trainable"_a, "grads"_a)
      .def(
          "set_states",
          [](BoundPlan& self, std::vector<std::vector<FloatArray>> states, std::vector<double> lr,
             std::vector<double> l2, std::vector<bool> decays, std::vector<bool> clips) {
            const auto& params = self.plan->params();
            need(states.size() == params.size() && lr.size() == params.size() && l2.size() == params.size() &&
                     decays.size() == params.size() && clips.size() == params.size(),
                 "one entry a parameter");
            for (size_t i = 0; i < params.size(); ++i) {
              need(states[i].size() <= 2, "at most two states a parameter");
              for (const auto& state : states[i])
                need(state.size() == params[i].n, "a state has another size than its parameter");
            }
            for (auto& some : states)
              for (auto& state : some) self.held.push_back(state);
            Free gil;
            for (size_t i = 0; i < params.size(); ++i) {
              Param p = params[i];
              for (size_t s = 0; s < states[i].size(); ++s) p.state[s] = states[i][s].data();
              p.lr = float(lr[i]), p.l2 = float(l2[i]), p.decays = decays[i], p.clips = clips[i];
              self.plan->set_param(i, p);
            }
          },
          "states"_a, "lr"_a, "l2"_a, "decays"_a, "clips"_a, nb::lock_self())
      .def(
          "set_averages",
          [](BoundPlan& self, std::vector<FloatArray> averages) {
            const auto& params = self.plan->params();
            need(averages.size() == params.size(), "one average a parameter");
            for (size_t i = 0; i < params.size(); ++i)
              need(averages[i].size() == params[i].n, "an average has another size than its parameter");
            for (auto& average : averages) self.held.push_back(average);
            Free gil;
            for (size_t i = 0; i < params.size(); ++i) {
              Param p = params[i];
              p.average = averages[i].data();
              self.plan->set_param(i, p);
            }
          },
          "averages"_a, nb::lock_self())
      .def_prop_ro("n_in", [](const BoundPlan& self) { return self.plan->in_size(); })
      .def_prop_ro("n_out", [](const BoundPlan& self) { return self.plan->out_size(); })
      .def_prop_ro("fused", [](const BoundPlan& self) { return int(self.plan->rows().size()); })
      .def(
          "profile",
          [](BoundPlan& self, bool on) {
            Free gil;
            self.plan->profile(on);
          },
          "on"_a)
      .def_prop_ro("clock",
                   [](const BoundPlan& self) {
                     Free gil;
                     return self.plan->clock();
                   })
      .def(
          "infer",
          [](BoundPlan& self, MaybeArray<const uint8_t> bytes, MaybeArray<const float> lut,
             MaybeArray<const float> floats, MaybeArray<const int64_t> indices, Array<float> logits) {
            size_t count = 0;
            Source s = source_of(self.plan->in_size(), bytes, lut, floats, &count);
            size_t n = indices ? indices->size() : count;
            if (indices) check_indices(*indices, count);
            check_samples(n);
            need(logits.size() == n * self.plan->out_size(), "infer: size of the logits");
            Free gil;
            self.plan->infer(s, indices ? indices->data() : nullptr, n, logits.data());
          },
          "bytes"_a.none(), "lut"_a.none(), "floats"_a.none(), "indices"_a.none(), "logits"_a)
      .def(
          "forward",
          [](BoundPlan& self, const Buffer<float>& x, int n, bool training, Generator& random) {
            need_size(x, n, self.plan->in_size());
            auto y = make<float>(size_of(samples(n), self.plan->out_size(), false));
            auto pass = std::make_unique<Plan::Pass>();
            {
              Source s;
              s.lanes = x.data;
              Free gil;
              self.plan->forward(s, n, training, random, y->data, *pass);
            }
            return nb::make_tuple(std::move(y), std::move(pass));
          },
          "x"_a, "n"_a, "training"_a, "random"_a, "The outputs, and what backward() has to know of this pass.")
      .def(
          "backward",
          [](BoundPlan& self, const Buffer<float>& dy, const Buffer<float>& x, const Plan::Pass& pass,
             const std::vector<std::optional<FloatArray>>& grads) {
            need_size(dy, pass.n, self.plan->out_size());
            need_size(x, pass.n, self.plan->in_size());
            const auto& params = self.plan->params();
            need(grads.size() == params.size(), "backward: one gradient a parameter");
            std::vector<float*> to;
            for (size_t i = 0; i < params.size(); ++i) {
              need(!grads[i] || grads[i]->size() == params[i].n, "a gradient has another size than its parameter");
              to.push_back(grads[i] ? grads[i]->data() : nullptr);
            }
            Source s;
            s.lanes = x.data;
            Free gil;
            self.plan->backward(dy.data, s, pass, to.data());
          },
          "dy"_a, "x"_a, "forward_pass"_a, "grads"_a,
          "Writes each parameter's gradient, of the pass over x that made dy, into grads where that isn't None.")
      .def(
          "train",
          [](BoundPlan& self, MaybeArray<const uint8_t> bytes, MaybeArray<const float> lut,
             MaybeArray<const float> floats, Array<const int64_t> labels, Array<const int64_t> indices,
             MaybeArray<const float> warps, std::vector<int> counts, std::vector<double> rates,
             std::optional<std::vector<double>> averaging, double smoothing, int64_t ignore,
             MaybeArray<const float> weight, nb::dict update, Generator& random, Array<float> losses,
             Array<float> logits) {
            size_t count = 0, total = 0;
            Source s = source_of(self.plan->in_size(), bytes, lut, floats, &count);
            for (int c : counts) {
              check_samples(samples(c));
              total += c;
            }
            const int64_t classes = int64_t(self.plan->out_size());
            need(labels.size() == count, "train: one label an image");
            need(indices.size() == total && rates.size() == counts.size() && losses.size() == counts.size() &&
                     logits.size() == total * self.plan->out_size(),
                 "train: sizes of the batch arrays");
            need(!averaging || averaging->size() == counts.size(), "train: one number a step for the average");
            need(!weight || weight->size() == size_t(classes), "train: one weight a class");
            check_indices(indices, count);
            for (size_t i = 0; i < indices.size(); ++i) {
              int64_t label = labels.data()[indices.data()[i]];
              need((label >= 0 && label < classes) || label == ignore, "train: a label lies outside the classes");
            }
            s.labels = labels.data();
            if (warps) {
              need(bytes && self.plan->rows().front().conv.C > 0,
                   "train: warps need uint8 images and a convolution first");
              need(warps->size() == 6 * total, "train: six numbers a sample");
              for (size_t i = 0; i < warps->size(); ++i)
                need(std::fabs(warps->data()[i]) < 1e6f, "train: a warp that is no number, or far too large");
              s.warps = warps->data();
            }
            Update u = update_of(update);
            Plan::Outcome outcome;
            {
              Free gil;
              const Loss loss{float(smoothing), ignore, weight ? weight->data() : nullptr};
              outcome = self.plan->train(s, indices.data(), counts.data(), int(counts.size()), rates.data(),
                                         averaging ? averaging->data() : nullptr, loss, u, random, losses.data(),
                                         logits.data());
            }
            return outcome.trouble;
          },
          "bytes"_a.none(), "lut"_a.none(), "floats"_a.none(), "labels"_a, "indices"_a, "warps"_a.none(), "counts"_a,
          "rates"_a, "averaging"_a.none(), "smoothing"_a, "ignore"_a, "weight"_a.none(), "update"_a, "random"_a,
          "losses"_a, "logits"_a,
          "Runs len(counts) updates; returns '' or what was not finite, 'loss' or 'gradient'. A step's loss is written "
          "when done.");
}

// LENET_ISA must name a level that runs here: silence would let a test believe it had measured another one.
void obey_environment() {
  const char* wanted = std::getenv("LENET_ISA");
  const char* why = wanted && *wanted ? select_level(wanted) : nullptr;
  if (!why) return;
  Level all[8];
  std::string usable;
  for (int i = 0, n = levels(all); i < n; ++i)
    if (all[i].usable) usable += std::string(usable.empty() ? "" : ", ") + all[i].name;
  throw std::runtime_error("LENET_ISA: got '" + std::string(wanted) + "' (" + why + "), expected one of " + usable +
                           ". Leave it out to get the best of them.");
}

}  // namespace

NB_MODULE(_core, m) {
  obey_environment();
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&close_doors));
  m.doc() = "lenet's native engine: kernels, a thread pool, plans, and Paddle's random stream.";
  m.attr("LANES") = L;
  m.attr("FEW") = kFewSamples;
  m.attr("MOST_NUMBERS") = kMostNumbers;
  nb::set_leak_warnings(false);  // caches and users' variables that live until exit aren't leaks

  nb::class_<Conv>(m, "Conv", "The shape of a 2-D convolution on images of a given size.")
      .def(
          "__init__",
          [](Conv* self, int C, int H, int W, int K, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr,
             int dh, int dw, int groups) {
            check_sizes("a convolution", {C, H, W, K, kh, kw, sh, sw, dh, dw, groups});
            check_sizes("a convolution's padding", {pt, pb, pl, pr}, 0);
            need(C % groups == 0 && K % groups == 0, "a convolution of that shape makes no sense");
            need((kh - 1ll) * dh < H + pt + pb && (kw - 1ll) * dw < W + pl + pr, "the kernel is larger than the image");
            const size_t Hp = size_t(H) + pt + pb, Wp = size_t(W) + pl + pr;
            check_numbers("a convolution's padded image", {size_t(C), Hp, Wp});
            check_numbers("a convolution's weights", {size_t(K), size_t(C / groups), size_t(kh), size_t(kw)}, kMostWeights);
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
            need(pt < kh && pb < kh && pl < kw && pr < kw, "padding must be smaller than the window");
            need(kh <= H + pt + pb && kw <= W + pl + pr, "the window is larger than the image");
            check_numbers("a pooling's padded image", {size_t(C), size_t(H) + pt + pb, size_t(W) + pl + pr});
            new (self) Pool(make_pool(C, H, W, kh, kw, sh, sw, pt, pb, pl, pr, ceil, exclusive, divisor));
          },
          "C"_a, "H"_a, "W"_a, "kh"_a, "kw"_a, "sh"_a, "sw"_a, "pt"_a, "pb"_a, "pl"_a, "pr"_a, "ceil"_a, "exclusive"_a,
          "divisor"_a)
      .def_ro("OH", &Pool::OH)
      .def_ro("OW", &Pool::OW);

  nb::class_<Buffer<int32_t>>(m, "Winners", "Which cell won each pooling window: flat h * W + w, in lanes.")
      .def_ro("size", &Buffer<int32_t>::size)
      .def(
          "copy_to",
          [](const Buffer<int32_t>& b, Array<int32_t> out) {
            need(out.size() == b.size, "copy_to: sizes differ");
            std::memcpy(out.data(), b.data, b.size * sizeof(int32_t));
          },
          "out"_a);
  bind_operations<float>(m, "Buffer");
  bind_operations<double>(m, "Buffer64");

  m.def(
      "gather",
      [](Array<const uint8_t> images, size_t features, Array<const int64_t> indices, Array<const float> lut) {
        need(features > 0 && images.size() % features == 0 && lut.size() == 256 && indices.size() > 0, "gather: sizes");
        check_indices(indices, images.size() / features);
        auto out = make<float>(size_of(indices.size(), features, false));
        Free gil;
        gather_lanes(indices.size(), features, images.data(), indices.data(), lut.data(), out->data);
        return out;
      },
      "images"_a, "features"_a, "indices"_a, "lut"_a, "Rows of uint8 images through a 256-entry table, into lanes.");

  bind_optimizers(m);
  bind_plan(m);

  nb::class_<Generator>(m, "Generator", "Paddle's CPU random stream.")
      .def(nb::init<uint64_t>(), "seed"_a)
      .def(
          "seed",
          [](Generator& g, uint64_t seed) {
            Free gil;
            Hold hold(g.lock);
            g.reseed(seed);
          },
          "seed"_a)
      .def(
          "uniform",
          [](Generator& g, double lo, double hi, Array<float> out) {
            Free gil;
            Hold hold(g.lock);
            g.uniform(out.size(), float(lo), float(hi), out.data());
          },
          "low"_a, "high"_a, "out"_a)
      .def(
          "normal",
          [](Generator& g, double mean, double std, Array<float> out) {
            Free gil;
            Hold hold(g.lock);
            g.normal(out.size(), float(mean), float(std), out.data());
          },
          "mean"_a, "std"_a, "out"_a)
      .def(
          "permutation",
          [](Generator& g, Array<int64_t> out) {
            Free gil;
            Hold hold(g.lock);
            g.permutation(out.size(), out.data());
          },
          "out"_a)
      .def(
          "integers",
          [](Generator& g, int64_t low, int64_t high, Array<int64_t> out) {
            need(high > low, "integers: high must exceed low");
            Free gil;
            Hold hold(g.lock);
            for (size_t i = 0; i < out.size(); ++i)
              out.data()[i] = int64_t(uint64_t(low) + g.below(uint64_t(high) - uint64_t(low)));
          },
          "low"_a, "high"_a, "out"_a)
      .def("get_state",
           [](Generator& g) {
             Free gil;
             Hold hold(g.lock);
             return g.state();
           })
      .def(
          "set_state",
          [](Generator& g, const std::string& state) {
            bool done;
            {
              Free gil;
              Hold hold(g.lock);
              done = g.set_state(state);
            }
            need(done, "not a state of this generator");
          },
          "state"_a);

  m.def(
      "levels",
      [] {
        Level all[8];
        int n = levels(all);
        nb::list out;
        for (int i = 0; i < n; ++i) out.append(nb::make_tuple(all[i].name, all[i].usable, all[i].table->width));
        return out;
      },
      "Every level compiled in, best first: (name, usable on this CPU, floats in a register).");
  m.def("level", [] { return std::string(kernels().level); }, "The level in use.");
  m.def(
      "select_level",
      [](const std::string& name) {
        const char* why = select_level(name.c_str());
        return why ? std::optional<std::string>(why) : std::nullopt;
      },
      "name"_a, "Uses that level from now on; returns None, or the reason why it can't.");
  m.def(
      "multiply_add_peak",
      [](double seconds, int threads) {
        need(threads > 0 && threads <= 64 && seconds > 0 && seconds < 60, "multiply_add_peak: seconds or threads");
        Free gil;
        return multiply_add_peak(seconds, threads);
      },
      "seconds"_a, "threads"_a, "GFLOP/s of multiply-adds in registers, at the level in use.");
  m.def(
      "copy_peak",
      [](double seconds, int threads) {
        need(threads > 0 && threads <= 64 && seconds > 0 && seconds < 60, "copy_peak: seconds or threads");
        Free gil;
        return copy_peak(seconds, threads);
      },
      "seconds"_a, "threads"_a, "GB/s of a copy beyond the caches, bytes read and written.");
  m.def("set_num_threads", &set_num_threads, "n"_a);
  m.def("num_threads", &num_threads);
}
