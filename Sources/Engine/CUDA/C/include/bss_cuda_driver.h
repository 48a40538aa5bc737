// The entry points of NVIDIA's libraries that the backend calls, opened at run time: no CUDA header
// or library is needed to build, and one program serves machines with and without a card. Each is
// the function bss_<library>_<slot> here, with the library's own parameters and status (0 = done).
//
//   X(slot, exported symbol, (parameters), (arguments))
//
// What must be there in every driver from 525 on; signatures as in cuda.h, nvrtc.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;
typedef struct nvrtc_program *nvrtcProgram;
typedef struct cublasContext *cublasHandle;
typedef struct cublasLtContext *cublasLtHandle;
typedef struct cudnnContext *cudnnHandle;
typedef uint64_t CUdeviceptr;
typedef int CUdevice;

// clang-format off
#define BSS_CUDA_ENTRIES(X)                                                                       \
  X(init, cuInit, (unsigned flags), (flags))                                                      \
  X(driver_version, cuDriverGetVersion, (int *version), (version))                                \
  X(device_count, cuDeviceGetCount, (int *count), (count))                                        \
  X(device, cuDeviceGet, (CUdevice *device, int ordinal), (device, ordinal))                      \
  X(device_name, cuDeviceGetName, (char *name, int length, CUdevice device),                      \
    (name, length, device))                                                                       \
  X(device_attribute, cuDeviceGetAttribute, (int *value, int attribute, CUdevice device),         \
    (value, attribute, device))                                                                   \
  X(device_memory, cuDeviceTotalMem_v2, (size_t *bytes, CUdevice device), (bytes, device))        \
  X(context_retain, cuDevicePrimaryCtxRetain, (CUcontext *context, CUdevice device),              \
    (context, device))                                                                            \
  X(context_set, cuCtxSetCurrent, (CUcontext context), (context))                                 \
  X(error_name, cuGetErrorName, (int error, const char **text), (error, text))                    \
  X(memory_info, cuMemGetInfo_v2, (size_t *free, size_t *total), (free, total))                   \
  X(allocate, cuMemAlloc_v2, (CUdeviceptr *address, size_t bytes), (address, bytes))              \
  X(free, cuMemFree_v2, (CUdeviceptr address), (address))                                         \
  X(allocate_in_order, cuMemAllocAsync, (CUdeviceptr *address, size_t bytes, CUstream stream),    \
    (address, bytes, stream))                                                                     \
  X(free_in_order, cuMemFreeAsync, (CUdeviceptr address, CUstream stream), (address, stream))     \
  X(upload, cuMemcpyHtoDAsync_v2,                                                                 \
    (CUdeviceptr to, const void *from, size_t bytes, CUstream stream), (to, from, bytes, stream)) \
  X(download, cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream stream),  \
    (to, from, bytes, stream))                                                                    \
  X(locked_allocate, cuMemHostAlloc, (void **address, size_t bytes, unsigned flags),              \
    (address, bytes, flags))                                                                      \
  X(locked_free, cuMemFreeHost, (void *address), (address))                                       \
  X(event_create, cuEventCreate, (CUevent *event, unsigned flags), (event, flags))                \
  X(event_record, cuEventRecord, (CUevent event, CUstream stream), (event, stream))               \
  X(event_wait, cuEventSynchronize, (CUevent event), (event))                                     \
  X(stream_create, cuStreamCreate, (CUstream *stream, unsigned flags), (stream, flags))           \
  X(stream_wait, cuStreamSynchronize, (CUstream stream), (stream))                                \
  X(capture_begin, cuStreamBeginCapture_v2, (CUstream stream, int mode), (stream, mode))          \
  X(capture_end, cuStreamEndCapture, (CUstream stream, CUgraph *graph), (stream, graph))          \
  X(graph_instantiate, cuGraphInstantiateWithFlags,                                               \
    (CUgraphExec *started, CUgraph graph, unsigned long long flags), (started, graph, flags))     \
  X(graph_launch, cuGraphLaunch, (CUgraphExec started, CUstream stream), (started, stream))       \
  X(graph_exec_destroy, cuGraphExecDestroy, (CUgraphExec started), (started))                     \
  X(graph_destroy, cuGraphDestroy, (CUgraph graph), (graph))                                      \
  X(module_load, cuModuleLoadDataEx,                                                              \
    (CUmodule *module, const void *image, unsigned count, int *options, void **values),           \
    (module, image, count, options, values))                                                      \
  X(module_function, cuModuleGetFunction, (CUfunction *function, CUmodule module,                 \
    const char *name), (function, module, name))                                                  \
  X(launch, cuLaunchKernel,                                                                       \
    (CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,        \
     unsigned bz, unsigned shared, CUstream stream, void **parameters, void **extra),             \
    (function, gx, gy, gz, bx, by, bz, shared, stream, parameters, extra))

