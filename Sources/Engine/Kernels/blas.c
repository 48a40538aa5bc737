// Opens OpenBLAS on first need and repairs its choice of kernels.
//
// An OpenBLAS older than the CPU does not know it and falls back to SSE3 kernels ("Prescott"), a
// fifth of the speed. Then, and only then, it is initialised again with the newest kernels the CPU
// can run. One thread: parallelism is ours.
#include "blas.h"
#include "level.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static blas_library library;

#if defined(__x86_64__)
static void repair_core(void *handle, const char *(*core)(void)) {
  void (*quit)(void) = (void (*)(void))dlsym(handle, "gotoblas_dynamic_quit");
  void (*init)(void) = (void (*)(void))dlsym(handle, "gotoblas_dynamic_init");
  __builtin_cpu_init();
  if (strcmp(core(), "Prescott") != 0 || !quit || !init || getenv("OPENBLAS_CORETYPE")) return;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
  setenv("OPENBLAS_CORETYPE", __builtin_cpu_supports("avx512vl") ? "SkylakeX" : "Haswell", 1);
  quit();
  init();
  unsetenv("OPENBLAS_CORETYPE");
}
#endif

static void open_library(void) {
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
#if defined(__APPLE__)
  static const char *const names[] = {"libopenblas.dylib",
                                      "/opt/homebrew/opt/openblas/lib/libopenblas.dylib"};
#else
  static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
#endif
  void *handle = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && !handle; i++)
    handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!handle) return;
  const char *(*core)(void) = (const char *(*)(void))dlsym(handle, "openblas_get_corename");
  const char *(*config)(void) = (const char *(*)(void))dlsym(handle, "openblas_get_config");
  void (*set_threads)(int) = (void (*)(int))dlsym(handle, "openblas_set_num_threads");
  blas_sgemm sgemm = (blas_sgemm)dlsym(handle, "cblas_sgemm");
  blas_dgemm dgemm = (blas_dgemm)dlsym(handle, "cblas_dgemm");
  if (!core || !sgemm || !dgemm) return;
#if defined(__x86_64__)
  repair_core(handle, core);
#endif
  if (set_threads) set_threads(1);
  char version[48] = "OpenBLAS";
  if (config)
    sscanf(config(), "OpenBLAS %32s", version + snprintf(version, sizeof version, "OpenBLAS "));
  snprintf(library.name, sizeof library.name, "%s %s", version, core());
  library.sgemm = sgemm;
  library.dgemm = dgemm;
}

const blas_library *bss_blas(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  return &library;
}

static const char *wanted(void) {
  const char *name = getenv("BSS_BLAS");
  return name ? name : "auto";
}

static bool is_own;
static void choose(void) {
  const bool asked = strcmp(wanted(), "openblas") == 0;
  is_own = strcmp(wanted(), "own") == 0 || (!asked && bss_level >= bss_level_v3);
  if (!is_own) is_own = !bss_blas()->sgemm;
}

bool bss_blas_is_own(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, choose);
  return is_own;
}

const char *bss_blas_name(void) { return bss_blas_is_own() ? "own" : bss_blas()->name; }

const char *bss_blas_mistake(void) {
  if (strcmp(wanted(), "openblas") == 0)
    return bss_blas_is_own() ? "BSS_BLAS=openblas: the library libopenblas.so.0 is not there"
                             : NULL;
  const bool known = strcmp(wanted(), "own") == 0 || strcmp(wanted(), "auto") == 0;
  return known ? NULL : "BSS_BLAS must be auto, own or openblas";
}
