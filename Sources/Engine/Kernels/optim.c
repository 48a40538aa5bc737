// Optimizer updates: one pass over memory, cut into fixed chunks.
#include "bss_optim.h"
#include "table.h"

enum { chunk = 32768, most_buffers = 5 };

typedef struct {
  bss_dtype dtype;
  int rule;  // 0 SGD, 1 Adam, 2 RMSprop
  int64_t count;
  char *buffer[most_buffers];  // param, grad, state ...
  const void *options;
} update_context;

static void update_task(void *context, int64_t task) {
  const update_context *c = context;
  int64_t first = task * chunk, n = c->count - first < chunk ? c->count - first : chunk;
  char *b[most_buffers];
  for (int i = 0; i < most_buffers; i++)
    b[i] = c->buffer[i] ? c->buffer[i] + first * (c->dtype == BSS_F32 ? 4 : 8) : 0;
#define UPDATE(T, S)                                                                              \
  switch (c->rule) {                                                                              \
  case 0: bss_loops->sgd_##S(n, (T *)b[0], (T *)b[1], (T *)b[2], c->options); break;              \
  case 1:                                                                                         \
    bss_loops->adam_##S(n, (T *)b[0], (T *)b[1], (T *)b[2], (T *)b[3], (T *)b[4], c->options);    \
    break;                                                                                        \
  default:                                                                                        \
    bss_loops->rmsprop_##S(n, (T *)b[0], (T *)b[1], (T *)b[2], (T *)b[3], (T *)b[4], c->options); \
  }
  if (c->dtype == BSS_F32) {
    UPDATE(float, f32)
  } else {
    UPDATE(double, f64)
  }
#undef UPDATE
}

static int update(update_context *c) {
  return bss_pool_run_light((c->count + chunk - 1) / chunk, update_task, c);
}

int bss_sgd(bss_dtype dtype, int64_t count, void *param, const void *grad, void *momentum_buffer,
            const bss_sgd_options *options) {
  return update(
      &(update_context){dtype, 0, count, {param, (void *)grad, momentum_buffer}, options});
}
int bss_adam(bss_dtype dtype, int64_t count, void *param, const void *grad, void *mean,
             void *square, void *max_square, const bss_adam_options *options) {
  return update(
      &(update_context){dtype, 1, count, {param, (void *)grad, mean, square, max_square}, options});
}
int bss_rmsprop(bss_dtype dtype, int64_t count, void *param, const void *grad, void *square,
                void *mean, void *momentum_buffer, const bss_rmsprop_options *options) {
  return update(&(update_context){
      dtype, 2, count, {param, (void *)grad, square, mean, momentum_buffer}, options});
}
