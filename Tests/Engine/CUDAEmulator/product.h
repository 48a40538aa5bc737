// Products as the emulated cuBLAS and cublasLt compute them: column-major, sums in float or double,
// factors rounded as `compute` says. Sums run otherwise than those of gemm.cu.h, so that tests
// tell.
#pragma once
#include "library.h"

namespace {
enum { ok = 0, notInitialised = 1, invalidValue = 7, notSupported = 15 };
enum { exact = 68, viaTF32 = 77, viaBF16 = 75, exactDouble = 70 };

float rounded(float x, int compute) {
  uint32_t u;
  memcpy(&u, &x, 4);
  if (compute == exact || (u & 0x7f800000u) == 0x7f800000u) return x;
  if (compute == viaTF32) return roundedToTF32(x);
  u = (u + 0x7fffu + (u >> 16 & 1)) & 0xffff0000u;  // ties to even, as the card's cvt.rn.bf16
  memcpy(&x, &u, 4);
  return x;
}
double rounded(double x, int) { return x; }

struct Sizes {
  int turnA, turnB, m, n, k, lda, ldb, ldc, batch, compute;
  long long strideA, strideB, strideC;
};
template <class T> void multiply(const Sizes &s, T alpha, const T *a, const T *b, T beta, T *c) {
  for (int i = 0; i < s.batch; i++, a += s.strideA, b += s.strideB, c += s.strideC) {
    for (int j = 0; j < (s.turnA ? s.m : s.k); j++)
      reads(a + (size_t)j * s.lda, (s.turnA ? s.k : s.m) * sizeof(T));
    for (int j = 0; j < (s.turnB ? s.k : s.n); j++)
      reads(b + (size_t)j * s.ldb, (s.turnB ? s.n : s.k) * sizeof(T));
    for (int x = 0; x < s.n; x++) {
      T *column = c + (size_t)x * s.ldc;
      if (beta != 0) reads(column, s.m * sizeof(T));
      writes(column, s.m * sizeof(T));
      for (int y = 0; y < s.m; y++) {
        T even = 0, odd = 0;
        for (int q = 0; q < s.k; q++) {
          const T u = a[s.turnA ? (size_t)y * s.lda + q : (size_t)q * s.lda + y];
          const T v = b[s.turnB ? (size_t)q * s.ldb + x : (size_t)x * s.ldb + q];
          (q & 1 ? odd : even) += rounded(u, s.compute) * rounded(v, s.compute);
        }
        const T before = beta != 0 ? beta * column[y] : 0;
        column[y] = alpha * (even + odd) + before;
      }
    }
  }
}
}  // namespace
