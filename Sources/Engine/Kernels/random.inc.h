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

#include "draw.inc.h"

static void FN(uniform_f32)(uint64_t key, uint64_t counter, double low, double high, float *out,
                            int64_t blocks) {
  const float a = (float)low, b = (float)high, range = b - a, below = __builtin_nextafterf(b, a);
  _Alignas(64) float t[4 * FN(group)];
  GROUPS({
    uint32_t words[4 * FN(group)];
    __builtin_memcpy(words, w, sizeof words);
    EACH(4 * FN(group)) {
      float v = a + range * MATH(unit_f32)(words[i]);
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
      double v = low + range * MATH(unit_f64)(w[i]);
      t[i] = v < high ? v : below;
    }
    __builtin_memcpy(out + 2 * done, t, (size_t)left * 16);
  })
}

static void FN(normal_f32)(uint64_t key, uint64_t counter, double mean, double std, float *out,
                           int64_t blocks) {
  const float m = (float)mean, s = (float)std;
  _Alignas(64) float zc[2 * FN(group)], zs[2 * FN(group)], t[4 * FN(group)];
  GROUPS({
    EACH(2 * FN(group)) {
      const uint32_t radius = (uint32_t)w[i], angle = (uint32_t)(w[i] >> 32);
      MATH(normal_pair_f32)(radius, angle, m, s, &zc[i], &zs[i]);
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
    EACH(FN(group)) { MATH(normal_pair_f64)(w[2 * i], w[2 * i + 1], mean, std, &zc[i], &zs[i]); }
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
    EACH(4 * FN(group)) t[i] = MATH(unit_f32)(words[i]) < limit ? v : 0.0f;
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
    EACH(4 * FN(group)) t[i] = MATH(unit_f32)(words[i]) < limit ? value : 0.0;
    __builtin_memcpy(out + 4 * done, t, (size_t)left * 32);
  })
}

/// Sort keys of a weighted order: doubles as integers that sort alike.
static void FN(order_keys)(const double *weights, bool logarithmic, uint64_t key, uint64_t counter,
                           uint64_t *out, int64_t blocks) {
  _Alignas(64) double e[2 * FN(group)];
  GROUPS({
    EACH(2 * FN(group)) e[i] = 0.0 - MATH(log_f64)(MATH(unit_f64)(w[i]) + 0x1p-54);
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
