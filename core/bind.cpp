// The Python module: what it is called, which level it runs at, and who adds which part.
#include "bind.h"

#include <cstdlib>

#include "engine.h"
#include "peaks.h"

using namespace lenet;

namespace {

// LENET_ISA must name a level that runs here: silence would let a test believe it had measured another one.
void obey_environment() {
  const char* wanted = std::getenv("LENET_ISA");
  const char* why = wanted && *wanted ? select_level(wanted) : nullptr;
  if (!why) return;
  Level all[8];
  std::string usable;
  for (int i = 0, n = levels(all); i < n; ++i)
    if (all[i].usable) usable += std::string(usable.empty() ? "" : ", ") + all[i].name;
  throw std::runtime_error("LENET_ISA: got '" + std::string(wanted) + "' (" + why + "), expected one of " + usable +
                           ". Leave it out to get the best of them.");
}

}  // namespace

NB_MODULE(_core, m) {
  obey_environment();
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&close_doors));
  m.doc() = "lenet's native engine: kernels, a thread pool, plans, and Paddle's random stream.";
  m.attr("LANES") = L;
  m.attr("FEW") = kFewSamples;
  m.attr("MOST_NUMBERS") = kMostNumbers;
  nb::set_leak_warnings(false);  // caches and users' variables that live until exit aren't leaks

  bind_arrays(m);
  bind_operations(m);
  bind_optimizers(m);
  bind_plan(m);
  bind_random(m);

  m.def(
      "levels",
      [] {
        Level all[8];
        int n = levels(all);
        nb::list out;
        for (int i = 0; i < n; ++i) out.append(nb::make_tuple(all[i].name, all[i].usable, all[i].table->width));
        return out;
      },
      "Every level compiled in, best first: (name, usable on this CPU, floats in a register).");
  m.def("level", [] { return std::string(kernels().level); }, "The level in use.");
  m.def(
      "select_level",
      [](const std::string& name) {
        const char* why = select_level(name.c_str());
        return why ? std::optional<std::string>(why) : std::nullopt;
      },
      "name"_a, "Uses that level from now on; returns None, or the reason why it can't.");
  m.def(
      "multiply_add_peak",
      [](double seconds, int threads) {
        need(threads > 0 && threads <= 64 && seconds > 0 && seconds < 60, say::multiply_add_peak);
        Free gil;
        return multiply_add_peak(seconds, threads);
      },
      "seconds"_a, "threads"_a, "GFLOP/s of multiply-adds in registers, at the level in use.");
  m.def(
      "copy_peak",
      [](double seconds, int threads) {
        need(threads > 0 && threads <= 64 && seconds > 0 && seconds < 60, say::copy_peak);
        Free gil;
        return copy_peak(seconds, threads);
      },
      "seconds"_a, "threads"_a, "GB/s of a copy beyond the caches, bytes read and written.");
  m.def("set_num_threads", &set_num_threads, "n"_a);
  m.def("num_threads", &num_threads);
}
