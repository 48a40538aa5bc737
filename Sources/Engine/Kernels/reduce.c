// Reductions over any axes.
//
// The axes are split into kept and reduced ones, neighbours merged. What is contiguous decides the
// way:
//   rows     the innermost reduced axis is contiguous: each output folds runs of it;
//   columns  the innermost kept axis is contiguous: whole rows are folded into a block of outputs;
//   neither  x is copied into [kept, reduced] order first, then rows.
// A run is one innermost reduced stretch, cut at a fixed length. With few outputs and much to
// reduce the runs are dealt to a number of groups that depends on the shape only; partial results
// are combined in group order.
#include "bss_reduce.h"
#include "bss_elementwise.h"
#include "element.h"
#include "table.h"
#include "walk.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  column_block = 1024,
  run_length = 32768,
  run_rows = 1024,
  task_work = 32768,
  most_groups = 32
};

typedef struct {
  int rank;
  int64_t shape[BSS_MAX_RANK], stride[BSS_MAX_RANK], count;
} axes;

typedef struct {
  bss_reduce_op op;
  bss_dtype dtype;
  bool columns, is_float, is_arg;
  const char *data;
  int64_t size;
  axes kept,
      reduced;  // `kept` without its innermost axis when `columns`; `reduced` without its innermost
  int64_t width;                                // columns: length of the innermost kept axis
  int64_t inner, inner_stride;                  // length and stride of the innermost reduced axis
  int64_t segment, segments, runs;              // runs = reduced.count * segments
  int64_t groups, units, units_a_task, blocks;  // blocks of columns
  struct state *partial;                        // [groups][units], NULL when groups == 1
  const bss_view *out;
} plan;

typedef struct state {
  int64_t count;  // outputs of the unit
  double f[column_block];
  int64_t i[column_block], position[column_block];
} state;

static void add_axis(axes *a, int64_t shape, int64_t stride) {
  a->count *= shape;
  if (shape == 1) return;
  int last = a->rank - 1;
  if (last >= 0 && a->stride[last] == stride * shape) {
    a->shape[last] *= shape;
    a->stride[last] = stride;
  } else {
    a->shape[a->rank] = shape;
    a->stride[a->rank++] = stride;
  }
}

static int64_t offset(const axes *a, int64_t index) {
  int64_t o = 0;
  for (int i = a->rank - 1; i >= 0; i--) {
    o += index % a->shape[i] * a->stride[i];
    index /= a->shape[i];
  }
  return o;
}

// MARK: states

static void start(const plan *p, state *s) {
  double f = 0;
  int64_t i = 0;
  switch (p->op) {
  case BSS_PROD:
    f = 1;
    i = 1;
    break;
  case BSS_MAX:
  case BSS_ARGMAX:
    f = -INFINITY;
    i = INT64_MIN;
    break;
  case BSS_MIN:
  case BSS_ARGMIN:
    f = INFINITY;
    i = INT64_MAX;
    break;
  case BSS_ALL: i = 1; break;
  default: break;
  }
  for (int64_t j = 0; j < s->count; j++) {
    s->f[j] = f;
    s->i[j] = i;
    s->position[j] = -1;
  }
}

static bool takes_over(const plan *p, double old, double new) {
  if (old != old) return false;
  return new != new || (p->op == BSS_ARGMAX ? new > old : new < old);
}

static inline int64_t fold_i64(bss_reduce_op op, int64_t a, int64_t v) {
  switch (op) {
  case BSS_PROD: return (int64_t)((uint64_t)a * (uint64_t)v);
  case BSS_MAX:
  case BSS_ANY: return v > a ? v : a;
  case BSS_MIN:
  case BSS_ALL: return v < a ? v : a;
  default: return (int64_t)((uint64_t)a + (uint64_t)v);
  }
}

static inline double fold_f64(bss_reduce_op op, double a, double v) {
  switch (op) {
  case BSS_PROD: return a * v;
  case BSS_MAX: return v > a || v != v ? v : a;
  case BSS_MIN: return v < a || v != v ? v : a;
  default: return a + v;
  }
}

/// One candidate for output j.
static inline void offer(const plan *p, state *s, int64_t j, double f, int64_t i,
                         int64_t position) {
  bool better = s->position[j] < 0 || (p->is_float           ? takes_over(p, s->f[j], f)
                                       : p->op == BSS_ARGMAX ? i > s->i[j]
                                                             : i < s->i[j]);
  if (!better) return;
  s->f[j] = f;
  s->i[j] = i;
  s->position[j] = position;
}

