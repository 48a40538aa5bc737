// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011). A stream is a 64-bit key; position = a 64-bit counter
// (low half of the 128-bit one, high half 0).
//
// One block = 4 words w[0...3] = philox(key = (low, high), counter = (low, high, 0, 0)). Element i
// of a fill reads
//   u32, f32:  block counter + i / 4, word i % 4                     f32 in [0, 1) = (w >> 8) *
//   2^-24 f64:       block counter + i / 2, words 2 (i % 2) and +1         f64 in [0, 1) = ((w_hi
//   << 32 | w_lo) >> 11) * 2^-53,
//                                                                    w_lo = word 2 (i % 2), w_hi =
//                                                                    the next one
//   normal:    Box-Muller on pairs of uniforms: see below
// so any split of a fill gives the same bits. A fill of n consumes ceil(n / 4) (f64: ceil(n / 2))
// blocks: the caller adds that to the counter.
#pragma once
#include "bss_base.h"

/// The four words of block `counter` of stream `key`.
void bss_philox_block(uint64_t key, uint64_t counter, uint32_t out[4]);

int bss_random_u32(uint64_t key, uint64_t counter, uint32_t *out, int64_t count);
/// Uniform in [low, high): low + (high - low) u, u as above, in the dtype's arithmetic (result <
/// high is enforced).
int bss_random_uniform(bss_dtype dtype, uint64_t key, uint64_t counter, double low, double high,
                       void *out, int64_t count);
/// mean + std z. Block -> words w0..w3: F32 z0, z1 = r0 (cos, sin)(2 pi u1) with r0 = sqrt(-2
/// log(u0)), u0 = (w0 >> 8) 2^-24 + 2^-25, u1 = (w1 >> 8) 2^-24; z2, z3 from w2, w3. F64: z0, z1
/// from the block's two 53-bit uniforms, u0 + 2^-54.
int bss_random_normal(bss_dtype dtype, uint64_t key, uint64_t counter, double mean, double std,
                      void *out, int64_t count);
/// out[i] = u_i < p ? value : 0, u_i as the f32 uniform (for F64 too). Dropout mask: p = 1 - rate,
/// value = 1 / (1 - rate).
int bss_random_mask(bss_dtype dtype, uint64_t key, uint64_t counter, double p, double value,
                    void *out, int64_t count);
/// Uniform integers low ..< high by fixed-point product of the 64-bit word pair (bias below 2^-64
/// (high - low)); blocks as f64.
int bss_random_integers(uint64_t key, uint64_t counter, int64_t low, int64_t high, int64_t *out,
                        int64_t count);
