// Batch and layer normalisation. Statistics are kept in double whatever the element type: data with
// a large offset (mean >> deviation) loses nothing, and a mean rounded to float never enters the
// output.
#pragma once
#include "bss_base.h"

// MARK: Batch normalisation of x [M, C] (channels last: M = batch * pixels)

/// Statistics of the M rows: mean[c] and the biased variance[c].
int bss_batch_statistics(bss_dtype dtype, int64_t rows, int64_t channels, const void *x,
                         double *mean, double *variance);
/// y = epilogue((x - mean) * inverse_deviation * weight + bias + residual); weight, bias and
/// residual [M, C] may be NULL.
int bss_batch_norm_forward(bss_dtype dtype, int64_t rows, int64_t channels, const void *x,
                           const void *weight, const void *bias, const double *mean,
                           const double *inverse_deviation, const void *residual, bool relu,
                           void *y);
/// Gradients; dx, dweight, dbias may be NULL, weight and bias too. g = dy, with `relu` 0 where the
/// forward pass gave 0. training: the statistics came from x itself,
///   dx = weight * inverse_deviation * (g - mean(g) - xhat * mean(g * xhat)); else dx = weight *
///   inverse_deviation * g.
/// With `relu` and a residual, y and dresidual = g are needed; else both are NULL.
int bss_batch_norm_backward(bss_dtype dtype, int64_t rows, int64_t channels, bool training,
                            const void *x, const void *dy, const void *weight, const void *bias,
                            const double *mean, const double *inverse_deviation, bool relu,
                            const void *y, void *dresidual, void *dx, void *dweight, void *dbias);

// MARK: Layer normalisation of x [R, n]: every row by its own statistics

/// y = (x - mean_r) / sqrt(var_r + eps) * weight + bias; weight and bias [n] may be NULL. mean,
/// inverse_deviation: [R], saved.
int bss_layer_norm_forward(bss_dtype dtype, int64_t rows, int64_t n, double eps, const void *x,
                           const void *weight, const void *bias, void *y, double *mean,
                           double *inverse_deviation);
/// Gradients; dx, dweight, dbias may be NULL, weight too.
int bss_layer_norm_backward(bss_dtype dtype, int64_t rows, int64_t n, const void *x, const void *dy,
                            const void *weight, const double *mean, const double *inverse_deviation,
                            void *dx, void *dweight, void *dbias);
