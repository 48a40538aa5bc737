// Batch and layer normalisation: bss_norm.h says what, norm.inc.h how.
#include "bss_norm.h"
#include "element.h"
#include "bss_conv.h"
#include <math.h>

// Rows of few channels are folded: several rows are treated as one wide row, so that the inner loop
// over channels is long enough for vectors. Lane i of a wide row belongs to channel i % channels.
typedef struct {
  int64_t channels, length;  // length = rows * channels
  int64_t width;             // lanes of a wide row, a multiple of channels
  int64_t wide_rows;         // the last one may be shorter
  int64_t per_task, tasks;   // wide rows per task
} folding;

static folding fold(int64_t rows, int64_t channels, int64_t most_tasks) {
  folding f = {.channels = channels, .length = rows * channels};
  int64_t together = channels >= 256 ? 1 : bss_min(bss_max(rows, 1), 256 / channels);
  f.width = channels * together;
  f.wide_rows = bss_ceil_div(rows, together);
  f.per_task =
      bss_max(bss_max(1, BSS_PARALLEL_GRAIN / f.width), bss_ceil_div(f.wide_rows, most_tasks));
  f.tasks = bss_ceil_div(f.wide_rows, f.per_task);
  return f;
}

/// Sums keep one buffer a task: few enough that the buffers stay small.
#define MOST_SUM_TASKS 32
#define MOST_TASKS 256

typedef struct {
  folding fold;
  const void *x, *dy, *residual;
  const void *mask;  // y, whose sign says where g = dy; g is written to `kept`
  void *kept;
  void *y;
  bool relu;
  void *lanes;      // per-lane constants, `width` elements each (see the task that reads them)
  double *partial;  // [tasks][2][width]
} batch_job;

/// totals[2][channels] = the partial sums over tasks and lanes, in that order.
static void gather_totals(const batch_job *job, double *totals) {
  const folding *f = &job->fold;
  memset(totals, 0, 2 * f->channels * sizeof(double));
  for (int64_t task = 0; task < f->tasks; task++)
    for (int64_t s = 0; s < 2; s++) {
      const double *from = job->partial + (task * 2 + s) * f->width;
      double *to = totals + s * f->channels;
      for (int64_t start = 0; start < f->width; start += f->channels)
        for (int64_t c = 0; c < f->channels; c++) to[c] += from[start + c];
    }
}

typedef struct {
  int64_t rows, n, per_task, tasks;
  double eps;
  const void *x, *dy, *weight, *bias;
  void *y, *dx;
  double *mean, *inverse;
  double *partial;  // [tasks][2][n], or NULL when the gradients of weight and bias are not wanted
} layer_job;

#define T float
#define OF(name) name##_f32
#include "norm.inc.h"
#undef T
#undef OF
#define T double
#define OF(name) name##_f64
#include "norm.inc.h"

// MARK: Batch normalisation

int bss_batch_statistics(bss_dtype dtype, int64_t rows, int64_t channels, const void *x,
                         double *mean, double *variance) {
  return dtype == BSS_F32 ? batch_statistics_f32(rows, channels, x, mean, variance)
                          : batch_statistics_f64(rows, channels, x, mean, variance);
}

int bss_batch_norm_forward(bss_dtype dtype, int64_t rows, int64_t channels, const void *x,
                           const void *weight, const void *bias, const double *mean,
                           const double *inverse_deviation, const void *residual, bool relu,
                           void *y) {
  return dtype == BSS_F32 ? batch_forward_f32(rows, channels, x, weight, bias, mean,
                                              inverse_deviation, residual, relu, y)
                          : batch_forward_f64(rows, channels, x, weight, bias, mean,
                                              inverse_deviation, residual, relu, y);
}

int bss_batch_norm_backward(bss_dtype dtype, int64_t rows, int64_t channels, bool training,
                            const void *x, const void *dy, const void *weight, const void *bias,
                            const double *mean, const double *inverse_deviation, bool relu,
                            const void *y, void *dresidual, void *dx, void *dweight, void *dbias) {
  return dtype == BSS_F32
             ? batch_backward_f32(rows, channels, training, x, dy, weight, bias, mean,
                                  inverse_deviation, relu, y, dresidual, dx, dweight, dbias)
             : batch_backward_f64(rows, channels, training, x, dy, weight, bias, mean,
                                  inverse_deviation, relu, y, dresidual, dx, dweight, dbias);
}

// MARK: Layer normalisation

int bss_layer_norm_forward(bss_dtype dtype, int64_t rows, int64_t n, double eps, const void *x,
                           const void *weight, const void *bias, void *y, double *mean,
                           double *inverse_deviation) {
  layer_job job = {.rows = rows,
                   .n = n,
                   .eps = eps,
                   .x = x,
                   .weight = weight,
                   .bias = bias,
                   .y = y,
                   .mean = mean,
                   .inverse = inverse_deviation};
  return bss_run_items(rows, 3 * n,
                       dtype == BSS_F32 ? layer_forward_row_f32 : layer_forward_row_f64, &job);
}

int bss_layer_norm_backward(bss_dtype dtype, int64_t rows, int64_t n, const void *x, const void *dy,
                            const void *weight, const double *mean, const double *inverse_deviation,
                            void *dx, void *dweight, void *dbias) {
  layer_job job = {.rows = rows,
                   .n = n,
                   .x = x,
                   .dy = dy,
                   .weight = weight,
                   .dx = dx,
                   .mean = (double *)mean,
                   .inverse = (double *)inverse_deviation};
  job.per_task =
      bss_max(bss_max(1, BSS_PARALLEL_GRAIN / bss_max(1, n)), bss_ceil_div(rows, MOST_SUM_TASKS));
  job.tasks = bss_ceil_div(rows, job.per_task);
  void *ones = weight ? NULL : malloc(bss_max(1, n) * bss_size(dtype));
  bool sums = dweight || dbias;
  if (sums) job.partial = calloc(bss_max(1, job.tasks * 2 * n), sizeof(double));
  if ((sums && !job.partial) || (!weight && !ones)) {
    free(ones);
    free(job.partial);
    return BSS_NO_MEMORY;
  }
  if (ones) {
    for (int64_t i = 0; i < n; i++)
      if (dtype == BSS_F32) ((float *)ones)[i] = 1;
      else ((double *)ones)[i] = 1;
    job.weight = ones;
  }
  int status = bss_pool_run(
      job.tasks, dtype == BSS_F32 ? layer_backward_rows_f32 : layer_backward_rows_f64, &job);
  for (int s = 0; s < 2 && status == BSS_OK; s++) {
    void *to = s == 0 ? dweight : dbias;
    for (int64_t i = 0; to && i < n; i++) {
      double sum = 0;
      for (int64_t task = 0; task < job.tasks; task++) sum += job.partial[(task * 2 + s) * n + i];
      if (dtype == BSS_F32) ((float *)to)[i] = (float)sum;
      else ((double *)to)[i] = sum;
    }
  }
  free(ones);
  free(job.partial);
  return status;
}
