// The eager operations on maps: batch normalisation, and images enlarged by repeating their pixels.
#include "bind.h"
#include "engine.h"

namespace lenet {
namespace {

template <class T>
void bind_on(nb::module_& m) {
  using B = Buffer<T>;
  m.def(
      "norm_statistics",
      [](int C, size_t cells, int n, const B& x, Array<T> mean, Array<T> var) {
        check_sizes("batch_norm", {C});
        need_size(x, n, product({size_t(C), cells}));
        need(mean.size() == size_t(C) && var.size() == size_t(C), say::norm_sizes);
        Free gil;
        norm_statistics(C, cells, n, x.data, mean.data(), var.data());
      },
      "channels"_a, "cells"_a, "n"_a, "x"_a, "mean"_a, "var"_a, "Writes each channel's mean and biased variance.");
  m.def(
      "norm",
      [](int C, size_t cells, int n, const B& x, Array<const T> mean, Array<const T> scale, Array<const T> shift) {
        check_sizes("batch_norm", {C});
        const size_t size = product({size_t(C), cells});
        for (const auto* each : {&mean, &scale, &shift}) need(each->size() == size_t(C), say::norm_sizes);
        auto y = answer(x, n, size, size);
        Free gil;
        (x.few ? few_norm<T> : norm_forward<T>)(C, cells, n, x.data, mean.data(), scale.data(), shift.data(), y->data);
        return y;
      },
      "channels"_a, "cells"_a, "n"_a, "x"_a, "mean"_a, "scale"_a, "shift"_a);
  m.def(
      "norm_backward",
      [](int C, size_t cells, int n, const B& x, const B& dy, Array<const T> mean, Array<const T> var,
         Array<const T> scale, double epsilon, bool batch, bool need_dx, Array<T> dw, Array<T> db) {
        check_sizes("batch_norm", {C});
        const size_t size = product({size_t(C), cells});
        need_size(x, n, size);
        need_size(dy, n, size);
        for (const auto* each : {&mean, &var, &scale}) need(each->size() == size_t(C), say::norm_sizes);
        for (const auto* each : {&dw, &db}) need(each->size() == size_t(C), say::norm_sizes);
        BufferPtr<T> dx = need_dx ? make<T>(x.size) : nullptr;
        Free gil;
        norm_backward(C, cells, n, x.data, dy.data, mean.data(), var.data(), scale.data(), T(epsilon), batch,
                      dx ? dx->data : nullptr, dw.data(), db.data());
        return dx;
      },
      "channels"_a, "cells"_a, "n"_a, "x"_a, "dy"_a, "mean"_a, "var"_a, "scale"_a, "epsilon"_a, "batch"_a, "need_dx"_a,
      "dw"_a, "db"_a);

  auto sizes = [](int C, int H, int W, int fh, int fw) {
    check_sizes("upsample2d", {C, H, W, fh, fw});
    check_numbers("upsample2d", {size_t(C), size_t(H), size_t(W), size_t(fh), size_t(fw)});
    return std::pair<size_t, size_t>(size_t(C) * H * W, size_t(C) * H * W * fh * fw);
  };
  m.def(
      "upsample2d",
      [sizes](int C, int H, int W, int fh, int fw, int n, const B& x) {
        const auto [in, out] = sizes(C, H, W, fh, fw);
        auto y = answer(x, n, in, out);
        Free gil;
        const size_t lanes = x.few ? 1 : L;
        run(x.few ? n : groups_of(n), [&, in = in, out = out](int g) {
          spread<T>(size_t(C), H, W, fh, fw, lanes, x.data + g * in * lanes, y->data + g * out * lanes);
        });
        return y;
      },
      "C"_a, "H"_a, "W"_a, "fh"_a, "fw"_a, "n"_a, "x"_a, "Each pixel fh x fw times.");
  m.def(
      "upsample2d_backward",
      [sizes](int C, int H, int W, int fh, int fw, int n, const B& dy) {
        const auto [in, out] = sizes(C, H, W, fh, fw);
        need_size(dy, n, out);
        auto dx = make<T>(size_of(samples(n), in, false));
        Free gil;
        run(groups_of(n), [&, in = in, out = out](int g) {
          spread_dx<T>(size_t(C), H, W, fh, fw, L, dy.data + g * out * L, dx->data + g * in * L);
        });
        return dx;
      },
      "C"_a, "H"_a, "W"_a, "fh"_a, "fw"_a, "n"_a, "dy"_a);
}

}  // namespace

void bind_maps(nb::module_& m) {
  bind_on<float>(m);
  bind_on<double>(m);
}

}  // namespace lenet
