// A batch of one group: its rows are cut in two by channels, so that two threads have work. The halves are a function
// of the network alone; one thread takes them one after the other, to the same bits. See plan.h.
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

// f(half) of `total` things, side by side; a half may be empty.
template <class F>
void halves(size_t total, F f) {
  run(kParts, [&](int part) {
    const Half own = half(total, part);
    if (own.n) f(own);
  });
}

}  // namespace

// Each half of the weights lies where it would if the other were packed alike: packed sizes are so much a channel.
void Plan::pack_two(size_t r, float* packed, float* packed_dx) const {
  const Row& row = rows()[r];
  const Conv& c = row.conv;
  const auto& k = kernels_of(row);
  const float* w = params_[size_t(row.w)].value;
  const size_t own = c.weights() / size_t(c.K), area = size_t(c.kh) * c.kw;
  for (int part = 0; part < kParts; ++part) {
    const Half made = half(size_t(c.K), part), taken = half(size_t(c.C), part);
    if (made.n)
      k.conv_pack(making(c, made), w + made.from * own,
                  packed + packed_at_[r] + packed_size(c) / size_t(c.K) * made.from);
    if (!taken.n || !packed_dx || !wanted_[size_t(row.from[0])]) continue;
    float* some = static_cast<float*>(scratch(6, size_t(c.K) * taken.n * area * sizeof(float) + 64));
    for (int o = 0; o < c.K; ++o)
      std::memcpy(some + size_t(o) * taken.n * area, w + (size_t(o) * c.C + taken.from) * area,
                  taken.n * area * sizeof(float));
    k.conv_pack_dx(taking(c, taken), some, packed_dx + packed_dx_at_[r] + packed_size(c) / size_t(c.C) * taken.from);
  }
}

void Plan::unpack_two(const Row& row, const float* sum, float* grad) const {
  const Conv& c = row.conv;
  for (int part = 0; part < kParts; ++part) {
    const Half made = half(size_t(c.K), part);
    if (made.n)
      kernels_of(row).conv_unpack_dw(making(c, made), sum + packed_dw_size(c) / size_t(c.K) * made.from,
                                     grad + c.weights() / size_t(c.K) * made.from);
  }
}

void Plan::forward_wide(size_t r) {
  const auto& k = kernels();
  const Row& row = rows()[r];
  float* arena = group(0);
  const float* x = arena + training_form_.place_of(row.from[0]);
  float* y = arena + row.y;
  if (cut_in_two(row)) {
    const Conv& c = row.conv;
    if (c.padded() && int(r) != training_form_.entry)
      halves(size_t(c.C), [&](Half own) {
        pad_group(taking(c, own), x + own.from * c.H * c.W * L, arena + row.frame + own.from * c.Hp * c.Wp * L);
      });
    const float* xp = c.padded() ? arena + row.frame : x;
    const float* b = row.b >= 0 ? params_[size_t(row.b)].value : nullptr;
    halves(size_t(c.K), [&](Half own) {
      const Conv part = making(c, own);
      float* room = static_cast<float*>(scratch(2, k.conv_room(part) * sizeof(float) + 64));
      k.conv_forward(part, xp, packed_.data() + packed_at_[r] + packed_size(c) / size_t(c.K) * own.from,
                     b ? b + own.from : nullptr, row.cut, y + own.from * c.OH * c.OW * L, room);
    });
  } else if (row.kind == Kind::norm) {
    const size_t one = row.cells * L;
    const float* rest = row.from.size() > 1 ? arena + training_form_.place_of(row.from[1]) : nullptr;
    halves(size_t(row.out), [&](Half own) {
      const float* mean = norm_.data() + norm_at_[r] + own.from;
      k.norm(int(own.n), one, x + own.from * one, mean, mean + norm_size_, mean + 2 * norm_size_,
             rest ? rest + own.from * one : nullptr, row.cut, y + own.from * one);
    });
  } else if (row.kind == Kind::add || row.kind == Kind::act) {
    halves(row.out_size, [&](Half own) {
      const size_t at = own.from * L;
      if (row.kind == Kind::act) return activate_all(row, own.n * L, x + at, y + at);
      const float* other = arena + training_form_.place_of(row.from[1]);
      (row.cut ? k.add_cut : k.add)(own.n * L, x + at, other + at, y + at);
    });
  } else {
    forward_row(training_form_, r, arena, packed_.data(), masks_.data(), training_);
  }
}

