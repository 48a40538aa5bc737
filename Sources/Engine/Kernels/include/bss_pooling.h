// Pooling over one, two or three spatial dimensions (missing ones are a leading 1), channels last
// in memory: x [N, D, H, W, C], y [N, oD, oH, oW, C].
//
// Window p covers input positions p*stride - pad + t*dilation, t = 0 ..< kernel. `out` is given by
// the caller (floor or ceil mode); windows may reach past the end of the input.
#pragma once
#include "bss_base.h"

typedef struct {
  int64_t batch, channels;
  int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} bss_window;

/// Maximum; NaN wins. indices[n, p, c] = position (d*H + h)*W + w of the first maximum, -1 where
/// padding won. `zero_padding`: positions outside the input count as 0 (else they never win).
int bss_max_pool_forward(bss_dtype dtype, const bss_window *window, bool zero_padding,
                         const void *x, void *y, int64_t *indices);
/// dx = dy added up at the positions of `indices`; overwritten.
int bss_max_pool_backward(bss_dtype dtype, const bss_window *window, const int64_t *indices,
                          const void *dy, void *dx);

/// Mean. Divisor: `divisor` if > 0; else the window clipped to the input plus padding
/// (count_padding; the padding after the last element is as wide as `pad`), or clipped to the input
/// alone. Dilation is ignored.
int bss_avg_pool_forward(bss_dtype dtype, const bss_window *window, bool count_padding,
                         int64_t divisor, const void *x, void *y);
int bss_avg_pool_backward(bss_dtype dtype, const bss_window *window, bool count_padding,
                          int64_t divisor, const void *dy, void *dx);

/// Mean over bins: output i of `out` takes floor(i*in/out) ..< ceil((i+1)*in/out).
int bss_adaptive_avg_pool_forward(bss_dtype dtype, int64_t batch, int64_t channels,
                                  const int64_t in[3], const int64_t out[3], const void *x,
                                  void *y);
int bss_adaptive_avg_pool_backward(bss_dtype dtype, int64_t batch, int64_t channels,
                                   const int64_t in[3], const int64_t out[3], const void *dy,
                                   void *dx);
