// Every compiled level's kernels against the plain loops in double precision, without Python: what .ci/run executes
// under qemu for arm64, and the quickest check while a kernel is being written. The same comparisons at many more
// shapes are in tests/test_kernels.py.
//
// Prints one line a level and kernel with its worst relative error, and returns 1 if any is beyond its tolerance or a
// level that this CPU has did not run.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine.h"
#include "layout.h"
#include "plan.h"
#include "pool.h"
#include "shapes.h"

using namespace lenet;

namespace {

// Sums of up to 640 products in float32, in any order: each is within about 10 half-ulps (6e-8) of the exact sum.
constexpr double kSums = 2e-6;
constexpr double kLongSums = 1e-5;  // a bias gradient: 12,544 numbers of either sign, which mostly cancel
constexpr double kManySums = 3e-5;  // the same of 16,480 numbers
constexpr double kExact = 0;        // the same roundings in the same order

std::mt19937 random_bits(1);

std::vector<float> normal(size_t n, float scale = 1.0f) {
  std::normal_distribution<float> draw(0.0f, scale);
  std::vector<float> out(n);
  for (float& v : out) v = draw(random_bits);
  return out;
}
std::vector<double> wide(const std::vector<float>& v) { return std::vector<double>(v.begin(), v.end()); }

// ‖a - b‖ / ‖b‖; NaN and infinity count as equal where both have the same.
template <class T>
double distance(const std::vector<T>& a, const std::vector<double>& b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = double(a[i]);
    if ((x != x && b[i] != b[i]) || x == b[i]) {
      size += std::isfinite(x) ? x * x : 0;
      continue;
    }
    difference += (x - b[i]) * (x - b[i]);
    size += b[i] * b[i];
  }
  if (a.size() != b.size() || std::isnan(difference)) return std::numeric_limits<double>::infinity();
  return difference == 0 ? 0 : std::sqrt(difference / (size > 0 ? size : 1));
}

struct Report {                                            // worst error by kernel, of one level
  std::map<std::string, std::pair<double, double>> worst;  // error, tolerance
  void add(const std::string& kernel, double error, double tolerance) {
    auto& w = worst.insert({kernel, {0, tolerance}}).first->second;
    if (error > w.first) w.first = error;
  }
  int print(const char* level) const {
    int failed = 0;
    for (const auto& [kernel, w] : worst) {
      const bool bad = !(w.first <= w.second);
      failed += bad;
      std::printf("%-10s %-18s %.2e  (at most %.0e)%s\n", level, kernel.c_str(), w.first, w.second,
                  bad ? "  FAILED" : "");
    }
    return failed;
  }
};

