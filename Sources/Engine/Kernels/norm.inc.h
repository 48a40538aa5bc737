// Normalisation of one element type T; included by norm.c.

// MARK: Sums over rows

/// Rows summed in T before they go to the double totals: few enough that T loses nothing.
#define BLOCK_ROWS 32

/// first[i] += sum of a[i], second[i] += sum of b[i] * a[i] over `count` wide rows:
///   statistics: a = b = x - shift;   gradients: a = g, b = (x - mean) - correction.
/// g is dy, or 0 where the ReLU behind was off: where y <= 0 (g is then kept in `kept`), or without
/// y where b * lanes[5] + lanes[6], which is what the forward pass computed, is not positive.
LEVELS(void, OF(sum_rows),
       (const batch_job *job, int64_t width, int64_t count, int64_t at, double *first,
        double *second),
       (job, width, count, at, first, second)) {
  T block1[256], block2[256];
  const int64_t stride = job->fold.width;
  const T *x = (const T *)job->x + at, *dy = job->dy ? (const T *)job->dy + at : NULL,
          *y = job->mask ? (const T *)job->mask + at : NULL;
  T *kept = job->mask ? (T *)job->kept + at : NULL;
  for (int64_t start = 0; start < width; start += 256) {
    int64_t n = bss_min(256, width - start);
    const T *shift = (const T *)job->lanes + start, *correction = shift + stride,
            *scale = shift + 5 * stride, *offset = shift + 6 * stride;
    for (int64_t row = 0; row < count; row += BLOCK_ROWS) {
      int64_t end = bss_min(row + BLOCK_ROWS, count);
      for (int64_t i = 0; i < n; i++) block1[i] = 0, block2[i] = 0;
      for (int64_t r = row; r < end; r++) {
        const T *xr = x + r * stride + start;
        if (!dy) {
          for (int64_t i = 0; i < n; i++) {
            T centred = xr[i] - shift[i];
            block1[i] += centred;
            block2[i] += centred * centred;
          }
          continue;
        }
        const T *restrict dr = dy + r * stride + start;
        if (y) {
          const T *restrict yr = y + r * stride + start;
          T *restrict out = kept + r * stride + start;
          for (int64_t i = 0; i < n; i++) {
            T g = yr[i] > 0 ? dr[i] : 0;
            out[i] = g;
            block1[i] += g;
            block2[i] += g * ((xr[i] - shift[i]) - correction[i]);
          }
        } else if (job->relu) {
          for (int64_t i = 0; i < n; i++) {
            T centred = (xr[i] - shift[i]) - correction[i];
            T g = centred * scale[i] + offset[i] > 0 ? dr[i] : 0;
            block1[i] += g;
            block2[i] += g * centred;
          }
        } else {
          for (int64_t i = 0; i < n; i++) {
            block1[i] += dr[i];
            block2[i] += dr[i] * ((xr[i] - shift[i]) - correction[i]);
          }
        }
      }
      for (int64_t i = 0; i < n; i++) first[start + i] += block1[i], second[start + i] += block2[i];
    }
  }
}

static void OF(sum_task)(void *context, int64_t task) {
  const batch_job *job = context;
  const folding *f = &job->fold;
  int64_t row = task * f->per_task, end = bss_min(row + f->per_task, f->wide_rows);
  double *first = job->partial + task * 2 * f->width, *second = first + f->width;
  memset(first, 0, 2 * f->width * sizeof(double));
  int64_t whole = bss_min(end, f->length / f->width) - row;
  OF(sum_rows)(job, f->width, whole, row * f->width, first, second);
  int64_t rest = end == f->wide_rows ? f->length % f->width : 0;  // the short last row
  if (rest > 0) OF(sum_rows)(job, rest, 1, (row + whole) * f->width, first, second);
}

static int OF(batch_statistics)(int64_t rows, int64_t channels, const T *x, double *mean,
                                double *variance) {
  if (channels == 0) return BSS_OK;
  batch_job job = {.fold = fold(rows, channels, MOST_SUM_TASKS), .x = x};
  const folding *f = &job.fold;
  job.lanes = malloc(2 * f->width * sizeof(T));
  job.partial = malloc((f->tasks + 1) * 2 * f->width * sizeof(double));
  if (!job.lanes || !job.partial) {
    free(job.lanes);
    free(job.partial);
    return BSS_NO_MEMORY;
  }
  // Pivot near the mean: variance = E[(x - pivot)^2] - E[x - pivot]^2 then cancels nothing. Up to
  // 64 rows spread over all of x, so that one odd row does not decide.
  double *totals = job.partial + f->tasks * 2 * f->width;
  int64_t samples = bss_min(rows, 64);
  for (int64_t c = 0; c < channels; c++) totals[c] = 0;
  for (int64_t s = 0; s < samples; s++) {
    const T *row = x + s * rows / samples * channels;
    for (int64_t c = 0; c < channels; c++) totals[c] += row[c];
  }
  T *pivot = job.lanes;
  for (int64_t i = 0; i < f->width; i++)
    pivot[i] = (T)(totals[i % channels] / (double)bss_max(samples, 1));
  int status = bss_pool_run(f->tasks, OF(sum_task), &job);
  if (status == BSS_OK) {
    gather_totals(&job, totals);
    for (int64_t c = 0; c < channels; c++) {
      double offset = totals[c] / (double)rows;
      mean[c] = (double)pivot[c] + offset;
      variance[c] = fmax(0, totals[channels + c] / (double)rows - offset * offset);
      if (totals[c] != totals[c]) variance[c] = totals[c];  // fmax drops NaN
    }
  }
  free(job.lanes);
  free(job.partial);
  return status;
}

