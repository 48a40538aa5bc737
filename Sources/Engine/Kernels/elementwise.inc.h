// Elementwise loops over contiguous memory for one float type: T, S (f32, f64), WIDTH.
// In place use means identical pointers, which `assume_safety` allows: each element is read before
// it is written.

#define LOOP \
  _Pragma("clang loop vectorize(assume_safety) interleave(enable)") for (int64_t i = 0; i < n; i++)
#if WIDTH == 16
#define ERF_LOOP LOOP
#else  // f64: libm's
#define ERF_LOOP for (int64_t i = 0; i < n; i++)
#endif
#define MAP(expression)    \
  LOOP {                   \
    T v = x[i];            \
    out[i] = (expression); \
  }                        \
  break
#define MAP_SCALAR(expression)      \
  for (int64_t i = 0; i < n; i++) { \
    T v = x[i];                     \
    out[i] = (T)(expression);       \
  }                                 \
  break
#define MAP_ERF(expression) \
  ERF_LOOP {                \
    T v = x[i];             \
    out[i] = (expression);  \
  }                         \
  break

INLINE T TN(sigmoid)(T v) { return (T)1 / ((T)1 + F(exp)(-v)); }
INLINE T TN(gelu_tanh_inner)(T v) { return (T)0.7978845608028654 * (v + (T)0.044715 * v * v * v); }

static void FN(CAT(unary, S))(int op, const T *x, T *out, int64_t n, double p0, double p1) {
  const T a = (T)p0, b = (T)p1;
  switch (op) {
  case BSS_NEG: MAP(-v);
  case BSS_ABS: MAP(v < 0 ? -v : v == 0 ? (T)0 : v);
  case BSS_SQUARE: MAP(v * v);
  case BSS_SIGN: MAP(v > 0 ? (T)1 : v < 0 ? (T)-1 : v);
  case BSS_CLAMP:
    LOOP {
      T v = x[i];
      v = v < a ? a : v;
      out[i] = v > b ? b : v;
    }
    break;
  case BSS_ADD_SCALAR: MAP(v + a);
  case BSS_MUL_SCALAR: MAP(v * a);
  case BSS_POW_SCALAR:
    if (p0 == 2) { MAP(v * v); }
    if (p0 == 3) { MAP(v * v * v); }
    if (p0 == 1) { MAP(v); }
    if (p0 == 0.5) { MAP(SQRT(v)); }
    if (p0 == -1) { MAP((T)1 / v); }
    if (p0 == -2) { MAP((T)1 / (v * v)); }
    MAP_SCALAR(__builtin_pow(v, p0));
  case BSS_EXP: MAP(F(exp)(v));
  case BSS_EXPM1: MAP(F(expm1)(v));
  case BSS_LOG: MAP(F(log)(v));
  case BSS_LOG1P: MAP(F(log1p)(v));
  case BSS_SQRT: MAP(SQRT(v));
  case BSS_RSQRT: MAP((T)1 / SQRT(v));
  case BSS_RECIPROCAL: MAP((T)1 / v);
  case BSS_TANH: MAP(F(tanh)(v));
  case BSS_SIGMOID: MAP(TN(sigmoid)(v));
  case BSS_RELU: MAP(v < 0 ? (T)0 : v);
  case BSS_LEAKY_RELU: MAP(v > 0 ? v : a * v);
  case BSS_ELU: MAP(v > 0 ? v : a * F(expm1)(v));
  case BSS_GELU: MAP_ERF((T)0.5 * v * ((T)1 + F(erf)(v * (T)0.7071067811865476)));
  case BSS_GELU_TANH: MAP((T)0.5 * v * ((T)1 + F(tanh)(TN(gelu_tanh_inner)(v))));
  case BSS_QUICK_GELU: MAP(v * TN(sigmoid)((T)1.702 * v));
  case BSS_SILU: MAP(v / ((T)1 + F(exp)(-v)));
  case BSS_LOGSIGMOID: MAP((v < 0 ? v : (T)0) - F(log1p)(F(exp)(v < 0 ? v : -v)));
  case BSS_SOFTPLUS: MAP(v * a > b ? v : F(log1p)(F(exp)(v * a)) / a);
  case BSS_ERF: MAP_ERF(F(erf)(v));
  case BSS_SIN: MAP_SCALAR(__builtin_sin(v));
  case BSS_COS: MAP_SCALAR(__builtin_cos(v));
  case BSS_DIGAMMA: MAP_SCALAR(bss_digamma(v));
  case BSS_TRIGAMMA: MAP_SCALAR(bss_trigamma(v));
  case BSS_LGAMMA: MAP_SCALAR(bss_lgamma(v));
  case BSS_FLOOR: MAP(__builtin_elementwise_floor(v));
  case BSS_CEIL: MAP(__builtin_elementwise_ceil(v));
  case BSS_ROUND: MAP(__builtin_elementwise_roundeven(v));
  }
}

#undef MAP
#undef MAP_SCALAR
#undef MAP_ERF
#define MAP(expression)           \
  LOOP {                          \
    T v = x[i];                   \
    out[i] = g[i] * (expression); \
  }                               \
  break
#define MAP_ERF(expression)       \
  ERF_LOOP {                      \
    T v = x[i];                   \
    out[i] = g[i] * (expression); \
  }                               \
  break
#define MAP_Y(expression)         \
  LOOP {                          \
    T v = y[i];                   \
    out[i] = g[i] * (expression); \
  }                               \
  break
