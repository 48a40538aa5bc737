// Products with bias and ReLU as cublasLt computes them in one kernel (linear.c).
#pragma once
#include "bss_cuda_driver.h"
#include "bss_launch.h"
#include <stdbool.h>

/// out [m, n] = relu(op(a) op(b) + bias) of float matrices, row-major; addresses are multiples
/// of 16.
typedef struct {
  bss_product product;
  bool turn_a, turn_b, has_bias;
  /// cuBLAS's number: 68 float, 77 of factors rounded to TF32, 75 to bfloat16.
  int32_t compute;
  int64_t most_workspace;
} bss_linear_request;

/// How cublasLt computes it: the same kernel in every run.
typedef struct bss_linear bss_linear;

/// NULL: it does not.
bss_linear *bss_linear_make(cublasLtHandle handle, const bss_linear_request *request);
/// Enqueues it. cuBLAS's status.
int bss_linear_run(const bss_linear *linear, cublasLtHandle handle, const void *a, const void *b,
                   const void *bias, void *out, void *workspace, CUstream stream);
