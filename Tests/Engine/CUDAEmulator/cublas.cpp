// The part of cuBLAS that the backend calls, on the emulated driver beside it: column-major, sums
// in float or double in the order of k, factors rounded as `compute` says; what it reads and writes
// is told to the checker. Its sums run otherwise than those of gemm.cu.h, so that tests can tell.
#include "bss_cuda_driver.h"
#include "product.h"

struct cublasContext {
  CUstream stream = nullptr;
  void *workspace = nullptr;
};

extern "C" {
int cublasCreate_v2(cublasHandle *handle) {
  *handle = nullptr;
  if (!offered<void *>("emulated_enqueue")) return notInitialised;
  *handle = new cublasContext;
  return ok;
}
int cublasGetVersion_v2(cublasHandle, int *version) {
  *version = 120900;
  return ok;
}
int cublasSetStream_v2(cublasHandle handle, CUstream stream) {
  handle->stream = stream;
  return ok;
}
int cublasSetWorkspace_v2(cublasHandle handle, void *memory, size_t bytes) {
  if (!memory || !bytes || (uintptr_t)memory % 256) return invalidValue;
  handle->workspace = memory;
  return ok;
}
int cublasGemmStridedBatchedEx(cublasHandle handle, int turnA, int turnB, int m, int n, int k,
                               const void *alpha, const void *a, int kindA, int lda,
                               long long strideA, const void *b, int kindB, int ldb,
                               long long strideB, const void *beta, void *c, int kindC, int ldc,
                               long long strideC, int batch, int compute, int algorithm) {
  if (!handle || !handle->stream || !handle->workspace) return notInitialised;
  if (m < 0 || n < 0 || k < 0 || lda < (turnA ? k : m) || ldb < (turnB ? n : k) || ldc < m ||
      algorithm != -1 || kindA != kindB || kindA != kindC)
    return invalidValue;
  if (kindA == 1 ? compute != exactDouble
                 : kindA != 0 || (compute != exact && compute != viaTF32 && compute != viaBF16))
    return notSupported;
  const Sizes s = {turnA, turnB, m, n, k, lda, ldb, ldc, batch, compute, strideA, strideB, strideC};
  std::function<void()> work;
  if (kindA == 1)
    work = [=, p = *(const double *)alpha, q = *(const double *)beta] {
      multiply<double>(s, p, (const double *)a, (const double *)b, q, (double *)c);
    };
  else
    work = [=, p = *(const float *)alpha, q = *(const float *)beta] {
      multiply<float>(s, p, (const float *)a, (const float *)b, q, (float *)c);
    };
  enqueueWork("cublasGemm", work);
  return ok;
}
}