// MARK: Elementwise passes

/// y = epilogue(((x - mean) - correction) * scale + offset + residual)
LEVELS(void, OF(normalise_row), (const batch_job *job, int64_t width, int64_t at),
       (job, width, at)) {
  const int64_t stride = job->fold.width;
  const T *mean = job->lanes, *correction = mean + stride, *scale = mean + 2 * stride,
          *offset = mean + 3 * stride;
  const T *restrict x = (const T *)job->x + at, *restrict residual =
                                                    job->residual ? (const T *)job->residual + at
                                                                  : NULL;
  T *restrict y = (T *)job->y + at;
  // NaN stays: v < 0 is false for it.
  if (residual && job->relu)
    for (int64_t i = 0; i < width; i++) {
      T v = ((x[i] - mean[i]) - correction[i]) * scale[i] + offset[i] + residual[i];
      y[i] = v < 0 ? 0 : v;
    }
  else if (residual)
    for (int64_t i = 0; i < width; i++)
      y[i] = ((x[i] - mean[i]) - correction[i]) * scale[i] + offset[i] + residual[i];
  else if (job->relu)
    for (int64_t i = 0; i < width; i++) {
      T v = ((x[i] - mean[i]) - correction[i]) * scale[i] + offset[i];
      y[i] = v < 0 ? 0 : v;
    }
  else
    for (int64_t i = 0; i < width; i++)
      y[i] = ((x[i] - mean[i]) - correction[i]) * scale[i] + offset[i];
}

/// dx = g * gain - centred * slope - level, with g as in sum_rows.
LEVELS(void, OF(differentiate_row), (const batch_job *job, int64_t width, int64_t at),
       (job, width, at)) {
  const int64_t stride = job->fold.width;
  const T *mean = job->lanes, *correction = mean + stride, *slope = mean + 2 * stride,
          *level = mean + 3 * stride;
  const T *gain = mean + 4 * stride, *scale = mean + 5 * stride, *offset = mean + 6 * stride;
  const T *restrict x = (const T *)job->x + at, *restrict g =
                                                    (const T *)(job->mask ? job->kept : job->dy) +
                                                    at;
  T *restrict dx = (T *)job->y + at;
  if (job->relu && !job->mask)
    for (int64_t i = 0; i < width; i++) {
      T centred = (x[i] - mean[i]) - correction[i];
      dx[i] =
          (centred * scale[i] + offset[i] > 0 ? g[i] : 0) * gain[i] - centred * slope[i] - level[i];
    }
  else
    for (int64_t i = 0; i < width; i++)
      dx[i] = g[i] * gain[i] - ((x[i] - mean[i]) - correction[i]) * slope[i] - level[i];
}

static void OF(normalise_task)(void *context, int64_t task) {
  const batch_job *job = context;
  const folding *f = &job->fold;
  int64_t end = bss_min((task + 1) * f->per_task, f->wide_rows);
  for (int64_t row = task * f->per_task; row < end; row++) {
    int64_t at = row * f->width, width = bss_min(f->width, f->length - at);
    if (job->dy) OF(differentiate_row)(job, width, at);
    else OF(normalise_row)(job, width, at);
  }
}

/// The mean as two T: what rounding takes from the first is in the second.
static void OF(split_mean)(const folding *f, const double *mean, T *lanes) {
  for (int64_t i = 0; i < f->width; i++) {
    double m = mean[i % f->channels];
    lanes[i] = (T)m;
    lanes[f->width + i] = (T)(m - (double)lanes[i]);
  }
}

/// What the forward pass multiplies by and adds, at lanes[at] and lanes[at + 1].
static void OF(scale_and_offset)(const folding *f, const T *weight, const T *bias,
                                 const double *inverse, T *lanes, int at) {
  for (int64_t i = 0; i < f->width; i++) {
    int64_t c = i % f->channels;
    lanes[at * f->width + i] = (T)(inverse[c] * (weight ? (double)weight[c] : 1));
    lanes[(at + 1) * f->width + i] = bias ? bias[c] : 0;
  }
}

