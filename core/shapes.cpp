// Output sizes of convolutions and poolings: see shapes.h.
#include "shapes.h"

namespace lenet {

Conv make_conv(int C, int H, int W, int K, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, int dh,
               int dw, int groups) {
  Conv c{C, H, W, K, kh, kw, sh, sw, pt, pb, pl, pr, dh, dw, groups, 0, 0, 0, 0};
  // A step beyond the image is never taken: no larger than that, its multiples stay sizes too.
  c.sh = sh < H + pt + pb ? sh : H + pt + pb, c.sw = sw < W + pl + pr ? sw : W + pl + pr;
  c.Hp = H + pt + pb, c.Wp = W + pl + pr;
  c.OH = (c.Hp - ((kh - 1) * dh + 1)) / c.sh + 1;
  c.OW = (c.Wp - ((kw - 1) * dw + 1)) / c.sw + 1;
  return c;
}

Pool make_pool(int C, int H, int W, int kh, int kw, int sh, int sw, int pt, int pb, int pl, int pr, bool ceil,
               bool exclusive, int divisor) {
  sh = sh < H + pt + pb ? sh : H + pt + pb, sw = sw < W + pl + pr ? sw : W + pl + pr;  // as in make_conv
  Pool p{C, H, W, kh, kw, sh, sw, pt, pb, pl, pr, 0, 0, exclusive, divisor};
  auto out = [&](int size, int before, int after, int k, int s) {
    const int n = (size + before + after - k + (ceil ? s - 1 : 0)) / s + 1;
    const int most = (size + before - 1) / s + 1;  // no window starts beyond the image
    return n < most ? n : most;
  };
  p.OH = out(H, pt, pb, kh, sh);
  p.OW = out(W, pl, pr, kw, sw);
  return p;
}

}  // namespace lenet
