// Ring 2: the entry points as Engine/CUDA declares them against NVIDIA's own headers. Only
// compiled, by scripts/gpu-compile where a wheel brought the headers.
#include "signatures.h"
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda.h>
#include <nvrtc.h>

namespace ours {
#define CUcontext our_context
#define CUmodule our_module
#define CUfunction our_function
#define CUstream our_stream
#define CUevent our_event
#define CUgraph our_graph
#define CUgraphExec our_graph_exec
#define CUdeviceptr our_pointer
#define CUdevice our_device
#define nvrtcProgram our_program
#define cublasLtHandle our_light_handle
#include "bss_cuda_driver.h"
#undef CUcontext
#undef CUmodule
#undef CUfunction
#undef CUstream
#undef CUevent
#undef CUgraph
#undef CUgraphExec
#undef CUdeviceptr
#undef CUdevice
#undef nvrtcProgram
#undef cublasLtHandle
#include "cublaslt_names.h"
}  // namespace ours

/// Of two overloads, the one that is exported.
using Product = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int,
                                   int, const void *, const void *, cudaDataType, int, long long,
                                   const void *, cudaDataType, int, long long, const void *, void *,
                                   cudaDataType, int, long long, int, cublasComputeType_t,
                                   cublasGemmAlgo_t);
#define CUDA_ENTRY(slot, symbol, ...) COMPARE(cuda, slot, &::symbol)
#define NVRTC_ENTRY(slot, symbol, ...) COMPARE(nvrtc, slot, &::symbol)
COMPARE(cublas, gemm, static_cast<Product>(&cublasGemmStridedBatchedEx))
COMPARE(cublas, create, &cublasCreate_v2)
COMPARE(cublas, version, &cublasGetVersion_v2)
COMPARE(cublas, set_stream, &cublasSetStream_v2)
COMPARE(cublas, set_workspace, &cublasSetWorkspace_v2)
BSS_CUDA_ENTRIES(CUDA_ENTRY)
BSS_NVRTC_ENTRIES(NVRTC_ENTRY)
#define CUBLASLT_ENTRY(slot, symbol, ...) COMPARE(cublaslt, slot, &::symbol)
BSS_CUBLASLT_ENTRIES(CUBLASLT_ENTRY)
#define NAME(name, theirs, value) static_assert(ours::name == (int)::theirs, #theirs);
BSS_CUBLASLT_NAMES(NAME)
static_assert(sizeof(ours::cublasLtChoice) == sizeof(cublasLtMatmulHeuristicResult_t));
#define COUNT(...) +1
static_assert(BSS_CUBLAS_ENTRIES(COUNT) == 5);  // those above
static_assert(CUBLAS_COMPUTE_32F == 68 && CUBLAS_COMPUTE_64F == 70);
static_assert(CUBLAS_COMPUTE_32F_FAST_TF32 == 77 && CUBLAS_COMPUTE_32F_FAST_16BF == 75);
static_assert(CUDA_R_32F == 0 && CUDA_R_64F == 1 && CUBLAS_GEMM_DEFAULT == -1);
static_assert(CUDA_ERROR_OUT_OF_MEMORY == 2 && CU_STREAM_CAPTURE_MODE_RELAXED == 2);
static_assert(CU_STREAM_NON_BLOCKING == 1 && CU_EVENT_DISABLE_TIMING == 2);
