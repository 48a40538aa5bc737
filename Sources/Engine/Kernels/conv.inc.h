// Convolution of one element type T; included by conv.c. Shape letters: bss_conv.h.

typedef struct {
  const bss_conv *conv;
  bss_conv_plan plan;
  const T *x, *weight, *bias, *dy;
  T *y, *dx, *dweight;
  int64_t chunks, chunk_rows;  // backward-weight: rows of dy per gradient buffer
  T *packed, *gathered;        // the weight in panels; rows of im2col from `first_row` on
  int64_t first_row, gathered_count;
  T *partial;          // chunks - 1 gradient buffers; chunk 0 writes to dweight itself
  _Atomic int failed;  // scratch memory ran out in some task
} OF(conv_job);

#include "im2col.inc.h"
#include "depthwise.inc.h"

// MARK: Forward

static void OF(forward_tile)(void *context, int64_t tile) {
  OF(conv_job) *job = context;
  const bss_conv_plan *p = &job->plan;
  const bss_conv *c = job->conv;
  int64_t row = tile * p->tile, count = bss_min(p->tile, p->rows - row),
          length = p->taps * p->group_in;
  T *col = bss_scratch((count * length + OF(run_step)) * sizeof(T));
  if (!col) {
    job->failed = 1;
    return;
  }
  T *y = job->y + row * c->out_channels;
  for (int64_t g = 0; g < c->groups; g++, y += p->group_out) {
    const T *bias = job->bias ? job->bias + g * p->group_out : NULL;
    OF(im2col)(job, row, count, g, 0, col);
    if (job->packed)
      bss_gemm_packed(DTYPE, count, p->group_out, length, col, length, job->packed, bias, y,
                      c->out_channels);
    else
      bss_gemm_bias(DTYPE, false, false, count, p->group_out, length, col, length,
                    job->weight + g * p->group_out, c->out_channels, bias, BSS_EPILOGUE_NONE, y,
                    c->out_channels);
  }
}

static int64_t OF(gathered_row)(const OF(conv_job) * job) {
  return job->plan.taps * job->plan.group_in + OF(run_step);
}

/// Rows of im2col that all threads make before one product of all threads, `gathered_row` apart:
/// what a run writes too much stays in the gap, and columns are not a multiple of 4 KiB apart.
static void OF(gather_rows)(void *context, int64_t task) {
  OF(conv_job) *job = context;
  const int64_t at = task * job->plan.tile,
                count = bss_min(job->plan.tile, job->gathered_count - at);
  OF(im2col)
  (job, job->first_row + at, count, 0, OF(run_step), job->gathered + at * OF(gathered_row)(job));
}

static int OF(gather)(OF(conv_job) * job, int64_t first, int64_t count) {
  job->first_row = first;
  job->gathered_count = count;
  return bss_pool_run(bss_ceil_div(count, job->plan.tile), OF(gather_rows), job);
}

static int OF(finish)(OF(conv_job) * job, int status) {
  if (status != BSS_OK) return status;
  // A product inside the last task may have been cut short after the pool's own check.
  if (bss_cancel_requested()) return BSS_CANCELLED;
  return job->failed ? BSS_NO_MEMORY : BSS_OK;
}