#define BSS_NVRTC_ENTRIES(X)                                                                      \
  X(version, nvrtcVersion, (int *major, int *minor), (major, minor))                              \
  X(create, nvrtcCreateProgram,                                                                   \
    (nvrtcProgram *program, const char *text, const char *name, int count,                        \
     const char *const *headers, const char *const *names),                                       \
    (program, text, name, count, headers, names))                                                 \
  X(compile, nvrtcCompileProgram,                                                                 \
    (nvrtcProgram program, int count, const char *const *options), (program, count, options))     \
  X(log_size, nvrtcGetProgramLogSize, (nvrtcProgram program, size_t *bytes), (program, bytes))    \
  X(log, nvrtcGetProgramLog, (nvrtcProgram program, char *text), (program, text))                 \
  X(cubin_size, nvrtcGetCUBINSize, (nvrtcProgram program, size_t *bytes), (program, bytes))       \
  X(cubin, nvrtcGetCUBIN, (nvrtcProgram program, char *bytes), (program, bytes))                  \
  X(destroy, nvrtcDestroyProgram, (nvrtcProgram *program), (program))

// Matrices are column-major; `kind` 0 float, 1 double; `compute` 68 float, 77 of factors rounded to
// TF32, 75 to bfloat16, 70 double; alpha and beta lie on the host.
#define BSS_CUBLAS_ENTRIES(X)                                                                     \
  X(create, cublasCreate_v2, (cublasHandle *handle), (handle))                                    \
  X(version, cublasGetVersion_v2, (cublasHandle handle, int *version), (handle, version))         \
  X(set_stream, cublasSetStream_v2, (cublasHandle handle, CUstream stream), (handle, stream))     \
  X(set_workspace, cublasSetWorkspace_v2, (cublasHandle handle, void *memory, size_t bytes),      \
    (handle, memory, bytes))                                                                      \
  X(gemm, cublasGemmStridedBatchedEx,                                                             \
    (cublasHandle handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha,         \
     const void *a, int kind_a, int lda, long long stride_a, const void *b, int kind_b, int ldb,  \
     long long stride_b, const void *beta, void *c, int kind_c, int ldc, long long stride_c,      \
     int batch, int compute, int algorithm),                                                      \
    (handle, turn_a, turn_b, m, n, k, alpha, a, kind_a, lda, stride_a, b, kind_b, ldb, stride_b,  \
     beta, c, kind_c, ldc, stride_c, batch, compute, algorithm))

