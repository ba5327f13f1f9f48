// A plan's inference: groups of samples side by side, where there aren't so few that plan_few.cpp takes them.
// Keeps no activations.
#include "layout.h"
#include "moments.h"
#include "plan.h"
#include "plan_run.h"
#include "pool.h"

namespace lenet {

// From here on a group's memory no longer stays in any cache, and one image after another takes sixteen times less.
constexpr size_t kLargeGroup = size_t(64) << 20;
constexpr size_t kFew = 6;  // more take a group of eight no longer

void Plan::infer(const Source& source, const int64_t* indices, size_t n, float* const* outputs) {
  const bool few = n <= kFew || answer_form_.size > kLargeGroup;
  if (few && infer_few(source, indices, n, outputs)) return;
  const Graph& form = answer_form_;
  // In the calling thread's own scratch, which outlives run(): its workers read it.
  float* packed = static_cast<float*>(scratch(8, answer_size_ * sizeof(float) + 64));
  const Kernels<float>& k = kernels_for(n);
  const size_t lanes = size_t(k.lanes);
  pack_weights(form, k, packed, nullptr);
  const int groups = groups_of(int(n), k.lanes), tasks = groups < 256 ? groups : 256;
  run(tasks, [&](int t) {
    float* arena = static_cast<float*>(scratch(4, form.size * sizeof(float) + 64));
    for (int g = int(int64_t(groups) * t / tasks); g < int(int64_t(groups) * (t + 1) / tasks); ++g) {
      load(form, k, source, indices, n, g, arena);
      for (size_t r = 0; r < form.rows.size(); ++r) forward_row(form, r, k, arena, packed, nullptr, false);
      for (size_t h = 0; h < form.heads.size(); ++h) {
        const size_t size = form.heads[h].size();
        const float* y = arena + form.place_of(form.heads[h].value);
        for (size_t l = 0; l < lanes && size_t(g) * lanes + l < n; ++l)
          for (size_t o = 0; o < size; ++o) outputs[h][(size_t(g) * lanes + l) * size + o] = y[o * lanes + l];
      }
    }
  });
}

}  // namespace lenet
