// Functions of one float and their derivatives: the rows of bss_ops.h, one kernel each.
#include "device.cu.h"
#include "bss_ops.h"
#define TN(name) OF(name)
#define F(name) OF(name)
#include "activation.inc.h"

DEVICE T OF(power)(T v, double p) {
  if (p == 2) return v * v;
  if (p == 3) return v * v * v;
  if (p == 1) return v;
  if (p == 0.5) return __builtin_elementwise_sqrt(v);
  if (p == -1) return (T)1 / v;
  if (p == -2) return (T)1 / (v * v);
  return (T)__builtin_pow(v, p);
}
DEVICE T OF(power_slope)(T g, T v, double p) {
  if (p == 2) return g * (2 * v);
  if (p == 3) return g * (3 * v * v);
  if (p == 1) return g;
  if (p == 0) return 0;
  return (T)(g * (p * __builtin_pow(v, p - 1)));
}

#define SQRT __builtin_elementwise_sqrt
#define VALUE_OF_ROW(ID, id, name, formula, parameters, traits, value, slope, whole) \
  enum { OF(reads_##ID) = !((traits)&BSS_READS_NOTHING) };                           \
  DEVICE T OF(value_##ID)(T v, double p0, double p1) {                               \
    const T a = (T)p0, b = (T)p1, one = 1;                                           \
    (void)a, (void)b, (void)one;                                                     \
    value                                                                            \
  }
#define EACH(y) return (y);
#define EACH_ERF(y) return (y);
#define EACH_LIBM(y) return (T)(y);
#define OWN_LOOP(name) return OF(name)(v, p0);
BSS_UNARY_OPS(VALUE_OF_ROW)
#undef OWN_LOOP

#define SLOPE_OF_ROW(ID, id, name, formula, parameters, traits, value, slope, whole) \
  DEVICE T OF(slope_##ID)(T g, T v, double p0, double p1) {                          \
    const T a = (T)p0, b = (T)p1, one = 1;                                           \
    (void)a, (void)b, (void)one;                                                     \
    slope                                                                            \
  }
#define GRADIENT(e) return (T)(e);
#define SLOPE(d) return g * (d);
#define SLOPE_ERF(d) return g * (d);
#define SLOPE_LIBM(d) return (T)(g * (d));
#define OWN_LOOP(name) return OF(name)(g, v, p0);
BSS_UNARY_OPS(SLOPE_OF_ROW)
#undef OWN_LOOP

#define KERNELS_OF(ID, ...)                                                         \
  KERNEL(unary_##ID, 256, (bss_walk w, const T *x, T *out, double p0, double p1)) { \
    EACH_INDEX(i, w.count) {                                                        \
      const Offsets<2> at = locate<2>(w, i);                                        \
      out[at.of[1]] = OF(value_##ID)(x[at.of[0]], p0, p1);                          \
    }                                                                               \
  }                                                                                 \
  KERNEL(unary_backward_##ID, 256,                                                  \
         (bss_walk w, const T *g, const T *x, T *out, double p0, double p1)) {      \
    EACH_INDEX(i, w.count) {                                                        \
      const Offsets<3> at = locate<3>(w, i);                                        \
      const T v = OF(reads_##ID) ? x[at.of[1]] : (T)0;                              \
      out[at.of[2]] = OF(slope_##ID)(g[at.of[0]], v, p0, p1);                       \
    }                                                                               \
  }
#ifdef ROW  // a card compiles the rows that are used
#define KERNELS_OF_ROW(ID) KERNELS_OF(ID, )
KERNELS_OF_ROW(ROW)
#else
BSS_UNARY_OPS(KERNELS_OF)
#endif
#undef KERNELS_OF
#undef VALUE_OF_ROW
#undef SLOPE_OF_ROW
#undef GRADIENT
#undef SLOPE
#undef SLOPE_ERF
#undef SLOPE_LIBM
#undef EACH
#undef EACH_ERF
#undef EACH_LIBM
#undef SQRT
#undef TN
#undef F
