// The table of kernels: what every ISA level and the plain reference implement, and the shapes they agree on.
//
// Layout. A batch is cut into groups of L = 16 samples. Inside a group an activation is [C][H][W][L]: the lane is the
// sample. Every kernel below works on ONE group, unless it says otherwise; who cuts work into groups and threads are
// engine.cpp and plan.cpp. Letters: C/H/W input channels, rows, columns; K/OH/OW output; kh/kw kernel; N samples.
// Rules for all kernels: outputs are written whole (not added to) unless the comment says "+="; no output aliases an
// input; no allocation, no threads, no exceptions. Kernels never read lanes of another group.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lenet {

constexpr int kLanes = 16;  // samples in a group, at every ISA level
// The same kernels exist for groups of half as many, for batches that would leave many lanes empty: kernels.cpp
// compiled once more. Elsewhere L is kLanes.
#if defined(LENET_LANES)
constexpr int L = LENET_LANES;
#else
constexpr int L = kLanes;
#endif
constexpr int kSlack = 2 * kLanes;
constexpr int kPeakChains = 12;  // more than the latency of a multiply-add times their number a cycle

// A 2-D convolution. Kernels read x already padded: xp is [C][Hp][Wp][L].
struct Conv {
  int C, H, W, K, kh, kw, sh, sw, pt, pb, pl, pr, dh, dw, groups;
  int Hp, Wp, OH, OW;
  bool plain() const { return dh == 1 && dw == 1 && groups == 1; }
  bool padded() const { return pt || pb || pl || pr; }
  size_t weights() const { return size_t(K) * (C / groups) * kh * kw; }
  size_t in_size() const { return size_t(C) * H * W; }
  size_t frame_size() const { return size_t(C) * Hp * Wp; }
  size_t out_size() const { return size_t(K) * OH * OW; }
  double products() const { return double(weights()) * OH * OW; }  // by definition
};

// A 2-D pooling window. Padded cells never win a maximum; `divisor` 0 means "number of cells", which are the real ones
// when `exclusive`, else those of the padded image.
struct Pool {
  int C, H, W, kh, kw, sh, sw, pt, pb, pl, pr, OH, OW;
  bool exclusive;
  int divisor;
  size_t in_size() const { return size_t(C) * H * W; }
  size_t out_size() const { return size_t(C) * OH * OW; }
};

// Elementwise functions with a gradient of their own; leaky_relu alone has a setting, its slope below 0.
enum class Act { relu, sigmoid, tanh, relu6, leaky_relu, gelu, gelu_tanh, silu };

// Gradients with respect to a convolution's output, as its backward kernels want them: [K][OH][OW + 2][L], the first
// and the last column zero, so that a kernel may look one column past either edge.
inline size_t dy_frame_size(const Conv& c) { return size_t(c.K) * c.OH * (c.OW + 2); }

// Numbers that a convolution's weights take at most, packed by any level, and for the gradient through a maximum: so
// that a plan needn't be laid out anew when the level changes.
inline bool may_be_split(const Conv& c) { return c.kh == c.kw && (c.kh == 3 || c.kh == 5); }
inline size_t packed_size(const Conv& c) {
  return may_be_split(c) ? size_t(c.K) * (c.C / c.groups) * (c.kh + 2) * (c.kw + 2) : c.weights();
}
// And the sums that its weights' gradient is made of.
inline size_t packed_dw_size(const Conv& c) {
  return c.kh == 3 && c.kw == 3 ? size_t(c.K) * (c.C / c.groups) * 16 : c.weights();
}
inline size_t pooled_packed_dx_size(const Conv& c) {
  return c.kh == 5 && c.kw == 5 ? size_t(c.K) * (c.C / c.groups) * 6 * 7 * 4 : packed_size(c);
}

// What one-image pooling works in: a row of the padded image, as far as the windows of a whole last register go, and a
// number for each of those windows.
inline size_t one_pool_row(const Pool& p) {
  const size_t windows = size_t(p.OW + kLanes) * p.sw + p.kw, image = size_t(p.pl) + p.W;
  return (windows > image ? windows : image) + kSlack;
}
inline size_t one_pool_room(const Pool& p) { return one_pool_row(p) + p.OW + kLanes; }

struct AdamStep {  // Paddle's form: p -= step * m / (sqrt(v) + eps); decay < 1 is AdamW's p *= decay
  float beta1, beta2, step, eps, l2, decay;
};

template <class T>
struct Kernels {
  const char* level;    // "x86-64-v4", …, "reference"
  int width;            // floats in a register
  int lanes;            // samples in a group
  const Kernels* half;  // the same for half as many; null: this is that

