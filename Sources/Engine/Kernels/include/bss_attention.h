// What attention adds to the matrix products: masked softmax over keys, and its way back through
// dropout. Rows contiguous.
#pragma once
#include "bss_base.h"

/// In place over scores [batch, heads, length, span]: softmax along the span. keys [batch, span] of
/// the same dtype or NULL: 0 marks a key that counts for nothing; causal: query i sees keys 0 ...
/// i. A row without any key becomes 1 / span.
int bss_softmax_masked(bss_dtype dtype, void *scores, const void *keys, bool causal, int64_t batch,
                       int64_t heads, int64_t length, int64_t span);

/// In place over grad [rows, columns]: d g - p sum(d g), with p the softmax and d the same after
/// dropout (d = p without).
int bss_softmax_dropped_backward(bss_dtype dtype, void *grad, const void *p, const void *dropped,
                                 int64_t rows, int64_t columns);
