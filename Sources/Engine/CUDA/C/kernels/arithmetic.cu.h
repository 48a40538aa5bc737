// Two floats of one type, sums in place, tests, scaled rows, the ReLU of a linear layer.
#include "device.cu.h"
#include "bss_ops.h"
#include "whole.inc.h"

#define EACH(y) out[at.of[2]] = (y);
#define EACH_LIBM(y) out[at.of[2]] = (T)(y);
#define KERNEL_OF_ROW(ID, id, name, formula, value, whole)                 \
  KERNEL(binary_##ID, 256, (bss_walk w, const T *a, const T *b, T *out)) { \
    EACH_INDEX(i, w.count) {                                               \
      const Offsets<3> at = locate<3>(w, i);                               \
      const T u = a[at.of[0]], v = b[at.of[1]];                            \
      value                                                                \
    }                                                                      \
  }
BSS_BINARY_OPS(KERNEL_OF_ROW)
#undef KERNEL_OF_ROW
#undef EACH
#undef EACH_LIBM

#define KERNEL_OF_ROW(ID, id, name, formula, test)                  \
  KERNEL(unary_##ID, 256, (bss_walk w, const T *x, uint8_t *out)) { \
    EACH_INDEX(i, w.count) {                                        \
      const Offsets<2> at = locate<2>(w, i);                        \
      const T v = x[at.of[0]];                                      \
      out[at.of[1]] = test;                                         \
    }                                                               \
  }
BSS_TEST_OPS(KERNEL_OF_ROW)
#undef KERNEL_OF_ROW

/// out += alpha x
KERNEL(accumulate, 256, (bss_walk w, double alpha, const T *x, T *out)) {
  const T a = (T)alpha;
  EACH_INDEX(i, w.count) {
    const Offsets<2> at = locate<2>(w, i);
    const T v = x[at.of[0]];
    out[at.of[1]] += alpha == 1 ? v : a * v;
  }
}

/// out = c + alpha a b
KERNEL(multiply_add, 256, (bss_walk w, double alpha, const T *a, const T *b, const T *c, T *out)) {
  const T s = (T)alpha;
  EACH_INDEX(i, w.count) {
    const Offsets<4> at = locate<4>(w, i);
    out[at.of[3]] = c[at.of[2]] + s * a[at.of[0]] * b[at.of[1]];
  }
}

/// out[n, c] = x[n, c] scale[n step] factor
KERNEL(scale_rows, 256,
       (const T *x, const T *scale, int64_t step, double factor, int64_t rows, int64_t columns,
        T *out)) {
  EACH_INDEX(i, rows * columns) out[i] = x[i] * (T)(scale[i / columns * step] * (T)factor);
}

/// out = y > 0 ? grad : 0; rows of grad lie `leading` apart.
KERNEL(relu_mask, 256,
       (const T *grad, int64_t leading, const T *y, int64_t rows, int64_t columns, T *out)) {
  EACH_INDEX(i, rows * columns)
  out[i] = y[i] > 0 ? grad[i / columns * leading + i % columns] : (T)0;
}
