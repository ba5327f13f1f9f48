// Meters of the machine's peaks: see peaks.h.
#include "peaks.h"

#include <chrono>
#include <cstring>
#include <vector>

#include "kernels.h"
#include "pool.h"

namespace lenet {

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

}  // namespace lenet
