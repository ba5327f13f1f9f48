// Memory of the engine, all of it aligned to 64 bytes: recycled blocks for what Python holds, scratch for what a thread
// works in, arrays that a plan keeps. Knows nothing of what lies in it. Read by whoever needs room: layout, engine,
// plan, bindings.
#pragma once
#include <cstddef>
#include <cstdlib>

namespace lenet {

// Memory aligned to 64 bytes, recycled: training asks for the same sizes again and again. From any thread. Throws
// std::bad_alloc where there is none, and for a large request beyond what the system has free.
void* take_memory(size_t bytes);
void give_memory(void* p, size_t bytes) noexcept;

// Per-thread scratch that only grows; `slot` keeps buffers that live at once apart.
constexpr int kScratchSlots = 10;
void* scratch(int slot, size_t bytes);

// A zero-filled array aligned to 64 bytes. Empty after a resize() that found no memory.
class Floats {
 public:
  Floats() = default;
  ~Floats() { std::free(data_); }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }
  void resize(size_t n);

 private:
  float* data_ = nullptr;
  size_t size_ = 0;
};

inline size_t aligned(size_t n) { return (n + 15) / 16 * 16; }  // to a cache line of floats

}  // namespace lenet
