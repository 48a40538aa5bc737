// What rows of bss_ops.h do with integers, which wrap, and with whole quotients. Read by a card
// too.
#pragma once

INLINE int64_t wrap_negate(int64_t v) { return (int64_t)(0 - (uint64_t)v); }
INLINE int64_t wrap_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
INLINE int64_t wrap_sub(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
INLINE int64_t wrap_mul(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

INLINE int64_t power_i64(int64_t base, int64_t e) {
  if (e < 0) return base == 1 ? 1 : base == -1 ? (e & 1 ? -1 : 1) : 0;
  int64_t y = 1;
  for (; e; e >>= 1, base = wrap_mul(base, base))
    if (e & 1) y = wrap_mul(y, base);
  return y;
}

/// What is left of a division rounded down has the divisor's sign, as % of Python and Lua. fmod is
/// exact, so bits do not depend on who computes it.

INLINE double floored_remainder(double u, double v) {
  const double rest = __builtin_fmod(u, v);
  return rest != 0 && (rest < 0) != (v < 0) ? rest + v : rest;
}

/// Not ⌊u / v⌋ of the rounded quotient: 1 // 0.1 is 9, as 0.1 is a little more than a tenth.
INLINE double floored_quotient(double u, double v) {
  if (v == 0) return u / v;
  const double rest = __builtin_fmod(u, v);
  double whole = (u - rest) / v;
  if (rest != 0 && (rest < 0) != (v < 0)) whole -= 1;
  if (whole == 0) return __builtin_copysign(0.0, u / v);
  const double below = __builtin_elementwise_floor(whole);
  return whole - below > 0.5 ? below + 1 : below;
}

INLINE int64_t remainder_i64(int64_t u, int64_t v) {
  if (v == 0 || v == -1) return 0;
  const int64_t rest = u % v;
  return rest != 0 && (rest < 0) != (v < 0) ? rest + v : rest;
}

INLINE int64_t floor_divide_i64(int64_t u, int64_t v) {
  if (v == 0) return 0;
  if (v == -1) return wrap_negate(u);
  return u / v - (u % v != 0 && (u < 0) != (v < 0));
}
