#include "engine.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>

#include "checked.h"
#include "lock.h"
#include "pool.h"

namespace lenet {

template <>
const Kernels<float>& table<float>() {
  return kernels();
}
template <>
const Kernels<double>& table<double>() {
  return reference_kernels_f64();
}

// A dilated or grouped convolution runs on the plain loops.
template <class T>
static const Kernels<T>& conv_table(const Conv& c);
template <>
const Kernels<float>& conv_table<float>(const Conv& c) {
  return c.plain() ? kernels() : reference_kernels();
}
template <>
const Kernels<double>& conv_table<double>(const Conv&) {
  return reference_kernels_f64();
}

// ---- memory --------------------------------------------------------------------------------------------------------

namespace {
constexpr size_t kMostIdle = 64u << 20;  // bytes kept for reuse
constexpr size_t kPage = 4096;
struct Recycler {
  Lock lock;
  std::vector<void*> small[64];  // by number of pages
  std::map<size_t, std::vector<void*>> large;
  size_t held = 0;

  std::vector<void*>* idle(size_t size, bool make) {
    if (size / kPage < 64) return &small[size / kPage];
    if (make) return &large[size];
    auto it = large.find(size);
    return it == large.end() ? nullptr : &it->second;
  }
};
Recycler& recycler() {
  static Recycler* r = new Recycler;  // outlives every tensor that dies at exit
  return *r;
}
size_t rounded(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

class TooMuch : public std::bad_alloc {
 public:
  TooMuch(size_t wanted, size_t there) {
    std::snprintf(text_, sizeof text_, "the engine needs %.1f GB at once, and %.1f GB are free: use a smaller batch",
                  double(wanted) / 1e9, double(there) / 1e9);
  }
  const char* what() const noexcept override { return text_; }

 private:
  char text_[128];
};

// Bytes that could be had without driving the system into swapping or killing; 0 if it doesn't say.
size_t available_memory() {
  size_t kilobytes = 0;
  if (std::FILE* file = std::fopen("/proc/meminfo", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file))
      if (std::sscanf(line, "MemAvailable: %zu kB", &kilobytes) == 1) break;
    std::fclose(file);
  }
  return kilobytes * 1024;
}

// A system that promises more memory than it has ends the process when the memory is used: so large requests are
// compared with what is there first.
constexpr size_t kLarge = 512u << 20;

void* allocate(size_t bytes) {
  if (bytes > size_t(1) << 62) throw std::bad_alloc();
  const size_t size = rounded(bytes ? bytes : 1);
  if (size >= kLarge) {
    const size_t there = available_memory();
    if (there && size > there) throw TooMuch(size, there);
  }
  void* p = std::aligned_alloc(64, size);
  if (!p) throw std::bad_alloc();
  return p;
}
}  // namespace

void* take_memory(size_t bytes) {
  const size_t size = rounded(bytes ? bytes : 1);
  auto& r = recycler();
  {
    Hold hold(r.lock);
    std::vector<void*>* idle = r.idle(size, false);
    if (idle && !idle->empty()) {
      void* p = idle->back();
      idle->pop_back();
      r.held -= size;
      return p;
    }
  }
  return allocate(bytes);
}

// Called by destructors: what can't be kept for want of memory is given back to the system.
void give_memory(void* p, size_t bytes) noexcept {
  const size_t size = rounded(bytes ? bytes : 1);
  auto& r = recycler();
  try {
    Hold hold(r.lock);
    if (r.held + size <= kMostIdle) {
      r.idle(size, true)->push_back(p);
      r.held += size;
      return;
    }
  } catch (const std::bad_alloc&) {
  }
  std::free(p);
}

void* scratch(int slot, size_t bytes) {
  struct Block {
    void* p = nullptr;
    size_t size = 0;
    ~Block() { std::free(p); }
  };
  thread_local Block blocks[kScratchSlots];
  Block& b = blocks[slot];
  if (b.size < bytes) {
    std::free(b.p);  // first, so that the two needn't fit at once
    b.p = nullptr, b.size = 0;
    b.p = allocate(bytes);
    b.size = rounded(bytes);
  }
  return b.p;
}

void Floats::resize(size_t n) {
  float* old = data_;
  data_ = nullptr, size_ = 0;  // before it is free: this may be the moment of a fork
  std::free(old);
  const size_t bytes = product({n, sizeof(float)}) + 1;
  data_ = static_cast<float*>(allocate(bytes));
  std::memset(data_, 0, rounded(bytes));
  size_ = n;
}

template <class T>
static T* scratch_of(int slot, size_t count) {
  return static_cast<T*>(scratch(slot, count * sizeof(T)));
}

// ---- shapes --------------------------------------------------------------------------------------------------------

Conv make_conv(int C, int H, int W, int K, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, int dh,
               int dw, int groups) {
  Conv c{C, H, W, K, kh, kw, sh, sw, pt, pb, pl, pr, dh, dw, groups, 0, 0, 0, 0};
  // A step beyond the image is never taken: no larger than that, its multiples stay sizes too.
  c.sh = sh < H + pt + pb ? sh : H + pt + pb, c.sw = sw < W + pl + pr ? sw : W + pl + pr;
  c.Hp = H + pt + pb, c.Wp = W + pl + pr;
  c.OH = (c.Hp - ((kh - 1) * dh + 1)) / c.sh + 1;
  c.OW = (c.Wp - ((kw - 1) * dw + 1)) / c.sw + 1;
  return c;
}

Pool make_pool(int C, int H, int W, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, bool ceil,
               bool exclusive, int divisor) {
  sh = sh < H + pt + pb ? sh : H + pt + pb, sw = sw < W + pl + pr ? sw : W + pl + pr;  // as in make_conv
  Pool p{C, H, W, kh, kw, sh, sw, pt, pb, pl, pr, 0, 0, exclusive, divisor};
  auto out = [&](int size, int before, int after, int k, int s) {
    const int n = (size + before + after - k + (ceil ? s - 1 : 0)) / s + 1;
    const int most = (size + before - 1) / s + 1;  // no window starts beyond the image
    return n < most ? n : most;
  };
  p.OH = out(H, pt, pb, kh, sh);
  p.OW = out(W, pl, pr, kw, sw);
  return p;
}

// ---- layout --------------------------------------------------------------------------------------------------------

// Calls f(g0, g1) for the fixed shards of `groups` groups.
template <class F>
static void over_shards(int groups, F f) {
  int shards = shards_of(groups);
  run(shards, [&](int s) { f(s, int(int64_t(groups) * s / shards), int(int64_t(groups) * (s + 1) / shards)); });
}

template <class F>
static void over_groups(int groups, F f) {
  over_shards(groups, [&](int, int g0, int g1) {
    for (int g = g0; g < g1; ++g) f(g);
  });
}

template <class T>
void to_lanes(size_t n, size_t features, const T* dense, T* lanes) {
  over_groups(groups_of(int(n)), [&](int g) {
    size_t first = size_t(g) * L, real = n - first < size_t(L) ? n - first : L;
    T* out = lanes + size_t(g) * features * L;
    for (size_t f = 0; f < features; ++f, out += L) {
      for (size_t l = 0; l < real; ++l) out[l] = dense[(first + l) * features + f];
      for (size_t l = real; l < size_t(L); ++l) out[l] = T(0);
    }
  });
}

template <class T>
void from_lanes(size_t n, size_t features, const T* lanes, T* dense) {
  over_groups(groups_of(int(n)), [&](int g) {
    size_t first = size_t(g) * L, real = n - first < size_t(L) ? n - first : L;
    const T* in = lanes + size_t(g) * features * L;
    for (size_t l = 0; l < real; ++l)
      for (size_t f = 0; f < features; ++f) dense[(first + l) * features + f] = in[f * L + l];
  });
}

void gather_lanes(size_t n, size_t features, const uint8_t* images, const int64_t* indices, const float* lut,
                  float* lanes) {
  over_groups(groups_of(int(n)), [&](int g) {
    const uint8_t* rows[L];
    size_t first = size_t(g) * L;
    for (size_t l = 0; l < size_t(L); ++l)  // pad lanes repeat the last real sample: finite, and masked in the loss
      rows[l] = images + size_t(indices[first + l < n ? first + l : n - 1]) * features;
    float* out = lanes + size_t(g) * features * L;
    for (size_t f = 0; f < features; ++f, out += L)
      for (int l = 0; l < L; ++l) out[l] = lut[rows[l][f]];
  });
}

template <class T>
void pad_group(const Conv& c, const T* x, T* xp) {
  const size_t row = size_t(c.W) * L, prow = size_t(c.Wp) * L;
  for (int ch = 0; ch < c.C; ++ch) {
    std::memset(xp, 0, prow * c.pt * sizeof(T));
    xp += prow * c.pt;
    for (int y = 0; y < c.H; ++y, x += row, xp += prow) {
      std::memset(xp, 0, size_t(c.pl) * L * sizeof(T));
      std::memcpy(xp + size_t(c.pl) * L, x, row * sizeof(T));
      std::memset(xp + size_t(c.pl + c.W) * L, 0, size_t(c.pr) * L * sizeof(T));
    }
    std::memset(xp, 0, prow * c.pb * sizeof(T));
    xp += prow * c.pb;
  }
}

template <class T>
void frame_group(const Conv& c, const T* dy, T* dframe) {
  const size_t row = size_t(c.OW) * L;
  for (int r = 0; r < c.K * c.OH; ++r, dy += row) {
    std::memset(dframe, 0, L * sizeof(T));
    std::memcpy(dframe + L, dy, row * sizeof(T));
    std::memset(dframe + L + row, 0, L * sizeof(T));
    dframe += row + 2 * L;
  }
}

template <class T>
void transpose_group(int out, const T* dy, T* dyt) {
  const int outp = padded_out(out);
  for (int l = 0; l < L; ++l, dyt += outp) {
    for (int o = 0; o < out; ++o) dyt[o] = dy[size_t(o) * L + l];
    for (int o = out; o < outp; ++o) dyt[o] = T(0);
  }
}

// ---- operations ----------------------------------------------------------------------------------------------------

template <class T>
void conv_forward(const Conv& c, int n, const T* x, const T* w, const T* b, T* y) {
  const auto& k = conv_table<T>(c);
  over_shards(groups_of(n), [&](int, int g0, int g1) {
    T* packed = scratch_of<T>(0, c.weights());
    k.conv_pack(c, w, packed);
    T* frame = c.padded() ? scratch_of<T>(1, c.frame_size() * L) : nullptr;
    for (int g = g0; g < g1; ++g) {
      const T* xg = x + size_t(g) * c.in_size() * L;
      if (frame) pad_group(c, xg, frame);
      k.conv_forward(c, frame ? frame : xg, packed, b, false, y + size_t(g) * c.out_size() * L);
    }
  });
}

template <class T>
void conv_backward(const Conv& c, int n, const T* x, const T* w, const T* dy, T* dx, T* dw, T* db) {
  const auto& k = conv_table<T>(c);
  const int groups = groups_of(n), shards = shards_of(groups);
  const size_t weights = c.weights(), partial = weights + c.K;
  std::vector<T> sums(dw || db ? partial * shards : 0, T(0));
  over_shards(groups, [&](int s, int g0, int g1) {
    T* dframe = scratch_of<T>(0, dy_frame_size(c) * L);
    T* frame = c.padded() && (dw || db) ? scratch_of<T>(1, c.frame_size() * L) : nullptr;
    T* packed = dx ? scratch_of<T>(2, weights) : nullptr;
    if (dx) k.conv_pack_dx(c, w, packed);
    for (int g = g0; g < g1; ++g) {
      frame_group(c, dy + size_t(g) * c.out_size() * L, dframe);
      if (dw || db) {
        const T* xg = x + size_t(g) * c.in_size() * L;
        if (frame) pad_group(c, xg, frame);
        T* to = sums.data() + partial * s;
        k.conv_dw(c, frame ? frame : xg, dframe, to, db ? to + weights : nullptr);
      }
      if (dx) k.conv_dx(c, dframe, packed, dx + size_t(g) * c.in_size() * L);
    }
  });
  if (!(dw || db)) return;
  for (int s = 1; s < shards; ++s) table<T>().add(partial, sums.data(), sums.data() + partial * s, sums.data());
  if (dw) k.conv_unpack_dw(c, sums.data(), dw);
  if (db) std::memcpy(db, sums.data() + weights, c.K * sizeof(T));
}

template <class T>
void max_pool_forward(const Pool& p, int n, const T* x, T* y, int32_t* winner) {
  over_groups(groups_of(n), [&](int g) {
    table<T>().max_pool(p, x + g * p.in_size() * L, y + g * p.out_size() * L, winner + g * p.out_size() * L);
  });
}
template <class T>
void max_pool_backward(const Pool& p, int n, const T* dy, const int32_t* winner, T* dx) {
  over_groups(groups_of(n), [&](int g) {
    table<T>().max_pool_dx(p, dy + g * p.out_size() * L, winner + g * p.out_size() * L, dx + g * p.in_size() * L);
  });
}
template <class T>
void avg_pool_forward(const Pool& p, int n, const T* x, T* y) {
  over_groups(groups_of(n), [&](int g) { table<T>().avg_pool(p, x + g * p.in_size() * L, y + g * p.out_size() * L); });
}
template <class T>
void avg_pool_backward(const Pool& p, int n, const T* dy, T* dx) {
  over_groups(groups_of(n),
              [&](int g) { table<T>().avg_pool_dx(p, dy + g * p.out_size() * L, dx + g * p.in_size() * L); });
}

template <class T>
void linear_forward(int in, int out, int n, const T* x, const T* w, const T* b, T* y) {
  over_groups(groups_of(n),
              [&](int g) { table<T>().linear(in, out, x + size_t(g) * in * L, w, b, false, y + size_t(g) * out * L); });
}

template <class T>
void linear_backward(int in, int out, int n, const T* x, const T* w, const T* dy, T* dx, T* dw, T* db) {
  const int groups = groups_of(n), outp = padded_out(out);
  std::vector<T> dyt(dw || db ? size_t(groups) * L * outp : 0);
  over_groups(groups, [&](int g) {
    const T* dyg = dy + size_t(g) * out * L;
    if (!dyt.empty()) transpose_group(out, dyg, dyt.data() + size_t(g) * L * outp);
    if (dx) table<T>().linear_dx(in, out, dyg, w, dx + size_t(g) * in * L);
  });
  if (dw) {
    constexpr int kRows = 48;
    run((in + kRows - 1) / kRows, [&](int r) {
      int i1 = (r + 1) * kRows < in ? (r + 1) * kRows : in;
      table<T>().linear_dw(in, out, groups, x, size_t(in) * L, dyt.data(), r * kRows, i1, dw);
    });
  }
  if (db) table<T>().linear_db(out, groups, dyt.data(), db);
}

template <class T>
void softmax_forward(int classes, int n, const T* x, T* y) {
  over_groups(groups_of(n),
              [&](int g) { table<T>().softmax(classes, x + size_t(g) * classes * L, y + size_t(g) * classes * L); });
}
template <class T>
void softmax_backward(int classes, int n, const T* y, const T* dy, T* dx) {
  over_groups(groups_of(n), [&](int g) {
    size_t at = size_t(g) * classes * L;
    table<T>().softmax_dx(classes, y + at, dy + at, dx + at);
  });
}
template <class T>
void loss_forward(int classes, int n, const T* x, const T* target, const T* weight, T* loss, T* dx) {
  over_groups(groups_of(n), [&](int g) {
    size_t at = size_t(g) * classes * L;
    table<T>().softmax_loss(classes, x + at, target + at, weight + size_t(g) * L, loss + size_t(g) * L, dx + at);
  });
}

// ---- few images ----------------------------------------------------------------------------------------------------

template <class T>
void few_conv(const Conv& c, int n, const T* x, const T* w, const T* b, T* y) {
  const auto& k = conv_table<T>(c);
  T* packed = scratch_of<T>(0, k.one_packed_size(c));
  k.one_pack(c, w, packed);
  T* frame = c.padded() ? scratch_of<T>(1, c.frame_size() + kSlack) : nullptr;
  for (int i = 0; i < n; ++i, x += c.in_size(), y += c.out_size()) {
    if (frame) pad_image(c, x, frame);
    k.one_conv(c, frame ? frame : x, packed, b, false, false, y);
  }
}
template <class T>
void few_max_pool(const Pool& p, int n, const T* x, T* y) {
  T* room = scratch_of<T>(0, one_pool_room(p));
  for (int i = 0; i < n; ++i) table<T>().one_max_pool(p, x + i * p.in_size(), room, y + i * p.out_size());
}
template <class T>
void few_avg_pool(const Pool& p, int n, const T* x, T* y) {
  T* room = scratch_of<T>(0, one_pool_room(p));
  for (int i = 0; i < n; ++i) table<T>().one_avg_pool(p, x + i * p.in_size(), room, y + i * p.out_size());
}
template <class T>
void few_linear(int in, int out, int n, const T* x, const T* w, const T* b, T* y) {
  constexpr size_t kOften = 1u << 17;  // weights that a cache holds while several images read them
  if (n > 4 && size_t(in) * out > kOften) {
    T *xl = scratch_of<T>(0, size_t(in) * L), *yl = scratch_of<T>(1, size_t(out) * L);
    to_lanes(size_t(n), size_t(in), x, xl);
    linear_forward(in, out, n, xl, w, b, yl);
    return from_lanes(size_t(n), size_t(out), yl, y);
  }
  for (int i = 0; i < n; ++i) table<T>().one_linear(in, out, x + size_t(i) * in, w, b, false, y + size_t(i) * out);
}
template <class T>
void few_softmax(int classes, int n, const T* x, T* y) {
  for (int i = 0; i < n; ++i) table<T>().one_softmax(classes, x + size_t(i) * classes, y + size_t(i) * classes);
}

constexpr size_t kPiece = 16384;  // numbers; smaller arrays aren't worth a second thread

template <class T>
void run_unary(Unary<T> f, size_t n, const T* x, T* y) {
  run(int((n + kPiece - 1) / kPiece), [&](int i) {
    size_t at = i * kPiece;
    f(n - at < kPiece ? n - at : kPiece, x + at, y + at);
  });
}
template <class T>
void run_binary(Binary<T> f, size_t n, const T* a, const T* b, T* y) {
  run(int((n + kPiece - 1) / kPiece), [&](int i) {
    size_t at = i * kPiece;
    f(n - at < kPiece ? n - at : kPiece, a + at, b + at, y + at);
  });
}

AdamStep adam_step(float lr, float beta1, float beta2, float eps, float beta1_pow, float beta2_pow, float l2,
                   float decay) {
  const float root = std::sqrt(1.0f - beta2_pow);
  return {beta1, beta2, lr * root / (1.0f - beta1_pow), eps * root, l2, 1.0f - lr * decay};
}

// Runs f() on each of `threads` indices again and again until `seconds` are over; its results' sum over the time taken.
template <class F>
static double rate(double seconds, int threads, F f) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> done(threads, 0);
  const auto began = Clock::now();
  auto spent = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
  run(threads, [&](int i) {
    do done[i] += f(i);
    while (spent() < seconds);
  });
  const double took = spent();
  double total = 0;
  for (double d : done) total += d;
  return total / took;
}

