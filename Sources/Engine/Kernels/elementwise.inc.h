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
#define EACH(y)       \
  LOOP {              \
    const T v = x[i]; \
    out[i] = (y);     \
  }
#define EACH_ERF(y)   \
  ERF_LOOP {          \
    const T v = x[i]; \
    out[i] = (y);     \
  }
#define EACH_LIBM(y)                \
  for (int64_t i = 0; i < n; i++) { \
    const T v = x[i];               \
    out[i] = (T)(y);                \
  }

#include "activation.inc.h"
#include "whole.inc.h"

static void FN(CAT(power, S))(const T *x, T *out, int64_t n, double p) {
  if (p == 2) EACH(v * v)
  else if (p == 3) EACH(v * v * v)
  else if (p == 1) EACH(v)
  else if (p == 0.5) EACH(SQRT(v))
  else if (p == -1) EACH((T)1 / v)
  else if (p == -2) EACH((T)1 / (v * v))
  else EACH_LIBM(__builtin_pow(v, p))
}

#define OWN_LOOP(name) FN(CAT(name, S))(x, out, n, p0);
static void FN(CAT(unary, S))(int op, const T *x, T *out, int64_t n, double p0, double p1) {
  const T a = (T)p0, b = (T)p1, one = (T)1;
#define X(ID, id, name, formula, parameters, traits, value, slope, whole) \
  case BSS_##ID: value break;
  switch (op) { BSS_UNARY_OPS(X) }
#undef X
}
#undef EACH
#undef EACH_ERF
#undef EACH_LIBM
#undef OWN_LOOP

// `x` is what the derivative reads, input or result; `upstream` what it is multiplied by. GRADIENT
// selects, so that 0 * inf cannot arise on a blocked side.
#define GRADIENT(e)                    \
  LOOP {                               \
    const T v = x[i], g = upstream[i]; \
    (void)v, (void)g;                  \
    out[i] = (e);                      \
  }
#define SLOPE(d)                \
  LOOP {                        \
    const T v = x[i];           \
    out[i] = upstream[i] * (d); \
  }
#define SLOPE_ERF(d)            \
  ERF_LOOP {                    \
    const T v = x[i];           \
    out[i] = upstream[i] * (d); \
  }
#define SLOPE_LIBM(d)                \
  for (int64_t i = 0; i < n; i++) {  \
    const T v = x[i];                \
    out[i] = (T)(upstream[i] * (d)); \
  }

static void FN(CAT(power_slope, S))(const T *upstream, const T *x, T *out, int64_t n, double p) {
  if (p == 2) SLOPE(2 * v)
  else if (p == 3) SLOPE(3 * v * v)
  else if (p == 1) GRADIENT(g)
  else if (p == 0) GRADIENT(0)
  else SLOPE_LIBM(p * __builtin_pow(v, p - 1))
}

#define OWN_LOOP(name) FN(CAT(name, S))(upstream, x, out, n, p0);
static void FN(CAT(unary_backward, S))(int op, const T *upstream, const T *x, T *out, int64_t n,
                                       double p0, double p1) {
  const T a = (T)p0, b = (T)p1, one = (T)1;
#define X(ID, id, name, formula, parameters, traits, value, slope, whole) \
  case BSS_##ID: slope break;
  switch (op) { BSS_UNARY_OPS(X) }
#undef X
}
#undef GRADIENT
#undef SLOPE
#undef SLOPE_ERF
#undef SLOPE_LIBM
#undef OWN_LOOP

#define EACH(y)                        \
  LOOP {                               \
    const T u = left[i], v = right[i]; \
    out[i] = (y);                      \
  }
#define EACH_LIBM(y)                   \
  for (int64_t i = 0; i < n; i++) {    \
    const T u = left[i], v = right[i]; \
    out[i] = (T)(y);                   \
  }
static void FN(CAT(binary, S))(int op, const T *left, const T *right, T *out, int64_t n) {
#define X(ID, id, name, formula, value, whole) \
  case BSS_##ID: value break;
  switch (op) { BSS_BINARY_OPS(X) }
#undef X
}
#undef EACH
#undef EACH_LIBM

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
