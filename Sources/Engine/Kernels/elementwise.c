// Elementwise ops: float dtypes go to the vector loops, I64 and BOOL are plain C here.
#include "bss_elementwise.h"
#include "table.h"
#include "walk.h"
#include <math.h>

enum { costly_grain = 2048 };  // elements a task for functions that take tens of nanoseconds

// MARK: unary

typedef struct {
  int op;
  double p0, p1;
  bss_dtype dtype;
} unary_context;

static void unary_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  if (c->dtype == BSS_F32)
    bss_loops->unary_f32(c->op, (const float *)p[0], (float *)p[1], n, c->p0, c->p1);
  else bss_loops->unary_f64(c->op, (const double *)p[0], (double *)p[1], n, c->p0, c->p1);
}

static int64_t wrap_negate(int64_t v) { return (int64_t)(0 - (uint64_t)v); }
static int64_t wrap_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t wrap_sub(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t wrap_mul(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

static void unary_i64_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  const int64_t *x = (const int64_t *)p[0], a = saturated_i64(c->p0), b = saturated_i64(c->p1);
  int64_t *out = (int64_t *)p[1];
#define MAP(e)                      \
  for (int64_t i = 0; i < n; i++) { \
    int64_t v = x[i];               \
    out[i] = (e);                   \
  }                                 \
  break
  switch (c->op) {
  case BSS_NEG: MAP(wrap_negate(v));
  case BSS_ABS: MAP(v < 0 ? wrap_negate(v) : v);
  case BSS_SQUARE: MAP(wrap_mul(v, v));
  case BSS_SIGN: MAP((v > 0) - (v < 0));
  case BSS_CLAMP: MAP(v < a ? a : v > b ? b : v);
  case BSS_ADD_SCALAR: MAP(wrap_add(v, a));
  case BSS_MUL_SCALAR: MAP(wrap_mul(v, a));
  default: MAP(v);
  }
#undef MAP
}

static void test_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  uint8_t *out = (uint8_t *)p[1];
#define TEST(e)                             \
  if (c->dtype == BSS_F32)                  \
    for (int64_t i = 0; i < n; i++) {       \
      float v = ((const float *)p[0])[i];   \
      out[i] = (e);                         \
    }                                       \
  else                                      \
    for (int64_t i = 0; i < n; i++) {       \
      double v = ((const double *)p[0])[i]; \
      out[i] = (e);                         \
    }                                       \
  break
  switch (c->op) {
  case BSS_ISNAN: TEST(v != v);
  case BSS_ISINF: TEST(v == INFINITY || v == -INFINITY);
  case BSS_ISFINITE: TEST(v - v == 0);
  default:
    for (int64_t i = 0; i < n; i++) out[i] = p[0][i] == 0;  // LOGICAL_NOT
  }
#undef TEST
}

static bool is_costly(int op) {
  return op == BSS_POW_SCALAR || op == BSS_SIN || op == BSS_COS || op == BSS_DIGAMMA ||
         op == BSS_TRIGAMMA || op == BSS_LGAMMA || op == BSS_ERF || op == BSS_GELU;
}

int bss_unary(bss_unary_op op, const bss_view *x, const bss_view *out, double p0, double p1) {
  unary_context c = {op, p0, p1, x->dtype};
  walk_body body = op >= BSS_ISNAN ? test_body : x->dtype == BSS_I64 ? unary_i64_body : unary_body;
  return walk_run((const bss_view *[]){x, out}, 2, is_costly(op) ? costly_grain : 0, body, &c);
}

static bool reads_result(int op) {
  return op == BSS_EXP || op == BSS_EXPM1 || op == BSS_SQRT || op == BSS_RSQRT ||
         op == BSS_RECIPROCAL || op == BSS_TANH || op == BSS_SIGMOID;
}

