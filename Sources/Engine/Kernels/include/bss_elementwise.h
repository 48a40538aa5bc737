// Elementwise kernels: unary functions and their derivatives, arithmetic, comparison, selection,
// copy, fill.
//
// * Inputs may have any strides (0 = broadcast along that axis); every view of one call has the
// same shape.
// * `out` may be strided too but never overlaps itself; out == an input of identical strides is
// allowed (in place).
#pragma once
#include "bss_base.h"

typedef enum {
  // float -> float (F32, F64); NEG, ABS, SQUARE, SIGN, CLAMP, ADD_SCALAR and MUL_SCALAR also I64 ->
  // I64
  BSS_NEG,
  BSS_ABS,
  BSS_SQUARE,
  BSS_SIGN,
  BSS_CLAMP,       // min(max(x, p0), p1); NaN stays NaN
  BSS_ADD_SCALAR,  // x + p0
  BSS_MUL_SCALAR,  // x * p0
  BSS_POW_SCALAR,  // x ^ p0
  BSS_EXP,
  BSS_EXPM1,
  BSS_LOG,
  BSS_LOG1P,
  BSS_SQRT,
  BSS_RSQRT,
  BSS_RECIPROCAL,
  BSS_TANH,
  BSS_SIGMOID,
  BSS_RELU,
  BSS_LEAKY_RELU,  // x > 0 ? x : p0 x
  BSS_ELU,         // x > 0 ? x : p0 (exp(x) - 1)
  BSS_GELU,        // x Phi(x), by erf
  BSS_GELU_TANH,   // tanh approximation of the same
  BSS_QUICK_GELU,  // x sigmoid(1.702 x)
  BSS_SILU,
  BSS_LOGSIGMOID,
  BSS_SOFTPLUS,  // log(1 + exp(p0 x)) / p0; identity where p0 x > p1
  BSS_ERF,
  BSS_SIN,
  BSS_COS,
  BSS_DIGAMMA,
  BSS_TRIGAMMA,
  BSS_LGAMMA,
  BSS_FLOOR,
  BSS_CEIL,
  BSS_ROUND,  // round half to even
  // float -> BOOL
  BSS_ISNAN,
  BSS_ISINF,
  BSS_ISFINITE,
  // BOOL -> BOOL
  BSS_LOGICAL_NOT,
} bss_unary_op;

/// out = f(x; p0, p1).
int bss_unary(bss_unary_op op, const bss_view *x, const bss_view *out, double p0, double p1);

/// out = grad * f'(x), float only. `y` = f(x) may be NULL unless the op is one of EXP, EXPM1, SQRT,
/// RSQRT, RECIPROCAL, TANH, SIGMOID (they read y, not x; x may then be NULL). Conventions at kinks
/// (those of PyTorch): ABS, RELU, LEAKY_RELU 0 side of x <= 0 (ABS'(0) = 0), CLAMP 1 at the bounds,
/// SOFTPLUS 1 beyond the threshold; SIGN, FLOOR, CEIL, ROUND 0 everywhere. TRIGAMMA has no
/// derivative here.
int bss_unary_backward(bss_unary_op op, const bss_view *grad, const bss_view *x, const bss_view *y,
                       const bss_view *out, double p0, double p1);

typedef enum {
  // F32, F64, I64. I64: DIV truncates towards zero (x / 0 = 0), POW by repeated squaring (negative
  // exponent: 0, ±1)
  BSS_ADD,
  BSS_SUB,
  BSS_MUL,
  BSS_DIV,
  BSS_MAXIMUM,
  BSS_MINIMUM,  // NaN wins
  BSS_POW,
} bss_binary_op;

/// out = a op b; one dtype for all three.
int bss_binary(bss_binary_op op, const bss_view *a, const bss_view *b, const bss_view *out);

typedef enum { BSS_EQ, BSS_NE, BSS_LT, BSS_LE, BSS_GT, BSS_GE } bss_compare_op;
/// out (BOOL) = a op b; a and b of one dtype (any).
int bss_compare(bss_compare_op op, const bss_view *a, const bss_view *b, const bss_view *out);

typedef enum { BSS_AND, BSS_OR, BSS_XOR } bss_logical_op;
/// BOOL x BOOL -> BOOL.
int bss_logical(bss_logical_op op, const bss_view *a, const bss_view *b, const bss_view *out);

/// out = condition ? a : b; a, b, out of one dtype (any), condition BOOL.
int bss_select(const bss_view *condition, const bss_view *a, const bss_view *b,
               const bss_view *out);

/// out = x converted to the dtype of out. float -> I64 truncates (NaN and out of range saturate),
/// anything -> BOOL is x != 0.
int bss_copy(const bss_view *x, const bss_view *out);

/// out = value (converted as bss_copy does).
int bss_fill(const bss_view *out, double value);
/// out (I64) = value, for integers beyond 2^53.
int bss_fill_i64(const bss_view *out, int64_t value);

/// out += alpha x (F32, F64, I64 with alpha truncated). x may be broadcast; out not.
int bss_accumulate(double alpha, const bss_view *x, const bss_view *out);

/// out = c + alpha a b (F32, F64), addcmul.
int bss_multiply_add(double alpha, const bss_view *a, const bss_view *b, const bss_view *c,
                     const bss_view *out);
