// Paddle's random stream.
#include "bind.h"
#include "rng.h"

namespace lenet {

void bind_random(nb::module_& m) {
  nb::class_<Generator>(m, "Generator", "Paddle's CPU random stream.")
      .def(nb::init<uint64_t>(), "seed"_a)
      .def(
          "seed",
          [](Generator& g, uint64_t seed) {
            Free gil;
            Hold hold(g.lock);
            g.reseed(seed);
          },
          "seed"_a)
      .def(
          "uniform",
          [](Generator& g, double lo, double hi, Array<float> out) {
            Free gil;
            Hold hold(g.lock);
            g.uniform(out.size(), float(lo), float(hi), out.data());
          },
          "low"_a, "high"_a, "out"_a)
      .def(
          "normal",
          [](Generator& g, double mean, double std, Array<float> out) {
            Free gil;
            Hold hold(g.lock);
            g.normal(out.size(), float(mean), float(std), out.data());
          },
          "mean"_a, "std"_a, "out"_a)
      .def(
          "permutation",
          [](Generator& g, Array<int64_t> out) {
            Free gil;
            Hold hold(g.lock);
            g.permutation(out.size(), out.data());
          },
          "out"_a)
      .def(
          "integers",
          [](Generator& g, int64_t low, int64_t high, Array<int64_t> out) {
            need(high > low, say::integers_range);
            Free gil;
            Hold hold(g.lock);
            for (size_t i = 0; i < out.size(); ++i)
              out.data()[i] = int64_t(uint64_t(low) + g.below(uint64_t(high) - uint64_t(low)));
          },
          "low"_a, "high"_a, "out"_a)
      .def("get_state",
           [](Generator& g) {
             Free gil;
             Hold hold(g.lock);
             return g.state();
           })
      .def(
          "set_state",
          [](Generator& g, const std::string& state) {
            bool done;
            {
              Free gil;
              Hold hold(g.lock);
              done = g.set_state(state);
            }
            need(done, say::generator_state);
          },
          "state"_a);
}

}  // namespace lenet
