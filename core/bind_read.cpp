// Arguments read and checked: see bind_read.h.
#include "bind_read.h"

namespace lenet {

Row row_of(nb::handle description) {
  nb::tuple t = nb::cast<nb::tuple>(description);
  std::string kind = nb::cast<std::string>(t[0]);
  Row row{};
  if (kind == "conv2d") {
    row.kind = Kind::conv;
    row.conv = nb::cast<Conv>(t[1]);
    row.w = nb::cast<int>(t[2]), row.b = nb::cast<int>(t[3]);
    row.in_size = row.conv.in_size(), row.out_size = row.conv.out_size();
  } else if (kind == "max_pool2d" || kind == "avg_pool2d") {
    row.kind = kind == "max_pool2d" ? Kind::max_pool : Kind::avg_pool;
    row.pool = nb::cast<Pool>(t[1]);
    row.in_size = row.pool.in_size(), row.out_size = row.pool.out_size();
  } else if (kind == "linear") {
    row.kind = Kind::linear;
    row.in = nb::cast<int>(t[1]), row.out = nb::cast<int>(t[2]);
    check_sizes("linear", {row.in, row.out});
    check_numbers("linear", {size_t(row.in), size_t(row.out)}, kMostWeights);
    row.w = nb::cast<int>(t[3]), row.b = nb::cast<int>(t[4]);
    row.in_size = row.in, row.out_size = row.out;
  } else if (kind == "relu" || kind == "sigmoid" || kind == "tanh") {
    row.kind = kind == "relu" ? Kind::relu : kind == "sigmoid" ? Kind::sigmoid : Kind::tanh;
    row.in_size = row.out_size = nb::cast<size_t>(t[1]);
  } else if (kind == "softmax") {
    row.kind = Kind::softmax;
    row.in = row.out = nb::cast<int>(t[1]);
    check_sizes("softmax", {row.in});
    row.in_size = row.out_size = row.out;
  } else if (kind == "dropout") {
    row.kind = Kind::dropout;
    row.in_size = row.out_size = nb::cast<size_t>(t[1]);
    row.p = nb::cast<float>(t[2]), row.upscale = nb::cast<bool>(t[3]);
  } else {
    throw std::invalid_argument("a plan has no row named " + kind);
  }
  need(row.in_size > 0, say::empty_row);
  check_numbers("a plan's row", {row.in_size});
  return row;
}

Update update_of(nb::dict d) {
  FloatEnvironment environment;
  Update u;
  std::string rule = nb::cast<std::string>(d["rule"]), clip = nb::cast<std::string>(d["clip"]);
  u.rule = rule == "sgd" ? Update::sgd : rule == "momentum" ? Update::momentum : Update::adam;
  need(rule == "sgd" || rule == "momentum" || rule == "adam", say::update_rule);
  u.clip = clip == "value"         ? Update::by_value
           : clip == "norm"        ? Update::by_norm
           : clip == "global_norm" ? Update::by_global_norm
                                   : Update::no_clip;
  auto number = [&](const char* key) { return nb::cast<float>(d[key]); };
  u.mu = number("mu"), u.beta1 = number("beta1"), u.beta2 = number("beta2"), u.eps = number("eps");
  u.decay = number("decay"), u.nesterov = nb::cast<bool>(d["nesterov"]);
  u.beta1_pow = number("beta1_pow"), u.beta2_pow = number("beta2_pow");
  u.clip_lo = number("clip_lo"), u.clip_hi = number("clip_hi");
  return u;
}

Source source_of(size_t in_size, MaybeArray<const uint8_t>& bytes, MaybeArray<const float>& lut,
                 MaybeArray<const float>& floats, size_t* count) {
  Source s;
  if (bytes) {
    need(lut && lut->size() == 256, say::table_of_bytes);
    need(bytes->size() % in_size == 0, say::image_size);
    s.bytes = bytes->data(), s.lut = lut->data();
    *count = bytes->size() / in_size;
  } else {
    need(floats.has_value() && floats->size() % in_size == 0, say::image_size);
    s.floats = floats->data();
    *count = floats->size() / in_size;
  }
  return s;
}

void check_indices(const Array<const int64_t>& indices, size_t count) {
  for (size_t i = 0; i < indices.size(); ++i)
    need(indices.data()[i] >= 0 && size_t(indices.data()[i]) < count, say::index_outside);
}

}  // namespace lenet
