// Every elementwise op, once. C makes its loops from these rows at every instruction set
// (elementwise.inc.h, elementwise.c), Swift its enums, traits and the methods of tensors in Lua
// (Backend/Vocabulary.swift); a new function is one more row here and nothing else.
//
//   X(ID, id, "name", "formula", parameters, traits, value, slope, whole)
//
// value   EACH(y)          y of v at x, vectorised; a, b are the parameters, `one` is 1
//         EACH_LIBM(y)     the same in double, one by one
//         EACH_ERF(y)      vectorised in f32, one by one in f64
//         OWN_LOOP(name)   a function of elementwise.inc.h
// slope   SLOPE(d)         out = g d, with v the input or, where traits say so, the result
//         GRADIENT(e)      out = e of v and the upstream g
//         SLOPE_LIBM, SLOPE_ERF, OWN_LOOP as above
// whole   WHOLE(y)         y on i64, wrapping; FLOATS: not defined there
//
// Kinks as in PyTorch: ABS'(0) = 0; RELU, LEAKY_RELU, ELU take the side of x <= 0; CLAMP' is 1 at
// its bounds; SOFTPLUS' is 1 beyond its threshold. A row without SLOPE has the derivative 0.
//
// The rows are read by kernels of a graphics card too (Engine/CUDA/C/kernels), which need no more
// than them: BSS_DEVICE_CODE.
#pragma once

enum {
  BSS_READS_INPUT = 1,    // the derivative does
  BSS_READS_RESULT = 2,   // the derivative does, in place of the input
  BSS_READS_NOTHING = 4,  // the derivative is the same everywhere
  BSS_COSTLY = 8,         // tens of nanoseconds an element
  BSS_ACTIVATION = 16,    // layers may name it
  BSS_INTERNAL = 32,      // no method of tensors has just this name and these parameters
};

