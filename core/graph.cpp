// Fusing rows and laying out their memory: see graph.h.
#include "graph.h"

#include <algorithm>

#include "memory.h"

namespace lenet {

size_t Row::winners() const {
  if (kind == Kind::max_pool) return out_size;
  return kind == Kind::conv_pool ? out_size / sizeof(float) + 1 : 0;  // bytes
}

bool Graph::is_head(int value) const {
  return std::any_of(heads.begin(), heads.end(), [&](const Head& h) { return h.value == value; });
}

std::vector<int> Graph::last_users() const {
  std::vector<int> last(rows.size() + 1, -1);
  for (size_t r = 0; r < rows.size(); ++r)
    for (int v : rows[r].from) last[size_t(v)] = int(r);
  return last;
}

namespace {

// Rows taken into others, step by step; what a row makes keeps its number until the end.
class Fuser {
 public:
  Fuser(Graph& graph, bool answers) : graph_(graph), answers_(answers) {
    for (size_t r = 0; r < graph.rows.size(); ++r) made_.push_back(int(r) + 1);
  }

  void run() {
    std::vector<Row>& rows = graph_.rows;
    for (size_t r = 0; r < rows.size(); ++r) {
      if (made_[r] < 0) continue;
      Row& row = rows[r];
      if (row.kind == Kind::norm && answers_) row.batch = false;
      if (row.kind == Kind::conv && answers_) take_norm(r);
      if (row.kind == Kind::conv || row.kind == Kind::linear || row.kind == Kind::add) take_relu(r);
      if (row.kind == Kind::conv) take_pool(r);
      if (row.kind == Kind::norm) take_rest(r);
    }
    renumber();
  }

 private:
  // The row that alone takes what row r makes; -1 if there are several, or it is an output.
  int only_user(size_t r) const {
    int found = -1;
    for (size_t q = 0; q < graph_.rows.size(); ++q)
      for (int v : graph_.rows[q].from)
        if (made_[q] >= 0 && v == made_[r]) {
          if (found >= 0) return -1;
          found = int(q);
        }
    return graph_.is_head(made_[r]) ? -1 : found;
  }
  void take(size_t r, size_t next) { made_[r] = made_[next], made_[next] = -1; }

  void take_relu(size_t r) {
    for (int q = only_user(r); q >= 0 && graph_.rows[size_t(q)].relus(); q = only_user(r)) {
      graph_.rows[r].cut = true;
      take(r, size_t(q));
    }
  }

  // The larger of cut values is the cut larger value, and cutting twice is cutting once.
  void take_pool(size_t r) {
    const int q = only_user(r);
    if (q < 0 || graph_.rows[size_t(q)].kind != Kind::max_pool) return;
    Row& row = graph_.rows[r];
    const Conv& c = row.conv;
    const Pool& p = graph_.rows[size_t(q)].pool;
    const bool halves = p.kh == 2 && p.kw == 2 && p.sh == 2 && p.sw == 2 && !p.pt && !p.pb && !p.pl && !p.pr;
    if (!halves || !c.plain() || c.sh != 1 || c.sw != 1 || c.OH % 2 || c.OW % 2) return;
    row.kind = Kind::conv_pool;
    row.out_size = p.out_size();
    take(r, size_t(q));
    take_relu(r);
  }

  void take_norm(size_t r) {
    const int q = only_user(r);
    if (q < 0 || graph_.rows[size_t(q)].kind != Kind::norm) return;
    Row& row = graph_.rows[r];
    const Row& norm = graph_.rows[size_t(q)];
    row.norm_w = norm.w, row.norm_b = norm.b, row.mean = norm.mean, row.var = norm.var, row.epsilon = norm.epsilon;
    take(r, size_t(q));
  }

  // What is added to a normalisation, as around a residual block. The row goes to where the sum was.
  void take_rest(size_t r) {
    take_relu(r);
    const int q = only_user(r);
    if (graph_.rows[r].cut || graph_.rows[r].from.size() > 1 || q < 0 || graph_.rows[size_t(q)].kind != Kind::add)
      return;
    Row& sum = graph_.rows[size_t(q)];
    const int rest = sum.from[0] == made_[r] ? sum.from[1] : sum.from[0];
    Row moved = graph_.rows[r];
    moved.from.push_back(rest);
    made_[r] = -1;
    sum = moved;
    take_relu(size_t(q));
  }

  void renumber() {
    std::vector<int> number(graph_.rows.size() + 1, 0);
    std::vector<Row> kept;
    for (size_t r = 0; r < graph_.rows.size(); ++r)
      if (made_[r] >= 0) {
        kept.push_back(graph_.rows[r]);
        number[size_t(made_[r])] = int(kept.size());
      }
    for (Row& row : kept)
      for (int& v : row.from) v = number[size_t(v)];
    for (Head& head : graph_.heads) head.value = number[size_t(head.value)];
    graph_.rows = kept;
  }

  Graph& graph_;
  const bool answers_;
  std::vector<int> made_;  // by row: the number of what it makes now, -1: it is part of another
};

}  // namespace

Graph fused(Graph graph, bool answers) {
  Fuser(graph, answers).run();
  int users = 0;
  graph.entry = -1;
  for (size_t r = 0; r < graph.rows.size(); ++r)
    for (int v : graph.rows[r].from)
      if (v == 0) ++users, graph.entry = graph.rows[r].convolves() ? int(r) : -1;
  if (users != 1) graph.entry = -1;
  return graph;
}

void lay_out(Graph& graph, int lanes, bool keep) {
  const int n = int(graph.rows.size());
  const std::vector<int> last = graph.last_users();
  std::vector<Span> spans;
  std::vector<std::pair<size_t*, size_t>> to;  // where a span's place is written
  auto add = [&](size_t size, int from, int until, size_t* at) {
    if (!size) return;
    to.push_back({at, spans.size()});
    const size_t slack = lanes == 1 ? kSlack : 0;
    spans.push_back({aligned(size * size_t(lanes) + slack), keep ? 0 : from, keep ? n : until});
  };
  const bool frames = lanes == L;  // one image is padded strip by strip, elsewhere
  size_t input = 0;                // a group's memory begins with the network's input
  add(frames && graph.framed() ? 0 : graph.in_size, -1, last[0], &input);
  for (int r = 0; r < n; ++r) {
    Row& row = graph.rows[size_t(r)];
    const int until = graph.is_head(r + 1) ? n : std::max(last[size_t(r) + 1], r);
    if (frames && row.convolves() && row.conv.padded())
      add(row.conv.frame_size(), r == graph.entry ? -1 : r, r, &row.frame);
    add(row.out_size, r, until, &row.y);
    if (frames) add(row.winners(), r, r, &row.winner);
  }
  std::vector<Span*> all;
  for (Span& span : spans) all.push_back(&span);
  graph.size = place(all);
  for (auto& [at, i] : to) *at = spans[i].at;
}

size_t place(std::vector<Span*>& spans) {
  std::stable_sort(spans.begin(), spans.end(), [](const Span* a, const Span* b) { return a->from < b->from; });
  std::vector<Span*> live;  // by place
  size_t total = 0;
  for (Span* s : spans) {
    live.erase(std::remove_if(live.begin(), live.end(), [&](const Span* o) { return o->to < s->from; }), live.end());
    size_t at = 0, i = 0;
    for (; i < live.size() && at + s->size > live[i]->at; ++i) at = live[i]->at + live[i]->size;
    s->at = at;
    live.insert(live.begin() + std::ptrdiff_t(i), s);
    total = std::max(total, at + s->size);
  }
  return total;
}

}  // namespace lenet
