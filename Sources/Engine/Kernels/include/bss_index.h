// Indexing. Arrays are contiguous and seen as [outer, axis, inner] around the indexed axis, unless
// a bss_view is asked for. Indices are 0-based int64 and must have passed bss_index_check.
#pragma once
#include "bss_base.h"

/// *position = that of the first index outside 0 ..< limit, or -1 when all are inside.
int bss_index_check(const int64_t *indices, int64_t count, int64_t limit, int64_t *position);

/// An array of rows of `run` bytes, and where some of them go.
typedef struct {
  const void *x;
  void *out;
  int64_t run;
} bss_row_part;
/// Of every part: row i of out = row rows[i] of x. One batch of everything that a step reads.
int bss_gather_rows(const bss_row_part *parts, int64_t parts_count, const int64_t *rows,
                    int64_t count);

/// y[o, i, :] = x[o, indices[i], :]; x [outer, axis, inner], y [outer, count, inner]. Any dtype.
/// With outer = 1: rows by list (batches, embedding lookup).
int bss_index_select(bss_dtype dtype, int64_t outer, int64_t axis, int64_t inner, const void *x,
                     const int64_t *indices, int64_t count, void *y);
/// x[o, indices[i], :] += alpha * source[o, i, :], in place, repeated indices in ascending i. Index
/// `skip` is left out (the padding row of an embedding; -1 = none). dtype: F32, F64, I64 (alpha
/// rounded).
int bss_index_add(bss_dtype dtype, int64_t outer, int64_t axis, int64_t inner, void *x,
                  const int64_t *indices, int64_t count, const void *source, double alpha,
                  int64_t skip);

/// y[..., i, ...] = x[..., index[..., i, ...], ...] along `axis`; y has index's shape, x may be
/// larger in other axes. Any dtype.
int bss_gather(const bss_view *x, const bss_view *index, int32_t axis, const bss_view *y);
/// y[..., index[..., i, ...], ...] += source[..., i, ...] along `axis`, in place, in row-major
/// order of the index. F32, F64, I64.
int bss_scatter_add(const bss_view *y, const bss_view *index, int32_t axis, const bss_view *source);

/// y[i, k] = (indices[i] == k); y [count, classes] of F32, F64, I64 or BOOL.
int bss_one_hot(bss_dtype dtype, const int64_t *indices, int64_t count, int64_t classes, void *y);

/// y = x with `before[d]` elements of `value` in front of axis d and the rest behind; negative =
/// cropped. Any dtype.
int bss_pad_constant(bss_dtype dtype, int32_t rank, const int64_t *in_shape,
                     const int64_t *out_shape, const int64_t *before, double value, const void *x,
                     void *y);

/// Running sums along any axis, from the end when `reverse`. F32 (summed in double), F64, I64.
int bss_cumulative_sum(bss_dtype dtype, int64_t outer, int64_t axis, int64_t inner, bool reverse,
                       const void *x, void *y);
