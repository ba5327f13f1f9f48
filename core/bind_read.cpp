// Arguments read and checked: see bind_read.h.
#include "bind_read.h"

namespace lenet {

namespace {

Act act_of(const std::string& name) {
  static const std::pair<const char*, Act> known[] = {
      {"relu", Act::relu},   {"sigmoid", Act::sigmoid},       {"tanh", Act::tanh},
      {"relu6", Act::relu6}, {"leaky_relu", Act::leaky_relu}, {"gelu", Act::gelu},
      {"silu", Act::silu},   {"gelu_tanh", Act::gelu_tanh},
  };
  for (const auto& [each, act] : known)
    if (name == each) return act;
  throw std::invalid_argument("a plan has no row named " + name);
}

// What a row takes, by number: those of the values before it, each of as many numbers as the row expects.
void check_taken(const Graph& graph, const Row& row) {
  for (int v : row.from) need(v >= 0 && size_t(v) <= graph.rows.size(), say::row_takes);
  if (row.kind != Kind::join) {
    need(row.from.size() == (row.kind == Kind::add ? 2 : 1) && row.at.empty(), say::row_takes);
    for (int v : row.from) need(graph.size_of(v) == row.in_size, say::neighbouring_rows);
    return;
  }
  need(!row.from.empty() && row.from.size() == row.at.size(), say::row_takes);
  size_t filled = 0;
  for (size_t i = 0; i < row.from.size(); ++i) {
    const size_t n = graph.size_of(row.from[i]);
    need(row.at[i] >= filled && row.at[i] <= row.out_size && n <= row.out_size - row.at[i], say::neighbouring_rows);
    filled = row.at[i] + n;
  }
}

}  // namespace

std::string name_of(const Row& row) {
  static const char* kinds[] = {"conv",    "conv + pool", "max_pool", "avg_pool", "act",    "linear",
                                "dropout", "softmax",     "add",      "join",     "spread", "norm"};
  std::string name = kinds[int(row.kind)];
  if (row.convolves()) {
    const Conv& c = row.conv;
    name += " " + std::to_string(c.kh) + "x" + std::to_string(c.kw) + ", " + std::to_string(c.C) + " to " +
            std::to_string(c.K) + " on " + std::to_string(c.H) + "x" + std::to_string(c.W);
    if (c.sh > 1) name += ", step " + std::to_string(c.sh);
  }
  if (row.kind == Kind::linear) name += " " + std::to_string(row.in) + " to " + std::to_string(row.out);
  if (row.kind == Kind::norm) name += " " + std::to_string(row.out) + " x " + std::to_string(row.cells);
  if (row.kind == Kind::norm && row.from.size() > 1) name += " + sum";
  return row.cut ? name + " + relu" : name;
}

Row row_of(const Graph& graph, nb::handle description) {
  nb::tuple t = nb::cast<nb::tuple>(description);
  need(t.size() >= 2, say::row_fields);
  std::string kind = nb::cast<std::string>(t[0]);
  Row row{};
  row.from = nb::cast<std::vector<int>>(t[1]);
  auto field = [&](size_t i) -> nb::object {
    need(i < t.size(), say::row_fields);
    return t[i];
  };
  auto number = [&](size_t i) { return nb::cast<int>(field(i)); };
  if (kind == "conv2d") {
    row.kind = Kind::conv;
    row.conv = nb::cast<Conv>(field(2));
    row.w = number(3), row.b = number(4);
    row.in_size = row.conv.in_size(), row.out_size = row.conv.out_size();
  } else if (kind == "max_pool2d" || kind == "avg_pool2d") {
    row.kind = kind == "max_pool2d" ? Kind::max_pool : Kind::avg_pool;
    row.pool = nb::cast<Pool>(field(2));
    row.in_size = row.pool.in_size(), row.out_size = row.pool.out_size();
  } else if (kind == "linear") {
    row.kind = Kind::linear;
    row.in = number(2), row.out = number(3);
    check_sizes("linear", {row.in, row.out});
    check_numbers("linear", {size_t(row.in), size_t(row.out)}, kMostWeights);
    row.w = number(4), row.b = number(5);
    row.in_size = row.in, row.out_size = row.out;
  } else if (kind == "softmax") {
    row.kind = Kind::softmax;
    row.in = row.out = number(2);
    check_sizes("softmax", {row.in});
    row.in_size = row.out_size = row.out;
  } else if (kind == "dropout") {
    row.kind = Kind::dropout;
    row.in_size = row.out_size = nb::cast<size_t>(field(2));
    row.p = nb::cast<float>(field(3)), row.upscale = nb::cast<bool>(field(4));
  } else if (kind == "add") {
    row.kind = Kind::add;
    row.in_size = row.out_size = nb::cast<size_t>(field(2));
  } else if (kind == "join") {
    row.kind = Kind::join;
    row.at = nb::cast<std::vector<size_t>>(field(2));
    row.in_size = row.out_size = nb::cast<size_t>(field(3));
  } else if (kind == "spread") {
    row.kind = Kind::spread;
    row.in = number(2), row.H = number(3), row.W = number(4), row.fh = number(5), row.fw = number(6);
    check_sizes("upsample2d", {row.in, row.H, row.W, row.fh, row.fw});
    check_numbers("upsample2d", {size_t(row.in), size_t(row.H), size_t(row.W), size_t(row.fh), size_t(row.fw)});
    row.in_size = size_t(row.in) * row.H * row.W, row.out_size = row.in_size * row.fh * row.fw;
  } else if (kind == "batch_norm") {
    row.kind = Kind::norm;
    row.out = number(2), row.cells = nb::cast<size_t>(field(3));
    check_sizes("batch_norm", {row.out});
    check_numbers("batch_norm", {size_t(row.out), row.cells});
    row.w = number(4), row.b = number(5), row.mean = number(6), row.var = number(7);
    row.epsilon = nb::cast<float>(field(8)), row.momentum = nb::cast<float>(field(9)),
    row.batch = nb::cast<bool>(field(10));
    row.in_size = row.out_size = size_t(row.out) * row.cells;
  } else {
    row.kind = Kind::act;
    row.act = act_of(kind);
    row.in_size = row.out_size = nb::cast<size_t>(field(2));
    row.slope = nb::cast<float>(field(3));
  }
  need(row.in_size > 0, say::empty_row);
  check_numbers("a plan's row", {row.in_size});
  check_taken(graph, row);
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
