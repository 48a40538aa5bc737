// A convolution is a graph of one operation; cuDNN lists engines for it, the fastest first, and
// says of each what it does to the numbers. Taken is the first that gives the same bits in every
// run, rounds no more than was asked for, and is content with the memory it may have.
#include "bss_plan.h"
#include "cudnn_names.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENGINES = 64, ALIGNMENT = 16 };

/// Descriptors of one plan. After a status that is not 0, nothing more is asked of cuDNN.
typedef struct {
  void *made[MOST_ENGINES + 16];
  int count, status;
} desk;

struct bss_plan {
  desk desk;  // what it was made from, which cuDNN may look at again
  void *plan;
  int64_t workspace;
};

static void *make(desk *d, int type) {
  void *made = NULL;
  if (!d->status) d->status = bss_cudnn_descriptor_create(type, &made);
  if (made) d->made[d->count++] = made;
  return made;
}
static void set(desk *d, void *of, int name, int type, int64_t count, const void *value) {
  if (!d->status) d->status = bss_cudnn_set(of, name, type, count, value);
}
static void get(desk *d, void *of, int name, int type, int64_t most, int64_t *count, void *values) {
  if (!d->status) d->status = bss_cudnn_get(of, name, type, most, count, values);
}
static void set_number(desk *d, void *of, int name, int type, int value) {
  set(d, of, name, type, 1, &value);
}
static void set_part(desk *d, void *of, int name, void *part) {
  set(d, of, name, DESCRIPTOR, 1, &part);
}
static void finish(desk *d, void *made) {
  if (!d->status) d->status = bss_cudnn_finalize(made);
}
/// Destroys what was made after the first `kept`.
static void clear(desk *d, int kept) {
  while (d->count > kept) (void)bss_cudnn_descriptor_destroy(d->made[--d->count]);
}

/// [outer, channels, size…] with the channels last in memory.
static void *tensor(desk *d, int64_t id, int64_t outer, int64_t channels, const int64_t *size,
                    int axes) {
  int64_t shape[5] = {outer, channels}, stride[5] = {0, 1}, run = channels;
  for (int i = axes - 1; i >= 0; i--) {
    shape[2 + i] = size[i];
    stride[2 + i] = run;
    run *= size[i];
  }
  stride[0] = run;
  const int64_t alignment = ALIGNMENT;
  void *made = make(d, TENSOR);
  set_number(d, made, TENSOR_DATA_TYPE, DATA_TYPE, FLOAT_DATA);
  set(d, made, TENSOR_DIMENSIONS, INT64, 2 + axes, shape);
  set(d, made, TENSOR_STRIDES, INT64, 2 + axes, stride);
  set(d, made, TENSOR_UNIQUE_ID, INT64, 1, &id);
  set(d, made, TENSOR_BYTE_ALIGNMENT, INT64, 1, &alignment);
  finish(d, made);
  return made;
}

static void *convolution(desk *d, const bss_geometry *g, int skipped) {
  const int64_t axes = 3 - skipped;
  int64_t behind[3];
  for (int i = 0; i < 3; i++) {
    // As much as in front where that gives the size, as all engines take it; else what is needed.
    const int64_t reach = g->dilation[i] * (g->kernel[i] - 1) + 1, before = g->pad[i];
    const bool same = (g->in[i] + 2 * before - reach) / g->stride[i] + 1 == g->out[i];
    behind[i] = same ? before : (g->out[i] - 1) * g->stride[i] + reach - g->in[i] - before;
  }
  void *made = make(d, CONVOLUTION);
  set_number(d, made, CONVOLUTION_COMP_TYPE, DATA_TYPE, FLOAT_DATA);
  set_number(d, made, CONVOLUTION_CONV_MODE, CONVOLUTION_MODE, CROSS_CORRELATION);
  set(d, made, CONVOLUTION_SPATIAL_DIMS, INT64, 1, &axes);
  set(d, made, CONVOLUTION_DILATIONS, INT64, axes, g->dilation + skipped);
  set(d, made, CONVOLUTION_FILTER_STRIDES, INT64, axes, g->stride + skipped);
  set(d, made, CONVOLUTION_PRE_PADDINGS, INT64, axes, g->pad + skipped);
  set(d, made, CONVOLUTION_POST_PADDINGS, INT64, axes, behind + skipped);
  finish(d, made);
  return made;
}

