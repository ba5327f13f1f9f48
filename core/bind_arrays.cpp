// Buffers in lanes, and ways into them and out again.
#include <cstring>

#include "bind.h"
#include "bind_read.h"

namespace lenet {
namespace {

template <class T>
void bind_buffer(nb::module_& m, const char* buffer_name) {
  using B = Buffer<T>;
  nb::class_<B>(m, buffer_name, "Numbers in the core's own layout: groups of 16 samples, the sample innermost.")
      .def(nb::init<size_t>(), "size"_a)
      .def_ro("size", &B::size)
      .def(
          "copy_to",
          [](const B& b, Array<T> out) {
            need(out.size() == b.size, say::copy_to_sizes);
            std::memcpy(out.data(), b.data, b.size * sizeof(T));
          },
          "out"_a, "Copies the raw numbers into an array of the same size.")
      .def(
          "copy_from",
          [](B& b, Array<const T> in) {
            need(in.size() == b.size, say::copy_from_sizes);
            std::memcpy(b.data, in.data(), b.size * sizeof(T));
          },
          "array"_a, "Copies raw numbers from an array of the same size.");

  m.def(
      "to_lanes",
      [](Array<const T> dense, size_t n) {
        need(n > 0 && dense.size() > 0 && dense.size() % n == 0, say::to_lanes_samples);
        size_t features = dense.size() / n;
        auto out = make<T>(size_of(n, features, false));
        Free gil;
        to_lanes(n, features, dense.data(), out->data);
        return out;
      },
      "dense"_a, "n"_a);
  m.def(
      "to_few",
      [](Array<const T> dense, size_t n) {
        need(n > 0 && n <= size_t(kFewSamples) && dense.size() % n == 0, say::to_few_samples);
        auto out = make<T>(dense.size(), true);
        std::memcpy(out->data, dense.data(), dense.size() * sizeof(T));
        return out;
      },
      "dense"_a, "n"_a, "The numbers of up to 8 samples as they are, for operations that no backward follows.");
  m.def(
      "part_of",
      [](const B& x, int n, size_t features, size_t start, size_t count) {
        need_size(x, n, features);
        need(start <= features && count <= features - start, say::part_sizes);
        auto y = make<T>(size_of(samples(n), count, false));
        for (size_t g = 0; g < size_t(groups_of(n)); ++g)
          std::memcpy(y->data + g * count * L, x.data + (g * features + start) * L, count * L * sizeof(T));
        return y;
      },
      "x"_a, "n"_a, "features"_a, "start"_a, "count"_a, "Some features of each sample.");
  m.def(
      "part_into",
      [](const B& y, int n, size_t features, size_t start, size_t count) {
        need_size(y, n, count);
        need(start <= features && count <= features - start, say::part_sizes);
        auto x = make<T>(size_of(samples(n), features, false));
        std::memset(x->data, 0, x->size * sizeof(T));
        for (size_t g = 0; g < size_t(groups_of(n)); ++g)
          std::memcpy(x->data + (g * features + start) * L, y.data + g * count * L, count * L * sizeof(T));
        return x;
      },
      "y"_a, "n"_a, "features"_a, "start"_a, "count"_a, "The same features, and zeros for the others.");
  m.def(
      "from_lanes",
      [](const B& lanes, size_t n, Array<T> out) {
        need(n > 0 && out.size() % n == 0, say::from_lanes_samples);
        check_samples(n);
        if (lanes.few) {
          need(lanes.size == out.size(), say::buffer_size);
          std::memcpy(out.data(), lanes.data, lanes.size * sizeof(T));
          return;
        }
        need_size(lanes, int(n), out.size() / n);
        Free gil;
        from_lanes(n, out.size() / n, lanes.data, out.data());
      },
      "lanes"_a, "n"_a, "out"_a);
  m.def(
      "total",
      [](const B& x, int n) {
        need_size(x, n, 1);
        FloatEnvironment environment;
        double sum = 0;
        for (int i = 0; i < n; ++i) sum += x.data[i];
        return sum;
      },
      "x"_a, "n"_a, "The sum of the first n numbers of a one-number-a-sample buffer.");
}

}  // namespace

void bind_arrays(nb::module_& m) {
  nb::class_<Buffer<int32_t>>(m, "Winners", "Which cell won each pooling window: flat h * W + w, in lanes.")
      .def_ro("size", &Buffer<int32_t>::size)
      .def(
          "copy_to",
          [](const Buffer<int32_t>& b, Array<int32_t> out) {
            need(out.size() == b.size, say::copy_to_sizes);
            std::memcpy(out.data(), b.data, b.size * sizeof(int32_t));
          },
          "out"_a);
  bind_buffer<float>(m, "Buffer");
  bind_buffer<double>(m, "Buffer64");

  m.def(
      "gather",
      [](Array<const uint8_t> images, size_t features, Array<const int64_t> indices, Array<const float> lut) {
        need(features > 0 && images.size() % features == 0 && lut.size() == 256 && indices.size() > 0,
             say::gather_sizes);
        check_indices(indices, images.size() / features);
        auto out = make<float>(size_of(indices.size(), features, false));
        Free gil;
        gather_lanes(indices.size(), features, images.data(), indices.data(), lut.data(), out->data);
        return out;
      },
      "images"_a, "features"_a, "indices"_a, "lut"_a, "Rows of uint8 images through a 256-entry table, into lanes.");
}

}  // namespace lenet
