// Opens NVIDIA's libraries and forwards calls to them: bss_cuda_driver.h.
#define _GNU_SOURCE
#include "bss_cuda_driver.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { NOT_OPENED = 3 };  // CUDA_ERROR_NOT_INITIALIZED

#define SLOT(slot, symbol, parameters, arguments) int(*slot) parameters;
static struct { BSS_CUDA_ENTRIES(SLOT) } cuda;
static struct { BSS_NVRTC_ENTRIES(SLOT) } nvrtc;
static struct { BSS_CUBLAS_ENTRIES(SLOT) } cublas;
static struct { BSS_CUBLASLT_ENTRIES(SLOT) } cublaslt;
static struct { BSS_CUDNN_ENTRIES(SLOT) } cudnn;

#define FORWARD_TO(library, slot, parameters, arguments)            \
  int bss_##library##_##slot parameters {                           \
    return library.slot ? library.slot arguments : (int)NOT_OPENED; \
  }
#define CUDA(slot, symbol, parameters, arguments) FORWARD_TO(cuda, slot, parameters, arguments)
#define NVRTC(slot, symbol, parameters, arguments) FORWARD_TO(nvrtc, slot, parameters, arguments)
#define CUBLAS(slot, symbol, parameters, arguments) FORWARD_TO(cublas, slot, parameters, arguments)
#define CUBLASLT(slot, symbol, parameters, arguments) \
  FORWARD_TO(cublaslt, slot, parameters, arguments)
#define CUDNN(slot, symbol, parameters, arguments) FORWARD_TO(cudnn, slot, parameters, arguments)
BSS_CUDA_ENTRIES(CUDA)
BSS_NVRTC_ENTRIES(NVRTC)
BSS_CUBLAS_ENTRIES(CUBLAS)
BSS_CUBLASLT_ENTRIES(CUBLASLT)
BSS_CUDNN_ENTRIES(CUDNN)

typedef struct {
  void *slot;
  const char *symbol;
} entry;
#define ENTRY_OF(library, slot, symbol) {&library.slot, #symbol},
#define CUDA_ENTRY(slot, symbol, ...) ENTRY_OF(cuda, slot, symbol)
#define NVRTC_ENTRY(slot, symbol, ...) ENTRY_OF(nvrtc, slot, symbol)
#define CUBLAS_ENTRY(slot, symbol, ...) ENTRY_OF(cublas, slot, symbol)
#define CUBLASLT_ENTRY(slot, symbol, ...) ENTRY_OF(cublaslt, slot, symbol)
#define CUDNN_ENTRY(slot, symbol, ...) ENTRY_OF(cudnn, slot, symbol)
static const entry cuda_entries[] = {BSS_CUDA_ENTRIES(CUDA_ENTRY){0}};
static const entry nvrtc_entries[] = {BSS_NVRTC_ENTRIES(NVRTC_ENTRY){0}};
static const entry cublas_entries[] = {BSS_CUBLAS_ENTRIES(CUBLAS_ENTRY){0}};
static const entry cublaslt_entries[] = {BSS_CUBLASLT_ENTRIES(CUBLASLT_ENTRY){0}};
static const entry cudnn_entries[] = {BSS_CUDNN_ENTRIES(CUDNN_ENTRY){0}};
static const entry *const entries[] = {cuda_entries, nvrtc_entries, cublas_entries,
                                       cublaslt_entries, cudnn_entries};

/// cuBLAS needs cublasLt of its own folder; once that is open, the loader takes no other.
static void open_companion(const char *path) {
  const char *name = strstr(path, "libcublas.so");
  char companion[4096];
  if (!name || strlen(path) + 3 > sizeof companion) return;
  snprintf(companion, sizeof companion, "%.*slibcublasLt.so%s", (int)(name - path), path,
           name + strlen("libcublas.so"));
  // Where it is not there, opening cuBLAS says so.
  (void)dlopen(companion, RTLD_NOW | RTLD_GLOBAL);
}

const char *bss_library_open(bss_library library, const char *path) {
  static char message[512];
  open_companion(path);
  void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!opened) {
    snprintf(message, sizeof message, "%s", dlerror());
    return message;
  }
  for (const entry *e = entries[library]; e->symbol; e++) {
    void *found = dlsym(opened, e->symbol);
    if (!found) {
      snprintf(message, sizeof message, "%s has no %s", path, e->symbol);
      return message;
    }
    *(void **)e->slot = found;
  }
  return NULL;
}

int bss_cuda_launch_packed(CUfunction function, const unsigned grid[3], unsigned threads,
                           CUstream stream, const void *parameters, size_t bytes) {
  // CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE, CU_LAUNCH_PARAM_END
  void *extra[] = {(void *)1, (void *)parameters, (void *)2, &bytes, NULL};
  return bss_cuda_launch(function, grid[0], grid[1], grid[2], threads, 1, 1, 0, stream, NULL,
                         extra);
}
