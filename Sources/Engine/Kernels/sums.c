// Sums over whole buffers, and running sums along rows.
#include "bss_reduce.h"
#include "element.h"
#include "table.h"
#include <math.h>
#include <stdlib.h>

// MARK: whole buffers

enum { chunk = 65536 };
typedef struct {
  bss_dtype dtype;
  const char *x;
  int64_t count;
  double *partial;
} buffer_context;

static void squares_task(void *context, int64_t task) {
  const buffer_context *c = context;
  int64_t first = task * chunk, n = bss_min(c->count - first, chunk);
  c->partial[task] = c->dtype == BSS_F32
                         ? bss_loops->sum_squares_f32((const float *)c->x + first, n)
                         : bss_loops->sum_squares_f64((const double *)c->x + first, n);
}
/// Sum over chunks, in order.
int bss_sum_squares(bss_dtype dtype, const void *x, int64_t count, double *result) {
  int64_t tasks = bss_ceil_div(count, chunk);
  double few[64], *partial = tasks <= 64 ? few : malloc((size_t)tasks * sizeof(double));
  if (!partial) abort();
  buffer_context c = {dtype, x, count, partial};
  int status = bss_pool_run(tasks, squares_task, &c);
  *result = 0;
  for (int64_t i = 0; i < tasks && status == BSS_OK; i++) *result += partial[i];
  if (partial != few) free(partial);
  return status;
}

int bss_sum_squares_all(const bss_buffer *parts, int64_t count, double *result) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    double one;
    int status = bss_sum_squares(parts[i].dtype, parts[i].data, parts[i].count, &one);
    if (status != BSS_OK) return status;
    sum += one;
  }
  *result = sum;
  return BSS_OK;
}

// MARK: running sums

typedef struct {
  bss_dtype dtype;
  const void *x;
  void *out;
  int64_t columns;
} cumsum_context;

static void cumsum_row(void *context, int64_t row) {
  const cumsum_context *c = context;
  int64_t at = row * c->columns;
#define RUNNING(T, A)                          \
  {                                            \
    const T *x = (const T *)c->x + at;         \
    T *out = (T *)c->out + at;                 \
    A sum = 0;                                 \
    for (int64_t i = 0; i < c->columns; i++) { \
      sum += (A)x[i];                          \
      out[i] = (T)sum;                         \
    }                                          \
  }
  if (c->dtype == BSS_F32) RUNNING(float, double)
  else if (c->dtype == BSS_F64) RUNNING(double, double)
  else RUNNING(int64_t, uint64_t)
#undef RUNNING
}

int bss_cumsum(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out) {
  cumsum_context c = {dtype, x, out, columns};
  if (rows * columns > BSS_PARALLEL_GRAIN) return bss_pool_run(rows, cumsum_row, &c);
  for (int64_t r = 0; r < rows; r++) cumsum_row(&c, r);
  return BSS_OK;
}
