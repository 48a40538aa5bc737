// Softmax family on contiguous rows. Few columns: 64 rows at a time are turned into columns, so
// that vectors run across rows. Many columns: vectors run along the row.

enum { TN(lanes) = 64, TN(few) = 64 };  // rows a group; most columns for the turned path
enum { TN(kind_softmax) = 0, TN(kind_log) = 1, TN(kind_logsumexp) = 2 };

#define ACROSS \
  _Pragma("clang loop vectorize(assume_safety) unroll(disable)") for (int l = 0; l < TN(lanes); l++)

/// t[c][l] = x[l, c]; missing rows repeat the last one.
INLINE void TN(turn)(const T *x, int64_t rows, int64_t columns, T (*t)[TN(lanes)]) {
  for (int l = 0; l < TN(lanes); l++) {
    const T *row = x + (l < rows ? l : rows - 1) * columns;
    for (int64_t c = 0; c < columns; c++) t[c][l] = row[c];
  }
}
INLINE void TN(turn_back)(T (*t)[TN(lanes)], int64_t rows, int64_t columns, T *out) {
  for (int l = 0; l < rows; l++)
    for (int64_t c = 0; c < columns; c++) out[l * columns + c] = t[c][l];
}
/// e[c] = exp(t[c] - max), sum; NaN anywhere in a row reaches its sum.
INLINE void TN(exp_across)(T (*t)[TN(lanes)], int64_t columns, T (*e)[TN(lanes)], T *max, T *sum) {
  ACROSS {
    max[l] = t[0][l];
    sum[l] = 0;
  }
  for (int64_t c = 1; c < columns; c++) ACROSS max[l] = t[c][l] > max[l] ? t[c][l] : max[l];
  for (int64_t c = 0; c < columns; c++) ACROSS {
      T v = F(exp)(t[c][l] - max[l]);
      e[c][l] = v;
      sum[l] += v;
    }
}

/// log sum exp of a row that holds +inf: NaN if it holds NaN too.
INLINE T TN(infinite_sum)(const T *x, int64_t n) {
  T sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] != x[i] ? x[i] : 0;
  return sum == sum ? (T)__builtin_inf() : sum;
}

static void TN(softmax_few)(int kind, const T *x, int64_t rows, int64_t columns, T *out) {
  T t[TN(few)][TN(lanes)], e[TN(few)][TN(lanes)], max[TN(lanes)], sum[TN(lanes)];
  TN(turn)(x, rows, columns, t);
  TN(exp_across)(t, columns, e, max, sum);
  if (kind == TN(kind_softmax)) {
    ACROSS sum[l] = (T)1 / sum[l];
    for (int64_t c = 0; c < columns; c++) ACROSS e[c][l] *= sum[l];
    TN(turn_back)(e, rows, columns, out);
  } else if (kind == TN(kind_log)) {
    ACROSS sum[l] = F(log)(sum[l]);
    for (int64_t c = 0; c < columns; c++) ACROSS t[c][l] = (t[c][l] - max[l]) - sum[l];
    TN(turn_back)(t, rows, columns, out);
  } else {
    ACROSS sum[l] = max[l] == (T)-__builtin_inf() ? max[l] : max[l] + F(log)(sum[l]);
    for (int64_t l = 0; l < rows; l++)
      out[l] = max[l] == (T)__builtin_inf() ? TN(infinite_sum)(x + l * columns, columns) : sum[l];
  }
}

/// The largest of a row (any value if there is a NaN; the sum shows it).
INLINE T TN(row_max)(const T *x, int64_t n) {
  V m = (T)-__builtin_inf();
  int64_t i = 0;
  for (; i + WIDTH <= n; i += WIDTH) m = __builtin_elementwise_max(m, *(const VU *)(x + i));
  T best = (T)-__builtin_inf();
  for (int l = 0; l < WIDTH; l++) best = m[l] > best ? m[l] : best;
  for (; i < n; i++) best = x[i] > best ? x[i] : best;
  return best;
}

/// sum exp(x - max); e (may be NULL) receives the terms.
INLINE T TN(row_exp_sum)(const T *x, int64_t n, T max, T *e) {
  T s[WIDTH] = {0};
  int64_t i = 0;
  for (; i + WIDTH <= n; i += WIDTH) {
    T v[WIDTH];
#pragma clang loop vectorize(assume_safety)
    for (int l = 0; l < WIDTH; l++) {
      v[l] = F(exp)(x[i + l] - max);
      s[l] += v[l];
    }
    if (e) __builtin_memcpy(e + i, v, sizeof v);
  }
  double total = 0;
  for (int l = 0; l < WIDTH; l++) total += s[l];
  for (; i < n; i++) {
    T v = F(exp)(x[i] - max);
    if (e) e[i] = v;
    total += v;
  }
  return (T)total;
}

