// What every kernel file includes first. A file is compiled once an element type, with
//
//     #define T float
//     #define OF(name) name##_f32
//
// by NVRTC for a card, and by clang++ for the emulator of the tests (BSS_EMULATED). It holds the
// kernels KERNEL(name, threads, (parameters)) and functions OF(name), and gets indices from
// EACH_INDEX.
#pragma once
#define BSS_DEVICE_CODE
#ifdef BSS_EMULATED
#include "cuda_emu.h"
#else
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#define INT64_MAX 9223372036854775807ll
#define INT64_MIN (-INT64_MAX - 1)
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#define M_PI 3.14159265358979323846
#define KERNEL_NAMED(name, threads, params) \
  extern "C" __global__ void __launch_bounds__(threads, 1) name params
// What the shared texts of Engine/Kernels expect of clang.
#define __builtin_memcpy(to, from, n) memcpy(to, from, n)
#define __builtin_inff() __int_as_float(0x7f800000)
#define __builtin_nanf(text) __int_as_float(0x7fffffff)
#define __builtin_inf() __longlong_as_double(0x7ff0000000000000ll)
#define __builtin_nan(text) __longlong_as_double(0x7fffffffffffffffll)
#define __builtin_fabsf fabsf
#define __builtin_fabs fabs
#define __builtin_copysignf copysignf
#define __builtin_copysign copysign
#define __builtin_erf erf
#define __builtin_sin(x) sin((double)(x))
#define __builtin_cos(x) cos((double)(x))
#define __builtin_pow(x, y) pow((double)(x), (double)(y))
#define __builtin_fmod(x, y) fmod((double)(x), (double)(y))
#define __builtin_elementwise_sqrt sqrt
#define __builtin_elementwise_floor floor
#define __builtin_elementwise_ceil ceil
#define __builtin_elementwise_roundeven rint
#define bss_lgamma lgamma
#endif
#define DEVICE static __device__ __forceinline__
#define INLINE DEVICE
#define UNROLL _Pragma("unroll")
#define KERNEL(name, threads, params) KERNEL_SPELLED(OF(name), threads, params)
#define KERNEL_SPELLED(name, threads, params) KERNEL_NAMED(name, threads, params)

#include "bss_launch.h"
#include "bss_half.h"
#define MATH(name) name
#include "math.inc.h"
#include "draw.inc.h"
#include "gamma.c"

/// Numbers of 16 bits, which compute as float.
#define HALF(name, from_float, to_float)                                         \
  struct name {                                                                  \
    uint16_t bits;                                                               \
    name() = default;                                                            \
    __device__ __forceinline__ name(float x) : bits(from_float(x)) {}            \
    __device__ __forceinline__ operator float() const { return to_float(bits); } \
  };
HALF(bss_f16, bss_f16_of_float, bss_float_of_f16)
HALF(bss_bf16, bss_bf16_of_float, bss_float_of_bf16)
#undef HALF
template <class A, class B> constexpr bool are_same = false;
template <class A> constexpr bool are_same<A, A> = true;

/// A loop over 0 ..< n that the whole grid shares.
#define EACH_INDEX(i, n)                                                                         \
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, i##_count = n; i < i##_count; \
       i += (int64_t)gridDim.x * blockDim.x)

template <int N> struct Offsets { int64_t of[N]; };
/// Where element i of the walk lies in the first N views.
template <int N> DEVICE Offsets<N> locate(const bss_walk &w, int64_t i) {
  Offsets<N> at = {};
  for (int d = (int)w.rank - 1; d > 0; d--) {
    const int64_t c = w.count >> 31 ? i % w.shape[d] : (uint32_t)i % (uint32_t)w.shape[d];
    i = w.count >> 31 ? i / w.shape[d] : (uint32_t)i / (uint32_t)w.shape[d];
    UNROLL for (int k = 0; k < N; k++) at.of[k] += c * w.stride[k][d];
  }
  UNROLL for (int k = 0; k < N; k++) at.of[k] += i * w.stride[k][0];
  return at;
}

/// NaN: 0; beyond the range: its end.
DEVICE int64_t saturated_i64(double v) {
  if (v != v) return 0;
  if (v >= 9223372036854775808.0) return INT64_MAX;
  if (v < -9223372036854775808.0) return INT64_MIN;
  return (int64_t)v;
}
DEVICE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
DEVICE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// MARK: Reductions with a fixed tree: the same bits in every run

template <class V> DEVICE V warp_sum(V v) {
  UNROLL for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
  return v;
}
template <class V> DEVICE V warp_most(V v) {
  UNROLL for (int o = 16; o; o >>= 1) {
    const V other = __shfl_xor_sync(~0u, v, o);
    v = other > v ? other : v;
  }
  return v;
}
/// Over a block of a multiple of 32 threads; every thread gets it. `scratch` [32] is shared.
template <class V> DEVICE V block_sum(V v, V *scratch) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  v = warp_sum(v);
  if (warps == 1) return v;
  __syncthreads();
  if (lane == 0) scratch[warp] = v;
  __syncthreads();
  return warp_sum(lane < warps ? scratch[lane] : V(0));
}
/// The same of the greatest; once a kernel for one `scratch`.
template <class V> DEVICE V block_most(V v, V *scratch) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  v = warp_most(v);
  if (warps == 1) return v;
  if (lane == 0) scratch[warp] = v;
  __syncthreads();
  return warp_most(lane < warps ? scratch[lane] : scratch[0]);
}
