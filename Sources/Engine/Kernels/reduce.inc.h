// Reductions of contiguous runs and of columns. Sums run in 4 x WIDTH fixed lanes of T for at most
// 8192 elements and are then added in double, so f32 sums lose little and never depend on how the
// caller splits the work into threads.

enum { TN(sum_block) = 8192 };

INLINE double TN(lanes_sum)(V v) {
  double s = 0;
  for (int l = 0; l < WIDTH; l++) s += v[l];
  return s;
}

#define SUM_RUN(term_vector, term_scalar)                         \
  double total = 0;                                               \
  int64_t i = 0;                                                  \
  while (n - i >= WIDTH) {                                        \
    int64_t stop = n - i > TN(sum_block) ? i + TN(sum_block) : n; \
    V s0 = 0, s1 = 0, s2 = 0, s3 = 0;                             \
    for (; i + 4 * WIDTH <= stop; i += 4 * WIDTH) {               \
      V v = *(const VU *)(x + i);                                 \
      s0 += (term_vector);                                        \
      v = *(const VU *)(x + i + WIDTH);                           \
      s1 += (term_vector);                                        \
      v = *(const VU *)(x + i + 2 * WIDTH);                       \
      s2 += (term_vector);                                        \
      v = *(const VU *)(x + i + 3 * WIDTH);                       \
      s3 += (term_vector);                                        \
    }                                                             \
    for (; i + WIDTH <= stop; i += WIDTH) {                       \
      V v = *(const VU *)(x + i);                                 \
      s0 += (term_vector);                                        \
    }                                                             \
    total += TN(lanes_sum)((s0 + s1) + (s2 + s3));                \
    if (stop == n) break;                                         \
  }                                                               \
  for (; i < n; i++) {                                            \
    double v = x[i];                                              \
    total += (term_scalar);                                       \
  }                                                               \
  return total;

static double TN(sum_run)(const T *x, int64_t n) { SUM_RUN(v, v) }
static double TN(sum_squares_run)(const T *x, int64_t n) { SUM_RUN(v * v, v * v) }
static double TN(sum_abs_run)(const T *x, int64_t n) {
  SUM_RUN(__builtin_elementwise_abs(v), __builtin_fabs(v))
}
#undef SUM_RUN

#define EXTREME_RUN(choose, start)                           \
  V m = (T)(start);                                          \
  VI nan = 0;                                                \
  int64_t i = 0;                                             \
  for (; i + WIDTH <= n; i += WIDTH) {                       \
    V v = *(const VU *)(x + i);                              \
    nan |= (VI)(v != v);                                     \
    m = choose(m, v);                                        \
  }                                                          \
  T best = (T)(start);                                       \
  for (int l = 0; l < WIDTH; l++) best = choose(best, m[l]); \
  bool any_nan = __builtin_reduce_or(nan) != 0;              \
  for (; i < n; i++) {                                       \
    any_nan |= x[i] != x[i];                                 \
    best = choose(best, x[i]);                               \
  }                                                          \
  return any_nan ? __builtin_nan("") : best;

static double TN(max_run)(const T *x, int64_t n) {
  EXTREME_RUN(__builtin_elementwise_max, -__builtin_inf())
}
static double TN(min_run)(const T *x, int64_t n) {
  EXTREME_RUN(__builtin_elementwise_min, __builtin_inf())
}
#undef EXTREME_RUN

static double FN(CAT(reduce_run, S))(int op, const T *x, int64_t n) {
  switch (op) {
  case BSS_SUM: return TN(sum_run)(x, n);
  case BSS_SUM_SQUARES: return TN(sum_squares_run)(x, n);
  case BSS_SUM_ABS: return TN(sum_abs_run)(x, n);
  case BSS_MAX:
  case BSS_ARGMAX: return TN(max_run)(x, n);
  case BSS_MIN:
  case BSS_ARGMIN: return TN(min_run)(x, n);
  default: {
    double p = 1;
    for (int64_t i = 0; i < n; i++) p *= x[i];
    return p;
  }
  }
}

