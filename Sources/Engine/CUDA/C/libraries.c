// Opens NVIDIA's libraries and forwards calls to them: bss_cuda_driver.h.
#define _GNU_SOURCE
#include "bss_cuda_driver.h"
#include <dlfcn.h>
#include <stdio.h>

enum { NOT_OPENED = 3 };  // CUDA_ERROR_NOT_INITIALIZED

#define SLOT(slot, symbol, parameters, arguments) int(*slot) parameters;
static struct { BSS_CUDA_ENTRIES(SLOT) } cuda;
static struct { BSS_NVRTC_ENTRIES(SLOT) } nvrtc;

#define FORWARD_TO(library, slot, parameters, arguments)            \
  int bss_##library##_##slot parameters {                           \
    return library.slot ? library.slot arguments : (int)NOT_OPENED; \
  }
#define CUDA(slot, symbol, parameters, arguments) FORWARD_TO(cuda, slot, parameters, arguments)
#define NVRTC(slot, symbol, parameters, arguments) FORWARD_TO(nvrtc, slot, parameters, arguments)
BSS_CUDA_ENTRIES(CUDA)
BSS_NVRTC_ENTRIES(NVRTC)

typedef struct {
  void *slot;
  const char *symbol;
} entry;
#define ENTRY_OF(library, slot, symbol) {&library.slot, #symbol},
#define CUDA_ENTRY(slot, symbol, ...) ENTRY_OF(cuda, slot, symbol)
#define NVRTC_ENTRY(slot, symbol, ...) ENTRY_OF(nvrtc, slot, symbol)
static const entry cuda_entries[] = {BSS_CUDA_ENTRIES(CUDA_ENTRY){0}};
static const entry nvrtc_entries[] = {BSS_NVRTC_ENTRIES(NVRTC_ENTRY){0}};
static const entry *const entries[] = {cuda_entries, nvrtc_entries};

const char *bss_library_open(bss_library library, const char *path) {
  static char message[512];
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
