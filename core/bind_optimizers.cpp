// The eager optimizers: one call updates a list of parameters.
#include <limits>

#include "bind.h"
#include "engine.h"

namespace lenet {
namespace {

struct Piece {
  float *p, *g, *a, *b;
  size_t n;
};

std::vector<Piece> pieces_of(const std::vector<FloatArray>& p, const std::vector<FloatArray>& g,
                             const std::vector<FloatArray>* a, const std::vector<FloatArray>* b) {
  std::vector<Piece> out;
  need(p.size() == g.size() && (!a || a->size() == p.size()) && (!b || b->size() == p.size()), say::optimizer_lists);
  for (size_t i = 0; i < p.size(); ++i) {
    size_t n = p[i].size();
    need(g[i].size() == n && (!a || (*a)[i].size() == n) && (!b || (*b)[i].size() == n), say::optimizer_sizes);
    for (size_t at = 0; at < n; at += kChunk)
      out.push_back({p[i].data() + at, g[i].data() + at, a ? (*a)[i].data() + at : nullptr,
                     b ? (*b)[i].data() + at : nullptr, n - at < kChunk ? n - at : kChunk});
  }
  return out;
}

constexpr float kInf = std::numeric_limits<float>::infinity();
const Kernels<float>::Clip kNoClip{1.0f, -kInf, kInf};

}  // namespace

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

}  // namespace lenet
