// Chooses the instruction-set level before main.
#include "bss_dispatch.h"
#include "level.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

extern const bss_loop_table bss_loops_base;
#if BSS_HAS_LEVELS
extern const bss_loop_table bss_loops_v3, bss_loops_v4;
#endif

int bss_level = bss_level_base;
const bss_loop_table *bss_loops = &bss_loops_base;

__attribute__((constructor(101))) static void choose_level(void) {
#if BSS_HAS_LEVELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) bss_level = bss_level_v3;
  if (__builtin_cpu_supports("x86-64-v4")) bss_level = bss_level_v4;
  const char *wanted = getenv("BSS_ISA");
  if (wanted) {
    int lower = strcmp(wanted, "base") == 0 ? bss_level_base
                : strcmp(wanted, "v3") == 0 ? bss_level_v3
                                            : bss_level_v4;
    if (lower < bss_level) bss_level = lower;
  }
  if (bss_level == bss_level_v3) bss_loops = &bss_loops_v3;
  if (bss_level == bss_level_v4) bss_loops = &bss_loops_v4;
#endif
}

const char *bss_isa(void) {
  return bss_level == bss_level_v4 ? "v4" : bss_level == bss_level_v3 ? "v3" : "base";
}
