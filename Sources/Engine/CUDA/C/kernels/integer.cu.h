// i64: arithmetic that wraps. One kernel for all rows of a table of bss_ops.h, chosen by `op`.
#include "device.cu.h"
#include "bss_ops.h"
#include "whole.inc.h"

#define NUMBER(ID, ...) UNARY_##ID,
enum { BSS_UNARY_OPS(NUMBER) };
#undef NUMBER
#define NUMBER(ID, ...) BINARY_##ID,
enum { BSS_BINARY_OPS(NUMBER) };
#undef NUMBER

#define WHOLE(value) y = (value);
#define FLOATS
#define CASE(ID, id, name, formula, parameters, traits, value, slope, whole) \
  case UNARY_##ID: whole break;
KERNEL(unary, 256, (bss_walk w, int64_t op, const T *x, T *out, double p0, double p1)) {
  const T a = saturated_i64(p0), b = saturated_i64(p1);
  EACH_INDEX(i, w.count) {
    const Offsets<2> at = locate<2>(w, i);
    const T v = x[at.of[0]];
    T y = 0;
    switch (op) { BSS_UNARY_OPS(CASE) }
    out[at.of[1]] = y;
  }
}
#undef CASE
#undef WHOLE
#undef FLOATS

#define CASE(ID, id, name, formula, value, whole) \
  case BINARY_##ID: y = (whole); break;
KERNEL(binary, 256, (bss_walk w, int64_t op, const T *a, const T *b, T *out)) {
  EACH_INDEX(i, w.count) {
    const Offsets<3> at = locate<3>(w, i);
    const T u = a[at.of[0]], v = b[at.of[1]];
    T y = 0;
    switch (op) { BSS_BINARY_OPS(CASE) }
    out[at.of[2]] = y;
  }
}
#undef CASE

/// out += alpha x
KERNEL(accumulate, 256, (bss_walk w, double alpha, const T *x, T *out)) {
  const T a = saturated_i64(alpha);
  EACH_INDEX(i, w.count) {
    const Offsets<2> at = locate<2>(w, i);
    out[at.of[1]] = wrap_add(out[at.of[1]], wrap_mul(a, x[at.of[0]]));
  }
}
