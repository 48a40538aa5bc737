// Softmax family: rows are dealt to tasks of a fixed number of elements.
#include "bss_softmax.h"
#include "table.h"
#include <math.h>

enum { task_elements = 16384 };

typedef struct {
  bss_dtype dtype;
  int kind;
  int64_t rows, columns, rows_a_task;
  const char *x, *y;
  char *out;
  // cross-entropy and row scaling
  const int64_t *target;
  const void *weight;
  double number;  // label smoothing, or the factor
  int64_t ignore, step;
  char *loss, *row_weight;
} rows_context;

static int run_rows(rows_context *c, bss_task task) {
  // Multiples of 64: the loops work on groups of 64 rows.
  int64_t rows = task_elements / (c->columns > 0 ? c->columns : 1);
  c->rows_a_task = rows <= 0 ? 1 : rows < 64 ? rows : rows / 64 * 64;
  return bss_pool_run_light((c->rows + c->rows_a_task - 1) / c->rows_a_task, task, c);
}

#define AT(T, pointer, index) ((pointer) ? (T *)(pointer) + (index) : (T *)0)
#define EACH_TYPE(body_f32, body_f64) \
  if (c->dtype == BSS_F32) {          \
    body_f32;                         \
  } else {                            \
    body_f64;                         \
  }
#define TASK_ROWS                                                       \
  const rows_context *c = context;                                      \
  const int64_t first = task * c->rows_a_task, at = first * c->columns; \
  const int64_t rows = c->rows - first < c->rows_a_task ? c->rows - first : c->rows_a_task;

static void softmax_task(void *context, int64_t task) {
  TASK_ROWS
  int64_t to = c->kind == 2 ? first : at;
  EACH_TYPE(
      bss_loops->softmax_f32(c->kind, AT(float, c->x, at), rows, c->columns, AT(float, c->out, to)),
      bss_loops->softmax_f64(c->kind, AT(double, c->x, at), rows, c->columns,
                             AT(double, c->out, to)))
}

static void backward_task(void *context, int64_t task) {
  TASK_ROWS
  EACH_TYPE(bss_loops->softmax_backward_f32(c->kind, AT(float, c->x, at), AT(float, c->y, at), rows,
                                            c->columns, AT(float, c->out, at)),
            bss_loops->softmax_backward_f64(c->kind, AT(double, c->x, at), AT(double, c->y, at),
                                            rows, c->columns, AT(double, c->out, at)))
}

static int run_softmax(int kind, bss_dtype dtype, const void *x, const void *y, int64_t rows,
                       int64_t columns, void *out, bss_task task) {
  if (columns == 0 && kind != 2) return BSS_OK;
  rows_context c = {
      .dtype = dtype, .kind = kind, .rows = rows, .columns = columns, .x = x, .y = y, .out = out};
  return run_rows(&c, task);
}

int bss_softmax(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out) {
  return run_softmax(0, dtype, x, 0, rows, columns, out, softmax_task);
}
int bss_log_softmax(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out) {
  return run_softmax(1, dtype, x, 0, rows, columns, out, softmax_task);
}
int bss_logsumexp(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out) {
  if (columns == 0) {  // log of an empty sum
    for (int64_t i = 0; i < rows; i++)
      if (dtype == BSS_F32) ((float *)out)[i] = -INFINITY;
      else ((double *)out)[i] = -INFINITY;
    return BSS_OK;
  }
  return run_softmax(2, dtype, x, 0, rows, columns, out, softmax_task);
}
int bss_softmax_backward(bss_dtype dtype, const void *grad, const void *p, int64_t rows,
                         int64_t columns, void *out) {
  return run_softmax(0, dtype, grad, p, rows, columns, out, backward_task);
}
int bss_log_softmax_backward(bss_dtype dtype, const void *grad, const void *y, int64_t rows,
                             int64_t columns, void *out) {
  return run_softmax(1, dtype, grad, y, rows, columns, out, backward_task);
}

static void cross_entropy_task(void *context, int64_t task) {
  TASK_ROWS
  EACH_TYPE(bss_loops->cross_entropy_f32(AT(float, c->x, at), c->target + first, rows, c->columns,
                                         c->weight, c->number, c->ignore, AT(float, c->loss, first),
                                         AT(float, c->out, at), AT(float, c->row_weight, first)),
            bss_loops->cross_entropy_f64(AT(double, c->x, at), c->target + first, rows, c->columns,
                                         c->weight, c->number, c->ignore,
                                         AT(double, c->loss, first), AT(double, c->out, at),
                                         AT(double, c->row_weight, first)))
}

int bss_cross_entropy(bss_dtype dtype, const void *logits, const int64_t *target, int64_t rows,
                      int64_t columns, const void *class_weight, double label_smoothing,
                      int64_t ignore_index, void *loss, void *dlogits, void *row_weight) {
  if (columns == 0) return BSS_OK;
  rows_context c = {.dtype = dtype,
                    .rows = rows,
                    .columns = columns,
                    .x = logits,
                    .out = dlogits,
                    .target = target,
                    .weight = class_weight,
                    .number = label_smoothing,
                    .ignore = ignore_index,
                    .loss = loss,
                    .row_weight = row_weight};
  return run_rows(&c, cross_entropy_task);
}

static void scale_task(void *context, int64_t task) {
  TASK_ROWS
  EACH_TYPE(bss_loops->scale_rows_f32(AT(float, c->x, at), AT(float, c->y, first * c->step),
                                      c->step, c->number, rows, c->columns, AT(float, c->out, at)),
            bss_loops->scale_rows_f64(AT(double, c->x, at), AT(double, c->y, first * c->step),
                                      c->step, c->number, rows, c->columns, AT(double, c->out, at)))
}

int bss_scale_rows(bss_dtype dtype, const void *x, const void *scale, int64_t scale_stride,
                   double factor, int64_t rows, int64_t columns, void *out) {
  rows_context c = {.dtype = dtype,
                    .rows = rows,
                    .columns = columns,
                    .x = x,
                    .y = scale,
                    .out = out,
                    .number = factor,
                    .step = scale_stride};
  return run_rows(&c, scale_task);
}
