// Numbers of 16 bits: IEEE binary16, and bfloat16, the upper half of a float. Rounding is to the
// nearest, ties to even; what is too large becomes infinite, NaN stays NaN.
#pragma once
#include <stdint.h>
#include <string.h>

static inline float bss_float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static inline uint32_t bss_bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static inline float bss_float_of_bf16(uint16_t bits) {
  return bss_float_of_bits((uint32_t)bits << 16);
}

static inline uint16_t bss_bf16_of_float(float x) {
  const uint32_t bits = bss_bits_of_float(x), nan = bits >> 16 | 0x40;
  return (uint16_t)(x != x ? nan : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float bss_float_of_f16(uint16_t bits) {
  const uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = bits & 0x7fff;
  // Exponents 15 apart; what is subnormal here is not there.
  const float subnormal = (float)rest * 0x1p-24f;
  const uint32_t normal = (rest << 13) + (rest >= 0x7c00 ? (255 - 31) << 23 : (127 - 15) << 23);
  return bss_float_of_bits(sign | (rest < 0x400 ? bss_bits_of_float(subnormal) : normal));
}

static inline uint16_t bss_f16_of_float(float x) {
  const uint32_t bits = bss_bits_of_float(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  // Below 2^-14 the sum with 1/2 has its last bit at 2^-24: it is rounded there.
  const uint32_t tiny = bss_bits_of_float(bss_float_of_bits(rest) + 0.5f) - bss_bits_of_float(0.5f);
  const uint32_t normal = (rest - ((127 - 15) << 23) + 0xfff + (rest >> 13 & 1)) >> 13;
  const uint32_t large = rest > 0x7f800000 ? 0x7e00 : 0x7c00;  // NaN, infinite
  return (uint16_t)(sign | (rest < 0x38800000 ? tiny : rest < 0x477ff000 ? normal : large));
}