static void combine(const plan *p, state *into, const state *from) {
  for (int64_t j = 0; j < into->count; j++) {
    if (p->is_arg) {
      if (from->position[j] >= 0) offer(p, into, j, from->f[j], from->i[j], from->position[j]);
    } else if (p->is_float) {
      into->f[j] = fold_f64(p->op, into->f[j], from->f[j]);
    } else {
      into->i[j] = fold_i64(p->op, into->i[j], from->i[j]);
    }
  }
}

static void store(const plan *p, const state *s, int64_t first) {
  const bss_view *out = p->out;
  for (int64_t j = 0; j < s->count; j++) {
    int64_t i = first + j;
    switch (out->dtype) {
    case BSS_F32: ((float *)out->data)[i] = (float)s->f[j]; break;
    case BSS_F64: ((double *)out->data)[i] = s->f[j]; break;
    case BSS_I64: ((int64_t *)out->data)[i] = p->is_arg ? s->position[j] : s->i[j]; break;
    case BSS_BOOL: ((uint8_t *)out->data)[i] = s->i[j] != 0; break;
    default: break;  // halves are reduced as f32
    }
  }
}

// MARK: folding

static int64_t load_i64(const plan *p, const char *x, int64_t i) {
  return p->dtype == BSS_BOOL ? ((const uint8_t *)x)[i] : ((const int64_t *)x)[i];
}
static double load_f64(const plan *p, const char *x, int64_t i) {
  return p->dtype == BSS_F32 ? ((const float *)x)[i] : ((const double *)x)[i];
}

static void fold_run(const plan *p, state *s, const char *x, int64_t n, int64_t position) {
  if (!p->is_float) {
    if (p->is_arg)
      for (int64_t i = 0; i < n; i++) offer(p, s, 0, 0, load_i64(p, x, i), position + i);
    else
      for (int64_t i = 0; i < n; i++) s->i[0] = fold_i64(p->op, s->i[0], load_i64(p, x, i));
    return;
  }
  double v = p->dtype == BSS_F32 ? bss_loops->reduce_run_f32(p->op, (const float *)x, n)
                                 : bss_loops->reduce_run_f64(p->op, (const double *)x, n);
  if (!p->is_arg) {
    s->f[0] = fold_f64(p->op, s->f[0], v);
  } else if (n > 0 && (s->position[0] < 0 || takes_over(p, s->f[0], v))) {
    int64_t i = 0;
    for (; i < n - 1; i++) {
      double e = load_f64(p, x, i);
      if (e == v || (v != v && e != e)) break;
    }
    offer(p, s, 0, v, 0, position + i);
  }
}

static void fold_columns(const plan *p, state *s, const char *x, int64_t rows, int64_t position) {
  if (p->is_float && !p->is_arg) {
    if (p->dtype == BSS_F32)
      bss_loops->reduce_columns_f32(p->op, (const float *)x, rows, p->inner_stride, s->count, s->f);
    else
      bss_loops->reduce_columns_f64(p->op, (const double *)x, rows, p->inner_stride, s->count,
                                    s->f);
    return;
  }
  for (int64_t r = 0; r < rows; r++, x += p->inner_stride * p->size) {
    if (p->is_arg && p->is_float)
      for (int64_t j = 0; j < s->count; j++) offer(p, s, j, load_f64(p, x, j), 0, position + r);
    else if (p->is_arg)
      for (int64_t j = 0; j < s->count; j++) offer(p, s, j, 0, load_i64(p, x, j), position + r);
    else
      for (int64_t j = 0; j < s->count; j++) s->i[j] = fold_i64(p->op, s->i[j], load_i64(p, x, j));
  }
}

// MARK: tasks

/// Index of a unit's first output; its data offset in elements; its number of outputs.
static int64_t locate(const plan *p, int64_t unit, int64_t *at, int64_t *count) {
  if (!p->columns) {
    *at = offset(&p->kept, unit);
    *count = 1;
    return unit;
  }
  int64_t block = unit % p->blocks * column_block;
  *at = offset(&p->kept, unit / p->blocks) + block;
  *count = bss_min(p->width - block, column_block);
  return unit / p->blocks * p->width + block;
}

static void reduce_unit(const plan *p, int64_t unit, int64_t group, state *s) {
  int64_t at;
  locate(p, unit, &at, &s->count);
  start(p, s);
  int64_t first = p->runs * group / p->groups, last = p->runs * (group + 1) / p->groups;
  for (int64_t run = first; run < last; run++) {
    int64_t outer = run / p->segments, from = run % p->segments * p->segment;
    int64_t length = bss_min(p->inner - from, p->segment), position = outer * p->inner + from;
    const char *x = p->data + (at + offset(&p->reduced, outer) + from * p->inner_stride) * p->size;
    if (p->columns) fold_columns(p, s, x, length, position);
    else fold_run(p, s, x, length, position);
  }
}

