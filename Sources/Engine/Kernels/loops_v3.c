// The vector loops at level v3.
#if defined(__x86_64__)
#define LEVEL v3
#define MR 6
#define NV 1
#include "level.h"
#include "gamma.h"
#include "table.h"
LEVEL_BEGIN_V3
#include "loops.inc.h"
LEVEL_END
#endif
