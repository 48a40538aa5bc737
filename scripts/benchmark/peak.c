// What one core can do at most: "fma GFLOP/s" at the widest vectors it has, "copy GB/s" of 256 MiB, read and written.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { chains = 12, turns = 4000000 };

// Twelve independent chains of multiply-adds: more than latency times width of any core.
#define CHAINS(name, lanes, target_name)                                                  \
  typedef float name##_vector __attribute__((ext_vector_type(lanes)));                    \
  __attribute__((noinline, target(target_name), min_vector_width(512))) static float name(float a, float b) {    \
    name##_vector sum[chains], x = a, y = b;                                              \
    for (int i = 0; i < chains; i++) sum[i] = (float)i;                                   \
    for (int t = 0; t < turns; t++) {                                                     \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < chains; i++)                 \
        sum[i] = __builtin_elementwise_fma(sum[i], x, y);                                 \
      __asm__ volatile("" ::"m"(t));                                                      \
    }                                                                                     \
    float total = 0;                                                                      \
    for (int i = 0; i < chains; i++) total += sum[i][0];                                  \
    return total;                                                                         \
  }
#if defined(__x86_64__)
CHAINS(wide, 16, "avx512f")
CHAINS(narrow, 8, "avx2,fma")
#else
CHAINS(narrow, 4, "")
#endif

static double best(float (*run)(float, float), int lanes) {
  double fastest = 0;
  volatile float kept = 0;
  for (int i = 0; i < 5; i++) {
    const double start = now();
    kept = kept + run(0.999f, 0.1f);
    const double speed = 2.0 * lanes * chains * turns / (now() - start) / 1e9;
    if (speed > fastest) fastest = speed;
  }
  return fastest;
}

int main(void) {
#if defined(__x86_64__)
  const int has_wide = __builtin_cpu_supports("avx512f");
  printf("fma %.1f\n", has_wide ? best(wide, 16) : best(narrow, 8));
#else
  printf("fma %.1f\n", best(narrow, 4));
#endif
  const size_t size = 256u << 20;
  char *from = malloc(size), *to = malloc(size);
  if (!from || !to) return 1;
  memset(from, 1, size);
  memset(to, 2, size);
  double fastest = 0;
  for (int i = 0; i < 3; i++) {
    const double start = now();
    memcpy(to, from, size);
    __asm__ volatile("" ::"r"(to) : "memory");
    const double speed = 2.0 * (double)size / (now() - start) / 1e9;
    if (speed > fastest) fastest = speed;
  }
  printf("copy %.1f\n", fastest);
  return to[size / 2] != 1;
}
