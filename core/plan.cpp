// A plan's making, its forward and backward over one group, and its steps: see plan.h.
#include "plan.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "checked.h"
#include "layout.h"
#include "pool.h"

namespace lenet {

namespace {
constexpr int kLinearRows = 48;  // rows of a linear weight gradient in one task

// Adds the seconds of its scope to clock[at], if there is a clock.
class Stopwatch {
 public:
  Stopwatch(std::vector<double>& clock, size_t at) : to_(clock.empty() ? nullptr : &clock[at]) {
    if (to_) start_ = std::chrono::steady_clock::now();
  }
  ~Stopwatch() {
    if (to_) *to_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double* to_;
  std::chrono::steady_clock::time_point start_;
};
}  // namespace

Plan::Plan(std::vector<Row> rows, std::vector<Param> params) : rows_(std::move(rows)), params_(std::move(params)) {
  fuse();
  lay_out();
}

// conv (+ relu) + max pool 2x2 (+ relu) -> conv_pool, cut if there was a relu: the larger of cut values is the cut
// larger value, and cutting twice is cutting once. conv + relu and linear + relu -> one row, cut.
void Plan::fuse() {
  std::vector<Row> out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    Row row = rows_[r];
    auto take_relu = [&] {
      for (; r + 1 < rows_.size() && rows_[r + 1].kind == Kind::relu; ++r) row.cut = true;
    };
    if (row.kind == Kind::conv || row.kind == Kind::linear) take_relu();
    if (row.kind == Kind::conv && r + 1 < rows_.size() && rows_[r + 1].kind == Kind::max_pool) {
      const Conv& c = row.conv;
      const Pool& p = rows_[r + 1].pool;
      const bool halves = p.kh == 2 && p.kw == 2 && p.sh == 2 && p.sw == 2 && !p.pt && !p.pb && !p.pl && !p.pr;
      if (halves && c.plain() && c.sh == 1 && c.sw == 1 && c.OH % 2 == 0 && c.OW % 2 == 0) {
        ++r;
        row.kind = Kind::conv_pool;
        row.out_size = p.out_size();
        take_relu();
      }
    }
    out.push_back(row);
  }
  rows_ = out;
}

void Plan::lay_out() {
  in_size_ = rows_.front().in_size;
  out_size_ = rows_.back().out_size;
  widest_ = in_size_;
  size_t at = rows_.front().convolves() && rows_.front().conv.padded() ? 0 : in_size_ * L;
  const size_t n = rows_.size();
  partial_at_.assign(n, 0), packed_at_.assign(n, 0), packed_dx_at_.assign(n, 0), dyt_at_.assign(n, 0);
  mask_at_.assign(n, 0);
  first_trained_ = n;
  auto trained = [&](int p) { return p >= 0 && params_[p].trainable; };
  for (size_t r = 0; r < n; ++r) {
    Row& row = rows_[r];
    if (trained(row.w) || trained(row.b)) first_trained_ = first_trained_ < r ? first_trained_ : r;
    if (row.convolves()) {
      const Conv& c = row.conv;
      if (c.padded()) row.frame = at, at += c.frame_size() * L;
      if (row.kind == Kind::conv && frame_size_ < dy_frame_size(c)) frame_size_ = dy_frame_size(c);
      if (widest_ < c.out_size()) widest_ = c.out_size();
      partial_at_[r] = partial_size_, partial_size_ += aligned(c.weights()) + aligned(c.K);
      const bool pooled = row.kind == Kind::conv_pool;
      packed_at_[r] = packed_size_, packed_size_ += aligned(packed_size(c));
      packed_dx_at_[r] = packed_dx_size_;
      if (r > first_trained_) packed_dx_size_ += aligned(pooled ? pooled_packed_dx_size(c) : packed_size(c));
      if (trained(row.w)) tasks_.push_back({r, 0, 0, row.w, 0, params_[row.w].n});
      if (trained(row.b)) tasks_.push_back({r, -1, 0, row.b, 0, params_[row.b].n});
    }
    if (row.kind == Kind::linear) {
      dyt_at_[r] = dyt_size_, dyt_size_ += size_t(L) * padded_out(row.out);
      for (int i = 0; trained(row.w) && i < row.in; i += kLinearRows) {
        int to = i + kLinearRows < row.in ? i + kLinearRows : row.in;
        tasks_.push_back({r, i, to, row.w, size_t(i) * row.out, size_t(to - i) * row.out});
      }
      if (trained(row.b)) tasks_.push_back({r, -1, 0, row.b, 0, params_[row.b].n});
    }
    if (row.kind == Kind::dropout) mask_at_[r] = mask_size_, mask_size_ += row.out_size * L;
    row.y = at, at += row.out_size * L;
    if (row.kind == Kind::max_pool) row.winner = at, at += row.out_size * L;
    if (row.kind == Kind::conv_pool) row.winner = at, at += aligned(row.out_size * L / sizeof(float));  // bytes
    if (widest_ < row.out_size) widest_ = row.out_size;
  }
  arena_size_ = at;
  packed_.resize(packed_size_);
  packed_dx_.resize(packed_dx_size_);
  squares_.assign(tasks_.size(), 0);
  for (size_t p = 0; p < params_.size(); ++p)
    for (size_t i = 0; params_[p].trainable && i < params_[p].n; i += kChunk)
      pieces_.push_back({int(p), i, params_[p].n - i < kChunk ? params_[p].n - i : kChunk});
  for (size_t r = 0; r < n; ++r)
    if (rows_[r].convolves() && params_[rows_[r].w].trainable && params_[rows_[r].w].n > kChunk)
      pack_late_.push_back(r);
}

void Plan::grow(int n) {
  const int groups = groups_of(n);
  if (groups <= capacity_) return;
  kept_ = 0, capacity_ = 0;  // until all of them are there: one may find no memory
  arena_.resize(product({arena_size_, size_t(groups)}));
  masks_.resize(product({mask_size_, size_t(groups)}));
  dyt_.resize(product({dyt_size_, size_t(groups)}));
  partials_.resize(product({partial_size_, size_t(shards_of(groups))}));
  capacity_ = groups;
}

void Plan::set_param(size_t i, const Param& param) {
  Hold hold(lock_);
  Param& own = params_[i];
  const Param was = own;
  own = param;
  own.value = was.value, own.n = was.n, own.trainable = was.trainable, own.grad = was.grad;
}

// Where a convolution's kernels are: dilated and grouped ones run on the plain loops.
static const Kernels<float>& kernels_of(const Row& row) { return row.conv.plain() ? kernels() : reference_kernels(); }

void Plan::pack_row(size_t r, float* packed, float* packed_dx) const {
  const Row& row = rows_[r];
  const auto& k = kernels_of(row);
  const bool pooled = row.kind == Kind::conv_pool;
  const float* w = params_[row.w].value;
  (pooled ? k.pooled_pack : k.conv_pack)(row.conv, w, packed + packed_at_[r]);
  if (packed_dx && r > first_trained_)
    (pooled ? k.pooled_pack_dx : k.conv_pack_dx)(row.conv, w, packed_dx + packed_dx_at_[r]);
}

void Plan::pack_weights(float* packed, float* packed_dx) const {
  for (size_t r = 0; r < rows_.size(); ++r)
    if (rows_[r].convolves()) pack_row(r, packed, packed_dx);
}

// What a convolution's kernels work in.
static float* room_of(const Kernels<float>& k, const Row& row) {
  const size_t n = (row.kind == Kind::conv_pool ? k.pooled_room : k.conv_room)(row.conv);
  return static_cast<float*>(scratch(2, n * sizeof(float) + 64));
}

const float* Plan::input_of(size_t r, const float* arena) const { return r == 0 ? arena : arena + rows_[r - 1].y; }

void Plan::forward_group(float* arena, const float* all_packed, const float* masks, bool training,
                         std::vector<double>& clock) const {
  const auto& k = kernels();
  for (size_t r = 0; r < rows_.size(); ++r) {
    const Row& row = rows_[r];
    const float* x = input_of(r, arena);
    float* y = arena + row.y;
    int32_t* winner = reinterpret_cast<int32_t*>(arena + row.winner);
    Stopwatch watch(clock, r);
    const float* w = row.w >= 0 ? params_[row.w].value : nullptr;
    const float* b = row.b >= 0 ? params_[row.b].value : nullptr;
    switch (row.kind) {
      case Kind::conv:
      case Kind::conv_pool: {
        const Conv& c = row.conv;
        const auto& t = kernels_of(row);
        const float* xp = x;
        if (c.padded()) {
          if (r > 0) pad_group(c, x, arena + row.frame);
          xp = arena + row.frame;
        }
        const float* packed = all_packed + packed_at_[r];
        if (row.kind == Kind::conv)
          t.conv_forward(c, xp, packed, b, row.cut, y, room_of(t, row));
        else
          t.pooled_forward(c, xp, packed, b, row.cut, y, reinterpret_cast<uint8_t*>(winner), room_of(t, row));
        break;
      }
      case Kind::max_pool:
        k.max_pool(row.pool, x, y, winner);
        break;
      case Kind::avg_pool:
        k.avg_pool(row.pool, x, y);
        break;
      case Kind::relu:
        k.relu(row.out_size * L, x, y);
        break;
      case Kind::sigmoid:
        k.sigmoid(row.out_size * L, x, y);
        break;
      case Kind::tanh:
        k.tanh(row.out_size * L, x, y);
        break;
      case Kind::linear:
        k.linear(row.in, row.out, x, w, b, row.cut, y);
        break;
      case Kind::softmax:
        k.softmax(row.out, x, y);
        break;
      case Kind::dropout:
        if (training)
          k.mul(row.out_size * L, x, masks + mask_at_[r], y);
        else
          k.scale(row.out_size * L, row.upscale ? 1.0f : 1.0f - row.p, x, y);
        break;
    }
  }
}

void Plan::zero_shard(int shard) {
  std::memset(partials_.data() + partial_size_ * shard, 0, partial_size_ * sizeof(float));
}

// dy: the gradient at the chain's end, [out][L]; walks back to the first trained row.
void Plan::backward_group(int g, int shard, const float* dy) {
  const auto& k = kernels();
  float* arena = group(g);
  float* turn[2] = {static_cast<float*>(scratch(0, widest_ * L * sizeof(float))),
                    static_cast<float*>(scratch(1, widest_ * L * sizeof(float)))};
  int next = 0;
  for (size_t r = rows_.size(); r-- > first_trained_;) {
    const Row& row = rows_[r];
    const float* x = input_of(r, arena);
    const float* y = arena + row.y;
    const int32_t* winner = reinterpret_cast<const int32_t*>(arena + row.winner);
    const bool onward = r > first_trained_;
    Stopwatch watch(clock_, rows_.size() + r);
    float* dx = turn[next];
    if (row.cut && row.kind != Kind::conv_pool) {  // dy belongs to us from the second row on; before that, copy
      float* masked = static_cast<float*>(scratch(3, widest_ * L * sizeof(float)));
      k.relu_dx(row.out_size * L, y, dy, masked);
      dy = masked;
    }
    switch (row.kind) {
      case Kind::conv:
      case Kind::conv_pool: {
        const Conv& c = row.conv;
        const auto& t = kernels_of(row);
        const float* xp = c.padded() ? arena + row.frame : x;
        const float* packed = packed_dx_.data() + packed_dx_at_[r];
        float* to = partials_.data() + partial_size_ * shard + partial_at_[r];
        float* bias = row.b >= 0 ? to + aligned(c.weights()) : nullptr;
        if (row.kind == Kind::conv_pool) {
          t.pooled_backward(c, xp, dy, reinterpret_cast<const uint8_t*>(winner), row.cut, packed, to, bias,
                            onward ? dx : nullptr, room_of(t, row));
          break;
        }
        float* dframe = static_cast<float*>(scratch(9, frame_size_ * L * sizeof(float) + 64));
        frame_group(c, dy, dframe);
        t.conv_dw(c, xp, dframe, to, bias);
        if (onward) t.conv_dx(c, dframe, packed, dx, room_of(t, row));
        break;
      }
      case Kind::linear:
        transpose_group(row.out, dy, dyt_.data() + dyt_at_[r] * capacity_ + size_t(g) * L * padded_out(row.out));
        if (onward) k.linear_dx(row.in, row.out, dy, params_[row.w].value, dx);
        break;
      case Kind::max_pool:
        k.max_pool_dx(row.pool, dy, winner, dx);
        break;
      case Kind::avg_pool:
        k.avg_pool_dx(row.pool, dy, dx);
        break;
      case Kind::relu:
        k.relu_dx(row.out_size * L, y, dy, dx);
        break;
      case Kind::sigmoid:
        k.sigmoid_dx(row.out_size * L, y, dy, dx);
        break;
      case Kind::tanh:
        k.tanh_dx(row.out_size * L, y, dy, dx);
        break;
      case Kind::softmax:
        k.softmax_dx(row.out, y, dy, dx);
        break;
      case Kind::dropout:
        if (training_)
          k.mul(row.out_size * L, dy, masks_.data() + mask_size_ * g + mask_at_[r], dx);
        else
          k.scale(row.out_size * L, row.upscale ? 1.0f : 1.0f - row.p, dy, dx);
        break;
    }
    dy = dx;
    next = 1 - next;
  }
}

// Dropout's masks, drawn as Paddle draws them: row by row, sample by sample, in NCHW order. before: gets the stream's
// position.
void Plan::draw_masks(int n, Generator& random, Generator* before) {
  if (!mask_size_) return;
  Hold drawing(random.lock);
  if (before) before->go_to(random);
  for (size_t r = 0; r < rows_.size(); ++r) {
    const Row& row = rows_[r];
    if (row.kind != Kind::dropout) continue;
    const float kept = row.upscale ? (row.p < 1 ? 1.0f / (1.0f - row.p) : 0.0f) : 1.0f;
    for (int i = 0; i < n; ++i) {
      float* mask = masks_.data() + mask_size_ * (i / L) + mask_at_[r] + i % L;
      for (size_t f = 0; f < row.out_size; ++f) mask[f * L] = row.p > 0 && random.canonical() < row.p ? 0.0f : kept;
    }
  }
}

// Phase B.
void Plan::gradients(int groups) {
  const int shards = shards_of(groups);
  Stopwatch watch(clock_, 2 * rows_.size() + 2);
  run(int(tasks_.size()), [&](int i) {
    const Task& t = tasks_[i];
    const Row& row = rows_[t.row];
    float* grad = params_[t.param].grad;
    if (row.kind == Kind::linear) {
      const float* dyt = dyt_.data() + dyt_at_[t.row] * capacity_;
      if (t.from < 0)
        kernels().linear_db(row.out, groups, dyt, grad);
      else
        kernels().linear_dw(row.in, row.out, groups, input_of(t.row, arena_.data()), arena_size_, dyt, t.from, t.to,
                            grad);
    } else {
      const Conv& c = row.conv;
      const size_t n = t.from < 0 ? c.K : c.weights();
      float* sum = partials_.data() + partial_at_[t.row] + (t.from < 0 ? aligned(c.weights()) : 0);
      for (int s = 1; s < shards; ++s) kernels().add(n, sum, sum + partial_size_ * s, sum);
      if (t.from < 0)
        std::memcpy(grad, sum, n * sizeof(float));
      else
        (row.kind == Kind::conv_pool ? kernels_of(row).pooled_unpack_dw : kernels_of(row).conv_unpack_dw)(c, sum, grad);
    }
    squares_[i] = kernels().sum_squares(t.n, grad + t.at);
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
  Stopwatch watch(clock_, 2 * rows_.size() + 3);
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
    const auto& k = kernels();
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
    for (size_t r = 0; r < rows_.size(); ++r)  // packed for the next step while it is at hand
      if (rows_[r].convolves() && rows_[r].w == piece.param) pack_row(r, packed_.data(), packed_dx_.data());
  });
  run(int(pack_late_.size()), [&](int i) { pack_row(pack_late_[i], packed_.data(), packed_dx_.data()); });
}

void Plan::profile(bool on) {
  Hold hold(lock_);
  clock_.assign(on ? 2 * rows_.size() + 4 : 0, 0.0);
}

std::vector<double> Plan::clock() {
  Hold hold(lock_);
  return clock_;
}

void Plan::run_forward(const Source& source, const Pass& pass, Generator& random, Generator* before, float* y) {
  const int n = pass.n;
  grow(n);
  kept_ = 0, n_ = n, training_ = pass.training;
  pack_weights(packed_.data(), packed_dx_.data());
  if (pass.training) draw_masks(n, random, before);
  const int groups = groups_of(n), shards = shards_of(groups);
  run(shards, [&](int s) {
    for (int g = int(int64_t(groups) * s / shards); g < int(int64_t(groups) * (s + 1) / shards); ++g) {
      load(source, nullptr, n, g, group(g));
      forward_group(group(g), packed_.data(), masks_.data() + mask_size_ * g, pass.training, clock_);
      if (y) std::memcpy(y + size_t(g) * out_size_ * L, group(g) + rows_.back().y, out_size_ * L * sizeof(float));
    }
  });
  kept_ = pass.number;
}

void Plan::forward(const Source& source, int n, bool training, Generator& random, float* y, Pass& pass) {
  static std::atomic<uint64_t> passes{0};
  pass.number = passes.fetch_add(1, std::memory_order_relaxed) + 1;
  pass.n = n, pass.training = training;
  if (training && mask_size_) pass.before = std::make_unique<Generator>(0);
  Hold hold(lock_);
  run_forward(source, pass, random, pass.before.get(), y);
}

void Plan::backward(const float* dy, const Source& source, const Pass& pass, float* const* grads) {
  Hold hold(lock_);
  if (kept_ != pass.number) {
    Generator random(0);
    if (pass.before) random.go_to(*pass.before);
    run_forward(source, pass, random, nullptr, nullptr);
  }
  const int groups = groups_of(n_), shards = shards_of(groups);
  run(shards, [&](int s) {
    zero_shard(s);
    for (int g = int(int64_t(groups) * s / shards); g < int(int64_t(groups) * (s + 1) / shards); ++g)
      backward_group(g, s, dy + size_t(g) * out_size_ * L);
  });
  gradients(groups);
  for (size_t i = 0; i < params_.size(); ++i)
    if (grads[i] && params_[i].trainable) std::memcpy(grads[i], params_[i].grad, params_[i].n * sizeof(float));
}

Plan::Outcome Plan::train(const Source& source, const int64_t* indices, const int* counts, int steps,
                          const double* rates, const double* averaging, const Loss& loss, Update& update,
                          Generator& random, float* losses, float* logits) {
  Hold hold(lock_);
  Outcome outcome;
  Source batch = source;
  training_ = true;
  const size_t classes = out_size_;
  pack_weights(packed_.data(), packed_dx_.data());  // later steps: by apply()
  for (int step = 0; step < steps; ++step) {
    const int n = counts[step], groups = groups_of(n), shards = shards_of(groups);
    grow(n);
    kept_ = 0, n_ = n;
    draw_masks(n, random, nullptr);

    // each sample's weight in the mean, and the mean's denominator
    weights_.assign(size_t(groups) * L, 0.0f);
    sample_loss_.assign(size_t(groups) * L, 0.0f);
    double denominator = 0;
    for (int i = 0; i < n; ++i) {
      const int64_t label = source.labels[indices[i]];
      const bool ignored = label == loss.ignore;
      const float w = ignored ? 0.0f : loss.weight ? loss.weight[label] : 1.0f;
      weights_[i] = w;
      denominator += ignored && loss.ignore < 0 && !loss.weight ? 1.0f : w;
    }
    const float scale = denominator > 0 ? float(1.0 / denominator) : 0.0f;
    for (int i = 0; i < n; ++i) weights_[i] *= scale;

    run(shards, [&](int s) {
      zero_shard(s);
      float* target = static_cast<float*>(scratch(5, classes * L * sizeof(float)));
      float* dlogits = static_cast<float*>(scratch(6, classes * L * sizeof(float)));
      for (int g = int(int64_t(groups) * s / shards); g < int(int64_t(groups) * (s + 1) / shards); ++g) {
        float* arena = group(g);
        {
          Stopwatch watch(clock_, 2 * rows_.size());
          load(batch, indices, n, g, arena);
        }
        forward_group(arena, packed_.data(), masks_.data() + mask_size_ * g, true, clock_);
        {
          Stopwatch watch(clock_, 2 * rows_.size() + 1);
          const float rest = loss.smoothing / float(classes);
          for (size_t c = 0; c < classes * L; ++c) target[c] = rest;
          for (int l = 0; l < L && g * L + l < n; ++l) {
            const int64_t label = source.labels[indices[g * L + l]];
            if (label >= 0 && label < int64_t(classes)) target[size_t(label) * L + l] = 1.0f - loss.smoothing + rest;
          }
          const float* y = arena + rows_.back().y;
          kernels().softmax_loss(int(classes), y, target, weights_.data() + size_t(g) * L,
                                 sample_loss_.data() + size_t(g) * L, dlogits);
          for (int l = 0; l < L && g * L + l < n; ++l)
            for (size_t c = 0; c < classes; ++c) logits[(size_t(g) * L + l) * classes + c] = y[c * L + l];
        }
        backward_group(g, s, dlogits);
      }
    });
    gradients(groups);

    double total = 0;
    for (int i = 0; i < n; ++i) total += sample_loss_[i];
    double norm = 0;
    for (double q : squares_) norm += q;
    if (!std::isfinite(total) || !std::isfinite(norm)) {
      outcome.trouble = std::isfinite(total) ? "gradient" : "loss";
      return outcome;
    }
    apply(rates[step], averaging ? averaging[step] : 1.0, update, squares());
    if (update.rule == Update::adam) {
      update.beta1_pow *= update.beta1;
      update.beta2_pow *= update.beta2;
    }
    losses[step] = float(total);  // only now: a number here says that the step is done
    ++outcome.steps;
    indices += n;
    if (batch.warps) batch.warps += 6 * size_t(n);
    logits += size_t(n) * classes;
  }
  return outcome;
}

}  // namespace lenet
