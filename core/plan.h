// A plan: a graph of operations run as one thing, forward, backward and update, without Python inside a step.
// It computes what the eager calls compute, within rounding: a group's whole forward and backward while it is in the
// cache, in the same shards; convolution + relu + 2x2 maximum as one, by kernels that need fewer products (pooled.h).
//
// A step has three phases with a barrier after each: (A) shards of samples: load, forward, loss, backward, each with
// its own convolution gradients; (B) parameters: those summed in fixed order, linear gradients over all samples,
// squares for the norm; (C) the update, and the packing of the new weights for the next step.
// Between B and C the loss and the norm are checked: on NaN or infinity nothing is written. A normalisation needs all
// samples of a batch before any can go on: it cuts phase A into segments, with a barrier between them on the way
// forward and one on the way back.
//
// Files: graph.cpp (what is fused, where values lie), plan.cpp (made, packed), plan_forward.cpp and plan_backward.cpp
// (one group, and all of them), plan_step.cpp (loss, sums, update), plan_wide.cpp (batches of one or three groups),
// plan_load.cpp, plan_infer.cpp and plan_few.cpp.
//
// Threads. Several may call one plan at once. What keeps activations (forward, backward, train) runs one call after
// another under the plan's lock; infer() keeps nothing, works in its callers' own scratch and takes no turn. All read
// the parameters as they are: whoever writes them meanwhile gets answers made of old and new weights, never a wrong
// address.
#pragma once
#include <time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "graph.h"
#include "kernels.h"
#include "layout.h"
#include "lock.h"
#include "memory.h"
#include "rng.h"

namespace lenet {

struct Param {
  float* value;
  size_t n;
  bool trainable;
  float* grad = nullptr;
  float* state[2] = {nullptr, nullptr};  // Adam: m, v; Momentum: velocity
  float* average = nullptr;              // of the values over the steps, if one is kept
  float lr = 1, l2 = 0;
  bool decays = true, clips = true;
};

struct Update {
  enum Rule { none, sgd, momentum, adam } rule = none;
  float mu = 0, beta1 = 0, beta2 = 0, eps = 0, decay = 0;  // decay: AdamW's coefficient
  bool nesterov = false;
  float beta1_pow = 1, beta2_pow = 1;
  enum Clip { no_clip, by_value, by_norm, by_global_norm } clip = no_clip;
  float clip_lo = 0, clip_hi = 0;  // by_value; the norms use clip_hi
};

// Where a batch comes from: uint8 rows through a table, float rows as they are, or a batch that is in lanes already.
struct Source {
  const uint8_t* bytes = nullptr;
  const float* lut = nullptr;
  const float* floats = nullptr;
  const float* lanes = nullptr;
  // Augmentation of bytes: for each sample of the batch the 2x3 matrix from an output pixel (x, y, 1) to the input
  // pixel it shows; bilinear, byte 0 outside.
  const float* warps = nullptr;
};

// Cross entropy over a head's channels, a class a cell.
struct Loss {
  const int64_t* labels = nullptr;     // [samples][cells]
  const float* cell_weight = nullptr;  // [samples][cells] or null
  float smoothing = 0;
  int64_t ignore = -100;
  const float* weight = nullptr;  // [channels] or null
};

class Plan {
 public:
  Plan(Graph graph, std::vector<Param> params);

  size_t in_size() const { return training_form_.in_size; }
  size_t out_size() const { return out_size_; }  // of all heads together
  const std::vector<Head>& heads() const { return training_form_.heads; }
  const std::vector<Row>& rows() const { return training_form_.rows; }
  const std::vector<Param>& params() const { return params_; }
  bool takes_warps() const { return training_form_.entry >= 0; }

  // Where a parameter's moments and its average are, and how it is updated; value, size and gradient stay.
  void set_param(size_t i, const Param& param);

  // Each head's outputs of n rows, dense [n][channels][cells]; activations aren't kept.
  void infer(const Source& source, const int64_t* indices, size_t n, float* const* outputs);

  // What backward() needs to know of a forward pass. before: where the random stream stood, if masks were drawn.
  struct Pass {
    uint64_t number = 0;  // no two passes of this process have the same
    int n = 0;
    bool training = false;
    std::unique_ptr<Generator> before;
  };
  // Keeps activations; y in lanes, the heads one after another. moves: running statistics follow the batch's.
  void forward(const Source& source, int n, bool training, bool moves, Generator& random, float* y, Pass& pass);
  // Fills every trainable parameter's grad and copies it to grads[i] where that isn't null. If another pass came
  // between the forward one is run again, from the same source and with the same masks.
  void backward(const float* dy, const Source& source, const Pass& pass, float* const* grads);

