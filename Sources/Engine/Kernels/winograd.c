// Drivers of winograd.inc.h: blocks of tiles, threads, memory.
#include "winograd.h"
#include "element.h"
#include "table.h"
#include "workspace.h"

enum {
  positions = 16,
  most_tiles = 56,  // of a block: its patches, products and one filter stay near the core
  least_tiles = 28,
  step_padding = 48,   // positions must not lie a multiple of 4 KiB apart
  fewest_tiles = 128,  // below them transforming the filters takes what it saves
  least_work = 32768,  // tiles x channels from which it pays
  shared_gradient =
      128 * 128,  // channels in x out up to which tasks keep a filter gradient of their own
  gathered_floats = 2 << 20,  // patches and output gradients kept at a time otherwise
};

typedef struct {
  winograd_map map;
  int64_t tiles, block, blocks;
  const float *x, *weight, *bias, *dy;
  float *y, *u, *dweight;
  bool turned;
  // The gradient of the weight
  int64_t first, count;  // tiles gathered now
  float *v, *m, *du;
  int64_t parts, part_tiles;
  _Atomic int failed;  // scratch memory ran out in some task
} winograd_job;

static winograd_map map_of(const bss_conv *c) {
  return (winograd_map){.in_channels = c->in_channels,
                        .out_channels = c->out_channels,
                        .in_h = c->in[1],
                        .in_w = c->in[2],
                        .out_h = c->out[1],
                        .out_w = c->out[2],
                        .pad_h = c->pad[1],
                        .pad_w = c->pad[2],
                        .tiles_h = bss_ceil_div(c->out[1], 2),
                        .tiles_w = bss_ceil_div(c->out[2], 2)};
}

static winograd_job job_of(const bss_conv *c) {
  winograd_job j = {.map = map_of(c)};
  j.tiles = c->batch * j.map.tiles_h * j.map.tiles_w;
  // Eight blocks for the threads to share while they are not too small.
  const int64_t eighth = bss_ceil_div(bss_ceil_div(j.tiles, 8), 14) * 14;
  j.block = bss_min(most_tiles, bss_max(least_tiles, eighth));
  j.blocks = bss_ceil_div(j.tiles, j.block);
  return j;
}

bool bss_winograd_serves(const bss_conv *c) {
  if (c->groups != 1 || c->in_channels % 16 != 0 || c->out_channels % 16 != 0 || c->in[0] != 1)
    return false;
  for (int i = 0; i < 3; i++)
    if (c->kernel[i] != (i == 0 ? 1 : 3) || c->stride[i] != 1 || c->dilation[i] != 1 ||
        c->pad[i] < 0)
      return false;
  if (c->in_channels == 0 || c->out_channels == 0 || c->pad[0] != 0) return false;
  const int64_t tiles = job_of(c).tiles;
  return tiles >= fewest_tiles && tiles * c->in_channels >= least_work;
}

static int finish(winograd_job *job, int status) {
  if (status != BSS_OK) return status;
  return job->failed ? BSS_NO_MEMORY : BSS_OK;
}

static void filter_task(void *context, int64_t block) {
  winograd_job *j = context;
  const int64_t in = j->map.in_channels, out = j->map.out_channels;
  // Turned: the map's input channels are the weight's outputs.
  if (j->turned)
    bss_loops->winograd_turned_filter(j->weight, out, in, block, j->u, in * out + step_padding);
  else bss_loops->winograd_filter(j->weight, in, out, block, j->u, in * out + step_padding);
}

static void forward_task(void *context, int64_t block) {
  winograd_job *j = context;
  const winograd_map *map = &j->map;
  const int64_t in = map->in_channels, out = map->out_channels, first = block * j->block;
  const int64_t count = bss_min(j->block, j->tiles - first),
                v_step = count * (in + winograd_gap) + step_padding,
                m_step = count * out + step_padding;
  float *v = bss_scratch((size_t)(positions * (v_step + m_step)) * sizeof(float)),
        *m = v + positions * v_step;
  if (!v) {
    j->failed = 1;
    return;
  }
  _Alignas(64) char work[gemm_work_bytes];
  bss_loops->winograd_patches(map, j->x, first, count, v, v_step);
  for (int64_t p = 0; p < positions; p++) {
    const float *u = j->u + p * (in * out + step_padding);
    gemm_problem g = {.m = count,
                      .n = out,
                      .k = in,
                      .a = v + p * v_step,
                      .a_row = in + winograd_gap,
                      .a_column = 1,
                      .b = u,
                      .b_row = out,
                      .b_column = 1,
                      .c = m + p * m_step,
                      .ldc = out,
                      .alpha = 1,
                      .packed = u};
    bss_loops->gemm_f32(&g, work);
  }
  bss_loops->winograd_outputs(map, m, m_step, j->bias, first, count, j->y);
}

static int convolve(winograd_job *j) {
  const int64_t in = j->map.in_channels, out = j->map.out_channels;
  // Panels of 32 may reach past the last column: their lanes are read, never used.
  j->u = bss_workspace(BSS_WORKSPACE_FILTER,
                       (size_t)(positions * (in * out + step_padding) + 32 * in) * sizeof(float));
  if (!j->u) return BSS_NO_MEMORY;
  int status = bss_pool_run((j->turned ? out : in) / 16, filter_task, j);
  if (status == BSS_OK) status = bss_pool_run(j->blocks, forward_task, j);
  return finish(j, status);
}

int bss_winograd_forward(const bss_conv *c, const float *x, const float *weight, const float *bias,
                         float *y) {
  winograd_job j = job_of(c);
  j.x = x;
  j.weight = weight;
  j.bias = bias;
  j.y = y;
  return convolve(&j);
}

