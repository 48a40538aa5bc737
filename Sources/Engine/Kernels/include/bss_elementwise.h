// Elementwise kernels: unary functions and their derivatives, arithmetic, comparison, selection,
// copy, fill.
//
// * Inputs may have any strides (0 = broadcast along that axis); every view of one call has the
// same shape.
// * `out` may be strided too but never overlaps itself; out == an input of identical strides is
// allowed (in place).
#pragma once
#include "bss_base.h"
#include "bss_ops.h"

/// out = f(x; p0, p1). What each function is defined on and how: bss_ops.h.
int bss_unary(bss_unary_op op, const bss_view *x, const bss_view *out, double p0, double p1);

/// out = grad * f'(x), float only; `x` is the input of the op, or its result if it is one of
/// BSS_READS_RESULT. Any view of the shape where it reads nothing.
int bss_unary_backward(bss_unary_op op, const bss_view *grad, const bss_view *x,
                       const bss_view *out, double p0, double p1);

/// out = a op b; one dtype for all three (F32, F64, I64).
int bss_binary(bss_binary_op op, const bss_view *a, const bss_view *b, const bss_view *out);

/// out (BOOL) = a op b; a and b of one dtype (any).
int bss_compare(bss_compare_op op, const bss_view *a, const bss_view *b, const bss_view *out);

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