static void backward_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  // p[1] is x or y, whichever the op reads.
  if (c->dtype == BSS_F32)
    bss_loops->unary_backward_f32(c->op, (const float *)p[0], (const float *)p[1],
                                  (const float *)p[1], (float *)p[2], n, c->p0, c->p1);
  else
    bss_loops->unary_backward_f64(c->op, (const double *)p[0], (const double *)p[1],
                                  (const double *)p[1], (double *)p[2], n, c->p0, c->p1);
}

int bss_unary_backward(bss_unary_op op, const bss_view *grad, const bss_view *x, const bss_view *y,
                       const bss_view *out, double p0, double p1) {
  unary_context c = {op, p0, p1, out->dtype};
  const bss_view *operand = reads_result(op) ? y : x;
  return walk_run((const bss_view *[]){grad, operand, out}, 3, is_costly(op) ? costly_grain : 0,
                  backward_body, &c);
}

// MARK: binary

typedef struct {
  int op;
  bss_dtype dtype;
  double alpha;
} binary_context;

static int64_t power_i64(int64_t base, int64_t e) {
  if (e < 0) return base == 1 ? 1 : base == -1 ? (e & 1 ? -1 : 1) : 0;
  int64_t y = 1;
  for (; e; e >>= 1, base = wrap_mul(base, base))
    if (e & 1) y = wrap_mul(y, base);
  return y;
}

static void binary_i64_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  const int64_t *a = (const int64_t *)p[0], *b = (const int64_t *)p[1];
  int64_t *out = (int64_t *)p[2];
#define ZIP(e)                      \
  for (int64_t i = 0; i < n; i++) { \
    int64_t u = a[i], v = b[i];     \
    out[i] = (e);                   \
  }                                 \
  break
  switch (c->op) {
  case BSS_ADD: ZIP(wrap_add(u, v));
  case BSS_SUB: ZIP(wrap_sub(u, v));
  case BSS_MUL: ZIP(wrap_mul(u, v));
  case BSS_DIV: ZIP(v == 0 ? 0 : v == -1 ? wrap_negate(u) : u / v);
  case BSS_MAXIMUM: ZIP(u > v ? u : v);
  case BSS_MINIMUM: ZIP(u < v ? u : v);
  case BSS_POW: ZIP(power_i64(u, v));
  }
#undef ZIP
}

static void binary_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  if (c->dtype == BSS_F32)
    bss_loops->binary_f32(c->op, (const float *)p[0], (const float *)p[1], (float *)p[2], n);
  else bss_loops->binary_f64(c->op, (const double *)p[0], (const double *)p[1], (double *)p[2], n);
}

int bss_binary(bss_binary_op op, const bss_view *a, const bss_view *b, const bss_view *out) {
  binary_context c = {op, out->dtype, 0};
  walk_body body = out->dtype == BSS_I64 ? binary_i64_body : binary_body;
  return walk_run((const bss_view *[]){a, b, out}, 3, op == BSS_POW ? costly_grain : 0, body, &c);
}

#define COMPARE(T)                                           \
  {                                                          \
    const T *a = (const T *)p[0], *b = (const T *)p[1];      \
    switch (c->op) {                                         \
    case BSS_EQ:                                             \
      for (int64_t i = 0; i < n; i++) out[i] = a[i] == b[i]; \
      break;                                                 \
    case BSS_NE:                                             \
      for (int64_t i = 0; i < n; i++) out[i] = a[i] != b[i]; \
      break;                                                 \
    case BSS_LT:                                             \
      for (int64_t i = 0; i < n; i++) out[i] = a[i] < b[i];  \
      break;                                                 \
    case BSS_LE:                                             \
      for (int64_t i = 0; i < n; i++) out[i] = a[i] <= b[i]; \
      break;                                                 \
    case BSS_GT:                                             \
      for (int64_t i = 0; i < n; i++) out[i] = a[i] > b[i];  \
      break;                                                 \
    case BSS_GE:                                             \
      for (int64_t i = 0; i < n; i++) out[i] = a[i] >= b[i]; \
      break;                                                 \
    }                                                        \
  }
