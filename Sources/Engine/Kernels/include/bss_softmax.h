// Softmax family over the last axis of contiguous [rows, columns]; dtype F32 or F64.
#pragma once
#include "bss_base.h"

/// p = exp(x - max) / sum. A row of only -inf gives NaN, as in PyTorch.
int bss_softmax(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out);
/// dx = p (g - sum(g p)), from p = softmax(x).
int bss_softmax_backward(bss_dtype dtype, const void *grad, const void *p, int64_t rows,
                         int64_t columns, void *out);
/// x - logsumexp(x).
int bss_log_softmax(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out);
/// dx = g - exp(y) sum(g), from y = log_softmax(x).
int bss_log_softmax_backward(bss_dtype dtype, const void *grad, const void *y, int64_t rows,
                             int64_t columns, void *out);
/// out[rows] = log sum exp(x); -inf for a row of only -inf.
int bss_logsumexp(bss_dtype dtype, const void *x, int64_t rows, int64_t columns, void *out);

/// Fused cross-entropy with class targets (PyTorch `cross_entropy` semantics), per row, unscaled:
///
///     loss[n] = (1 - s) w[t] (-logp[t]) + s / C * sum_c w[c] (-logp[c])       0 when t ==
///     ignore_index dlogits[n, c] = d loss[n] / d logits[n, c]
///
/// s = label_smoothing; w = class_weight [columns] of the logits' dtype, or NULL for 1; targets are
/// in 0 ..< columns or ignore_index (checked by the caller). `loss` [rows] and `dlogits` [rows,
/// columns] may each be NULL. The "mean" of the framework divides the sum by sum_n w[t_n] (not
/// ignored): row_weight [rows], or NULL, receives w[t_n].
int bss_cross_entropy(bss_dtype dtype, const void *logits, const int64_t *target, int64_t rows,
                      int64_t columns, const void *class_weight, double label_smoothing,
                      int64_t ignore_index, void *loss, void *dlogits, void *row_weight);

/// out[n, c] = x[n, c] * scale[n * scale_stride] * factor; scale_stride 0 or 1. For backward of
/// per-row losses.
int bss_scale_rows(bss_dtype dtype, const void *x, const void *scale, int64_t scale_stride,
                   double factor, int64_t rows, int64_t columns, void *out);
