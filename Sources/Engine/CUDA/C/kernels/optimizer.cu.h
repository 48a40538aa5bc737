// Optimizer steps in place (bss_optim.h), up to BSS_UPDATE_PARTS parameters a launch: row y of the
// grid is a parameter.
#include "step.cu.h"

// Scaled gradient and decay are rounded by themselves, as on the CPU.
#define SCALE const T scale = factor ? (T)*factor : (T)1
#define GRADIENT(i) (scale * gradient[i])
#define EACH_ELEMENT(i)                                 \
  if (log && log->bad_step >= 0) return;                \
  const bss_update_part &part = parts.part[blockIdx.y]; \
  T *p = (T *)part.parameter;                           \
  const T *gradient = (const T *)part.gradient;         \
  EACH_INDEX(i, part.count)
#define STATE(n) ((T *)part.state[n])

KERNEL(sgd, 256,
       (bss_update_parts parts, bss_rule_numbers o, const double *factor,
        const bss_step_log *log)) {
  SCALE;
  const T rate = (T)o.rate, mu = (T)o.momentum, damping = (T)o.damping, decay = (T)o.decay;
  EACH_ELEMENT(i) {
    const T g = GRADIENT(i) + decay * p[i];
    T step = g;
    if (o.momentum != 0) {
      const T b = o.first ? g : mu * STATE(0)[i] + damping * g;
      STATE(0)[i] = b;
      step = o.nesterov ? g + mu * b : b;
    }
    p[i] -= rate * step;
  }
}

#ifndef ADAM_POWER
#define ADAM_POWER
/// b to the n-th by squaring, each product rounded: the bits of the host (CUDABackend+Steps.swift).
DEVICE double adam_power(double b, int64_t n) {
  double power = 1;
  for (; n; n >>= 1) {
    if (n & 1) power *= b;
    b *= b;
  }
  return power;
}
#endif
/// One thread: the next step of a rule that is replayed.
KERNEL(adam_count, 32, (bss_rule_numbers o, bss_adam_count *count)) {
  if (threadIdx.x != 0) return;
  count->step += 1;
  count->correction1 = 1 - adam_power(o.beta1, count->step);
  count->correction2 = sqrt(1 - adam_power(o.beta2, count->step));
}

/// `rate` over correction1 is the step's length; correction2: the root of the second correction;
/// those of `count` if it is there.
KERNEL(adam, 256,
       (bss_update_parts parts, bss_rule_numbers o, const double *factor, const bss_step_log *log,
        const bss_adam_count *count)) {
  SCALE;
  if (count) o.correction1 = count->correction1, o.correction2 = count->correction2;
  const T b1 = (T)(1 - o.beta1), b2 = (T)o.beta2, c2 = (T)(1 - o.beta2), eps = (T)o.eps;
  const T step = (T)(o.rate / o.correction1), root = (T)o.correction2;
  const T decay = o.decoupled ? (T)0 : (T)o.decay;
  const T keep = o.decoupled ? (T)(1 - o.rate * o.decay) : (T)1;
  EACH_ELEMENT(i) {
    const T g = GRADIENT(i) + decay * p[i], q = p[i] * keep;
    const T m = STATE(0)[i] + b1 * (g - STATE(0)[i]);
    T s = b2 * STATE(1)[i] + c2 * (g * g);
    STATE(0)[i] = m;
    STATE(1)[i] = s;
    if (STATE(2)) {
      s = s > STATE(2)[i] ? s : STATE(2)[i];
      STATE(2)[i] = s;
    }
    p[i] = q - step * (m / (sqrt(s) / root + eps));
  }
}

/// `variant` 1: centred.
KERNEL(rmsprop, 256,
       (bss_update_parts parts, bss_rule_numbers o, const double *factor,
        const bss_step_log *log)) {
  SCALE;
  const T rate = (T)o.rate, a = (T)o.beta1, c = (T)(1 - o.beta1), eps = (T)o.eps,
          decay = (T)o.decay, mu = (T)o.momentum;
  EACH_ELEMENT(i) {
    const T g = GRADIENT(i) + decay * p[i];
    T s = a * STATE(0)[i] + c * (g * g);
    STATE(0)[i] = s;
    if (o.variant == 1) {
      const T w = STATE(1)[i] + c * (g - STATE(1)[i]);
      STATE(1)[i] = w;
      s -= w * w;
    }
    T step = g / (sqrt(s) + eps);
    if (o.momentum > 0) {
      step = mu * STATE(2)[i] + step;
      STATE(2)[i] = step;
    }
    p[i] -= rate * step;
  }
}
#undef EACH_ELEMENT
#undef GRADIENT
#undef SCALE
#undef STATE