/// The convolution that takes dy to dx: channels and sizes change places, the filter turns round.
int bss_winograd_backward_data(const bss_conv *c, const float *weight, const float *dy, float *dx) {
  bss_conv back = *c;
  back.in_channels = c->out_channels;
  back.out_channels = c->in_channels;
  for (int i = 1; i < 3; i++) {
    back.in[i] = c->out[i];
    back.out[i] = c->in[i];
    back.pad[i] = 2 - c->pad[i];
  }
  winograd_job j = job_of(&back);
  j.x = dy;
  j.weight = weight;
  j.y = dx;
  j.turned = true;
  return convolve(&j);
}

// MARK: Gradient of the weight

/// dU (+)= V' dM for one position.
static void add_position(const winograd_job *j, int64_t count, const float *v, const float *m,
                         float *du, bool first) {
  _Alignas(64) char work[gemm_work_bytes];
  const int64_t in = j->map.in_channels, out = j->map.out_channels;
  gemm_problem g = {.m = in,
                    .n = out,
                    .k = count,
                    .a = v,
                    .a_row = 1,
                    .a_column = in + winograd_gap,
                    .b = m,
                    .b_row = out,
                    .b_column = 1,
                    .c = du,
                    .ldc = out,
                    .alpha = 1,
                    .beta = first ? 0 : 1};
  bss_loops->gemm_f32(&g, work);
}

/// Few channels: a task walks over its share of the tiles with a gradient of its own.
static void share_task(void *context, int64_t part) {
  winograd_job *j = context;
  const int64_t in = j->map.in_channels, out = j->map.out_channels, begin = part * j->part_tiles;
  const int64_t end = bss_min(begin + j->part_tiles, j->tiles),
                v_step = most_tiles * (in + winograd_gap) + step_padding;
  const int64_t m_step = most_tiles * out + step_padding;
  float *v = bss_scratch((size_t)(positions * (v_step + m_step)) * sizeof(float)),
        *m = v + positions * v_step;
  if (!v) {
    j->failed = 1;
    return;
  }
  float *du = j->du + part * positions * in * out;
  for (int64_t first = begin; first < end && !bss_cancel_requested(); first += most_tiles) {
    const int64_t count = bss_min(most_tiles, end - first);
    bss_loops->winograd_patches(&j->map, j->x, first, count, v, v_step);
    bss_loops->winograd_output_gradients(&j->map, j->dy, first, count, m, m_step);
    for (int64_t p = 0; p < positions; p++)
      add_position(j, count, v + p * v_step, m + p * m_step, du + p * in * out, first == begin);
  }
}

enum { gather_tiles = 16 };

static void gather_task(void *context, int64_t task) {
  winograd_job *j = context;
  const int64_t in = j->map.in_channels, out = j->map.out_channels, at = task * gather_tiles;
  const int64_t count = bss_min(gather_tiles, j->count - at);
  bss_loops->winograd_patches(&j->map, j->x, j->first + at, count, j->v + at * (in + winograd_gap),
                              j->count * (in + winograd_gap) + step_padding);
  bss_loops->winograd_output_gradients(&j->map, j->dy, j->first + at, count, j->m + at * out,
                                       j->count * out + step_padding);
}

static void position_task(void *context, int64_t p) {
  winograd_job *j = context;
  const int64_t in = j->map.in_channels, out = j->map.out_channels;
  add_position(j, j->count, j->v + p * (j->count * (in + winograd_gap) + step_padding),
               j->m + p * (j->count * out + step_padding), j->du + p * in * out, j->first == 0);
}

static void gradient_task(void *context, int64_t c) {
  winograd_job *j = context;
  const int64_t in = j->map.in_channels, out = j->map.out_channels;
  bss_loops->winograd_filter_gradient(j->du, j->parts, positions * in * out, in, out, c,
                                      j->dweight);
}

int bss_winograd_backward_weight(const bss_conv *c, const float *x, const float *dy,
                                 float *dweight) {
  winograd_job j = job_of(c);
  const int64_t in = j.map.in_channels, out = j.map.out_channels;
  j.x = x;
  j.dy = dy;
  j.dweight = dweight;
  const bool shared = in * out <= shared_gradient;
  j.parts = shared ? bss_min(8, bss_ceil_div(j.tiles, most_tiles)) : 1;
  j.part_tiles = bss_ceil_div(bss_ceil_div(j.tiles, j.parts), most_tiles) * most_tiles;
  j.parts = shared ? bss_ceil_div(j.tiles, j.part_tiles) : 1;
  j.du =
      bss_workspace(BSS_WORKSPACE_FILTER, (size_t)(j.parts * positions * in * out) * sizeof(float));
  if (!j.du) return BSS_NO_MEMORY;
  int status = BSS_OK;
  if (shared) {
    status = bss_pool_run(j.parts, share_task, &j);
  } else {
    const int64_t gathered =
        bss_min(j.tiles, bss_max(64, gathered_floats / (positions * (in + out))));
    j.v = bss_workspace(
        BSS_WORKSPACE_MAPS,
        (size_t)(positions * (gathered * (in + winograd_gap + out) + 2 * step_padding)) *
            sizeof(float));
    if (!j.v) return BSS_NO_MEMORY;
    for (j.first = 0; j.first < j.tiles && status == BSS_OK; j.first += gathered) {
      j.count = bss_min(gathered, j.tiles - j.first);
      j.m = j.v + positions * (j.count * (in + winograd_gap) + step_padding);
      status = bss_pool_run(bss_ceil_div(j.count, gather_tiles), gather_task, &j);
      if (status == BSS_OK) status = bss_pool_run(positions, position_task, &j);
    }
  }
  if (status == BSS_OK) status = bss_run_items(in, 16 * out * j.parts, gradient_task, &j);
  return finish(&j, status);
}