// clang-format off
#define BSS_UNARY_OPS(X)                                                                           \
  X(NEG, neg, "neg", "-x", NO_PARAMETER,                                                           \
    BSS_READS_NOTHING, EACH(-v), GRADIENT(-g), WHOLE(wrap_negate(v)))                              \
  X(ABS, abs, "abs", "|x|", NO_PARAMETER,                                                          \
    BSS_READS_INPUT, EACH(v < 0 ? -v : v == 0 ? (T)0 : v),                                         \
    SLOPE(v > 0 ? one : v < 0 ? -one : (T)0), WHOLE(v < 0 ? wrap_negate(v) : v))                   \
  X(SQUARE, square, "square", "x²", NO_PARAMETER,                                                  \
    BSS_READS_INPUT, EACH(v * v), SLOPE(2 * v), WHOLE(wrap_mul(v, v)))                              \
  X(SIGN, sign, "sign", "-1, 0 or 1", NO_PARAMETER,                                                \
    BSS_READS_NOTHING, EACH(v > 0 ? (T)1 : v < 0 ? (T)-1 : v), GRADIENT(0),                        \
    WHOLE((v > 0) - (v < 0)))                                                                      \
  X(CLAMP, clamp, "clamp", "min(max(x, p0), p1), NaN stays", NO_PARAMETER,                         \
    BSS_READS_INPUT | BSS_INTERNAL, EACH((v < a ? a : v) > b ? b : (v < a ? a : v)),               \
    GRADIENT(v >= a && v <= b ? g : (T)0), WHOLE(v < a ? a : v > b ? b : v))                       \
  X(ADD_SCALAR, addScalar, "add_scalar", "x + p0", NO_PARAMETER,                                   \
    BSS_READS_NOTHING | BSS_INTERNAL, EACH(v + a), GRADIENT(g), WHOLE(wrap_add(v, a)))             \
  X(MUL_SCALAR, mulScalar, "mul_scalar", "x p0", NO_PARAMETER,                                     \
    BSS_READS_NOTHING | BSS_INTERNAL, EACH(v * a), GRADIENT(g * a), WHOLE(wrap_mul(v, a)))           \
  X(POW_SCALAR, powScalar, "pow_scalar", "x ^ p0", NO_PARAMETER,                                   \
    BSS_READS_INPUT | BSS_COSTLY | BSS_INTERNAL, OWN_LOOP(power), OWN_LOOP(power_slope), FLOATS)   \
  X(EXP, exp, "exp", "eˣ", NO_PARAMETER, BSS_READS_RESULT, EACH(F(exp)(v)), SLOPE(v), FLOATS)      \
  X(EXPM1, expm1, "expm1", "eˣ - 1", NO_PARAMETER,                                                 \
    BSS_READS_RESULT, EACH(F(expm1)(v)), SLOPE(v + one), FLOATS)                                   \
  X(LOG, log, "log", "ln x", NO_PARAMETER,                                                         \
    BSS_READS_INPUT, EACH(F(log)(v)), SLOPE(one / v), FLOATS)                                      \
  X(LOG1P, log1p, "log1p", "ln(1 + x)", NO_PARAMETER,                                              \
    BSS_READS_INPUT, EACH(F(log1p)(v)), SLOPE(one / (one + v)), FLOATS)                            \
  X(SQRT, sqrt, "sqrt", "√x", NO_PARAMETER,                                                        \
    BSS_READS_RESULT, EACH(SQRT(v)), SLOPE((T)0.5 / v), FLOATS)                                    \
  X(RSQRT, rsqrt, "rsqrt", "1 / √x", NO_PARAMETER,                                                 \
    BSS_READS_RESULT, EACH(one / SQRT(v)), SLOPE((T)-0.5 * v * v * v), FLOATS)                     \
  X(RECIPROCAL, reciprocal, "reciprocal", "1 / x", NO_PARAMETER,                                   \
    BSS_READS_RESULT, EACH(one / v), SLOPE(-v * v), FLOATS)                                         \
  X(TANH, tanh, "tanh", "tanh x", NO_PARAMETER,                                                    \
    BSS_READS_RESULT | BSS_ACTIVATION, EACH(F(tanh)(v)), SLOPE(one - v * v), FLOATS)               \
  X(SIGMOID, sigmoid, "sigmoid", "1 / (1 + e⁻ˣ)", NO_PARAMETER,                                    \
    BSS_READS_RESULT | BSS_ACTIVATION, EACH(TN(sigmoid)(v)), SLOPE(v * (one - v)), FLOATS)          \
  X(RELU, relu, "relu", "max(x, 0)", NO_PARAMETER,                                                 \
    BSS_READS_INPUT | BSS_ACTIVATION, EACH(v < 0 ? (T)0 : v), GRADIENT(v > 0 ? g : (T)0),          \
    WHOLE(v < 0 ? 0 : v))                                                                          \
  X(LEAKY_RELU, leakyRelu, "leaky_relu", "x where x > 0, else negative_slope x",                   \
    PARAMETER("negative_slope", 0.01, "slope below 0"),                                            \
    BSS_READS_INPUT | BSS_ACTIVATION, EACH(v > 0 ? v : a * v), SLOPE(v > 0 ? one : a), FLOATS)     \
  X(ELU, elu, "elu", "x where x > 0, else alpha (eˣ - 1) (Clevert et al., ICLR 2016)",             \
    PARAMETER("alpha", 1, "limit below 0, negated"),                                               \
    BSS_READS_INPUT | BSS_ACTIVATION, EACH(v > 0 ? v : a * F(expm1)(v)),                           \
    SLOPE(v > 0 ? one : a * F(exp)(v)), FLOATS)                                                    \
  X(GELU, gelu, "gelu", "x Φ(x)", NO_PARAMETER,                                                    \
    BSS_READS_INPUT | BSS_COSTLY | BSS_ACTIVATION,                                                 \
    EACH_ERF((T)0.5 * v * (one + F(erf)(v * (T)0.7071067811865476))),                              \
    SLOPE_ERF((T)0.5 * (one + F(erf)(v * (T)0.7071067811865476)) +                                 \
              v * F(exp)((T)-0.5 * v * v) * (T)0.3989422804014327), FLOATS)                        \
  X(GELU_TANH, geluTanh, "gelu_tanh", "tanh approximation of gelu", NO_PARAMETER,                  \
    BSS_READS_INPUT, EACH((T)0.5 * v * (one + F(tanh)(TN(gelu_tanh_inner)(v)))),                   \
    SLOPE(TN(gelu_tanh_slope)(v, F(tanh)(TN(gelu_tanh_inner)(v)))), FLOATS)                        \
  X(QUICK_GELU, quickGelu, "quick_gelu", "x σ(1.702 x)", NO_PARAMETER,                             \
    BSS_READS_INPUT | BSS_ACTIVATION, EACH(v * TN(sigmoid)((T)1.702 * v)),                          \
    SLOPE(TN(quick_gelu_slope)(v, TN(sigmoid)((T)1.702 * v))), FLOATS)                             \
  X(SILU, silu, "silu", "x σ(x)", NO_PARAMETER,                                                    \
    BSS_READS_INPUT | BSS_ACTIVATION, EACH(v / (one + F(exp)(-v))),                                \
    SLOPE(TN(silu_slope)(v, TN(sigmoid)(v))), FLOATS)                                              \
  X(LOGSIGMOID, logSigmoid, "logsigmoid", "ln σ(x)", NO_PARAMETER,                                 \
    BSS_READS_INPUT, EACH((v < 0 ? v : (T)0) - F(log1p)(F(exp)(v < 0 ? v : -v))),                  \
    SLOPE(one - TN(sigmoid)(v)), FLOATS)                                                           \
  X(SOFTPLUS, softplus, "softplus", "ln(1 + exp(beta x)) / beta",                                  \
    POSITIVE_AND("beta", 1, "sharpness", "threshold", 20, "linear where beta x is above"),         \
    BSS_READS_INPUT, EACH(v * a > b ? v : F(log1p)(F(exp)(v * a)) / a),                            \
    SLOPE(v * a > b ? one : TN(sigmoid)(v * a)), FLOATS)                                           \
  X(ERF, erf, "erf", "error function", NO_PARAMETER, BSS_READS_INPUT | BSS_COSTLY,                 \
    EACH_ERF(F(erf)(v)), SLOPE((T)1.1283791670955126 * F(exp)(-v * v)), FLOATS)                    \
  X(SIN, sin, "sin", "sin x", NO_PARAMETER, BSS_READS_INPUT | BSS_COSTLY,                          \
    EACH_LIBM(__builtin_sin(v)), SLOPE_LIBM(__builtin_cos(v)), FLOATS)                             \
  X(COS, cos, "cos", "cos x", NO_PARAMETER, BSS_READS_INPUT | BSS_COSTLY,                          \
    EACH_LIBM(__builtin_cos(v)), SLOPE_LIBM(-__builtin_sin(v)), FLOATS)                            \
  X(DIGAMMA, digamma, "digamma", "ψ(x)", NO_PARAMETER, BSS_READS_INPUT | BSS_COSTLY,               \
    EACH_LIBM(bss_digamma(v)), SLOPE_LIBM((T)bss_trigamma(v)), FLOATS)                             \
  X(TRIGAMMA, trigamma, "trigamma", "ψ'(x), without a derivative", NO_PARAMETER,                   \
    BSS_READS_INPUT | BSS_COSTLY | BSS_INTERNAL, EACH_LIBM(bss_trigamma(v)), GRADIENT(0), FLOATS)  \
  X(LGAMMA, lgamma, "lgamma", "ln |Γ(x)|", NO_PARAMETER, BSS_READS_INPUT | BSS_COSTLY,             \
    EACH_LIBM(bss_lgamma(v)), SLOPE_LIBM(bss_digamma(v)), FLOATS)                                  \
  X(FLOOR, floor, "floor", "largest integer ≤ x", NO_PARAMETER,                                    \
    BSS_READS_NOTHING, EACH(__builtin_elementwise_floor(v)), GRADIENT(0), WHOLE(v))                  \
  X(CEIL, ceil, "ceil", "smallest integer ≥ x", NO_PARAMETER,                                      \
    BSS_READS_NOTHING, EACH(__builtin_elementwise_ceil(v)), GRADIENT(0), WHOLE(v))                   \
  X(ROUND, round, "round", "nearest integer, halves to even", NO_PARAMETER,                        \
    BSS_READS_NOTHING, EACH(__builtin_elementwise_roundeven(v)), GRADIENT(0), WHOLE(v))

