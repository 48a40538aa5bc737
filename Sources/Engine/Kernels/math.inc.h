// Scalar functions written so that loops over them vectorise: no branches, no calls, no
// float-to-int conversions. Include once per MATH(name) naming; FP_CONTRACT as the includer set it
// (OFF gives machine-independent bits).
//
// exp: x = n ln 2 + r, |r| <= ln 2 / 2; exp(r) by polynomial; 2^n as two factors so that denormals
// and overflow come out by themselves. n by adding 1.5 * 2^mantissa_bits: the sum's low bits are
// the integer. Polynomials: Chebyshev fits (f32), Taylor (f64). log: x = 2^e m, sqrt(1/2) <= m <
// sqrt(2); with f = m - 1, s = f / (2 + f): log(1 + f) = f - s (f - R), R = 2 z/3 + 2 z^2/5 + ...,
// z = s^2. Errors: about 1e-7 (f32), 2e-16 (f64).

INLINE float MATH(from_bits_f32)(uint32_t b) {
  float f;
  __builtin_memcpy(&f, &b, 4);
  return f;
}
INLINE uint32_t MATH(to_bits_f32)(float f) {
  uint32_t b;
  __builtin_memcpy(&b, &f, 4);
  return b;
}
INLINE double MATH(from_bits_f64)(uint64_t b) {
  double f;
  __builtin_memcpy(&f, &b, 8);
  return f;
}
INLINE uint64_t MATH(to_bits_f64)(double f) {
  uint64_t b;
  __builtin_memcpy(&b, &f, 8);
  return b;
}

// MARK: f32

/// exp(r) - 1 for x = n ln 2 + r; n as an integer.
INLINE float MATH(reduced_expm1_f32)(float x, int32_t *n) {
  float t = x * 1.44269504f + 12582912.0f;
  *n = (int32_t)(MATH(to_bits_f32)(t) - 0x4b400000u);
  t -= 12582912.0f;
  float r = (x - t * 0.693145752f) - t * 1.42860677e-6f;
  float q = 0.5f + r * (0.16666576f + r * (0.041666467f + r * (0.008363182f + r * 0.0013933652f)));
  return r + (r * r) * q;
}
INLINE float MATH(power_of_two_f32)(int32_t n) {
  return MATH(from_bits_f32)((uint32_t)(n + 127) << 23);
}

INLINE float MATH(exp_f32)(float x) {
  float c = x > 89.0f ? 89.0f : x;
  c = c < -104.0f ? -104.0f : c;
  int32_t n;
  float p = MATH(reduced_expm1_f32)(c, &n) + 1.0f;
  int32_t half = n >> 1;
  return p * MATH(power_of_two_f32)(half) * MATH(power_of_two_f32)(n - half);
}
INLINE float MATH(expm1_f32)(float x) {
  float c = x > 89.0f ? 89.0f : x;
  c = c < -40.0f ? -40.0f : c;
  int32_t n;
  float p = MATH(reduced_expm1_f32)(c, &n);
  float half = MATH(power_of_two_f32)(n - 1);  // 2^128 is not a float, 2^127 is
  float y = 2.0f * (half * p + (half - 0.5f));
  return n == 0 ? (p == 0.0f ? x : p) : y;  // keeps -0 and denormals
}
INLINE float MATH(log_f32)(float x) {
  bool tiny = x < 1.17549435e-38f;
  uint32_t b = MATH(to_bits_f32)(tiny ? x * 8388608.0f : x) - 0x3f3504f3u;
  int32_t e = ((int32_t)b >> 23) - (tiny ? 23 : 0);
  float f = MATH(from_bits_f32)((b & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float s = f / (2.0f + f), z = s * s, k = (float)e;
  float r = z * (0.666666667f + z * (0.4f + z * (0.285714286f + z * 0.222222222f)));
  float y = k * 0.693145752f + (f - (s * (f - r) - k * 1.42860677e-6f));
  y = x == 0.0f ? -__builtin_inff() : y;
  y = x < 0.0f ? __builtin_nanf("") : y;
  return x < __builtin_inff() ? y : x;  // +inf and NaN pass through
}
INLINE float MATH(log1p_f32)(float x) {
  float u = 1.0f + x, c = x - (u - 1.0f);  // what the sum lost
  float y = MATH(log_f32)(u) + c / u;
  y = u == 1.0f ? x : y;
  y = u == 0.0f ? -__builtin_inff() : y;
  return x < __builtin_inff() ? y : x;
}
INLINE float MATH(tanh_f32)(float x) {
  float a = __builtin_fabsf(x);
  float c = a > 10.0f ? 10.0f : a;
  float t = MATH(expm1_f32)(2.0f * c);
  return __builtin_copysignf(t / (t + 2.0f), x);
}
INLINE float MATH(erf_f32)(float x) {
  float a = __builtin_fabsf(x), z = x * x;
  float small =
      x * (1.1283791f +
           z * (-0.37612626f +
                z * (0.11283597f +
                     z * (-0.026854329f +
                          z * (0.005189312f + z * (-0.0008018855f + z * 7.8824974e-05f))))));
  float c = a > 4.0f ? 4.0f : a;
  float p =
      -3.03212983e-4f +
      c * (1.13016668f +
           c * (0.631937094f +
                c * (0.109978245f + c * (-0.0263647174f +
                                         c * (0.00474022235f +
                                              c * (-5.9276954e-4f +
                                                   c * (4.55906227e-5f + c * -1.61406162e-6f)))))));
  float large = __builtin_copysignf(1.0f - MATH(exp_f32)(-p), x);
  return a < 1.0f ? small : large;
}

// MARK: f64

INLINE double MATH(reduced_expm1_f64)(double x, int64_t *n) {
  double t = x * 1.4426950408889634 + 6755399441055744.0;
  *n = (int64_t)(MATH(to_bits_f64)(t) - 0x4338000000000000u);
  t -= 6755399441055744.0;
  double r = (x - t * 0.693147180369123816490) - t * 1.90821492927058770002e-10;
  double q =
      1.0 / 5040 +
      r * (1.0 / 40320 +
           r * (1.0 / 362880 +
                r * (1.0 / 3628800 +
                     r * (1.0 / 39916800 + r * (1.0 / 479001600 + r * (1.0 / 6227020800.0))))));
  q = 0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r * q))));
  return r + (r * r) * q;
}
INLINE double MATH(power_of_two_f64)(int64_t n) {
  return MATH(from_bits_f64)((uint64_t)(n + 1023) << 52);
}

