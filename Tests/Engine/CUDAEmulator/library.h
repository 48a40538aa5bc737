// What the emulated libraries share: the emulated driver of the same folder.
#pragma once
#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <string>

static const char insideLibrary = 0;
static void *driverBeside() {
  Dl_info here;
  if (!dladdr(&insideLibrary, &here)) return nullptr;
  const std::string path = here.dli_fname;
  return dlopen((path.substr(0, path.rfind('/')) + "/libcuda.so.1").c_str(), RTLD_NOW);
}
/// What the driver of the same folder offers to libraries.
template <class F> static F offered(const char *name) {
  static void *driver = driverBeside();
  return driver ? (F)dlsym(driver, name) : nullptr;
}
/// Work on the stream; what it reads and writes is told to the checker.
static inline void enqueueWork(const char *name, const std::function<void()> &work) {
  offered<void (*)(const char *, const std::function<void()> *)>("emulated_enqueue")(name, &work);
}
static inline void reads(const void *p, size_t bytes) {
  static auto tell = offered<void (*)(const void *, size_t)>("emulated_reads");
  tell(p, bytes);
}
static inline void writes(void *p, size_t bytes) {
  static auto tell = offered<void (*)(void *, size_t)>("emulated_writes");
  tell(p, bytes);
}
/// As the card's cvt.rna.tf32: ties away from 0.
static inline float roundedToTF32(float x) {
  uint32_t u;
  memcpy(&u, &x, 4);
  if ((u & 0x7f800000u) == 0x7f800000u) return x;
  u = (u + 0x1000u) & 0xffffe000u;
  memcpy(&x, &u, 4);
  return x;
}
