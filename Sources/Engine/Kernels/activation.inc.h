// Parts of rows of bss_ops.h that are longer than an expression, for one float type: T, with F(exp)
// its functions and TN(name) the name's variant. The kernels of a graphics card include it too.

INLINE T TN(sigmoid)(T v) { return (T)1 / ((T)1 + F(exp)(-v)); }
INLINE T TN(gelu_tanh_inner)(T v) { return (T)0.7978845608028654 * (v + (T)0.044715 * v * v * v); }
INLINE T TN(gelu_tanh_slope)(T v, T t) {
  return (T)0.5 * ((T)1 + t) +
         (T)0.5 * v * ((T)1 - t * t) * (T)0.7978845608028654 * ((T)1 + (T)0.134145 * v * v);
}
INLINE T TN(quick_gelu_slope)(T v, T s) { return s + (T)1.702 * v * s * ((T)1 - s); }
INLINE T TN(silu_slope)(T v, T s) { return s * ((T)1 + v * ((T)1 - s)); }
