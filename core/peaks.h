// What this machine can do at best, beside which bench/ sets what the engine does. Read by the bindings.
#pragma once

namespace lenet {

// What this machine can do, GFLOP/s of multiply-adds in registers, and GB/s of a copy (read and written) of
// arrays beyond every cache, each on `threads` threads for about `seconds`.
double multiply_add_peak(double seconds, int threads);
double copy_peak(double seconds, int threads);

}  // namespace lenet
