// Shared conventions of every kernel: the strided view, the pool.
//
// * A kernel trusts its arguments: shapes, dtypes and axes were checked by the op that calls it.
// * A kernel returns BSS_OK or BSS_CANCELLED; after BSS_CANCELLED its output is undefined.
// * Work is cut into tasks by SHAPE ONLY, never by the number of threads, and partial results are
//   combined in task order: same bits for any thread count.
#pragma once
#include "bss_interrupt.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BSS_MAX_RANK 8

/// F16 (IEEE binary16) and BF16 (the upper half of an F32) are stored, moved and converted; kernels
/// compute on the others.
typedef enum {
  BSS_F32 = 0,
  BSS_F64 = 1,
  BSS_I64 = 2,
  BSS_BOOL = 3,
  BSS_F16 = 4,
  BSS_BF16 = 5,
} bss_dtype;

/// Bytes an element.
static inline int64_t bss_dtype_size(bss_dtype dtype) {
  switch (dtype) {
  case BSS_BOOL: return 1;
  case BSS_F16:
  case BSS_BF16: return 2;
  case BSS_F32: return 4;
  default: return 8;
  }
}

/// A strided view. `data` points at element [0, 0, …]; strides count elements, may be 0 (broadcast)
/// or negative.
typedef struct {
  void *data;
  int64_t shape[BSS_MAX_RANK];
  int64_t stride[BSS_MAX_RANK];
  int32_t rank;
  bss_dtype dtype;
} bss_view;

// MARK: Fork-join pool (pool.c)

typedef void (*bss_task)(void *context, int64_t index);

/// Threads used from now on, including the caller (1 = no workers). Workers start at the first
/// parallel run.
void bss_pool_set_threads(int threads);
int bss_pool_threads(void);
/// Runs task(context, 0 ..< tasks); returns after all are done. Nested calls run inline.
/// Polls the cancellation flag between tasks: the rest is skipped and BSS_CANCELLED returned.
int bss_pool_run(int64_t tasks, bss_task task, void *context);
/// The same for tasks of a few tens of microseconds: up to four of them are not worth waking a
/// sleeping thread for.
int bss_pool_run_light(int64_t tasks, bss_task task, void *context);
