// A batch of one or three groups: its rows are cut in two by channels, so that two threads have as much to do. The
// halves are a function of the network alone; one thread takes them one after the other, to the same bits. See plan.h.
#include <cstring>

#include "layout.h"
#include "moments.h"
#include "plan.h"
#include "plan_run.h"
#include "pool.h"

namespace lenet {

namespace {

constexpr int kParts = 2;

struct Half {
  size_t from, n;
};
Half half(size_t total, int part) { return {part ? total / 2 : 0, part ? total - total / 2 : total / 2}; }

// A convolution's part that makes some of its channels; the part of its gradient that reaches some of its inputs.
Conv making(const Conv& c, Half of) {
  Conv part = c;
  part.K = int(of.n);
  return part;
}
Conv taking(const Conv& c, Half of) {
  Conv part = c;
  part.C = int(of.n);
  return part;
}

// f(group, half) of `total` things, side by side; a half may be empty.
template <class F>
void halves(int groups, size_t total, F f) {
  run(groups * kParts, [&](int task) {
    const Half own = half(total, task % kParts);
    if (own.n) f(task / kParts, own);
  });
}

// Numbers a channel of a row's packed weights for its input's gradient.
size_t packed_dx_step(const Row& row) {
  const Conv& c = row.conv;
  return (row.kind == Kind::conv_pool ? pooled_packed_dx_size(c) : packed_size(c)) / size_t(c.C);
}

}  // namespace

// Each half of the weights lies where it would if the other were packed alike: packed sizes are so much a channel.
void Plan::pack_two(size_t r, float* packed, float* packed_dx) const {
  const Row& row = rows()[r];
  const Conv& c = row.conv;
  const auto& k = *kernels_;
  const bool pooled = row.kind == Kind::conv_pool;
  const float* w = params_[size_t(row.w)].value;
  const size_t own = c.weights() / size_t(c.K), area = size_t(c.kh) * c.kw;
  for (int part = 0; part < kParts; ++part) {
    const Half made = half(size_t(c.K), part), taken = half(size_t(c.C), part);
    if (made.n)
      (pooled ? k.pooled_pack : k.conv_pack)(making(c, made), w + made.from * own,
                                             packed + packed_at_[r] + packed_size(c) / size_t(c.K) * made.from);
    if (!taken.n || !packed_dx || !wanted_[size_t(row.from[0])]) continue;
    float* some = static_cast<float*>(scratch(6, size_t(c.K) * taken.n * area * sizeof(float) + 64));
    for (int o = 0; o < c.K; ++o)
      std::memcpy(some + size_t(o) * taken.n * area, w + (size_t(o) * c.C + taken.from) * area,
                  taken.n * area * sizeof(float));
    (pooled ? k.pooled_pack_dx : k.conv_pack_dx)(taking(c, taken), some,
                                                 packed_dx + packed_dx_at_[r] + packed_dx_step(row) * taken.from);
  }
}

void Plan::unpack_two(const Row& row, const float* sum, float* grad) const {
  const Conv& c = row.conv;
  const auto unpack = row.kind == Kind::conv_pool ? kernels_->pooled_unpack_dw : kernels_->conv_unpack_dw;
  for (int part = 0; part < kParts; ++part) {
    const Half made = half(size_t(c.K), part);
    if (made.n)
      unpack(making(c, made), sum + packed_dw_size(c) / size_t(c.K) * made.from,
             grad + c.weights() / size_t(c.K) * made.from);
  }
}

void Plan::forward_wide(size_t r) {
  const auto& k = *kernels_;
  const Row& row = rows()[r];
  const size_t lanes = size_t(k.lanes), x_at = training_form_.place_of(row.from[0]);
  if (cut_in_two(row)) {
    const Conv& c = row.conv;
    const bool pooled = row.kind == Kind::conv_pool;
    if (c.padded() && int(r) != training_form_.entry)
      halves(groups(), size_t(c.C), [&](int g, Half own) {
        float* arena = group(g);
        pad_group(taking(c, own), arena + x_at + own.from * c.H * c.W * lanes,
                  arena + row.frame + own.from * c.Hp * c.Wp * lanes, k.lanes);
      });
    halves(groups(), size_t(c.K), [&](int g, Half own) {
      float* arena = group(g);
      const float* xp = c.padded() ? arena + row.frame : arena + x_at;
      const float* packed = packed_.data() + packed_at_[r] + packed_size(c) / size_t(c.K) * own.from;
      const float* bias = row.b >= 0 ? params_[size_t(row.b)].value + own.from : nullptr;
      const Conv part = making(c, own);
      float* room = room_of(k, row.kind, part);
      float* y = arena + row.y + own.from * (row.out_size / size_t(c.K)) * lanes;
      if (!pooled) return k.conv_forward(part, xp, packed, bias, row.cut, y, room);
      auto* winner = reinterpret_cast<uint8_t*>(arena + row.winner) + own.from * (row.out_size / size_t(c.K)) * lanes;
      k.pooled_forward(part, xp, packed, bias, row.cut, y, winner, room);
    });
  } else if (row.kind == Kind::norm) {
    const size_t one = row.cells * lanes;
    halves(groups(), size_t(row.out), [&](int g, Half own) {
      const float* mean = norm_.data() + norm_at_[r] + own.from;
      const float* rest = row.from.size() > 1 ? group(g) + training_form_.place_of(row.from[1]) : nullptr;
      k.norm(int(own.n), one, group(g) + x_at + own.from * one, mean, mean + norm_size_, mean + 2 * norm_size_,
             rest ? rest + own.from * one : nullptr, row.cut, group(g) + row.y + own.from * one);
    });
  } else if (row.kind == Kind::add || row.kind == Kind::act) {
    halves(groups(), row.out_size, [&](int g, Half own) {
      const size_t at = own.from * lanes;
      const float* x = group(g) + x_at + at;
      float* y = group(g) + row.y + at;
      if (row.kind == Kind::act) return activate_all(row, own.n * lanes, x, y);
      const float* other = group(g) + training_form_.place_of(row.from[1]) + at;
      (row.cut ? k.add_cut : k.add)(own.n * lanes, x, other, y);
    });
  } else {
    run(groups(), [&](int g) {
      forward_row(training_form_, r, k, group(g), packed_.data(), masks_.data() + mask_size_ * size_t(g), training_);
    });
  }
}

void Plan::backward_wide(size_t r) {
  const Row& row = rows()[r];
  if (!cut_in_two(row)) return run(groups(), [&](int g) { backward_row(r, g, g, gradients_of(g)); });
  const auto& k = *kernels_;
  const Conv& c = row.conv;
  const bool pooled = row.kind == Kind::conv_pool;
  const size_t lanes = size_t(k.lanes), plane = row.out_size / size_t(c.K) * lanes;
  const size_t frame = size_t(c.OH) * (c.OW + 2) * lanes, frames = frame * size_t(c.K);
  float* dframe = nullptr;  // of all groups, one after another
  if (!pooled) {
    dframe = static_cast<float*>(scratch(9, size_t(groups()) * frames * sizeof(float) + 64));
    halves(groups(), size_t(c.K), [&](int g, Half own) {
      const float* from = gradients_of(g) + gradient_at_[r + 1] + own.from * plane;
      if (row.cut) {
        float* masked = static_cast<float*>(scratch(3, own.n * plane * sizeof(float)));
        k.relu_dx(own.n * plane, group(g) + row.y + own.from * plane, from, masked);
        from = masked;
      }
      frame_group(making(c, own), from, dframe + size_t(g) * frames + own.from * frame, k.lanes);
    });
  }
  const int v = row.from[0];
  const bool trains = trained(row.w) || trained(row.b), onward = wanted_[size_t(v)],
             first = first_writer_[size_t(v)] == int(r);
  const size_t size = c.in_size() * lanes;
  float* aside = nullptr;
  if (onward && !first) aside = static_cast<float*>(scratch(1, size_t(groups()) * size * sizeof(float) + 64));
  auto dx_of = [&](int g) { return first ? gradients_of(g) + gradient_at_[size_t(v)] : aside + size_t(g) * size; };
  // Half of the channels it makes for the weights' gradient, half of those it takes for the input's.
  run(groups() * 2 * kParts, [&](int task) {
    const int g = task / (2 * kParts), part = task / 2 % kParts;
    const Half made = half(size_t(c.K), part), taken = half(size_t(c.C), part);
    float* arena = group(g);
    const float* xp = c.padded() ? arena + row.frame : arena + training_form_.place_of(v);
    const float* dy = gradients_of(g) + gradient_at_[r + 1];
    const auto* winner = reinterpret_cast<const uint8_t*>(arena + row.winner);
    if (task % 2 == 0 && trains && made.n) {
      const Conv of = making(c, made);
      float* sums = partials_.data() + partial_size_ * size_t(g) + partial_at_[r];
      float* bias = row.b >= 0 ? sums + aligned(packed_dw_size(c)) + made.from : nullptr;
      sums += packed_dw_size(c) / size_t(c.K) * made.from;
      float* room = room_of(k, row.kind, of);
      if (pooled)
        k.pooled_backward(of, xp, dy + made.from * plane, winner + made.from * plane, row.cut, nullptr, sums, bias,
                          nullptr, room);
      else
        k.conv_dw(of, xp, dframe + size_t(g) * frames + made.from * frame, sums, bias, room);
    }
    if (task % 2 == 1 && onward && taken.n) {
      const Conv of = taking(c, taken);
      const float* packed = packed_dx_.data() + packed_dx_at_[r] + packed_dx_step(row) * taken.from;
      float *dx = dx_of(g) + taken.from * c.H * c.W * lanes, *room = room_of(k, row.kind, of);
      if (pooled)
        k.pooled_backward(of, nullptr, dy, winner, row.cut, packed, nullptr, nullptr, dx, room);
      else
        k.conv_dx(of, dframe + size_t(g) * frames, packed, dx, room);
    }
  });
  if (!onward || first) return;
  halves(groups(), c.in_size(), [&](int g, Half own) {
    float* to = gradients_of(g) + gradient_at_[size_t(v)] + own.from * lanes;
    k.add(own.n * lanes, to, aside + size_t(g) * size + own.from * lanes, to);
  });
}

// ---- normalisation -------------------------------------------------------------------------------------------------

void Plan::statistics_wide(size_t r) {
  const Row& row = rows()[r];
  const size_t one = row.cells * size_t(kernels_->lanes);
  halves(groups(), size_t(row.out), [&](int g, Half own) {
    const float* x = group(g) + training_form_.place_of(row.from[0]) + own.from * one;
    double* to = statistics_.data() + 2 * norm_size_ * size_t(g) + norm_at_[r] + own.from;
    kernels_->norm_stats(int(own.n), row.cells, real_lanes(n_, g, kernels_->lanes), x, to, to + norm_size_);
  });
}

void Plan::norm_sums_wide(size_t r) {
  const Row& row = rows()[r];
  halves(groups(), size_t(row.out), [&](int g, Half own) {
    double* to = statistics_.data() + 2 * norm_size_ * size_t(g) + norm_at_[r] + own.from;
    const size_t at = own.from * row.cells * size_t(kernels_->lanes);
    const float* y = row.cut ? group(g) + row.y + at : nullptr;
    kernels_->norm_sums(int(own.n), row.cells, group(g) + training_form_.place_of(row.from[0]) + at, y,
                        gradients_of(g) + gradient_at_[r + 1] + at, norm_.data() + norm_at_[r] + own.from, to,
                        to + norm_size_);
  });
}

void Plan::norm_gradient_wide(size_t r) {
  const Row& row = rows()[r];
  const size_t v = size_t(row.from[0]);
  if (row.from.size() > 1 || !wanted_[v] || first_writer_[v] != int(r))
    return run(groups(), [&](int g) { norm_gradient(r, g, gradients_of(g)); });
  halves(groups(), size_t(row.out), [&](int g, Half own) {
    const size_t at = own.from * row.cells * size_t(kernels_->lanes);
    const float* y = row.cut ? group(g) + row.y + at : nullptr;
    const float* mean = norm_.data() + norm_at_[r] + own.from;
    float* grads = gradients_of(g);
    kernels_->norm_dx(int(own.n), row.cells, real_lanes(n_, g, kernels_->lanes),
                      group(g) + training_form_.place_of(int(v)) + at, y, grads + gradient_at_[r + 1] + at, mean,
                      mean + norm_size_, mean + 4 * norm_size_, mean + 5 * norm_size_, grads + gradient_at_[v] + at,
                      nullptr);
  });
}

}  // namespace lenet
