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
// What interleaves inside fours of lanes, one lane or two at a time, and even or odd fours.
#define INTERLEAVE_1(odd, a, b)                                                                    \
  (odd ? __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31) \
       : __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29))
#define INTERLEAVE_2(odd, a, b)                                                                    \
  (odd ? __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31) \
       : __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29))
#define INTERLEAVE_BLOCKS(odd, a, b)                                                               \
  (odd ? __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31) \
       : __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27))
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
#undef INTERLEAVE_1
#undef INTERLEAVE_2
#undef INTERLEAVE_BLOCKS

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
