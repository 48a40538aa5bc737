// Indexing of one element type T (sums in WIDE); included by index.c.

// MARK: Sums at indices

LEVELS(void, OF(add_run), (int64_t n, T *to, const T *from, double alpha), (n, to, from, alpha)) {
  T factor = (T)alpha;
  if (factor == 1)
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
  else
    for (int64_t i = 0; i < n; i++) to[i] += factor * from[i];
}

static void OF(index_add_task)(void *context, int64_t task) {
  const add_job *job = context;
  int64_t outer = task / job->tasks_per_outer,
          first = task % job->tasks_per_outer * job->rows_per_task;
  int64_t last = bss_min(first + job->rows_per_task, job->axis), inner = job->inner;
  T *x = (T *)job->x + outer * job->axis * inner;
  const T *source = (const T *)job->source + outer * job->count * inner;
  for (int64_t i = 0; i < job->count; i++) {
    int64_t row = job->indices[i];
    if (row >= first && row < last && row != job->skip)
      OF(add_run)(inner, x + row * inner, source + i * inner, job->alpha);
  }
}

/// One line along the axis of the index.
static void OF(scatter_add_item)(void *context, int64_t item) {
  const walk_job *job = context;
  int32_t a = job->axis;
  T *y = (T *)job->y->data + walk_offset(job, job->y, item);
  const int64_t *index = (const int64_t *)job->index->data + walk_offset(job, job->index, item);
  const T *source = (const T *)job->source->data + walk_offset(job, job->source, item);
  for (int64_t i = 0; i < job->index->shape[a]; i++)
    y[index[i * job->index->stride[a]] * job->y->stride[a]] += source[i * job->source->stride[a]];
}

// MARK: Running sums

LEVELS(void, OF(scan_item), (void *context, int64_t outer), (context, outer)) {
  const scan_job *job = context;
  int64_t inner = job->inner, n = job->axis, size = n * inner;
  const T *x = (const T *)job->x + outer * size;
  T *y = (T *)job->y + outer * size;
  int64_t step = job->reverse ? -inner : inner, start = job->reverse ? size - inner : 0;
  // 64 neighbours at a time, so that the sums stay in WIDE without a buffer as long as `inner`.
  for (int64_t at = 0; at < inner; at += 64) {
    WIDE sum[64] = {0};
    int64_t lanes = bss_min(64, inner - at), offset = start + at;
    for (int64_t i = 0; i < n; i++, offset += step)
      for (int64_t j = 0; j < lanes; j++) {
        sum[j] += x[offset + j];
        y[offset + j] = (T)sum[j];
      }
  }
}
