// Orders by radix sort. Every sort is of (64-bit key, index) and its result is the one order by
// key, then index, so neither buckets nor threads can change it.
//
// 1. Keys are written to `out` itself (both are 8 bytes an element); their range is cut into 2^16
// bins, which are counted.
// 2. Neighbouring bins are joined to buckets of about n / 512 elements; each element moves to its
// bucket.
// 3. Buckets, small enough for the cache, are sorted one by one: two radix passes over the leading
// bits of what differs
//    inside, then insertion for what those left (full radix when that is much). Indices go to
//    `out`.
#include "bss_order.h"
#include "bss_random.h"
#include "table.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum {
  bin_bits = 16,
  bins = 1 << bin_bits,
  target_buckets = 512,
  smallest_bucket = 4096,
  digit = 11,
  most_chunks = 16
};

typedef struct {
  uint64_t key;
  int64_t index;
} item;

typedef struct {
  int64_t n, chunk, chunks;
  int64_t *out;  // holds the keys until step 2 has moved them
  item *items;
  uint64_t low[most_chunks], high[most_chunks];  // of each chunk
  uint64_t base;
  int shift;            // bin = (key - base) >> shift
  uint32_t *counts;     // [chunks][bins]
  uint16_t *bucket_of;  // [bins]
  int64_t buckets;
  int64_t *start;   // [buckets + 1]
  int64_t *cursor;  // [chunks][buckets]
  atomic_bool out_of_memory;
  // where keys come from
  void (*fill)(const void *source, int64_t first, int64_t n, uint64_t *keys);
  const void *source;
} sort;

static int64_t minimum(int64_t a, int64_t b) { return a < b ? a : b; }

static void *big_block(int64_t bytes) {
  const size_t page = 2 << 20;
  if (bytes < (int64_t)(4 * page)) return malloc((size_t)bytes);
  void *p = aligned_alloc(page, ((size_t)bytes + page - 1) / page * page);
#if defined(MADV_HUGEPAGE)
  if (p)
    madvise(p, (size_t)bytes,
            MADV_HUGEPAGE);  // first touch of small pages costs more than the sort
#endif
  return p;
}

// MARK: one bucket

static void radix_pass(const item *from, item *to, int64_t n, uint64_t base, int shift) {
  int64_t count[1 << digit] = {0};
  for (int64_t i = 0; i < n; i++) count[(from[i].key - base) >> shift & ((1 << digit) - 1)]++;
  int64_t sum = 0;
  for (int d = 0; d < 1 << digit; d++) {
    int64_t c = count[d];
    count[d] = sum;
    sum += c;
  }
  for (int64_t i = 0; i < n; i++)
    to[count[(from[i].key - base) >> shift & ((1 << digit) - 1)]++] = from[i];
}

/// False when it would take too many moves.
static bool insertion(item *x, int64_t n) {
  int64_t budget = 16 * n + 1024;
  for (int64_t i = 1; i < n; i++) {
    item v = x[i];
    int64_t j = i;
    for (; j > 0 && x[j - 1].key > v.key; j--) x[j] = x[j - 1];
    x[j] = v;
    budget -= i - j;
    if (budget < 0) return false;
  }
  return true;
}

/// Sorts x stably by key; t is working memory of the same size. Returns where the result is.
static item *sort_bucket(item *x, item *t, int64_t n) {
  uint64_t low = UINT64_MAX, high = 0;
  for (int64_t i = 0; i < n; i++) {
    low = x[i].key < low ? x[i].key : low;
    high = x[i].key > high ? x[i].key : high;
  }
  if (n < 2 || low == high) return x;
  int bits = 64 - __builtin_clzll(high - low);
  if (n > 64) {
    int shift = bits > 2 * digit ? bits - 2 * digit : 0;
    for (int pass = 0; pass < 2 && shift < bits; pass++, shift += digit) {
      radix_pass(x, t, n, low, shift);
      item *swap = x;
      x = t;
      t = swap;
    }
  }
  if (insertion(x, n)) return x;
  for (int shift = 0; shift < bits; shift += digit) {
    radix_pass(x, t, n, low, shift);
    item *swap = x;
    x = t;
    t = swap;
  }
  return x;
}

