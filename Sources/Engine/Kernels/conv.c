// Convolution as matrix products on tiles of im2col rows: bss_conv.h says what, conv.inc.h how.
#include "bss_conv.h"
#include "bss_gemm.h"
#include "bss_reduce.h"
#include "element.h"
#include "gemm_packed.h"
#include "winograd.h"
#include "workspace.h"
#include <stdatomic.h>

// MARK: Geometry, the same for both element types

/// One im2col row is all the input that one output pixel sees: taps * C/G elements.
typedef struct {
  int64_t group_in, group_out;  // channels of one group
  int64_t taps, pixels, rows;   // kernel positions; output pixels of an image; of the batch
  int64_t tile;                 // rows of a tile
} bss_conv_plan;

/// Rows of a tile of im2col: few enough that it stays in the second-level cache between copy and
/// product, enough to repay reading all of the weight. Multiples of the products' register tiles.
static int64_t tile_rows(int64_t rows, int64_t row_length) {
  if (rows * row_length <= BSS_PARALLEL_GRAIN) return bss_max(1, rows);
  const int64_t tile = row_length <= 640 ? 112 : 56;
  // At least eight tiles when there is work for them.
  return bss_max(28, bss_min(tile, bss_ceil_div(bss_ceil_div(rows, 8), 14) * 14));
}

/// Rows of im2col that are made for one product of all threads: 8 MB.
static int64_t gathered_rows(int64_t rows, int64_t row_length) {
  return bss_min(rows, bss_max(64, (2 << 20) / bss_max(1, row_length)));
}

static bss_conv_plan plan_of(const bss_conv *c) {
  bss_conv_plan p;
  p.group_in = c->in_channels / c->groups;
  p.group_out = c->out_channels / c->groups;
  p.taps = bss_product3(c->kernel);
  p.pixels = bss_product3(c->out);
  p.rows = c->batch * p.pixels;
  p.tile = tile_rows(p.rows, p.taps * p.group_in);
  return p;
}

enum {
  few_rows = 256,       // output pixels of a batch up to which reading the weight is the work
  big_weight = 200000,  // elements from which on threads do not keep gradients of their own
};

/// Every output pixel is one input pixel: a matrix product without any copying.
static bool is_pointwise(const bss_conv *c) {
  for (int i = 0; i < 3; i++)
    if (c->kernel[i] != 1 || c->stride[i] != 1 || c->pad[i] != 0 || c->out[i] != c->in[i])
      return false;
  return true;
}

static bool is_depthwise(const bss_conv *c) {
  return c->groups > 1 && c->in_channels == c->groups && c->out_channels == c->groups;
}

/// One task item a line of pixels (n, d, h, all w) of a map of this size.
static int depthwise_run_lines(const bss_conv *c, const int64_t map[3], bss_task line, void *job) {
  return bss_run_items(c->batch * map[0] * map[1],
                       map[2] * c->in_channels * bss_product3(c->kernel), line, job);
}

/// The convolution that takes dy to dx when every stride is 1: the kernel turned round.
static bss_conv turned(const bss_conv *c) {
  bss_conv t = *c;
  t.in_channels = c->out_channels;
  t.out_channels = c->in_channels;
  for (int i = 0; i < 3; i++) {
    t.in[i] = c->out[i];
    t.out[i] = c->in[i];
    t.pad[i] = c->dilation[i] * (c->kernel[i] - 1) - c->pad[i];
  }
  return t;
}

static bool pays_to_turn(const bss_conv *c) {
  if (c->stride[0] != 1 || c->stride[1] != 1 || c->stride[2] != 1) return false;
  // Products with the zeros around a small dy would cost more than the scattered additions they
  // avoid.
  return 2 * bss_product3(c->in) <= 3 * bss_product3(c->out);
}

#define T float
#define OF(name) name##_f32
#define DTYPE BSS_F32
#include "conv.inc.h"
#undef T
#undef OF
#undef DTYPE
#define T double
#define OF(name) name##_f64
#define DTYPE BSS_F64
#include "conv.inc.h"

// MARK: Entry points

int bss_conv_forward(bss_dtype dtype, const bss_conv *conv, const void *x, const void *weight,
                     const void *bias, void *y) {
  if (dtype == BSS_F32 && bss_winograd_serves(conv))
    return bss_winograd_forward(conv, x, weight, bias, y);
  return dtype == BSS_F32 ? conv_forward_f32(conv, x, weight, bias, y)
                          : conv_forward_f64(conv, x, weight, bias, y);
}

int bss_conv_backward_data(bss_dtype dtype, const bss_conv *conv, const void *weight,
                           const void *dy, void *dx) {
  if (dtype == BSS_F32 && bss_winograd_serves(conv))
    return bss_winograd_backward_data(conv, weight, dy, dx);
  return dtype == BSS_F32 ? conv_backward_data_f32(conv, weight, dy, dx)
                          : conv_backward_data_f64(conv, weight, dy, dx);
}

int bss_conv_backward_weight(bss_dtype dtype, const bss_conv *conv, const void *x, const void *dy,
                             void *dweight, void *dbias) {
  if (dbias) {
    int64_t rows = conv->batch * bss_product3(conv->out);
    bss_view grad = {.data = (void *)dy,
                     .shape = {rows, conv->out_channels},
                     .stride = {conv->out_channels, 1},
                     .rank = 2,
                     .dtype = dtype};
    bss_view sum = {
        .data = dbias, .shape = {conv->out_channels}, .stride = {1}, .rank = 1, .dtype = dtype};
    int status = bss_reduce(BSS_SUM, &grad, 1, &sum);
    if (status != BSS_OK) return status;
  }
  if (dtype == BSS_F32 && bss_winograd_serves(conv))
    return bss_winograd_backward_weight(conv, x, dy, dweight);
  return dtype == BSS_F32 ? conv_backward_weight_f32(conv, x, dy, dweight)
                          : conv_backward_weight_f64(conv, x, dy, dweight);
}