static int OF(conv_forward)(const bss_conv *c, const T *x, const T *weight, const T *bias, T *y) {
  OF(conv_job)
  job = {.conv = c, .plan = plan_of(c), .x = x, .weight = weight, .bias = bias, .y = y};
  const bss_conv_plan *p = &job.plan;
  if (p->rows == 0 || c->out_channels == 0) return BSS_OK;
  if (is_depthwise(c)) return depthwise_run_lines(c, c->out, OF(depthwise_forward_task), &job);
  if (is_pointwise(c)) {
    for (int64_t g = 0; g < c->groups; g++) {
      int status = bss_gemm_bias(DTYPE, false, false, p->rows, p->group_out, p->group_in,
                                 x + g * p->group_in, c->in_channels, weight + g * p->group_out,
                                 c->out_channels, bias ? bias + g * p->group_out : NULL,
                                 BSS_EPILOGUE_NONE, y + g * p->group_out, c->out_channels);
      if (status != BSS_OK) return status;
    }
    return BSS_OK;
  }
  const int64_t length = p->taps * p->group_in;
  int status = BSS_OK;
  if (c->groups == 1 && bss_gemm_packs()) {
    if (p->rows <=
        few_rows) {  // the weight is what counts: it is read once, in pieces for all threads
      job.gathered =
          bss_workspace(BSS_WORKSPACE_MAPS, (size_t)(p->rows * OF(gathered_row)(&job)) * sizeof(T));
      if (!job.gathered) return BSS_NO_MEMORY;
      status = OF(finish)(&job, OF(gather)(&job, 0, p->rows));
      if (status != BSS_OK) return status;
      return bss_gemm_bias(DTYPE, false, false, p->rows, c->out_channels, length, job.gathered,
                           OF(gathered_row)(&job), weight, c->out_channels, bias, BSS_EPILOGUE_NONE,
                           y, c->out_channels);
    }
    job.packed =
        bss_workspace(BSS_WORKSPACE_FILTER, bss_gemm_packed_bytes(DTYPE, c->out_channels, length));
    if (!job.packed) return BSS_NO_MEMORY;
    status =
        bss_gemm_pack(DTYPE, false, c->out_channels, length, weight, c->out_channels, job.packed);
  }
  if (status == BSS_OK)
    status = bss_pool_run(bss_ceil_div(p->rows, p->tile), OF(forward_tile), &job);
  return OF(finish)(&job, status);
}

// MARK: Gradient of the input

/// One image: products tile by tile, scattered into dx by this task alone.
static void OF(backward_data_image)(void *context, int64_t image) {
  OF(conv_job) *job = context;
  const bss_conv_plan *p = &job->plan;
  const bss_conv *c = job->conv;
  int64_t size = bss_product3(c->in) * c->in_channels, length = p->taps * p->group_in;
  memset(job->dx + image * size, 0, size * sizeof(T));
  int64_t tile = tile_rows(p->pixels, length);
  T *col = bss_scratch(bss_min(tile, p->pixels) * length * sizeof(T));
  if (!col) {
    job->failed = 1;
    return;
  }
  for (int64_t start = 0; start < p->pixels; start += tile) {
    int64_t row = image * p->pixels + start, count = bss_min(tile, p->pixels - start);
    for (int64_t g = 0; g < c->groups; g++) {
      const T *dy = job->dy + row * c->out_channels + g * p->group_out;
      if (job->packed)
        bss_gemm_packed(DTYPE, count, length, p->group_out, dy, c->out_channels, job->packed, NULL,
                        col, length);
      else
        bss_gemm(DTYPE, false, true, count, length, p->group_out, 1, dy, c->out_channels,
                 job->weight + g * p->group_out, c->out_channels, 0, col, length);
      OF(col2im)(job, row, count, g, col);
    }
  }
}

/// The image's share of a product that all threads made.
static void OF(scatter_image)(void *context, int64_t image) {
  OF(conv_job) *job = context;
  const bss_conv_plan *p = &job->plan;
  int64_t size = bss_product3(job->conv->in) * job->conv->in_channels;
  memset(job->dx + image * size, 0, size * sizeof(T));
  OF(col2im)
  (job, image * p->pixels, p->pixels, 0, job->gathered + image * p->pixels * p->taps * p->group_in);
}

/// turned[t', o, g*Cg + i] = weight[taps - 1 - t', i, g*Og + o]
static void OF(turn_weight)(const bss_conv *c, const bss_conv_plan *p, const T *weight, T *turned) {
  for (int64_t t = 0; t < p->taps; t++)
    for (int64_t g = 0; g < c->groups; g++)
      for (int64_t o = 0; o < p->group_out; o++) {
        const T *from =
            weight + (p->taps - 1 - t) * p->group_in * c->out_channels + g * p->group_out + o;
        T *to = turned + (t * p->group_out + o) * c->in_channels + g * p->group_in;
        for (int64_t i = 0; i < p->group_in; i++) to[i] = from[i * c->out_channels];
      }
}

