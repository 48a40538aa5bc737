// The vector loops at level v4.
#if defined(__x86_64__)
#define LEVEL v4
#define MR 14
#define NV 2
#include "level.h"
#include "gamma.h"
#include "table.h"
LEVEL_BEGIN_V4
#include "loops.inc.h"
LEVEL_END
#endif
