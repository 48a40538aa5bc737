// Attention between its matrix products: rows are dealt to tasks of a fixed number of elements.
#include "bss_attention.h"
#include "element.h"
#include "level.h"
#include "table.h"

#define T float
#define OF(name) name##_f32
#include "attention.inc.h"
#undef T
#undef OF
#define T double
#define OF(name) name##_f64
#include "attention.inc.h"
#undef T
#undef OF

enum { task_elements = 16384 };

typedef struct {
  bss_dtype dtype;
  char *scores;
  const char *keys, *p, *dropped;
  bool causal;
  int64_t rows, columns, heads, length, rows_a_task;
} attention_context;

static int run(attention_context *c, bss_task task) {
  if (c->rows == 0 || c->columns == 0) return BSS_OK;
  c->rows_a_task = bss_max(1, task_elements / c->columns);
  return bss_pool_run_light(bss_ceil_div(c->rows, c->rows_a_task), task, c);
}

static void masked_task(void *context, int64_t task) {
  const attention_context *c = context;
  const int64_t first = task * c->rows_a_task, rows = bss_min(c->rows_a_task, c->rows - first),
                size = (int64_t)bss_size(c->dtype);
  char *scores = c->scores + first * c->columns * size;
  if (c->keys || c->causal) {
    for (int64_t r = 0; r < rows; r++) {
      const int64_t row = first + r, query = row % c->length, sample = row / (c->heads * c->length);
      const int64_t seen = c->causal ? bss_min(query + 1, c->columns) : c->columns;
      const char *keys = c->keys ? c->keys + sample * c->columns * size : NULL;
      if (c->dtype == BSS_F32)
        mask_row_f32((float *)scores + r * c->columns, (const float *)keys, seen, c->columns);
      else mask_row_f64((double *)scores + r * c->columns, (const double *)keys, seen, c->columns);
    }
  }
  if (c->dtype == BSS_F32)
    bss_loops->softmax_f32(0, (float *)scores, rows, c->columns, (float *)scores);
  else bss_loops->softmax_f64(0, (double *)scores, rows, c->columns, (double *)scores);
}

int bss_softmax_masked(bss_dtype dtype, void *scores, const void *keys, bool causal, int64_t batch,
                       int64_t heads, int64_t length, int64_t span) {
  attention_context c = {.dtype = dtype,
                         .scores = scores,
                         .keys = keys,
                         .causal = causal,
                         .rows = batch * heads * length,
                         .columns = span,
                         .heads = heads,
                         .length = length};
  return run(&c, masked_task);
}

static void dropped_task(void *context, int64_t task) {
  const attention_context *c = context;
  const int64_t first = task * c->rows_a_task, rows = bss_min(c->rows_a_task, c->rows - first),
                at = first * c->columns;
  if (c->dtype == BSS_F32)
    dropped_rows_f32((float *)c->scores + at, (const float *)c->p + at,
                     (const float *)c->dropped + at, rows, c->columns);
  else
    dropped_rows_f64((double *)c->scores + at, (const double *)c->p + at,
                     (const double *)c->dropped + at, rows, c->columns);
}

int bss_softmax_dropped_backward(bss_dtype dtype, void *grad, const void *p, const void *dropped,
                                 int64_t rows, int64_t columns) {
  attention_context c = {
      .dtype = dtype, .scores = grad, .p = p, .dropped = dropped, .rows = rows, .columns = columns};
  return run(&c, dropped_task);
}
