// The way back through bias and epilogue of a linear layer, in one pass over the gradient.
#include "bss_gemm.h"
#include "element.h"

enum { lanes = 64, chunk_rows = 64 };

typedef struct {
  int64_t rows, columns, stride;
  const void *dy, *y;
  void *out, *dbias;
} linear_back;

// Columns [64 block, 64 block + 64): sums of 64 rows at a time, added up: the error grows with rows
// / 64 + 64, not with rows.
#define BLOCK(T, NAME)                                                                   \
  CLONES static void NAME(void *context, int64_t block) {                                \
    const linear_back *b = context;                                                      \
    const int64_t first = block * lanes, width = bss_min(lanes, b->columns - first);     \
    T total[lanes] = {0};                                                                \
    for (int64_t start = 0; start < b->rows; start += chunk_rows) {                      \
      const int64_t end = bss_min(start + chunk_rows, b->rows);                          \
      T sum[lanes] = {0};                                                                \
      for (int64_t r = start; r < end; r++) {                                            \
        const T *restrict dy = (const T *)b->dy + r * b->stride + first;                 \
        if (b->y) {                                                                      \
          const T *restrict y = (const T *)b->y + r * b->columns + first;                \
          T *restrict out = (T *)b->out + r * b->columns + first;                        \
          if (width == lanes) {                                                          \
            for (int j = 0; j < lanes; j++) out[j] = y[j] > 0 ? dy[j] : 0;               \
            for (int j = 0; j < lanes; j++) sum[j] += out[j];                            \
          } else                                                                         \
            for (int64_t j = 0; j < width; j++) sum[j] += out[j] = y[j] > 0 ? dy[j] : 0; \
        } else if (width == lanes)                                                       \
          for (int j = 0; j < lanes; j++) sum[j] += dy[j];                               \
        else                                                                             \
          for (int64_t j = 0; j < width; j++) sum[j] += dy[j];                           \
      }                                                                                  \
      for (int j = 0; j < lanes; j++) total[j] += sum[j];                                \
    }                                                                                    \
    if (b->dbias)                                                                        \
      for (int64_t j = 0; j < width; j++) ((T *)b->dbias)[first + j] = total[j];         \
  }
BLOCK(float, back_f32)
BLOCK(double, back_f64)
#undef BLOCK

int bss_linear_backward(bss_dtype dtype, int64_t rows, int64_t columns, const void *dy,
                        int64_t stride, const void *y, void *out, void *dbias) {
  linear_back b = {.rows = rows,
                   .columns = columns,
                   .stride = stride,
                   .dy = dy,
                   .y = y,
                   .out = out,
                   .dbias = dbias};
  return bss_run_items(bss_ceil_div(columns, lanes), lanes * rows,
                       dtype == BSS_F32 ? back_f32 : back_f64, &b);
}
