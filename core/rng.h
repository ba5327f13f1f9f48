// Paddle's CPU random stream: std::mt19937_64 seeded through std::seed_seq, numbers drawn as GNU libstdc++ draws them
// (written out, so that every standard library gives the same). Compiled at baseline: a fused multiply-add would change
// the last bit of a uniform number.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <utility>

namespace lenet {

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

  std::string state() const {
    std::ostringstream text;
    text << engine_;
    return text.str();
  }
  bool set_state(const std::string& state) {
    std::istringstream text(state);
    std::mt19937_64 other;
    text >> other;
    if (text.fail()) return false;
    engine_ = other;
    return true;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace lenet