static void compare_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  uint8_t *restrict out = (uint8_t *)p[2];
  switch (c->dtype) {
  case BSS_F32: COMPARE(float) break;
  case BSS_F64: COMPARE(double) break;
  case BSS_I64: COMPARE(int64_t) break;
  case BSS_BOOL: COMPARE(uint8_t) break;
  }
}

int bss_compare(bss_compare_op op, const bss_view *a, const bss_view *b, const bss_view *out) {
  binary_context c = {op, a->dtype, 0};
  return walk_run((const bss_view *[]){a, b, out}, 3, 0, compare_body, &c);
}

static void logical_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  const uint8_t *a = (const uint8_t *)p[0], *b = (const uint8_t *)p[1];
  uint8_t *out = (uint8_t *)p[2];
  if (c->op == BSS_AND)
    for (int64_t i = 0; i < n; i++) out[i] = a[i] & b[i];
  else if (c->op == BSS_OR)
    for (int64_t i = 0; i < n; i++) out[i] = a[i] | b[i];
  else
    for (int64_t i = 0; i < n; i++) out[i] = a[i] ^ b[i];
}

int bss_logical(bss_logical_op op, const bss_view *a, const bss_view *b, const bss_view *out) {
  binary_context c = {op, BSS_BOOL, 0};
  return walk_run((const bss_view *[]){a, b, out}, 3, 0, logical_body, &c);
}

// MARK: selection

#define SELECT(T)                                                        \
  {                                                                      \
    const T *a = (const T *)p[1], *b = (const T *)p[2];                  \
    T *out = (T *)p[3];                                                  \
    for (int64_t i = 0; i < n; i++) out[i] = condition[i] ? a[i] : b[i]; \
  }
static void select_body(const void *context, char *const *p, int64_t n) {
  const uint8_t *condition = (const uint8_t *)p[0];
  switch (*(const int64_t *)context) {  // bits are moved, not values: one loop a size
  case 1: SELECT(uint8_t) break;
  case 4: SELECT(uint32_t) break;
  default: SELECT(uint64_t)
  }
}

int bss_select(const bss_view *condition, const bss_view *a, const bss_view *b,
               const bss_view *out) {
  int64_t size = dtype_size(out->dtype);
  return walk_run((const bss_view *[]){condition, a, b, out}, 4, 0, select_body, &size);
}

// MARK: accumulate

static void accumulate_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  if (c->dtype == BSS_F32) {
    bss_loops->accumulate_f32(c->alpha, (const float *)p[0], (const float *)p[1], (float *)p[2], n);
  } else if (c->dtype == BSS_F64) {
    bss_loops->accumulate_f64(c->alpha, (const double *)p[0], (const double *)p[1], (double *)p[2],
                              n);
  } else {
    const int64_t *x = (const int64_t *)p[0], *y = (const int64_t *)p[1],
                  alpha = saturated_i64(c->alpha);
    int64_t *out = (int64_t *)p[2];
    for (int64_t i = 0; i < n; i++) out[i] = wrap_add(y[i], wrap_mul(alpha, x[i]));
  }
}

int bss_accumulate(double alpha, const bss_view *x, const bss_view *out) {
  binary_context c = {0, out->dtype, alpha};
  return walk_run((const bss_view *[]){x, out, out}, 3, 0, accumulate_body, &c);
}

static void multiply_add_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  if (c->dtype == BSS_F32)
    bss_loops->multiply_add_f32(c->alpha, (const float *)p[0], (const float *)p[1],
                                (const float *)p[2], (float *)p[3], n);
  else
    bss_loops->multiply_add_f64(c->alpha, (const double *)p[0], (const double *)p[1],
                                (const double *)p[2], (double *)p[3], n);
}

int bss_multiply_add(double alpha, const bss_view *a, const bss_view *b, const bss_view *c,
                     const bss_view *out) {
  binary_context context = {0, out->dtype, alpha};
  return walk_run((const bss_view *[]){a, b, c, out}, 4, 0, multiply_add_body, &context);
}