static int OF(conv_backward_data)(const bss_conv *c, const T *weight, const T *dy, T *dx) {
  OF(conv_job) job = {.conv = c, .plan = plan_of(c), .weight = weight, .dy = dy, .dx = dx};
  const bss_conv_plan *p = &job.plan;
  size_t size = (size_t)(c->batch * bss_product3(c->in) * c->in_channels) * sizeof(T);
  if (size == 0) return BSS_OK;
  if (p->rows == 0 || c->out_channels == 0) {
    memset(dx, 0, size);
    return BSS_OK;
  }
  if (is_depthwise(c)) return depthwise_run_lines(c, c->in, OF(depthwise_backward_data_task), &job);
  if (is_pointwise(c)) {
    for (int64_t g = 0; g < c->groups; g++) {
      int status = bss_gemm(DTYPE, false, true, p->rows, p->group_in, p->group_out, 1,
                            dy + g * p->group_out, c->out_channels, weight + g * p->group_out,
                            c->out_channels, 0, dx + g * p->group_in, c->in_channels);
      if (status != BSS_OK) return status;
    }
    return BSS_OK;
  }
  const int64_t length = p->taps * p->group_in;
  if (c->groups == 1 && p->rows <= few_rows && bss_gemm_packs()) {
    job.gathered = bss_workspace(BSS_WORKSPACE_MAPS, (size_t)(p->rows * length) * sizeof(T));
    if (!job.gathered) return BSS_NO_MEMORY;
    int status = bss_gemm(DTYPE, false, true, p->rows, length, c->out_channels, 1, dy,
                          c->out_channels, weight, c->out_channels, 0, job.gathered, length);
    return status == BSS_OK ? OF(finish)(&job, bss_pool_run(c->batch, OF(scatter_image), &job))
                            : status;
  }
  if (pays_to_turn(c)) {
    T *reversed = malloc((size_t)(p->taps * p->group_in * c->out_channels) * sizeof(T));
    if (!reversed) return BSS_NO_MEMORY;
    OF(turn_weight)(c, p, weight, reversed);
    bss_conv backward = turned(c);
    int status = OF(conv_forward)(&backward, dy, reversed, NULL, dx);
    free(reversed);
    return status;
  }
  int status = BSS_OK;
  if (c->groups == 1 && bss_gemm_packs()) {
    job.packed =
        bss_workspace(BSS_WORKSPACE_FILTER, bss_gemm_packed_bytes(DTYPE, length, c->out_channels));
    if (!job.packed) return BSS_NO_MEMORY;
    status =
        bss_gemm_pack(DTYPE, true, length, c->out_channels, weight, c->out_channels, job.packed);
  }
  if (status == BSS_OK) status = bss_pool_run(c->batch, OF(backward_data_image), &job);
  return OF(finish)(&job, status);
}

// MARK: Gradient of the weight

/// dweight (+)= im2col(x)^T dy over rows [row, row_end). Of a pointwise convolution x itself is the
/// im2col.
static void OF(add_weight_gradient)(OF(conv_job) * job, int64_t row, int64_t row_end, T *dweight) {
  const bss_conv_plan *p = &job->plan;
  const bss_conv *c = job->conv;
  const bool pointwise = is_pointwise(c);
  int64_t length = p->taps * p->group_in,
          tile = pointwise ? row_end - row : tile_rows(row_end - row, length);
  T *col = pointwise ? NULL : bss_scratch((tile * length + OF(run_step)) * sizeof(T));
  if (!col && !pointwise) {
    job->failed = 1;
    return;
  }
  for (bool first = true; row < row_end; row += tile, first = false) {
    int64_t count = bss_min(tile, row_end - row);
    for (int64_t g = 0; g < c->groups; g++) {
      if (!pointwise) OF(im2col)(job, row, count, g, 0, col);
      bss_gemm(DTYPE, true, false, length, p->group_out, count, 1,
               pointwise ? job->x + row * c->in_channels + g * p->group_in : col,
               pointwise ? c->in_channels : length,
               job->dy + row * c->out_channels + g * p->group_out, c->out_channels, first ? 0 : 1,
               dweight + g * p->group_out, c->out_channels);
    }
  }
}

