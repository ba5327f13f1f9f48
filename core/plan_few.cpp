// A plan's answers for few images, or large ones: one after another with kernels whose lanes aren't samples (one.h),
// side by side where each is much work; a single large one cut into strips of rows.
#include <algorithm>
#include <cstring>

#include "layout.h"
#include "plan.h"
#include "plan_run.h"
#include "pool.h"

namespace lenet {

// from: what the convolutions' weights were packed from, to see whether they have changed; norms: each normalisation's
// mean, scale and shift.
struct Plan::PackedOne {
  Floats from, packed;
  std::vector<size_t> at;  // by row
  const Kernels<float>* level;
};

namespace {

// The parameters that a row's packed numbers are made of.
std::vector<int> made_of(const Row& row) {
  std::vector<int> found;
  const bool norm = row.kind == Kind::norm;
  if (row.convolves()) found = {row.w};
  if (row.folded() || norm) found.insert(found.end(), {row.mean, row.var});
  if (row.folded()) found.insert(found.end(), {row.b, row.norm_w, row.norm_b});
  if (norm) found.insert(found.end(), {row.w, row.b});
  found.erase(std::remove(found.begin(), found.end(), -1), found.end());
  return found;
}

}  // namespace

// Packed anew only if something has changed: a few KB to compare, many to pack.
std::shared_ptr<const Plan::PackedOne> Plan::pack_for_one() {
  const auto& k = kernels();
  std::shared_ptr<const PackedOne> known;
  {
    Hold hold(packing_);
    known = packed_one_;
  }
  size_t raw = 0, packed = 0;
  bool fresh = known && known->level == &k;
  std::vector<size_t> at;
  for (const Row& row : one_form_.rows) {
    for (int p : made_of(row)) {
      const Param& param = params_[size_t(p)];
      fresh = fresh && std::memcmp(known->from.data() + raw, param.value, param.n * sizeof(float)) == 0;
      raw += aligned(param.n);
    }
    at.push_back(packed);
    if (row.convolves()) packed += aligned(k.one_packed_size(row.conv)) + aligned(size_t(row.conv.K));
    if (row.kind == Kind::norm) packed += 3 * aligned(size_t(row.out));
  }
  if (fresh) return known;
  auto made = std::make_shared<PackedOne>();
  made->level = &k;
  made->at = std::move(at);
  made->from.resize(raw);
  made->packed.resize(packed);
  raw = 0;
  for (size_t r = 0; r < one_form_.rows.size(); ++r) {
    const Row& row = one_form_.rows[r];
    float* to = made->packed.data() + made->at[r];
    std::vector<const float*> own;  // the copies, so that both are of one moment
    for (int p : made_of(row)) {
      const Param& param = params_[size_t(p)];
      std::memcpy(made->from.data() + raw, param.value, param.n * sizeof(float));
      own.push_back(made->from.data() + raw);
      raw += aligned(param.n);
    }
    if (row.convolves()) {
      const float* w = own[0];
      if (row.folded()) {
        float* folded = static_cast<float*>(scratch(5, row.conv.weights() * sizeof(float) + 64));
        fold(row, folded, to + aligned(k.one_packed_size(row.conv)));
        w = folded;
      }
      k.one_pack(row.conv, w, to);
    } else if (row.kind == Kind::norm) {
      const size_t step = aligned(size_t(row.out));
      std::memcpy(to, own[0], size_t(row.out) * sizeof(float));
      norm_numbers(row.w, row.b, row.epsilon, row.out, own[1], to + step, to + 2 * step);
    }
  }
  Hold hold(packing_);
  packed_one_ = made;
  return made;
}

namespace {

// Multiplications in convolutions from which on a second thread is worth it. Two million take some fifty microseconds
// on a core with AVX-512.
constexpr size_t kWorth = 1u << 20;
constexpr size_t kStrip = 48 * 1024;  // numbers of a padded strip, at most: it stays in the second cache
constexpr size_t kPiece = 1u << 16;   // numbers that one task of an elementwise row takes

// One row of one image, cut into tasks.
struct OneRow {
  const Kernels<float>& k;
  const Row& row;
  const float *x, *packed, *bias;
  float* y;

  // Output rows of one strip of a convolution: even, so that maxima fit.
  int strip_rows() const {
    const Conv& c = row.conv;
    const size_t one = size_t(c.C) * c.Wp * c.sh;
    const size_t fit = kStrip / (one ? one : 1);
    return int(std::min<size_t>(std::max<size_t>(fit / 2 * 2, 4), size_t(c.OH + 1)));
  }
  int tasks() const {
    if (row.convolves()) return (row.conv.OH + strip_rows() - 1) / strip_rows();
    return 1;
  }