/// Float to BOOL; LOGICAL_NOT BOOL to BOOL. X(ID, id, "name", "formula", test of v)
#define BSS_TEST_OPS(X)                                                                            \
  X(ISNAN, isNaN, "isnan", "whether x is NaN", v != v)                                             \
  X(ISINF, isInf, "isinf", "whether x is infinite", v == INFINITY || v == -INFINITY)               \
  X(ISFINITE, isFinite, "isfinite", "whether x is finite", v - v == 0)                             \
  X(LOGICAL_NOT, logicalNot, "logical_not", "whether x is false", v == 0)

/// Two numbers of one dtype. X(ID, id, "name", "formula", value of u, v; value on i64)
/// NaN wins in MAXIMUM and MINIMUM; on i64, x / 0 and x mod 0 are 0 and a negative exponent gives 0
/// or ±1.
#define BSS_BINARY_OPS(X)                                                                          \
  X(ADD, add, "add", "x + other", EACH(u + v), wrap_add(u, v))                                     \
  X(SUB, sub, "sub", "x - other", EACH(u - v), wrap_sub(u, v))                                     \
  X(MUL, mul, "mul", "x · other", EACH(u * v), wrap_mul(u, v))                                      \
  X(DIV, div, "div", "x / other", EACH(u / v), v == 0 ? 0 : v == -1 ? wrap_negate(u) : u / v)      \
  X(MAXIMUM, maximum, "maximum", "max(x, other)", EACH(u > v || u != u ? u : v), u > v ? u : v)    \
  X(MINIMUM, minimum, "minimum", "min(x, other)", EACH(u < v || u != u ? u : v), u < v ? u : v)    \
  X(POW, pow, "pow", "x ^ other", EACH_LIBM(__builtin_pow(u, v)), power_i64(u, v))                 \
  X(REMAINDER, remainder, "remainder", "x - ⌊x / other⌋ other",                                    \
    EACH_LIBM(floored_remainder(u, v)), remainder_i64(u, v))                                       \
  X(FLOOR_DIVIDE, floorDivide, "floor_divide", "⌊x / other⌋",                                      \
    EACH_LIBM(floored_quotient(u, v)), floor_divide_i64(u, v))

