// A plan's way back: one row of one group, and all groups segment by segment. See plan.h.
#include <cstring>

#include "layout.h"
#include "moments.h"
#include "plan.h"
#include "plan_run.h"
#include "pool.h"

namespace lenet {

namespace {

// Where a row writes the gradient of a value that it takes: the value's own place if it is the first to, else aside, to
// be added by done(). A value may be taken twice by one row.
class Into {
 public:
  Into(const Kernels<float>& k, float* own, bool first, size_t n) : k_(k), own_(own), first_(first), n_(n) {
    to_ = first ? own : static_cast<float*>(scratch(1, n * sizeof(float) + 64));
  }
  float* to() const { return to_; }
  void done() const {
    if (!first_) k_.add(n_, own_, to_, own_);
  }
  // What is there already, as it is.
  void copy(const float* from) const {
    if (first_)
      std::memcpy(own_, from, n_ * sizeof(float));
    else
      k_.add(n_, own_, from, own_);
  }

 private:
  const Kernels<float>& k_;
  float *own_, *to_;
  bool first_;
  size_t n_;
};

}  // namespace

void Plan::zero_shard(int shard) {
  std::memset(partials_.data() + partial_size_ * size_t(shard), 0, partial_size_ * sizeof(float));
}

// From the gradient of what row r makes to those of what it takes.
void Plan::backward_row(size_t r, int g, int shard, float* grads) {
  const auto& k = *kernels_;
  const size_t lanes = size_t(k.lanes);
  const Row& row = rows()[r];
  float* arena = group(g);
  const float* x = arena + training_form_.place_of(row.from[0]);
  const float* y = arena + row.y;
  const float* dy = grads + gradient_at_[r + 1];
  const size_t n = row.out_size * lanes;
  const bool onward = wanted_[size_t(row.from[0])];
  auto into = [&](size_t i) {
    const int v = row.from[i];
    const bool first = first_writer_[size_t(v)] == int(r) && (i == 0 || row.from[0] != v);
    return Into(k, grads + gradient_at_[size_t(v)], first, training_form_.size_of(v) * lanes);
  };
  if (row.cut && row.kind != Kind::conv_pool && row.kind != Kind::norm) {
    float* masked = static_cast<float*>(scratch(3, n * sizeof(float)));
    k.relu_dx(n, y, dy, masked);
    dy = masked;
  }
  if (row.kind == Kind::add || row.kind == Kind::join) {
    for (size_t i = 0; i < row.from.size(); ++i)
      if (wanted_[size_t(row.from[i])]) into(i).copy(dy + (row.at.empty() ? 0 : row.at[i] * lanes));
    return;
  }
  if (row.kind == Kind::linear)
    transpose_group(row.out, dy, dyt_.data() + dyt_at_[r] * size_t(capacity_) + size_t(g) * lanes * padded_out(row.out),
                    k.lanes);
  if (row.convolves()) {
    const Conv& c = row.conv;
    const auto& t = kernels_of(row, k);
    const float* xp = c.padded() ? arena + row.frame : x;
    const float* packed = packed_dx_.data() + packed_dx_at_[r];
    float* to = partials_.data() + partial_size_ * size_t(shard) + partial_at_[r];
    float* bias = row.b >= 0 ? to + aligned(packed_dw_size(c)) : nullptr;
    const Into dx = onward ? into(0) : Into(k, nullptr, true, 0);
    if (row.kind == Kind::conv_pool) {
      t.pooled_backward(c, xp, dy, reinterpret_cast<const uint8_t*>(arena + row.winner), row.cut, packed, to, bias,
                        dx.to(), room_of(t, row.kind, c));
    } else {
      float* dframe = static_cast<float*>(scratch(9, frame_size_ * L * sizeof(float) + 64));
      frame_group(c, dy, dframe, k.lanes);
      if (trained(row.w) || trained(row.b)) t.conv_dw(c, xp, dframe, to, bias, room_of(t, row.kind, c));
      if (onward) t.conv_dx(c, dframe, packed, dx.to(), room_of(t, row.kind, c));
    }
    dx.done();
    return;
  }
  if (!onward) return;
  const Into dx = into(0);
  switch (row.kind) {
    case Kind::linear:
      k.linear_dx(row.in, row.out, dy, params_[size_t(row.w)].value, dx.to());
      break;
    case Kind::max_pool:
      k.max_pool_dx(row.pool, dy, reinterpret_cast<const int32_t*>(arena + row.winner), dx.to());
      break;
    case Kind::avg_pool:
      k.avg_pool_dx(row.pool, dy, dx.to());
      break;
    case Kind::act:
      if (row.act == Act::relu)
        k.relu_dx(n, y, dy, dx.to());
      else if (row.act == Act::sigmoid)
        k.sigmoid_dx(n, y, dy, dx.to());
      else if (row.act == Act::tanh)
        k.tanh_dx(n, y, dy, dx.to());
      else
        k.activate_dx(row.act, row.slope, n, x, y, dy, dx.to());
      break;
    case Kind::softmax:
      k.softmax_dx(row.out, y, dy, dx.to());
      break;
    case Kind::dropout:
      if (training_)
        k.mul(n, dy, masks_.data() + mask_size_ * size_t(g) + mask_at_[r], dx.to());
      else
        k.scale(n, row.upscale ? 1.0f : 1.0f - row.p, dy, dx.to());
      break;
    case Kind::spread:
      spread_dx<float>(size_t(row.in), row.H, row.W, row.fh, row.fw, lanes, dy, dx.to());
      break;
    default:
      break;
  }
  dx.done();
}

// ---- normalisation -------------------------------------------------------------------------------------------------

// The second half of a normalisation's way back, when all groups' sums are known.
void Plan::norm_gradient(size_t r, int g, float* grads) {
  const Row& row = rows()[r];
  const auto& k = *kernels_;
  const size_t n = row.out_size * size_t(k.lanes);
  const int rest = row.from.size() > 1 ? row.from[1] : 0, own = row.from[0];
  const bool twice = rest == own;
  auto into = [&](int v, bool first) {
    return Into(k, grads + gradient_at_[size_t(v)], first && first_writer_[size_t(v)] == int(r), n);
  };
  const float* dy = grads + gradient_at_[r + 1];
  const float* y = row.cut ? group(g) + row.y : nullptr;
  // What is added gets the gradient as it is: by the way where nothing is there yet.
  const bool added = rest && wanted_[size_t(rest)];
  const bool direct = added && !twice && wanted_[size_t(own)] && first_writer_[size_t(rest)] == int(r);
  if (added && !direct) {
    if (y) {
      float* masked = static_cast<float*>(scratch(3, n * sizeof(float)));
      k.relu_dx(n, y, dy, masked);
      dy = masked, y = nullptr;
    }
    into(rest, true).copy(dy);
  }
  if (!wanted_[size_t(own)]) return;
  const Into dx = into(own, !twice);
  const float* mean = norm_.data() + norm_at_[r];
  k.norm_dx(row.out, row.cells, real_lanes(n_, g, k.lanes), group(g) + training_form_.place_of(own), y, dy, mean,
            mean + norm_size_, mean + 4 * norm_size_, mean + 5 * norm_size_, dx.to(),
            direct ? grads + gradient_at_[size_t(rest)] : nullptr);
  dx.done();
}

// ---- all of a batch ------------------------------------------------------------------------------------------------

// A segment's rows, latest first. The normalisation that it begins with is left at its sums over this group.
void Plan::backward_segment(size_t segment, int g, int shard) {
  float* grads = gradients_of(g);
  const size_t first = cuts_[segment], end = cuts_[segment + 1];
  if (segment + 2 < cuts_.size()) {
    Stopwatch watch(clock_, rows().size() + end);
    if (wanted_[end + 1]) norm_gradient(end, g, grads);
  }
  for (size_t r = end; r-- > first + (segment ? 1 : 0);) {
    if (!wanted_[r + 1]) continue;
    Stopwatch watch(clock_, rows().size() + r);
    backward_row(r, g, shard, grads);
  }
  if (!segment || !wanted_[first + 1]) return;
  Stopwatch watch(clock_, rows().size() + first);
  const Row& row = rows()[first];
  double* to = statistics_.data() + 2 * norm_size_ * size_t(g) + norm_at_[first];
  kernels_->norm_sums(row.out, row.cells, group(g) + training_form_.place_of(row.from[0]),
                      row.cut ? group(g) + row.y : nullptr, grads + gradient_at_[first + 1],
                      norm_.data() + norm_at_[first], to, to + norm_size_);
}

// The same for all groups together.
void Plan::backward_segment_wide(size_t segment) {
  const size_t first = cuts_[segment], end = cuts_[segment + 1];
  if (segment + 2 < cuts_.size()) {
    Stopwatch watch(clock_, rows().size() + end);
    if (wanted_[end + 1]) norm_gradient_wide(end);
  }
  for (size_t r = end; r-- > first + (segment ? 1 : 0);) {
    if (!wanted_[r + 1]) continue;
    Stopwatch watch(clock_, rows().size() + r);
    backward_wide(r);
  }
  if (!segment || !wanted_[first + 1]) return;
  Stopwatch watch(clock_, rows().size() + first);
  norm_sums_wide(first);
}

// All segments before the last, whose groups have gone back already.
void Plan::backward_rest() {
  for (size_t i = cuts_.size() - 2; i-- > 0;) {
    const size_t r = cuts_[i + 1];
    const Row& row = rows()[r];
    float *mean = norm_.data() + norm_at_[r], *var = mean + 3 * norm_size_;
    std::vector<float> dw(size_t(row.out)), db(size_t(row.out));
    for (int c = 0; wanted_[r + 1] && c < row.out; ++c) {
      const double* from = statistics_.data() + norm_at_[r] + c;
      join_sums(n_, row.cells, from, from + norm_size_, 2 * norm_size_, var[c], row.epsilon, row.batch, &dw[size_t(c)],
                &db[size_t(c)], mean + 4 * norm_size_ + c, mean + 5 * norm_size_ + c, kernels_->lanes);
    }
    if (trained(row.w)) std::memcpy(params_[size_t(row.w)].grad, dw.data(), dw.size() * sizeof(float));
    if (trained(row.b)) std::memcpy(params_[size_t(row.b)].grad, db.data(), db.size() * sizeof(float));
    if (wide_)
      backward_segment_wide(i);
    else
      over_groups_of_shards(groups(), [&](int s, int g) { backward_segment(i, g, s); });
  }
}

void Plan::backward(const float* dy, const Source& source, const Pass& pass, float* const* grads) {
  Hold hold(lock_);
  if (kept_ != pass.number) {
    Generator random(0);
    if (pass.before) random.go_to(*pass.before);
    run_forward(source, pass, random, nullptr, nullptr);
  }
  run(shards_of(groups()), [&](int s) { zero_shard(s); });
  auto enter = [&](int s, int g) {
    float* to = gradients_of(g);
    size_t at = 0;
    for (const Head& head : heads()) {
      if (wanted_[size_t(head.value)])
        from_full(head.size(), kernels_->lanes, g, out_size_, at, dy, to + gradient_at_[size_t(head.value)]);
      at += head.size();
    }
    if (!wide_) backward_segment(cuts_.size() - 2, g, s);
  };
  if (wide_) {
    run(groups(), [&](int g) { enter(g, g); });
    backward_segment_wide(cuts_.size() - 2);
  } else {
    over_groups_of_shards(groups(), enter);
  }
  backward_rest();
  gradients();
  for (size_t i = 0; i < params_.size(); ++i)
    if (grads[i] && params_[i].trainable) std::memcpy(grads[i], params_[i].grad, params_[i].n * sizeof(float));
}

}  // namespace lenet
