// The statistics of several groups joined, in their order: what batch normalisation makes of them. Read by engine.cpp
// and the plan, after kernels.h's norm_stats and norm_sums.
#pragma once
#include <cmath>
#include <cstddef>

#include "kernels.h"

namespace lenet {

inline int real_lanes(int n, int g, int lanes = L) { return n - g * lanes < lanes ? n - g * lanes : lanes; }

// A channel's mean and (biased) variance over `groups` groups of n samples, `stride` numbers from one group's to the
// next's (Chan, Golub and LeVeque 1979).
template <class T>
void join_moments(int n, size_t cells, const double* mean, const double* squares, size_t stride, T* all_mean,
                  T* all_var, int lanes = L) {
  double count = 0, m = 0, q = 0;
  for (int g = 0; g * lanes < n; ++g) {
    const double own = double(real_lanes(n, g, lanes)) * double(cells), away = mean[g * stride] - m, both = count + own;
    m += away * (own / both);
    q += squares[g * stride] + away * away * (count * own / both);
    count = both;
  }
  *all_mean = T(m), *all_var = T(q / count);
}

// What norm() and norm_dx() multiply with.
template <class T>
T norm_scale(T weight, T var, T epsilon) {
  return weight / std::sqrt(var + epsilon);
}

// From the sums over all groups: the gradients of weight and bias, and norm_dx()'s a and b, which are 0 where the
// statistics aren't the batch's own.
template <class T>
void join_sums(int n, size_t cells, const double* sum, const double* product, size_t stride, T var, T epsilon,
               bool batch, T* dweight, T* dbias, T* a, T* b, int lanes = L) {
  double s = 0, p = 0;
  for (int g = 0; g * lanes < n; ++g) s += sum[g * stride], p += product[g * stride];
  const double count = double(n) * double(cells), inverse = 1.0 / std::sqrt(double(var) + double(epsilon));
  *dweight = T(p * inverse), *dbias = T(s);
  *a = batch ? T(s / count) : T(0), *b = batch ? T(p / count * inverse * inverse) : T(0);
}

}  // namespace lenet