/// Two elements of one dtype (any) to BOOL. X(ID, id, "name", "sign", operator)
#define BSS_COMPARE_OPS(X)                                                                         \
  X(EQ, equal, "eq", "=", ==)                                                                      \
  X(NE, notEqual, "ne", "≠", !=)                                                                   \
  X(LT, less, "lt", "<", <)                                                                        \
  X(LE, lessEqual, "le", "≤", <=)                                                                  \
  X(GT, greater, "gt", ">", >)                                                                     \
  X(GE, greaterEqual, "ge", "≥", >=)

/// BOOL × BOOL to BOOL. X(ID, id, "name", operator)
#define BSS_LOGICAL_OPS(X) X(AND, and, "and", &) X(OR, or, "or", |) X(XOR, xor, "xor", ^)

/// X(ID, id, "name"); what they take and give: bss_reduce.h.
#define BSS_REDUCE_OPS(X)                                                                          \
  X(SUM, sum, "sum") X(PROD, prod, "prod") X(MAX, max, "max") X(MIN, min, "min")                   \
  X(ARGMAX, argmax, "argmax") X(ARGMIN, argmin, "argmin") X(ANY, any, "any") X(ALL, all, "all")    \
  X(SUM_SQUARES, sumSquares, "sum_squares") X(SUM_ABS, sumAbs, "sum_abs")

#ifndef BSS_DEVICE_CODE
#include <stdbool.h>
#include <stdint.h>
// Closed, so that Swift sees enums, with the cases by their second name.
#define BSS_CASE(ID, id, ...) BSS_##ID __attribute__((swift_name(#id))),
#define BSS_CLOSED __attribute__((enum_extensibility(closed)))
typedef enum BSS_CLOSED { BSS_UNARY_OPS(BSS_CASE) BSS_TEST_OPS(BSS_CASE) } bss_unary_op;
typedef enum BSS_CLOSED { BSS_BINARY_OPS(BSS_CASE) } bss_binary_op;
typedef enum BSS_CLOSED { BSS_COMPARE_OPS(BSS_CASE) } bss_compare_op;
typedef enum BSS_CLOSED { BSS_LOGICAL_OPS(BSS_CASE) } bss_logical_op;
typedef enum BSS_CLOSED { BSS_REDUCE_OPS(BSS_CASE) } bss_reduce_op;
// clang-format on

#pragma clang assume_nonnull begin
/// What a row says beside its loops.
typedef struct {
  const char *_Nullable name, *_Nullable help;
  double standard;
  bool is_positive;
} bss_parameter;

typedef struct {
  const char *name, *formula;
  bss_parameter parameters[2];  // no name: none
  uint32_t traits;
  bool takes_integers, is_test;
} bss_op_facts;

/// The rows of a table in order, up to one with an empty name.
extern const bss_op_facts *const bss_unary_facts, *const bss_binary_facts;
extern const bss_op_facts *const bss_compare_facts, *const bss_logical_facts;
extern const bss_op_facts *const bss_reduce_facts;
#pragma clang assume_nonnull end
#endif
