// The way back through bias and epilogue for one element type T; included by linear.c.

/// Columns [64 block, 64 block + 64): sums of 64 rows at a time, added up: the error grows with
/// rows / 64 + 64, not with rows.
LEVELS(void, OF(back), (void *context, int64_t block), (context, block)) {
  const linear_back *b = context;
  const int64_t first = block * lanes, width = bss_min(lanes, b->columns - first);
  T total[lanes] = {0};
  for (int64_t start = 0; start < b->rows; start += chunk_rows) {
    const int64_t end = bss_min(start + chunk_rows, b->rows);
    T sum[lanes] = {0};
    for (int64_t r = start; r < end; r++) {
      const T *restrict dy = (const T *)b->dy + r * b->stride + first;
      if (b->y) {
        const T *restrict y = (const T *)b->y + r * b->columns + first;
        T *restrict out = (T *)b->out + r * b->columns + first;
        if (width == lanes) {
          for (int j = 0; j < lanes; j++) out[j] = y[j] > 0 ? dy[j] : 0;
          for (int j = 0; j < lanes; j++) sum[j] += out[j];
        } else
          for (int64_t j = 0; j < width; j++) sum[j] += out[j] = y[j] > 0 ? dy[j] : 0;
      } else if (width == lanes)
        for (int j = 0; j < lanes; j++) sum[j] += dy[j];
      else
        for (int64_t j = 0; j < width; j++) sum[j] += dy[j];
    }
    for (int j = 0; j < lanes; j++) total[j] += sum[j];
  }
  if (b->dbias)
    for (int64_t j = 0; j < width; j++) ((T *)b->dbias)[first + j] = total[j];
}
