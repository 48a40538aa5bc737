// Sorting: bss_sort.h says what. Elements become unsigned keys whose order is the wanted one, then
// short rows are sorted by insertion, longer ones by a radix sort of 11 bits a pass. Both are
// stable.
#include "bss_sort.h"
#include "bss_conv.h"
#include "element.h"
#include <stdatomic.h>

// MARK: Keys: ascending unsigned order = ascending order of the values, NaN last, -0 = +0

static inline uint32_t key_f32(float v) {
  if (v != v) return UINT32_MAX;
  v += 0.0f;  // -0 becomes +0
  uint32_t bits;
  memcpy(&bits, &v, 4);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static inline uint64_t key_f64(double v) {
  if (v != v) return UINT64_MAX;
  v += 0.0;
  uint64_t bits;
  memcpy(&bits, &v, 8);
  return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static inline uint64_t key_i64(int64_t v) { return (uint64_t)v ^ (uint64_t)1 << 63; }

typedef struct {
  int64_t n, k;
  bool descending;
  const void *x;
  void *values;
  int64_t *indices;
  _Atomic int failed;
} sort_job;

#define T float
#define KEY uint32_t
#define OF(name) name##_f32
#include "sort.inc.h"
#undef T
#undef KEY
#undef OF
#define T double
#define KEY uint64_t
#define OF(name) name##_f64
#include "sort.inc.h"
#undef T
#undef KEY
#undef OF
#define T int64_t
#define KEY uint64_t
#define OF(name) name##_i64
#include "sort.inc.h"

#define BY_TYPE(dtype, name) \
  ((dtype) == BSS_F32 ? name##_f32 : (dtype) == BSS_F64 ? name##_f64 : name##_i64)

static int run_rows(int64_t rows, int64_t cost, bss_task row, sort_job *job) {
  int status = bss_run_items(rows, cost, row, job);
  if (status == BSS_OK && bss_cancel_requested()) return BSS_CANCELLED;  // inside a row
  return status == BSS_OK && job->failed ? BSS_NO_MEMORY : status;
}

int bss_sort(bss_dtype dtype, int64_t rows, int64_t n, bool descending, const void *x, void *values,
             int64_t *indices) {
  sort_job job = {
      .n = n, .k = n, .descending = descending, .x = x, .values = values, .indices = indices};
  return run_rows(rows, 16 * n, BY_TYPE(dtype, sort_row), &job);
}

int bss_top_k(bss_dtype dtype, int64_t rows, int64_t n, int64_t k, bool largest, const void *x,
              void *values, int64_t *indices) {
  sort_job job = {
      .n = n, .k = k, .descending = largest, .x = x, .values = values, .indices = indices};
  // A heap of k wins as long as few elements enter it; else the whole row is sorted.
  if (k > 64 && k > n / 8) return run_rows(rows, 16 * n, BY_TYPE(dtype, sort_row), &job);
  return run_rows(rows, 4 * n, BY_TYPE(dtype, top_k_row), &job);
}