template <class T>
struct Aligned {  // room for kernels that want 64 bytes
  explicit Aligned(size_t n) : p(static_cast<T*>(std::aligned_alloc(64, (n * sizeof(T) + 64) / 64 * 64))) {}
  ~Aligned() { std::free(p); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  T* data() { return p; }
  T* p;
};

size_t lanes = kLanes;  // of a group: half as many for the kernels of smaller groups

const Kernels<double>& oracle() { return lanes == kLanes ? reference_kernels_f64() : *reference_kernels_f64().half; }

// ---- convolution -------------------------------------------------------------------------------------------------

struct ConvShape {
  int C, H, W, K, kh, kw, sh, sw, pt, pb, pl, pr;
};
const ConvShape kConvs[] = {
    {1, 28, 28, 6, 5, 5, 1, 1, 2, 2, 2, 2}, {6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 0, 0},
    {1, 5, 5, 1, 1, 1, 1, 1, 0, 0, 0, 0},   {5, 7, 9, 7, 3, 2, 1, 1, 1, 0, 0, 1},
    {7, 9, 8, 13, 7, 5, 1, 1, 3, 3, 2, 2},  {13, 6, 6, 5, 2, 3, 2, 1, 1, 1, 2, 0},
    {6, 11, 10, 1, 3, 3, 2, 3, 0, 2, 1, 1}, {3, 4, 4, 12, 2, 2, 1, 1, 0, 0, 0, 0},
    {2, 3, 3, 2, 3, 3, 1, 1, 3, 3, 3, 3},   {3, 8, 12, 5, 3, 3, 1, 1, 1, 1, 1, 1},
    {4, 10, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0},  {5, 9, 10, 7, 5, 5, 1, 1, 1, 2, 0, 4},
    {3, 26, 24, 4, 5, 5, 1, 1, 2, 2, 2, 2}, {8, 6, 6, 16, 3, 3, 1, 1, 1, 1, 1, 1},
    {7, 9, 11, 6, 3, 3, 1, 1, 1, 1, 1, 1},  {6, 7, 8, 8, 5, 5, 1, 1, 4, 0, 2, 3},
    {6, 5, 3, 7, 3, 3, 1, 1, 2, 2, 0, 2},   {9, 8, 5, 6, 3, 3, 1, 1, 3, 1, 1, 1},
    {7, 9, 5, 13, 1, 1, 1, 1, 0, 0, 0, 0},  {16, 12, 12, 15, 1, 1, 1, 1, 0, 0, 0, 0},
    {2, 3, 1, 2, 1, 1, 1, 1, 0, 0, 0, 0},   {20, 4, 4, 33, 1, 1, 1, 1, 0, 0, 0, 0},
    {9, 8, 10, 13, 3, 3, 1, 1, 1, 1, 1, 1}, {16, 12, 14, 8, 3, 3, 1, 1, 1, 1, 1, 1},
    {8, 4, 4, 33, 3, 3, 1, 1, 0, 0, 0, 0},  {12, 33, 34, 9, 3, 3, 2, 2, 1, 1, 1, 1},
    {5, 6, 7, 6, 1, 1, 2, 2, 0, 0, 0, 0},   {4, 5, 6, 9, 1, 1, 1, 1, 1, 0, 1, 1},
};

// A frame as the backward kernels want it, from dy [K][OH][OW][lanes].
template <class T>
std::vector<T> framed(const Conv& c, const std::vector<T>& dy) {
  std::vector<T> frame(dy_frame_size(c) * lanes);
  frame_group(c, dy.data(), frame.data(), int(lanes));
  return frame;
}

template <class T>
struct ConvResult {
  std::vector<T> y, cut, dw, db, dx;
};

template <class T>
ConvResult<T> convolve(const Kernels<T>& k, const Conv& c, const std::vector<T>& x, const std::vector<T>& w,
                       const std::vector<T>& b, const std::vector<T>& dy) {
  ConvResult<T> r;
  std::vector<T> xp(c.frame_size() * lanes), sums(packed_dw_size(c), T(0));
  Aligned<T> packed(packed_size(c)), room(k.conv_room(c));
  pad_group(c, x.data(), xp.data(), int(lanes));
  k.conv_pack(c, w.data(), packed.data());
  r.y.resize(c.out_size() * lanes), r.cut.resize(c.out_size() * lanes);
  k.conv_forward(c, xp.data(), packed.data(), b.data(), false, r.y.data(), room.data());
  k.conv_forward(c, xp.data(), packed.data(), nullptr, true, r.cut.data(), room.data());
  const std::vector<T> frame = framed(c, dy);
  r.dw.resize(c.weights()), r.db.assign(c.K, T(0)), r.dx.resize(c.in_size() * lanes);
  k.conv_dw(c, xp.data(), frame.data(), sums.data(), r.db.data(), room.data());
  k.conv_unpack_dw(c, sums.data(), r.dw.data());
  k.conv_pack_dx(c, w.data(), packed.data());
  k.conv_dx(c, frame.data(), packed.data(), r.dx.data(), room.data());
  return r;
}

// conv (+ relu) + 2x2 maximum in one pass
template <class T>
std::vector<uint8_t> pooled(const Kernels<T>& k, const Conv& c, const std::vector<T>& x, const std::vector<T>& w,
                            const std::vector<T>& b, bool cut, std::vector<T>* y) {
  std::vector<T> xp(c.frame_size() * lanes);
  Aligned<T> packed(packed_size(c)), room(k.pooled_room(c));
  pad_group(c, x.data(), xp.data(), int(lanes));
  k.pooled_pack(c, w.data(), packed.data());
  std::vector<uint8_t> winner(c.out_size() / 4 * lanes);
  y->resize(winner.size());
  k.pooled_forward(c, xp.data(), packed.data(), b.data(), cut, y->data(), winner.data(), room.data());
  return winner;
}

// and the way back
template <class T>
ConvResult<T> unpooled(const Kernels<T>& k, const Conv& c, const std::vector<T>& x, const std::vector<T>& w,
                       const std::vector<T>& dy, const std::vector<uint8_t>& winner, bool cut) {
  ConvResult<T> r;
  std::vector<T> xp(c.frame_size() * lanes), sums(c.weights(), T(0)), no_dx_sums = sums;
  Aligned<T> packed(pooled_packed_dx_size(c)), room(k.pooled_room(c));
  pad_group(c, x.data(), xp.data(), int(lanes));
  k.pooled_pack_dx(c, w.data(), packed.data());
  r.dw.resize(c.weights()), r.db.assign(c.K, T(0)), r.dx.resize(c.in_size() * lanes);
  k.pooled_backward(c, xp.data(), dy.data(), winner.data(), cut, packed.data(), sums.data(), r.db.data(), r.dx.data(),
                    room.data());
  k.pooled_backward(c, xp.data(), dy.data(), winner.data(), cut, nullptr, no_dx_sums.data(), nullptr, nullptr,
                    room.data());
  k.pooled_unpack_dw(c, sums.data(), r.dw.data());
  if (std::memcmp(sums.data(), no_dx_sums.data(), sums.size() * sizeof(T))) r.dw.clear();  // dx changes nothing
  std::vector<T> dx_alone(r.dx.size());
  k.pooled_backward(c, nullptr, dy.data(), winner.data(), cut, packed.data(), nullptr, nullptr, dx_alone.data(),
                    room.data());
  if (std::memcmp(r.dx.data(), dx_alone.data(), dx_alone.size() * sizeof(T))) r.dx.clear();  // nor dw
  return r;
}

void check_convolutions(const Kernels<float>& k, Report& report) {
  for (const ConvShape& s : kConvs) {
    const Conv c = make_conv(s.C, s.H, s.W, s.K, s.kh, s.kw, s.sh, s.sw, s.pt, s.pb, s.pl, s.pr, 1, 1, 1);
    const auto x = normal(c.in_size() * lanes), w = normal(c.weights()), b = normal(c.K),
               dy = normal(c.out_size() * lanes);
    const auto ours = convolve<float>(k, c, x, w, b, dy);
    const auto exact = convolve<double>(oracle(), c, wide(x), wide(w), wide(b), wide(dy));
    report.add("conv_forward", distance(ours.y, exact.y), kSums);
    report.add("conv_forward+relu", distance(ours.cut, exact.cut), kSums);
    report.add("conv_dw", distance(ours.dw, exact.dw), kSums);
    report.add("conv_db", distance(ours.db, exact.db), kLongSums);
    report.add("conv_dx", distance(ours.dx, exact.dx), kSums);
    if (c.OH % 2 || c.OW % 2 || c.sh != 1 || c.sw != 1) continue;
    const auto dpooled = normal(c.out_size() / 4 * lanes);
    auto w0 = w, b0 = b;  // the first channel is exactly 0 everywhere: four equal cells that relu cuts off
    std::fill_n(w0.begin(), c.weights() / c.K, 0.0f), b0[0] = 0;
    for (bool cut : {false, true}) {
      std::vector<float> y;
      std::vector<double> exact_y;
      const auto winner = pooled<float>(k, c, x, w0, b0, cut, &y);
      const auto exact_winner = pooled<double>(oracle(), c, wide(x), wide(w0), wide(b0), cut, &exact_y);
      report.add("pooled_forward", distance(y, exact_y), kSums);
      report.add("pooled, winners", winner != exact_winner, kExact);  // no near-ties among these numbers
      const auto back = unpooled<float>(k, c, x, w0, dpooled, winner, cut);
      const auto exact_back = unpooled<double>(oracle(), c, wide(x), wide(w0), wide(dpooled), winner, cut);
      report.add("pooled, dw", distance(back.dw, exact_back.dw), kSums);
      report.add("pooled, db", distance(back.db, exact_back.db), kLongSums);
      report.add("pooled, dx", distance(back.dx, exact_back.dx), kSums);
      auto bad = x;  // a NaN wins wherever a window sees it, and is in the weights' gradient then
      bad[bad.size() / 2] = std::numeric_limits<float>::quiet_NaN();
      const auto bad_winner = pooled<float>(k, c, bad, w0, b0, cut, &y);
      pooled<double>(oracle(), c, wide(bad), wide(w0), wide(b0), cut, &exact_y);
      report.add("pooled, NaN", distance(y, exact_y), kSums);
      auto has_nan = [](const std::vector<float>& v) {
        return std::any_of(v.begin(), v.end(), [](float f) { return f != f; });
      };
      report.add("pooled, NaN in dw",
                 has_nan(y) != has_nan(unpooled<float>(k, c, bad, w0, dpooled, bad_winner, cut).dw), kExact);
    }
  }
}

// ---- one image -----------------------------------------------------------------------------------------------------

template <class T>
void one_image(const Kernels<T>& k, const Conv& c, const std::vector<T>& x, const std::vector<T>& w,
               const std::vector<T>& b, bool cut, bool pooled, std::vector<T>* y) {
  std::vector<T> xp(size_t(c.C) * c.Hp * c.Wp + kSlack, T(0)), packed(k.one_packed_size(c));
  for (int ch = 0; ch < c.C; ++ch)
    for (int row = 0; row < c.H; ++row)
      for (int col = 0; col < c.W; ++col)
        xp[(size_t(ch) * c.Hp + row + c.pt) * c.Wp + col + c.pl] = x[(size_t(ch) * c.H + row) * c.W + col];
  k.one_pack(c, w.data(), packed.data());
  y->resize(pooled ? c.out_size() / 4 : c.out_size());
  std::vector<T> out(y->size() + kSlack);  // a kernel may write whole registers
  const size_t plane = y->size() / size_t(c.K);
  k.one_conv(c, xp.data(), packed.data(), b.data(), cut, pooled, plane, out.data());
  std::copy(out.begin(), out.begin() + y->size(), y->begin());
}

void check_one_image(const Kernels<float>& k, Report& report) {
  for (const ConvShape& s : kConvs) {
    const Conv c = make_conv(s.C, s.H, s.W, s.K, s.kh, s.kw, s.sh, s.sw, s.pt, s.pb, s.pl, s.pr, 1, 1, 1);
    const auto x = normal(c.in_size()), w = normal(c.weights()), b = normal(c.K);
    for (bool cut : {false, true})
      for (bool pooled : {false, true}) {
        if (pooled && (c.OH % 2 || c.OW % 2 || c.sh != 1 || c.sw != 1)) continue;
        std::vector<float> ours;
        std::vector<double> exact;
        one_image<float>(k, c, x, w, b, cut, pooled, &ours);
        one_image<double>(oracle(), c, wide(x), wide(w), wide(b), cut, pooled, &exact);
        report.add(pooled ? "one_conv, pooled" : "one_conv", distance(ours, exact), kSums);
      }
  }
  for (auto [in, out] : {std::pair<int, int>{400, 120}, {120, 84}, {84, 10}, {1, 1}, {47, 13}, {5, 65}}) {
    const auto x = normal(in), w = normal(size_t(in) * out), b = normal(out);
    std::vector<float> ours(out + kSlack);
    std::vector<double> exact(out);
    k.one_linear(in, out, x.data(), w.data(), b.data(), true, ours.data());
    oracle().one_linear(in, out, wide(x).data(), wide(w).data(), wide(b).data(), true, exact.data());
    ours.resize(out);
    report.add("one_linear", distance(ours, exact), kSums);
  }
  for (int C : {1, 2, 10, 16, 17, 65}) {
    auto x = normal(C + kSlack, 30.0f);  // far enough apart for the bound at -64
    for (int i = C; i < C + kSlack; ++i) x[i] = std::numeric_limits<float>::quiet_NaN();  // slack is anything
    std::vector<float> ours(C + kSlack);
    std::vector<double> exact(C);
    k.one_softmax(C, x.data(), ours.data());
    oracle().one_softmax(C, wide(x).data(), exact.data());
    ours.resize(C);
    report.add("one_softmax", distance(ours, exact), kSums);
  }
}

// ---- pooling -----------------------------------------------------------------------------------------------------

struct PoolShape {
  int C, H, W, kh, kw, sh, sw, pt, pb, pl, pr;
  bool ceil, exclusive;
  int divisor;
};
const PoolShape kPools[] = {
    {6, 28, 28, 2, 2, 2, 2, 0, 0, 0, 0, false, true, 0}, {3, 7, 5, 3, 2, 2, 1, 1, 1, 0, 1, false, true, 0},
    {1, 9, 9, 3, 3, 1, 1, 1, 1, 1, 1, false, false, 0},  {5, 6, 7, 2, 3, 2, 2, 0, 1, 1, 1, true, false, 0},
    {2, 5, 5, 5, 5, 3, 3, 2, 2, 2, 2, true, true, 7},    {7, 4, 4, 1, 1, 3, 3, 0, 0, 0, 0, false, true, 0},
    {2, 9, 41, 3, 3, 2, 1, 1, 1, 1, 1, false, true, 0},  {2, 7, 39, 2, 2, 2, 2, 0, 0, 0, 0, true, true, 0},
};

template <class T>
void pool_all(const Kernels<T>& k, const Pool& p, const std::vector<T>& x, const std::vector<T>& dy,
              std::vector<T> (&out)[4]) {
  std::vector<int32_t> winner(p.out_size() * lanes);
  out[0].resize(p.out_size() * lanes), out[1].resize(p.in_size() * lanes);
  out[2].resize(p.out_size() * lanes), out[3].resize(p.in_size() * lanes);
  k.max_pool(p, x.data(), out[0].data(), winner.data());
  k.max_pool_dx(p, dy.data(), winner.data(), out[1].data());
  k.avg_pool(p, x.data(), out[2].data());
  k.avg_pool_dx(p, dy.data(), out[3].data());
}

void check_pooling(const Kernels<float>& k, Report& report) {
  const char* names[4] = {"max_pool", "max_pool_dx", "avg_pool", "avg_pool_dx"};
  for (const PoolShape& s : kPools) {
    const Pool p =
        make_pool(s.C, s.H, s.W, s.kh, s.kw, s.sh, s.sw, s.pt, s.pb, s.pl, s.pr, s.ceil, s.exclusive, s.divisor);
    auto x = normal(p.in_size() * lanes);
    const auto dy = normal(p.out_size() * lanes);
    for (size_t i = 0; i < x.size(); ++i) x[i] = std::round(x[i] * 2) / 2;  // many ties: the first must win
    x[lanes] = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> ours[4];
    std::vector<double> exact[4];
    pool_all<float>(k, p, x, dy, ours);
    pool_all<double>(oracle(), p, wide(x), wide(dy), exact);
    for (int i = 0; i < 4; ++i) report.add(names[i], distance(ours[i], exact[i]), i == 0 ? kExact : kSums);
    if (!k.half) continue;
    x.resize(p.in_size() + kSlack);  // one image
    std::vector<float> room(one_pool_room(p)), max(p.out_size() + kSlack), mean(max.size());
    std::vector<double> no_room, exact_max(p.out_size()), exact_mean(p.out_size());
    k.one_max_pool(p, x.data(), room.data(), max.data());
    k.one_avg_pool(p, x.data(), room.data(), mean.data());
    oracle().one_max_pool(p, wide(x).data(), no_room.data(), exact_max.data());
    oracle().one_avg_pool(p, wide(x).data(), no_room.data(), exact_mean.data());
    max.resize(p.out_size()), mean.resize(p.out_size());
    report.add("one_max_pool", distance(max, exact_max), kExact);
    report.add("one_avg_pool", distance(mean, exact_mean), kSums);
  }
}

// ---- bytes
// ------------------------------------------------------------------------------------------------------------

void check_bytes(const Kernels<float>& k, Report& report) {
  const auto table = normal(256);
  const Kernels<float>& plain_kernels = lanes == kLanes ? reference_kernels() : *reference_kernels().half;
  for (auto [H, W] : {std::pair<int, int>{28, 28}, {1, 1}, {3, 5}, {1, 16}, {4, 9}, {1, 257}}) {
    const size_t n = size_t(H) * W, row = size_t(W + 3) * lanes;
    std::vector<std::vector<uint8_t>> images(lanes,
                                             std::vector<uint8_t>(n));  // each its own block: nothing behind the last
    const uint8_t* at[kLanes];
    for (size_t l = 0; l < lanes; ++l) {
      for (auto& byte : images[l]) byte = uint8_t(random_bits());
      at[l] = images[l].data();
    }
    std::vector<float> ours(H * row, 7.0f), plain = ours;
    k.bytes_to_lanes(at, table.data(), H, W, ours.data(), row);
    plain_kernels.bytes_to_lanes(at, table.data(), H, W, plain.data(), row);
    report.add("bytes_to_lanes", distance(ours, wide(plain)), kExact);
  }
}

// ---- elementwise, linear, softmax, optimizers --------------------------------------------------------------------

template <class T>
using Out = std::map<std::string, std::vector<T>>;

template <class T>
void elementwise(const Kernels<T>& k, const std::vector<T>& a, const std::vector<T>& b, Out<T>& out) {
  const size_t n = a.size();
  auto to = [&](const char* name) {
    out[name].resize(n);
    return out[name].data();
  };
  k.relu(n, a.data(), to("relu"));
  k.relu_dx(n, a.data(), b.data(), to("relu_dx"));
  k.sigmoid(n, a.data(), to("sigmoid"));
  k.sigmoid_dx(n, a.data(), b.data(), to("sigmoid_dx"));
  k.tanh(n, a.data(), to("tanh"));
  k.tanh_dx(n, a.data(), b.data(), to("tanh_dx"));
  k.add(n, a.data(), b.data(), to("add"));
  k.mul(n, a.data(), b.data(), to("mul"));
  k.scale(n, T(0.75), a.data(), to("scale"));
}

template <class T>
void linear_all(const Kernels<T>& k, int in, int out_features, const std::vector<T>& x, const std::vector<T>& w,
                const std::vector<T>& b, const std::vector<T>& dy, Out<T>& out) {
  const int outp = padded_out(out_features), groups = 2;
  std::vector<T> dyt(size_t(groups) * lanes * outp);
  for (int g = 0; g < groups; ++g)
    transpose_group(out_features, dy.data() + size_t(g) * out_features * lanes, dyt.data() + size_t(g) * lanes * outp,
                    int(lanes));
  out["linear"].resize(size_t(out_features) * lanes), out["linear+relu"].resize(size_t(out_features) * lanes);
  out["linear_dx"].resize(size_t(in) * lanes), out["linear_dw"].resize(w.size()), out["linear_db"].resize(out_features);
  k.linear(in, out_features, x.data(), w.data(), b.data(), false, out["linear"].data());
  k.linear(in, out_features, x.data(), w.data(), nullptr, true, out["linear+relu"].data());
  k.linear_dx(in, out_features, dy.data(), w.data(), out["linear_dx"].data());
  k.linear_dw(in, out_features, groups, x.data(), size_t(in) * lanes, dyt.data(), 0, in / 2, out["linear_dw"].data());
  k.linear_dw(in, out_features, groups, x.data(), size_t(in) * lanes, dyt.data(), in / 2, in, out["linear_dw"].data());
  k.linear_db(out_features, groups, dyt.data(), out["linear_db"].data());
}

template <class T>
void softmax_all(const Kernels<T>& k, int C, const std::vector<T>& x, const std::vector<T>& target,
                 const std::vector<T>& weight, Out<T>& out) {
  for (const char* name : {"softmax", "softmax_dx", "softmax_loss_dx"}) out[name].resize(x.size());
  out["softmax_loss"].resize(lanes);
  k.softmax(C, x.data(), out["softmax"].data());
  k.softmax_dx(C, target.data(), x.data(),
               out["softmax_dx"].data());  // target is a distribution too, far from saturated
  k.softmax_loss(C, x.data(), target.data(), weight.data(), out["softmax_loss"].data(), out["softmax_loss_dx"].data());
}

void check_the_rest(const Kernels<float>& k, Report& report) {
  auto compare = [&](const Out<float>& ours, const Out<double>& exact) {
    for (const auto& [name, values] : ours) report.add(name, distance(values, exact.at(name)), kSums);
  };
  for (size_t n : {size_t(1), size_t(7), size_t(16), size_t(37), size_t(400)}) {  // tails of every width
    auto a = normal(n, 3.0f);
    const auto b = normal(n);
    if (n > 2) a[0] = std::numeric_limits<float>::quiet_NaN(), a[1] = 0;
    Out<float> ours;
    Out<double> exact;
    elementwise<float>(k, a, b, ours);
    elementwise<double>(oracle(), wide(a), wide(b), exact);
    compare(ours, exact);
  }
  for (auto [in, features] :
       {std::pair<int, int>{400, 120}, {120, 84}, {84, 10}, {1, 1}, {47, 13}, {10, 47}, {5, 7}, {701, 143}}) {
    const auto x = normal(size_t(2) * in * lanes), w = normal(size_t(in) * features), b = normal(features),
               dy = normal(size_t(2) * features * lanes);
    Out<float> ours;
    Out<double> exact;
    linear_all<float>(k, in, features, x, w, b, dy, ours);
    linear_all<double>(oracle(), in, features, wide(x), wide(w), wide(b), wide(dy), exact);
    compare(ours, exact);
  }
  for (int C : {1, 2, 10, 47}) {
    auto x = normal(size_t(C) * lanes, 20.0f);
    x[lanes - 1] = 200.0f;  // beyond the clamp
    std::vector<float> target(size_t(C) * lanes, 1.0f / float(C)), weight = normal(lanes);
    for (size_t l = 0; C > 1 && l < lanes; ++l) target[l] *= 0.5f, target[size_t(C - 1) * lanes + l] *= 1.5f;
    weight[0] = 0;
    Out<float> ours;
    Out<double> exact;
    softmax_all<float>(k, C, x, target, weight, ours);
    softmax_all<double>(oracle(), C, wide(x), wide(target), wide(weight), exact);
    compare(ours, exact);
  }
  // The optimizers' roundings are the same on every level: compared with the plain loops in float, bit for bit.
  const Kernels<float>& plain = reference_kernels();
  const Kernels<float>::Clip clip{0.5f, -0.75f, 1.0f};
  for (size_t n : {size_t(1), size_t(15), size_t(16), size_t(33), size_t(1000)}) {
    const auto g = normal(n), p = normal(n), v = normal(n);
    auto square = normal(n);
    for (float& s : square) s *= s;
    auto run_on = [&](const Kernels<float>& table, const char* name) {
      std::vector<float> out = p, m = v, s = square;
      const AdamStep step = adam_step(0.01f, 0.9f, 0.999f, 1e-8f, 0.81f, 0.998f, 0.01f, 0.1f);
      if (!std::strcmp(name, "sgd")) table.sgd(n, out.data(), g.data(), 0.1f, 0.01f, clip);
      if (!std::strcmp(name, "momentum"))
        table.momentum(n, out.data(), g.data(), m.data(), 0.1f, 0.9f, true, 0.01f, clip);
      if (!std::strcmp(name, "adam")) table.adam(n, out.data(), g.data(), m.data(), s.data(), step, clip);
      out.insert(out.end(), m.begin(), m.end());
      out.insert(out.end(), s.begin(), s.end());
      return out;
    };
    for (const char* name : {"sgd", "momentum", "adam"})
      report.add(name, distance(run_on(k, name), wide(run_on(plain, name))), kExact);
    const std::vector<double> exact = {plain.sum_squares(n, g.data())};
    report.add("sum_squares", distance(std::vector<double>{k.sum_squares(n, g.data())}, exact), kSums);
  }
}

// ---- maps: activations, normalisation, a loss a cell ---------------------------------------------------------------

template <class T>
struct Maps {  // what the kernels make of one group
  std::vector<T> active, slope, sum, y, dx, rest, loss, dlogits;
  std::vector<double> mean, squares, ones, products;
};

template <class T>
Maps<T> run_maps(const Kernels<T>& k, int C, size_t cells, int real, Act act, const std::vector<T>& x,
                 const std::vector<T>& dy, const std::vector<T>& other, const std::vector<int32_t>& label,
                 const std::vector<T>& weight) {
  const size_t n = C * cells * lanes;
  Maps<T> m;
  for (auto* v : {&m.active, &m.slope, &m.sum, &m.y, &m.dx, &m.rest, &m.dlogits}) v->resize(n + kSlack);
  for (auto* v : {&m.mean, &m.squares, &m.ones, &m.products}) v->resize(size_t(C));
  m.loss.resize(cells * lanes);
  k.activate(act, T(0.25), n - 3, x.data(), m.active.data());  // an odd number of them
  k.activate_dx(act, T(0.25), n - 3, x.data(), m.active.data(), dy.data(), m.slope.data());
  k.add_cut(n - 3, x.data(), other.data(), m.sum.data());
  k.norm_stats(C, cells, real, x.data(), m.mean.data(), m.squares.data());
  std::vector<T> mean, scale, shift, a, b;
  for (int c = 0; c < C; ++c)
    mean.push_back(T(0.5) * c), scale.push_back(T(0.75) + c), shift.push_back(T(0.25)), a.push_back(T(0.125) * c),
        b.push_back(T(0.0625));
  k.norm(C, cells * lanes, x.data(), mean.data(), scale.data(), shift.data(), other.data(), true, m.y.data());
  k.norm_sums(C, cells, x.data(), other.data(), dy.data(), mean.data(), m.ones.data(), m.products.data());
  k.norm_dx(C, cells, real, x.data(), other.data(), dy.data(), mean.data(), scale.data(), a.data(), b.data(),
            m.dx.data(), m.rest.data());
  k.class_loss(C, cells, x.data(), label.data(), T(0.125), weight.data(), m.loss.data(), m.dlogits.data());
  for (auto* v : {&m.active, &m.slope, &m.sum, &m.y, &m.dx, &m.rest, &m.dlogits}) v->resize(n);
  return m;
}

void check_maps(const Kernels<float>& k, Report& report) {
  const Act acts[] = {Act::relu,       Act::sigmoid, Act::tanh,      Act::relu6,
                      Act::leaky_relu, Act::gelu,    Act::gelu_tanh, Act::silu};
  int turn = 0;
  for (auto [C, cells] :
       {std::pair<int, size_t>{3, 1}, {2, 7}, {5, 300}, {1, 1030}, {12, 64}, {7, 33}, {2, 5}, {4, 20}})
    for (int real : {1, 5, int(lanes)}) {
      const size_t n = C * cells * lanes;
      const Act act = acts[turn++ % 8];
      const auto x = normal(n + kSlack, 3.0f), dy = normal(n + kSlack), other = normal(n + kSlack);
      const auto weight = normal(cells * lanes);
      std::vector<int32_t> label;
      for (size_t i = 0; i < cells * lanes; ++i) label.push_back(int32_t(i % size_t(C + 1)) - 1);
      const auto ours = run_maps<float>(k, C, cells, real, act, x, dy, other, label, weight);
      const auto exact =
          run_maps<double>(oracle(), C, cells, real, act, wide(x), wide(dy), wide(other), label, wide(weight));
      report.add("activate", distance(ours.active, exact.active), kSums);
      report.add("activate_dx", distance(ours.slope, exact.slope), kSums);
      report.add("add_cut", distance(ours.sum, exact.sum), kSums);
      report.add("norm_stats", distance(ours.mean, exact.mean), kLongSums);  // a mean of either sign
      report.add("norm_stats", distance(ours.squares, exact.squares), kSums);
      report.add("norm", distance(ours.y, exact.y), kSums);
      report.add("norm_sums", distance(ours.ones, exact.ones), kManySums);
      report.add("norm_sums", distance(ours.products, exact.products), kManySums);
      report.add("norm_dx", distance(ours.dx, exact.dx), kSums);
      report.add("norm_dx, rest", distance(ours.rest, exact.rest), kExact);
      report.add("class_loss", distance(ours.loss, exact.loss), kSums);
      report.add("class_loss, dx", distance(ours.dlogits, exact.dlogits), kSums);
    }
}

// ---- a whole training step through the pool and the plan ----------------------------------------------------------

std::vector<float> trained_lenet(int n, std::vector<float>* losses) {
  auto conv = [](Conv c, int w) {
    Row r{};
    r.kind = Kind::conv, r.conv = c, r.w = w, r.b = w + 1, r.in_size = c.in_size(), r.out_size = c.out_size();
    return r;
  };
  auto relu = [](size_t n) {
    Row r{};
    r.kind = Kind::act, r.in_size = r.out_size = n;
    return r;
  };
  auto pool = [](Pool p) {
    Row r{};
    r.kind = Kind::max_pool, r.pool = p, r.in_size = p.in_size(), r.out_size = p.out_size();
    return r;
  };
  auto linear = [](int in, int out, int w) {
    Row r{};
    r.kind = Kind::linear, r.in = in, r.out = out, r.w = w, r.b = w + 1, r.in_size = in, r.out_size = out;
    return r;
  };
  std::vector<Row> rows = {conv(make_conv(1, 28, 28, 6, 5, 5, 1, 1, 2, 2, 2, 2, 1, 1, 1), 0),
                           relu(6 * 28 * 28),
                           pool(make_pool(6, 28, 28, 2, 2, 2, 2, 0, 0, 0, 0, false, true, 0)),
                           conv(make_conv(6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 0, 0, 1, 1, 1), 2),
                           relu(16 * 10 * 10),
                           pool(make_pool(16, 10, 10, 2, 2, 2, 2, 0, 0, 0, 0, false, true, 0)),
                           linear(400, 120, 4),
                           relu(120),
                           linear(120, 84, 6),
                           relu(84),
                           linear(84, 10, 8)};
  const size_t sizes[] = {150, 6, 2400, 16, 48000, 120, 10080, 84, 840, 10};
  const float scales[] = {0.28f, 0, 0.11f, 0, 0.06f, 0, 0.1f, 0, 0.15f, 0};
  random_bits.seed(7);
  std::vector<std::vector<float>> values, grads, moments;
  std::vector<Param> params;
  for (int i = 0; i < 10; ++i) {
    values.push_back(normal(sizes[i], scales[i] > 0 ? scales[i] : 1.0f));
    if (scales[i] == 0) values.back().assign(sizes[i], 0.0f);
    grads.emplace_back(sizes[i]);
    moments.emplace_back(2 * sizes[i]);
  }
  for (int i = 0; i < 10; ++i) {
    Param p{values[i].data(), sizes[i], true};
    p.grad = grads[i].data(), p.state[0] = moments[i].data(), p.state[1] = moments[i].data() + sizes[i];
    params.push_back(p);
  }
  const auto images = normal(size_t(n) * 784);
  std::vector<int64_t> labels(n), indices(2 * n);
  for (int i = 0; i < n; ++i) labels[i] = i % 10, indices[i] = indices[n + i] = i;
  Source source;
  source.floats = images.data();
  Loss loss;
  loss.labels = labels.data();
  Graph graph;
  graph.in_size = 784;
  for (Row& row : rows) {
    row.from = {int(graph.rows.size())};
    graph.rows.push_back(row);
  }
  graph.heads = {{int(rows.size()), 10, 1}};
  Update update;
  update.rule = Update::sgd;
  Generator random(0);
  const int counts[] = {n, n};
  const double rates[] = {0.01, 0.01};
  losses->resize(2);
  std::vector<float> logits(size_t(2) * n * 10);
  float* outputs = logits.data();
  Plan(graph, params)
      .train(source, indices.data(), counts, 2, rates, nullptr, {loss}, update, random, losses->data(), &outputs);
  return logits;
}

}  // namespace