INLINE double MATH(exp_f64)(double x) {
  double c = x > 710.0 ? 710.0 : x;
  c = c < -746.0 ? -746.0 : c;
  int64_t n;
  double p = MATH(reduced_expm1_f64)(c, &n) + 1.0;
  int64_t half = (int32_t)n >> 1;  // 32-bit shift: 64-bit arithmetic shifts are slow before AVX-512
  return p * MATH(power_of_two_f64)(half) * MATH(power_of_two_f64)(n - half);
}
INLINE double MATH(expm1_f64)(double x) {
  double c = x > 710.0 ? 710.0 : x;
  c = c < -80.0 ? -80.0 : c;
  int64_t n;
  double p = MATH(reduced_expm1_f64)(c, &n);
  double half = MATH(power_of_two_f64)(n - 1);
  double y = 2.0 * (half * p + (half - 0.5));
  return n == 0 ? (p == 0.0 ? x : p) : y;
}
INLINE double MATH(log_f64)(double x) {
  bool tiny = x < 2.2250738585072014e-308;
  uint64_t b = MATH(to_bits_f64)(tiny ? x * 4503599627370496.0 : x) - 0x3fe6a09e667f3bcdu;
  // Exponent as a double without a 64-bit conversion: put e + 1023 + ... into the mantissa of 2^52.
  uint64_t biased = (b >> 52 ^ 0x800) & 0xfff;  // e + 2048
  double k = MATH(from_bits_f64)(0x4330000000000000u | biased) - (4503599627370496.0 + 2048.0) -
             (tiny ? 52.0 : 0.0);
  double f = MATH(from_bits_f64)((b & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
  double s = f / (2.0 + f), z = s * s;
  double r = 2.0 / 15 + z * (2.0 / 17 + z * (2.0 / 19 + z * (2.0 / 21 + z * (2.0 / 23))));
  r = z * (2.0 / 3 +
           z * (2.0 / 5 + z * (2.0 / 7 + z * (2.0 / 9 + z * (2.0 / 11 + z * (2.0 / 13 + z * r))))));
  double y = k * 0.693147180369123816490 + (f - (s * (f - r) - k * 1.90821492927058770002e-10));
  y = x == 0.0 ? -__builtin_inf() : y;
  y = x < 0.0 ? __builtin_nan("") : y;
  return x < __builtin_inf() ? y : x;
}
INLINE double MATH(log1p_f64)(double x) {
  double u = 1.0 + x, c = x - (u - 1.0);
  double y = MATH(log_f64)(u) + c / u;
  y = u == 1.0 ? x : y;
  y = u == 0.0 ? -__builtin_inf() : y;
  return x < __builtin_inf() ? y : x;
}
INLINE double MATH(tanh_f64)(double x) {
  double a = __builtin_fabs(x);
  double c = a > 22.0 ? 22.0 : a;
  double t = MATH(expm1_f64)(2.0 * c);
  return __builtin_copysign(t / (t + 2.0), x);
}
INLINE double MATH(erf_f64)(double x) { return __builtin_erf(x); }
