// Convolution in one, two or three spatial dimensions (missing ones are a leading 1), channels last
// in memory.
//
//   x [N, D, H, W, C]    weight [kD, kH, kW, C/G, O]    bias [O]    y [N, oD, oH, oW, O]
//   y[n, p, o] = bias[o] + sum over taps t and channels c of x[n, p*stride + t*dilation - pad,
//   g(o)*C/G + c] * weight[t, c, o]
//
// `pad` is the padding BEFORE the first element; what follows the last one is implied by `out`, so
// that asymmetric ("same") padding needs no copy. Columns g*O/G ..< (g+1)*O/G of the weight belong
// to group g.
#pragma once
#include "bss_base.h"

typedef struct {
  int64_t batch, in_channels, out_channels, groups;
  int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} bss_conv;

/// y = conv(x, weight) + bias; `bias` may be NULL. dtype: BSS_F32 or BSS_F64.
int bss_conv_forward(bss_dtype dtype, const bss_conv *conv, const void *x, const void *weight,
                     const void *bias, void *y);
/// dx = gradient of the input; overwritten.
int bss_conv_backward_data(bss_dtype dtype, const bss_conv *conv, const void *weight,
                           const void *dy, void *dx);
/// dweight = gradient of the weight, dbias (may be NULL) = sum of dy over batch and pixels;
/// overwritten.
int bss_conv_backward_weight(bss_dtype dtype, const bss_conv *conv, const void *x, const void *dy,
                             void *dweight, void *dbias);
