// A plan's making, its memory and its packed weights: see plan.h.
#include "plan.h"

#include <algorithm>
#include <cstring>

#include "checked.h"
#include "layout.h"
#include "moments.h"

namespace lenet {

namespace {
constexpr int kLinearRows = 48;             // rows of a linear weight gradient in one task
constexpr size_t kWorth = size_t(1) << 18;  // products of a sample from which on a barrier a row is little
}  // namespace

const Kernels<float>& kernels_for(size_t n) {
  const Kernels<float>& full = kernels();
  const size_t eights = (n + 7) / 8;
  const bool few = eights == 2 || eights == 3 || eights == 5;  // of more, one that is half empty is little
  return eights == 1 || (few && half_is_half(full)) ? *full.half : full;
}

Plan::Plan(Graph graph, std::vector<Param> params) : params_(std::move(params)) {
  training_form_ = fused(graph, false);
  answer_form_ = fused(graph, true);
  one_form_ = answer_form_;
  lay_out(training_form_, L, true);
  lay_out(answer_form_, L, false);
  lay_out(one_form_, 1, false);
  for (const Head& head : training_form_.heads) out_size_ += head.size();
  lay_out_parameters();
  lay_out_gradients();
}

void Plan::lay_out_parameters() {
  const std::vector<Row>& rows = training_form_.rows;
  const size_t n = rows.size();
  for (auto* at : {&partial_at_, &packed_at_, &packed_dx_at_, &dyt_at_, &mask_at_, &norm_at_}) at->assign(n, 0);
  cuts_ = {0};
  size_t work = 0;
  widest_ = training_form_.in_size;
  for (size_t r = 0; r < n; ++r) {
    const Row& row = rows[r];
    widest_ = std::max({widest_, row.out_size, row.in_size});
    if (row.convolves()) {
      const Conv& c = row.conv;
      work += c.weights() * size_t(c.OH) * c.OW;
      if (row.kind == Kind::conv) frame_size_ = std::max(frame_size_, dy_frame_size(c));
      widest_ = std::max(widest_, c.out_size());
      partial_at_[r] = partial_size_, partial_size_ += aligned(packed_dw_size(c)) + aligned(size_t(c.K));
      packed_at_[r] = packed_size_, packed_size_ += aligned(packed_size(c));
      packed_dx_at_[r] = packed_dx_size_;
      packed_dx_size_ += aligned(row.kind == Kind::conv_pool ? pooled_packed_dx_size(c) : packed_size(c));
      if (trained(row.w)) tasks_.push_back({r, 0, 0, row.w, 0, params_[size_t(row.w)].n});
      if (trained(row.b)) tasks_.push_back({r, -1, 0, row.b, 0, params_[size_t(row.b)].n});
    }
    if (row.kind == Kind::linear) {
      dyt_at_[r] = dyt_size_, dyt_size_ += size_t(L) * padded_out(row.out);
      for (int i = 0; trained(row.w) && i < row.in; i += kLinearRows) {
        const int to = std::min(i + kLinearRows, row.in);
        tasks_.push_back({r, i, to, row.w, size_t(i) * row.out, size_t(to - i) * row.out});
      }
      if (trained(row.b)) tasks_.push_back({r, -1, 0, row.b, 0, params_[size_t(row.b)].n});
    }
    if (row.kind == Kind::norm) {
      cuts_.push_back(r);
      norm_at_[r] = norm_size_, norm_size_ += aligned(size_t(row.out));
      for (int p : {row.w, row.b})
        if (trained(p)) tasks_.push_back({r, 0, 0, p, 0, params_[size_t(p)].n});
    }
    if (row.kind == Kind::dropout) mask_at_[r] = mask_size_, mask_size_ += row.out_size * L;
  }
  cuts_.push_back(n);
  heavy_ = work >= kWorth;
  packed_.resize(packed_size_);
  packed_dx_.resize(packed_dx_size_);
  norm_.resize(6 * norm_size_);
  squares_.assign(tasks_.size(), 0);
  for (size_t p = 0; p < params_.size(); ++p)
    for (size_t i = 0; params_[p].trainable && i < params_[p].n; i += kChunk)
      pieces_.push_back({int(p), i, std::min(params_[p].n - i, kChunk)});
  for (size_t r = 0; r < n; ++r)
    if (rows[r].convolves() && trained(rows[r].w) && params_[size_t(rows[r].w)].n > kChunk) pack_late_.push_back(r);

  for (const Row& row : answer_form_.rows) {
    answer_at_.push_back(answer_size_);
    if (row.convolves()) answer_size_ += aligned(packed_size(row.conv)) + aligned(size_t(row.conv.K));
    if (row.kind == Kind::norm) answer_size_ += 3 * aligned(size_t(row.out));
  }
}

// A value wants a gradient where something that training changes lies before it. Rows are walked latest first: the last
// that takes a value writes its gradient, the others add to it.
void Plan::lay_out_gradients() {
  const std::vector<Row>& rows = training_form_.rows;
  const int n = int(rows.size());
  wanted_.assign(rows.size() + 1, 0);
  for (size_t r = 0; r < rows.size(); ++r) {
    bool wanted = trained(rows[r].w) || trained(rows[r].b);
    for (int v : rows[r].from) wanted = wanted || wanted_[size_t(v)];
    wanted_[r + 1] = wanted;
  }
  first_writer_ = training_form_.last_users();
  gradient_at_.assign(rows.size() + 1, 0);
  std::vector<Span> spans(rows.size() + 1);
  std::vector<Span*> all;
  for (int v = 1; v <= n; ++v) {
    if (training_form_.is_head(v)) first_writer_[size_t(v)] = n;
    spans[size_t(v)] = {aligned(training_form_.size_of(v) * L), n - first_writer_[size_t(v)], n - (v - 1)};
    if (wanted_[size_t(v)]) all.push_back(&spans[size_t(v)]);
  }
  gradient_size_ = place(all);
  for (size_t v = 1; v < spans.size(); ++v) gradient_at_[v] = spans[v].at;
}

// What a pass of n samples runs on. What each group has its place for is laid out for sixteen; eight leave half of it.
void Plan::begin(int n) {
  kept_ = 0, n_ = n, kernels_ = &kernels_for(size_t(n));
  wide_ = heavy_ && (groups() == 1 || groups() == 3);
  grow(groups());
}

void Plan::grow(int groups) {
  const size_t gradients = wide_ || cuts_.size() > 2 ? product({gradient_size_, size_t(groups)}) : 0;
  if (gradients > gradient_arena_.size()) gradient_arena_.resize(gradients);
  if (groups <= capacity_) return;
  capacity_ = 0;  // until all of them are there: one may find no memory
  arena_.resize(product({training_form_.size, size_t(groups)}));
  masks_.resize(product({mask_size_, size_t(groups)}));
  dyt_.resize(product({dyt_size_, size_t(groups)}));
  partials_.resize(product({partial_size_, size_t(shards_of(groups))}));
  statistics_.assign(product({2 * norm_size_, size_t(groups)}), 0.0);
  capacity_ = groups;
}

float* Plan::gradients_of(int g) {
  if (wide_ || cuts_.size() > 2) return gradient_arena_.data() + gradient_size_ * size_t(g);
  return static_cast<float*>(scratch(0, gradient_size_ * sizeof(float) + 64));
}

void Plan::set_param(size_t i, const Param& param) {
  Hold hold(lock_);
  Param& own = params_[i];
  const Param was = own;
  own = param;
  own.value = was.value, own.n = was.n, own.trainable = was.trainable, own.grad = was.grad;
}

void Plan::norm_numbers(int w, int b, float epsilon, int channels, const float* var, float* scale, float* shift) const {
  for (int c = 0; c < channels; ++c) {
    scale[c] = norm_scale(w >= 0 ? params_[size_t(w)].value[c] : 1.0f, var[c], epsilon);
    shift[c] = b >= 0 ? params_[size_t(b)].value[c] : 0.0f;
  }
}

void Plan::fold(const Row& row, float* w, float* b) const {
  const Conv& c = row.conv;
  const size_t own = c.weights() / size_t(c.K);
  const float *from = params_[size_t(row.w)].value, *mean = params_[size_t(row.mean)].value;
  std::vector<float> scale(size_t(c.K)), shift(size_t(c.K));
  norm_numbers(row.norm_w, row.norm_b, row.epsilon, c.K, params_[size_t(row.var)].value, scale.data(), shift.data());
  for (int k = 0; k < c.K; ++k) {
    const float before = row.b >= 0 ? params_[size_t(row.b)].value[k] : 0.0f;
    for (size_t i = 0; i < own; ++i) w[size_t(k) * own + i] = from[size_t(k) * own + i] * scale[size_t(k)];
    b[k] = (before - mean[k]) * scale[size_t(k)] + shift[size_t(k)];
  }
}

void Plan::pack_row(const Graph& form, size_t r, const Kernels<float>& table, float* packed, float* packed_dx) const {
  const Row& row = form.rows[r];
  if (row.kind == Kind::norm && &form == &answer_form_) {
    const size_t stride = aligned(size_t(row.out));
    float* to = packed + answer_at_[r];
    std::memcpy(to, params_[size_t(row.mean)].value, size_t(row.out) * sizeof(float));
    norm_numbers(row.w, row.b, row.epsilon, row.out, params_[size_t(row.var)].value, to + stride, to + 2 * stride);
  }
  if (!row.convolves()) return;
  const Conv& c = row.conv;
  const auto& k = kernels_of(row, table);
  const bool pooled = row.kind == Kind::conv_pool;
  const float* w = params_[size_t(row.w)].value;
  if (&form == &answer_form_) {
    float *to = packed + answer_at_[r], *bias = to + aligned(packed_size(c));
    if (row.folded()) {
      float* own = static_cast<float*>(scratch(5, c.weights() * sizeof(float) + 64));
      fold(row, own, bias);
      w = own;
    } else if (row.b >= 0) {
      std::memcpy(bias, params_[size_t(row.b)].value, size_t(c.K) * sizeof(float));
    }
    return (pooled ? k.pooled_pack : k.conv_pack)(c, w, to);
  }
  if (cut_in_two(row)) return pack_two(r, packed, packed_dx);
  (pooled ? k.pooled_pack : k.conv_pack)(c, w, packed + packed_at_[r]);
  if (packed_dx && wanted_[size_t(row.from[0])])
    (pooled ? k.pooled_pack_dx : k.conv_pack_dx)(c, w, packed_dx + packed_dx_at_[r]);
}

void Plan::pack_weights(const Graph& form, const Kernels<float>& k, float* packed, float* packed_dx) const {
  for (size_t r = 0; r < form.rows.size(); ++r) pack_row(form, r, k, packed, packed_dx);
}

void Plan::profile(bool on) {
  Hold hold(lock_);
  clock_.assign(on ? 2 * rows().size() + 4 : 0, 0.0);
}

std::vector<Plan::Work> Plan::work() const {
  const size_t n = rows().size();
  std::vector<Work> found(2 * n + 4);
  for (size_t r = 0; r < n; ++r) {
    const Row& row = rows()[r];
    const bool onward = wanted_[size_t(row.from[0])], trains = trained(row.w) || trained(row.b);
    Work &there = found[r], &back = found[n + r];
    if (row.convolves()) {
      double dw = 0, dx = 0;
      kernels_of(row, kernels()).conv_products(row.conv, row.kind == Kind::conv_pool, &there.done, &dw, &dx);
      there.needed = row.conv.products();
      back = {(trains + onward) * there.needed, trains * dw + onward * dx};
    } else if (row.kind == Kind::linear) {
      const double products = double(row.in) * row.out;
      there = {products, products};
      if (onward) back = there;
      if (trained(row.w)) found[2 * n + 2].needed += products, found[2 * n + 2].done += products;
    }
  }
  return found;
}

std::vector<double> Plan::clock() {
  Hold hold(lock_);
  return clock_;
}

}  // namespace lenet
