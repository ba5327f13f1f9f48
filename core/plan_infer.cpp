// A plan's inference: groups of sixteen side by side, or, where there are few images, one after another with kernels
// whose lanes aren't samples (one.h). Keeps no activations.
#include <cstring>

#include "layout.h"
#include "plan.h"
#include "pool.h"

namespace lenet {

// from: the convolutions' weights as they were, packed: the same for one.h.
struct Plan::PackedOne {
  Floats from, packed;
  const Kernels<float>* level;
};

// The convolutions' weights for one.h, packed anew only if they have changed: a few KB to compare, many to pack.
std::shared_ptr<const Plan::PackedOne> Plan::pack_for_one() {
  const auto& k = kernels();
  std::shared_ptr<const PackedOne> known;
  {
    Hold hold(packing_);
    known = packed_one_;
  }
  size_t raw = 0, packed = 0;
  bool fresh = known && known->level == &k;
  for (const Row& row : rows_) {
    if (!row.convolves()) continue;
    const size_t n = row.conv.weights();
    fresh = fresh && std::memcmp(known->from.data() + raw, params_[row.w].value, n * sizeof(float)) == 0;
    raw += aligned(n), packed += aligned(k.one_packed_size(row.conv));
  }
  if (fresh) return known;
  auto made = std::make_shared<PackedOne>();
  made->level = &k;
  made->from.resize(raw);
  made->packed.resize(packed);
  raw = packed = 0;
  for (const Row& row : rows_) {
    if (!row.convolves()) continue;
    // Read once: another thread may be writing them, and what is packed must be what it is compared with next time.
    std::memcpy(made->from.data() + raw, params_[row.w].value, row.conv.weights() * sizeof(float));
    k.one_pack(row.conv, made->from.data() + raw, made->packed.data() + packed);
    raw += aligned(row.conv.weights()), packed += aligned(k.one_packed_size(row.conv));
  }
  Hold hold(packing_);
  packed_one_ = made;
  return made;
}

// An image's multiplications in convolutions from which on several images are worth a second thread. Two million take
// some fifty microseconds on a core with AVX-512.
constexpr size_t kWorth = 1u << 20;

// One image after another with kernels whose lanes aren't samples; side by side where each is much work. False if a row
// has no such kernel.
bool Plan::infer_few(const Source& source, const int64_t* indices, size_t n, float* logits) {
  size_t room = 0, work = 0;  // room: a frame's, or what pooling needs
  for (const Row& row : rows_) {
    const bool pools = row.kind == Kind::max_pool || row.kind == Kind::avg_pool;
    const bool known = (row.convolves() && row.conv.plain()) || pools || row.kind == Kind::linear ||
                       row.kind == Kind::relu || row.kind == Kind::sigmoid || row.kind == Kind::tanh ||
                       row.kind == Kind::dropout;
    if (!known) return false;
    const size_t needed = row.convolves() ? row.conv.frame_size() : pools ? one_pool_room(row.pool) : 0;
    if (room < needed) room = needed;
    if (row.convolves()) work += row.conv.weights() * size_t(row.conv.OH) * row.conv.OW;
  }
  const std::shared_ptr<const PackedOne> weights = pack_for_one();
  auto one = [&](size_t i) {
    infer_one(*weights, source, (indices ? size_t(indices[i]) : i) * in_size_, room, logits + i * out_size_);
  };
  if (n > 1 && work >= kWorth)
    run(int(n), [&](int i) { one(size_t(i)); });
  else
    for (size_t i = 0; i < n; ++i) one(i);
  return true;
}

void Plan::infer_one(const PackedOne& weights, const Source& source, size_t at, size_t room, float* logits) const {
  const auto& k = *weights.level;
  float* turn[2] = {static_cast<float*>(scratch(0, (widest_ + kSlack) * sizeof(float))),
                    static_cast<float*>(scratch(1, (widest_ + kSlack) * sizeof(float)))};
  float* aside = static_cast<float*>(scratch(2, (room + kSlack) * sizeof(float)));
  float* x = turn[0];
  if (source.bytes)
    for (size_t f = 0; f < in_size_; ++f) x[f] = source.lut[source.bytes[at + f]];
  else
    std::memcpy(x, source.floats + at, in_size_ * sizeof(float));
  size_t packed = 0;
  int next = 1;
  for (const Row& row : rows_) {
    float* y = turn[next];
    const float* b = row.b >= 0 ? params_[row.b].value : nullptr;
    if (row.convolves()) {
      const Conv& c = row.conv;
      const float* xp = x;
      if (c.padded()) {
        pad_image(c, x, aside);
        xp = aside;
      }
      k.one_conv(c, xp, weights.packed.data() + packed, b, row.cut, row.kind == Kind::conv_pool, y);
      packed += aligned(k.one_packed_size(c));
    } else if (row.kind == Kind::max_pool) {
      k.one_max_pool(row.pool, x, aside, y);
    } else if (row.kind == Kind::avg_pool) {
      k.one_avg_pool(row.pool, x, aside, y);
    } else if (row.kind == Kind::linear) {
      k.one_linear(row.in, row.out, x, params_[row.w].value, b, row.cut, y);
    } else if (row.kind == Kind::relu) {
      k.relu(row.out_size, x, y);
    } else if (row.kind == Kind::sigmoid) {
      k.sigmoid(row.out_size, x, y);
    } else if (row.kind == Kind::tanh) {
      k.tanh(row.out_size, x, y);
    } else {
      k.scale(row.out_size, row.upscale ? 1.0f : 1.0f - row.p, x, y);
    }
    x = y;
    next = 1 - next;
  }
  std::memcpy(logits, x, out_size_ * sizeof(float));
}

void Plan::infer(const Source& source, const int64_t* indices, size_t n, float* logits) {
  if (n <= size_t(kFewSamples) && infer_few(source, indices, n, logits)) return;
  // In the calling thread's own scratch, which outlives run(): its workers read it.
  float* packed = static_cast<float*>(scratch(8, packed_size_ * sizeof(float) + 64));
  pack_weights(packed, nullptr);
  std::vector<double> no_clock;
  const int groups = groups_of(int(n)), tasks = groups < 256 ? groups : 256;
  run(tasks, [&](int t) {
    float* arena = static_cast<float*>(scratch(4, arena_size_ * sizeof(float) + 64));
    for (int g = int(int64_t(groups) * t / tasks); g < int(int64_t(groups) * (t + 1) / tasks); ++g) {
      load(source, indices, n, g, arena);
      forward_group(arena, packed, nullptr, false, no_clock);
      const float* y = arena + rows_.back().y;
      for (size_t l = 0; l < size_t(L) && size_t(g) * L + l < n; ++l)
        for (size_t o = 0; o < out_size_; ++o) logits[(size_t(g) * L + l) * out_size_ + o] = y[o * L + l];
    }
  });
}

}  // namespace lenet
