// Orders: weighted sampling without replacement, permutations, stable argsort. LSD radix sorts;
// index order breaks ties.
#pragma once
#include "bss_base.h"

/// Status of functions that need working memory.
enum { BSS_OUT_OF_MEMORY = 2 };

/// A random order of 0 ..< n in which the next element is drawn with probability proportional to
/// its weight among those left. Keys -log(u) / w ascending (Efraimidis & Spirakis, "Weighted random
/// sampling with a reservoir", IPL 2006, algorithm A), u = the f64 uniform of element i of stream
/// (key, counter) (bss_random.h; consumes ceil(n / 2) blocks), 52 bits kept. Weights >= 0 and
/// finite (checked by the caller); zero weights come last in index order. `out`: n indices.
int bss_weighted_order(const double *weights, int64_t n, uint64_t key, uint64_t counter,
                       int64_t *out);
/// The same with weights exp(log_weights): the key is log(-log(u)) - log_weight, so no weight over-
/// or underflows. -inf = weight zero (last, in index order).
int bss_weighted_order_log(const double *log_weights, int64_t n, uint64_t key, uint64_t counter,
                           int64_t *out);
/// A uniform random permutation of 0 ..< n; consumes ceil(n / 2) blocks.
int bss_permutation(int64_t n, uint64_t key, uint64_t counter, int64_t *out);
/// Stable argsort of F32, F64 or I64 keys (contiguous). Descending is stable too: equal keys keep
/// index order. No NaN (checked by the caller); -0 equals 0.
int bss_argsort(bss_dtype dtype, const void *keys, int64_t n, bool descending, int64_t *out);
