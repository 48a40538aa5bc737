// Reductions over any set of axes.
#pragma once
#include "bss_base.h"
#include "bss_ops.h"

// SUM, PROD: F32, F64, I64; BOOL -> I64 (counts). MAX, MIN: F32, F64, I64; NaN wins. ARGMAX, ARGMIN
// -> I64: position among the reduced elements in row-major order; first wins; the first NaN wins
// over all. ANY, ALL: BOOL -> BOOL. SUM_SQUARES, SUM_ABS: F32, F64.

/// out = reduction of x over the axes whose bit is set in `axes_mask` (bit i = axis i). `out` is
/// contiguous and has the kept axes in their order (rank 0 when all are reduced). Empty reductions:
/// SUM 0, PROD 1, ALL true, ANY false; the caller rejects them for MAX, MIN, ARGMAX, ARGMIN. Float
/// sums keep many fixed partial sums: error far below naive summation, same bits for any thread
/// count.
int bss_reduce(bss_reduce_op op, const bss_view *x, uint32_t axes_mask, const bss_view *out);

/// Elements without gaps.
typedef struct {
  bss_dtype dtype;
  const void *data;
  int64_t count;
} bss_buffer;
/// Sum of squares accumulated in double, for global norms. F32 or F64.
int bss_sum_squares(bss_dtype dtype, const void *x, int64_t count, double *result);
/// Over several buffers, in their order.
int bss_sum_squares_all(const bss_buffer *parts, int64_t count, double *result);

/// Running sum along the last axis of contiguous [rows, columns]; F32 (accumulated in double), F64,
/// I64.
int bss_cumsum(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out);
