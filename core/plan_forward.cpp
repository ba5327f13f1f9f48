// A plan's way forward: one row of one group, and all rows of all groups in their segments. See plan.h.
#include <atomic>
#include <cstring>

#include "layout.h"
#include "moments.h"
#include "plan.h"
#include "plan_run.h"
#include "pool.h"

namespace lenet {

void Plan::forward_row(const Graph& form, size_t r, const Kernels<float>& k, float* arena, const float* all_packed,
                       const float* masks, bool training) const {
  const size_t lanes = size_t(k.lanes);
  const Row& row = form.rows[r];
  const bool answers = &form == &answer_form_;
  const float* x = arena + form.place_of(row.from[0]);
  float* y = arena + row.y;
  const size_t n = row.out_size * lanes;
  const float* b = row.b >= 0 ? params_[size_t(row.b)].value : nullptr;
  switch (row.kind) {
    case Kind::conv:
    case Kind::conv_pool: {
      const Conv& c = row.conv;
      const auto& t = kernels_of(row, k);
      const float* xp = x;
      if (c.padded()) {
        if (int(r) != form.entry) pad_group(c, x, arena + row.frame, k.lanes);
        xp = arena + row.frame;
      }
      const float* packed = all_packed + (answers ? answer_at_[r] : packed_at_[r]);
      if (row.folded()) b = packed + aligned(packed_size(c));
      if (row.kind == Kind::conv)
        t.conv_forward(c, xp, packed, b, row.cut, y, room_of(t, row.kind, c));
      else
        t.pooled_forward(c, xp, packed, b, row.cut, y, reinterpret_cast<uint8_t*>(arena + row.winner),
                         room_of(t, row.kind, c));
      break;
    }
    case Kind::max_pool:
      k.max_pool(row.pool, x, y, reinterpret_cast<int32_t*>(arena + row.winner));
      break;
    case Kind::avg_pool:
      k.avg_pool(row.pool, x, y);
      break;
    case Kind::act:
      activate_all(row, n, x, y);
      break;
    case Kind::linear:
      k.linear(row.in, row.out, x, params_[size_t(row.w)].value, b, row.cut, y);
      break;
    case Kind::softmax:
      k.softmax(row.out, x, y);
      break;
    case Kind::dropout:
      if (training)
        k.mul(n, x, masks + mask_at_[r], y);
      else
        k.scale(n, row.upscale ? 1.0f : 1.0f - row.p, x, y);
      break;
    case Kind::add:
      (row.cut ? k.add_cut : k.add)(n, x, arena + form.place_of(row.from[1]), y);
      break;
    case Kind::join:
      join_all(form, row, lanes, arena, y);
      break;
    case Kind::spread:
      spread<float>(size_t(row.in), row.H, row.W, row.fh, row.fw, lanes, x, y);
      break;
    case Kind::norm: {
      const size_t step = answers ? aligned(size_t(row.out)) : norm_size_;
      const float* mean = answers ? all_packed + answer_at_[r] : norm_.data() + norm_at_[r];
      const float* rest = row.from.size() > 1 ? arena + form.place_of(row.from[1]) : nullptr;
      k.norm(row.out, row.cells * lanes, x, mean, mean + step, mean + 2 * step, rest, row.cut, y);
      break;
    }
  }
}

// ---- normalisation -------------------------------------------------------------------------------------------------

void Plan::norm_statistics(size_t r, int g) {
  const Row& row = rows()[r];
  double* to = statistics_.data() + 2 * norm_size_ * size_t(g) + norm_at_[r];
  const float* x = group(g) + training_form_.place_of(row.from[0]);
  kernels_->norm_stats(row.out, row.cells, real_lanes(n_, g, kernels_->lanes), x, to, to + norm_size_);
}

// A normalisation's mean, variance, scale and shift, from all groups' statistics or the running ones.
void Plan::join_statistics(size_t r) {
  const Row& row = rows()[r];
  float *mean = norm_.data() + norm_at_[r], *var = mean + 3 * norm_size_;
  if (row.batch) {
    const double* from = statistics_.data() + norm_at_[r];
    for (int c = 0; c < row.out; ++c)
      join_moments(n_, row.cells, from + c, from + norm_size_ + c, 2 * norm_size_, mean + c, var + c, kernels_->lanes);
  } else {
    std::memcpy(mean, params_[size_t(row.mean)].value, size_t(row.out) * sizeof(float));
    std::memcpy(var, params_[size_t(row.var)].value, size_t(row.out) * sizeof(float));
  }
  norm_numbers(row.w, row.b, row.epsilon, row.out, var, mean + norm_size_, mean + 2 * norm_size_);
}

// The running statistics follow the batch's, as the eager layer has it. kept: of their average, see train().
void Plan::move_statistics(double kept) {
  for (size_t r = 0; r < rows().size(); ++r) {
    const Row& row = rows()[r];
    if (row.kind != Kind::norm || !row.batch) continue;
    const float *mean = norm_.data() + norm_at_[r], *var = mean + 3 * norm_size_;
    const float own = float(1.0 - double(row.momentum)), share = float(1.0 - kept);
    for (auto [p, now] : {std::pair<int, const float*>{row.mean, mean}, {row.var, var}}) {
      const Param& to = params_[size_t(p)];
      for (int c = 0; c < row.out; ++c) to.value[c] = to.value[c] * row.momentum + now[c] * own;
      for (int c = 0; kept < 1.0 && to.average && c < row.out; ++c)
        to.average[c] += share * (to.value[c] - to.average[c]);
    }
  }
}

// ---- all of a batch ------------------------------------------------------------------------------------------------

// Dropout's masks, drawn as Paddle draws them: row by row, sample by sample, in NCHW order. before: gets the stream's
// position.
void Plan::draw_masks(int n, Generator& random, Generator* before) {
  if (!mask_size_) return;
  const size_t lanes = size_t(kernels_->lanes);
  Hold drawing(random.lock);
  if (before) before->go_to(random);
  for (size_t r = 0; r < rows().size(); ++r) {
    const Row& row = rows()[r];
    if (row.kind != Kind::dropout) continue;
    const float kept = row.upscale ? (row.p < 1 ? 1.0f / (1.0f - row.p) : 0.0f) : 1.0f;
    for (size_t i = 0; i < size_t(n); ++i) {
      float* mask = masks_.data() + mask_size_ * (i / lanes) + mask_at_[r] + i % lanes;
      for (size_t f = 0; f < row.out_size; ++f) mask[f * lanes] = row.p > 0 && random.canonical() < row.p ? 0.0f : kept;
    }
  }
}

void Plan::run_forward(const Source& source, const Pass& pass, Generator& random, Generator* before, float* y) {
  const int n = pass.n;
  begin(n);
  training_ = pass.training;
  pack_for_training();
  if (pass.training) draw_masks(n, random, before);
  const int lanes = kernels_->lanes;
  if (y && lanes < kLanes) std::memset(y, 0, size_t(groups_of(n)) * out_size_ * kLanes * sizeof(float));
  auto enter = [&](int g) { load(training_form_, *kernels_, source, nullptr, size_t(n), g, group(g)); };
  run_segments(pass.training, enter, [&](int, int g) {
    size_t at = 0;
    for (const Head& head : heads()) {
      if (!y) break;
      to_full(head.size(), lanes, g, out_size_, at, group(g) + training_form_.place_of(head.value), y);
      at += head.size();
    }
  });
  kept_ = pass.number;
}

void Plan::forward(const Source& source, int n, bool training, bool moves, Generator& random, float* y, Pass& pass) {
  static std::atomic<uint64_t> passes{0};
  pass.number = passes.fetch_add(1, std::memory_order_relaxed) + 1;
  pass.n = n, pass.training = training;
  if (training && mask_size_) pass.before = std::make_unique<Generator>(0);
  Hold hold(lock_);
  run_forward(source, pass, random, pass.before.get(), y);
  if (training && moves) move_statistics(1.0);
}

}  // namespace lenet
