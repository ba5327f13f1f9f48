// What the bindings share: arrays and buffers as Python hands them over, and the scope that computes. Read by the
// bind_*.cpp files, which with leave.h alone know Python. A dozen big calls: shapes are checked here once more against
// the buffers' sizes, the GIL is released around every computation, and activations travel as Buffers, never as numpy
// arrays.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "bind_messages.h"
#include "checked.h"
#include "layout.h"
#include "leave.h"
#include "memory.h"
#include "pool.h"

namespace lenet {

namespace nb = nanobind;
using namespace nb::literals;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using MaybeArray = std::optional<Array<T>>;

// Activations in lanes, or any numbers the core passes to itself. few: those of up to kFewSamples samples, one sample
// after another; the forward operations take either form and answer in the same.
template <class T>
struct Buffer {
  T* data;
  size_t size;
  bool few;
  explicit Buffer(size_t n, bool dense = false) : data(nullptr), size(n), few(dense) {
    product({n, 2, sizeof(T)});  // throws where bytes() would wrap around
    data = static_cast<T*>(take_memory(bytes()));
  }
  ~Buffer() { give_memory(data, bytes()); }
  size_t bytes() const { return (size + (few ? kSlack : 0)) * sizeof(T); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
};
template <class T>
using BufferPtr = std::unique_ptr<Buffer<T>>;

template <class T>
BufferPtr<T> make(size_t n, bool few = false) {
  return std::make_unique<Buffer<T>>(n, few);
}

inline void need(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

// The numbers that n samples take, in lanes or as few.
inline size_t size_of(size_t n, size_t features, bool few) {
  check_samples(n);
  return product({few ? n : size_t(groups_of(int(n))) * L, features});
}
inline size_t samples(int n) { return n > 0 ? size_t(n) : 0; }

template <class T>
void need_size(const Buffer<T>& b, int n, size_t features) {
  need(!b.few, say::takes_lanes);
  need(b.size == size_of(samples(n), features, false), say::buffer_size);
}

// What an operation makes of n samples of x: a buffer of the same form.
template <class T>
BufferPtr<T> answer(const Buffer<T>& x, int n, size_t in, size_t out) {
  need(x.size == size_of(samples(n), in, x.few), say::buffer_size);
  return make<T>(size_of(samples(n), out, x.few), x.few);
}

template <class T>
T* data_or_null(MaybeArray<T>& a) {
  return a ? a->data() : nullptr;
}

struct Free {  // a scope that computes: the GIL released, the calling thread's roundings as everywhere else
  Leave release;
  FloatEnvironment environment;
};

using FloatArray = Array<float>;

// Each file's part of the module.
void bind_arrays(nb::module_& m);
void bind_maps(nb::module_& m);
void bind_operations(nb::module_& m);
void bind_optimizers(nb::module_& m);
void bind_plan(nb::module_& m);
void bind_random(nb::module_& m);

}  // namespace lenet
