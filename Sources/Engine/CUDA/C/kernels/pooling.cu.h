// Pooling, channels last (bss_pooling.h). The ways back gather: an input adds up what the windows
// that hold it send, in the order of the output.
#include "device.cu.h"

#ifndef POOLING_SPANS
#define POOLING_SPANS
struct Span {
  int64_t start, end, divisor;
};
/// Input positions that output i of an axis covers, and what it divides by there.
DEVICE Span span_of(const bss_geometry &g, const bss_mean_rule &rule, int axis, int64_t i) {
  if (rule.adaptive) {
    const int64_t start = i * g.in[axis] / g.out[axis],
                  end = ((i + 1) * g.in[axis] + g.out[axis] - 1) / g.out[axis];
    return {start, end, end - start};
  }
  const int64_t start = i * g.stride[axis] - g.pad[axis],
                end = least(start + g.kernel[axis], g.in[axis] + g.pad[axis]);
  Span s = {most(start, 0), least(end, g.in[axis]), 0};
  s.end = most(s.end, s.start);
  s.divisor = rule.count_padding ? end - start : s.end - s.start;
  return s;
}
DEVICE double factor_of(const bss_mean_rule &rule, const Span s[3]) {
  const int64_t own = s[0].divisor * s[1].divisor * s[2].divisor,
                divisor = rule.divisor > 0 ? rule.divisor : own;
  return divisor > 0 ? 1.0 / (double)divisor : 0;
}
struct Cell {
  int64_t image, at[3], channel;
};
DEVICE Cell cell_of(int64_t i, const int64_t size[3], int64_t channels) {
  Cell c;
  c.channel = i % channels, i /= channels;
  for (int d = 2; d >= 0; d--) c.at[d] = i % size[d], i /= size[d];
  c.image = i;
  return c;
}
DEVICE int64_t position_of(const int64_t size[3], int64_t d, int64_t h, int64_t w) {
  return (d * size[1] + h) * size[2] + w;
}
/// Outputs first ..< last of an axis may hold input x: those whose windows begin near enough.
DEVICE void holders(const bss_geometry &g, const bss_mean_rule &rule, int axis, int64_t x,
                    int64_t &first, int64_t &last) {
  if (rule.adaptive) {
    first = x * g.out[axis] / g.in[axis];
    last = least((x + 1) * g.out[axis] / g.in[axis] + 1, g.out[axis]);
    return;
  }
  const int64_t reach = (g.kernel[axis] - 1) * g.dilation[axis] + 1, at = x + g.pad[axis];
  first = at < reach ? 0 : (at - reach) / g.stride[axis] + 1;
  last = least(at / g.stride[axis] + 1, g.out[axis]);
}
#define EACH_HOLDER(g, rule, c, ...)                                                           \
  int64_t lo[3], hi[3];                                                                        \
  for (int axis = 0; axis < 3; axis++) holders(g, rule, axis, c.at[axis], lo[axis], hi[axis]); \
  for (int64_t d = lo[0]; d < hi[0]; d++)                                                      \
    for (int64_t h = lo[1]; h < hi[1]; h++)                                                    \
      for (int64_t w = lo[2]; w < hi[2]; w++) __VA_ARGS__
#endif

/// NaN wins; the first candidate is taken as it is. Position -1: padding, which counts as 0.
KERNEL(max_pool, 256,
       (bss_geometry g, int64_t zero_padding, const T *x, T *out, int64_t *indices)) {
  const int64_t total = g.batch * g.in_channels * g.out[0] * g.out[1] * g.out[2];
  EACH_INDEX(i, total) {
    const Cell c = cell_of(i, g.out, g.in_channels);
    const int64_t image = c.image * g.in[0] * g.in[1] * g.in[2];
    T best = 0;
    int64_t position = -2;
    for (int64_t a = 0; a < g.kernel[0]; a++)
      for (int64_t b = 0; b < g.kernel[1]; b++)
        for (int64_t e = 0; e < g.kernel[2]; e++) {
          const int64_t d = c.at[0] * g.stride[0] - g.pad[0] + a * g.dilation[0];
          const int64_t h = c.at[1] * g.stride[1] - g.pad[1] + b * g.dilation[1];
          const int64_t w = c.at[2] * g.stride[2] - g.pad[2] + e * g.dilation[2];
          const bool inside =
              d >= 0 && d < g.in[0] && h >= 0 && h < g.in[1] && w >= 0 && w < g.in[2];
          if (!inside && !zero_padding) continue;
          const int64_t at = inside ? position_of(g.in, d, h, w) : -1;
          const T v = inside ? x[(image + at) * g.in_channels + c.channel] : (T)0;
          if (position == -2 || v > best || v != v) best = v, position = at;
        }
    out[i] = position == -2 ? (T)-INFINITY : best;
    indices[i] = position == -2 ? -1 : position;
  }
}
KERNEL(max_pool_backward, 256, (bss_geometry g, const int64_t *indices, const T *grad, T *out)) {
  const bss_mean_rule rule = {0, 0, 0};
  EACH_INDEX(i, g.batch * g.in_channels * g.in[0] * g.in[1] * g.in[2]) {
    const Cell c = cell_of(i, g.in, g.in_channels);
    const int64_t own = position_of(g.in, c.at[0], c.at[1], c.at[2]);
    const int64_t image = c.image * g.out[0] * g.out[1] * g.out[2];
    T sum = 0;
    EACH_HOLDER(g, rule, c, {
      const int64_t at = (image + position_of(g.out, d, h, w)) * g.in_channels + c.channel;
      if (indices[at] == own) sum += grad[at];
    })
    out[i] = sum;
  }
}

KERNEL(mean_pool, 256, (bss_geometry g, bss_mean_rule rule, const T *x, T *out)) {
  EACH_INDEX(i, g.batch * g.in_channels * g.out[0] * g.out[1] * g.out[2]) {
    const Cell c = cell_of(i, g.out, g.in_channels);
    const int64_t image = c.image * g.in[0] * g.in[1] * g.in[2];
    Span s[3];
    for (int axis = 0; axis < 3; axis++) s[axis] = span_of(g, rule, axis, c.at[axis]);
    T sum = 0;
    for (int64_t d = s[0].start; d < s[0].end; d++)
      for (int64_t h = s[1].start; h < s[1].end; h++)
        for (int64_t w = s[2].start; w < s[2].end; w++)
          sum += x[(image + position_of(g.in, d, h, w)) * g.in_channels + c.channel];
    out[i] = sum * (T)factor_of(rule, s);
  }
}
KERNEL(mean_pool_backward, 256, (bss_geometry g, bss_mean_rule rule, const T *grad, T *out)) {
  EACH_INDEX(i, g.batch * g.in_channels * g.in[0] * g.in[1] * g.in[2]) {
    const Cell c = cell_of(i, g.in, g.in_channels);
    const int64_t image = c.image * g.out[0] * g.out[1] * g.out[2];
    T sum = 0;
    EACH_HOLDER(g, rule, c, {
      const Span s[3] = {span_of(g, rule, 0, d), span_of(g, rule, 1, h), span_of(g, rule, 2, w)};
      bool holds = true;
      for (int axis = 0; axis < 3; axis++)
        holds = holds && c.at[axis] >= s[axis].start && c.at[axis] < s[axis].end;
      if (holds)
        sum += (T)factor_of(rule, s) *
               grad[(image + position_of(g.out, d, h, w)) * g.in_channels + c.channel];
    })
    out[i] = sum;
  }
}
