// Rows of one attention block; T the element type, OF(name) the name's variant. Included twice by
// attention.c.

/// Scores that count for nothing get a number whose exponential is 0 beside any other.
static void OF(mask_row)(T *row, const T *keys, int64_t seen, int64_t span) {
  const T none = (T)-1e30;
  if (keys)
    for (int64_t j = 0; j < seen; j++) row[j] = keys[j] == 0 ? none : row[j];
  for (int64_t j = seen; j < span; j++) row[j] = none;
}

LEVELS(void, OF(dropped_rows), (T * g, const T *p, const T *d, int64_t rows, int64_t columns),
       (g, p, d, rows, columns)) {
  enum { lanes = 16 };
  for (int64_t r = 0; r < rows; r++, g += columns, p += columns, d += columns) {
    T sums[lanes] = {0}, total = 0;
    int64_t j = 0;
    for (; j + lanes <= columns; j += lanes)
#pragma clang loop vectorize(assume_safety)
      for (int l = 0; l < lanes; l++) sums[l] += d[j + l] * g[j + l];
    for (int half = lanes / 2; half > 0; half /= 2)
      for (int l = 0; l < half; l++) sums[l] += sums[l + half];
    total = sums[0];
    for (; j < columns; j++) total += d[j] * g[j];
#pragma clang loop vectorize(assume_safety)
    for (int64_t i = 0; i < columns; i++) g[i] = d[i] * g[i] - p[i] * total;
  }
}
