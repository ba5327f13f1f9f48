// A plan: a chain of operations run as one thing, forward, backward and update, without Python inside a step.
// It computes what the eager calls compute, within rounding: a group's whole forward and backward while it is in the
// cache, in the same shards; convolution + relu + 2x2 maximum as one, by kernels that need fewer products (pooled.h).
//
// A step has three phases with a barrier after each: (A) shards of samples: load, forward, loss, backward, each with
// its own convolution gradients; (B) parameters: those summed in fixed order, linear gradients over all samples,
// squares for the norm; (C) the update, and the packing of the new weights for the next step.
// Between B and C the loss and the norm are checked: on NaN or infinity nothing is written.
//
// Threads. Several may call one plan at once. What keeps activations (forward, backward, train) runs one call after
// another under the plan's lock; infer() keeps nothing, works in its callers' own scratch and takes no turn. All read
// the parameters as they are: whoever writes them meanwhile gets answers made of old and new weights, never a wrong
// address.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine.h"
#include "kernels.h"
#include "lock.h"
#include "memory.h"
#include "rng.h"

namespace lenet {

enum class Kind { conv, conv_pool, max_pool, avg_pool, relu, sigmoid, tanh, linear, dropout, softmax };

struct Row {
  Kind kind;
  Conv conv{};
  Pool pool{};
  int in = 0, out = 0;  // linear
  float p = 0;          // dropout: probability of zero
  bool upscale = true;  // dropout: divide by 1 - p while training (else multiply by it when not)
  bool cut = false;     // relu fused behind
  int w = -1, b = -1;   // parameters, -1: none
  size_t in_size = 0, out_size = 0;
  bool convolves() const { return kind == Kind::conv || kind == Kind::conv_pool; }
  size_t frame = 0, y = 0, winner = 0;  // where they are in a group's arena, set by the plan
};

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
  const int64_t* labels = nullptr;  // one a row
  // Augmentation of bytes: for each sample of the batch the 2x3 matrix from an output pixel (x, y, 1) to the input
  // pixel it shows; bilinear, byte 0 outside.
  const float* warps = nullptr;
};

struct Loss {
  float smoothing = 0;
  int64_t ignore = -100;
  const float* weight = nullptr;  // [classes] or null
};

class Plan {
 public:
  Plan(std::vector<Row> rows, std::vector<Param> params);

  size_t in_size() const { return in_size_; }
  size_t out_size() const { return out_size_; }
  const std::vector<Row>& rows() const { return rows_; }
  const std::vector<Param>& params() const { return params_; }

  // Where a parameter's moments and its average are, and how it is updated; value, size and gradient stay.
  void set_param(size_t i, const Param& param);

  // Logits of n rows, dense [n][out]; activations aren't kept.
  void infer(const Source& source, const int64_t* indices, size_t n, float* logits);

  // What backward() needs to know of a forward pass. before: where the random stream stood, if masks were drawn.
  struct Pass {
    uint64_t number = 0;  // no two passes of this process have the same
    int n = 0;
    bool training = false;
    std::unique_ptr<Generator> before;
  };
  // Keeps activations; y in lanes.
  void forward(const Source& source, int n, bool training, Generator& random, float* y, Pass& pass);
  // Fills every trainable parameter's grad and copies it to grads[i] where that isn't null. If another pass came
  // between the forward one is run again, from the same source and with the same masks.
  void backward(const float* dy, const Source& source, const Pass& pass, float* const* grads);

  // Where the time goes, for bench/: seconds by row forward, by row backward, then loading, loss, gradients, update;
  // summed since profile(true) over forward, backward and train. Exact on one thread alone.
  void profile(bool on);
  std::vector<double> clock();

  struct Outcome {
    int steps = 0;  // done; fewer than asked: the next one would have spoilt the weights
    std::string trouble;
  };
  // `steps` updates; step s takes rows indices[s * batch …], `counts[s]` of them. losses [steps], logits [sum
  // counts][out]. averaging[s]: how much of each parameter's average stays at step s, 1 for no change; null keeps no
  // average.
  Outcome train(const Source& source, const int64_t* indices, const int* counts, int steps, const double* rates,
                const double* averaging, const Loss& loss, Update& update, Generator& random, float* losses,
                float* logits);

 private:
  struct PackedOne;
  bool infer_few(const Source& source, const int64_t* indices, size_t n, float* logits);
  void infer_one(const PackedOne& weights, const Source& source, size_t at, size_t room, float* logits) const;
  std::shared_ptr<const PackedOne> pack_for_one();
  void fuse();
  void lay_out();
  void grow(int n);
  void pack_row(size_t r, float* packed, float* packed_dx) const;
  void pack_weights(float* packed, float* packed_dx) const;
  void run_forward(const Source& source, const Pass& pass, Generator& random, Generator* before, float* y);
  void load(const Source& source, const int64_t* indices, size_t n, int g, float* arena) const;
  void load_warped(const Source& source, const size_t* rows, size_t start, size_t n, float* out) const;
  void forward_group(float* arena, const float* packed, const float* masks, bool training,
                     std::vector<double>& clock) const;
  void backward_group(int g, int shard, const float* dy);
  void draw_masks(int n, Generator& random, Generator* before);
  void zero_shard(int shard);
  void gradients(int groups);
  double squares() const;
  void apply(double rate, double kept, const Update& update, double norm_squared);
  const float* input_of(size_t row, const float* arena) const;
  float* group(int g) { return arena_.data() + size_t(g) * arena_size_; }

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

  std::vector<Row> rows_;
  std::vector<Param> params_;
  size_t in_size_ = 0, out_size_ = 0, arena_size_ = 0, widest_ = 0, frame_size_ = 0, mask_size_ = 0;
  size_t first_trained_ = 0;  // rows before it need no gradient
  int capacity_ = 0, n_ = 0;  // groups there is room for; samples of the last forward
  bool training_ = false;
  std::vector<size_t> partial_at_, packed_at_, packed_dx_at_, dyt_at_, mask_at_;  // per row
  size_t partial_size_ = 0, packed_size_ = 0, packed_dx_size_ = 0, dyt_size_ = 0;
  Floats arena_, masks_, partials_, dyt_, packed_, packed_dx_;
  std::vector<Task> tasks_;
  std::vector<Piece> pieces_;
  std::vector<size_t> pack_late_;  // convolutions of more than one piece, packed when all of them are there
  std::vector<float> scale_;       // of a clipped gradient, by parameter
  std::vector<double> clock_;      // empty: not profiling
  std::vector<double> squares_;    // one a task
  std::vector<float> weights_, sample_loss_;
  uint64_t kept_ = 0;  // the pass whose activations are here, 0: none
  Lock lock_;          // of all that changes after the constructor, but packed_one_

  // Inference of few images: packed weights together with those they were packed from, to see whether they have
  // changed. Replaced as a whole; who reads the old ones keeps them.
  std::shared_ptr<const PackedOne> packed_one_;
  Lock packing_;
};

}  // namespace lenet