  // Where the time goes, for bench/: seconds by row forward, by row backward, then loading, loss, gradients, update;
  // summed since profile(true) over forward, backward and train. Exact on one thread alone.
  void profile(bool on);
  std::vector<double> clock();
  // By the same places, multiply-adds a sample: as the network's definition has them, and as they are computed.
  struct Work {
    double needed = 0, done = 0;
  };
  std::vector<Work> work() const;

  struct Outcome {
    int steps = 0;  // done; fewer than asked: the next one would have spoilt the weights
    std::string trouble;
  };
  // `steps` updates; step s takes rows indices[s * batch …], `counts[s]` of them. loss: one a head, their sum is made
  // smaller. losses [steps]; outputs: for each head [sum counts][channels][cells], or null. averaging[s]: how much of
  // each parameter's average stays at step s, 1 for no change; null keeps no average.
  Outcome train(const Source& source, const int64_t* indices, const int* counts, int steps, const double* rates,
                const double* averaging, const std::vector<Loss>& loss, Update& update, Generator& random,
                float* losses, float* const* outputs);

 private:
  struct PackedOne;
  struct Task {  // a stretch of one parameter's gradient, phase B
    size_t row;
    int from, to;  // linear: rows of dw; -1: the bias; a convolution's are all there
    int param;
    size_t at, n;
  };
  struct Piece {  // of a parameter, phase C
    int param;
    size_t at, n;
  };

  // plan.cpp
  void lay_out_parameters();
  void lay_out_gradients();
  bool trained(int p) const { return p >= 0 && params_[size_t(p)].trainable; }
  void grow(int groups);
  float* group(int g) { return arena_.data() + training_form_.size * size_t(g); }
  float* gradients_of(int g);  // the group's memory for gradients: a thread's own where there is one segment alone
  void begin(int n);           // a pass of n samples
  int groups() const { return groups_of(n_, kernels_->lanes); }
  void pack_row(const Graph& form, size_t r, const Kernels<float>& k, float* packed, float* packed_dx) const;
  void pack_weights(const Graph& form, const Kernels<float>& k, float* packed, float* packed_dx) const;
  void pack_for_training() { pack_weights(training_form_, *kernels_, packed_.data(), packed_dx_.data()); }
  // A folded convolution's weights and bias, [K][…] and [K].
  void fold(const Row& row, float* w, float* b) const;
  // What a normalisation multiplies with and adds, by its channels' variance.
  void norm_numbers(int w, int b, float epsilon, int channels, const float* var, float* scale, float* shift) const;

  // plan_load.cpp
  void load(const Graph& form, const Kernels<float>& k, const Source& source, const int64_t* indices, size_t n, int g,
            float* arena) const;
  void load_warped(const Conv& c, int lanes, const Source& source, const size_t* rows, size_t start, size_t n,
                   float* out) const;

  // plan_forward.cpp
  void forward_row(const Graph& form, size_t r, const Kernels<float>& k, float* arena, const float* packed,
                   const float* masks, bool training) const;
  void norm_statistics(size_t r, int g);
  void join_statistics(size_t r);
  void move_statistics(double kept);
  template <class Enter, class Leave>
  void run_segments(bool training, Enter enter, Leave leave);  // plan_run.h
  void run_forward(const Source& source, const Pass& pass, Generator& random, Generator* before, float* y);
  void draw_masks(int n, Generator& random, Generator* before);

  // plan_backward.cpp
  void zero_shard(int shard);
  void backward_row(size_t r, int g, int shard, float* grads);
  void backward_segment(size_t segment, int g, int shard);  // the rows of one segment, latest first
  void backward_rest();                                     // all segments but the last
  void norm_gradient(size_t r, int g, float* grads);
  void backward_segment_wide(size_t segment);

  // plan_wide.cpp: a batch of one or three groups, whose rows are cut by channels so that two threads have as much to
  // do
  void forward_wide(size_t r);
  void statistics_wide(size_t r);
  void backward_wide(size_t r);
  void norm_sums_wide(size_t r);
  void norm_gradient_wide(size_t r);
  bool cut_in_two(const Row& row) const { return wide_ && row.convolves() && row.conv.plain(); }
  void pack_two(size_t r, float* packed, float* packed_dx) const;
  void unpack_two(const Row& row, const float* sum, float* grad) const;

