// One operation over a whole batch: cuts it into groups and fixed shards, runs them on the pool, reduces gradients in a
// fixed order. The eager calls and the plan both stand on this. Templated on float (the kernels in use) and double (the
// reference alone; the oracle of the tests).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels.h"

namespace lenet {

template <class T>
const Kernels<T>& table();

// Memory aligned to 64 bytes, recycled: training asks for the same sizes again and again. From any thread. Throws
// std::bad_alloc where there is none, and for a large request beyond what the system has free.
void* take_memory(size_t bytes);
void give_memory(void* p, size_t bytes) noexcept;

// Per-thread scratch that only grows; `slot` keeps buffers that live at once apart.
constexpr int kScratchSlots = 9;
void* scratch(int slot, size_t bytes);

// A zero-filled array aligned to 64 bytes. Empty after a resize() that found no memory.
class Floats {
 public:
  Floats() = default;
  ~Floats() { std::free(data_); }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }
  void resize(size_t n);

 private:
  float* data_ = nullptr;
  size_t size_ = 0;
};

inline size_t aligned(size_t n) { return (n + 15) / 16 * 16; }  // to a cache line of floats
inline int groups_of(int n) { return (n + L - 1) / L; }
constexpr int kMostShards = 16;  // a function of the batch alone, never of the number of threads
inline int shards_of(int groups) { return groups < kMostShards ? groups : kMostShards; }

Conv make_conv(int C, int H, int W, int K, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, int dh,
               int dw, int groups);
Pool make_pool(int C, int H, int W, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, bool ceil,
               bool exclusive, int divisor);

template <class T>
void to_lanes(size_t n, size_t features, const T* dense, T* lanes);  // pad lanes become zero
template <class T>
void from_lanes(size_t n, size_t features, const T* lanes, T* dense);
// uint8 rows `indices` of images [count][features] through a 256-entry table into lanes
void gather_lanes(size_t n, size_t features, const uint8_t* images, const int64_t* indices, const float* lut,
                  float* lanes);

template <class T>
void conv_forward(const Conv& c, int n, const T* x, const T* w, const T* b, T* y);
template <class T>
void conv_backward(const Conv& c, int n, const T* x, const T* w, const T* dy, T* dx, T* dw, T* db);  // any may be null
template <class T>
void max_pool_forward(const Pool& p, int n, const T* x, T* y, int32_t* winner);
template <class T>
void max_pool_backward(const Pool& p, int n, const T* dy, const int32_t* winner, T* dx);
template <class T>
void avg_pool_forward(const Pool& p, int n, const T* x, T* y);
template <class T>
void avg_pool_backward(const Pool& p, int n, const T* dy, T* dx);
template <class T>
void linear_forward(int in, int out, int n, const T* x, const T* w, const T* b, T* y);
template <class T>
void linear_backward(int in, int out, int n, const T* x, const T* w, const T* dy, T* dx, T* dw, T* db);
template <class T>
void softmax_forward(int classes, int n, const T* x, T* y);
template <class T>
void softmax_backward(int classes, int n, const T* y, const T* dy, T* dx);
// targets and weights in lanes; loss [groups*L]; dx is the gradient of each sample's own loss
template <class T>
void loss_forward(int classes, int n, const T* x, const T* target, const T* weight, T* loss, T* dx);

// One image [C][H][W] into its padded frame.
template <class T>
void pad_image(const Conv& c, const T* x, T* xp) {
  std::memset(xp, 0, c.frame_size() * sizeof(T));
  for (int ch = 0; ch < c.C; ++ch)
    for (int r = 0; r < c.H; ++r, x += c.W)
      std::memcpy(xp + (size_t(ch) * c.Hp + r + c.pt) * c.Wp + c.pl, x, c.W * sizeof(T));
}

// The same for n images one after another, y and x dense with kSlack numbers behind them, on the calling thread: where
// sixteen lanes would stay mostly empty. Nothing is kept for a backward pass.
constexpr int kFewSamples = 8;  // up to this many images it is faster
template <class T>
void few_conv(const Conv& c, int n, const T* x, const T* w, const T* b, T* y);
template <class T>
void few_max_pool(const Pool& p, int n, const T* x, T* y);
template <class T>
void few_avg_pool(const Pool& p, int n, const T* x, T* y);
template <class T>
void few_linear(int in, int out, int n, const T* x, const T* w, const T* b, T* y);
template <class T>
void few_softmax(int classes, int n, const T* x, T* y);

template <class T>
using Unary = void (*)(size_t, const T*, T*);
template <class T>
using Binary = void (*)(size_t, const T*, const T*, T*);
template <class T>
void run_unary(Unary<T> f, size_t n, const T* x, T* y);
template <class T>
void run_binary(Binary<T> f, size_t n, const T* a, const T* b, T* y);

// Steps shared with the plan, on one group.
template <class T>
void pad_group(const Conv& c, const T* x, T* xp);
template <class T>
void frame_group(const Conv& c, const T* dy, T* dframe);
template <class T>
void transpose_group(int out, const T* dy, T* dyt);  // [out][L] -> [L][outp]
inline int padded_out(int out) { return (out + L - 1) / L * L; }

// What Adam's kernel needs of one step: bias corrections folded in, in float32 as Paddle does it. decay: AdamW's.
AdamStep adam_step(float lr, float beta1, float beta2, float eps, float beta1_pow, float beta2_pow, float l2,
                   float decay);

// What this machine can do, for bench/: GFLOP/s of multiply-adds in registers, and GB/s of a copy (read and written) of
// arrays beyond every cache, each on `threads` threads for about `seconds`.
double multiply_add_peak(double seconds, int threads);
double copy_peak(double seconds, int threads);

// One chunk of parameters; the plan and the eager optimizers cut at the same places.
constexpr size_t kChunk = 8192;

}  // namespace lenet
