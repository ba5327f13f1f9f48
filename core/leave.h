// How a thread leaves Python to compute and comes back. As nanobind's gil_scoped_release, but for the end of the
// program: CPython ends a daemon thread that asks for the GIL then by unwinding its stack, which C++ can't bear. Such a
// thread waits here instead, without the GIL, until the process is gone. Read by the bind_*.cpp files alone.
#pragma once
#include <Python.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace lenet {

inline std::atomic<bool> doors_closed{false};
inline std::atomic<int> returning{0};         // threads that may still come back
inline std::atomic<unsigned long> closer{0};  // the thread that ends the program: it comes back always

class Leave {
 public:
  Leave() : state_(PyEval_SaveThread()) {}
  ~Leave() {
    returning.fetch_add(1);
    if (doors_closed.load() && closer.load() != PyThread_get_thread_ident()) {
      returning.fetch_sub(1);
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    PyEval_RestoreThread(state_);
    returning.fetch_sub(1);
  }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  PyThreadState* state_;
};

// Run by atexit, after threads that aren't daemons have ended and before the interpreter takes itself apart. Waits for
// threads on their way back: they still find everything as it was.
inline void close_doors() {
  closer.store(PyThread_get_thread_ident());
  doors_closed.store(true);
  PyThreadState* state = PyEval_SaveThread();
  while (returning.load() > 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  PyEval_RestoreThread(state);
}

// A forked child has none of its parent's other threads.
inline const int doors_watch_forks = pthread_atfork(nullptr, nullptr, [] { returning.store(0); });

}  // namespace lenet
