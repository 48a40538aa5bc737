// Pooling: bss_pooling.h says what, pooling.inc.h how.
#include "bss_pooling.h"
#include "element.h"
#include "bss_conv.h"
#include <math.h>
#include <stdatomic.h>

/// Input positions [start, end) that a window covers along one axis, and what it divides by.
typedef struct {
  int64_t start, end, divisor;
} bss_span;

/// Mean pooling with the window clipped; the divisor counts the padding too if asked.
static bss_span window_span(const bss_window *w, int axis, int64_t out, bool count_padding) {
  int64_t start = out * w->stride[axis] - w->pad[axis];
  int64_t end = bss_min(start + w->kernel[axis], w->in[axis] + w->pad[axis]);
  bss_span s = {.start = bss_max(start, 0), .end = bss_min(end, w->in[axis])};
  s.end = bss_max(s.end, s.start);
  s.divisor = count_padding ? end - start : s.end - s.start;
  return s;
}

static bss_span bin_span(int64_t in, int64_t out, int64_t i) {
  bss_span s = {.start = i * in / out, .end = bss_ceil_div((i + 1) * in, out)};
  s.divisor = s.end - s.start;
  return s;
}

typedef struct {
  const bss_window *window;
  const void *x, *dy;
  void *y, *dx;
  int64_t *indices;
  const int64_t *saved;
  bool zero_padding, count_padding, adaptive;
  int64_t divisor;
  _Atomic int failed;  // scratch memory ran out in some task
} pooling_job;

static bss_span span_of(const pooling_job *job, int axis, int64_t out) {
  const bss_window *w = job->window;
  return job->adaptive ? bin_span(w->in[axis], w->out[axis], out)
                       : window_span(w, axis, out, job->count_padding);
}

/// 1 / (number of elements the mean is over); 0 for an empty window.
static double mean_factor(const pooling_job *job, const bss_span s[3]) {
  int64_t divisor = job->divisor > 0 ? job->divisor : s[0].divisor * s[1].divisor * s[2].divisor;
  return divisor > 0 ? 1.0 / (double)divisor : 0;
}

#define T float
#define OF(name) name##_f32
#include "pooling.inc.h"
#undef T
#undef OF
#define T double
#define OF(name) name##_f64
#include "pooling.inc.h"

/// Element visits of one image.
static int64_t image_cost(const bss_window *w, bool adaptive) {
  return w->channels *
         (adaptive ? bss_product3(w->in) : bss_product3(w->out) * bss_product3(w->kernel));
}

#define RUN_LINES(dtype, task, job) run_lines(dtype == BSS_F32 ? task##_f32 : task##_f64, job)
static int run_lines(bss_task task, pooling_job *job) {
  const bss_window *w = job->window;
  int64_t lines = w->out[0] * w->out[1];
  if (lines == 0 || w->channels == 0) return BSS_OK;
  return bss_run_items(w->batch * lines, image_cost(w, job->adaptive) / lines, task, job);
}

#define RUN_IMAGES(dtype, task, job)                                     \
  bss_run_items(job.window->batch, image_cost(job.window, job.adaptive), \
                dtype == BSS_F32 ? task##_f32 : task##_f64, &job)

int bss_max_pool_forward(bss_dtype dtype, const bss_window *window, bool zero_padding,
                         const void *x, void *y, int64_t *indices) {
  pooling_job job = {
      .window = window, .x = x, .y = y, .indices = indices, .zero_padding = zero_padding};
  int status = RUN_LINES(dtype, max_pool_line, &job);
  return status == BSS_OK && job.failed ? BSS_NO_MEMORY : status;
}

int bss_max_pool_backward(bss_dtype dtype, const bss_window *window, const int64_t *indices,
                          const void *dy, void *dx) {
  pooling_job job = {.window = window, .dy = dy, .dx = dx, .saved = indices};
  return RUN_IMAGES(dtype, max_pool_backward_image, job);
}

int bss_avg_pool_forward(bss_dtype dtype, const bss_window *window, bool count_padding,
                         int64_t divisor, const void *x, void *y) {
  pooling_job job = {
      .window = window, .x = x, .y = y, .count_padding = count_padding, .divisor = divisor};
  return RUN_LINES(dtype, mean_pool_line, &job);
}

int bss_avg_pool_backward(bss_dtype dtype, const bss_window *window, bool count_padding,
                          int64_t divisor, const void *dy, void *dx) {
  pooling_job job = {
      .window = window, .dy = dy, .dx = dx, .count_padding = count_padding, .divisor = divisor};
  return RUN_IMAGES(dtype, mean_pool_backward_image, job);
}

static bss_window adaptive_window(int64_t batch, int64_t channels, const int64_t in[3],
                                  const int64_t out[3]) {
  bss_window w = {.batch = batch, .channels = channels};
  memcpy(w.in, in, sizeof w.in);
  memcpy(w.out, out, sizeof w.out);
  return w;
}

int bss_adaptive_avg_pool_forward(bss_dtype dtype, int64_t batch, int64_t channels,
                                  const int64_t in[3], const int64_t out[3], const void *x,
                                  void *y) {
  bss_window window = adaptive_window(batch, channels, in, out);
  pooling_job job = {.window = &window, .x = x, .y = y, .adaptive = true};
  return RUN_LINES(dtype, mean_pool_line, &job);
}

int bss_adaptive_avg_pool_backward(bss_dtype dtype, int64_t batch, int64_t channels,
                                   const int64_t in[3], const int64_t out[3], const void *dy,
                                   void *dx) {
  bss_window window = adaptive_window(batch, channels, in, out);
  pooling_job job = {.window = &window, .dy = dy, .dx = dx, .adaptive = true};
  return RUN_IMAGES(dtype, mean_pool_backward_image, job);
}