  void conv(int task) const {
    const Conv& c = row.conv;
    const bool pooled = row.kind == Kind::conv_pool;
    const int rows = strip_rows(), from = task * rows;
    Conv strip = c;
    strip.OH = std::min(rows, c.OH - from);
    const float* xp = x + size_t(from) * c.sh * c.Wp;
    if (c.padded()) {
      strip.Hp = (strip.OH - 1) * c.sh + c.kh;
      float* frame = static_cast<float*>(scratch(2, (size_t(c.C) * strip.Hp * c.Wp + kSlack) * sizeof(float)));
      pad_strip(c, from * c.sh - c.pt, strip.Hp, x, frame);
      xp = frame;
    }
    const size_t plane = pooled ? size_t(c.OH / 2) * (c.OW / 2) : size_t(c.OH) * c.OW;
    float* to = y + (pooled ? size_t(from / 2) * (c.OW / 2) : size_t(from) * c.OW);
    k.one_conv(strip, xp, packed, bias, row.cut, pooled, plane, to);
  }
};

}  // namespace

bool Plan::infer_few(const Source& source, const int64_t* indices, size_t n, float* const* outputs) {
  size_t work = 0;
  for (const Row& row : one_form_.rows) {
    if (row.convolves() && !row.conv.plain()) return false;
    if (row.kind == Kind::softmax && row.cells > 1) return false;
    if (row.convolves()) work += row.conv.weights() * size_t(row.conv.OH) * row.conv.OW;
  }
  const std::shared_ptr<const PackedOne> weights = pack_for_one();
  const bool many = n > 1 && work >= kWorth, large = !many && work >= 4 * kWorth;
  auto one = [&](size_t i) {
    infer_one(*weights, source, (indices ? size_t(indices[i]) : i) * one_form_.in_size, outputs, i, large);
  };
  if (many)
    run(int(n), [&](int i) { one(size_t(i)); });
  else
    for (size_t i = 0; i < n; ++i) one(i);
  return true;
}

void Plan::infer_one(const PackedOne& weights, const Source& source, size_t at, float* const* outputs, size_t i,
                     bool side_by_side) const {
  const auto& k = *weights.level;
  const Graph& form = one_form_;
  float* arena = static_cast<float*>(scratch(4, (form.size + kSlack) * sizeof(float)));
  if (source.bytes)
    for (size_t f = 0; f < form.in_size; ++f) arena[f] = source.lut[source.bytes[at + f]];
  else
    std::memcpy(arena, source.floats + at, form.in_size * sizeof(float));
  for (size_t r = 0; r < form.rows.size(); ++r) {
    const Row& row = form.rows[r];
    const float* x = arena + form.place_of(row.from[0]);
    const float* packed = weights.packed.data() + weights.at[r];
    const float* b = row.b >= 0 ? params_[size_t(row.b)].value : nullptr;
    float* y = arena + row.y;
    const size_t size = row.out_size;
    auto pieces = [&](auto f) {  // f(from, count) over what is elementwise
      const int n = side_by_side ? int((size + kPiece - 1) / kPiece) : 1;
      const size_t step = n > 1 ? kPiece : size;
      auto one = [&](int p) { f(size_t(p) * step, std::min(step, size - size_t(p) * step)); };
      if (n > 1)
        run(n, one);
      else
        one(0);
    };
    switch (row.kind) {
      case Kind::conv:
      case Kind::conv_pool: {
        const OneRow one{k, row, x, packed, row.folded() ? packed + aligned(k.one_packed_size(row.conv)) : b, y};
        if (side_by_side)
          run(one.tasks(), [&](int t) { one.conv(t); });
        else
          for (int t = 0; t < one.tasks(); ++t) one.conv(t);
        break;
      }
      case Kind::max_pool:
      case Kind::avg_pool: {
        float* room = static_cast<float*>(scratch(2, (one_pool_room(row.pool) + kSlack) * sizeof(float)));
        (row.kind == Kind::max_pool ? k.one_max_pool : k.one_avg_pool)(row.pool, x, room, y);
        break;
      }
      case Kind::linear:
        k.one_linear(row.in, row.out, x, params_[size_t(row.w)].value, b, row.cut, y);
        break;
      case Kind::softmax:
        k.one_softmax(row.out, x, y);
        break;
      case Kind::act:
        pieces([&](size_t from, size_t n) { activate_all(row, n, x + from, y + from); });
        break;
      case Kind::dropout:
        k.scale(size, row.upscale ? 1.0f : 1.0f - row.p, x, y);
        break;
      case Kind::add: {
        const float* other = arena + form.place_of(row.from[1]);
        pieces([&](size_t from, size_t n) { (row.cut ? k.add_cut : k.add)(n, x + from, other + from, y + from); });
        break;
      }
      case Kind::join:
        join_all(form, row, 1, arena, y);
        break;
      case Kind::spread:
        spread<float>(size_t(row.in), row.H, row.W, row.fh, row.fw, 1, x, y);
        break;
      case Kind::norm: {
        const size_t step = aligned(size_t(row.out));
        const float* rest = row.from.size() > 1 ? arena + form.place_of(row.from[1]) : nullptr;
        k.norm(row.out, row.cells, x, packed, packed + step, packed + 2 * step, rest, row.cut, y);
        break;
      }
    }
  }
  for (size_t h = 0; h < form.heads.size(); ++h) {
    const size_t size = form.heads[h].size();
    std::memcpy(outputs[h] + i * size, arena + form.place_of(form.heads[h].value), size * sizeof(float));
  }
}

}  // namespace lenet
