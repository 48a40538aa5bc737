// Indexing: bss_index.h says what. Copies work on element sizes, sums on types.
#include "bss_index.h"
#include "bss_half.h"
#include "element.h"
#include <math.h>

int bss_index_check(const int64_t *indices, int64_t count, int64_t limit, int64_t *position) {
  *position = -1;
  for (int64_t i = 0; i < count && *position < 0; i++)
    if (indices[i] < 0 || indices[i] >= limit) *position = i;
  return BSS_OK;
}

// MARK: Selection along an axis

typedef struct {
  int64_t axis, count, per_task, tasks_per_outer;
  const char *x;
  const int64_t *indices;
  char *y;
  size_t run;  // bytes of one inner run
} select_job;

enum { rows_ahead = 6 };

static void select_task(void *context, int64_t task) {
  const select_job *job = context;
  int64_t outer = task / job->tasks_per_outer, start = task % job->tasks_per_outer * job->per_task;
  int64_t end = bss_min(start + job->per_task, job->count);
  const char *x = job->x + outer * job->axis * job->run;
  char *y = job->y + (outer * job->count + start) * job->run;
  switch (job->run) {
  case 4:
    for (int64_t i = start; i < end; i++, y += 4) memcpy(y, x + job->indices[i] * 4, 4);
    break;
  case 8:
    for (int64_t i = start; i < end; i++, y += 8) memcpy(y, x + job->indices[i] * 8, 8);
    break;
  default:
    for (int64_t i = start; i < end; i++, y += job->run) {
      // Rows chosen at random are not foreseen by the processor: asked for some rows ahead, they
      // arrive in time.
      if (i + rows_ahead < end)
        for (size_t at = 0; at < job->run && at < 1024; at += 64)
          __builtin_prefetch(x + job->indices[i + rows_ahead] * job->run + at);
      memcpy(y, x + job->indices[i] * job->run, job->run);
    }
  }
}

static int select_runs(int64_t outer, int64_t axis, size_t run, const void *x,
                       const int64_t *indices, int64_t count, void *y) {
  if (outer * count * (int64_t)run == 0) return BSS_OK;
  select_job job = {.axis = axis, .count = count, .x = x, .indices = indices, .y = y, .run = run};
  int64_t visits = bss_ceil_div((int64_t)run, 4);
  job.per_task = bss_items_per_task(count, visits);
  job.tasks_per_outer = bss_ceil_div(count, job.per_task);
  if (job.tasks_per_outer > 1) return bss_pool_run(outer * job.tasks_per_outer, select_task, &job);
  return bss_run_items(outer, count * visits, select_task, &job);
}

int bss_index_select(bss_dtype dtype, int64_t outer, int64_t axis, int64_t inner, const void *x,
                     const int64_t *indices, int64_t count, void *y) {
  return select_runs(outer, axis, (size_t)inner * bss_size(dtype), x, indices, count, y);
}

int bss_gather_rows(const bss_row_part *parts, int64_t parts_count, const int64_t *rows,
                    int64_t count) {
  int status = BSS_OK;
  for (int64_t i = 0; i < parts_count && status == BSS_OK; i++)
    status = select_runs(1, 0, (size_t)parts[i].run, parts[i].x, rows, count, parts[i].out);
  return status;
}

// MARK: Typed kernels

typedef struct {
  int64_t axis, inner, count, skip, rows_per_task, tasks_per_outer;
  const int64_t *indices;
  const void *source;
  void *x;
  double alpha;
} add_job;

typedef struct {
  const void *x;
  void *y;
  int64_t axis, inner;
  bool reverse;
} scan_job;

typedef struct {
  const bss_view *y, *index, *source;
  int32_t axis;
  int64_t others[BSS_MAX_RANK];  // the index's shape without the axis: one task item a combination
  int32_t axes[BSS_MAX_RANK], rank;
} walk_job;

static walk_job walk_of(const bss_view *index, int32_t axis) {
  walk_job job = {.index = index, .axis = axis};
  for (int32_t d = 0; d < index->rank; d++)
    if (d != axis) {
      job.axes[job.rank] = d;
      job.others[job.rank++] = index->shape[d];
    }
  return job;
}

