// What the kernels written as plain loops share: one source for float and double, and one for the
// three instruction-set levels.
//
// A file K.inc.h is included twice by K.c, with T the element type and OF(name) the name's variant:
//
//     #define T float
//     #define OF(name) name##_f32
#pragma once
#include "bss_base.h"
#include "level.h"
#include <stdlib.h>
#include <string.h>

/// A function that holds a loop, compiled once a level; the level in use answers:
///
///     LEVELS(void, OF(add), (int64_t n, const T *x, T *sum), (n, x, sum)) { … }
#define LEVELS(result, name, parameters, arguments) LEVELS_OF(result, name, parameters, arguments)
#if BSS_HAS_LEVELS
#define LEVELS_OF(result, name, parameters, arguments)                                             \
  INLINE result name##_body parameters;                                                            \
  __attribute__((target("arch=x86-64-v4"))) static result name##_v4 parameters {                   \
    return name##_body arguments;                                                                  \
  }                                                                                                \
  __attribute__((target("arch=x86-64-v3"))) static result name##_v3 parameters {                   \
    return name##_body arguments;                                                                  \
  }                                                                                                \
  static __attribute__((noinline)) result name##_base parameters { return name##_body arguments; } \
  static result name parameters {                                                                  \
    if (bss_level == bss_level_v4) return name##_v4 arguments;                                     \
    if (bss_level == bss_level_v3) return name##_v3 arguments;                                     \
    return name##_base arguments;                                                                  \
  }                                                                                                \
  INLINE result name##_body parameters
#else
#define LEVELS_OF(result, name, parameters, arguments) static result name parameters
#endif

/// Work below this many element visits is not worth waking a thread for.
#define BSS_PARALLEL_GRAIN 32768

static inline int64_t bss_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t bss_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t bss_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static inline int64_t bss_product3(const int64_t v[3]) { return v[0] * v[1] * v[2]; }

static inline size_t bss_size(bss_dtype dtype) { return (size_t)bss_dtype_size(dtype); }

/// Items per task, by shape only: `count` items of `cost` element visits each.
static inline int64_t bss_items_per_task(int64_t count, int64_t cost) {
  int64_t items = bss_max(1, BSS_PARALLEL_GRAIN / bss_max(1, cost));
  // Never more than 256 tasks: beyond that the bookkeeping costs more than balance gains.
  return bss_max(items, bss_ceil_div(count, 256));
}

/// Scratch memory of the calling thread, at least `bytes`, 64-byte aligned; valid until the next
/// call. NULL: none left. Kept for the life of the thread: fresh pages cost more than the work done
/// in them.
void *bss_scratch(size_t bytes);

/// item(context, 0 ..< items) on the pool, several small items to a task; `cost` = element visits
/// of one item.
int bss_run_items(int64_t items, int64_t cost, bss_task item, void *context);