#define MAP_SCALAR(expression)         \
  for (int64_t i = 0; i < n; i++) {    \
    T v = x[i];                        \
    out[i] = (T)(g[i] * (expression)); \
  }                                    \
  break
// A select on the gradient, so that 0 * inf cannot arise on the blocked side.
#define GATE(condition)                 \
  LOOP {                                \
    T v = x[i];                         \
    out[i] = (condition) ? g[i] : (T)0; \
  }                                     \
  break

static void FN(CAT(unary_backward, S))(int op, const T *g, const T *x, const T *y, T *out,
                                       int64_t n, double p0, double p1) {
  const T a = (T)p0, b = (T)p1, one = (T)1;
  switch (op) {
  case BSS_NEG: LOOP out[i] = -g[i]; break;
  case BSS_ABS: MAP(v > 0 ? one : v < 0 ? -one : (T)0);
  case BSS_SQUARE: MAP(2 * v);
  case BSS_CLAMP: GATE(v >= a && v <= b);
  case BSS_ADD_SCALAR: LOOP out[i] = g[i]; break;
  case BSS_MUL_SCALAR: LOOP out[i] = g[i] * a; break;
  case BSS_POW_SCALAR:
    if (p0 == 2) { MAP(2 * v); }
    if (p0 == 3) { MAP(3 * v * v); }
    if (p0 == 1) {
      LOOP out[i] = g[i];
      break;
    }
    if (p0 == 0) {
      LOOP out[i] = 0;
      break;
    }
    MAP_SCALAR(p0 * __builtin_pow(v, p0 - 1));
  case BSS_EXP: MAP_Y(v);
  case BSS_EXPM1: MAP_Y(v + one);
  case BSS_LOG: MAP(one / v);
  case BSS_LOG1P: MAP(one / (one + v));
  case BSS_SQRT: MAP_Y((T)0.5 / v);
  case BSS_RSQRT: MAP_Y((T)-0.5 * v * v * v);
  case BSS_RECIPROCAL: MAP_Y(-v * v);
  case BSS_TANH: MAP_Y(one - v * v);
  case BSS_SIGMOID: MAP_Y(v * (one - v));
  case BSS_RELU: GATE(v > 0);
  case BSS_LEAKY_RELU: MAP(v > 0 ? one : a);
  case BSS_ELU: MAP(v > 0 ? one : a * F(exp)(v));
  case BSS_GELU:
    MAP_ERF((T)0.5 * (one + F(erf)(v * (T)0.7071067811865476)) +
            v * F(exp)((T)-0.5 * v * v) * (T)0.3989422804014327);
  case BSS_GELU_TANH:
    LOOP {
      T v = x[i], t = F(tanh)(TN(gelu_tanh_inner)(v));
      out[i] = g[i] * ((T)0.5 * (one + t) + (T)0.5 * v * (one - t * t) * (T)0.7978845608028654 *
                                                (one + (T)0.134145 * v * v));
    }
    break;
  case BSS_QUICK_GELU:
    LOOP {
      T v = x[i], s = TN(sigmoid)((T)1.702 * v);
      out[i] = g[i] * (s + (T)1.702 * v * s * (one - s));
    }
    break;
  case BSS_SILU:
    LOOP {
      T v = x[i], s = TN(sigmoid)(v);
      out[i] = g[i] * (s * (one + v * (one - s)));
    }
    break;
  case BSS_LOGSIGMOID: MAP(one - TN(sigmoid)(v));
  case BSS_SOFTPLUS: MAP(v * a > b ? one : TN(sigmoid)(v * a));
  case BSS_ERF: MAP((T)1.1283791670955126 * F(exp)(-v * v));
  case BSS_SIN: MAP_SCALAR(__builtin_cos(v));
  case BSS_COS: MAP_SCALAR(-__builtin_sin(v));
  case BSS_DIGAMMA: MAP_SCALAR(bss_trigamma(v));
  case BSS_LGAMMA: MAP_SCALAR(bss_digamma(v));
  default: LOOP out[i] = 0; break;  // piecewise constant: SIGN, FLOOR, CEIL, ROUND
  }
}
#undef MAP
#undef MAP_ERF
#undef MAP_Y
#undef MAP_SCALAR
#undef GATE

#define ZIP(expression)    \
  LOOP {                   \
    T u = a[i], v = b[i];  \
    out[i] = (expression); \
  }                        \
  break
static void FN(CAT(binary, S))(int op, const T *a, const T *b, T *out, int64_t n) {
  switch (op) {
  case BSS_ADD: ZIP(u + v);
  case BSS_SUB: ZIP(u - v);
  case BSS_MUL: ZIP(u * v);
  case BSS_DIV: ZIP(u / v);
  case BSS_MAXIMUM: ZIP(u > v || u != u ? u : v);
  case BSS_MINIMUM: ZIP(u < v || u != u ? u : v);
  case BSS_POW:
    for (int64_t i = 0; i < n; i++) out[i] = (T)__builtin_pow(a[i], b[i]);
    break;
  }
}
#undef ZIP

/// out = y + alpha x
static void FN(CAT(accumulate, S))(double alpha, const T *x, const T *y, T *out, int64_t n) {
  const T a = (T)alpha;
  if (alpha == 1) LOOP out[i] = y[i] + x[i];
  else LOOP out[i] = y[i] + a * x[i];
}

static void FN(CAT(multiply_add, S))(double alpha, const T *a, const T *b, const T *c, T *out,
                                     int64_t n) {
  const T s = (T)alpha;
  LOOP out[i] = c[i] + s * a[i] * b[i];
}
#undef LOOP
#undef ERF_LOOP
