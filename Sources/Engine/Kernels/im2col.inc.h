// im2col and its transpose for one element type T: what a convolution reads as rows of a matrix.
// Included by conv.inc.h.

/// Output pixel `row` of the batch: image and position.
typedef struct {
  int64_t image, at[3];
} OF(conv_pixel);

static inline OF(conv_pixel) OF(pixel_at)(const bss_conv *c, int64_t pixels, int64_t row) {
  OF(conv_pixel) p = {.image = row / pixels};
  int64_t rest = row % pixels;
  p.at[2] = rest % c->out[2];
  rest /= c->out[2];
  p.at[1] = rest % c->out[1];
  p.at[0] = rest / c->out[1];
  return p;
}

static inline void OF(next_pixel)(const bss_conv *c, OF(conv_pixel) * p) {
  if (++p->at[2] < c->out[2]) return;
  p->at[2] = 0;
  if (++p->at[1] < c->out[1]) return;
  p->at[1] = 0;
  if (++p->at[0] < c->out[0]) return;
  p->at[0] = 0;
  p->image++;
}

/// Runs of kernel columns kw whose input exists, for an output column: kw in [first, last).
static inline void OF(valid_columns)(const bss_conv *c, int64_t origin, int64_t *first,
                                     int64_t *last) {
  int64_t d = c->dilation[2], lo = origin < 0 ? -origin : 0, hi = bss_max(c->in[2] - origin, 0);
  if (d > 1) {  // divisions would cost more than the copies of a small kernel
    lo = (lo + d - 1) / d;
    hi = (hi + d - 1) / d;
  }
  *last = bss_min(hi, c->kernel[2]);
  *first = bss_min(lo, bss_max(*last, 0));
  if (*last < *first) *last = *first;
}

enum { OF(run_step) = 64 / sizeof(T) };

/// A run of a kernel row, in whole vectors: up to `run_step` - 1 elements more than n are read and
/// written.
static inline void OF(copy_run)(T *to, const T *from, int64_t n) {
  for (int64_t i = 0; i < n; i += OF(run_step)) memcpy(to + i, from + i, OF(run_step) * sizeof(T));
}

static inline void OF(clear_run)(T *to, int64_t n) {
#pragma clang loop vectorize(disable) unroll(disable)
  for (int64_t i = 0; i < n; i++) to[i] = 0;
}

enum { OF(window_lines) = 64 };

/// One im2col row whose window lies inside the image: line l starts at source + start[l].
static inline T *OF(copy_window)(T *col, const T *source, const int64_t *start, int64_t lines,
                                 int64_t n) {
  if (n == 3)  // 3 x 3 on one channel
    for (int64_t l = 0; l < lines; l++, col += 3) {
      const T *from = source + start[l];
      const T a = from[0], b = from[1], c = from[2];
      col[0] = a;
      col[1] = b;
      col[2] = c;
    }
  else
    for (int64_t l = 0; l < lines; l++, col += n) OF(copy_run)(col, source + start[l], n);
  return col;
}

