// The kernels of the CPU backend: C because run-time instruction-set dispatch needs it.
// Conventions: bss_base.h. One header a concern.
#pragma once
#include "bss_base.h"
#include "bss_conv.h"
#include "bss_dispatch.h"
#include "bss_elementwise.h"
#include "bss_gemm.h"
#include "bss_index.h"
#include "bss_media.h"
#include "bss_norm.h"
#include "bss_optim.h"
#include "bss_order.h"
#include "bss_pooling.h"
#include "bss_random.h"
#include "bss_recurrent.h"
#include "bss_reduce.h"
#include "bss_softmax.h"
#include "bss_sort.h"
