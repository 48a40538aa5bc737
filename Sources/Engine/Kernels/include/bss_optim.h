// Optimizer updates in place on contiguous buffers of one dtype (F32 or F64), all parameters of a
// step in one call. PyTorch's formulas in its order.
#pragma once
#include "bss_base.h"
#include "bss_step.h"

typedef struct {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, first;
} bss_sgd_options;
/// SGD: g += wd p;  buf = first ? g : momentum buf + (1 - dampening) g;  g = nesterov ? g +
/// momentum buf : buf;  p -= lr g. State: buf, which may be NULL when momentum == 0. `first` = it
/// has no history yet.

typedef struct {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW: p *= 1 - lr wd, else g += wd p
  bool amsgrad;
  int64_t step;  // 1 for the first update
} bss_adam_options;
/// Adam: m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= lr / (1 - b1^t) m / (sqrt(v or max
/// v) / sqrt(1 - b2^t) + eps). State: m, v, max v (amsgrad only, else NULL).

typedef struct {
  double lr, alpha, eps, weight_decay, momentum;
  bool centered;
} bss_rmsprop_options;
/// RMSprop: v = a v + (1 - a) g^2;  centered: u = a u + (1 - a) g, d = sqrt(v - u^2) + eps, else d
/// = sqrt(v) + eps; momentum: buf = momentum buf + g / d, p -= lr buf, else p -= lr g / d. State:
/// v, u, buf; NULL where unused.

typedef enum { BSS_SGD, BSS_ADAM, BSS_RMSPROP } bss_rule;
typedef union {
  bss_sgd_options sgd;
  bss_adam_options adam;
  bss_rmsprop_options rmsprop;
} bss_rule_options;

/// One parameter's part of a step: param, grad, state [count].
typedef struct {
  bss_dtype dtype;
  bss_rule rule;
  int64_t count;
  void *param;
  const void *grad;
  void *state[3];
  bss_rule_options options;
} bss_update;

/// `scale` multiplies every gradient first. With a `log` (or NULL) nothing is updated from the
/// first bad step on, and a step with a gradient that is not finite becomes it.
int bss_update_all(const bss_update *parts, int64_t count, double scale, bss_step_log *log);