static void bucket_task(void *context, int64_t bucket) {
  sort *s = context;
  int64_t first = s->start[bucket], n = s->start[bucket + 1] - first;
  if (n == 0) return;
  item *t = malloc((size_t)n * sizeof(item));
  if (!t) {
    atomic_store(&s->out_of_memory, true);
    return;
  }
  const item *sorted = sort_bucket(s->items + first, t, n);
  for (int64_t i = 0; i < n; i++) s->out[first + i] = sorted[i].index;
  free(t);
}

// MARK: steps over chunks

static void key_task(void *context, int64_t c) {
  sort *s = context;
  int64_t first = c * s->chunk, n = minimum(s->n - first, s->chunk);
  uint64_t *keys = (uint64_t *)s->out + first, low = UINT64_MAX, high = 0;
  s->fill(s->source, first, n, keys);
  for (int64_t i = 0; i < n; i++) {
    low = keys[i] < low ? keys[i] : low;
    high = keys[i] > high ? keys[i] : high;
  }
  s->low[c] = low;
  s->high[c] = high;
}

static void count_task(void *context, int64_t c) {
  sort *s = context;
  int64_t first = c * s->chunk, n = minimum(s->n - first, s->chunk);
  const uint64_t *keys = (const uint64_t *)s->out + first;
  uint32_t *count = s->counts + c * bins;
  for (int64_t i = 0; i < n; i++) count[(keys[i] - s->base) >> s->shift]++;
}

static void move_task(void *context, int64_t c) {
  sort *s = context;
  int64_t first = c * s->chunk, n = minimum(s->n - first, s->chunk);
  const uint64_t *keys = (const uint64_t *)s->out + first;
  int64_t *cursor = s->cursor + c * s->buckets;
  for (int64_t i = 0; i < n; i++) {
    uint64_t key = keys[i];
    s->items[cursor[s->bucket_of[(key - s->base) >> s->shift]]++] = (item){key, first + i};
  }
}

/// Joins bins to buckets and lays out where each chunk writes.
static void lay_out(sort *s) {
  int64_t wanted = s->n / target_buckets + 1, filled = 0, bucket = 0;
  for (int64_t bin = 0; bin < bins; bin++) {
    int64_t count = 0;
    for (int64_t c = 0; c < s->chunks; c++) count += s->counts[c * bins + bin];
    if (filled > 0 && filled + count > wanted) {
      bucket++;
      filled = 0;
    }
    filled += count;
    s->bucket_of[bin] = (uint16_t)bucket;
  }
  s->buckets = bucket + 1;
  memset(s->cursor, 0, (size_t)(s->chunks * s->buckets) * sizeof(int64_t));
  for (int64_t c = 0; c < s->chunks; c++)
    for (int64_t bin = 0; bin < bins; bin++)
      s->cursor[c * s->buckets + s->bucket_of[bin]] += s->counts[c * bins + bin];
  int64_t sum = 0;
  for (int64_t b = 0; b < s->buckets; b++) {
    s->start[b] = sum;
    for (int64_t c = 0; c < s->chunks; c++) {
      int64_t count = s->cursor[c * s->buckets + b];
      s->cursor[c * s->buckets + b] = sum;
      sum += count;
    }
  }
  s->start[s->buckets] = sum;
}

static int sort_small(sort *s) {
  s->items = malloc((size_t)s->n * sizeof(item));
  int64_t start[2] = {0, s->n};
  if (!s->items) return BSS_OUT_OF_MEMORY;
  s->fill(s->source, 0, s->n, (uint64_t *)s->out);
  for (int64_t i = 0; i < s->n; i++) s->items[i] = (item){(uint64_t)s->out[i], i};
  s->start = start;
  bucket_task(s, 0);
  free(s->items);
  return atomic_load(&s->out_of_memory) ? BSS_OUT_OF_MEMORY : BSS_OK;
}

static int sort_large(sort *s) {
  int status = bss_pool_run(s->chunks, key_task, s);
  if (status != BSS_OK) return status;
  uint64_t low = UINT64_MAX, high = 0;
  for (int64_t c = 0; c < s->chunks; c++) {
    low = s->low[c] < low ? s->low[c] : low;
    high = s->high[c] > high ? s->high[c] : high;
  }
  s->base = low;
  int bits = high > low ? 64 - __builtin_clzll(high - low) : 0;
  s->shift = bits > bin_bits ? bits - bin_bits : 0;
  status = bss_pool_run(s->chunks, count_task, s);
  if (status != BSS_OK) return status;
  lay_out(s);
  status = bss_pool_run(s->chunks, move_task, s);
  if (status == BSS_OK) status = bss_pool_run(s->buckets, bucket_task, s);
  return status == BSS_OK && atomic_load(&s->out_of_memory) ? BSS_OUT_OF_MEMORY : status;
}

