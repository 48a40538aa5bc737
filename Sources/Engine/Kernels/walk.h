// Strided iteration for elementwise kernels: bodies see contiguous runs only.
//
// Operands are collapsed to as few dimensions as possible. An operand that is not contiguous along
// the run is gathered into a small buffer first (a broadcast scalar too), a non-contiguous output
// scattered after, so a kernel body is one plain loop. Work is cut into tasks of a fixed number of
// elements.
#pragma once
#include "bss_base.h"

enum { walk_operands = 5 };

/// ptr[k] = operand k's run of `count` contiguous elements; the last is the output.
typedef void (*walk_body)(const void *context, char *const *ptr, int64_t count);

/// Runs the body over all elements of operands (inputs first, output last; `count` <=
/// walk_operands). `grain` = elements a task (0 = default for cheap functions).
int walk_run(const bss_view *const *operands, int count, int64_t grain, walk_body body,
             const void *context);

static inline int64_t dtype_size(bss_dtype d) { return bss_dtype_size(d); }
static inline int64_t view_count(const bss_view *v) {
  int64_t n = 1;
  for (int i = 0; i < v->rank; i++) n *= v->shape[i];
  return n;
}
static inline bool view_is_contiguous(const bss_view *v) {
  int64_t expected = 1;
  for (int i = v->rank - 1; i >= 0; i--) {
    if (v->shape[i] != 1 && v->stride[i] != expected) return false;
    expected *= v->shape[i];
  }
  return true;
}
/// Truncation towards zero; NaN becomes 0, out of range the nearest end.
static inline int64_t saturated_i64(double v) {
  if (v != v) return 0;
  if (v >= 9223372036854775808.0) return INT64_MAX;
  if (v < -9223372036854775808.0) return INT64_MIN;
  return (int64_t)v;
}
