// Batch and layer normalisation (bss_norm.h): statistics in double whatever T is. Sums over rows
// are cut into chunks by shape and joined in order.
#include "device.cu.h"

/// What both passes of a batch normalisation know of a column; the mean as two T: what rounding
/// takes from the first is in the second.
struct OF(Column) {
  T mean, correction, scale, offset;
};
DEVICE OF(Column) OF(column)(int64_t c, const T *weight, const T *bias, const double *mean,
                             const double *inverse) {
  OF(Column) k;
  k.mean = (T)mean[c];
  k.correction = (T)(mean[c] - (double)k.mean);
  k.scale = (T)(inverse[c] * (weight ? (double)weight[c] : 1.0));
  k.offset = bias ? bias[c] : (T)0;
  return k;
}

/// Sums of two quantities over a chunk of rows, for 32 columns by 8 rows of threads: partial
/// [chunks, 2, columns].
template <class Add>
DEVICE void OF(column_sums)(double (*first)[33], double (*second)[33], const bss_rows &r,
                            double *partial, Add add) {
  const int lane = threadIdx.x & 31, ty = threadIdx.x >> 5;
  const int64_t c = (int64_t)blockIdx.x * 32 + lane, row0 = blockIdx.y * r.rows_a_chunk;
  double s = 0, q = 0;
  if (c < r.columns)
    for (int64_t row = row0 + ty; row < least(row0 + r.rows_a_chunk, r.rows); row += 8)
      add(row * r.columns + c, row, c, s, q);
  first[ty][lane] = s;
  second[ty][lane] = q;
  __syncthreads();
  if (ty != 0 || c >= r.columns) return;
  for (int i = 1; i < 8; i++) s += first[i][lane], q += second[i][lane];
  double *out = partial + (int64_t)blockIdx.y * 2 * r.columns;
  out[c] = s;
  out[r.columns + c] = q;
}
#define COLUMN_SUMS(r, partial, ...)                                                          \
  __shared__ double first[8][33], second[8][33];                                              \
  OF(column_sums)                                                                             \
  (first, second, r, partial, [&](int64_t at, int64_t row, int64_t c, double &s, double &q) { \
    (void)row;                                                                                \
    __VA_ARGS__                                                                               \
  })

/// The chunks of a column added in order.
DEVICE double OF(total)(const bss_rows &r, const double *partial, int64_t which, int64_t c) {
  double sum = 0;
  for (int64_t k = 0; k < r.chunks; k++) sum += partial[(k * 2 + which) * r.columns + c];
  return sum;
}

/// Deviations from the first row: nothing cancels where mean >> deviation.
KERNEL(batch_statistics_sums, 256, (bss_rows r, const T *x, double *partial)) {
  COLUMN_SUMS(r, partial, {
    const double d = (double)x[at] - (double)x[c];
    s += d;
    q += d * d;
  });
}
KERNEL(batch_statistics, 256,
       (bss_rows r, const T *x, const double *partial, double *mean, double *variance)) {
  EACH_INDEX(c, r.columns) {
    const double n = (double)r.rows, offset = OF(total)(r, partial, 0, c) / n;
    const double v = OF(total)(r, partial, 1, c) / n - offset * offset;
    mean[c] = (double)x[c] + offset;
    variance[c] = v < 0 ? 0 : v;
  }
}

KERNEL(batch_norm, 256,
       (bss_rows r, const T *x, const T *weight, const T *bias, const double *mean,
        const double *inverse, const T *residual, int64_t relu, T *y)) {
  EACH_INDEX(i, r.rows * r.columns) {
    const OF(Column) k = OF(column)(i % r.columns, weight, bias, mean, inverse);
    T v = ((x[i] - k.mean) - k.correction) * k.scale + k.offset;
    if (residual) v += residual[i];
    y[i] = relu && v < 0 ? (T)0 : v;
  }
}

