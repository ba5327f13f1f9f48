// Chooses one table of kernels: the best level that both the CPU and its operating system support, or what LENET_ISA
// names. Asked once; a test (or LENET_ISA) may select another level later.
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "kernels.h"

namespace lenet {

#if defined(LENET_HAVE_X86)
const Kernels<float>& kernels_v2();
const Kernels<float>& kernels_v3();
const Kernels<float>& kernels_v4();
#endif
#if defined(LENET_HAVE_NEON)
const Kernels<float>& kernels_neon();
#endif

int levels(Level out[8]) {
  int n = 0;
#if defined(LENET_HAVE_X86)
  __builtin_cpu_init();  // cpu_supports asks the OS too: it reads XCR0 before it admits AVX registers
  bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("ssse3");
  bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  out[n++] = {"v4", v4, &kernels_v4()};
  out[n++] = {"v3", v3, &kernels_v3()};
  out[n++] = {"v2", v2, &kernels_v2()};
#endif
#if defined(LENET_HAVE_NEON)
  out[n++] = {"neon", true, &kernels_neon()};
#endif
  out[n++] = {"reference", true, &reference_kernels()};
  return n;
}

// One instruction for sixteen floats takes AMD's Zen 4 (family 19h) as long as two for eight; a register of eight or
// four is a slice of a group everywhere.
bool half_is_half(const Kernels<float>& full) {
#if defined(LENET_HAVE_X86)
  if (full.width == kLanes) return __builtin_cpu_is("amdfam19h");
#endif
  return full.width > 1;
}

static std::atomic<const Kernels<float>*> current{nullptr};

const char* select_level(const char* name) {
  Level all[8];
  int n = levels(all);
  for (int i = 0; i < n; ++i) {
    if (name && *name && std::strcmp(name, all[i].name) != 0) continue;
    if (all[i].usable) {
      current.store(all[i].table, std::memory_order_relaxed);
      return nullptr;
    }
    if (name && *name) return "this CPU (or its operating system) lacks it";
  }
  return "no such level is compiled in";
}

const Kernels<float>& kernels() {
  const Kernels<float>* table = current.load(std::memory_order_relaxed);
  if (table) return *table;
  if (select_level(std::getenv("LENET_ISA"))) select_level(nullptr);
  return *current.load(std::memory_order_relaxed);
}

}  // namespace lenet
