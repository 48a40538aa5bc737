// Kernels with one mistake each, for the checker's own test (GPUCheckerTests).
#include "device.cu.h"

#define T float
#define OF(name) planted_##name##_f32
KERNEL(bounds, 256, (const T *x, T *y, int64_t n)) { EACH_INDEX(i, n + 1) y[i] = x[i] + 1; }
KERNEL(barrier, 128, (const T *x, T *y)) {  // neighbours read what a barrier should have ordered
  __shared__ T s[128];
  s[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = s[(threadIdx.x + 64) & 127];
}
KERNEL(blocks, 64, (const T *x, T *y)) {  // all blocks add to one place without atomics
  if (threadIdx.x == 0) *y += x[blockIdx.x];
}
KERNEL(unwritten, 64, (const T *, T *y)) {
  __shared__ T s[64];
  if (threadIdx.x < 63) s[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}
KERNEL(divergence, 64, (const T *, T *y)) {
  if (threadIdx.x < 32) {
    __syncthreads();
    y[threadIdx.x] = 1;
  } else {
    __syncthreads();
    y[threadIdx.x] = 2;
  }
}
KERNEL(shuffle, 32, (const T *, T *y)) {  // half of the warp misses it
  T v = 1;
  if (threadIdx.x < 16) v += __shfl_xor_sync(~0u, v, 1);
  y[threadIdx.x] = v;
}
KERNEL(alignment, 32, (const T *x, T *y)) {
  if (threadIdx.x < 2)
    reinterpret_cast<double *>(y)[threadIdx.x] =
        *reinterpret_cast<const double *>(x + 1 + threadIdx.x * 2);
}
KERNEL(pointer, 32, (const T *, T *)) { *reinterpret_cast<T *>(4096) = 1; }  // no address of a card
#undef T
#undef OF
