// Elementwise ops: float dtypes go to the vector loops, I64 and BOOL are plain C here.
#include "bss_elementwise.h"
#include "table.h"
#include "walk.h"
#include <math.h>
#define INLINE static inline
#include "whole.inc.h"

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

static void unary_i64_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  const int64_t *x = (const int64_t *)p[0], a = saturated_i64(c->p0), b = saturated_i64(c->p1);
  int64_t *out = (int64_t *)p[1];
#define WHOLE(y)                    \
  for (int64_t i = 0; i < n; i++) { \
    const int64_t v = x[i];         \
    out[i] = (y);                   \
  }
#define FLOATS
#define X(ID, id, name, formula, parameters, traits, value, slope, whole) \
  case BSS_##ID: whole break;
  switch (c->op) { BSS_UNARY_OPS(X) }
#undef X
}

#define TEST_ALL(T, test)           \
  for (int64_t i = 0; i < n; i++) { \
    T v = ((const T *)p[0])[i];     \
    out[i] = (test);                \
  }
static void test_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  uint8_t *out = (uint8_t *)p[1];
#define X(ID, id, name, formula, test)                   \
  case BSS_##ID:                                         \
    if (c->dtype == BSS_F32) TEST_ALL(float, test)       \
    else if (c->dtype == BSS_F64) TEST_ALL(double, test) \
    else TEST_ALL(uint8_t, test)                         \
    break;
  switch (c->op) { BSS_TEST_OPS(X) }
#undef X
}

static int64_t grain(uint32_t traits) { return traits & BSS_COSTLY ? costly_grain : 0; }

int bss_unary(bss_unary_op op, const bss_view *x, const bss_view *out, double p0, double p1) {
  unary_context c = {op, p0, p1, x->dtype};
  const bss_op_facts *facts = &bss_unary_facts[op];
  walk_body body = facts->is_test ? test_body : x->dtype == BSS_I64 ? unary_i64_body : unary_body;
  return walk_run((const bss_view *[]){x, out}, 2, grain(facts->traits), body, &c);
}

static void backward_body(const void *context, char *const *p, int64_t n) {
  const unary_context *c = context;
  if (c->dtype == BSS_F32)
    bss_loops->unary_backward_f32(c->op, (const float *)p[0], (const float *)p[1], (float *)p[2], n,
                                  c->p0, c->p1);
  else
    bss_loops->unary_backward_f64(c->op, (const double *)p[0], (const double *)p[1], (double *)p[2],
                                  n, c->p0, c->p1);
}

int bss_unary_backward(bss_unary_op op, const bss_view *grad, const bss_view *x,
                       const bss_view *out, double p0, double p1) {
  unary_context c = {op, p0, p1, out->dtype};
  int64_t least = grain(bss_unary_facts[op].traits);
  return walk_run((const bss_view *[]){grad, x, out}, 3, least, backward_body, &c);
}

// MARK: binary

typedef struct {
  int op;
  bss_dtype dtype;
  double alpha;
} binary_context;

static void binary_i64_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  const int64_t *a = (const int64_t *)p[0], *b = (const int64_t *)p[1];
  int64_t *out = (int64_t *)p[2];
#define X(ID, id, name, formula, value, whole) \
  case BSS_##ID:                               \
    for (int64_t i = 0; i < n; i++) {          \
      const int64_t u = a[i], v = b[i];        \
      out[i] = (whole);                        \
    }                                          \
    break;
  switch (c->op) { BSS_BINARY_OPS(X) }
#undef X
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

#define COMPARE(T)                                      \
  {                                                     \
    const T *a = (const T *)p[0], *b = (const T *)p[1]; \
    switch (c->op) { BSS_COMPARE_OPS(COMPARE_BY) }      \
  }
#define COMPARE_BY(ID, id, name, sign, operator)                 \
  case BSS_##ID:                                                 \
    for (int64_t i = 0; i < n; i++) out[i] = a[i] operator b[i]; \
    break;
static void compare_body(const void *context, char *const *p, int64_t n) {
  const binary_context *c = context;
  uint8_t *restrict out = (uint8_t *)p[2];
  switch (c->dtype) {
  case BSS_F32: COMPARE(float) break;
  case BSS_F64: COMPARE(double) break;
  case BSS_I64: COMPARE(int64_t) break;
  case BSS_BOOL: COMPARE(uint8_t) break;
  default: break;  // halves are compared as f32
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
#define X(ID, id, name, operator)                                \
  case BSS_##ID:                                                 \
    for (int64_t i = 0; i < n; i++) out[i] = a[i] operator b[i]; \
    break;
  switch (c->op) { BSS_LOGICAL_OPS(X) }
#undef X
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
  case 2: SELECT(uint16_t) break;
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
