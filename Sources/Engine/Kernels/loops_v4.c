// The vector loops at level v4.
#if defined(__x86_64__)
#define LEVEL v4
#define MR 14
#define NV 2
// Loads and stores of some lanes: bit i of the mask says whether lane i takes part.
#define LOAD_MASKED_f32(x, mask) __builtin_ia32_loadups512_mask(x, (f32x16)0, mask)
#define LOAD_MASKED_f64(x, mask) __builtin_ia32_loadupd512_mask(x, (f64x8)0, mask)
#define STORE_MASKED_f32(x, y, mask) __builtin_ia32_storeups512_mask(x, y, mask)
#define STORE_MASKED_f64(x, y, mask) __builtin_ia32_storeupd512_mask(x, y, mask)
#include "level.h"
#include "gamma.h"
#include "table.h"
LEVEL_BEGIN_V4
#include "loops.inc.h"
LEVEL_END
#endif
