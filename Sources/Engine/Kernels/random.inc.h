// Philox4x32-10 in bulk. 32-bit words live in 64-bit lanes: the product is then one widening
// multiply a lane. Everything here is compiled without contraction into FMA: the same numbers on
// every machine.

enum { FN(group) = 64 };  // blocks a group
#define EACH(n) _Pragma("clang loop vectorize(enable)") for (int i = 0; i < (n); i++)

INLINE void FN(philox8)(uint64_t key, uint64_t counter, uint64_t *out) {
  const u64x8 low = 0xffffffffu;
  u64x8 position = counter + (u64x8){0, 1, 2, 3, 4, 5, 6, 7};
  u64x8 w0 = position & low, w1 = position >> 32, w2 = 0, w3 = 0;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
#pragma clang loop unroll(full)
  for (int round = 0; round < 10; round++) {
    u64x8 p = (w0 & low) * (u64x8)(uint64_t)0xD2511F53u,
          q = (w2 & low) * (u64x8)(uint64_t)0xCD9E8D57u;
    w0 = (q >> 32) ^ w1 ^ (uint64_t)k0;
    w2 = (p >> 32) ^ w3 ^ (uint64_t)k1;
    w1 = q & low;
    w3 = p & low;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  u64x8 a = (w0 & low) | w1 << 32, b = (w2 & low) | w3 << 32;
  u64x8 first = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  u64x8 second = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  __builtin_memcpy(out, &first, 64);
  __builtin_memcpy(out + 8, &second, 64);
}

/// The words of one group, as 2 x 64-bit a block.
static void FN(philox_group)(uint64_t key, uint64_t counter, uint64_t out[2 * FN(group)]) {
  for (int b = 0; b < FN(group); b += 8) FN(philox8)(key, counter + (uint64_t)b, out + 2 * b);
}

/// Splits `blocks` into groups: w = the 64-bit words of each, `count` of them wanted.
#define GROUPS(...)                                                             \
  _Alignas(64) uint64_t w[2 * FN(group)];                                       \
  for (int64_t done = 0; done < blocks; done += FN(group)) {                    \
    FN(philox_group)(key, counter + (uint64_t)done, w);                         \
    const int64_t left = blocks - done < FN(group) ? blocks - done : FN(group); \
    __VA_ARGS__                                                                 \
  }

static void FN(philox_words)(uint64_t key, uint64_t counter, uint32_t *out, int64_t blocks) {
  GROUPS(__builtin_memcpy(out + 4 * done, w, (size_t)left * 16);)
}

INLINE double FN(unit_f64)(uint64_t w) {  // (w >> 11) 2^-53 from two exact halves
  double high = MATH(from_bits_f64)(0x4330000000000000u | w >> 32) - 4503599627370496.0;
  double low = MATH(from_bits_f64)(0x4330000000000000u | (w >> 11 & 0x1fffff)) - 4503599627370496.0;
  return high * 0x1p-32 + low * 0x1p-53;
}
INLINE float FN(unit_f32)(uint32_t w) { return (float)(int32_t)(w >> 8) * 0x1p-24f; }

static void FN(uniform_f32)(uint64_t key, uint64_t counter, double low, double high, float *out,
                            int64_t blocks) {
  const float a = (float)low, b = (float)high, range = b - a, below = __builtin_nextafterf(b, a);
  _Alignas(64) float t[4 * FN(group)];
  GROUPS({
    uint32_t words[4 * FN(group)];
    __builtin_memcpy(words, w, sizeof words);
    EACH(4 * FN(group)) {
      float v = a + range * FN(unit_f32)(words[i]);
      t[i] = v < b ? v : below;
    }
    __builtin_memcpy(out + 4 * done, t, (size_t)left * 16);
  })
}
static void FN(uniform_f64)(uint64_t key, uint64_t counter, double low, double high, double *out,
                            int64_t blocks) {
  const double range = high - low, below = __builtin_nextafter(high, low);
  _Alignas(64) double t[2 * FN(group)];
  GROUPS({
    EACH(2 * FN(group)) {
      double v = low + range * FN(unit_f64)(w[i]);
      t[i] = v < high ? v : below;
    }
    __builtin_memcpy(out + 2 * done, t, (size_t)left * 16);
  })
}

/// Box-Muller. The angle 2 pi u is reduced in integers: q quarter turns plus a rest of at most an
/// eighth.
static void FN(normal_f32)(uint64_t key, uint64_t counter, double mean, double std, float *out,
                           int64_t blocks) {
  const float m = (float)mean, s = (float)std;
  _Alignas(64) float zc[2 * FN(group)], zs[2 * FN(group)], t[4 * FN(group)];
  GROUPS({
    EACH(2 * FN(group)) {
      uint32_t w0 = (uint32_t)w[i], w1 = (uint32_t)(w[i] >> 32);
      float r = s * __builtin_elementwise_sqrt(-2.0f * MATH(log_f32)(FN(unit_f32)(w0) + 0x1p-25f));
      int32_t x = (int32_t)(w1 >> 8), q = (x + (1 << 21)) >> 22;
      float a = (float)(x - (q << 22)) * (6.28318531f * 0x1p-24f), z = a * a;
      float sine = a + a * z *
                           (-0.166666667f +
                            z * (0.00833333333f + z * (-1.98412698e-4f + z * 2.75573192e-6f)));
      float cosine =
          1.0f - z * (0.5f - z * (0.0416666667f - z * (0.00138888889f - z * 2.48015873e-5f)));
      float c = q & 1 ? sine : cosine, d = q & 1 ? cosine : sine;
      zc[i] = m + r * ((q + 1) & 2 ? -c : c);
      zs[i] = m + r * (q & 2 ? -d : d);
    }
    EACH(2 * FN(group)) {
      t[2 * i] = zc[i];
      t[2 * i + 1] = zs[i];
    }
    __builtin_memcpy(out + 4 * done, t, (size_t)left * 16);
  })
}
static void FN(normal_f64)(uint64_t key, uint64_t counter, double mean, double std, double *out,
                           int64_t blocks) {
  _Alignas(64) double zc[FN(group)], zs[FN(group)], t[2 * FN(group)];
  GROUPS({
    EACH(FN(group)) {
      double r =
          std * __builtin_elementwise_sqrt(-2.0 * MATH(log_f64)(FN(unit_f64)(w[2 * i]) + 0x1p-54));
      uint64_t x = w[2 * i + 1] >> 11, q = (x + (1ull << 50)) >> 51;
      double a = MATH(from_bits_f64)(0x4338000000000000u + (x - (q << 51))) - 6755399441055744.0;
      a *= 6.283185307179586 * 0x1p-53;
      double z = a * a;
      double sine =
          1.0 / 6227020800.0 - z * (1.0 / 1307674368000.0 - z * (1.0 / 355687428096000.0));
      sine = z * (-1.0 / 6 +
                  z * (1.0 / 120 -
                       z * (1.0 / 5040 - z * (1.0 / 362880 - z * (1.0 / 39916800 - z * sine)))));
      sine = a + a * sine;
      double cosine = 1.0 / 479001600 - z * (1.0 / 87178291200.0 - z * (1.0 / 20922789888000.0));
      cosine =
          1.0 -
          z * (0.5 - z * (1.0 / 24 -
                          z * (1.0 / 720 - z * (1.0 / 40320 - z * (1.0 / 3628800 - z * cosine)))));
      double c = q & 1 ? sine : cosine, d = q & 1 ? cosine : sine;
      zc[i] = mean + r * ((q + 1) & 2 ? -c : c);
      zs[i] = mean + r * (q & 2 ? -d : d);
    }
    EACH(FN(group)) {
      t[2 * i] = zc[i];
      t[2 * i + 1] = zs[i];
    }
    __builtin_memcpy(out + 2 * done, t, (size_t)left * 16);
  })
}

static void FN(mask_f32)(uint64_t key, uint64_t counter, double p, double value, float *out,
                         int64_t blocks) {
  const float v = (float)value, limit = (float)p;
  _Alignas(64) float t[4 * FN(group)];
  GROUPS({
    uint32_t words[4 * FN(group)];
    __builtin_memcpy(words, w, sizeof words);
    EACH(4 * FN(group)) t[i] = FN(unit_f32)(words[i]) < limit ? v : 0.0f;
    __builtin_memcpy(out + 4 * done, t, (size_t)left * 16);
  })
}
static void FN(mask_f64)(uint64_t key, uint64_t counter, double p, double value, double *out,
                         int64_t blocks) {
  const float limit = (float)p;
  _Alignas(64) double t[4 * FN(group)];
  GROUPS({
    uint32_t words[4 * FN(group)];
    __builtin_memcpy(words, w, sizeof words);
    EACH(4 * FN(group)) t[i] = FN(unit_f32)(words[i]) < limit ? value : 0.0;
    __builtin_memcpy(out + 4 * done, t, (size_t)left * 32);
  })
}

/// Sort keys of a weighted order: doubles as integers that sort alike.
static void FN(order_keys)(const double *weights, bool logarithmic, uint64_t key, uint64_t counter,
                           uint64_t *out, int64_t blocks) {
  _Alignas(64) double e[2 * FN(group)];
  GROUPS({
    EACH(2 * FN(group)) e[i] = 0.0 - MATH(log_f64)(FN(unit_f64)(w[i]) + 0x1p-54);
    const int n = (int)left * 2;
    const double *a = weights + 2 * done;
    if (logarithmic) {
      EACH(n) {
        double k = MATH(log_f64)(e[i]) - a[i];
        e[i] = a[i] == -__builtin_inf() ? __builtin_inf() : k;
      }
    } else {
      EACH(n) {
        double k = e[i] / a[i];
        e[i] = a[i] == 0.0 ? __builtin_inf() : k;
      }
    }
    EACH(n) {
      uint64_t b = MATH(to_bits_f64)(e[i]);
      out[2 * done + i] = b ^ ((uint64_t) - (int64_t)(b >> 63) | 0x8000000000000000u);
    }
  })
}
#undef GROUPS
#undef EACH
