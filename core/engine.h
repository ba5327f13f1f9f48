// One operation over a whole batch: cuts it into groups and fixed shards, runs them on the pool, reduces gradients in a
// fixed order. The eager calls and the plan both stand on this. Templated on float (the kernels in use) and double (the
// reference alone; the oracle of the tests).
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace lenet {

template <class T>
const Kernels<T>& table();

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
// Batch normalisation of x [C][cells] a sample: a channel's mean and biased variance over the batch, and (x - mean) *
// scale + shift.
template <class T>
void norm_statistics(int C, size_t cells, int n, const T* x, T* mean, T* var);
template <class T>
void norm_forward(int C, size_t cells, int n, const T* x, const T* mean, const T* scale, const T* shift, T* y);
// batch: the statistics are the batch's own. dx may be null.
template <class T>
void norm_backward(int C, size_t cells, int n, const T* x, const T* dy, const T* mean, const T* var, const T* scale,
                   T epsilon, bool batch, T* dx, T* dw, T* db);
// targets and weights in lanes; loss [groups*L]; dx is the gradient of each sample's own loss
template <class T>
void loss_forward(int classes, int n, const T* x, const T* target, const T* weight, T* loss, T* dx);

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
void few_norm(int C, size_t cells, int n, const T* x, const T* mean, const T* scale, const T* shift, T* y);

template <class T>
using Unary = void (*)(size_t, const T*, T*);
template <class T>
using Binary = void (*)(size_t, const T*, const T*, T*);
template <class T>
void run_unary(Unary<T> f, size_t n, const T* x, T* y);
template <class T>
void run_binary(Binary<T> f, size_t n, const T* a, const T* b, T* y);

// What Adam's kernel needs of one step: bias corrections folded in, in float32 as Paddle does it. decay: AdamW's.
AdamStep adam_step(float lr, float beta1, float beta2, float eps, float beta1_pow, float beta2_pow, float l2,
                   float decay);

// One chunk of parameters; the plan and the eager optimizers cut at the same places.
constexpr size_t kChunk = 8192;

}  // namespace lenet
