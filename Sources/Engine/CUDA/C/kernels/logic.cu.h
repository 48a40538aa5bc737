// BOOL × BOOL to BOOL, and not.
#include "device.cu.h"
#include "bss_ops.h"

#define KERNEL_OF_ROW(ID, id, name, sign)                                   \
  KERNEL(logical_##ID, 256, (bss_walk w, const T *a, const T *b, T *out)) { \
    EACH_INDEX(i, w.count) {                                                \
      const Offsets<3> at = locate<3>(w, i);                                \
      out[at.of[2]] = a[at.of[0]] sign b[at.of[1]];                         \
    }                                                                       \
  }
BSS_LOGICAL_OPS(KERNEL_OF_ROW)
#undef KERNEL_OF_ROW

KERNEL(unary_LOGICAL_NOT, 256, (bss_walk w, const T *x, T *out)) {
  EACH_INDEX(i, w.count) {
    const Offsets<2> at = locate<2>(w, i);
    out[at.of[1]] = x[at.of[0]] == 0;
  }
}
