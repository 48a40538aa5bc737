// What travels from the host to a kernel by value, for both sides: Swift imports these structs,
// kernels take them as parameters. Sizes count elements. A kernel's parameters hold 4 KiB at most.
#pragma once
#ifndef BSS_DEVICE_CODE
#include <stdint.h>
#endif

enum { BSS_WALK_RANK = 8, BSS_WALK_VIEWS = 5, BSS_UPDATE_PARTS = 48 };

/// Elements of up to five arrays of one shape, in row-major order; neighbouring axes are merged
/// where all views allow it.
typedef struct {
  int64_t count;
  int64_t shape[BSS_WALK_RANK];
  int64_t stride[BSS_WALK_VIEWS][BSS_WALK_RANK];
  int64_t rank;
} bss_walk;

/// A reduction: `outputs` results, each over `count` elements. Element j of output i lies at
/// offset(kept, i) + offset(reduced, j); view 0 of both walks. The range of j is cut into `groups`.
typedef struct {
  bss_walk kept, reduced;
  int64_t groups;
} bss_reduction;

/// out = alpha op(a) op(b) + beta out, then + bias and ReLU; `precision` of the factors: 0 as they
/// are, 1 TF32, 2 bfloat16.
typedef struct {
  int64_t m, n, k, lda, ldb, ldc, stride_a, stride_b, stride_c;
  double alpha, beta;
  int64_t relu, precision;
} bss_product;

/// A convolution or a pooling over three spatial axes, channels last (bss_conv.h, bss_pooling.h).
typedef struct {
  int64_t batch, in_channels, out_channels, groups;
  int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} bss_geometry;

/// How a mean over a window divides; `adaptive`: bins in place of windows.
typedef struct {
  int64_t count_padding, divisor, adaptive;
} bss_mean_rule;

/// Rows of one normalisation: x [rows, columns]; sums are cut into chunks of rows.
typedef struct {
  int64_t rows, columns, rows_a_chunk, chunks;
} bss_rows;

/// Lines along the axis of an index: `lines` walks over the other axes (views: target or source,
/// index, values), `length` indices a line, with the strides along the axis.
typedef struct {
  bss_walk lines;
  int64_t length, stride[3];
} bss_lines;

/// x [outer, axis, inner] along an indexed axis.
typedef struct {
  int64_t outer, axis, inner, count;
} bss_axis;

/// One parameter's buffers in an optimizer's step.
typedef struct {
  void *parameter;
  const void *gradient;
  void *state[3];
  int64_t count;
} bss_update_part;
typedef struct {
  bss_update_part part[BSS_UPDATE_PARTS];
} bss_update_parts;

/// Rows of x [.., run] that go to out, for several arrays of one element type.
typedef struct {
  const void *x;
  void *out;
  int64_t run;
} bss_card_rows;
typedef struct {
  bss_card_rows part[BSS_UPDATE_PARTS];
} bss_card_row_parts;

/// The numbers of a rule, as the formulas of bss_optim.h name them; unused ones are 0.
typedef struct {
  double rate, decay, momentum, damping, beta1, beta2, eps, correction1, correction2;
  int64_t step;
  int32_t nesterov, first, decoupled, variant;
} bss_rule_numbers;

/// Adam's step on the device, where the host does not count: a step that is replayed.
typedef struct {
  int64_t step;
  double correction1, correction2;
} bss_adam_count;
