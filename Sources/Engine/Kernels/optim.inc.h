// Optimizer updates; the order of operations is PyTorch's. Gradients are multiplied by `scale`.

// Scaled gradient and decay are rounded by themselves: clipping gives the bits of scaling first.
#define GRADIENT T scaled = scale * grad[i], decay = wd * p[i], g = scaled + decay;
#define LOOP \
  _Pragma("clang loop vectorize(assume_safety) interleave(enable)") for (int64_t i = 0; i < n; i++)

static void FN(CAT(sgd, S))(int64_t n, T *p, const T *grad, T *buf, T scale,
                            const bss_sgd_options *o) {
  const T lr = (T)o->lr, mu = (T)o->momentum, damp = (T)(1 - o->dampening), wd = (T)o->weight_decay;
  if (o->momentum == 0) LOOP {
      GRADIENT
      p[i] -= lr * g;
    }
  else if (o->first) LOOP {
      GRADIENT
      buf[i] = g;
      p[i] -= lr * (o->nesterov ? g + mu * g : g);
    }
  else if (o->nesterov) LOOP {
      GRADIENT
      T b = mu * buf[i] + damp * g;
      buf[i] = b;
      p[i] -= lr * (g + mu * b);
    }
  else LOOP {
      GRADIENT
      T b = mu * buf[i] + damp * g;
      buf[i] = b;
      p[i] -= lr * b;
    }
}

static void FN(CAT(adam, S))(int64_t n, T *p, const T *grad, T *m, T *v, T *vmax, T scale,
                             const bss_adam_options *o) {
  const double t = (double)o->step;
  const T b1 = (T)(1 - o->beta1), b2 = (T)o->beta2, c2 = (T)(1 - o->beta2), eps = (T)o->eps;
  const T step = (T)(o->lr / (1 - __builtin_pow(o->beta1, t))),
          root = (T)__builtin_sqrt(1 - __builtin_pow(o->beta2, t));
  const T wd = o->decoupled ? 0 : (T)o->weight_decay,
          keep = o->decoupled ? (T)(1 - o->lr * o->weight_decay) : 1;
#define ADAM(SECOND_MOMENT)                            \
  LOOP {                                               \
    GRADIENT                                           \
    T q = p[i] * keep;                                 \
    m[i] += b1 * (g - m[i]);                           \
    T s = b2 * v[i] + c2 * (g * g);                    \
    v[i] = s;                                          \
    SECOND_MOMENT                                      \
    p[i] = q - step * (m[i] / (SQRT(s) / root + eps)); \
  }
  if (o->amsgrad) {
    ADAM(s = s > vmax[i] ? s : vmax[i]; vmax[i] = s;)
  } else {
    ADAM()
  }
#undef ADAM
}

static void FN(CAT(rmsprop, S))(int64_t n, T *p, const T *grad, T *v, T *u, T *buf, T scale,
                                const bss_rmsprop_options *o) {
  const T lr = (T)o->lr, a = (T)o->alpha, c = (T)(1 - o->alpha), eps = (T)o->eps,
          wd = (T)o->weight_decay, mu = (T)o->momentum;
#define RMSPROP(MEAN, STEP)            \
  LOOP {                               \
    GRADIENT                           \
    T s = a * v[i] + c * (g * g);      \
    v[i] = s;                          \
    MEAN T step = g / (SQRT(s) + eps); \
    STEP                               \
  }
#define CENTRED                  \
  {                              \
    T w = u[i] + c * (g - u[i]); \
    u[i] = w;                    \
    s = s - w * w;               \
  }
#define PLAIN_STEP p[i] -= lr * step;
#define MOMENTUM_STEP         \
  {                           \
    T b = mu * buf[i] + step; \
    buf[i] = b;               \
    p[i] -= lr * b;           \
  }
  if (o->momentum > 0) {
    if (o->centered) {
      RMSPROP(CENTRED, MOMENTUM_STEP)
    } else {
      RMSPROP(, MOMENTUM_STEP)
    }
  } else {
    if (o->centered) {
      RMSPROP(CENTRED, PLAIN_STEP)
    } else {
      RMSPROP(, PLAIN_STEP)
    }
  }
#undef RMSPROP
#undef CENTRED
#undef PLAIN_STEP
#undef MOMENTUM_STEP
}
#undef LOOP
#undef GRADIENT
