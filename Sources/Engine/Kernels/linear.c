// The way back through bias and epilogue of a linear layer, in one pass over the gradient.
#include "bss_gemm.h"
#include "element.h"

enum { lanes = 64, chunk_rows = 64 };

typedef struct {
  int64_t rows, columns, stride;
  const void *dy, *y;
  void *out, *dbias;
} linear_back;

#define T float
#define OF(name) name##_f32
#include "linear.inc.h"
#undef T
#undef OF
#define T double
#define OF(name) name##_f64
#include "linear.inc.h"

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
