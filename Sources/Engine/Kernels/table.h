// The table of level-dependent loops. All work on contiguous memory and know nothing of shapes,
// threads or views.
#pragma once
#include "bss_base.h"
#include "bss_elementwise.h"
#include "bss_gemm.h"
#include "bss_media.h"
#include "bss_optim.h"
#include "bss_reduce.h"

// GEMM blocking: k is cut at multiples of GEMM_KC; most rows of a tile that A may be copied for.
#define GEMM_KC 384
#define GEMM_TILE_M 128
#define GEMM_GROUP 4  // panels of B packed together
enum {
  gemm_panel_bytes = 128,
  gemm_work_bytes = GEMM_KC * gemm_panel_bytes * GEMM_GROUP + (GEMM_KC + 16) * GEMM_TILE_M * 8
};

/// One strided matrix product on one thread: C[m, n] = alpha A B + beta C, then + bias and
/// epilogue. A(i, p) = a[i * a_row + p * a_column], likewise B. `work` holds gemm_work_bytes.
typedef struct {
  int64_t m, n, k;
  const void *a;
  int64_t a_row, a_column;
  const void *b;
  int64_t b_row, b_column;
  void *c;
  int64_t ldc;
  double alpha, beta;
  const void *bias;
  int epilogue;
  const void *packed;  // this tile's panels of B packed by gemm_pack, or NULL
} gemm_problem;

enum {
  winograd_gap = 16
};  // behind a tile's channels: columns must not lie a multiple of 4 KiB apart

/// The maps of a 3 x 3 convolution of stride 1, channels last; a tile is 2 x 2 outputs.
typedef struct {
  int64_t in_channels, out_channels, in_h, in_w, out_h, out_w, pad_h, pad_w, tiles_h, tiles_w;
} winograd_map;

/// Running state of one reduced output: value, and position for ARGMAX / ARGMIN.
typedef struct {
  double value;
  int64_t position;
} reduce_state;

#define BSS_TYPED_LOOPS(X, T, S)                                                                   \
  X(unary_##S, void, (int op, const T *x, T *out, int64_t n, double p0, double p1))                \
  X(unary_backward_##S, void,                                                                      \
    (int op, const T *g, const T *x, T *out, int64_t n, double p0, double p1))                     \
  X(binary_##S, void, (int op, const T *a, const T *b, T *out, int64_t n))                         \
  X(accumulate_##S, void, (double alpha, const T *x, const T *y, T *out, int64_t n))               \
  X(multiply_add_##S, void, (double alpha, const T *a, const T *b, const T *c, T *out, int64_t n)) \
  X(reduce_run_##S, double, (int op, const T *x, int64_t n))                                       \
  X(reduce_columns_##S, void,                                                                      \
    (int op, const T *x, int64_t rows, int64_t row_stride, int64_t columns, double *acc))          \
  X(sum_squares_##S, double, (const T *x, int64_t n))                                              \
  X(all_finite_##S, bool, (const T *x, int64_t n))                                                 \
  X(softmax_##S, void, (int kind, const T *x, int64_t rows, int64_t columns, T *out))              \
  X(softmax_backward_##S, void,                                                                    \
    (int kind, const T *g, const T *y, int64_t rows, int64_t columns, T *out))                     \
  X(cross_entropy_##S, void,                                                                       \
    (const T *logits, const int64_t *target, int64_t rows, int64_t columns, const T *weight,       \
     double smoothing, int64_t ignore, T *loss, T *dlogits, T *row_weight))                        \
  X(scale_rows_##S, void,                                                                          \
    (const T *x, const T *scale, int64_t step, double factor, int64_t rows, int64_t columns,       \
     T *out))                                                                                      \
  X(sgd_##S, void, (int64_t n, T * p, const T *g, T *buf, T scale, const bss_sgd_options *o))      \
  X(adam_##S, void,                                                                                \
    (int64_t n, T * p, const T *g, T *m, T *v, T *vmax, T scale, const bss_adam_options *o))       \
  X(rmsprop_##S, void,                                                                             \
    (int64_t n, T * p, const T *g, T *v, T *u, T *buf, T scale, const bss_rmsprop_options *o))     \
  X(gemm_##S, void, (const gemm_problem *problem, void *work))                                     \
  X(gemm_pack_##S, void, (const gemm_problem *problem, int64_t first, int64_t last, void *packed)) \
  X(uniform_##S, void,                                                                             \
    (uint64_t key, uint64_t counter, double low, double high, T *out, int64_t blocks))             \
  X(normal_##S, void,                                                                              \
    (uint64_t key, uint64_t counter, double mean, double std, T *out, int64_t blocks))             \
  X(mask_##S, void,                                                                                \
    (uint64_t key, uint64_t counter, double p, double value, T *out, int64_t blocks))

#define BSS_LOOPS(X)                                                                               \
  BSS_TYPED_LOOPS(X, float, f32)                                                                   \
  BSS_TYPED_LOOPS(X, double, f64)                                                                  \
  X(winograd_patches, void,                                                                        \
    (const winograd_map *map, const float *x, int64_t first, int64_t count, float *v,              \
     int64_t step))                                                                                \
  X(winograd_outputs, void,                                                                        \
    (const winograd_map *map, const float *products, int64_t step, const float *bias,              \
     int64_t first, int64_t count, float *y))                                                      \
  X(winograd_output_gradients, void,                                                               \
    (const winograd_map *map, const float *dy, int64_t first, int64_t count, float *products,      \
     int64_t step))                                                                                \
  X(winograd_filter, void,                                                                         \
    (const float *weight, int64_t in, int64_t out, int64_t block, float *u, int64_t step))         \
  X(winograd_turned_filter, void,                                                                  \
    (const float *weight, int64_t in, int64_t out, int64_t block, float *u, int64_t step))         \
  X(winograd_filter_gradient, void,                                                                \
    (const float *du, int64_t parts, int64_t part_step, int64_t in, int64_t out, int64_t c,        \
     float *dweight))                                                                              \
  X(philox_words, void, (uint64_t key, uint64_t counter, uint32_t * out, int64_t blocks))          \
  X(stft_frames, void,                                                                             \
    (const bss_stft *plan, const float *x, int64_t count, int64_t frames, int kind, double offset, \
     double *work, float *out))                                                                    \
  X(resample, void,                                                                                \
    (const double *x, const double *taps, int64_t up, int64_t down, int64_t half, int64_t width,   \
     float *out, int64_t count))                                                                   \
  X(resize_rows, void,                                                                             \
    (const uint8_t *x, int64_t height, int64_t width, int64_t channels,                            \
     const bss_resize_axis *axis, uint8_t *out))                                                   \
  X(resize_columns, void,                                                                          \
    (const uint8_t *x, int64_t width, int64_t channels, const bss_resize_axis *axis,               \
     uint8_t *out))                                                                                \
  X(order_keys, void,                                                                              \
    (const double *weights, bool logarithmic, uint64_t key, uint64_t counter, uint64_t *out,       \
     int64_t blocks))

typedef struct {
#define X(name, result, arguments) result(*name) arguments;
  BSS_LOOPS(X)
#undef X
} bss_loop_table;

/// The loops of the chosen level.
extern const bss_loop_table *bss_loops;