  // plan_step.cpp
  float loss_scale(const Loss& loss, const Head& head, const int64_t* indices, int n) const;
  void head_loss(const Loss& loss, const Head& head, const int64_t* indices, float scale, int g, float* grads);
  void give_outputs(const Head& head, int g, const float* arena, float* to) const;
  void gradients();
  double squares() const;
  void apply(double rate, double kept, const Update& u, double norm_squared);

  // plan_few.cpp
  std::shared_ptr<const PackedOne> pack_for_one();
  bool infer_few(const Source& source, const int64_t* indices, size_t n, float* const* outputs);
  void infer_one(const PackedOne& weights, const Source& source, size_t at, float* const* outputs, size_t i,
                 bool side_by_side) const;

  std::vector<Param> params_;
  Graph training_form_, answer_form_;
  Graph one_form_;  // answer_form_ laid out for one image, whose values are dense
  size_t out_size_ = 0;

  // The training form's: by row, where each has its part of what is shared.
  std::vector<size_t> partial_at_, packed_at_, packed_dx_at_, dyt_at_, mask_at_, norm_at_;
  size_t partial_size_ = 0, packed_size_ = 0, packed_dx_size_ = 0, dyt_size_ = 0, mask_size_ = 0, norm_size_ = 0;
  size_t frame_size_ = 0, widest_ = 0;
  std::vector<size_t> cuts_;  // where segments begin: 0, each normalisation, and the end
  // The answer form's: where each convolution's packed weights and bias, each normalisation's mean, scale and shift
  // are.
  std::vector<size_t> answer_at_;
  size_t answer_size_ = 0;

  // Gradients of values: which are wanted, where they lie, and which row writes them first (a head: none).
  std::vector<char> wanted_;
  std::vector<size_t> gradient_at_;
  std::vector<int> first_writer_;
  size_t gradient_size_ = 0;

  int capacity_ = 0, n_ = 0;  // groups there is room for; samples of the last forward
  bool training_ = false;
  bool heavy_ = false;                       // a sample is so much work that few groups are cut by channels
  bool wide_ = false;                        // this batch's are: by its size alone, never by the number of threads
  const Kernels<float>* kernels_ = nullptr;  // this batch's, which say how many samples a group has
  Floats arena_, gradient_arena_, masks_, partials_, dyt_, packed_, packed_dx_;
  Floats norm_;  // by channel of all normalisations: mean, scale, shift, variance, a, b; see kernels.h
  std::vector<double> statistics_;  // by group and channel: mean and squares, or the gradient's sums
  std::vector<Task> tasks_;
  std::vector<Piece> pieces_;
  std::vector<size_t> pack_late_;  // convolutions of more than one piece, packed when all of them are there
  std::vector<float> scale_;       // of a clipped gradient, by parameter
  std::vector<double> clock_;      // empty: not profiling
  std::vector<double> squares_;    // one a task
  std::vector<double> sample_loss_;
  uint64_t kept_ = 0;  // the pass whose activations are here, 0: none
  Lock lock_;          // of all that changes after the constructor, but packed_one_

  // Inference of few images: packed weights together with those they were packed from, to see whether they have
  // changed. Replaced as a whole; who reads the old ones keeps them.
  std::shared_ptr<const PackedOne> packed_one_;
  Lock packing_;
};

// Adds the seconds of its scope to clock[at], if there is a clock: those of the thread, whoever else takes the CPU.
class Stopwatch {
 public:
  Stopwatch(std::vector<double>& clock, size_t at) : to_(clock.empty() ? nullptr : &clock[at]) {
    if (to_) start_ = now();
  }
  ~Stopwatch() {
    if (to_) *to_ += now() - start_;
  }

 private:
  static double now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
  }
  double* to_;
  double start_ = 0;
};

// Where a convolution's kernels are: dilated and grouped ones run on the plain loops.
inline const Kernels<float>& kernels_of(const Row& row, const Kernels<float>& k) {
  if (row.conv.plain()) return k;
  return k.half ? reference_kernels() : *reference_kernels().half;
}

// The kernels for a batch of n samples: those for groups of eight where groups of sixteen would leave as many lanes
// empty, or there is one alone.
const Kernels<float>& kernels_for(size_t n);

// What a convolution's kernels work in.
inline float* room_of(const Kernels<float>& k, Kind kind, const Conv& c) {
  const size_t n = (kind == Kind::conv_pool ? k.pooled_room : k.conv_room)(c);
  return static_cast<float*>(scratch(2, n * sizeof(float) + 64));
}

}  // namespace lenet