static int OF(batch_forward)(int64_t rows, int64_t channels, const T *x, const T *weight,
                             const T *bias, const double *mean, const double *inverse,
                             const T *residual, bool relu, T *y) {
  if (rows * channels == 0) return BSS_OK;
  batch_job job = {
      .fold = fold(rows, channels, MOST_TASKS), .x = x, .residual = residual, .relu = relu, .y = y};
  T *lanes = job.lanes = malloc(4 * job.fold.width * sizeof(T));
  if (!lanes) return BSS_NO_MEMORY;
  OF(split_mean)(&job.fold, mean, lanes);
  OF(scale_and_offset)(&job.fold, weight, bias, inverse, lanes, 2);
  int status = bss_pool_run(job.fold.tasks, OF(normalise_task), &job);
  free(lanes);
  return status;
}

static int OF(batch_backward)(int64_t rows, int64_t channels, bool training, const T *x,
                              const T *dy, const T *weight, const T *bias, const double *mean,
                              const double *inverse, bool relu, const T *y, T *dresidual, T *dx,
                              T *dweight, T *dbias) {
  if (channels == 0) return BSS_OK;
  batch_job job = {.fold = fold(rows, channels, MOST_SUM_TASKS),
                   .x = x,
                   .dy = dy,
                   .y = dx,
                   .relu = relu,
                   .mask = dresidual ? y : NULL,
                   .kept = dresidual};
  int64_t width = job.fold.width, tasks = job.fold.tasks;
  T *lanes = job.lanes = malloc(7 * width * sizeof(T));
  job.partial = malloc((tasks + 1) * 2 * width * sizeof(double));
  int status = lanes && job.partial ? BSS_OK : BSS_NO_MEMORY;
  double *totals = job.partial ? job.partial + tasks * 2 * width : NULL;
  if (status == BSS_OK) {
    OF(split_mean)(&job.fold, mean, lanes);
    OF(scale_and_offset)(&job.fold, weight, bias, inverse, lanes, 5);
  }
  bool sums = dweight || dbias || dresidual || (dx && training);
  if (status == BSS_OK && sums) status = bss_pool_run(tasks, OF(sum_task), &job);
  if (status == BSS_OK && sums) {
    gather_totals(&job, totals);  // sum of g, sum of g * (x - mean)
    for (int64_t c = 0; c < channels; c++) {
      if (dbias) dbias[c] = (T)totals[c];
      if (dweight) dweight[c] = (T)(totals[channels + c] * inverse[c]);
    }
  }
  if (status == BSS_OK && dx) {
    for (int64_t i = 0; i < width; i++) {
      int64_t c = i % channels;
      double gain = inverse[c] * (weight ? (double)weight[c] : 1), count = (double)rows;
      lanes[4 * width + i] = (T)gain;
      lanes[2 * width + i] =
          training ? (T)(gain * inverse[c] * inverse[c] * totals[channels + c] / count) : 0;
      lanes[3 * width + i] = training ? (T)(gain * totals[c] / count) : 0;
    }
    job.fold = fold(rows, channels, MOST_TASKS);
    status = bss_pool_run(job.fold.tasks, OF(normalise_task), &job);
  }
  free(lanes);
  free(job.partial);
  return status;
}

// MARK: Layer normalisation

/// Sum of x - shift, or of its squares, with 16 partial sums: the order does not depend on the
/// instruction set.
LEVELS(double, OF(row_sum), (int64_t n, const T *x, double shift, bool squared),
       (n, x, shift, squared)) {
  double lanes[16] = {0};
  int64_t i = 0;
  if (squared)
    for (; i + 16 <= n; i += 16)
      for (int j = 0; j < 16; j++) {
        double d = (double)x[i + j] - shift;
        lanes[j] += d * d;
      }
  else
    for (; i + 16 <= n; i += 16)
      for (int j = 0; j < 16; j++) lanes[j] += (double)x[i + j] - shift;
  for (; i < n; i++) {
    double d = (double)x[i] - shift;
    lanes[0] += squared ? d * d : d;
  }
  double sum = 0;
  for (int j = 0; j < 16; j++) sum += lanes[j];
  return sum;
}

LEVELS(void, OF(layer_output),
       (int64_t n, const T *x, T mean, T correction, T scale, const T *weight, const T *bias, T *y),
       (n, x, mean, correction, scale, weight, bias, y)) {
  if (weight && bias)
    for (int64_t i = 0; i < n; i++)
      y[i] = ((x[i] - mean) - correction) * scale * weight[i] + bias[i];
  else
    for (int64_t i = 0; i < n; i++)
      y[i] = ((x[i] - mean) - correction) * scale * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
}

