// The sizes of a convolution and of a pooling, worked out from what a layer says: see kernels.h for what they mean. The
// numbers that come in have been checked (checked.h). Read by the bindings.
#pragma once
#include "kernels.h"

namespace lenet {

Conv make_conv(int C, int H, int W, int K, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, int dh,
               int dw, int groups);
Pool make_pool(int C, int H, int W, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, bool ceil,
               bool exclusive, int divisor);

}  // namespace lenet
