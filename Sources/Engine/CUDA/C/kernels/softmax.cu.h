// The softmax family and cross-entropy over rows (bss_softmax.h), attention's masked softmax
// (bss_attention.h): a block a row, of one warp where rows are short.
#include "device.cu.h"

#define F(name) OF(name)

/// x[c] for the threads of a row.
#define EACH_COLUMN(c, columns) for (int64_t c = threadIdx.x; c < (columns); c += blockDim.x)

DEVICE T OF(row_most)(const T *x, int64_t columns, T *scratch) {
  T top = -INFINITY;
  EACH_COLUMN(c, columns) top = x[c] > top ? x[c] : top;
  return block_most(top, scratch);
}
DEVICE double OF(row_exp_sum)(const T *x, int64_t columns, T top, double *scratch) {
  double sum = 0;
  EACH_COLUMN(c, columns) sum += F(exp)(x[c] - top);
  return block_sum(sum, scratch);
}

KERNEL(softmax, 256, (const T *x, int64_t columns, T *out)) {
  __shared__ T most[32];
  __shared__ double sums[32];
  x += blockIdx.x * columns, out += blockIdx.x * columns;
  const T top = OF(row_most)(x, columns, most);
  const T scale = (T)1 / (T)OF(row_exp_sum)(x, columns, top, sums);
  EACH_COLUMN(c, columns) out[c] = F(exp)(x[c] - top) * scale;
}
KERNEL(log_softmax, 256, (const T *x, int64_t columns, T *out)) {
  __shared__ T most[32];
  __shared__ double sums[32];
  x += blockIdx.x * columns, out += blockIdx.x * columns;
  const T top = OF(row_most)(x, columns, most);
  const T log_sum = F(log)((T)OF(row_exp_sum)(x, columns, top, sums));
  EACH_COLUMN(c, columns) out[c] = (x[c] - top) - log_sum;
}
/// -inf for a row of only -inf, +inf for one that holds it, NaN for one that holds NaN.
KERNEL(logsumexp, 256, (const T *x, int64_t columns, T *out)) {
  __shared__ T most[32];
  __shared__ double sums[32];
  x += blockIdx.x * columns;
  const T top = OF(row_most)(x, columns, most);
  double nans = 0;
  EACH_COLUMN(c, columns) nans += x[c] != x[c];
  nans = block_sum(nans, sums);
  const bool infinite = top - top != 0;
  const T sum = infinite ? (T)1 : (T)OF(row_exp_sum)(x, columns, top, sums);
  if (threadIdx.x == 0) out[blockIdx.x] = nans > 0 ? (T)NAN : infinite ? top : top + F(log)(sum);
}
/// out = y (g - sum(g y))
KERNEL(softmax_backward, 256, (const T *g, const T *y, int64_t columns, T *out)) {
  __shared__ double sums[32];
  g += blockIdx.x * columns, y += blockIdx.x * columns, out += blockIdx.x * columns;
  double sum = 0;
  EACH_COLUMN(c, columns) sum += (double)(g[c] * y[c]);
  const T total = (T)block_sum(sum, sums);
  EACH_COLUMN(c, columns) out[c] = y[c] * (g[c] - total);
}
/// out = g - exp(y) sum(g)
KERNEL(log_softmax_backward, 256, (const T *g, const T *y, int64_t columns, T *out)) {
  __shared__ double sums[32];
  g += blockIdx.x * columns, y += blockIdx.x * columns, out += blockIdx.x * columns;
  double sum = 0;
  EACH_COLUMN(c, columns) sum += (double)g[c];
  const T total = (T)block_sum(sum, sums);
  EACH_COLUMN(c, columns) out[c] = g[c] - F(exp)(y[c]) * total;
}

/// With W = sum_c w[c]: d loss / d x_c = p_c (hard + soft W) - soft w[c] - hard [c == t].
KERNEL(cross_entropy, 256,
       (const T *x, const int64_t *target, int64_t columns, const T *weight, double smoothing,
        int64_t ignored, T *loss, T *gradient, T *row_weight)) {
  __shared__ T most[32];
  __shared__ double sums[32];
  const int64_t row = blockIdx.x, t = target[row];
  x += row * columns;
  if (gradient) gradient += row * columns;
  const bool used = t != ignored;
  const T w = !used ? (T)0 : weight ? weight[t] : (T)1;
  const T hard = (T)((1 - smoothing) * w), soft = used ? (T)(smoothing / (double)columns) : (T)0;
  if (row_weight && threadIdx.x == 0) row_weight[row] = w;
  if (hard == 0 && soft == 0) {
    if (loss && threadIdx.x == 0) loss[row] = 0;
    if (gradient) EACH_COLUMN(c, columns) gradient[c] = 0;
    return;
  }
  const T top = OF(row_most)(x, columns, most);
  const T sum = (T)OF(row_exp_sum)(x, columns, top, sums), log_sum = F(log)(sum);
  double weights = 0, spread = 0;
  if (soft != 0) {
    EACH_COLUMN(c, columns) {
      const T v = weight ? weight[c] : (T)1;
      weights += v;
      spread += v * (log_sum - (x[c] - top));
    }
    weights = block_sum(weights, sums);
    spread = block_sum(spread, sums);
  }
  if (loss && threadIdx.x == 0) {
    const double own = hard != 0 ? hard * (log_sum - (x[t] - top)) : 0;
    loss[row] = (T)(own + (soft != 0 ? soft * spread : 0));
  }
  if (!gradient) return;
  const T factor = (T)((hard + soft * weights) / sum);
  EACH_COLUMN(c, columns) {
    T d = F(exp)(x[c] - top) * factor;
    if (soft != 0) d -= soft * (weight ? weight[c] : (T)1);
    gradient[c] = c == t ? d - hard : d;
  }
}

/// In place over scores [batch, heads, length, span]; a key that is 0 or comes later counts for
/// nothing.
KERNEL(softmax_masked, 256,
       (T * scores, const T *keys, int64_t causal, int64_t heads, int64_t length, int64_t span)) {
  __shared__ T most[32];
  __shared__ double sums[32];
  const int64_t row = blockIdx.x, seen = causal ? least(row % length + 1, span) : span;
  T *x = scores + row * span;
  const T *key = keys ? keys + row / (heads * length) * span : nullptr;
  EACH_COLUMN(c, span) if (c >= seen || (key && key[c] == 0)) x[c] = (T)-1e30;
  const T top = OF(row_most)(x, span, most);
  const T scale = (T)1 / (T)OF(row_exp_sum)(x, span, top, sums);
  EACH_COLUMN(c, span) x[c] = F(exp)(x[c] - top) * scale;
}
/// In place over grad: d g - p sum(d g).
KERNEL(softmax_dropped_backward, 256, (T * g, const T *p, const T *dropped, int64_t columns)) {
  __shared__ double sums[32];
  g += blockIdx.x * columns, p += blockIdx.x * columns, dropped += blockIdx.x * columns;
  double sum = 0;
  EACH_COLUMN(c, columns) sum += (double)(dropped[c] * g[c]);
  const T total = (T)block_sum(sum, sums);
  EACH_COLUMN(c, columns) g[c] = dropped[c] * g[c] - p[c] * total;
}
#undef EACH_COLUMN
#undef F
