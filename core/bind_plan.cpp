// Plans: made of a graph's rows, then trained, asked and profiled.
#include <cmath>

#include "bind.h"
#include "bind_read.h"
#include "plan.h"

namespace lenet {
namespace {

// Keeps the arrays alive that the plan points into.
struct BoundPlan {
  std::unique_ptr<Plan> plan;
  std::vector<FloatArray> held;
  std::vector<nb::object> objects;
};

// Labels, smoothing, the label that doesn't count, a weight a class, a weight a cell.
using BoundLoss = std::tuple<Array<const int64_t>, double, int64_t, MaybeArray<const float>, MaybeArray<const float>>;

Loss loss_of(BoundLoss& given, const Head& head, size_t count, const Array<const int64_t>& indices) {
  auto& [labels, smoothing, ignore, weight, cell_weight] = given;
  const size_t all = product({count, head.cells});
  need(labels.size() == all, say::train_labels);
  need(!weight || weight->size() == size_t(head.channels), say::train_weights);
  need(!cell_weight || cell_weight->size() == all, say::train_labels);
  for (size_t i = 0; i < indices.size(); ++i)
    for (size_t c = 0; c < head.cells; ++c) {
      const int64_t label = labels.data()[size_t(indices.data()[i]) * head.cells + c];
      need((label >= 0 && label < head.channels) || label == ignore, say::train_label_outside);
    }
  Loss loss;
  loss.labels = labels.data(), loss.smoothing = float(smoothing), loss.ignore = ignore;
  if (weight) loss.weight = weight->data();
  if (cell_weight) loss.cell_weight = cell_weight->data();
  return loss;
}

}  // namespace

void bind_plan(nb::module_& m) {
  nb::class_<Plan::Pass>(m, "Pass", "One forward pass of a plan, for its backward.");
  nb::class_<BoundPlan>(m, "Plan", "A graph of operations run as one: see plan.h.")
      .def(
          "__init__",
          [](BoundPlan* self, size_t in_size, nb::list rows, std::vector<std::tuple<int, int, size_t>> heads,
             std::vector<FloatArray> values, std::vector<bool> trainable, std::vector<FloatArray> grads) {
            need(values.size() == trainable.size() && values.size() == grads.size(), say::plan_lists);
            Graph graph;
            graph.in_size = in_size;
            check_numbers("a plan's input", {in_size});
            need(nb::len(rows) > 0, say::no_rows);
            for (nb::handle h : rows) {
              graph.rows.push_back(row_of(graph, h));
              const Row& row = graph.rows.back();
              const size_t w = row.kind == Kind::conv     ? row.conv.weights()
                               : row.kind == Kind::linear ? size_t(row.in) * row.out
                               : row.kind == Kind::norm   ? size_t(row.out)
                                                          : 0;
              const size_t b = row.kind == Kind::conv ? size_t(row.conv.K) : row.out;
              auto fits = [&](int i, size_t n) {
                return i < 0 || (size_t(i) < values.size() && values[size_t(i)].size() == n);
              };
              const bool norm = row.kind == Kind::norm;
              need((w == 0 || norm || row.w >= 0) && fits(row.w, w) && fits(row.b, b), say::row_parameter);
              need(!norm || (row.mean >= 0 && row.var >= 0), say::row_parameter);
              need(fits(row.mean, w) && fits(row.var, w), say::row_parameter);
            }
            for (auto [value, channels, cells] : heads) {
              need(value > 0 && size_t(value) <= graph.rows.size() && !graph.is_head(value) && channels > 0 &&
                       product({size_t(channels), cells}) == graph.size_of(value),
                   say::plan_heads);
              graph.heads.push_back({value, channels, cells});
            }
            need(!graph.heads.empty(), say::plan_heads);
            std::vector<Param> p;
            for (size_t i = 0; i < values.size(); ++i) {
              need(grads[i].size() == values[i].size(), say::gradient_size);
              Param q{values[i].data(), values[i].size(), trainable[i]};
              q.grad = grads[i].data();
              p.push_back(q);
            }
            new (self) BoundPlan{std::make_unique<Plan>(std::move(graph), std::move(p)), std::move(values), {}};
            for (auto& g : grads) self->held.push_back(g);
          },
          "n_in"_a, "rows"_a, "heads"_a, "values"_a, "trainable"_a, "grads"_a)
      .def(
          "set_states",
          [](BoundPlan& self, std::vector<std::vector<FloatArray>> states, std::vector<double> lr,
             std::vector<double> l2, std::vector<bool> decays, std::vector<bool> clips) {
            const auto& params = self.plan->params();
            need(states.size() == params.size() && lr.size() == params.size() && l2.size() == params.size() &&
                     decays.size() == params.size() && clips.size() == params.size(),
                 say::states_lists);
            for (size_t i = 0; i < params.size(); ++i) {
              need(states[i].size() <= 2, say::states_count);
              for (const auto& state : states[i]) need(state.size() == params[i].n, say::state_size);
            }
            for (auto& some : states)
              for (auto& state : some) self.held.push_back(state);
            Free gil;
            for (size_t i = 0; i < params.size(); ++i) {
              Param p = params[i];
              for (size_t s = 0; s < states[i].size(); ++s) p.state[s] = states[i][s].data();
              p.lr = float(lr[i]), p.l2 = float(l2[i]), p.decays = decays[i], p.clips = clips[i];
              self.plan->set_param(i, p);
            }
          },
          "states"_a, "lr"_a, "l2"_a, "decays"_a, "clips"_a, nb::lock_self())
      .def(
          "set_averages",
          [](BoundPlan& self, std::vector<FloatArray> averages) {
            const auto& params = self.plan->params();
            need(averages.size() == params.size(), say::averages_list);
            for (size_t i = 0; i < params.size(); ++i) need(averages[i].size() == params[i].n, say::average_size);
            for (auto& average : averages) self.held.push_back(average);
            Free gil;
            for (size_t i = 0; i < params.size(); ++i) {
              Param p = params[i];
              p.average = averages[i].data();
              self.plan->set_param(i, p);
            }
          },
          "averages"_a, nb::lock_self())
      .def_prop_ro("n_in", [](const BoundPlan& self) { return self.plan->in_size(); })
      .def_prop_ro("n_out", [](const BoundPlan& self) { return self.plan->out_size(); })
      .def_prop_ro("takes_warps", [](const BoundPlan& self) { return self.plan->takes_warps(); })
      .def_prop_ro("fused", [](const BoundPlan& self) { return int(self.plan->rows().size()); })
      .def_prop_ro(
          "names",
          [](const BoundPlan& self) {
            std::vector<std::string> names;
            for (const Row& row : self.plan->rows()) names.push_back(name_of(row));
            return names;
          },
          "What each of its rows is, as fused.")
      .def(
          "profile",
          [](BoundPlan& self, bool on) {
            Free gil;
            self.plan->profile(on);
          },
          "on"_a)
      .def_prop_ro("clock",
                   [](const BoundPlan& self) {
                     Free gil;
                     return self.plan->clock();
                   })
      .def_prop_ro(
          "work",
          [](const BoundPlan& self) {
            std::vector<std::tuple<double, double>> found;
            for (const Plan::Work& work : self.plan->work()) found.emplace_back(work.needed, work.done);
            return found;
          },
          "By the clock's places, multiply-adds a sample: needed by definition, and done.")
      .def(
          "infer",
          [](BoundPlan& self, MaybeArray<const uint8_t> bytes, MaybeArray<const float> lut,
             MaybeArray<const float> floats, MaybeArray<const int64_t> indices, std::vector<FloatArray> outputs) {
            size_t count = 0;
            Source s = source_of(self.plan->in_size(), bytes, lut, floats, &count);
            size_t n = indices ? indices->size() : count;
            if (indices) check_indices(*indices, count);
            check_samples(n);
            const auto& heads = self.plan->heads();
            need(outputs.size() == heads.size(), say::infer_logits);
            std::vector<float*> to;
            for (size_t h = 0; h < heads.size(); ++h) {
              need(outputs[h].size() == product({n, heads[h].size()}), say::infer_logits);
              to.push_back(outputs[h].data());
            }
            Free gil;
            self.plan->infer(s, indices ? indices->data() : nullptr, n, to.data());
          },
          "bytes"_a.none(), "lut"_a.none(), "floats"_a.none(), "indices"_a.none(), "outputs"_a)
      .def(
          "forward",
          [](BoundPlan& self, const Buffer<float>& x, int n, bool training, Generator& random, bool moves) {
            need_size(x, n, self.plan->in_size());
            auto y = make<float>(size_of(samples(n), self.plan->out_size(), false));
            auto pass = std::make_unique<Plan::Pass>();
            {
              Source s;
              s.lanes = x.data;
              Free gil;
              self.plan->forward(s, n, training, moves, random, y->data, *pass);
            }
            return nb::make_tuple(std::move(y), std::move(pass));
          },
          "x"_a, "n"_a, "training"_a, "random"_a, "moves"_a = true,
          "The outputs, one after another, and what backward() has to know of this pass. moves: running statistics do.")
      .def(
          "backward",
          [](BoundPlan& self, const Buffer<float>& dy, const Buffer<float>& x, const Plan::Pass& pass,
             const std::vector<std::optional<FloatArray>>& grads) {
            need_size(dy, pass.n, self.plan->out_size());
            need_size(x, pass.n, self.plan->in_size());
            const auto& params = self.plan->params();
            need(grads.size() == params.size(), say::backward_gradients);
            std::vector<float*> to;
            for (size_t i = 0; i < params.size(); ++i) {
              need(!grads[i] || grads[i]->size() == params[i].n, say::gradient_size);
              to.push_back(grads[i] ? grads[i]->data() : nullptr);
            }
            Source s;
            s.lanes = x.data;
            Free gil;
            self.plan->backward(dy.data, s, pass, to.data());
          },
          "dy"_a, "x"_a, "forward_pass"_a, "grads"_a,
          "Writes each parameter's gradient, of the pass over x that made dy, into grads where that isn't None.")
      .def(
          "train",
          [](BoundPlan& self, MaybeArray<const uint8_t> bytes, MaybeArray<const float> lut,
             MaybeArray<const float> floats, std::vector<BoundLoss> losses_of, Array<const int64_t> indices,
             MaybeArray<const float> warps, std::vector<int> counts, std::vector<double> rates,
             std::optional<std::vector<double>> averaging, nb::dict update, Generator& random, Array<float> losses,
             std::vector<std::optional<FloatArray>> outputs) {
            size_t count = 0, total = 0;
            Source s = source_of(self.plan->in_size(), bytes, lut, floats, &count);
            for (int c : counts) {
              check_samples(samples(c));
              total += c;
            }
            need(indices.size() == total && rates.size() == counts.size() && losses.size() == counts.size(),
                 say::train_arrays);
            need(!averaging || averaging->size() == counts.size(), say::train_averaging);
            check_indices(indices, count);
            const auto& heads = self.plan->heads();
            need(losses_of.size() == heads.size() && outputs.size() == heads.size(), say::train_heads);
            std::vector<Loss> loss;
            std::vector<float*> to;
            for (size_t h = 0; h < heads.size(); ++h) {
              loss.push_back(loss_of(losses_of[h], heads[h], count, indices));
              need(!outputs[h] || outputs[h]->size() == product({total, heads[h].size()}), say::train_arrays);
              to.push_back(outputs[h] ? outputs[h]->data() : nullptr);
            }
            if (warps) {
              need(bytes && self.plan->takes_warps(), say::train_warped_images);
              need(warps->size() == 6 * total, say::train_warps);
              for (size_t i = 0; i < warps->size(); ++i) need(std::fabs(warps->data()[i]) < 1e6f, say::train_warp);
              s.warps = warps->data();
            }
            Update u = update_of(update);
            Plan::Outcome outcome;
            {
              Free gil;
              outcome =
                  self.plan->train(s, indices.data(), counts.data(), int(counts.size()), rates.data(),
                                   averaging ? averaging->data() : nullptr, loss, u, random, losses.data(), to.data());
            }
            return outcome.trouble;
          },
          "bytes"_a.none(), "lut"_a.none(), "floats"_a.none(), "loss"_a, "indices"_a, "warps"_a.none(), "counts"_a,
          "rates"_a, "averaging"_a.none(), "update"_a, "random"_a, "losses"_a, "outputs"_a,
          "Runs len(counts) updates; returns '' or what was not finite, 'loss' or 'gradient'. A step's loss is written "
          "when done.");
}

}  // namespace lenet
