// Matrix products, row-major. Same bits for any thread count: the output is cut into tiles by shape
// only, and the inner dimension is never split between threads.
#pragma once
#include "bss_base.h"

/// C = alpha op(A) op(B) + beta C; op(A) is [m, k], op(B) is [k, n], C is [m, n]; lda, ldb, ldc =
/// row strides as stored. dtype F32 or F64. beta == 0: C is not read. k == 0: C = beta C.
int bss_gemm(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
             double alpha, const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
             void *c, int64_t ldc);

/// `batch` independent products; matrix i starts at a + i stride_a (elements; 0 = shared), and so
/// on.
int bss_gemm_batched(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
                     double alpha, const void *a, int64_t lda, int64_t stride_a, const void *b,
                     int64_t ldb, int64_t stride_b, double beta, void *c, int64_t ldc,
                     int64_t stride_c, int64_t batch);

typedef enum { BSS_EPILOGUE_NONE = 0, BSS_EPILOGUE_RELU = 1 } bss_epilogue;
/// C = epilogue(op(A) op(B) + bias): bias [n] is added to every row, or NULL. dtype F32 or F64.
int bss_gemm_bias(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
                  const void *a, int64_t lda, const void *b, int64_t ldb, const void *bias,
                  bss_epilogue epilogue, void *c, int64_t ldc);

/// The way back through epilogue and bias of a product: out = y > 0 ? dy : 0, or dy itself if y is
/// NULL (out is not written); dbias [columns] = its column sums, or NULL. y and out [rows, columns]
/// without gaps, rows of dy `stride` apart.
int bss_linear_backward(bss_dtype dtype, int64_t rows, int64_t columns, const void *dy,
                        int64_t stride, const void *y, void *out, void *dbias);

/// Who multiplies: "own", or "OpenBLAS 0.3.21 SkylakeX" (which is opened to ask). BSS_BLAS says
/// which: own, openblas, or auto (the default): own kernels where the CPU has AVX2 and FMA, else
/// OpenBLAS if it is installed.
const char *bss_blas_name(void);