/// The operation graph, of one operation.
static void *graph(desk *d, cudnnHandle handle, const bss_plan_request *r) {
  static const struct {
    int type, convolution, x, weight, y, alpha, beta;
  } passes[] = {
      [BSS_FORWARD] = {OPERATION_FORWARD, FORWARD_CONV_DESC, FORWARD_X, FORWARD_W, FORWARD_Y,
                       FORWARD_ALPHA, FORWARD_BETA},
      [BSS_INPUT_GRADIENT] = {OPERATION_DATA, DATA_CONV_DESC, DATA_DX, DATA_W, DATA_DY, DATA_ALPHA,
                              DATA_BETA},
      [BSS_WEIGHT_GRADIENT] = {OPERATION_FILTER, FILTER_CONV_DESC, FILTER_X, FILTER_DW, FILTER_DY,
                               FILTER_ALPHA, FILTER_BETA},
  };
  const bss_geometry *g = &r->geometry;
  // Two spatial axes at least; a third where it is more than a name.
  const int skipped = g->in[0] == 1 && g->kernel[0] == 1 && g->pad[0] == 0, axes = 3 - skipped;
  const float one = 1, zero = 0;
  void *x = tensor(d, 'x', g->batch, g->in_channels, g->in + skipped, axes);
  void *weight =
      tensor(d, 'w', g->out_channels, g->in_channels / g->groups, g->kernel + skipped, axes);
  void *y = tensor(d, 'y', g->batch, g->out_channels, g->out + skipped, axes);
  void *rule = convolution(d, g, skipped);
  void *operation = make(d, passes[r->pass].type);
  set_part(d, operation, passes[r->pass].convolution, rule);
  set_part(d, operation, passes[r->pass].x, x);
  set_part(d, operation, passes[r->pass].weight, weight);
  set_part(d, operation, passes[r->pass].y, y);
  set(d, operation, passes[r->pass].alpha, FLOAT_TYPE, 1, &one);
  set(d, operation, passes[r->pass].beta, FLOAT_TYPE, 1, &zero);
  finish(d, operation);
  void *made = make(d, OPERATION_GRAPH);
  if (handle) set(d, made, OPERATIONGRAPH_HANDLE, HANDLE, 1, &handle);
  set_part(d, made, OPERATIONGRAPH_OPS, operation);
  finish(d, made);
  return made;
}

/// What an engine may not do to the numbers: bits by the numbers of cuDNN's notes.
static unsigned refused_notes(bool rounds) {
  const unsigned always = 1u << NOTE_NONDETERMINISTIC | 1u << NOTE_REDUCED_PRECISION |
                          1u << NOTE_FFT | 1u << NOTE_WINOGRAD | 1u << NOTE_WINOGRAD_4x4 |
                          1u << NOTE_WINOGRAD_6x6 | 1u << NOTE_WINOGRAD_13x13;
  return rounds ? always : always | 1u << NOTE_TENSOR_CORE | 1u << NOTE_DOWN_CONVERT_INPUTS;
}
static unsigned notes_of(desk *d, void *configuration) {
  int list[32];
  int64_t count = 0;
  unsigned notes = 0;
  void *engine = make(d, ENGINE);
  get(d, configuration, ENGINECFG_ENGINE, DESCRIPTOR, 1, &count, &engine);
  get(d, engine, ENGINE_NUMERICAL_NOTE, NUMERICAL_NOTE, 32, &count, list);
  for (int i = 0; !d->status && i < count && i < 32; i++) notes |= 1u << list[i];
  return notes;
}

