// One plan, one random stream and the pool in several threads at once, without Python: each thread must get the bits it
// gets alone. Returns 1 if one doesn't. What it is for is ThreadSanitizer, under which it runs in `make sanitize`:
// weights stay as they are here, since writing them while others read is allowed to mix, and would be reported.
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "engine.h"
#include "layout.h"
#include "plan.h"
#include "pool.h"
#include "shapes.h"

using namespace lenet;

namespace {

std::vector<float> normal(size_t n, unsigned seed, float scale) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> draw(0.0f, scale);
  std::vector<float> out(n);
  for (float& v : out) v = draw(bits);
  return out;
}

// A small network with everything that has a place in the arena: conv + relu + pool, dropout, linear.
struct Network {
  std::vector<std::vector<float>> values, grads, moments;
  std::vector<Param> params;
  Graph graph;

  void add(Row row) {  // behind the one before
    row.from = {int(graph.rows.size())};
    graph.rows.push_back(row);
  }

  Network() {
    const Conv conv = make_conv(1, 12, 12, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    const Pool pool = make_pool(4, 12, 12, 2, 2, 2, 2, 0, 0, 0, 0, false, true, 0);
    Row row{};
    row.kind = Kind::conv, row.conv = conv, row.w = 0, row.b = 1;
    row.in_size = conv.in_size(), row.out_size = conv.out_size();
    add(row);
    row = Row{};
    row.kind = Kind::act, row.in_size = row.out_size = conv.out_size();
    add(row);
    row = Row{};
    row.kind = Kind::max_pool, row.pool = pool, row.in_size = pool.in_size(), row.out_size = pool.out_size();
    add(row);
    row = Row{};
    row.kind = Kind::dropout, row.p = 0.3f, row.in_size = row.out_size = pool.out_size();
    add(row);
    row = Row{};
    row.kind = Kind::linear, row.in = int(pool.out_size()), row.out = 5, row.w = 2, row.b = 3;
    row.in_size = row.in, row.out_size = 5;
    add(row);
    graph.in_size = conv.in_size();
    graph.heads = {{int(graph.rows.size()), 5, 1}};
    const size_t sizes[] = {36, 4, pool.out_size() * 5, 5};
    for (unsigned i = 0; i < 4; ++i) {
      values.push_back(normal(sizes[i], i, 0.2f));
      grads.emplace_back(sizes[i]);
      moments.emplace_back(2 * sizes[i]);
    }
    for (int i = 0; i < 4; ++i) {
      Param p{values[i].data(), values[i].size(), true};
      p.grad = grads[i].data(), p.state[0] = moments[i].data(), p.state[1] = moments[i].data() + values[i].size();
      params.push_back(p);
    }
  }
};

constexpr size_t kImage = 144;
constexpr int kRounds = 12;
using Numbers = std::vector<float>;

Numbers infer(Plan& plan, const std::vector<float>& images, size_t n) {
  Source source;
  source.floats = images.data();
  Numbers out(n * 5);
  float* to = out.data();
  plan.infer(source, nullptr, n, &to);
  return out;
}

Numbers step(Plan& plan, const std::vector<float>& images, int n) {  // forward and backward: all gradients
  const size_t groups = size_t(groups_of(n));
  std::vector<float> x(groups * L * kImage), y(groups * L * 5), dy(groups * L * 5);
  to_lanes(size_t(n), kImage, images.data(), x.data());
  to_lanes(size_t(n), 5, normal(size_t(n) * 5, 9, 1.0f).data(), dy.data());
  Source source;
  source.lanes = x.data();
  Generator random(3);
  Plan::Pass pass;
  plan.forward(source, n, true, true, random, y.data(), pass);
  Numbers out;
  std::vector<std::vector<float>> grads;
  std::vector<float*> to;
  for (const Param& p : plan.params()) grads.emplace_back(p.n);
  for (auto& g : grads) to.push_back(g.data());
  plan.backward(dy.data(), source, pass, to.data());
  for (auto& g : grads) out.insert(out.end(), g.begin(), g.end());
  return out;
}

Numbers train(const std::vector<float>& images, int n) {  // another network, start to end
  Network net;
  Plan plan(net.graph, net.params);
  std::vector<int64_t> labels(size_t(n), 0), indices;
  for (int i = 0; i < n; ++i) labels[size_t(i)] = i % 5, indices.push_back(i);
  Source source;
  source.floats = images.data();
  Loss wanted;
  wanted.labels = labels.data();
  Update update;
  update.rule = Update::momentum, update.mu = 0.9f;
  Generator random(1);
  const double rate = 0.01;
  Numbers logits(size_t(n) * 5);
  float loss = 0;
  float* outputs = logits.data();
  for (int i = 0; i < 4; ++i)
    plan.train(source, indices.data(), &n, 1, &rate, nullptr, {wanted}, update, random, &loss, &outputs);
  for (auto& v : net.values) logits.insert(logits.end(), v.begin(), v.end());
  return logits;
}

Numbers recycle(int) {
  void* kept[8];
  for (size_t i = 0; i < 8; ++i) kept[i] = take_memory(4096 << (i % 4));
  for (size_t i = 0; i < 8; ++i) give_memory(kept[i], 4096 << (i % 4));
  return {};
}

// A failure in the middle of others' work must reach its own caller, and no other.
Numbers fail(int) {
  try {
    run(9, [](int i) {
      if (i == 4) throw std::runtime_error("expected");
    });
  } catch (const std::runtime_error&) {
    return {1};
  }
  return {0};
}

}  // namespace

int main() {
  const std::vector<float> images = normal(100 * kImage, 7, 1.0f);
  Network net;
  Plan plan(net.graph, net.params);
  const std::vector<std::function<Numbers()>> works = {
      [&] { return infer(plan, images, 1); },
      [&] { return infer(plan, images, 8); },
      [&] { return infer(plan, images, 40); },
      [&] { return infer(plan, images, 100); },
      [&] { return step(plan, images, 5); },
      [&] { return step(plan, images, 33); },
      [&] { return step(plan, images, 100); },
      [&] { return train(images, 60); },
      [&] { return recycle(0); },
      [&] { return fail(0); },
  };
  std::vector<Numbers> wanted;
  for (const auto& work : works) wanted.push_back(work());
  int wrong = wanted.back() != Numbers{1};
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    std::vector<std::thread> crew;
    std::vector<int> failed(works.size(), 0);
    for (size_t i = 0; i < works.size(); ++i)
      crew.emplace_back([&, i] {
        for (int round = 0; round < kRounds; ++round) failed[i] += works[i]() != wanted[i];
      });
    for (auto& thread : crew) thread.join();
    for (size_t i = 0; i < works.size(); ++i) {
      if (failed[i]) std::printf("work %zu, %d threads in the pool: %d of %d wrong\n", i, threads, failed[i], kRounds);
      wrong += failed[i];
    }
  }
  std::printf(wrong ? "%d FAILED\n" : "all well\n", wrong);
  return wrong ? 1 : 0;
}