  // ---- convolution (xp padded; packed is the weights in this level's own order, packed_size() numbers; room:
  // conv_room() numbers to work in, aligned to 64 bytes)
  void (*conv_pack)(const Conv&, const T* w, T* packed);     // for conv_forward
  void (*conv_pack_dx)(const Conv&, const T* w, T* packed);  // for conv_dx
  void (*conv_unpack_dw)(const Conv&, const T* packed, T* dw);
  size_t (*conv_room)(const Conv&);
  // bias may be null
  void (*conv_forward)(const Conv&, const T* xp, const T* packed, const T* bias, bool relu, T* y, T* room);
  void (*conv_dw)(const Conv&, const T* xp, const T* dframe, T* dw_packed, T* db, T* room);  // += both; db may be null
  void (*conv_dx)(const Conv&, const T* dframe, const T* packed_dx, T* dx, T* room);  // dx [C][H][W][L], not padded

  // ---- convolution (plain, stride 1, OH and OW even), relu if `cut`, and 2x2 maximum, stride 2, as one: y
  // [K][OH/2][OW/2][L]; winner, of the same shape: 0..3 in the window, 4 where relu cut it off. packed: see
  // packed_size(), or pooled_packed_dx_size(); room: pooled_room() numbers to work in, aligned to 64 bytes.
  void (*pooled_pack)(const Conv&, const T* w, T* packed);     // for pooled_forward
  void (*pooled_pack_dx)(const Conv&, const T* w, T* packed);  // for pooled_backward
  void (*pooled_unpack_dw)(const Conv&, const T* packed, T* dw);
  size_t (*pooled_room)(const Conv&);
  void (*pooled_forward)(const Conv&, const T* xp, const T* packed, const T* bias, bool cut, T* y, uint8_t* winner,
                         T* room);
  // += dw_packed and db; dw_packed (and x), db and dx (and packed_dx) may be null. Fast levels look at x only
  // where a maximum won: a NaN always has, so it is in the gradient too; an infinity that loses is not, where a product
  // of it and 0 would be NaN.
  void (*pooled_backward)(const Conv&, const T* xp, const T* dy, const uint8_t* winner, bool cut, const T* packed_dx,
                          T* dw_packed, T* db, T* dx, T* room);

  // ---- for bench/: the products a sample that forward, the weights' gradient and the input's take, those with a
  // padded zero among them where they are computed; pooled: of the three above
  void (*conv_products)(const Conv&, bool pooled, double* forward, double* dw, double* dx);

  // ---- images [H][W] of bytes, one a lane, through a table of 256 numbers; y [H] rows, `row` numbers apart, of [W][L]
  void (*bytes_to_lanes)(const uint8_t* const* images, const T* table, int H, int W, T* y, size_t row);

  // ---- pooling; winner is the flat position h * W + w of the first maximum
  void (*max_pool)(const Pool&, const T* x, T* y, int32_t* winner);
  void (*max_pool_dx)(const Pool&, const T* dy, const int32_t* winner, T* dx);
  void (*avg_pool)(const Pool&, const T* x, T* y);
  void (*avg_pool_dx)(const Pool&, const T* dy, T* dx);

  // ---- elementwise over n numbers
  void (*relu)(size_t n, const T* x, T* y);
  void (*relu_dx)(size_t n, const T* y, const T* dy, T* dx);  // dx may be dy
  void (*sigmoid)(size_t n, const T* x, T* y);
  void (*sigmoid_dx)(size_t n, const T* y, const T* dy, T* dx);
  void (*tanh)(size_t n, const T* x, T* y);
  void (*tanh_dx)(size_t n, const T* y, const T* dy, T* dx);
  void (*activate)(Act, T slope, size_t n, const T* x, T* y);
  void (*activate_dx)(Act, T slope, size_t n, const T* x, const T* y, const T* dy, T* dx);  // dx may be dy
  void (*add)(size_t n, const T* a, const T* b, T* y);                                      // y may be a
  void (*add_cut)(size_t n, const T* a, const T* b, T* y);                                  // and relu; y may be a
  void (*mul)(size_t n, const T* a, const T* b, T* y);
  void (*scale)(size_t n, T factor, const T* x, T* y);  // y may be x

  // ---- linear: w [in][out] row-major; x [in][L], y [out][L]
  void (*linear)(int in, int out, const T* x, const T* w, const T* b, bool relu, T* y);  // b may be null
  void (*linear_dx)(int in, int out, const T* dy, const T* w, T* dx);
  // rows i0..i1 of dw [in][out] over ALL groups: x [in][L] a group, `stride` numbers from one group's to the next's;
  // dyt [groups*L][outp], outp = out rounded up to kLanes
  void (*linear_dw)(int in, int out, int groups, const T* x, size_t stride, const T* dyt, int i0, int i1, T* dw);
  void (*linear_db)(int out, int groups, const T* dyt, T* db);