/// Makes the plan of that engine, if it keeps to the request.
static bool takes(bss_plan *p, cudnnHandle handle, void *device, void *configuration,
                  const bss_plan_request *r) {
  desk *d = &p->desk;
  if (notes_of(d, configuration) & refused_notes(r->rounds) || d->status) return false;
  int64_t count;
  p->plan = make(d, EXECUTION_PLAN);
  if (handle) set(d, p->plan, EXECUTION_PLAN_HANDLE, HANDLE, 1, &handle);
  if (device) set_part(d, p->plan, EXECUTION_PLAN_DEVICEPROP, device);
  set_part(d, p->plan, EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  finish(d, p->plan);
  get(d, p->plan, EXECUTION_PLAN_WORKSPACE_SIZE, INT64, 1, &count, &p->workspace);
  return !d->status && p->workspace <= r->most_workspace;
}

/// The first engine of the list that `mode` gives.
static bool choose(bss_plan *p, cudnnHandle handle, void *device, void *graph, int mode,
                   const bss_plan_request *r) {
  desk *d = &p->desk;
  void *list = make(d, HEURISTICS), *engines[MOST_ENGINES];
  set_part(d, list, HEURISTICS_GRAPH, graph);
  set_number(d, list, HEURISTICS_MODE, HEUR_MODE, mode);
  if (device) set_part(d, list, HEURISTICS_DEVICEPROP, device);
  finish(d, list);
  int64_t count = 0;
  get(d, list, HEURISTICS_RESULTS, DESCRIPTOR, 0, &count, NULL);
  if (count > MOST_ENGINES) count = MOST_ENGINES;
  for (int i = 0; i < count; i++) engines[i] = make(d, ENGINE_CONFIGURATION);
  if (count > 0) get(d, list, HEURISTICS_RESULTS, DESCRIPTOR, count, &count, engines);
  const int before = d->count;
  for (int i = 0; i < count && !d->status; i++) {
    if (takes(p, handle, device, engines[i], r)) return true;
    clear(d, before);
    d->status = 0;  // an engine that is listed and does not work is passed over
  }
  return false;
}

bss_plan *bss_plan_make(cudnnHandle handle, const char *device, const bss_plan_request *request) {
  bss_plan *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  desk *d = &p->desk;
  void *card = NULL;
  if (device) {
    card = make(d, DEVICE_PROPERTIES);
    set(d, card, DEVICEPROP_JSON, CHAR_TYPE, (int64_t)strlen(device), device);
    finish(d, card);
  }
  void *operation = graph(d, handle, request);
  const int kept = d->count;
  if (!d->status) {
    if (choose(p, handle, card, operation, MODE_A, request)) return p;
    clear(d, kept);
    d->status = 0;
    if (choose(p, handle, card, operation, MODE_FALLBACK, request)) return p;
  }
  clear(d, 0);
  free(p);
  return NULL;
}

int64_t bss_plan_workspace(const bss_plan *plan) { return plan->workspace; }

int bss_plan_run(const bss_plan *plan, cudnnHandle handle, void *x, void *weight, void *y,
                 void *workspace) {
  desk d = {0};
  const int64_t names[] = {'x', 'w', 'y'};
  void *const places[] = {x, weight, y};
  void *pack = make(&d, VARIANT_PACK);
  set(&d, pack, VARIANT_PACK_UNIQUE_IDS, INT64, 3, names);
  set(&d, pack, VARIANT_PACK_DATA_POINTERS, VOID_PTR, 3, places);
  set(&d, pack, VARIANT_PACK_WORKSPACE, VOID_PTR, 1, &workspace);
  finish(&d, pack);
  if (!d.status) d.status = bss_cudnn_execute(handle, plan->plan, pack);
  clear(&d, 0);
  return d.status;
}
