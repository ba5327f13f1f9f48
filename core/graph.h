// What a plan runs: rows of operations and the values between them, fused where two can be one, and where each value
// lies in the memory of one group. Knows no threads and runs nothing. Read by plan.h and the bindings.
#pragma once
#include <cstddef>
#include <vector>

#include "kernels.h"

namespace lenet {

// join: values one after another, zeros between them; spread: each pixel fh x fw times.
enum class Kind { conv, conv_pool, max_pool, avg_pool, act, linear, dropout, softmax, add, join, spread, norm };

struct Row {
  Kind kind;
  std::vector<int> from;   // the values it takes: 0 is the network's input, r + 1 what row r makes
  std::vector<size_t> at;  // join: where each begins in what is made
  Conv conv{};
  Pool pool{};
  Act act = Act::relu;
  float slope = 0;                   // act: leaky_relu's
  int in = 0, out = 0;               // linear; softmax, norm and spread: channels
  int H = 0, W = 0, fh = 1, fw = 1;  // spread
  size_t cells = 1;                  // softmax, norm: numbers of one channel
  float p = 0;                       // dropout: probability of zero
  bool upscale = true;               // dropout: divide by 1 - p while training (else multiply by it when not)
  bool cut = false;                  // relu fused behind
  int w = -1, b = -1;                // parameters, -1: none
  bool batch = false;                // norm: by the batch's own statistics
  float momentum = 0, epsilon = 0;   // norm
  int mean = -1, var = -1;           // norm: parameters, the running statistics
  // A normalisation by running statistics that is part of the convolution: its weight and bias; mean says whether.
  int norm_w = -1, norm_b = -1;
  size_t in_size = 0, out_size = 0;     // of the first value taken, and of what is made
  size_t frame = 0, y = 0, winner = 0;  // where they are in a group's memory, set by lay_out()

  bool convolves() const { return kind == Kind::conv || kind == Kind::conv_pool; }
  bool folded() const { return convolves() && mean >= 0; }
  bool relus() const { return kind == Kind::act && act == Act::relu; }
  // The room that a maximum's winners take, in numbers a lane.
  size_t winners() const;
};

struct Head {  // an output: a value of `channels` times `cells` numbers
  int value;
  int channels;
  size_t cells;
  size_t size() const { return size_t(channels) * cells; }
};

struct Graph {
  std::vector<Row> rows;
  std::vector<Head> heads;
  size_t in_size = 0;
  size_t size = 0;  // numbers of one group's memory, set by lay_out()
  int entry = -1;   // the convolution that alone takes the network's input; it says how an image lies

  size_t size_of(int value) const { return value ? rows[size_t(value) - 1].out_size : in_size; }
  size_t place_of(int value) const { return value ? rows[size_t(value) - 1].y : 0; }
  bool is_head(int value) const;
  // The last row that takes each value; -1: none.
  std::vector<int> last_users() const;
  // The input goes straight into the entry's padded frame.
  bool framed() const { return entry >= 0 && rows[size_t(entry)].conv.padded(); }
};

// Convolution + relu + 2x2 maximum, normalisation + sum + relu and their like as one row. answers: for answers alone,
// where normalisations use their running statistics, and become part of the convolution before them.
Graph fused(Graph graph, bool answers);

// Each value's, frame's and winner's place for `lanes` samples (L, or one); all of them kept, or as long as they are
// needed.
void lay_out(Graph& graph, int lanes, bool keep);

// A piece of memory that is needed from one moment to another, both included.
struct Span {
  size_t size;
  int from, to;
  size_t at = 0;
};
// Places for all, the lowest that is free at its time; returns how much they take together. Their order is lost.
size_t place(std::vector<Span*>& spans);

}  // namespace lenet
