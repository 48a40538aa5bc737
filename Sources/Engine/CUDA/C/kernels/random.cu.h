// Philox4x32-10 as bss_random.h defines it: bit for bit the numbers of the CPU. Compiled without
// contraction into FMA.
#include "device.cu.h"

#ifndef PHILOX_WORDS
#define PHILOX_WORDS
struct Words {
  uint32_t of[4];
};
DEVICE Words philox(uint64_t key, uint64_t counter) {
  uint32_t w0 = (uint32_t)counter, w1 = (uint32_t)(counter >> 32), w2 = 0, w3 = 0;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  UNROLL for (int round = 0; round < 10; round++) {
    const uint64_t p = (uint64_t)w0 * 0xD2511F53u, q = (uint64_t)w2 * 0xCD9E8D57u;
    w0 = (uint32_t)(q >> 32) ^ w1 ^ k0;
    w2 = (uint32_t)(p >> 32) ^ w3 ^ k1;
    w1 = (uint32_t)q;
    w3 = (uint32_t)p;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return Words{{w0, w1, w2, w3}};
}
DEVICE void uniforms(const Words &w, float (&u)[4]) {
  UNROLL for (int i = 0; i < 4; i++) u[i] = unit_f32(w.of[i]);
}
DEVICE void uniforms(const Words &w, double (&u)[2]) {
  UNROLL for (int i = 0; i < 2; i++) u[i] = unit_f64((uint64_t)w.of[2 * i + 1] << 32 | w.of[2 * i]);
}
DEVICE void normals(const Words &w, float mean, float std, float (&z)[4]) {
  normal_pair_f32(w.of[0], w.of[1], mean, std, &z[0], &z[1]);
  normal_pair_f32(w.of[2], w.of[3], mean, std, &z[2], &z[3]);
}
DEVICE void normals(const Words &w, double mean, double std, double (&z)[2]) {
  normal_pair_f64((uint64_t)w.of[1] << 32 | w.of[0], (uint64_t)w.of[3] << 32 | w.of[2], mean, std,
                  &z[0], &z[1]);
}
#endif

// `shift`: how many blocks further on the stream is by now, for draws that are made again; or none.
/// low + (high - low) u, at most `below`, the number before high.
KERNEL(random_uniform, 256,
       (uint64_t key, uint64_t counter, const uint64_t *shift, T low, T high, T below, T *out,
        int64_t n)) {
  if (shift) counter += *shift;
  constexpr int a_block = 16 / sizeof(T);
  EACH_INDEX(b, (n + a_block - 1) / a_block) {
    T u[a_block];
    uniforms(philox(key, counter + (uint64_t)b), u);
    for (int i = 0; i < a_block && b * a_block + i < n; i++) {
      const T v = low + (high - low) * u[i];
      out[b * a_block + i] = v < high ? v : below;
    }
  }
}
KERNEL(random_normal, 256,
       (uint64_t key, uint64_t counter, const uint64_t *shift, T mean, T std, T *out, int64_t n)) {
  if (shift) counter += *shift;
  constexpr int a_block = 16 / sizeof(T);
  EACH_INDEX(b, (n + a_block - 1) / a_block) {
    T z[a_block];
    normals(philox(key, counter + (uint64_t)b), mean, std, z);
    for (int i = 0; i < a_block && b * a_block + i < n; i++) out[b * a_block + i] = z[i];
  }
}
/// u < p ? value : 0, with the f32 uniform for f64 too.
KERNEL(random_mask, 256,
       (uint64_t key, uint64_t counter, const uint64_t *shift, float p, T value, T *out,
        int64_t n)) {
  if (shift) counter += *shift;
  EACH_INDEX(b, (n + 3) / 4) {
    float u[4];
    uniforms(philox(key, counter + (uint64_t)b), u);
    for (int i = 0; i < 4 && b * 4 + i < n; i++) out[b * 4 + i] = u[i] < p ? value : (T)0;
  }
}
