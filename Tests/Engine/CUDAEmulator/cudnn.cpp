// The part of cuDNN that the backend calls: descriptors of one convolution, engines that are listed
// for it, plans, and their execution on the emulated driver beside it. Of the engines that are
// listed most are not to be taken: one adds in another order every time, one rounds, one wants more
// memory than there is, one makes no plan. Sums run otherwise than those of convolution.cu.h.
#include "bss_cuda_driver.h"
#include "cudnn_names.h"
#include "library.h"
#include <map>
#include <set>
#include <vector>

struct cudnnContext {
  CUstream stream = nullptr;
};

namespace {
enum { ok = 0, notInitialised = 1001, badParameter = 2000, notSupported = 3000 };
enum Engine { UNORDERED, ROUNDING, GREEDY, BROKEN, EXACT };

/// x [n, c, …], weight [k, c / groups, …], y [n, k, …] with the channels last; three spatial axes.
struct Sizes {
  int operation = 0;
  int64_t name[3];  // of x, weight, y
  int64_t n = 0, c = 0, k = 0, groups = 0, in[3], out[3], taps[3], stride[3], pad[3], dilation[3];
  int64_t inputs() const { return n * c * in[0] * in[1] * in[2]; }
  int64_t outputs() const { return n * k * out[0] * out[1] * out[2]; }
  int64_t weights() const { return k * (c / groups) * taps[0] * taps[1] * taps[2]; }
};

struct Descriptor {
  int type = 0;
  bool isFinished = false;
  std::map<int, std::vector<char>> attributes;
  Engine engine = EXACT;  // of a configuration, an engine, a plan
  Sizes sizes;            // of what an operation or a plan computes
};
std::set<Descriptor *> alive;

Descriptor *known(void *p) { return alive.count((Descriptor *)p) ? (Descriptor *)p : nullptr; }
size_t sizeOf(int type) {
  switch (type) {
  case CHAR_TYPE: return 1;
  case HANDLE:
  case INT64:
  case VOID_PTR:
  case DESCRIPTOR: return 8;
  default: return 4;
  }
}
template <class V> std::vector<V> values(const Descriptor *d, int name) {
  auto found = d->attributes.find(name);
  if (found == d->attributes.end()) return {};
  std::vector<V> list(found->second.size() / sizeof(V));
  memcpy(list.data(), found->second.data(), list.size() * sizeof(V));
  return list;
}
template <class V> V value(const Descriptor *d, int name) {
  auto list = values<V>(d, name);
  return list.empty() ? V{} : list[0];
}
Descriptor *part(const Descriptor *d, int name) {
  Descriptor *found = known(value<void *>(d, name));
  return found && found->isFinished ? found : nullptr;
}

struct Pass {
  int type, convolution, x, weight, y;
};
const Pass passes[] = {
    {OPERATION_FORWARD, FORWARD_CONV_DESC, FORWARD_X, FORWARD_W, FORWARD_Y},
    {OPERATION_DATA, DATA_CONV_DESC, DATA_DX, DATA_W, DATA_DY},
    {OPERATION_FILTER, FILTER_CONV_DESC, FILTER_X, FILTER_DW, FILTER_DY},
};

bool isChannelsLast(const Descriptor *tensor) {
  auto shape = values<int64_t>(tensor, TENSOR_DIMENSIONS),
       stride = values<int64_t>(tensor, TENSOR_STRIDES);
  if (shape.size() < 4 || shape.size() > 5 || shape.size() != stride.size()) return false;
  int64_t run = shape[1];
  bool dense = stride[1] == 1;
  for (size_t i = shape.size() - 1; i > 1; i--) dense &= stride[i] == run, run *= shape[i];
  return dense && stride[0] == run && value<int>(tensor, TENSOR_DATA_TYPE) == FLOAT_DATA &&
         value<int64_t>(tensor, TENSOR_BYTE_ALIGNMENT) == 16;
}

/// What the operation computes; `groups` 0: it makes no sense.
Sizes sizesOf(const Descriptor *operation) {
  Sizes s;
  const Pass *pass = nullptr;
  for (auto &p : passes)
    if (p.type == operation->type) pass = &p;
  if (!pass) return s;
  auto x = part(operation, pass->x), w = part(operation, pass->weight),
       y = part(operation, pass->y), rule = part(operation, pass->convolution);
  if (!x || !w || !y || !rule) return s;
  auto a = values<int64_t>(x, TENSOR_DIMENSIONS), b = values<int64_t>(w, TENSOR_DIMENSIONS),
       c = values<int64_t>(y, TENSOR_DIMENSIONS),
       before = values<int64_t>(rule, CONVOLUTION_PRE_PADDINGS),
       behind = values<int64_t>(rule, CONVOLUTION_POST_PADDINGS),
       stride = values<int64_t>(rule, CONVOLUTION_FILTER_STRIDES),
       dilation = values<int64_t>(rule, CONVOLUTION_DILATIONS);
  const size_t axes = value<int64_t>(rule, CONVOLUTION_SPATIAL_DIMS), skipped = 3 - axes;
  if (a.size() != axes + 2 || b.size() != a.size() || c.size() != a.size() ||
      before.size() != axes || behind.size() != axes || stride.size() != axes ||
      dilation.size() != axes || b[1] == 0)
    return s;
  for (size_t i = 0; i < 3; i++) {
    const bool is = i >= skipped;
    const size_t j = is ? i - skipped : 0;
    s.in[i] = is ? a[2 + j] : 1, s.taps[i] = is ? b[2 + j] : 1, s.out[i] = is ? c[2 + j] : 1;
    s.stride[i] = is ? stride[j] : 1, s.pad[i] = is ? before[j] : 0,
    s.dilation[i] = is ? dilation[j] : 1;
    const int64_t reach = s.dilation[i] * (s.taps[i] - 1) + 1;
    if (is && (before[j] < 0 || behind[j] < 0 ||
               (s.in[i] + before[j] + behind[j] - reach) / s.stride[i] + 1 != s.out[i]))
      return s;
  }
  if (a[0] != c[0] || b[0] != c[1] || a[1] % b[1] || b[0] % (a[1] / b[1])) return s;
  s.n = a[0], s.c = a[1], s.k = b[0], s.groups = a[1] / b[1];
  s.operation = operation->type;
  Descriptor *const parts[] = {x, w, y};
  for (int i = 0; i < 3; i++) s.name[i] = value<int64_t>(parts[i], TENSOR_UNIQUE_ID);
  return s;
}

bool isWhole(const Descriptor *d) {
  switch (d->type) {
  case TENSOR: return isChannelsLast(d) && d->attributes.count(TENSOR_UNIQUE_ID);
  case CONVOLUTION:
    return value<int>(d, CONVOLUTION_COMP_TYPE) == FLOAT_DATA &&
           value<int>(d, CONVOLUTION_CONV_MODE) == CROSS_CORRELATION;
  case OPERATION_FORWARD:
  case OPERATION_DATA:
  case OPERATION_FILTER: return sizesOf(d).groups > 0;
  case OPERATION_GRAPH: {
    auto handle = value<cudnnHandle>(d, OPERATIONGRAPH_HANDLE);
    return handle && handle->stream && part(d, OPERATIONGRAPH_OPS);
  }
  case HEURISTICS: return part(d, HEURISTICS_GRAPH) && d->attributes.count(HEURISTICS_MODE);
  case EXECUTION_PLAN: {
    auto engine = part(d, EXECUTION_PLAN_ENGINE_CONFIG);
    return engine && engine->engine != BROKEN && value<cudnnHandle>(d, EXECUTION_PLAN_HANDLE);
  }
  case VARIANT_PACK:
    return values<int64_t>(d, VARIANT_PACK_UNIQUE_IDS).size() == 3 &&
           values<void *>(d, VARIANT_PACK_DATA_POINTERS).size() == 3;
  default: return false;
  }
}

/// Dilated ones are found in the list of fallbacks alone, grouped ones of three axes nowhere.
std::vector<Engine> enginesFor(const Descriptor *list) {
  auto graph = part(list, HEURISTICS_GRAPH);
  const Sizes s = sizesOf(part(graph, OPERATIONGRAPH_OPS));
  if (s.groups > 1 && s.taps[0] > 1) return {UNORDERED, BROKEN};
  const bool isDilated = s.dilation[1] > 1 || s.dilation[2] > 1;
  if (value<int>(list, HEURISTICS_MODE) == MODE_FALLBACK) return {BROKEN, ROUNDING, EXACT};
  if (isDilated) return {UNORDERED};
  return {UNORDERED, BROKEN, GREEDY, ROUNDING, EXACT};
}
std::vector<int> notesOf(Engine engine) {
  if (engine == UNORDERED) return {NOTE_NONDETERMINISTIC};
  if (engine == ROUNDING) return {NOTE_TENSOR_CORE, NOTE_DOWN_CONVERT_INPUTS};
  return {};
}
int64_t workspaceOf(Engine engine) {
  return engine == GREEDY ? (int64_t)1 << 40 : engine == EXACT ? 4096 : 0;
}

// MARK: Computing

using Array = std::vector<float>;
/// Σ a b in eight sums.
float dot(const float *a, const float *b, int64_t n) {
  float sum[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; j++) sum[j] += a[i + j] * b[i + j];
  for (; i < n; i++) sum[i & 7] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}
void addTimes(float factor, const float *x, float *y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += factor * x[i];
}

/// visit(position in y, position in x, tap) for all that meet, in the order of y.
template <class V> void eachMeeting(const Sizes &s, V visit) {
  int64_t place = 0;
  for (int64_t n = 0; n < s.n; n++)
    for (int64_t a = 0; a < s.out[0]; a++)
      for (int64_t b = 0; b < s.out[1]; b++)
        for (int64_t c = 0; c < s.out[2]; c++, place++)
          for (int64_t tap = 0; tap < s.taps[0] * s.taps[1] * s.taps[2]; tap++) {
            const int64_t t[] = {tap / s.taps[2] / s.taps[1], tap / s.taps[2] % s.taps[1],
                                 tap % s.taps[2]};
            const int64_t o[] = {a, b, c};
            int64_t at = n;
            bool inside = true;
            for (int i = 0; i < 3; i++) {
              const int64_t x = o[i] * s.stride[i] + t[i] * s.dilation[i] - s.pad[i];
              inside = inside && x >= 0 && x < s.in[i];
              at = at * s.in[i] + x;
            }
            if (inside) visit(place, at, tap);
          }
}

Array copied(const float *from, int64_t count, bool rounds) {
  reads(from, count * 4);
  Array a(from, from + count);
  if (rounds)
    for (float &x : a) x = roundedToTF32(x);
  return a;
}

void compute(const Sizes &s, Engine engine, float *x, float *w, float *y, char *workspace) {
  const bool rounds = engine == ROUNDING;
  const int type = s.operation;
  const int64_t in = s.c / s.groups, outs = s.k / s.groups,
                taps = s.taps[0] * s.taps[1] * s.taps[2];
  if (workspace) {
    writes(workspace, workspaceOf(engine));
    memset(workspace, 0xff, workspaceOf(engine));
  }
  Array a, b, c;
  if (type != OPERATION_DATA) a = copied(x, s.inputs(), rounds);
  if (type != OPERATION_FILTER) b = copied(w, s.weights(), rounds);
  if (type != OPERATION_FORWARD) c = copied(y, s.outputs(), rounds);
  float *result = type == OPERATION_FORWARD ? y : type == OPERATION_DATA ? x : w;
  const int64_t count = type == OPERATION_FORWARD ? s.outputs()
                        : type == OPERATION_DATA  ? s.inputs()
                                                  : s.weights();
  writes(result, count * 4);
  memset(result, 0, count * 4);
  eachMeeting(s, [&](int64_t place, int64_t at, int64_t tap) {
    for (int64_t k = 0; k < s.k; k++) {
      const int64_t image = at * s.c + k / outs * in, weight = (k * taps + tap) * in,
                    out = place * s.k + k;
      if (type == OPERATION_FORWARD) y[out] += dot(&a[image], &b[weight], in);
      else if (type == OPERATION_DATA) addTimes(c[out], &b[weight], x + image, in);
      else addTimes(c[out], &a[image], w + weight, in);
    }
  });
  static int times = 0;
  if (engine == UNORDERED) result[0] += (float)++times;  // who takes it is noticed
}
}  // namespace