int main() {
  Level all[8];
  const int n = levels(all);
  int failed = 0;
  std::vector<float> plain_losses;
  if (select_level("reference")) return 1;
  const int batches[] = {37, 21, 6, 50};  // groups of eight, of them cut by channels, and of sixteen
  std::vector<std::vector<double>> plain_logits;
  for (int batch : batches) plain_logits.push_back(wide(trained_lenet(batch, &plain_losses)));
  for (int i = 0; i < n; ++i) {
    const char* name = all[i].name;
    const char* why = select_level(name);
    if (!all[i].usable) {
      std::printf("%-10s not on this CPU: %s\n", name, why ? why : "but it was selected all the same");
      failed += why == nullptr;
      continue;
    }
    if (why || std::strcmp(kernels().level, name) != 0) {
      std::printf("%-10s FAILED: it did not become the level in use\n", name);
      ++failed;
      continue;
    }
    Report report;
    for (const Kernels<float>* k : {&kernels(), kernels().half}) {
      lanes = size_t(k->lanes);
      random_bits.seed(1);  // the same numbers at every level
      check_convolutions(*k, report);
      if (k->half) check_one_image(*k, report);
      check_pooling(*k, report);
      check_bytes(*k, report);
      check_the_rest(*k, report);
      check_maps(*k, report);
    }
    std::vector<float> losses, one;
    for (int run = 0; run < 12; ++run) {
      const int threads = run % 3 + 1, batch = run / 3;
      set_num_threads(threads);
      const std::vector<float> logits = trained_lenet(batches[batch], &losses);
      // the second step's outputs carry the first one's gradients and update; one ReLU that flips costs about 1e-6
      report.add("two steps of LeNet", distance(logits, plain_logits[size_t(batch)]), 1e-5);
      if (threads == 1) one = logits;
      report.add("threads, bits", distance(logits, wide(one)), kExact);
    }
    failed += report.print(name);
  }
  std::printf(failed ? "%d FAILED\n" : "all well\n", failed);
  return failed ? 1 : 0;
}
