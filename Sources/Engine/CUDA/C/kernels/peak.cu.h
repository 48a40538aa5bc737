// What a card does at most: the ceilings that other kernels are measured against.
#include "device.cu.h"
#ifndef SIXTEEN_BYTES
#define SIXTEEN_BYTES
struct alignas(16) SixteenBytes {
  uint32_t of[4];
};
#endif

/// `count` times 16 bytes, as many as a thread can move at once.
KERNEL(copy_words, 256, (int64_t count, const SixteenBytes *x, SixteenBytes *out)) {
  EACH_INDEX(i, count) out[i] = x[i];
}

/// `rounds` times 16 multiply-adds a thread, none of which waits for another.
KERNEL(multiply_adds, 256, (int64_t rounds, T *out)) {
  T sum[16];
  UNROLL for (int i = 0; i < 16; i++) sum[i] = (T)(threadIdx.x + i);
  for (int64_t round = 0; round < rounds; round++)
    UNROLL for (int i = 0; i < 16; i++) sum[i] = fma(sum[i], (T)0.5, (T)i);
  T total = 0;
  UNROLL for (int i = 0; i < 16; i++) total += sum[i];
  out[(int64_t)blockIdx.x * blockDim.x + threadIdx.x] = total;
}