/// col [count, taps, Cg], rows `gap` elements apart, = the input seen by output pixels row ..< row
/// + count, channels of group g. run_step elements behind it are overwritten too: runs are made in
/// order, what one writes too much the next makes good.
LEVELS(void, OF(im2col),
       (const OF(conv_job) * job, int64_t row, int64_t count, int64_t group, int64_t gap, T *col),
       (job, row, count, group, gap, col)) {
  const bss_conv *c = job->conv;
  int64_t channels = c->in_channels, cg = job->plan.group_in, width = c->kernel[2],
          dw = c->dilation[2];
  const int64_t lines = c->kernel[0] * c->kernel[1], size = bss_product3(c->in) * channels;
  bool whole = cg == channels && dw == 1;  // a kernel row is one run of memory
  const int64_t span[3] = {(c->kernel[0] - 1) * c->dilation[0], (c->kernel[1] - 1) * c->dilation[1],
                           width - 1};
  int64_t start[OF(window_lines)];
  const bool listed = whole && lines <= OF(window_lines);
  for (int64_t l = 0; listed && l < lines; l++)
    start[l] = (l / c->kernel[1] * c->dilation[0] * c->in[1] + l % c->kernel[1] * c->dilation[1]) *
               c->in[2] * channels;
  OF(conv_pixel) p = OF(pixel_at)(c, job->plan.pixels, row);
  for (int64_t r = 0; r < count; r++, col += gap, OF(next_pixel)(c, &p)) {
    const T *image = job->x + p.image * size + group * cg,
            *end = job->x + c->batch * size - OF(run_step);
    int64_t w0 = p.at[2] * c->stride[2] - c->pad[2], first, last;
    const int64_t d0 = p.at[0] * c->stride[0] - c->pad[0], h0 = p.at[1] * c->stride[1] - c->pad[1];
    if (listed && d0 >= 0 && h0 >= 0 && w0 >= 0 && d0 + span[0] < c->in[0] &&
        h0 + span[1] < c->in[1] && w0 + span[2] < c->in[2]) {
      const T *source = image + ((d0 * c->in[1] + h0) * c->in[2] + w0) * channels;
      if (source + start[lines - 1] + width * cg <= end) {
        col = OF(copy_window)(col, source, start, lines, width * cg);
        continue;
      }
    }
    OF(valid_columns)(c, w0, &first, &last);
    for (int64_t l = 0; l < lines; l++, col += width * cg) {
      const int64_t d = d0 + l / c->kernel[1] * c->dilation[0],
                    h = h0 + l % c->kernel[1] * c->dilation[1];
      if (d < 0 || d >= c->in[0] || h < 0 || h >= c->in[1] || first == last) {
        OF(clear_run)(col, width * cg);
        continue;
      }
      const T *source = image + ((d * c->in[1] + h) * c->in[2] + w0) * channels;
      if (first > 0) OF(clear_run)(col, first * cg);
      for (int64_t k = first, n = whole ? last - first : 1; k < last; k += n) {
        const T *from = source + k * dw * channels;
        if (from + n * cg <= end) OF(copy_run)(col + k * cg, from, n * cg);
        else memcpy(col + k * cg, from, (size_t)(n * cg) * sizeof(T));
      }
      if (last < width) OF(clear_run)(col + last * cg, (width - last) * cg);
    }
  }
}

/// dx += col, the transpose of im2col.
LEVELS(void, OF(col2im),
       (const OF(conv_job) * job, int64_t row, int64_t count, int64_t group, const T *col),
       (job, row, count, group, col)) {
  const bss_conv *c = job->conv;
  int64_t channels = c->in_channels, cg = job->plan.group_in, width = c->kernel[2],
          dw = c->dilation[2];
  int64_t lines = c->kernel[0] * c->kernel[1];
  OF(conv_pixel) p = OF(pixel_at)(c, job->plan.pixels, row);
  for (int64_t r = 0; r < count; r++, OF(next_pixel)(c, &p)) {
    T *image = job->dx + p.image * bss_product3(c->in) * channels + group * cg;
    int64_t w0 = p.at[2] * c->stride[2] - c->pad[2], first, last;
    OF(valid_columns)(c, w0, &first, &last);
    for (int64_t l = 0; l < lines; l++, col += width * cg) {
      int64_t d = p.at[0] * c->stride[0] - c->pad[0] + l / c->kernel[1] * c->dilation[0];
      int64_t h = p.at[1] * c->stride[1] - c->pad[1] + l % c->kernel[1] * c->dilation[1];
      if (d < 0 || d >= c->in[0] || h < 0 || h >= c->in[1]) continue;
      T *target = image + ((d * c->in[1] + h) * c->in[2] + w0) * channels;
      for (int64_t k = first; k < last; k++) {
        T *to = target + k * dw * channels;
        const T *from = col + k * cg;
        for (int64_t i = 0; i < cg; i++) to[i] += from[i];
      }
    }
  }
}