static int run_sort(int64_t n, int64_t *out,
                    void (*fill)(const void *, int64_t, int64_t, uint64_t *), const void *source) {
  sort s = {.n = n, .out = out, .fill = fill, .source = source};
  if (n <= 8 * smallest_bucket) return n == 0 ? BSS_OK : sort_small(&s);
  s.chunks = minimum(most_chunks, (n + (1 << 18) - 1) >> 18);
  s.chunk =
      ((n + s.chunks - 1) / s.chunks + 1) / 2 * 2;  // even: two keys come from one random block
  s.chunks = (n + s.chunk - 1) / s.chunk;
  const int64_t most_buckets =
      2 * target_buckets + 2;  // two neighbours together exceed the wanted size
  s.items = big_block(n * (int64_t)sizeof(item));
  s.counts = calloc((size_t)(s.chunks * bins), sizeof(uint32_t));
  s.bucket_of = malloc(bins * sizeof(uint16_t));
  s.start = malloc((size_t)(most_buckets + 1) * sizeof(int64_t));
  s.cursor = malloc((size_t)(s.chunks * most_buckets) * sizeof(int64_t));
  int status = s.items && s.counts && s.bucket_of && s.start && s.cursor ? sort_large(&s)
                                                                         : BSS_OUT_OF_MEMORY;
  free(s.items);
  free(s.counts);
  free(s.bucket_of);
  free(s.start);
  free(s.cursor);
  return status;
}

// MARK: keys

typedef struct {
  const double *weights;
  bool logarithmic;
  uint64_t key, counter;
} weighted_source;

static void weighted_keys(const void *source, int64_t first, int64_t n, uint64_t *keys) {
  const weighted_source *s = source;
  uint64_t counter = s->counter + (uint64_t)first / 2;
  bss_loops->order_keys(s->weights + first, s->logarithmic, s->key, counter, keys, n / 2);
  if (n & 1) {
    double last[2] = {s->weights[first + n - 1], 1};
    uint64_t pair[2];
    bss_loops->order_keys(last, s->logarithmic, s->key, counter + (uint64_t)n / 2, pair, 1);
    keys[n - 1] = pair[0];
  }
}

int bss_weighted_order(const double *weights, int64_t n, uint64_t key, uint64_t counter,
                       int64_t *out) {
  return run_sort(n, out, weighted_keys, &(weighted_source){weights, false, key, counter});
}

int bss_weighted_order_log(const double *log_weights, int64_t n, uint64_t key, uint64_t counter,
                           int64_t *out) {
  return run_sort(n, out, weighted_keys, &(weighted_source){log_weights, true, key, counter});
}

/// Whole 64-bit words as keys: a tie has probability n^2 / 2^65.
static void word_keys(const void *source, int64_t first, int64_t n, uint64_t *keys) {
  const weighted_source *s = source;
  bss_random_u32(s->key, s->counter + (uint64_t)first / 2, (uint32_t *)keys, 2 * n);
}

int bss_permutation(int64_t n, uint64_t key, uint64_t counter, int64_t *out) {
  return run_sort(n, out, word_keys, &(weighted_source){NULL, false, key, counter});
}

typedef struct {
  const void *values;
  bss_dtype dtype;
  bool descending;
} value_source;

static void value_keys(const void *source, int64_t first, int64_t n, uint64_t *keys) {
  const value_source *s = source;
  const uint64_t turn = s->descending ? UINT64_MAX : 0, sign = 1ull << 63;
  for (int64_t i = 0; i < n; i++) {
    uint64_t b;
    if (s->dtype == BSS_I64) {
      b = ((const uint64_t *)s->values)[first + i] ^ sign;
    } else {
      double v = (s->dtype == BSS_F32 ? ((const float *)s->values)[first + i]
                                      : ((const double *)s->values)[first + i]) +
                 0.0;
      memcpy(&b, &v, 8);  // -0 + 0 is +0
      b ^= b & sign ? UINT64_MAX : sign;
    }
    keys[i] = b ^ turn;
  }
}

int bss_argsort(bss_dtype dtype, const void *keys, int64_t n, bool descending, int64_t *out) {
  return run_sort(n, out, value_keys, &(value_source){keys, dtype, descending});
}
