// One tile of a matrix product, for gemm.cu.h and convolution.cu.h: 64 x 64 results, 16 deep, 256
// threads of 4 x 4. The inner dimension is never split within a tile: the same bits for a shape.
#include "device.cu.h"
#ifndef TILE_OF_TYPE
#define TILE_OF_TYPE  // undone between two element types of one program

#ifndef PRODUCT_ROUNDING
#define PRODUCT_ROUNDING
/// A factor as it is (0), rounded to TF32 (1; ties away from 0, as cvt.rna does) or to bfloat16 (2;
/// ties to even). Infinities and NaN stay.
DEVICE float rounded_factor(float x, int64_t precision) {
  const uint32_t u = __float_as_uint(x);
  if (precision == 0 || (u & 0x7f800000u) == 0x7f800000u) return x;
  if (precision == 1) return __uint_as_float((u + 0x1000u) & 0xffffe000u);
  return __uint_as_float((u + 0x7fffu + (u >> 16 & 1)) & 0xffff0000u);
}
DEVICE double rounded_factor(double x, int64_t) { return x; }
#endif

struct OF(Tile) {
  T a[16][68], b[16][68];
};

/// acc += A B over k, the factors rounded to `precision`. `a(row, p)` and `b(p, column)` give
/// elements of the tile, 0 outside; ROWS_FIRST, COLUMNS_FIRST: neighbouring threads load
/// neighbouring rows of A, columns of B.
template <bool ROWS_FIRST, bool COLUMNS_FIRST, class A, class B>
DEVICE void OF(tile_product)(T (&acc)[4][4], OF(Tile) & tile, int64_t precision, int64_t first,
                             int64_t last, A a, B b) {
  const int tx = threadIdx.x & 15, ty = threadIdx.x >> 4;
  for (int64_t k0 = first; k0 < last; k0 += 16) {
    for (int i = threadIdx.x; i < 64 * 16; i += 256) {
      const int r = ROWS_FIRST ? i & 63 : i >> 4, ka = ROWS_FIRST ? i >> 6 : i & 15;
      tile.a[ka][r] = k0 + ka < last ? rounded_factor(a(r, k0 + ka), precision) : (T)0;
      const int c = COLUMNS_FIRST ? i & 63 : i >> 4, kb = COLUMNS_FIRST ? i >> 6 : i & 15;
      tile.b[kb][c] = k0 + kb < last ? rounded_factor(b(k0 + kb, c), precision) : (T)0;
    }
    __syncthreads();
    UNROLL for (int p = 0; p < 16; p++) {
      T x[4], y[4];
      UNROLL for (int i = 0; i < 4; i++) {
        x[i] = tile.a[p][ty * 4 + i];
        y[i] = tile.b[p][tx * 4 + i];
      }
      UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] =
          fma(x[i], y[j], acc[i][j]);
    }
    __syncthreads();
  }
}

/// put(row, column, value) for the 4 x 4 results of a thread.
template <class Put> DEVICE void OF(tile_results)(T (&acc)[4][4], Put put) {
  const int tx = threadIdx.x & 15, ty = threadIdx.x >> 4;
  UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++)
      put(ty * 4 + i, tx * 4 + j, acc[i][j]);
}
#endif
