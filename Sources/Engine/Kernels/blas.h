// OpenBLAS, opened at run time.
#pragma once
#include "bss_gemm.h"

typedef void (*blas_sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                           const float *a, int lda, const float *b, int ldb, float beta, float *c,
                           int ldc);
typedef void (*blas_dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                           const double *a, int lda, const double *b, int ldb, double beta,
                           double *c, int ldc);
enum { blas_row_major = 101, blas_no_trans = 111, blas_trans = 112 };

/// Whether our own kernels serve every product; else OpenBLAS is there and serves what it can.
bool bss_blas_is_own(void);
/// What BSS_BLAS asks for and cannot have, or NULL.
const char *bss_blas_mistake(void);

/// Opened on first need; NULL functions when there is no library.
typedef struct {
  blas_sgemm sgemm;
  blas_dgemm dgemm;
  char name[96];
} blas_library;
const blas_library *bss_blas(void);