typedef struct {
  uint64_t words[8];
} cublasLtAlgorithm;
/// An algorithm that cublasLt offers.
typedef struct {
  cublasLtAlgorithm algorithm;
  size_t workspace;
  int status;
  float waves;
  int unused[4];
} cublasLtChoice;
// `rule` how to multiply, `layout` a column-major matrix, `wish` what an algorithm may be; names of
// attributes: cublaslt_names.h.
#define BSS_CUBLASLT_ENTRIES(X)                                                                   \
  X(create, cublasLtCreate, (cublasLtHandle *handle), (handle))                                   \
  X(rule, cublasLtMatmulDescCreate, (void **rule, int compute, int kind), (rule, compute, kind))  \
  X(rule_set, cublasLtMatmulDescSetAttribute,                                                     \
    (void *rule, int name, const void *value, size_t bytes), (rule, name, value, bytes))          \
  X(layout, cublasLtMatrixLayoutCreate,                                                           \
    (void **layout, int kind, uint64_t rows, uint64_t columns, int64_t leading),                  \
    (layout, kind, rows, columns, leading))                                                       \
  X(wish, cublasLtMatmulPreferenceCreate, (void **wish), (wish))                                  \
  X(wish_set, cublasLtMatmulPreferenceSetAttribute,                                               \
    (void *wish, int name, const void *value, size_t bytes), (wish, name, value, bytes))          \
  X(choose, cublasLtMatmulAlgoGetHeuristic,                                                       \
    (cublasLtHandle handle, void *rule, void *a, void *b, void *c, void *d, void *wish, int most, \
     cublasLtChoice *choices, int *count),                                                        \
    (handle, rule, a, b, c, d, wish, most, choices, count))                                       \
  X(multiply, cublasLtMatmul,                                                                     \
    (cublasLtHandle handle, void *rule, const void *alpha, const void *a, void *layout_a,         \
     const void *b, void *layout_b, const void *beta, const void *c, void *layout_c, void *d,     \
     void *layout_d, const cublasLtAlgorithm *algorithm, void *workspace, size_t bytes,           \
     CUstream stream),                                                                            \
    (handle, rule, alpha, a, layout_a, b, layout_b, beta, c, layout_c, d, layout_d, algorithm,    \
     workspace, bytes, stream))

// Descriptors of the backend interface; names and values of attributes: cudnn_names.h.
#define BSS_CUDNN_ENTRIES(X)                                                                      \
  X(create, cudnnCreate, (cudnnHandle *handle), (handle))                                         \
  X(property, cudnnGetProperty, (int property, int *value), (property, value))                    \
  X(set_stream, cudnnSetStream, (cudnnHandle handle, CUstream stream), (handle, stream))          \
  X(descriptor_create, cudnnBackendCreateDescriptor, (int type, void **made), (type, made))       \
  X(descriptor_destroy, cudnnBackendDestroyDescriptor, (void *made), (made))                      \
  X(set, cudnnBackendSetAttribute,                                                                \
    (void *of, int name, int type, int64_t count, const void *values),                            \
    (of, name, type, count, values))                                                              \
  X(get, cudnnBackendGetAttribute,                                                                \
    (void *of, int name, int type, int64_t most, int64_t *count, void *values),                   \
    (of, name, type, most, count, values))                                                        \
  X(finalize, cudnnBackendFinalize, (void *made), (made))                                         \
  X(execute, cudnnBackendExecute, (cudnnHandle handle, void *plan, void *pack),                   \
    (handle, plan, pack))

#define BSS_CUDA_DECLARED(slot, symbol, parameters, arguments) int bss_cuda_##slot parameters;
#define BSS_NVRTC_DECLARED(slot, symbol, parameters, arguments) int bss_nvrtc_##slot parameters;
#define BSS_CUBLAS_DECLARED(slot, symbol, parameters, arguments) int bss_cublas_##slot parameters;
#define BSS_CUBLASLT_DECLARED(slot, symbol, parameters, arguments) \
  int bss_cublaslt_##slot parameters;
#define BSS_CUDNN_DECLARED(slot, symbol, parameters, arguments) int bss_cudnn_##slot parameters;
BSS_CUDA_ENTRIES(BSS_CUDA_DECLARED)
BSS_NVRTC_ENTRIES(BSS_NVRTC_DECLARED)
BSS_CUBLAS_ENTRIES(BSS_CUBLAS_DECLARED)
BSS_CUBLASLT_ENTRIES(BSS_CUBLASLT_DECLARED)
BSS_CUDNN_ENTRIES(BSS_CUDNN_DECLARED)
// clang-format on

typedef enum {
  BSS_LIBRARY_CUDA,
  BSS_LIBRARY_NVRTC,
  BSS_LIBRARY_CUBLAS,
  BSS_LIBRARY_CUBLASLT,
  BSS_LIBRARY_CUDNN
} bss_library;

/// Opens the library at `path` and finds all of its entries. NULL: done; else why not.
const char *bss_library_open(bss_library library, const char *path);

/// A one-dimensional block of `threads`; the parameters as one packed buffer, whose size the driver
/// compares with the kernel's.
int bss_cuda_launch_packed(CUfunction function, const unsigned grid[3], unsigned threads,
                           CUstream stream, const void *parameters, size_t bytes);