static void OF(weight_chunk)(void *context, int64_t chunk) {
  OF(conv_job) *job = context;
  int64_t size = job->plan.taps * job->plan.group_in * job->conv->out_channels;
  int64_t row = chunk * job->chunk_rows, row_end = bss_min(row + job->chunk_rows, job->plan.rows);
  T *dweight = chunk == 0 ? job->dweight : job->partial + (chunk - 1) * size;
  if (is_depthwise(job->conv)) {
    memset(dweight, 0, size * sizeof(T));
    OF(depthwise_backward_weight)(job, row, row_end - row, dweight);
  } else {
    OF(add_weight_gradient)(job, row, row_end, dweight);
  }
}

/// Big weights: products that all threads share, cut by pieces of the gradient.
static int OF(weight_in_pieces)(OF(conv_job) * job) {
  const bss_conv *c = job->conv;
  const int64_t rows = job->plan.rows, length = job->plan.taps * job->plan.group_in,
                most = gathered_rows(rows, length);
  job->gathered =
      bss_workspace(BSS_WORKSPACE_MAPS, (size_t)(most * OF(gathered_row)(job)) * sizeof(T));
  if (!job->gathered) return BSS_NO_MEMORY;
  int status = BSS_OK;
  for (int64_t row = 0; row < rows && status == BSS_OK; row += most) {
    const int64_t count = bss_min(most, rows - row);
    status = OF(finish)(job, OF(gather)(job, row, count));
    if (status == BSS_OK)
      status = bss_gemm(DTYPE, true, false, length, c->out_channels, count, 1, job->gathered,
                        OF(gathered_row)(job), job->dy + row * c->out_channels, c->out_channels,
                        row == 0 ? 0 : 1, job->dweight, c->out_channels);
  }
  return status;
}

#define SUM_BLOCK 16384

/// One block of the gradient, summed over the chunks in their order.
LEVELS(void, OF(sum_chunks), (void *context, int64_t block), (context, block)) {
  OF(conv_job) *job = context;
  int64_t size = job->plan.taps * job->plan.group_in * job->conv->out_channels;
  int64_t start = block * SUM_BLOCK, count = bss_min(SUM_BLOCK, size - start);
  T *to = job->dweight + start;
  for (int64_t chunk = 1; chunk < job->chunks; chunk++) {
    const T *from = job->partial + (chunk - 1) * size + start;
    for (int64_t i = 0; i < count; i++) to[i] += from[i];
  }
}

static int OF(conv_backward_weight)(const bss_conv *c, const T *x, const T *dy, T *dweight) {
  OF(conv_job) job = {.conv = c, .plan = plan_of(c), .x = x, .dy = dy, .dweight = dweight};
  const bss_conv_plan *p = &job.plan;
  int64_t size = p->taps * p->group_in * c->out_channels;
  if (size == 0) return BSS_OK;
  if (p->rows == 0) {
    memset(dweight, 0, size * sizeof(T));
    return BSS_OK;
  }
  // Tiles of a product this large keep all threads busy; smaller ones are shared out by rows below.
  if (is_pointwise(c) && c->groups == 1 && (size >= big_weight || p->rows < 1024))
    return bss_gemm(DTYPE, true, false, p->group_in, p->group_out, p->rows, 1, x, c->in_channels,
                    dy, c->out_channels, 0, dweight, c->out_channels);

  if (size >= big_weight && c->groups == 1 && bss_gemm_packs()) return OF(weight_in_pieces)(&job);

  // Chunks by shape only: at most 8, of at least 64 rows, their buffers within 16 MB.
  int64_t room = (16 << 20) / (size * (int64_t)sizeof(T)) + 1;
  job.chunks = bss_max(1, bss_min(bss_min(8, room), p->rows / 64));
  job.chunk_rows = bss_ceil_div(p->rows, job.chunks);
  job.chunks = bss_ceil_div(p->rows, job.chunk_rows);
  if (job.chunks > 1) {
    job.partial = malloc((size_t)((job.chunks - 1) * size) * sizeof(T));
    if (!job.partial) return BSS_NO_MEMORY;
  }
  int status = OF(finish)(&job, bss_pool_run(job.chunks, OF(weight_chunk), &job));
  if (status == BSS_OK && job.chunks > 1)
    status = bss_pool_run(bss_ceil_div(size, SUM_BLOCK), OF(sum_chunks), &job);
  free(job.partial);
  return status;
}
#undef SUM_BLOCK
