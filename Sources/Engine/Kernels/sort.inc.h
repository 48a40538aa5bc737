// Sorting of one element type T with keys of type KEY; included by sort.c.

typedef struct {
  KEY key;
  uint32_t low, high;  // position in the row, in two halves: no padding before a 4-byte key
} OF(entry);

static inline int64_t OF(position)(OF(entry) e) {
  return (int64_t)((uint64_t)e.high << 32 | e.low);
}

static inline OF(entry) OF(entry_at)(const T *x, int64_t i, bool descending) {
  KEY key = OF(key)(x[i]);
  return (OF(entry)){
      .key = descending ? ~key : key, .low = (uint32_t)i, .high = (uint32_t)((uint64_t)i >> 32)};
}

static void OF(insertion_sort)(OF(entry) * e, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    OF(entry) moved = e[i];
    int64_t j = i;
    for (; j > 0 && e[j - 1].key > moved.key; j--) e[j] = e[j - 1];
    e[j] = moved;
  }
}

#define RADIX_BITS 11
#define RADIX_SIZE (1 << RADIX_BITS)
#define RADIX_PART (1 << 20)

/// Least significant digit first; digits that all keys share are skipped. Returns the buffer that
/// holds the result; after a request to cancel, which is polled a million elements apart, one that
/// holds the entries in some order.
static OF(entry) * OF(radix_sort)(OF(entry) * from, OF(entry) * to, int64_t n) {
  int64_t count[RADIX_SIZE];
  for (int shift = 0; shift < (int)(8 * sizeof(KEY)); shift += RADIX_BITS) {
    memset(count, 0, sizeof count);
    for (int64_t part = 0; part < n; part += RADIX_PART) {
      if (bss_cancel_requested()) return from;
      int64_t stop = n - part < RADIX_PART ? n : part + RADIX_PART;
      for (int64_t i = part; i < stop; i++) count[from[i].key >> shift & (RADIX_SIZE - 1)]++;
    }
    if (count[from[0].key >> shift & (RADIX_SIZE - 1)] == n) continue;
    int64_t start = 0;
    for (int d = 0; d < RADIX_SIZE; d++) {
      int64_t here = count[d];
      count[d] = start;
      start += here;
    }
    for (int64_t part = 0; part < n; part += RADIX_PART) {
      if (bss_cancel_requested()) return from;
      int64_t stop = n - part < RADIX_PART ? n : part + RADIX_PART;
      for (int64_t i = part; i < stop; i++)
        to[count[from[i].key >> shift & (RADIX_SIZE - 1)]++] = from[i];
    }
    OF(entry) *swap = from;
    from = to;
    to = swap;
  }
  return from;
}
#undef RADIX_BITS
#undef RADIX_SIZE
#undef RADIX_PART

static void OF(write_row)(const sort_job *job, int64_t row, const OF(entry) * sorted) {
  const T *x = (const T *)job->x + row * job->n;
  for (int64_t i = 0; i < job->k; i++) {
    int64_t at = OF(position)(sorted[i]);
    job->indices[row * job->k + i] = at;
    if (job->values) ((T *)job->values)[row * job->k + i] = x[at];
  }
}

static void OF(sort_row)(void *context, int64_t row) {
  sort_job *job = context;
  int64_t n = job->n;
  const T *x = (const T *)job->x + row * n;
  if (n <= 64) {
    OF(entry) few[64];
    for (int64_t i = 0; i < n; i++) few[i] = OF(entry_at)(x, i, job->descending);
    OF(insertion_sort)(few, n);
    OF(write_row)(job, row, few);
    return;
  }
  OF(entry) *entries = malloc((size_t)(2 * n) * sizeof *entries);
  if (!entries) {
    job->failed = 1;
    return;
  }
  for (int64_t i = 0; i < n; i++) entries[i] = OF(entry_at)(x, i, job->descending);
  OF(write_row)(job, row, OF(radix_sort)(entries, entries + n, n));
  free(entries);
}

// MARK: The k best: a heap whose root is the worst kept entry

static inline bool OF(worse)(OF(entry) a, OF(entry) b) {
  return a.key != b.key ? a.key > b.key : OF(position)(a) > OF(position)(b);
}

static void OF(sift_down)(OF(entry) * heap, int64_t n, int64_t at) {
  OF(entry) moved = heap[at];
  for (;;) {
    int64_t child = 2 * at + 1;
    if (child >= n) break;
    if (child + 1 < n && OF(worse)(heap[child + 1], heap[child])) child++;
    if (!OF(worse)(heap[child], moved)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moved;
}

static void OF(top_k_row)(void *context, int64_t row) {
  sort_job *job = context;
  int64_t n = job->n, k = job->k;
  if (k == 0) return;
  const T *x = (const T *)job->x + row * n;
  OF(entry) few[64], *heap = few;
  if (k > 64 && !(heap = malloc((size_t)k * sizeof *heap))) {
    job->failed = 1;
    return;
  }
  for (int64_t i = 0; i < k; i++) heap[i] = OF(entry_at)(x, i, job->descending);
  for (int64_t i = k / 2 - 1; i >= 0; i--) OF(sift_down)(heap, k, i);
  for (int64_t i = k; i < n; i++) {
    OF(entry) e = OF(entry_at)(x, i, job->descending);
    if (e.key >= heap[0].key) continue;  // later and no better: equal keys keep the lower position
    heap[0] = e;
    OF(sift_down)(heap, k, 0);
  }
  for (int64_t left = k - 1; left > 0; left--) {
    OF(entry) worst = heap[0];
    heap[0] = heap[left];
    heap[left] = worst;
    OF(sift_down)(heap, left, 0);
  }
  OF(write_row)(job, row, heap);
  if (heap != few) free(heap);
}
