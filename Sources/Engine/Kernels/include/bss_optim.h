// Optimizer updates, fused, in place on contiguous buffers of one dtype (F32 or F64). PyTorch's
// formulas in its order.
#pragma once
#include "bss_base.h"

typedef struct {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first;
} bss_sgd_options;
/// g += wd p;  buf = first ? g : momentum buf + (1 - dampening) g;  g = nesterov ? g + momentum buf
/// : buf;  p -= lr g. `momentum_buffer` may be NULL when momentum == 0. `first` = this buffer has
/// no history yet.
int bss_sgd(bss_dtype dtype, int64_t count, void *param, const void *grad, void *momentum_buffer,
            const bss_sgd_options *options);

typedef struct {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // AdamW: p *= 1 - lr wd, else g += wd p
  bool amsgrad, maximize;
  int64_t step;  // 1 for the first update
} bss_adam_options;
/// m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= lr / (1 - b1^t) m / (sqrt(v or max v) /
/// sqrt(1 - b2^t) + eps). `max_square` only for amsgrad, else NULL.
int bss_adam(bss_dtype dtype, int64_t count, void *param, const void *grad, void *mean,
             void *square, void *max_square, const bss_adam_options *options);

typedef struct {
  double lr, alpha, eps, weight_decay, momentum;
  bool centered, maximize;
} bss_rmsprop_options;
/// v = a v + (1 - a) g^2;  centered: u = a u + (1 - a) g, d = sqrt(v - u^2) + eps, else d = sqrt(v)
/// + eps; momentum: buf = momentum buf + g / d, p -= lr buf, else p -= lr g / d. Unused buffers may
/// be NULL.
int bss_rmsprop(bss_dtype dtype, int64_t count, void *param, const void *grad, void *square,
                void *mean, void *momentum_buffer, const bss_rmsprop_options *options);

// MARK: Arenas: parameters, gradients and state each lie in one buffer, span after span

/// Elements first ..< first + count of every buffer.
typedef struct {
  int64_t first, count;
  double scale;  // of the gradient, before all else (methods that weigh modalities, clipping)
  double rate;   // of the learning rate
  int64_t step;  // updates of this span, this one included: 1 = it has no history yet
} bss_span;

/// The rule above for every span with its own scale, rate and step; what lies between spans (a
/// parameter without gradient) is not touched. A span with scale 1 gives the bits of the call
/// above.
int bss_sgd_arena(bss_dtype dtype, int64_t spans, const bss_span *span, void *param,
                  const void *grad, void *momentum_buffer, const bss_sgd_options *options);
int bss_adam_arena(bss_dtype dtype, int64_t spans, const bss_span *span, void *param,
                   const void *grad, void *mean, void *square, void *max_square,
                   const bss_adam_options *options);
