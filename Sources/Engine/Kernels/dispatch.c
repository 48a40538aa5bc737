// Chooses the instruction-set level before main.
#include "bss_dispatch.h"
#include "blas.h"
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

static const char *const level_names[] = {"base", "v3", "v4"};
static const char *mistake;

__attribute__((constructor(101))) static void choose_level(void) {
  int best = bss_level_base;
#if BSS_HAS_LEVELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3")) best = bss_level_v3;
  if (__builtin_cpu_supports("x86-64-v4")) best = bss_level_v4;
#endif
  const char *wanted = getenv("BSS_ISA");
  int level = wanted ? bss_level_v4 : best;
  while (wanted && level >= 0 && strcmp(wanted, level_names[level]) != 0) level--;
  if (level < 0) mistake = "BSS_ISA must be v4, v3 or base";
  if (level > best) mistake = "BSS_ISA names instructions that this CPU does not have";
  bss_level = level < 0 || level > best ? best : level;
#if BSS_HAS_LEVELS
  if (bss_level == bss_level_v3) bss_loops = &bss_loops_v3;
  if (bss_level == bss_level_v4) bss_loops = &bss_loops_v4;
#endif
}

const char *bss_isa(void) { return level_names[bss_level]; }

const char *bss_environment_mistake(void) { return mistake ? mistake : bss_blas_mistake(); }
