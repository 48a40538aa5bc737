// 3 x 3 convolution of stride 1 by minimal filtering (winograd.inc.h): the cases of bss_conv.h that
// it serves.
#pragma once
#include "bss_conv.h"

/// Whether these maps are large enough, and the channels fit for vectors. By shape only.
bool bss_winograd_serves(const bss_conv *conv);
int bss_winograd_forward(const bss_conv *conv, const float *x, const float *weight,
                         const float *bias, float *y);
int bss_winograd_backward_data(const bss_conv *conv, const float *weight, const float *dy,
                               float *dx);
int bss_winograd_backward_weight(const bss_conv *conv, const float *x, const float *dy,
                                 float *dweight);