double multiply_add_peak(double seconds, int threads) {
  [[maybe_unused]] static volatile float kept;
  const auto& k = kernels();
  return rate(seconds, threads, [&](int) {
    constexpr long kRounds = 1 << 16;
    kept = k.multiply_adds(kRounds);
    return 2e-9 * double(kRounds) * kPeakChains * k.width;
  });
}

double copy_peak(double seconds, int threads) {
  constexpr size_t kBytes = 64u << 20;  // each way, a thread
  std::vector<std::vector<char>> from(threads), to(threads);
  for (int i = 0; i < threads; ++i) from[i].assign(kBytes, 1), to[i].assign(kBytes, 0);
  return rate(seconds, threads, [&](int i) {
    std::memcpy(to[i].data(), from[i].data(), kBytes);
    return 2e-9 * kBytes;
  });
}

#define LENET_INSTANTIATE(T)                                                                  \
  template void to_lanes<T>(size_t, size_t, const T*, T*);                                    \
  template void from_lanes<T>(size_t, size_t, const T*, T*);                                  \
  template void conv_forward<T>(const Conv&, int, const T*, const T*, const T*, T*);          \
  template void conv_backward<T>(const Conv&, int, const T*, const T*, const T*, T*, T*, T*); \
  template void max_pool_forward<T>(const Pool&, int, const T*, T*, int32_t*);                \
  template void max_pool_backward<T>(const Pool&, int, const T*, const int32_t*, T*);         \
  template void avg_pool_forward<T>(const Pool&, int, const T*, T*);                          \
  template void avg_pool_backward<T>(const Pool&, int, const T*, T*);                         \
  template void linear_forward<T>(int, int, int, const T*, const T*, const T*, T*);           \
  template void linear_backward<T>(int, int, int, const T*, const T*, const T*, T*, T*, T*);  \
  template void softmax_forward<T>(int, int, const T*, T*);                                   \
  template void softmax_backward<T>(int, int, const T*, const T*, T*);                        \
  template void loss_forward<T>(int, int, const T*, const T*, const T*, T*, T*);              \
  template void few_conv<T>(const Conv&, int, const T*, const T*, const T*, T*);              \
  template void few_max_pool<T>(const Pool&, int, const T*, T*);                              \
  template void few_avg_pool<T>(const Pool&, int, const T*, T*);                              \
  template void few_linear<T>(int, int, int, const T*, const T*, const T*, T*);               \
  template void few_softmax<T>(int, int, const T*, T*);                                       \
  template void run_unary<T>(Unary<T>, size_t, const T*, T*);                                 \
  template void run_binary<T>(Binary<T>, size_t, const T*, const T*, T*);                     \
  template void pad_group<T>(const Conv&, const T*, T*);                                      \
  template void frame_group<T>(const Conv&, const T*, T*);                                    \
  template void transpose_group<T>(int, const T*, T*);

LENET_INSTANTIATE(float)
LENET_INSTANTIATE(double)

}  // namespace lenet
