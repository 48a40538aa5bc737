// Matrix products, row-major, for any strides between rows and matrices; grid (rows, columns,
// batch).
#include "product.cu.h"

template <bool TURN_A, bool TURN_B>
DEVICE void OF(gemm)(OF(Tile) & tile, const bss_product &p, const T *a, const T *b, const T *bias,
                     T *out) {
  const int64_t row0 = (int64_t)blockIdx.x * 64, column0 = (int64_t)blockIdx.y * 64;
  a += blockIdx.z * p.stride_a;
  b += blockIdx.z * p.stride_b;
  out += blockIdx.z * p.stride_c;
  T acc[4][4] = {};
  OF(tile_product)<TURN_A, !TURN_B>(
      acc, tile, p.precision, 0, p.k,
      [&](int r, int64_t k) {
        const int64_t row = row0 + r;
        return row < p.m ? a[TURN_A ? k * p.lda + row : row * p.lda + k] : (T)0;
      },
      [&](int64_t k, int c) {
        const int64_t column = column0 + c;
        return column < p.n ? b[TURN_B ? column * p.ldb + k : k * p.ldb + column] : (T)0;
      });
  const T alpha = (T)p.alpha, beta = (T)p.beta;
  OF(tile_results)
  (acc, [&](int r, int c, T v) {
    const int64_t row = row0 + r, column = column0 + c;
    if (row >= p.m || column >= p.n) return;
    T *y = out + row * p.ldc + column;
    v *= alpha;
    if (p.beta != 0) v += beta * *y;
    if (bias) v += bias[column];
    *y = p.relu && v < 0 ? (T)0 : v;
  });
}
#define GEMM(name, TURN_A, TURN_B)                                                    \
  KERNEL(name, 256, (bss_product p, const T *a, const T *b, const T *bias, T *out)) { \
    __shared__ OF(Tile) tile;                                                         \
    OF(gemm)<TURN_A, TURN_B>(tile, p, a, b, bias, out);                               \
  }
GEMM(gemm_nn, false, false)
GEMM(gemm_nt, false, true)
GEMM(gemm_tn, true, false)
GEMM(gemm_tt, true, true)
#undef GEMM

/// out = relu(out + bias) over [m, n], rows ldc apart: what a product of cuBLAS lacks.
KERNEL(gemm_epilogue, 256, (bss_product p, const T *bias, T *out)) {
  EACH_INDEX(i, p.m * p.n) {
    T *y = out + i / p.n * p.ldc + i % p.n;
    const T v = bias ? *y + bias[i % p.n] : *y;
    *y = p.relu && v < 0 ? (T)0 : v;
  }
}
