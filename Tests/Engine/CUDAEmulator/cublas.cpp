// The part of cuBLAS that the backend calls, on the emulated driver beside it: column-major, sums
// in float or double in the order of k, factors rounded as `compute` says; what it reads and writes
// is told to the checker. Its sums run otherwise than those of gemm.cu.h, so that tests can tell.
#include "bss_cuda_driver.h"
#include "library.h"

struct cublasContext {
  CUstream stream = nullptr;
  void *workspace = nullptr;
};

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
