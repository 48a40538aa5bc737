// Instruction-set level chosen once at start-up.
#pragma once
#include "bss_base.h"

/// "v4" (AVX-512), "v3" (AVX2 + FMA) or "base": the level all kernels run at, the best that the CPU
/// has or the one that BSS_ISA names in the environment. v4 and v3 give the same bits; base, which
/// has no FMA, other ones in the last place.
const char *bss_isa(void);

/// What BSS_ISA or BSS_BLAS asks for and cannot have, as a sentence; NULL: nothing.
const char *bss_environment_mistake(void);
