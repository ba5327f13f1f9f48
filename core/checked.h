// Sizes that don't fit: products of sizes that throw instead of wrapping around, and the shapes the engine takes. Read
// by the bindings, before anything is allocated, and by whoever multiplies sizes of several images.
#pragma once
#include <climits>
#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "kernels.h"

namespace lenet {

// Numbers in one image's activations and frames, and every single size, at most: sixteen lanes of them are four
// gigabytes,
// which allocate() compares with what is free, and are still counted by an int. And the weights of one layer, which
// their owner has had to allocate before.
constexpr size_t kMostNumbers = size_t(1) << 26;
constexpr size_t kMostWeights = size_t(1) << 27;
constexpr int kMostSamples = INT_MAX - 2 * L;

inline size_t product(std::initializer_list<size_t> sizes) {
  size_t out = 1;
  for (size_t size : sizes)
    if (__builtin_mul_overflow(out, size, &out)) throw std::invalid_argument("a size beyond 64 bits");
  return out;
}

inline void check_numbers(const char* what, std::initializer_list<size_t> sizes, size_t most = kMostNumbers) {
  size_t n = 0;
  bool fits = true;
  try {
    n = product(sizes);
  } catch (const std::invalid_argument&) {
    fits = false;
  }
  if (fits && n <= most) return;
  std::string text = std::string(what) + ": got ";
  for (size_t size : sizes) text += (text.back() == ' ' ? "" : " x ") + std::to_string(size);
  throw std::invalid_argument(text + " numbers, expected at most " + std::to_string(most) +
                              ". Use a smaller image, padding or layer");
}

inline void check_samples(size_t n) {
  if (n < 1 || n > size_t(kMostSamples))
    throw std::invalid_argument("a batch: got " + std::to_string(n) + " samples, expected 1 to " +
                                std::to_string(kMostSamples));
}

// Every size of a layer by itself, `least` to kMostNumbers: after this their sums fit an int.
inline void check_sizes(const char* what, std::initializer_list<int> sizes, int least = 1) {
  for (int size : sizes)
    if (size < least || size > int(kMostNumbers))
      throw std::invalid_argument(std::string(what) + ": got a size of " + std::to_string(size) + ", expected " +
                                  std::to_string(least) + " to " + std::to_string(kMostNumbers));
}

}  // namespace lenet