static void reduce_task(void *context, int64_t task) {
  const plan *p = context;
  if (p->groups > 1) {
    reduce_unit(p, task / p->groups, task % p->groups, &p->partial[task]);
    return;
  }
  state s;
  int64_t end = bss_min((task + 1) * p->units_a_task, p->units), at, count;
  for (int64_t unit = task * p->units_a_task; unit < end; unit++) {
    reduce_unit(p, unit, 0, &s);
    store(p, &s, locate(p, unit, &at, &count));
  }
}

static int run_plan(plan *p) {
  p->units = p->kept.count * p->blocks;
  int64_t work = p->inner * p->reduced.count *
                 (p->columns ? bss_min(p->width, column_block) : 1);  // of a unit
  p->units_a_task = work >= task_work ? 1 : task_work / (work > 0 ? work : 1);
  int64_t tasks = (p->units + p->units_a_task - 1) / p->units_a_task;
  p->groups = tasks >= 16 || work < 2 * task_work ? 1 : bss_min(p->runs, most_groups);
  if (p->groups <= 1) {
    p->groups = 1;
    return bss_pool_run(tasks, reduce_task, p);
  }
  p->partial = malloc((size_t)(p->units * p->groups) * sizeof(state));
  if (!p->partial) {  // slower, same meaning
    p->groups = 1;
    return bss_pool_run(tasks, reduce_task, p);
  }
  int status = bss_pool_run(p->units * p->groups, reduce_task, p);
  for (int64_t unit = 0; unit < p->units && status == BSS_OK; unit++) {
    state *total = &p->partial[unit * p->groups];
    for (int64_t g = 1; g < p->groups; g++) combine(p, total, total + g);
    int64_t at, count;
    store(p, total, locate(p, unit, &at, &count));
  }
  free(p->partial);
  return status;
}

int bss_reduce(bss_reduce_op op, const bss_view *x, uint32_t axes_mask, const bss_view *out) {
  plan p = {.op = op,
            .dtype = x->dtype,
            .data = x->data,
            .size = dtype_size(x->dtype),
            .out = out,
            .blocks = 1};
  p.is_float = x->dtype == BSS_F32 || x->dtype == BSS_F64;
  p.is_arg = op == BSS_ARGMAX || op == BSS_ARGMIN;
  p.kept.count = p.reduced.count = 1;
  for (int i = 0; i < x->rank; i++)
    add_axis(axes_mask >> i & 1 ? &p.reduced : &p.kept, x->shape[i], x->stride[i]);
  if (p.kept.count == 0) return BSS_OK;
  axes *r = &p.reduced, *k = &p.kept;
  if (r->rank == 0) {
    r->rank = 1;
    r->shape[0] = r->count;  // 1, or 0: nothing to fold
    r->stride[0] = 1;
  }
  const bool by_rows = r->stride[r->rank - 1] == 1 && !(k->rank > 0 && r->count == 1);
  p.columns = !by_rows && k->rank > 0 && k->stride[k->rank - 1] == 1 && r->count > 0;
  if (!by_rows && !p.columns && r->count > 1) {
    bss_view from = {.data = x->data, .rank = k->rank + r->rank, .dtype = x->dtype}, to;
    for (int i = 0; i < k->rank; i++) {
      from.shape[i] = k->shape[i];
      from.stride[i] = k->stride[i];
    }
    for (int i = 0; i < r->rank; i++) {
      from.shape[k->rank + i] = r->shape[i];
      from.stride[k->rank + i] = r->stride[i];
    }
    to = from;
    int64_t step = 1;
    for (int i = to.rank - 1; i >= 0; i--) {
      to.stride[i] = step;
      step *= to.shape[i];
    }
    to.data = malloc((size_t)(step * p.size));
    if (!to.data) abort();  // out of memory ends the process everywhere in the engine
    int status = bss_copy(&from, &to);
    if (status == BSS_OK) status = bss_reduce(op, &to, ~0u << k->rank, out);
    free(to.data);
    return status;
  }
  p.inner = r->shape[r->rank - 1];
  p.inner_stride = r->stride[r->rank - 1];
  r->rank--;
  r->count = 1;
  for (int i = 0; i < r->rank; i++) r->count *= r->shape[i];
  if (p.columns) {
    p.width = k->shape[--k->rank];
    k->count /= p.width;
    p.blocks = (p.width + column_block - 1) / column_block;
  }
  p.segment = p.columns ? run_rows : run_length;
  p.segments = (p.inner + p.segment - 1) / p.segment;
  p.runs = r->count * p.segments;
  return run_plan(&p);
}
