// The kernels of the CPU backend: C because run-time instruction-set dispatch needs it.
// Conventions: bss_base.h. One header a concern.
#pragma once
#include "bss_base.h"