/// dy where the ReLU let through: by y, or without it by what the forward pass computed.
DEVICE T OF(passed)(T dy, int64_t relu, const T *y, int64_t i, T centred, const OF(Column) & k) {
  if (!relu) return dy;
  return (y ? y[i] : centred * k.scale + k.offset) > 0 ? dy : (T)0;
}
KERNEL(batch_norm_sums, 256,
       (bss_rows r, const T *x, const T *dy, const T *weight, const T *bias, const double *mean,
        const double *inverse, int64_t relu, const T *y, T *kept, double *partial)) {
  COLUMN_SUMS(r, partial, {
    const OF(Column) k = OF(column)(c, weight, bias, mean, inverse);
    const T centred = (x[at] - k.mean) - k.correction;
    const T g = OF(passed)(dy[at], relu, y, at, centred, k);
    if (kept) kept[at] = g;
    s += (double)g;
    q += (double)g * (double)centred;
  });
}
/// totals [2, columns]; gradients of weight and bias where wanted. `inverse` nil: 1.
KERNEL(column_totals, 256,
       (bss_rows r, const double *partial, const double *inverse, double *totals, T *weight_out,
        T *bias_out)) {
  EACH_INDEX(c, r.columns) {
    const double sum = OF(total)(r, partial, 0, c), product = OF(total)(r, partial, 1, c);
    if (totals) totals[c] = sum, totals[r.columns + c] = product;
    if (bias_out) bias_out[c] = (T)sum;
    if (weight_out) weight_out[c] = (T)(product * (inverse ? inverse[c] : 1.0));
  }
}
KERNEL(batch_norm_backward, 256,
       (bss_rows r, const T *x, const T *dy, const T *weight, const T *bias, const double *mean,
        const double *inverse, int64_t relu, const T *y, const double *totals, T *dx)) {
  EACH_INDEX(i, r.rows * r.columns) {
    const int64_t c = i % r.columns;
    const OF(Column) k = OF(column)(c, weight, bias, mean, inverse);
    const T centred = (x[i] - k.mean) - k.correction;
    const double gain = inverse[c] * (weight ? (double)weight[c] : 1.0), n = (double)r.rows;
    T d = OF(passed)(dy[i], relu, y, i, centred, k) * (T)gain;
    if (totals) {
      const double slope = gain * inverse[c] * inverse[c] * totals[r.columns + c] / n;
      d -= centred * (T)slope + (T)(gain * totals[c] / n);
    }
    dx[i] = d;
  }
}

// MARK: Layer normalisation: a block a row

KERNEL(layer_norm, 256,
       (int64_t n, double eps, const T *x, const T *weight, const T *bias, T *y, double *mean,
        double *inverse)) {
  __shared__ double sums[32];
  const int64_t row = blockIdx.x;
  x += row * n, y += row * n;
  double sum = 0, squares = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += (double)x[i] - (double)x[0];
  const double m = (double)x[0] + block_sum(sum, sums) / (double)n;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    const double d = (double)x[i] - m;
    squares += d * d;
  }
  const double scale = 1 / sqrt(block_sum(squares, sums) / (double)n + eps);
  if (threadIdx.x == 0) mean[row] = m, inverse[row] = scale;
  const T rounded = (T)m, correction = (T)(m - (double)rounded), s = (T)scale;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x)
    y[i] =
        ((x[i] - rounded) - correction) * s * (weight ? weight[i] : (T)1) + (bias ? bias[i] : (T)0);
}
DEVICE T OF(normal)(T x, const double *mean, const double *inverse, int64_t row) {
  const T rounded = (T)mean[row], correction = (T)(mean[row] - (double)rounded);
  return ((x - rounded) - correction) * (T)inverse[row];
}
KERNEL(layer_norm_backward, 256,
       (int64_t n, const T *x, const T *dy, const T *weight, const double *mean,
        const double *inverse, T *dx)) {
  __shared__ double sums[32];
  const int64_t row = blockIdx.x;
  x += row * n, dy += row * n, dx += row * n;
  double first = 0, second = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    const T g = dy[i] * (weight ? weight[i] : (T)1);
    first += (double)g;
    second += (double)(g * OF(normal)(x[i], mean, inverse, row));
  }
  const T level = (T)(block_sum(first, sums) / (double)n),
          slope = (T)(block_sum(second, sums) / (double)n);
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x)
    dx[i] = (T)inverse[row] * (dy[i] * (weight ? weight[i] : (T)1) - level -
                               OF(normal)(x[i], mean, inverse, row) * slope);
}
/// Of the gradients of bias and weight.
KERNEL(layer_norm_sums, 256,
       (bss_rows r, const T *x, const T *dy, const double *mean, const double *inverse,
        double *partial)) {
  COLUMN_SUMS(r, partial, {
    (void)c;
    s += (double)dy[at];
    q += (double)(dy[at] * OF(normal)(x[at], mean, inverse, row));
  });
}
#undef COLUMN_SUMS
