// A plan's training step: the loss, the sums of gradients, the update. See plan.h.
#include <cmath>
#include <cstring>
#include <limits>

#include "layout.h"
#include "moments.h"
#include "plan.h"
#include "plan_run.h"
#include "pool.h"

namespace lenet {

// ---- the loss ------------------------------------------------------------------------------------------------------

namespace {
// How much a cell counts, before the mean is taken.
float weight_of(const Loss& loss, int64_t label, size_t at) {
  if (label == loss.ignore) return 0.0f;
  return (loss.weight ? loss.weight[label] : 1.0f) * (loss.cell_weight ? loss.cell_weight[at] : 1.0f);
}
}  // namespace

// One over the mean's denominator: what all cells count together. A mark that is no class counts, as in Paddle.
float Plan::loss_scale(const Loss& loss, const Head& head, const int64_t* indices, int n) const {
  const bool marks = loss.ignore < 0 && !loss.weight && !loss.cell_weight;
  double denominator = 0;
  for (int i = 0; i < n; ++i) {
    const size_t start = size_t(indices[i]) * head.cells;
    for (size_t at = start; at < start + head.cells; ++at)
      denominator += marks ? 1.0f : weight_of(loss, loss.labels[at], at);
  }
  return denominator > 0 ? float(1.0 / denominator) : 0.0f;
}

// A head's loss over one group: each sample's into sample_loss_, and the gradient of what the head gives.
void Plan::head_loss(const Loss& loss, const Head& head, const int64_t* indices, float scale, int g, float* grads) {
  const int lanes = kernels_->lanes;
  const size_t n = head.cells * size_t(lanes);
  auto* label = static_cast<int32_t*>(scratch(5, n * sizeof(int32_t) + 64));
  float* weight = static_cast<float*>(scratch(6, 2 * n * sizeof(float) + 64));
  float* own = weight + n;
  const int real = real_lanes(n_, g, lanes);
  for (int l = 0; l < lanes; ++l) {
    const size_t start = l < real ? size_t(indices[g * lanes + l]) * head.cells : 0;
    for (size_t i = 0; i < head.cells; ++i) {
      const int64_t c = l < real ? loss.labels[start + i] : -1;
      label[i * size_t(lanes) + size_t(l)] = c >= 0 && c < head.channels ? int32_t(c) : -1;
      weight[i * size_t(lanes) + size_t(l)] = l < real ? weight_of(loss, c, start + i) * scale : 0.0f;
    }
  }
  kernels_->class_loss(head.channels, head.cells, group(g) + training_form_.place_of(head.value), label, loss.smoothing,
                       weight, own, grads + gradient_at_[size_t(head.value)]);
  for (size_t i = 0; i < head.cells; ++i)
    for (int l = 0; l < real; ++l) sample_loss_[size_t(g * lanes + l)] += double(own[i * size_t(lanes) + size_t(l)]);
}

// A group's part of a head's outputs, to [sample][channels][cells].
void Plan::give_outputs(const Head& head, int g, const float* y, float* to) const {
  const size_t size = head.size();
  const int lanes = kernels_->lanes;
  to += size_t(g) * size_t(lanes) * size;
  for (int l = 0; l < real_lanes(n_, g, lanes); ++l)
    for (size_t i = 0; i < size; ++i) to[size_t(l) * size + i] = y[i * size_t(lanes) + size_t(l)];
}

// ---- sums, and the update ------------------------------------------------------------------------------------------

// Phase B.
void Plan::gradients() {
  const auto& k = *kernels_;
  const int shards = shards_of(groups());
  Stopwatch watch(clock_, 2 * rows().size() + 2);
  run(int(tasks_.size()), [&](int i) {
    const Task& t = tasks_[i];
    const Row& row = rows()[t.row];
    float* grad = params_[t.param].grad;
    if (row.kind == Kind::linear) {
      const float* dyt = dyt_.data() + dyt_at_[t.row] * capacity_;
      if (t.from < 0)
        k.linear_db(row.out, groups(), dyt, grad);
      else
        k.linear_dw(row.in, row.out, groups(), arena_.data() + training_form_.place_of(row.from[0]),
                    training_form_.size, dyt, t.from, t.to, grad);
    } else if (row.convolves()) {  // a normalisation's is there already
      const Conv& c = row.conv;
      const size_t n = t.from < 0 ? size_t(c.K) : packed_dw_size(c);
      float* sum = partials_.data() + partial_at_[t.row] + (t.from < 0 ? aligned(packed_dw_size(c)) : 0);
      for (int s = 1; s < shards; ++s) k.add(n, sum, sum + partial_size_ * s, sum);
      if (t.from < 0)
        std::memcpy(grad, sum, n * sizeof(float));
      else if (cut_in_two(row))
        unpack_two(row, sum, grad);
      else
        (row.kind == Kind::conv_pool ? kernels_of(row, k).pooled_unpack_dw : kernels_of(row, k).conv_unpack_dw)(c, sum,
                                                                                                                grad);
    }
    squares_[i] = k.sum_squares(t.n, grad + t.at);
  });
}

double Plan::squares() const {
  double total = 0;
  for (size_t i = 0; i < tasks_.size(); ++i)
    if (params_[tasks_[i].param].clips) total += squares_[i];
  return total;
}

// Phase C.
void Plan::apply(double rate, double kept, const Update& u, double norm_squared) {
  Stopwatch watch(clock_, 2 * rows().size() + 3);
  scale_.assign(params_.size(), 1.0f);
  if (u.clip == Update::by_global_norm || u.clip == Update::by_norm) {
    std::vector<double> own(params_.size(), 0);
    for (size_t i = 0; i < tasks_.size(); ++i) own[tasks_[i].param] += squares_[i];
    for (size_t p = 0; p < params_.size(); ++p) {
      float norm = float(std::sqrt(u.clip == Update::by_norm ? own[p] : norm_squared));
      if (params_[p].clips) scale_[p] = norm > u.clip_hi ? u.clip_hi / norm : 1.0f;
    }
  }
  run(int(pieces_.size()), [&](int i) {
    const Piece& piece = pieces_[i];
    const Param& p = params_[piece.param];
    Kernels<float>::Clip clip{scale_[piece.param], -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::infinity()};
    if (u.clip == Update::by_value && p.clips) clip.lo = u.clip_lo, clip.hi = u.clip_hi;
    float* value = p.value + piece.at;
    const float* grad = p.grad + piece.at;
    const float lr = float(rate) * p.lr;
    const auto& k = *kernels_;
    if (u.rule == Update::sgd) {
      k.sgd(piece.n, value, grad, lr, p.l2, clip);
    } else if (u.rule == Update::momentum) {
      k.momentum(piece.n, value, grad, p.state[0] + piece.at, lr, u.mu, u.nesterov, p.l2, clip);
    } else {
      k.adam(piece.n, value, grad, p.state[0] + piece.at, p.state[1] + piece.at,
             adam_step(lr, u.beta1, u.beta2, u.eps, u.beta1_pow, u.beta2_pow, p.l2, p.decays ? u.decay : 0.0f), clip);
    }
    if (kept < 1.0 && p.average) {
      float* average = p.average + piece.at;
      const float share = float(1.0 - kept);
      for (size_t q = 0; q < piece.n; ++q) average[q] += share * (value[q] - average[q]);
    }
    if (p.n > kChunk) return;
    for (size_t r = 0; r < rows().size(); ++r)  // packed for the next step while it is at hand
      if (rows()[r].convolves() && rows()[r].w == piece.param)
        pack_row(training_form_, r, *kernels_, packed_.data(), packed_dx_.data());
  });
  run(int(pack_late_.size()),
      [&](int i) { pack_row(training_form_, pack_late_[i], *kernels_, packed_.data(), packed_dx_.data()); });
}

// ---- steps ---------------------------------------------------------------------------------------------------------

Plan::Outcome Plan::train(const Source& source, const int64_t* indices, const int* counts, int steps,
                          const double* rates, const double* averaging, const std::vector<Loss>& loss, Update& update,
                          Generator& random, float* losses, float* const* outputs) {
  Hold hold(lock_);
  Outcome outcome;
  Source batch = source;
  training_ = true;
  std::vector<float*> to(outputs, outputs + heads().size());
  std::vector<float> scales(heads().size());
  for (int step = 0; step < steps; ++step) {
    const int n = counts[step];
    const Kernels<float>* last = step ? kernels_ : nullptr;
    const bool cut = wide_;
    begin(n);
    if (kernels_ != last || wide_ != cut) pack_for_training();  // else apply() has
    draw_masks(n, random, nullptr);
    sample_loss_.assign(size_t(n), 0.0);
    for (size_t h = 0; h < heads().size(); ++h) scales[h] = loss_scale(loss[h], heads()[h], indices, n);

    run(shards_of(groups()), [&](int s) { zero_shard(s); });
    auto enter = [&](int g) {
      Stopwatch watch(clock_, 2 * rows().size());
      load(training_form_, *kernels_, batch, indices, size_t(n), g, group(g));
    };
    run_segments(true, enter, [&](int s, int g) {
      float* grads = gradients_of(g);
      {
        Stopwatch watch(clock_, 2 * rows().size() + 1);
        for (size_t h = 0; h < heads().size(); ++h) {
          head_loss(loss[h], heads()[h], indices, scales[h], g, grads);
          if (to[h]) give_outputs(heads()[h], g, group(g) + training_form_.place_of(heads()[h].value), to[h]);
        }
      }
      if (!wide_) backward_segment(cuts_.size() - 2, g, s);
    });
    if (wide_) backward_segment_wide(cuts_.size() - 2);
    backward_rest();
    gradients();

    double total = 0, norm = 0;
    for (double own : sample_loss_) total += own;
    for (double q : squares_) norm += q;
    if (!std::isfinite(total) || !std::isfinite(norm)) {
      outcome.trouble = std::isfinite(total) ? "gradient" : "loss";
      return outcome;
    }
    const double kept = averaging ? averaging[step] : 1.0;
    apply(rates[step], kept, update, squares());
    move_statistics(kept);
    if (update.rule == Update::adam) {
      update.beta1_pow *= update.beta1;
      update.beta2_pow *= update.beta2;
    }
    losses[step] = float(total);  // only now: a number here says that the step is done
    ++outcome.steps;
    indices += n;
    if (batch.warps) batch.warps += 6 * size_t(n);
    for (size_t h = 0; h < to.size(); ++h)
      if (to[h]) to[h] += size_t(n) * heads()[h].size();
  }
  return outcome;
}

}  // namespace lenet
