// Where the engine's memory comes from: see memory.h.
#include "memory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <vector>

#include "checked.h"
#include "lock.h"

namespace lenet {

namespace {
constexpr size_t kMostIdle = 64u << 20;  // bytes kept for reuse
constexpr size_t kPage = 4096;
struct Recycler {
  Lock lock;
  std::vector<void*> small[64];  // by number of pages
  std::map<size_t, std::vector<void*>> large;
  size_t held = 0;

  std::vector<void*>* idle(size_t size, bool make) {
    if (size / kPage < 64) return &small[size / kPage];
    if (make) return &large[size];
    auto it = large.find(size);
    return it == large.end() ? nullptr : &it->second;
  }
};
Recycler& recycler() {
  static Recycler* r = new Recycler;  // outlives every tensor that dies at exit
  return *r;
}
size_t rounded(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

class TooMuch : public std::bad_alloc {
 public:
  TooMuch(size_t wanted, size_t there) {
    std::snprintf(text_, sizeof text_, "the engine needs %.1f GB at once, and %.1f GB are free: use a smaller batch",
                  double(wanted) / 1e9, double(there) / 1e9);
  }
  const char* what() const noexcept override { return text_; }

 private:
  char text_[128];
};

// Bytes that could be had without driving the system into swapping or killing; 0 if it doesn't say.
size_t available_memory() {
  size_t kilobytes = 0;
  if (std::FILE* file = std::fopen("/proc/meminfo", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file))
      if (std::sscanf(line, "MemAvailable: %zu kB", &kilobytes) == 1) break;
    std::fclose(file);
  }
  return kilobytes * 1024;
}

// A system that promises more memory than it has ends the process when the memory is used: so large requests are
// compared with what is there first.
constexpr size_t kLarge = 512u << 20;

void* allocate(size_t bytes) {
  if (bytes > size_t(1) << 62) throw std::bad_alloc();
  const size_t size = rounded(bytes ? bytes : 1);
  if (size >= kLarge) {
    const size_t there = available_memory();
    if (there && size > there) throw TooMuch(size, there);
  }
  void* p = std::aligned_alloc(64, size);
  if (!p) throw std::bad_alloc();
  return p;
}
}  // namespace

void* take_memory(size_t bytes) {
  const size_t size = rounded(bytes ? bytes : 1);
  auto& r = recycler();
  {
    Hold hold(r.lock);
    std::vector<void*>* idle = r.idle(size, false);
    if (idle && !idle->empty()) {
      void* p = idle->back();
      idle->pop_back();
      r.held -= size;
      return p;
    }
  }
  return allocate(bytes);
}

// Called by destructors: what can't be kept for want of memory is given back to the system.
void give_memory(void* p, size_t bytes) noexcept {
  const size_t size = rounded(bytes ? bytes : 1);
  auto& r = recycler();
  try {
    Hold hold(r.lock);
    if (r.held + size <= kMostIdle) {
      r.idle(size, true)->push_back(p);
      r.held += size;
      return;
    }
  } catch (const std::bad_alloc&) {
  }
  std::free(p);
}

void* scratch(int slot, size_t bytes) {
  struct Block {
    void* p = nullptr;
    size_t size = 0;
    ~Block() { std::free(p); }
  };
  thread_local Block blocks[kScratchSlots];
  Block& b = blocks[slot];
  if (b.size < bytes) {
    std::free(b.p);  // first, so that the two needn't fit at once
    b.p = nullptr, b.size = 0;
    b.p = allocate(bytes);
    b.size = rounded(bytes);
  }
  return b.p;
}

void Floats::resize(size_t n) {
  float* old = data_;
  data_ = nullptr, size_ = 0;  // before it is free: this may be the moment of a fork
  std::free(old);
  const size_t bytes = product({n, sizeof(float)}) + 1;
  data_ = static_cast<float*>(allocate(bytes));
  std::memset(data_, 0, rounded(bytes));
  size_ = n;
}

}  // namespace lenet
