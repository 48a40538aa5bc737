// What random words become, one by one: what the loops of random.inc.h and the kernels of a
// graphics card have in common, so that their numbers are the same bit for bit. No contraction into
// FMA.

INLINE double MATH(unit_f64)(uint64_t w) {  // (w >> 11) 2^-53 from two exact halves
  double high = MATH(from_bits_f64)(0x4330000000000000u | w >> 32) - 4503599627370496.0;
  double low = MATH(from_bits_f64)(0x4330000000000000u | (w >> 11 & 0x1fffff)) - 4503599627370496.0;
  return high * 0x1p-32 + low * 0x1p-53;
}
INLINE float MATH(unit_f32)(uint32_t w) { return (float)(int32_t)(w >> 8) * 0x1p-24f; }

/// Box-Muller. The angle 2 pi u is reduced in integers: q quarter turns plus a rest of at most an
/// eighth.
INLINE void MATH(normal_pair_f32)(uint32_t radius, uint32_t angle, float mean, float std,
                                  float *first, float *second) {
  float r =
      std * __builtin_elementwise_sqrt(-2.0f * MATH(log_f32)(MATH(unit_f32)(radius) + 0x1p-25f));
  int32_t x = (int32_t)(angle >> 8), q = (x + (1 << 21)) >> 22;
  float a = (float)(x - (q << 22)) * (6.28318531f * 0x1p-24f), z = a * a;
  float sine =
      a +
      a * z * (-0.166666667f + z * (0.00833333333f + z * (-1.98412698e-4f + z * 2.75573192e-6f)));
  float cosine =
      1.0f - z * (0.5f - z * (0.0416666667f - z * (0.00138888889f - z * 2.48015873e-5f)));
  float c = q & 1 ? sine : cosine, d = q & 1 ? cosine : sine;
  *first = mean + r * ((q + 1) & 2 ? -c : c);
  *second = mean + r * (q & 2 ? -d : d);
}
INLINE void MATH(normal_pair_f64)(uint64_t radius, uint64_t angle, double mean, double std,
                                  double *first, double *second) {
  double r =
      std * __builtin_elementwise_sqrt(-2.0 * MATH(log_f64)(MATH(unit_f64)(radius) + 0x1p-54));
  uint64_t x = angle >> 11, q = (x + (1ull << 50)) >> 51;
  double a = MATH(from_bits_f64)(0x4338000000000000u + (x - (q << 51))) - 6755399441055744.0;
  a *= 6.283185307179586 * 0x1p-53;
  double z = a * a;
  double sine = 1.0 / 6227020800.0 - z * (1.0 / 1307674368000.0 - z * (1.0 / 355687428096000.0));
  sine = z *
         (-1.0 / 6 + z * (1.0 / 120 -
                          z * (1.0 / 5040 - z * (1.0 / 362880 - z * (1.0 / 39916800 - z * sine)))));
  sine = a + a * sine;
  double cosine = 1.0 / 479001600 - z * (1.0 / 87178291200.0 - z * (1.0 / 20922789888000.0));
  cosine = 1.0 -
           z * (0.5 - z * (1.0 / 24 -
                           z * (1.0 / 720 - z * (1.0 / 40320 - z * (1.0 / 3628800 - z * cosine)))));
  double c = q & 1 ? sine : cosine, d = q & 1 ? cosine : sine;
  *first = mean + r * ((q + 1) & 2 ? -c : c);
  *second = mean + r * (q & 2 ? -d : d);
}
