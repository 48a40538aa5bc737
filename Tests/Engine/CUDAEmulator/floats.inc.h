// Every family that floats have.
#define WIDE double
#define WIDE_LEAST -INFINITY
#define WIDE_MOST INFINITY
#include "unary.cu.h"
#include "arithmetic.cu.h"
#include "move.cu.h"
#include "reduce.cu.h"
#include "gemm.cu.h"
#include "convolution.cu.h"
#include "softmax.cu.h"
#include "norm.cu.h"
#include "peak.cu.h"
#include "pooling.cu.h"
#include "index.cu.h"
#include "sort.cu.h"
#include "random.cu.h"
#include "recurrent.cu.h"
#include "step.cu.h"
#include "optimizer.cu.h"
#undef WIDE
#undef WIDE_LEAST
#undef WIDE_MOST
#undef TILE_OF_TYPE
#undef STEP_OF_TYPE
