// The way back through bias and epilogue for one element type T; included by linear.c.

typedef T OF(vector) __attribute__((ext_vector_type(16), aligned(sizeof(T))));

/// Columns [64 block, 64 block + 64): sums of 64 rows at a time, added up: the error grows with
/// rows / 64 + 64, not with rows.
LEVELS(void, OF(back), (void *context, int64_t block), (context, block)) {
  const linear_back *b = context;
  const int64_t first = block * lanes, width = bss_min(lanes, b->columns - first);
  T total[lanes] = {0};
  for (int64_t start = 0; start < b->rows; start += chunk_rows) {
    const int64_t end = bss_min(start + chunk_rows, b->rows);
    const T *dy = (const T *)b->dy + start * b->stride + first;
    const T *y = b->y ? (const T *)b->y + start * b->columns + first : NULL;
    T *out = b->y ? (T *)b->out + start * b->columns + first : NULL;
    T sum[lanes] = {0};
    if (width == lanes) {
      OF(vector) sums[lanes / 16] = {0};
      for (int64_t r = start; r < end; r++, dy += b->stride) {
        for (int v = 0; v < lanes / 16; v++) {
          OF(vector) g = *(const OF(vector) *)(dy + 16 * v);
          if (y) g = *(const OF(vector) *)(y + 16 * v) > 0 ? g : 0;
          if (y) *(OF(vector) *)(out + 16 * v) = g;
          sums[v] += g;
        }
        if (y) y += b->columns, out += b->columns;
      }
      memcpy(sum, sums, sizeof sum);
    } else
      for (int64_t r = start; r < end; r++, dy += b->stride) {
        for (int64_t j = 0; j < width; j++) {
          const T g = !y || y[j] > 0 ? dy[j] : 0;
          if (y) out[j] = g;
          sum[j] += g;
        }
        if (y) y += b->columns, out += b->columns;
      }
    for (int j = 0; j < lanes; j++) total[j] += sum[j];
  }
  if (b->dbias)
    for (int64_t j = 0; j < width; j++) ((T *)b->dbias)[first + j] = total[j];
}
