// All loops of one level: included by loops_v4.c, loops_v3.c and loops_base.c between LEVEL_BEGIN
// and LEVEL_END. MR, NV: rows and vectors of the GEMM register tile; they fill the level's
// registers.

#define CAT2(a, b) a##_##b
#define CAT(a, b) CAT2(a, b)
#define TN(name) FN(CAT(name, S))

// MATH(name): the scalar functions; F(exp) is the one of the current type.
#define MATH(name) FN(fast_##name)
#define F(name) MATH_CALL(name, S)
#define MATH_CALL(name, s) MATH_CALL2(name, s)
#define MATH_CALL2(name, s) MATH(name##_##s)
#include "math.inc.h"

#define T float
#define S f32
#define V f32x16
#define VU f32x16u
#define VI i32x16
#define V8U f32x8u
#define WIDTH 16
#define SQRT __builtin_elementwise_sqrt
#define INTERLEAVE_LOW(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#include "elementwise.inc.h"
#include "gemm.inc.h"
#include "optim.inc.h"
#include "reduce.inc.h"
#include "softmax.inc.h"
#include "winograd.inc.h"
#undef T
#undef S
#undef V
#undef VU
#undef VI
#undef V8U
#undef WIDTH
#undef SQRT
#undef INTERLEAVE_LOW
#undef INTERLEAVE_HIGH

#define T double
#define S f64
#define V f64x8
#define VU f64x8u
#define VI i64x8
#define V8U f64x8u
#define WIDTH 8
#define SQRT __builtin_elementwise_sqrt
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#include "elementwise.inc.h"
#include "gemm.inc.h"
#include "optim.inc.h"
#include "reduce.inc.h"
#include "softmax.inc.h"

#pragma STDC FP_CONTRACT OFF
#undef MATH
#define MATH(name) FN(exact_##name)
#include "math.inc.h"
#include "random.inc.h"
#include "media.inc.h"

const bss_loop_table FN(bss_loops) = {
#define X(name, result, arguments) .name = FN(name),
    BSS_LOOPS(X)
#undef X
};
