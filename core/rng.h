// Paddle's CPU random stream: std::mt19937_64 seeded through std::seed_seq, numbers drawn as GNU libstdc++ draws them
// (written out, so that every standard library gives the same). Compiled at baseline: a fused multiply-add would change
// the last bit of a uniform number.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

#include "lock.h"

namespace lenet {

// std::mt19937_64, written out for the sake of its state.
class MersenneTwister {
 public:
  void seed(std::seed_seq& sequence) {  // as [rand.req.eng] has it
    uint32_t halves[2 * kWords];
    sequence.generate(halves, halves + 2 * kWords);
    bool zero = true;
    for (int i = 0; i < kWords; ++i) {
      words_[i] = uint64_t(halves[2 * i + 1]) << 32 | halves[2 * i];
      zero = zero && (i == 0 ? words_[i] & kUpper : words_[i]) == 0;
    }
    if (zero) words_[0] = uint64_t(1) << 63;
    next_ = kWords;
  }

  uint64_t operator()() {
    if (next_ >= kWords) turn();
    uint64_t z = words_[next_++];
    z ^= (z >> 29) & 0x5555555555555555u;
    z ^= (z << 17) & 0x71D67FFFEDA60000u;
    z ^= (z << 37) & 0xFFF7EEE000000000u;
    return z ^ (z >> 43);
  }

  std::string text() const {
    std::string out;
    out.reserve(kWords * 21 + 4);
    for (uint64_t word : words_) out += std::to_string(word) + ' ';
    return out + std::to_string(next_);
  }

  // False, and nothing changed, unless the text is kWords numbers and an index, with white space between.
  bool read(const std::string& text) {
    uint64_t numbers[kWords + 1];
    size_t at = 0;
    for (uint64_t& number : numbers) {
      while (at < text.size() && is_space(text[at])) ++at;
      const size_t start = at;
      for (number = 0; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        const uint64_t digit = uint64_t(text[at] - '0');
        if (number > (UINT64_MAX - digit) / 10) return false;
        number = 10 * number + digit;
      }
      if (at == start) return false;
    }
    while (at < text.size() && is_space(text[at])) ++at;
    if (at != text.size() || numbers[kWords] > uint64_t(kWords)) return false;
    for (int i = 0; i < kWords; ++i) words_[i] = numbers[i];
    next_ = int(numbers[kWords]);
    return true;
  }

 private:
  static constexpr int kWords = 312, kMiddle = 156;
  static constexpr uint64_t kUpper = ~uint64_t(0) << 31;

  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  void turn() {
    auto twist = [&](int i, int following, int far) {
      const uint64_t y = (words_[i] & kUpper) | (words_[following] & ~kUpper);
      words_[i] = words_[far] ^ (y >> 1) ^ (y & 1 ? 0xB5026F5AA96619E9u : 0);
    };
    int i = 0;
    for (; i < kWords - kMiddle; ++i) twist(i, i + 1, i + kMiddle);
    for (; i < kWords - 1; ++i) twist(i, i + 1, i + kMiddle - kWords);
    twist(kWords - 1, 0, kMiddle - 1);
    next_ = 0;
  }

  uint64_t words_[kWords];
  int next_ = kWords;
};

class Generator {
 public:
  explicit Generator(uint64_t seed) { reseed(seed); }

  void reseed(uint64_t seed) {
    std::seed_seq sequence{seed};  // takes the low 32 bits
    engine_.seed(sequence);
  }

  float canonical() {  // [0, 1): 64 random bits as a float, over 2^64
    float r = float(engine_()) / 18446744073709551616.0f;
    return r < 1.0f ? r : std::nextafter(1.0f, 0.0f);
  }

  void uniform(size_t n, float lo, float hi, float* out) {
    for (size_t i = 0; i < n; ++i) out[i] = canonical() * (hi - lo) + lo;
  }

  // Marsaglia's polar method, in pairs: the second number of a pair comes out first, and the last one of a call is
  // lost.
  void normal(size_t n, float mean, float std, float* out) {
    bool kept = false;
    float saved = 0;
    for (size_t i = 0; i < n; ++i) {
      float z;
      if (kept) {
        z = saved;
        kept = false;
      } else {
        float x, y, r2;
        do {
          x = 2.0f * canonical() - 1.0f;
          y = 2.0f * canonical() - 1.0f;
          r2 = x * x + y * y;
        } while (r2 > 1.0f || r2 == 0.0f);
        float m = std::sqrt(-2 * std::log(r2) / r2);
        saved = x * m;
        kept = true;
        z = y * m;
      }
      out[i] = z * std + mean;
    }
  }

  // A whole number in [0, n).
  uint64_t below(uint64_t n) {
    unsigned __int128 product = (unsigned __int128)engine_() * n;
    uint64_t low = uint64_t(product);
    if (low < n) {
      uint64_t threshold = -n % n;
      while (low < threshold) {
        product = (unsigned __int128)engine_() * n;
        low = uint64_t(product);
      }
    }
    return uint64_t(product >> 64);
  }

  // libstdc++'s shuffle takes two swaps out of one draw while the range allows it.
  void permutation(size_t n, int64_t* out) {
    for (size_t i = 0; i < n; ++i) out[i] = int64_t(i);
    if (n < 2) return;
    size_t i = 1;
    if (n > 0xFFFFFFFFull) {
      for (; i < n; ++i) std::swap(out[i], out[below(i + 1)]);
      return;
    }
    if (n % 2 == 0) {
      std::swap(out[1], out[below(2)]);
      i = 2;
    }
    while (i < n) {
      uint64_t a = i + 1, b = i + 2, x = below(a * b);
      std::swap(out[i], out[x / b]);
      std::swap(out[i + 1], out[x % b]);
      i += 2;
    }
  }

  // The position as text: the engine's 312 words and the index of the next one, as std::mt19937_64 writes itself.
  // Without streams: beside a library that brings a standard library's symbols of its own they may write nothing.
  std::string state() const { return engine_.text(); }
  bool set_state(const std::string& text) { return engine_.read(text); }

  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
  void go_to(const Generator& other) { engine_ = other.engine_; }

  // Held by whoever draws, for as long as its numbers belong together; see lock.h.
  Lock lock;

 private:
  MersenneTwister engine_;
};

}  // namespace lenet
