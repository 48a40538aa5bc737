// Batch and layer normalisation. Statistics are kept in double whatever the element type: data with a large
// offset (mean >> deviation) loses nothing, and a mean rounded to float never enters the output.
#pragma once
#include "bss_base.h"

// MARK: Batch normalisation of x [M, C] (channels last: M = batch * pixels)

/// Statistics of the M rows: mean[c] and the biased variance[c].
int bss_batch_statistics(bss_dtype dtype, int64_t rows, int64_t channels, const void *x, double *mean, double *variance);
/// y = (x - mean) * inverse_deviation * weight + bias; weight and bias may be NULL.
int bss_batch_norm_forward(
  bss_dtype dtype, int64_t rows, int64_t channels, const void *x, const void *weight, const void *bias,
  const double *mean, const double *inverse_deviation, void *y);
/// Gradients; dx, dweight, dbias may be NULL, weight too.
/// training: the statistics came from x itself,
///   dx = weight * inverse_deviation * (dy - mean(dy) - xhat * mean(dy * xhat)); else dx = weight * inverse_deviation * dy.
int bss_batch_norm_backward(
  bss_dtype dtype, int64_t rows, int64_t channels, bool training, const void *x, const void *dy, const void *weight,
  const double *mean, const double *inverse_deviation, void *dx, void *dweight, void *dbias);

// MARK: Layer normalisation of x [R, n]: every row by its own statistics

/// y = (x - mean_r) / sqrt(var_r + eps) * weight + bias; weight and bias [n] may be NULL. mean, inverse_deviation: [R], saved.
int bss_layer_norm_forward(
  bss_dtype dtype, int64_t rows, int64_t n, double eps, const void *x, const void *weight, const void *bias, void *y,
  double *mean, double *inverse_deviation);
/// Gradients; dx, dweight, dbias may be NULL, weight too.
int bss_layer_norm_backward(
  bss_dtype dtype, int64_t rows, int64_t n, const void *x, const void *dy, const void *weight,
  const double *mean, const double *inverse_deviation, void *dx, void *dweight, void *dbias);