static void FN(CAT(softmax, S))(int kind, const T *x, int64_t rows, int64_t columns, T *out) {
  if (columns <= TN(few) && (rows >= 8 || columns < WIDTH)) {
    int64_t out_columns = kind == TN(kind_logsumexp) ? 1 : columns;
    for (int64_t r = 0; r < rows; r += TN(lanes)) TN(softmax_few)
    (kind, x + r * columns, rows - r < TN(lanes) ? rows - r : TN(lanes), columns,
     out + r * out_columns);
    return;
  }
  for (int64_t r = 0; r < rows; r++, x += columns) {
    T max = TN(row_max)(x, columns);
    if (kind == TN(kind_softmax)) {
      T *o = out + r * columns, scale = (T)1 / TN(row_exp_sum)(x, columns, max, o);
      for (int64_t i = 0; i < columns; i++) o[i] *= scale;
    } else {
      T sum = TN(row_exp_sum)(x, columns, max, 0);
      T log_sum = F(log)(sum), *o = out + r * columns;
      if (kind == TN(kind_log))
        for (int64_t i = 0; i < columns; i++) o[i] = (x[i] - max) - log_sum;
      else if (max == (T)__builtin_inf()) out[r] = TN(infinite_sum)(x, columns);
      else out[r] = sum == sum ? max + log_sum : __builtin_isinf(max) ? max : sum;
    }
  }
}

/// softmax: p (g - sum g p); log_softmax: g - exp(y) sum g.
static void FN(CAT(softmax_backward, S))(int kind, const T *g, const T *y, int64_t rows,
                                         int64_t columns, T *out) {
  for (int64_t r = 0; r < rows; r++, g += columns, y += columns, out += columns) {
    V lanes = 0;
    int64_t i = 0;
    double total = 0;
    if (kind == TN(kind_softmax)) {
      for (; i + WIDTH <= columns; i += WIDTH) lanes += *(const VU *)(g + i) * *(const VU *)(y + i);
      for (; i < columns; i++) total += (double)g[i] * y[i];
    } else {
      for (; i + WIDTH <= columns; i += WIDTH) lanes += *(const VU *)(g + i);
      for (; i < columns; i++) total += g[i];
    }
    const T s = (T)(columns >= WIDTH ? total + TN(lanes_sum)(lanes) : total);
#pragma clang loop vectorize(assume_safety)
    for (int64_t j = 0; j < columns; j++)
      out[j] = kind == TN(kind_softmax) ? y[j] * (g[j] - s) : g[j] - F(exp)(y[j]) * s;
  }
}

/// Per-row coefficients of the loss: hard = (1 - s) w[t], soft = s / C (0 when the row is ignored).
typedef struct {
  T hard[TN(lanes)], soft[TN(lanes)];
  int64_t target[TN(lanes)];
} TN(ce_rows);

static void TN(ce_coefficients)(const int64_t *target, int64_t rows, int64_t columns,
                                const T *weight, double smoothing, int64_t ignore, TN(ce_rows) * k,
                                T *row_weight) {
  for (int64_t l = 0; l < rows; l++) {
    bool used = target[l] != ignore;
    T w = !used ? (T)0 : weight ? weight[target[l]] : (T)1;
    k->target[l] = used ? target[l] : 0;
    k->hard[l] = (T)((1 - smoothing) * w);
    k->soft[l] = used ? (T)(smoothing / (double)columns) : (T)0;
    if (row_weight) row_weight[l] = w;
  }
}

