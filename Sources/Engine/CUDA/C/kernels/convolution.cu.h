// Convolution over up to three spatial axes, channels last, in groups (bss_conv.h), as matrix
// products whose operands are gathered while they are loaded: the im2col matrix is never stored.
// `precision`: of the factors (product.cu.h).
#include "product.cu.h"

#ifndef CONVOLUTION_PLACES
#define CONVOLUTION_PLACES
struct Place {
  int64_t image, at[3];
};
DEVICE Place place_of(int64_t i, const int64_t size[3]) {
  Place p;
  p.at[2] = i % size[2], i /= size[2];
  p.at[1] = i % size[1], i /= size[1];
  p.at[0] = i % size[0];
  p.image = i / size[0];
  return p;
}
/// Position in the input that output `out` sees through tap `tap`; -1: padding.
DEVICE int64_t seen_by(const bss_geometry &g, const Place &out, int64_t tap) {
  const Place t = place_of(tap, g.kernel);
  int64_t at = out.image;
  for (int d = 0; d < 3; d++) {
    const int64_t x = out.at[d] * g.stride[d] + t.at[d] * g.dilation[d] - g.pad[d];
    if (x < 0 || x >= g.in[d]) return -1;
    at = at * g.in[d] + x;
  }
  return at;
}
/// Position in the output that sees input `in` through tap `tap`; -1: none.
DEVICE int64_t seen_from(const bss_geometry &g, const Place &in, int64_t tap) {
  const Place t = place_of(tap, g.kernel);
  int64_t at = in.image;
  for (int d = 0; d < 3; d++) {
    const int64_t x = in.at[d] + g.pad[d] - t.at[d] * g.dilation[d];
    if (x < 0 || x % g.stride[d] != 0 || x / g.stride[d] >= g.out[d]) return -1;
    at = at * g.out[d] + x / g.stride[d];
  }
  return at;
}
DEVICE int64_t volume(const int64_t size[3]) { return size[0] * size[1] * size[2]; }
#endif

/// Of x in another order, every element as a factor of `precision`; views x, out.
KERNEL(convolution_factors, 256, (bss_walk w, int64_t precision, const T *x, T *out)) {
  EACH_INDEX(i, w.count) {
    const Offsets<2> at = locate<2>(w, i);
    out[at.of[1]] = rounded_factor(x[at.of[0]], precision);
  }
}

/// Grid (pixels / 64, outputs of a group / 64, groups).
KERNEL(convolution, 256,
       (bss_geometry g, int64_t precision, const T *x, const T *weight, const T *bias, T *out)) {
  __shared__ OF(Tile) tile;
  const int64_t in = g.in_channels / g.groups, outs = g.out_channels / g.groups;
  const int64_t row0 = (int64_t)blockIdx.x * 64, column0 = (int64_t)blockIdx.y * 64,
                group = blockIdx.z, rows = g.batch * volume(g.out);
  T acc[4][4] = {};
  OF(tile_product)<false, true>(
      acc, tile, precision, 0, volume(g.kernel) * in,
      [&](int r, int64_t k) {
        if (row0 + r >= rows) return (T)0;
        const int64_t at = seen_by(g, place_of(row0 + r, g.out), k / in);
        return at < 0 ? (T)0 : x[at * g.in_channels + group * in + k % in];
      },
      [&](int64_t k, int c) {
        return column0 + c < outs ? weight[k * g.out_channels + group * outs + column0 + c] : (T)0;
      });
  OF(tile_results)
  (acc, [&](int r, int c, T v) {
    if (row0 + r >= rows || column0 + c >= outs) return;
    const int64_t o = group * outs + column0 + c;
    out[(row0 + r) * g.out_channels + o] = bias ? v + bias[o] : v;
  });
}

/// Grid (input positions / 64, inputs of a group / 64, groups).
KERNEL(convolution_input, 256,
       (bss_geometry g, int64_t precision, const T *weight, const T *grad, T *out)) {
  __shared__ OF(Tile) tile;
  const int64_t in = g.in_channels / g.groups, outs = g.out_channels / g.groups;
  const int64_t row0 = (int64_t)blockIdx.x * 64, column0 = (int64_t)blockIdx.y * 64,
                group = blockIdx.z, rows = g.batch * volume(g.in);
  T acc[4][4] = {};
  OF(tile_product)<false, false>(
      acc, tile, precision, 0, volume(g.kernel) * outs,
      [&](int r, int64_t k) {
        if (row0 + r >= rows) return (T)0;
        const int64_t at = seen_from(g, place_of(row0 + r, g.in), k / outs);
        return at < 0 ? (T)0 : grad[at * g.out_channels + group * outs + k % outs];
      },
      [&](int64_t k, int c) {
        const int64_t channel = column0 + c, o = group * outs + k % outs;
        return channel < in ? weight[(k / outs * in + channel) * g.out_channels + o] : (T)0;
      });
  OF(tile_results)
  (acc, [&](int r, int c, T v) {
    if (row0 + r < rows && column0 + c < in)
      out[(row0 + r) * g.in_channels + group * in + column0 + c] = v;
  });
}

/// Grid (taps and inputs of a group / 64, outputs of a group / 64, groups x parts): part s sums its
/// share of the pixels into partial[s], of the weight's shape.
KERNEL(convolution_weight, 256,
       (bss_geometry g, int64_t precision, int64_t parts, const T *x, const T *grad, T *partial)) {
  __shared__ OF(Tile) tile;
  const int64_t in = g.in_channels / g.groups, outs = g.out_channels / g.groups;
  const int64_t row0 = (int64_t)blockIdx.x * 64, column0 = (int64_t)blockIdx.y * 64;
  const int64_t group = blockIdx.z / parts, part = blockIdx.z % parts;
  const int64_t rows = volume(g.kernel) * in, pixels = g.batch * volume(g.out);
  T acc[4][4] = {};
  OF(tile_product)<true, true>(
      acc, tile, precision, pixels * part / parts, pixels * (part + 1) / parts,
      [&](int r, int64_t k) {
        if (row0 + r >= rows) return (T)0;
        const int64_t at = seen_by(g, place_of(k, g.out), (row0 + r) / in);
        return at < 0 ? (T)0 : x[at * g.in_channels + group * in + (row0 + r) % in];
      },
      [&](int64_t k, int c) {
        return column0 + c < outs ? grad[k * g.out_channels + group * outs + column0 + c] : (T)0;
      });
  T *out = partial + part * rows * g.out_channels;
  OF(tile_results)
  (acc, [&](int r, int c, T v) {
    if (row0 + r < rows && column0 + c < outs)
      out[(row0 + r) * g.out_channels + group * outs + column0 + c] = v;
  });
}
