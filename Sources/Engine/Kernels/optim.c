// Optimizer updates: one pass over the memory of all parameters, cut into fixed chunks.
#include "bss_optim.h"
#include "element.h"
#include "table.h"
#include <stdatomic.h>

enum { chunk = 32768 };

typedef struct {
  const bss_update *parts;
  int64_t count;
  double scale;
  atomic_bool broken;  // a gradient is not finite
} update_context;

static void *moved(const bss_update *part, const void *buffer, int64_t first) {
  return buffer ? (char *)buffer + (size_t)first * bss_size(part->dtype) : NULL;
}

/// Elements [first, first + n) of one part.
static void update_range(const bss_update *part, int64_t first, int64_t n, double scale) {
  void *p = moved(part, part->param, first), *g = moved(part, part->grad, first);
  void *s[3];
  for (int i = 0; i < 3; i++) s[i] = moved(part, part->state[i], first);
  const bss_rule_options *o = &part->options;
#define UPDATE(S)                                                                                 \
  switch (part->rule) {                                                                           \
  case BSS_SGD: bss_loops->sgd_##S(n, p, g, s[0], scale, &o->sgd); break;                         \
  case BSS_ADAM: bss_loops->adam_##S(n, p, g, s[0], s[1], s[2], scale, &o->adam); break;          \
  case BSS_RMSPROP: bss_loops->rmsprop_##S(n, p, g, s[0], s[1], s[2], scale, &o->rmsprop); break; \
  }
  if (part->dtype == BSS_F32) {
    UPDATE(f32)
  } else {
    UPDATE(f64)
  }
#undef UPDATE
}

static bool is_finite(const bss_update *part, int64_t first, int64_t n) {
  const void *g = moved(part, part->grad, first);
  return part->dtype == BSS_F32 ? bss_loops->all_finite_f32(g, n) : bss_loops->all_finite_f64(g, n);
}

/// The parts one after another are one range of elements; a task is a chunk of it.
#define EACH_RANGE(body)                                                                        \
  int64_t first = task * chunk, last = first + chunk, start = 0;                                \
  for (const bss_update *part = c->parts; part < c->parts + c->count && start < last; part++) { \
    int64_t from = bss_max(first, start), to = bss_min(last, start + part->count);              \
    if (from < to) body;                                                                        \
    start += part->count;                                                                       \
  }

static void check_task(void *context, int64_t task) {
  update_context *c = context;
  EACH_RANGE(if (!is_finite(part, from - start, to - from)) atomic_store(&c->broken, true))
}

static void update_task(void *context, int64_t task) {
  const update_context *c = context;
  EACH_RANGE(update_range(part, from - start, to - from, c->scale))
}

int bss_update_all(const bss_update *parts, int64_t count, double scale, bss_step_log *log) {
  int64_t elements = 0;
  for (int64_t i = 0; i < count; i++) elements += parts[i].count;
  update_context c = {parts, count, scale, false};
  int64_t tasks = bss_ceil_div(elements, chunk);
  if (log && log->bad_step >= 0) return BSS_OK;
  if (log) {
    int status = bss_pool_run_light(tasks, check_task, &c);
    if (status != BSS_OK) return status;
    if (atomic_load(&c.broken)) {
      log->bad_step = log->steps;
      log->bad_loss = log->step_loss;
      return BSS_OK;
    }
  }
  return bss_pool_run_light(tasks, update_task, &c);
}