// With W = sum_c w[c]:  d loss / d x_c = p_c (hard + soft W) - soft w[c] - hard [c == t].
static void TN(cross_entropy_few)(const T *x, const TN(ce_rows) * k, int64_t rows, int64_t columns,
                                  const T *weight, double weight_sum, bool smooth, T *loss,
                                  T *dlogits) {
  T t[TN(few)][TN(lanes)], e[TN(few)][TN(lanes)], max[TN(lanes)], sum[TN(lanes)], lost[TN(lanes)],
      factor[TN(lanes)];
  TN(turn)(x, rows, columns, t);
  TN(exp_across)(t, columns, e, max, sum);
  if (loss) {
    ACROSS {
      sum[l] = sum[l];
      lost[l] = F(log)(sum[l]);
    }
    for (int64_t l = 0; l < rows; l++) {
      T log_sum = lost[l],
        y = k->hard[l] != 0 ? k->hard[l] * (log_sum - (t[k->target[l]][l] - max[l])) : (T)0;
      if (smooth && k->soft[l] != 0) {
        T soft = 0;
        for (int64_t c = 0; c < columns; c++)
          soft += (weight ? weight[c] : (T)1) * (log_sum - (t[c][l] - max[l]));
        y += k->soft[l] * soft;
      }
      loss[l] = y;
    }
  }
  if (!dlogits) return;
  const T total = (T)weight_sum;
  for (int64_t l = 0; l < rows; l++) factor[l] = (k->hard[l] + k->soft[l] * total) / sum[l];
  for (int64_t l = rows; l < TN(lanes); l++) factor[l] = 0;
  for (int64_t c = 0; c < columns; c++) ACROSS e[c][l] *= factor[l];
  TN(turn_back)(e, rows, columns, dlogits);
  for (int64_t l = 0; l < rows; l++) {
    T *d = dlogits + l * columns;
    if (smooth)
      for (int64_t c = 0; c < columns; c++) d[c] -= k->soft[l] * (weight ? weight[c] : (T)1);
    d[k->target[l]] -= k->hard[l];
    if (k->hard[l] == 0 && k->soft[l] == 0)
      for (int64_t c = 0; c < columns; c++) d[c] = 0;  // also where x is not finite
  }
}

static void TN(cross_entropy_row)(const T *x, T hard, T soft, int64_t target, int64_t columns,
                                  const T *weight, double weight_sum, T *loss, T *d) {
  if (hard == 0 && soft == 0) {
    if (loss) *loss = 0;
    if (d)
      for (int64_t c = 0; c < columns; c++) d[c] = 0;
    return;
  }
  T max = TN(row_max)(x, columns), sum = TN(row_exp_sum)(x, columns, max, d);
  if (loss) {
    T log_sum = F(log)(sum);
    double y = hard != 0 ? hard * (log_sum - (x[target] - max)) : 0;
    if (soft != 0) {
      double s = 0;
      for (int64_t c = 0; c < columns; c++)
        s += (weight ? weight[c] : (T)1) * (log_sum - (x[c] - max));
      y += soft * s;
    }
    *loss = (T)y;
  }
  if (!d) return;
  const T factor = (T)((hard + soft * weight_sum) / sum);
  if (soft == 0)
    for (int64_t c = 0; c < columns; c++) d[c] *= factor;
  else
    for (int64_t c = 0; c < columns; c++) d[c] = d[c] * factor - soft * (weight ? weight[c] : (T)1);
  d[target] -= hard;
}

static void FN(CAT(cross_entropy, S))(const T *logits, const int64_t *target, int64_t rows,
                                      int64_t columns, const T *weight, double smoothing,
                                      int64_t ignore, T *loss, T *dlogits, T *row_weight) {
  double weight_sum = (double)columns;
  if (weight) {
    weight_sum = 0;
    for (int64_t c = 0; c < columns; c++) weight_sum += weight[c];
  }
  for (int64_t r = 0; r < rows; r += TN(lanes)) {
    int64_t group = rows - r < TN(lanes) ? rows - r : TN(lanes);
    TN(ce_rows) k;
    TN(ce_coefficients)
    (target + r, group, columns, weight, smoothing, ignore, &k, row_weight ? row_weight + r : 0);
    const T *x = logits + r * columns;
    T *d = dlogits ? dlogits + r * columns : 0;
    if (columns <= TN(few)) {
      TN(cross_entropy_few)
      (x, &k, group, columns, weight, weight_sum, smoothing != 0, loss ? loss + r : 0, d);
    } else {
      for (int64_t l = 0; l < group; l++) TN(cross_entropy_row)
      (x + l * columns, k.hard[l], k.soft[l], k.target[l], columns, weight, weight_sum,
       loss ? loss + r + l : 0, d ? d + l * columns : 0);
    }
  }
}

static void FN(CAT(scale_rows, S))(const T *x, const T *scale, int64_t step, double factor,
                                   int64_t rows, int64_t columns, T *out) {
  for (int64_t r = 0; r < rows; r++) {
    const T s = (T)(scale[r * step] * (T)factor), *a = x + r * columns;
    T *o = out + r * columns;
#pragma clang loop vectorize(assume_safety)
    for (int64_t c = 0; c < columns; c++) o[c] = a[c] * s;
  }
}
#undef ACROSS
