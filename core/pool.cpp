// The pool of threads: see pool.h.
#include "pool.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lenet {
namespace {

constexpr int kMostThreads = 64;
constexpr uint64_t kClosed = 0x7FFFFFFF;  // an index no job reaches
constexpr auto kSpin = std::chrono::microseconds(40);
constexpr auto kAskAgain = std::chrono::seconds(1);  // for threads that the system has refused

void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int cpus_allowed() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  int n = int(std::thread::hardware_concurrency());
  return n > 0 ? n : 1;
}

class Workers {
 public:
  // One ticket word: the job's number in the upper half, the next free index in the lower. A worker that wakes late
  // finds another job's number and leaves; one that has won an index keeps the job alive until it reports it done.
  void run(int n, int threads, void (*call)(void*, int), void* context) {
    const uint32_t job = ++job_;
    ticket_.store(uint64_t(job) << 32 | kClosed, std::memory_order_seq_cst);  // nobody may take while this changes:
    call_ = call, context_ = context;
    count_.store(n, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(uint64_t(job) << 32, std::memory_order_seq_cst);
    follow_affinity();
    start(threads - 1, job);
    wanted_.store(threads - 1, std::memory_order_seq_cst);
    published_.store(job, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst) > 0) {
      std::lock_guard<std::mutex> hold(mutex_);
      wake_.notify_all();
    }
    take(job);
    auto until = std::chrono::steady_clock::now() + kSpin;
    for (int spins = 0; done_.load(std::memory_order_acquire) < n; ++spins) {
      pause_cpu();
      if (spins % 64 == 63 && std::chrono::steady_clock::now() > until) {
        std::unique_lock<std::mutex> hold(mutex_);
        waiting_.store(true, std::memory_order_seq_cst);
        finished_.wait(hold, [&] { return done_.load(std::memory_order_seq_cst) >= n; });
        waiting_.store(false, std::memory_order_relaxed);
        break;
      }
    }
    if (failed_.load(std::memory_order_relaxed)) {  // done_ made what it guards visible
      failed_.store(false, std::memory_order_relaxed);
      std::exception_ptr trouble;
      std::swap(trouble, trouble_);
      std::rethrow_exception(trouble);
    }
  }

 private:
  // Has `count` workers, or as many as the system gives; asks it again after a while.
  void start(int count, uint32_t job) {
    if (int(threads_.size()) >= count || std::chrono::steady_clock::now() < refused_until_) return;
    try {
      threads_.reserve(size_t(count));
      while (int(threads_.size()) < count) {
        int id = int(threads_.size());
        threads_.emplace_back([this, id, job] { work(id, job - 1); });
      }
    } catch (const std::exception&) {  // std::system_error, std::bad_alloc
      refused_until_ = std::chrono::steady_clock::now() + kAskAgain;
      if (told_) return;
      told_ = true;
      std::fprintf(stderr, "lenet: the system gives %d of %d threads; computing goes on with these, more slowly\n",
                   int(threads_.size()) + 1, count + 1);
    }
  }

  void take(uint32_t job) {
    FloatEnvironment environment;
    uint64_t seen = ticket_.load(std::memory_order_acquire);
    for (;;) {
      const int n = count_.load(std::memory_order_relaxed);
      if (uint32_t(seen >> 32) != job || int(uint32_t(seen)) >= n) break;
      if (!ticket_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) continue;
      try {
        if (!failed_.load(std::memory_order_relaxed)) call_(context_, int(uint32_t(seen)));
      } catch (...) {  // out of memory; run() throws the first one in its caller's thread
        std::lock_guard<std::mutex> hold(mutex_);
        if (!failed_.exchange(true)) trouble_ = std::current_exception();
      }
      if (done_.fetch_add(1, std::memory_order_seq_cst) + 1 == n && waiting_.load(std::memory_order_seq_cst)) {
        std::lock_guard<std::mutex> hold(mutex_);
        finished_.notify_all();
      }
      seen = ticket_.load(std::memory_order_acquire);
    }
  }

  void work(int id, uint32_t last) {
    for (;;) {
      auto until = std::chrono::steady_clock::now() + kSpin;
      for (int spins = 0; published_.load(std::memory_order_acquire) == last; ++spins) {
        pause_cpu();
        if (spins % 64 == 63 && std::chrono::steady_clock::now() > until) {
          std::unique_lock<std::mutex> hold(mutex_);
          sleeping_.fetch_add(1, std::memory_order_seq_cst);
          wake_.wait(hold, [&] { return published_.load(std::memory_order_seq_cst) != last; });
          sleeping_.fetch_sub(1, std::memory_order_seq_cst);
          break;
        }
      }
      last = published_.load(std::memory_order_acquire);
      if (id < wanted_.load(std::memory_order_acquire)) take(last);
    }
  }

  // Threads keep the mask they were born with; when the process's mask changes they must follow it.
  void follow_affinity() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return;
    if (has_mask_ && CPU_EQUAL(&set, &mask_)) return;
    for (auto& thread : threads_) pthread_setaffinity_np(thread.native_handle(), sizeof set, &set);
    mask_ = set, has_mask_ = true;
#endif
  }

  void (*call_)(void*, int) = nullptr;
  void* context_ = nullptr;
  std::atomic<int> count_{0};
  uint32_t job_ = 0;
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int> done_{0};
  alignas(64) std::atomic<uint32_t> published_{0};
  std::atomic<int> wanted_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  std::vector<std::thread> threads_;
  std::chrono::steady_clock::time_point refused_until_{};
  bool told_ = false;
  std::atomic<bool> failed_{false};
  std::exception_ptr trouble_;  // of the job, if it failed
#if defined(__linux__)
  cpu_set_t mask_;
  bool has_mask_ = false;
#endif
};

struct State {
  std::atomic<bool> busy{false};
  Workers workers;
};

// Never freed: at exit the workers are asleep in it, and in a forked child its threads don't exist any more.
std::atomic<State*> state{nullptr};
std::atomic<int> asked{0};

State* current() {
  State* s = state.load(std::memory_order_acquire);
  if (s) return s;
  static std::mutex once;
  std::lock_guard<std::mutex> hold(once);
  s = state.load(std::memory_order_acquire);
  if (!s) {
    static const int registered = pthread_atfork(nullptr, nullptr, [] { state.store(nullptr); });
    (void)registered;
    s = new State;
    state.store(s, std::memory_order_release);
  }
  return s;
}

}  // namespace

void set_num_threads(int n) { asked.store(n); }

int num_threads() {
  int most = cpus_allowed(), want = asked.load();
  int n = want > 0 && want < most ? want : most;
  return n < kMostThreads ? n : kMostThreads;
}

void run_indices(int n, void (*call)(void*, int), void* context) {
  if (n <= 0) return;
  int threads = n > 1 ? num_threads() : 1;
  if (threads > n) threads = n;
  if (threads > 1) {
    State* s = current();
    if (!s->busy.exchange(true, std::memory_order_acquire)) {
      struct Done {
        State* state;
        ~Done() { state->busy.store(false, std::memory_order_release); }
      } done{s};
      s->workers.run(n, threads, call, context);
      return;
    }
  }
  FloatEnvironment environment;
  for (int i = 0; i < n; ++i) call(context, i);
}

}  // namespace lenet
