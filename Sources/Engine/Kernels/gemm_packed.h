// Many products with one matrix B: packed once, then multiplied tile by tile inside tasks.
#pragma once
#include "bss_gemm.h"

/// Whether packing pays: our own kernels multiply. OpenBLAS takes matrices as they are.
bool bss_gemm_packs(void);
size_t bss_gemm_packed_bytes(bss_dtype dtype, int64_t n, int64_t k);
/// packed = op(B) [k, n] in panels.
int bss_gemm_pack(bss_dtype dtype, bool trans_b, int64_t n, int64_t k, const void *b, int64_t ldb,
                  void *packed);
/// C [m, n] = A B + bias on this thread.
void bss_gemm_packed(bss_dtype dtype, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda,
                     const void *packed, const void *bias, void *c, int64_t ldc);
