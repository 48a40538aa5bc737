// Attributes and values of cublasLt that the backend uses; the emulator's signatures.cpp compares
// them with NVIDIA's header.
//
//   X(name here, name in cublasLt.h, value)
#pragma once

// clang-format off
#define BSS_CUBLASLT_NAMES(X)                                           \
  X(RULE_TURN_A, CUBLASLT_MATMUL_DESC_TRANSA, 3)                        \
  X(RULE_TURN_B, CUBLASLT_MATMUL_DESC_TRANSB, 4)                        \
  X(RULE_EPILOGUE, CUBLASLT_MATMUL_DESC_EPILOGUE, 7)                    \
  X(RULE_BIAS, CUBLASLT_MATMUL_DESC_BIAS_POINTER, 8)                    \
  X(EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU, 2)                           \
  X(EPILOGUE_BIAS, CUBLASLT_EPILOGUE_BIAS, 4)                           \
  X(EPILOGUE_BOTH, CUBLASLT_EPILOGUE_RELU_BIAS, 6)                      \
  X(WISH_WORKSPACE, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 1)        \
  X(WISH_REDUCTIONS, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, 3)     \
  X(WISH_ALIGNMENT_A, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, 5)    \
  X(WISH_ALIGNMENT_D, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, 8)    \
  X(REDUCTION_COMPUTE_TYPE, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, 2)  \
  X(REDUCTION_OUTPUT_TYPE, CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE, 4)    \
  X(FLOAT_DATA, CUDA_R_32F, 0)

#define BSS_CUBLASLT_NAME(name, theirs, value) name = value,
enum { BSS_CUBLASLT_NAMES(BSS_CUBLASLT_NAME) };
#undef BSS_CUBLASLT_NAME
// clang-format on