enum { TN(column_chunk) = 64, TN(column_rows) = 64 };

/// acc[j] op= x[i, j] over all rows.
static void FN(CAT(reduce_columns, S))(int op, const T *x, int64_t rows, int64_t row_stride,
                                       int64_t columns, double *acc) {
  if (op == BSS_MAX || op == BSS_MIN || op == BSS_PROD) {
    for (int64_t i = 0; i < rows; i++, x += row_stride) {
      if (op == BSS_PROD)
        for (int64_t j = 0; j < columns; j++) acc[j] *= x[j];
      else if (op == BSS_MAX)
        for (int64_t j = 0; j < columns; j++)
          acc[j] = x[j] > acc[j] || x[j] != x[j] ? x[j] : acc[j];
      else
        for (int64_t j = 0; j < columns; j++)
          acc[j] = x[j] < acc[j] || x[j] != x[j] ? x[j] : acc[j];
    }
    return;
  }
  for (int64_t j0 = 0; j0 < columns; j0 += TN(column_chunk)) {
    int64_t w = columns - j0 < TN(column_chunk) ? columns - j0 : TN(column_chunk);
    for (int64_t i0 = 0; i0 < rows; i0 += TN(column_rows)) {
      int64_t stop = i0 + TN(column_rows) < rows ? i0 + TN(column_rows) : rows;
      const T *p = x + i0 * row_stride + j0;
      if (w == TN(column_chunk)) {
        V s[TN(column_chunk) / WIDTH];
        for (int l = 0; l < TN(column_chunk) / WIDTH; l++) s[l] = 0;
        for (int64_t i = i0; i < stop; i++, p += row_stride) {
#pragma clang loop unroll(full)
          for (int l = 0; l < TN(column_chunk) / WIDTH; l++) {
            V v = *(const VU *)(p + l * WIDTH);
            s[l] += op == BSS_SUM ? v : op == BSS_SUM_ABS ? __builtin_elementwise_abs(v) : v * v;
          }
        }
        for (int l = 0; l < TN(column_chunk); l++) acc[j0 + l] += s[l / WIDTH][l % WIDTH];
      } else {
        T s[TN(column_chunk)] = {0};
        for (int64_t i = i0; i < stop; i++, p += row_stride) {
          if (op == BSS_SUM)
            for (int64_t j = 0; j < w; j++) s[j] += p[j];
          else if (op == BSS_SUM_ABS)
            for (int64_t j = 0; j < w; j++) s[j] += p[j] < 0 ? -p[j] : p[j];
          else
            for (int64_t j = 0; j < w; j++) s[j] += p[j] * p[j];
        }
        for (int64_t j = 0; j < w; j++) acc[j0 + j] += s[j];
      }
    }
  }
}

INLINE double TN(sum8)(f64x8 v) {
  return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

/// Squares in double: f32 norms neither overflow nor lose digits.
static double FN(CAT(sum_squares, S))(const T *x, int64_t n) {
  f64x8 s0 = 0, s1 = 0;
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    f64x8 a = __builtin_convertvector(*(const V8U *)(x + i), f64x8),
          b = __builtin_convertvector(*(const V8U *)(x + i + 8), f64x8);
    s0 += a * a;
    s1 += b * b;
  }
  double total = TN(sum8)(s0 + s1);
  for (; i < n; i++) total += (double)x[i] * x[i];
  return total;
}

/// x * 0 is NaN exactly for NaN and infinities; sums of zeros stay zero.
static bool FN(CAT(all_finite, S))(const T *x, int64_t n) {
  V s[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 * WIDTH <= n; i += 4 * WIDTH)
    for (int k = 0; k < 4; k++) s[k] += *(const VU *)(x + i + k * WIDTH) * (T)0;
  for (; i + WIDTH <= n; i += WIDTH) s[0] += *(const VU *)(x + i) * (T)0;
  double total = TN(lanes_sum)((s[0] + s[1]) + (s[2] + s[3]));
  for (; i < n; i++) total += x[i] * (T)0;
  return total == 0;
}
