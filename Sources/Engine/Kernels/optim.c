// Optimizer updates: one pass over memory, cut into fixed chunks.
#include "bss_optim.h"
#include "element.h"
#include "table.h"

enum { chunk = 32768, scaled_at_once = 2048, most_buffers = 5 };
typedef enum { rule_sgd, rule_adam, rule_rmsprop } update_rule;

typedef struct {
  bss_dtype dtype;
  update_rule rule;
  const void *options;
  char *buffer[most_buffers];  // param, grad, state ...
  int64_t spans;
  const bss_span *span;
} update_job;

/// Updates n elements from `at` on, gradients at `grad`.
static void update(const update_job *job, const bss_span *span, int64_t at, int64_t n,
                   const void *grad) {
  char *b[most_buffers];
  for (int i = 0; i < most_buffers; i++)
    b[i] = job->buffer[i] ? job->buffer[i] + at * (int64_t)bss_size(job->dtype) : NULL;
  const bool f32 = job->dtype == BSS_F32;
  if (job->rule == rule_sgd) {
    bss_sgd_options o = *(const bss_sgd_options *)job->options;
    o.lr *= span->rate;
    o.first = o.first || span->step == 1;
    if (f32) bss_loops->sgd_f32(n, (float *)b[0], grad, (float *)b[2], &o);
    else bss_loops->sgd_f64(n, (double *)b[0], grad, (double *)b[2], &o);
  } else if (job->rule == rule_adam) {
    bss_adam_options o = *(const bss_adam_options *)job->options;
    o.lr *= span->rate;
    if (span->step > 0) o.step = span->step;
    if (f32)
      bss_loops->adam_f32(n, (float *)b[0], grad, (float *)b[2], (float *)b[3], (float *)b[4], &o);
    else
      bss_loops->adam_f64(n, (double *)b[0], grad, (double *)b[2], (double *)b[3], (double *)b[4],
                          &o);
  } else if (f32)
    bss_loops->rmsprop_f32(n, (float *)b[0], grad, (float *)b[2], (float *)b[3], (float *)b[4],
                           job->options);
  else
    bss_loops->rmsprop_f64(n, (double *)b[0], grad, (double *)b[2], (double *)b[3], (double *)b[4],
                           job->options);
}

/// The same with gradients first multiplied by the span's scale, rounded, as a pass of its own
/// would.
static void update_scaled(const update_job *job, const bss_span *span, int64_t at, int64_t n) {
  union {
    float f32[scaled_at_once];
    double f64[scaled_at_once];
  } g;
  for (int64_t done = 0; done < n; done += scaled_at_once) {
    const int64_t part = bss_min(scaled_at_once, n - done), from = at + done;
    if (job->dtype == BSS_F32)
      for (int64_t i = 0; i < part; i++)
        g.f32[i] = ((const float *)job->buffer[1])[from + i] * (float)span->scale;
    else
      for (int64_t i = 0; i < part; i++)
        g.f64[i] = ((const double *)job->buffer[1])[from + i] * span->scale;
    update(job, span, from, part, &g);
  }
}

/// Chunk `task` of all spans' chunks, counted span by span.
static void update_task(void *context, int64_t task) {
  const update_job *job = context;
  const bss_span *span = job->span;
  for (; task >= bss_ceil_div(span->count, chunk); span++) task -= bss_ceil_div(span->count, chunk);
  const int64_t at = span->first + task * chunk, n = bss_min(chunk, span->count - task * chunk);
  if (span->scale != 1) return update_scaled(job, span, at, n);
  update(job, span, at, n, job->buffer[1] + at * (int64_t)bss_size(job->dtype));
}

static int run(const update_job *job) {
  int64_t tasks = 0;
  for (int64_t i = 0; i < job->spans; i++) tasks += bss_ceil_div(job->span[i].count, chunk);
  return bss_pool_run_light(tasks, update_task, (void *)job);
}

/// One buffer of its own: what the options say holds.
static int run_whole(update_job job, int64_t count) {
  const bss_span whole = {.count = count, .scale = 1, .rate = 1};
  job.spans = 1;
  job.span = &whole;
  return run(&job);
}

int bss_sgd(bss_dtype dtype, int64_t count, void *param, const void *grad, void *momentum_buffer,
            const bss_sgd_options *options) {
  return run_whole(
      (update_job){dtype, rule_sgd, options, {param, (void *)grad, momentum_buffer}, 0, NULL},
      count);
}

int bss_adam(bss_dtype dtype, int64_t count, void *param, const void *grad, void *mean,
             void *square, void *max_square, const bss_adam_options *options) {
  return run_whole(
      (update_job){
          dtype, rule_adam, options, {param, (void *)grad, mean, square, max_square}, 0, NULL},
      count);
}

int bss_rmsprop(bss_dtype dtype, int64_t count, void *param, const void *grad, void *square,
                void *mean, void *momentum_buffer, const bss_rmsprop_options *options) {
  return run_whole((update_job){dtype,
                                rule_rmsprop,
                                options,
                                {param, (void *)grad, square, mean, momentum_buffer},
                                0,
                                NULL},
                   count);
}

int bss_sgd_arena(bss_dtype dtype, int64_t spans, const bss_span *span, void *param,
                  const void *grad, void *momentum_buffer, const bss_sgd_options *options) {
  return run(
      &(update_job){dtype, rule_sgd, options, {param, (void *)grad, momentum_buffer}, spans, span});
}

int bss_adam_arena(bss_dtype dtype, int64_t spans, const bss_span *span, void *param,
                   const void *grad, void *mean, void *square, void *max_square,
                   const bss_adam_options *options) {
  return run(&(update_job){
      dtype, rule_adam, options, {param, (void *)grad, mean, square, max_square}, spans, span});
}
