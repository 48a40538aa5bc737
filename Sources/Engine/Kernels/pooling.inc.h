// Pooling of one element type T; included by pooling.c. A line is one (n, od, oh): all output
// columns of it.

// MARK: Maximum

/// The maximum over the window's `taps` positions, 16 channels at a time so that it stays in
/// registers. Position -1 counts as 0.
LEVELS(void, OF(max_of_window),
       (int64_t channels, const T *image, const int64_t *positions, int64_t taps, T *y,
        int64_t *index),
       (channels, image, positions, taps, y, index)) {
  for (int64_t start = 0; start < channels; start += 16) {
    int64_t n = bss_min(16, channels - start);
    T best[16];
    int64_t at[16];
    // The first candidate is taken as it is, so that a window of -infinity still has a position.
    for (int64_t c = 0; c < n; c++)
      best[c] = positions[0] < 0 ? 0 : image[positions[0] * channels + start + c],
      at[c] = positions[0];
    for (int64_t t = 1; t < taps; t++) {
      int64_t position = positions[t];
      const T *x = image + position * channels + start;
      if (position >= 0 && n == 16) {
        for (int c = 0; c < 16; c++) {
          bool better = (x[c] > best[c]) | (x[c] != x[c]);
          best[c] = better ? x[c] : best[c];
          at[c] = better ? position : at[c];
        }
      } else {
        for (int64_t c = 0; c < n; c++) {
          T v = position < 0 ? 0 : x[c];
          bool better = v > best[c] || v != v;
          best[c] = better ? v : best[c];
          at[c] = better ? position : at[c];
        }
      }
    }
    for (int64_t c = 0; c < n; c++) y[start + c] = best[c], index[start + c] = at[c];
  }
}

static void OF(max_pool_line)(void *context, int64_t line) {
  pooling_job *job = context;
  const bss_window *w = job->window;
  int64_t channels = w->channels, oh = line % w->out[1], od = line / w->out[1] % w->out[0];
  const T *image =
      (const T *)job->x + line / (w->out[1] * w->out[0]) * bss_product3(w->in) * channels;
  int64_t *positions = bss_scratch((size_t)bss_product3(w->kernel) * sizeof(int64_t));
  if (!positions) {
    job->failed = 1;
    return;
  }
  for (int64_t ow = 0; ow < w->out[2]; ow++) {
    int64_t taps = 0;
    for (int64_t a = 0; a < w->kernel[0]; a++)
      for (int64_t b = 0; b < w->kernel[1]; b++)
        for (int64_t e = 0; e < w->kernel[2]; e++) {
          int64_t d = od * w->stride[0] - w->pad[0] + a * w->dilation[0];
          int64_t h = oh * w->stride[1] - w->pad[1] + b * w->dilation[1];
          int64_t v = ow * w->stride[2] - w->pad[2] + e * w->dilation[2];
          bool inside = d >= 0 && d < w->in[0] && h >= 0 && h < w->in[1] && v >= 0 && v < w->in[2];
          if (inside) positions[taps++] = (d * w->in[1] + h) * w->in[2] + v;
          else if (job->zero_padding) positions[taps++] = -1;
        }
    T *y = (T *)job->y + (line * w->out[2] + ow) * channels;
    int64_t *index = job->indices + (line * w->out[2] + ow) * channels;
    if (taps > 0) OF(max_of_window)(channels, image, positions, taps, y, index);
    else
      for (int64_t c = 0; c < channels; c++) y[c] = -(T)INFINITY, index[c] = -1;
  }
}

static void OF(max_pool_backward_image)(void *context, int64_t image) {
  const pooling_job *job = context;
  const bss_window *w = job->window;
  int64_t channels = w->channels, size = bss_product3(w->in) * channels,
          pixels = bss_product3(w->out);
  T *dx = (T *)job->dx + image * size;
  memset(dx, 0, size * sizeof(T));
  const T *dy = (const T *)job->dy + image * pixels * channels;
  const int64_t *index = job->saved + image * pixels * channels;
  for (int64_t p = 0; p < pixels; p++, dy += channels, index += channels)
    for (int64_t c = 0; c < channels; c++)
      if (index[c] >= 0) dx[index[c] * channels + c] += dy[c];
}

// MARK: Mean

LEVELS(void, OF(add_row), (int64_t channels, const T *x, T *sum), (channels, x, sum)) {
  for (int64_t c = 0; c < channels; c++) sum[c] += x[c];
}

LEVELS(void, OF(add_scaled_row), (int64_t channels, const T *x, T factor, T *sum),
       (channels, x, factor, sum)) {
  for (int64_t c = 0; c < channels; c++) sum[c] += factor * x[c];
}

static void OF(mean_pool_line)(void *context, int64_t line) {
  const pooling_job *job = context;
  const bss_window *w = job->window;
  int64_t channels = w->channels, oh = line % w->out[1], od = line / w->out[1] % w->out[0];
  const T *image =
      (const T *)job->x + line / (w->out[1] * w->out[0]) * bss_product3(w->in) * channels;
  bss_span s[3] = {span_of(job, 0, od), span_of(job, 1, oh)};
  for (int64_t ow = 0; ow < w->out[2]; ow++) {
    s[2] = span_of(job, 2, ow);
    T *y = (T *)job->y + (line * w->out[2] + ow) * channels;
    memset(y, 0, channels * sizeof(T));
    for (int64_t d = s[0].start; d < s[0].end; d++)
      for (int64_t h = s[1].start; h < s[1].end; h++)
        for (int64_t v = s[2].start; v < s[2].end; v++)
          OF(add_row)(channels, image + ((d * w->in[1] + h) * w->in[2] + v) * channels, y);
    T factor = (T)mean_factor(job, s);
    for (int64_t c = 0; c < channels; c++) y[c] *= factor;
  }
}

static void OF(mean_pool_backward_image)(void *context, int64_t image) {
  const pooling_job *job = context;
  const bss_window *w = job->window;
  int64_t channels = w->channels, size = bss_product3(w->in) * channels;
  T *dx = (T *)job->dx + image * size;
  const T *dy = (const T *)job->dy + image * bss_product3(w->out) * channels;
  memset(dx, 0, size * sizeof(T));
  bss_span s[3];
  for (int64_t od = 0; od < w->out[0]; od++) {
    s[0] = span_of(job, 0, od);
    for (int64_t oh = 0; oh < w->out[1]; oh++) {
      s[1] = span_of(job, 1, oh);
      for (int64_t ow = 0; ow < w->out[2]; ow++, dy += channels) {
        s[2] = span_of(job, 2, ow);
        T factor = (T)mean_factor(job, s);
        for (int64_t d = s[0].start; d < s[0].end; d++)
          for (int64_t h = s[1].start; h < s[1].end; h++)
            for (int64_t v = s[2].start; v < s[2].end; v++) OF(add_scaled_row)
        (channels, dy, factor, dx + ((d * w->in[1] + h) * w->in[2] + v) * channels);
      }
    }
  }
}