  // ---- softmax over C; logits are clamped at max - 64, as Paddle does
  void (*softmax)(int C, const T* x, T* y);
  void (*softmax_dx)(int C, const T* y, const T* dy, T* dx);
  // target [C][L] (a distribution), weight [L]: loss[l] = weight * -sum target*log p; dx = d loss / d x
  void (*softmax_loss)(int C, const T* x, const T* target, const T* weight, T* loss, T* dx);

  // The same for the class that each cell has: x and dx [C][cells][L], label (a class, or < 0 for one that none has),
  // weight and loss [cells][L]. The target is 1 - smoothing at the label, and smoothing / C everywhere more.
  void (*class_loss)(int C, size_t cells, const T* x, const int32_t* label, T smoothing, const T* weight, T* loss,
                     T* dx);

  // ---- batch normalisation, channel by channel of x [C][cells][L]
  // The mean of a channel's numbers in the first `real` lanes, and the sum of squares of what each is away from it.
  void (*norm_stats)(int C, size_t cells, int real, const T* x, double* mean, double* squares);
  // y = (x - mean) * scale + shift, + rest where that isn't null, relu if cut; n numbers a channel. Behind every x
  // stand kSlack numbers that may be read, behind every y kSlack that may be written.
  void (*norm)(int C, size_t n, const T* x, const T* mean, const T* scale, const T* shift, const T* rest, bool cut,
               T* y);
  // The sums of dy and of dy * (x - mean), dy being 0 where y isn't above 0 (y null: nowhere).
  void (*norm_sums)(int C, size_t cells, const T* x, const T* y, const T* dy, const T* mean, double* sum,
                    double* product);
  // dx = scale * (dy - a - (x - mean) * b), 0 beyond the first `real` lanes; rest (or null) gets dy. dy as above.
  void (*norm_dx)(int C, size_t cells, int real, const T* x, const T* y, const T* dy, const T* mean, const T* scale,
                  const T* a, const T* b, T* dx, T* rest);

  // ---- one image, inference only (not in tables for half as many samples): dense [C][H][W], xp padded. Behind every x
  // stand kSlack numbers that may be read, behind every y kSlack that may be written.
  size_t (*one_packed_size)(const Conv&);
  void (*one_pack)(const Conv&, const T* w, T* packed);
  // cut: relu behind; pooled: 2x2 maximum behind (stride 1, even OH and OW); plane: from one channel of y to the next.
  // Some rows of an image are a convolution of their own, with fewer OH. Of y nothing beyond the last row is written.
  void (*one_conv)(const Conv&, const T* xp, const T* packed, const T* bias, bool cut, bool pooled, size_t plane, T* y);
  // room: one_pool_room(p) numbers to work in
  void (*one_max_pool)(const Pool&, const T* x, T* room, T* y);
  void (*one_avg_pool)(const Pool&, const T* x, T* room, T* y);
  void (*one_linear)(int in, int out, const T* x, const T* w, const T* b, bool cut, T* y);
  void (*one_softmax)(int C, const T* x, T* y);

  // ---- optimizers, in place; g is read through `clip`: min(max(g * scale, lo), hi), then + l2 * p
  struct Clip {
    T scale, lo, hi;
  };
  void (*sgd)(size_t n, T* p, const T* g, T lr, T l2, Clip clip);
  void (*momentum)(size_t n, T* p, const T* g, T* velocity, T lr, T mu, bool nesterov, T l2, Clip clip);
  void (*adam)(size_t n, T* p, const T* g, T* m, T* v, AdamStep step, Clip clip);
  double (*sum_squares)(size_t n, const T* x);

  // ---- for bench/: `rounds` times kPeakChains independent multiply-adds of a whole register; the result defeats
  // deletion
  float (*multiply_adds)(long rounds);
};

const Kernels<float>& kernels();                 // the level in use
const Kernels<float>& reference_kernels();       // plain loops, float
const Kernels<double>& reference_kernels_f64();  // plain loops, double: the oracle of the tests

// The levels compiled in, best first, and whether this CPU (and its OS) can run each.
struct Level {
  const char* name;
  bool usable;
  const Kernels<float>* table;
};
int levels(Level out[8]);
// Whether eight samples take half the time of sixteen on this CPU, at this level: not where one instruction takes
// sixteen.
bool half_is_half(const Kernels<float>& full);
const char* select_level(const char* name);  // null if done, else the reason why not

}  // namespace lenet