void Plan::backward_wide(size_t r, float* grads) {
  const Row& row = rows()[r];
  if (!cut_in_two(row)) return backward_row(r, 0, 0, grads);
  const auto& k = kernels();
  const Conv& c = row.conv;
  const size_t area = size_t(c.OH) * c.OW * L, frame = size_t(c.OH) * (c.OW + 2) * L;
  float* arena = group(0);
  const float* dy = grads + gradient_at_[r + 1];
  float* dframe = static_cast<float*>(scratch(9, frame_size_ * L * sizeof(float) + 64));
  float* masked = row.cut ? static_cast<float*>(scratch(3, size_t(c.K) * area * sizeof(float))) : nullptr;
  halves(size_t(c.K), [&](Half own) {
    const float* from = dy + own.from * area;
    if (masked) {
      k.relu_dx(own.n * area, arena + row.y + own.from * area, from, masked + own.from * area);
      from = masked + own.from * area;
    }
    frame_group(making(c, own), from, dframe + own.from * frame);
  });
  const int v = row.from[0];
  const bool trains = trained(row.w) || trained(row.b), onward = wanted_[size_t(v)],
             first = first_writer_[size_t(v)] == int(r);
  const size_t size = c.in_size() * L;
  float *own_dx = grads + gradient_at_[size_t(v)], *dx = own_dx;
  if (onward && !first) dx = static_cast<float*>(scratch(1, size * sizeof(float) + 64));
  const float* xp = c.padded() ? arena + row.frame : arena + training_form_.place_of(v);
  float* sums = partials_.data() + partial_at_[r];
  run(2 * kParts, [&](int task) {
    const int part = task / 2;
    const Half made = half(size_t(c.K), part), taken = half(size_t(c.C), part);
    auto room = [&](const Conv& of) { return static_cast<float*>(scratch(2, k.conv_room(of) * sizeof(float) + 64)); };
    if (task % 2 == 0 && trains && made.n) {
      const Conv of = making(c, made);
      float* bias = row.b >= 0 ? sums + aligned(packed_dw_size(c)) + made.from : nullptr;
      k.conv_dw(of, xp, dframe + made.from * frame, sums + packed_dw_size(c) / size_t(c.K) * made.from, bias, room(of));
    }
    if (task % 2 == 1 && onward && taken.n) {
      const Conv of = taking(c, taken);
      k.conv_dx(of, dframe, packed_dx_.data() + packed_dx_at_[r] + packed_size(c) / size_t(c.C) * taken.from,
                dx + taken.from * c.H * c.W * L, room(of));
    }
  });
  if (onward && !first) k.add(size, own_dx, dx, own_dx);
}

// ---- normalisation -------------------------------------------------------------------------------------------------

void Plan::statistics_wide(size_t r) {
  const Row& row = rows()[r];
  const float* x = group(0) + training_form_.place_of(row.from[0]);
  halves(size_t(row.out), [&](Half own) {
    double* to = statistics_.data() + norm_at_[r] + own.from;
    kernels().norm_stats(int(own.n), row.cells, n_, x + own.from * row.cells * L, to, to + norm_size_);
  });
}

void Plan::norm_sums_wide(size_t r, const float* grads) {
  const Row& row = rows()[r];
  const float *x = group(0) + training_form_.place_of(row.from[0]), *y = row.cut ? group(0) + row.y : nullptr;
  halves(size_t(row.out), [&](Half own) {
    double* to = statistics_.data() + norm_at_[r] + own.from;
    const size_t at = own.from * row.cells * L;
    kernels().norm_sums(int(own.n), row.cells, x + at, y ? y + at : nullptr, grads + gradient_at_[r + 1] + at,
                        norm_.data() + norm_at_[r] + own.from, to, to + norm_size_);
  });
}

void Plan::norm_gradient_wide(size_t r, float* grads) {
  const Row& row = rows()[r];
  const size_t v = size_t(row.from[0]);
  if (row.from.size() > 1 || !wanted_[v] || first_writer_[v] != int(r)) return norm_gradient(r, 0, grads);
  const float *x = group(0) + training_form_.place_of(int(v)), *y = row.cut ? group(0) + row.y : nullptr;
  halves(size_t(row.out), [&](Half own) {
    const size_t at = own.from * row.cells * L;
    const float* mean = norm_.data() + norm_at_[r] + own.from;
    kernels().norm_dx(int(own.n), row.cells, n_, x + at, y ? y + at : nullptr, grads + gradient_at_[r + 1] + at, mean,
                      mean + norm_size_, mean + 4 * norm_size_, mean + 5 * norm_size_, grads + gradient_at_[v] + at,
                      nullptr);
  });
}

}  // namespace lenet