static int64_t walk_items(const walk_job *job) {
  int64_t items = 1;
  for (int32_t d = 0; d < job->rank; d++) items *= job->others[d];
  return items;
}

/// Element offset of combination `item` in a view, at position 0 of the axis.
static int64_t walk_offset(const walk_job *job, const bss_view *view, int64_t item) {
  int64_t offset = 0;
  for (int32_t d = job->rank - 1; d >= 0; d--) {
    offset += item % job->others[d] * view->stride[job->axes[d]];
    item /= job->others[d];
  }
  return offset;
}

#define T float
#define WIDE double
#define OF(name) name##_f32
#include "index.inc.h"
#undef T
#undef WIDE
#undef OF
#define T double
#define WIDE double
#define OF(name) name##_f64
#include "index.inc.h"
#undef T
#undef WIDE
#undef OF
#define T int64_t
#define WIDE int64_t
#define OF(name) name##_i64
#include "index.inc.h"

#define BY_TYPE(dtype, name) \
  ((dtype) == BSS_F32 ? name##_f32 : (dtype) == BSS_F64 ? name##_f64 : name##_i64)

int bss_index_add(bss_dtype dtype, int64_t outer, int64_t axis, int64_t inner, void *x,
                  const int64_t *indices, int64_t count, const void *source, double alpha,
                  int64_t skip) {
  if (outer * count * inner == 0) return BSS_OK;
  add_job job = {.axis = axis,
                 .inner = inner,
                 .count = count,
                 .skip = skip,
                 .indices = indices,
                 .source = source,
                 .x = x,
                 .alpha = alpha};
  // A task owns a range of target rows and reads the whole index list: no two tasks meet, and the
  // order stays.
  job.tasks_per_outer = bss_min(bss_min(16, axis), bss_max(1, count * inner / BSS_PARALLEL_GRAIN));
  job.rows_per_task = bss_ceil_div(axis, job.tasks_per_outer);
  if (job.tasks_per_outer > 1)
    return bss_pool_run(outer * job.tasks_per_outer, BY_TYPE(dtype, index_add_task), &job);
  return bss_run_items(outer, count * inner, BY_TYPE(dtype, index_add_task), &job);
}

// MARK: Gather, once per element size

#define BSS_GATHER(name, type)                                                                     \
  static void name(void *context, int64_t item) {                                                  \
    const walk_job *job = context;                                                                 \
    int32_t a = job->axis;                                                                         \
    const type *x = (const type *)job->source->data + walk_offset(job, job->source, item);         \
    const int64_t *index = (const int64_t *)job->index->data + walk_offset(job, job->index, item); \
    type *y = (type *)job->y->data + walk_offset(job, job->y, item);                               \
    for (int64_t i = 0; i < job->index->shape[a]; i++)                                             \
      y[i * job->y->stride[a]] = x[index[i * job->index->stride[a]] * job->source->stride[a]];     \
  }
BSS_GATHER(gather_1, uint8_t)
BSS_GATHER(gather_2, uint16_t)
BSS_GATHER(gather_4, uint32_t)
BSS_GATHER(gather_8, uint64_t)

int bss_gather(const bss_view *x, const bss_view *index, int32_t axis, const bss_view *y) {
  walk_job job = walk_of(index, axis);
  job.y = y;
  job.source = x;
  bss_task task;
  switch (bss_size(x->dtype)) {
  case 1: task = gather_1; break;
  case 2: task = gather_2; break;
  case 4: task = gather_4; break;
  default: task = gather_8; break;
  }
  return bss_run_items(walk_items(&job), index->shape[axis], task, &job);
}

int bss_scatter_add(const bss_view *y, const bss_view *index, int32_t axis,
                    const bss_view *source) {
  walk_job job = walk_of(index, axis);
  job.y = y;
  job.source = source;
  return bss_run_items(walk_items(&job), index->shape[axis], BY_TYPE(y->dtype, scatter_add_item),
                       &job);
}

int bss_one_hot(bss_dtype dtype, const int64_t *indices, int64_t count, int64_t classes, void *y) {
  memset(y, 0, (size_t)(count * classes) * bss_size(dtype));
  for (int64_t i = 0; i < count; i++) {
    int64_t at = i * classes + indices[i];
    switch (dtype) {
    case BSS_F32: ((float *)y)[at] = 1; break;
    case BSS_F64: ((double *)y)[at] = 1; break;
    case BSS_I64: ((int64_t *)y)[at] = 1; break;
    case BSS_BOOL: ((uint8_t *)y)[at] = 1; break;
    case BSS_F16: ((uint16_t *)y)[at] = bss_f16_of_float(1); break;
    case BSS_BF16: ((uint16_t *)y)[at] = bss_bf16_of_float(1); break;
    }
  }
  return BSS_OK;
}

int bss_cumulative_sum(bss_dtype dtype, int64_t outer, int64_t axis, int64_t inner, bool reverse,
                       const void *x, void *y) {
  if (outer * axis * inner == 0) return BSS_OK;
  scan_job job = {.x = x, .y = y, .axis = axis, .inner = inner, .reverse = reverse};
  return bss_run_items(outer, axis * inner, BY_TYPE(dtype, scan_item), &job);
}

// MARK: Padding

typedef struct {
  int32_t rank;
  const int64_t *in, *out, *before;
  size_t size;
  uint8_t value[8];
  const char *x;
  char *y;
} pad_job;

static void fill_bytes(const pad_job *job, char *to, int64_t count) {
  switch (job->size) {
  case 1: memset(to, job->value[0], (size_t)count); break;
  case 2:
    for (int64_t i = 0; i < count; i++) memcpy(to + 2 * i, job->value, 2);
    break;
  case 4:
    for (int64_t i = 0; i < count; i++) memcpy(to + 4 * i, job->value, 4);
    break;
  default:
    for (int64_t i = 0; i < count; i++) memcpy(to + 8 * i, job->value, 8);
  }
}

/// One row of the output along the last axis.
static void pad_row(void *context, int64_t row) {
  const pad_job *job = context;
  int32_t last = job->rank - 1;
  int64_t width = job->out[last], source = 0, scale = 1, rest = row;
  char *y = job->y + row * width * (int64_t)job->size;
  for (int32_t d = last - 1; d >= 0; d--) {
    int64_t at = rest % job->out[d] - job->before[d];
    rest /= job->out[d];
    if (at < 0 || at >= job->in[d]) {
      fill_bytes(job, y, width);
      return;
    }
    source += at * scale;
    scale *= job->in[d];
  }
  int64_t first = bss_min(bss_max(job->before[last], 0), width);
  int64_t end = bss_max(first, bss_min(job->before[last] + job->in[last], width));
  fill_bytes(job, y, first);
  memcpy(y + first * (int64_t)job->size,
         job->x + (source * job->in[last] + first - job->before[last]) * (int64_t)job->size,
         (size_t)(end - first) * job->size);
  fill_bytes(job, y + end * (int64_t)job->size, width - end);
}

int bss_pad_constant(bss_dtype dtype, int32_t rank, const int64_t *in_shape,
                     const int64_t *out_shape, const int64_t *before, double value, const void *x,
                     void *y) {
  pad_job job = {.rank = rank,
                 .in = in_shape,
                 .out = out_shape,
                 .before = before,
                 .size = bss_size(dtype),
                 .x = x,
                 .y = y};
  float f32 = (float)value;
  uint16_t f16 = bss_f16_of_float(f32), bf16 = bss_bf16_of_float(f32);
  int64_t i64 = (int64_t)value, rows = 1;
  switch (dtype) {
  case BSS_F32: memcpy(job.value, &f32, 4); break;
  case BSS_F64: memcpy(job.value, &value, 8); break;
  case BSS_I64: memcpy(job.value, &i64, 8); break;
  case BSS_BOOL: job.value[0] = value != 0; break;
  case BSS_F16: memcpy(job.value, &f16, 2); break;
  case BSS_BF16: memcpy(job.value, &bf16, 2); break;
  }
  for (int32_t d = 0; d < rank - 1; d++) rows *= out_shape[d];
  if (rank == 0) {
    memcpy(y, x, job.size);
    return BSS_OK;
  }
  if (rows == 0 || out_shape[rank - 1] == 0) return BSS_OK;
  return bss_run_items(rows, out_shape[rank - 1], pad_row, &job);
}