static void OF(layer_forward_row)(void *context, int64_t row) {
  const layer_job *job = context;
  int64_t n = job->n;
  const T *x = (const T *)job->x + row * n;
  double pivot = n > 0 ? (double)x[0] : 0;
  double mean = pivot + OF(row_sum)(n, x, pivot, false) / (double)n;
  double inverse = 1 / sqrt(OF(row_sum)(n, x, mean, true) / (double)n + job->eps);
  job->mean[row] = mean;
  job->inverse[row] = inverse;
  T rounded = (T)mean;
  OF(layer_output)
  (n, x, rounded, (T)(mean - (double)rounded), (T)inverse, job->weight, job->bias,
   (T *)job->y + row * n);
}

/// sums[0] = sum of g = dy*weight over the row, sums[1] = sum of g*xhat.
LEVELS(void, OF(layer_backward_sums),
       (int64_t n, const T *x, const T *dy, const T *weight, T mean, T correction, T scale,
        double sums[2]),
       (n, x, dy, weight, mean, correction, scale, sums)) {
  double first[16] = {0}, second[16] = {0};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; j++) {
      T g = dy[i + j] * weight[i + j];
      first[j] += (double)g;
      second[j] += (double)(g * (((x[i + j] - mean) - correction) * scale));
    }
  for (; i < n; i++) {
    T g = dy[i] * weight[i];
    first[0] += (double)g;
    second[0] += (double)(g * (((x[i] - mean) - correction) * scale));
  }
  sums[0] = sums[1] = 0;
  for (int j = 0; j < 16; j++) sums[0] += first[j], sums[1] += second[j];
}

/// dweight += dy*xhat and dbias += dy over `rows` rows, a strip of columns at a time.
LEVELS(void, OF(layer_parameter_sums),
       (const layer_job *job, int64_t first, int64_t rows, double *dweight, double *dbias),
       (job, first, rows, dweight, dbias)) {
  T block1[256], block2[256];
  int64_t n = job->n;
  for (int64_t start = 0; start < n; start += 256) {
    int64_t width = bss_min(256, n - start);
    for (int64_t row = first; row < first + rows; row += BLOCK_ROWS) {
      int64_t end = bss_min(row + BLOCK_ROWS, first + rows);
      for (int64_t i = 0; i < width; i++) block1[i] = 0, block2[i] = 0;
      for (int64_t r = row; r < end; r++) {
        const T *x = (const T *)job->x + r * n + start, *dy = (const T *)job->dy + r * n + start;
        T mean = (T)job->mean[r], correction = (T)(job->mean[r] - (double)mean),
          scale = (T)job->inverse[r];
        for (int64_t i = 0; i < width; i++) {
          block1[i] += dy[i] * (((x[i] - mean) - correction) * scale);
          block2[i] += dy[i];
        }
      }
      for (int64_t i = 0; i < width; i++)
        dweight[start + i] += (double)block1[i], dbias[start + i] += (double)block2[i];
    }
  }
}

LEVELS(void, OF(layer_backward_output),
       (int64_t n, const T *x, const T *dy, const T *weight, T mean, T correction, T scale, T level,
        T slope, T *dx),
       (n, x, dy, weight, mean, correction, scale, level, slope, dx)) {
  for (int64_t i = 0; i < n; i++) {
    T xhat = ((x[i] - mean) - correction) * scale;
    dx[i] = scale * (dy[i] * weight[i] - level - xhat * slope);
  }
}

static void OF(layer_backward_rows)(void *context, int64_t task) {
  const layer_job *job = context;
  int64_t n = job->n, first = task * job->per_task, end = bss_min(first + job->per_task, job->rows);
  // A few rows at a time stay in the cache from one pass to the next.
  for (int64_t start = first; start < end; start += BLOCK_ROWS) {
    int64_t stop = bss_min(start + BLOCK_ROWS, end);
    for (int64_t row = start; job->dx && row < stop; row++) {
      const T *x = (const T *)job->x + row * n, *dy = (const T *)job->dy + row * n;
      T mean = (T)job->mean[row], correction = (T)(job->mean[row] - (double)mean),
        scale = (T)job->inverse[row];
      double sums[2];
      OF(layer_backward_sums)(n, x, dy, job->weight, mean, correction, scale, sums);
      OF(layer_backward_output)
      (n, x, dy, job->weight, mean, correction, scale, (T)(sums[0] / (double)n),
       (T)(sums[1] / (double)n), (T *)job->dx + row * n);
    }
    if (job->partial) {
      double *dweight = job->partial + task * 2 * n;
      OF(layer_parameter_sums)(job, start, stop - start, dweight, dweight + n);
    }
  }
}
#undef BLOCK_ROWS
