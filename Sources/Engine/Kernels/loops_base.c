// The vector loops at level base.
#define LEVEL base
#define MR 3
#define NV 1
#include "level.h"
#include "gamma.h"
#include "table.h"
#include "loops.inc.h"
