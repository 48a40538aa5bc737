// Instruction-set level chosen once at start-up.
#pragma once
#include "bss_base.h"

/// "v4" (AVX-512), "v3" (AVX2 + FMA) or "base": the level all kernels run at. BSS_ISA=v4|v3|base in
/// the environment lowers it (a level the CPU lacks is ignored). Levels may differ in the last bit:
/// FMA.
const char *bss_isa(void);
