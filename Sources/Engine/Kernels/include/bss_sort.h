// Sorting along the last axis of contiguous rows [R, n]. Stable in both directions: equal keys
// (also -0 and +0) keep their order. NaN counts as greater than everything. dtype: F32, F64, I64.
#pragma once
#include "bss_base.h"

/// values (may be NULL) and indices (0-based positions in the row) in ascending or descending
/// order.
int bss_sort(bss_dtype dtype, int64_t rows, int64_t n, bool descending, const void *x, void *values,
             int64_t *indices);
/// The k largest (or smallest) of every row, best first; equal keys: lowest position first. values
/// [R, k], indices [R, k].
int bss_top_k(bss_dtype dtype, int64_t rows, int64_t n, int64_t k, bool largest, const void *x,
              void *values, int64_t *indices);