extern "C" {
int cudnnCreate(cudnnHandle *handle) {
  *handle = nullptr;
  if (!offered<void *>("emulated_enqueue")) return notInitialised;
  *handle = new cudnnContext;
  return ok;
}
int cudnnGetProperty(int property, int *value) {
  *value = property == 0 ? 9 : property == 1 ? 26 : 0;
  return ok;
}
int cudnnSetStream(cudnnHandle handle, CUstream stream) {
  if (!handle) return badParameter;
  handle->stream = stream;
  return ok;
}
int cudnnBackendCreateDescriptor(int type, void **made) {
  auto d = new Descriptor;
  d->type = type;
  alive.insert(d);
  *made = d;
  return ok;
}
int cudnnBackendDestroyDescriptor(void *made) {
  auto d = known(made);
  if (!d) return badParameter;
  alive.erase(d);
  delete d;
  return ok;
}
int cudnnBackendSetAttribute(void *of, int name, int type, int64_t count, const void *list) {
  auto d = known(of);
  if (!d || d->isFinished || !list || count < 0) return badParameter;
  const char *bytes = (const char *)list;
  d->attributes[name].assign(bytes, bytes + count * sizeOf(type));
  return ok;
}
int cudnnBackendFinalize(void *made) {
  auto d = known(made);
  if (!d || d->isFinished) return badParameter;
  if (!isWhole(d)) return d->type == EXECUTION_PLAN ? notSupported : badParameter;
  d->isFinished = true;
  if (d->type == EXECUTION_PLAN) {
    auto engine = part(d, EXECUTION_PLAN_ENGINE_CONFIG);
    d->engine = engine->engine, d->sizes = engine->sizes;
  }
  return ok;
}
int cudnnBackendGetAttribute(void *of, int name, int type, int64_t most, int64_t *count,
                             void *list) {
  auto d = known(of);
  if (!d || (!d->isFinished && d->type != ENGINE)) return badParameter;
  if (name == HEURISTICS_RESULTS && type == DESCRIPTOR) {
    auto engines = enginesFor(d);
    *count = (int64_t)engines.size();
    for (int64_t i = 0; i < most && i < *count; i++) {
      auto to = known(((void **)list)[i]);
      if (!to || to->type != ENGINE_CONFIGURATION) return badParameter;
      to->engine = engines[i];
      to->sizes = sizesOf(part(part(d, HEURISTICS_GRAPH), OPERATIONGRAPH_OPS));
      to->isFinished = true;
    }
    if (most) *count = most < *count ? most : *count;
    return ok;
  }
  if (name == ENGINECFG_ENGINE && type == DESCRIPTOR && most == 1) {
    auto to = known(*(void **)list);
    if (!to || to->type != ENGINE) return badParameter;
    to->engine = d->engine;
    *count = 1;
    return ok;
  }
  if (name == ENGINE_NUMERICAL_NOTE && type == NUMERICAL_NOTE) {
    auto notes = notesOf(d->engine);
    *count = (int64_t)notes.size();
    if (most < *count) return badParameter;
    memcpy(list, notes.data(), notes.size() * 4);
    return ok;
  }
  if (name == EXECUTION_PLAN_WORKSPACE_SIZE && type == INT64 && most == 1) {
    *(int64_t *)list = workspaceOf(d->engine);
    *count = 1;
    return ok;
  }
  return badParameter;
}
int cudnnBackendExecute(cudnnHandle handle, void *plan, void *pack) {
  auto d = known(plan), given = known(pack);
  if (!handle || !handle->stream) return notInitialised;
  if (!d || !given || d->type != EXECUTION_PLAN || !d->isFinished || !given->isFinished)
    return badParameter;
  auto names = values<int64_t>(given, VARIANT_PACK_UNIQUE_IDS);
  auto places = values<char *>(given, VARIANT_PACK_DATA_POINTERS);
  auto workspace = value<char *>(given, VARIANT_PACK_WORKSPACE);
  std::map<int64_t, float *> at;
  for (int i = 0; i < 3; i++) {
    if (!places[i] || (uintptr_t)places[i] % 16) return badParameter;
    at[names[i]] = (float *)places[i];
  }
  if (workspaceOf(d->engine) && (!workspace || (uintptr_t)workspace % 16)) return badParameter;
  const Sizes s = d->sizes;
  float *const x = at[s.name[0]], *const w = at[s.name[1]], *const y = at[s.name[2]];
  if (!x || !w || !y) return badParameter;
  enqueueWork("cudnnBackendExecute",
              [=, engine = d->engine] { compute(s, engine, x, w, y, workspace); });
  return ok;
}
}
