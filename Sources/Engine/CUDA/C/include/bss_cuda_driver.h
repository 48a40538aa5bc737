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
typedef struct nvrtc_program *nvrtcProgram;
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
  X(stream_create, cuStreamCreate, (CUstream *stream, unsigned flags), (stream, flags))           \
  X(stream_wait, cuStreamSynchronize, (CUstream stream), (stream))                                \
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

#define BSS_CUDA_DECLARED(slot, symbol, parameters, arguments) int bss_cuda_##slot parameters;
#define BSS_NVRTC_DECLARED(slot, symbol, parameters, arguments) int bss_nvrtc_##slot parameters;
BSS_CUDA_ENTRIES(BSS_CUDA_DECLARED)
BSS_NVRTC_ENTRIES(BSS_NVRTC_DECLARED)
// clang-format on

typedef enum { BSS_LIBRARY_CUDA, BSS_LIBRARY_NVRTC } bss_library;

/// Opens the library at `path` and finds all of its entries. NULL: done; else why not.
const char *bss_library_open(bss_library library, const char *path);

/// A one-dimensional block of `threads`; the parameters as one packed buffer, whose size the driver
/// compares with the kernel's.
int bss_cuda_launch_packed(CUfunction function, const unsigned grid[3], unsigned threads,
                           CUstream stream, const void *parameters, size_t bytes);
