// Kinds of descriptors, attributes and values of cuDNN's backend interface that the backend uses;
// the emulator's signatures.cpp compares them with NVIDIA's headers.
//
//   X(name here, name in cudnn_graph.h, value)
#pragma once

// clang-format off
#define BSS_CUDNN_NAMES(X)                                                                        \
  X(CONVOLUTION, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, 1)                                         \
  X(ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 2)                                                   \
  X(ENGINE_CONFIGURATION, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 3)                                  \
  X(HEURISTICS, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, 4)                                           \
  X(EXECUTION_PLAN, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, 5)                                   \
  X(OPERATION_FORWARD, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, 10)                \
  X(OPERATION_FILTER, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, 11)         \
  X(OPERATION_DATA, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, 12)             \
  X(OPERATION_GRAPH, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, 15)                                 \
  X(VARIANT_PACK, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, 16)                                      \
  X(TENSOR, CUDNN_BACKEND_TENSOR_DESCRIPTOR, 17)                                                  \
  X(DEVICE_PROPERTIES, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, 38)                                   \
  X(CONVOLUTION_COMP_TYPE, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, 100)                                 \
  X(CONVOLUTION_CONV_MODE, CUDNN_ATTR_CONVOLUTION_CONV_MODE, 101)                                 \
  X(CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_DILATIONS, 102)                                 \
  X(CONVOLUTION_FILTER_STRIDES, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 103)                       \
  X(CONVOLUTION_POST_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 104)                         \
  X(CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 105)                           \
  X(CONVOLUTION_SPATIAL_DIMS, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 106)                           \
  X(HEURISTICS_MODE, CUDNN_ATTR_ENGINEHEUR_MODE, 200)                                             \
  X(HEURISTICS_GRAPH, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, 201)                                 \
  X(HEURISTICS_RESULTS, CUDNN_ATTR_ENGINEHEUR_RESULTS, 202)                                       \
  X(HEURISTICS_DEVICEPROP, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, 204)                                 \
  X(ENGINECFG_ENGINE, CUDNN_ATTR_ENGINECFG_ENGINE, 300)                                           \
  X(EXECUTION_PLAN_HANDLE, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, 400)                                 \
  X(EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, 401)                   \
  X(EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 402)                 \
  X(EXECUTION_PLAN_DEVICEPROP, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, 407)                         \
  X(FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 700)                           \
  X(FORWARD_BETA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 701)                             \
  X(FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, 702)                   \
  X(FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, 703)                                   \
  X(FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, 704)                                   \
  X(FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, 705)                                   \
  X(DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 706)                             \
  X(DATA_BETA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 707)                               \
  X(DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, 708)                     \
  X(DATA_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, 709)                                     \
  X(DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, 710)                                   \
  X(DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, 711)                                   \
  X(FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 712)                         \
  X(FILTER_BETA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 713)                           \
  X(FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, 714)                 \
  X(FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, 715)                               \
  X(FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, 716)                                 \
  X(FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, 717)                               \
  X(OPERATIONGRAPH_HANDLE, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, 800)                                 \
  X(OPERATIONGRAPH_OPS, CUDNN_ATTR_OPERATIONGRAPH_OPS, 801)                                       \
  X(TENSOR_BYTE_ALIGNMENT, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 900)                                 \
  X(TENSOR_DATA_TYPE, CUDNN_ATTR_TENSOR_DATA_TYPE, 901)                                           \
  X(TENSOR_DIMENSIONS, CUDNN_ATTR_TENSOR_DIMENSIONS, 902)                                         \
  X(TENSOR_STRIDES, CUDNN_ATTR_TENSOR_STRIDES, 903)                                               \
  X(TENSOR_UNIQUE_ID, CUDNN_ATTR_TENSOR_UNIQUE_ID, 906)                                           \
  X(VARIANT_PACK_UNIQUE_IDS, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, 1000)                            \
  X(VARIANT_PACK_DATA_POINTERS, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, 1001)                      \
  X(VARIANT_PACK_WORKSPACE, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, 1003)                              \
  X(ENGINE_NUMERICAL_NOTE, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, 1303)                                \
  X(DEVICEPROP_JSON, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, 2702)                             \
  X(HANDLE, CUDNN_TYPE_HANDLE, 0)                                                                 \
  X(DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1)                                                           \
  X(INT64, CUDNN_TYPE_INT64, 3)                                                                   \
  X(FLOAT_TYPE, CUDNN_TYPE_FLOAT, 4)                                                              \
  X(VOID_PTR, CUDNN_TYPE_VOID_PTR, 6)                                                             \
  X(CONVOLUTION_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 7)                                             \
  X(HEUR_MODE, CUDNN_TYPE_HEUR_MODE, 8)                                                           \
  X(NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, 11)                                                \
  X(DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 15)                                                \
  X(CHAR_TYPE, CUDNN_TYPE_CHAR, 24)                                                               \
  X(FLOAT_DATA, CUDNN_DATA_FLOAT, 0)                                                              \
  X(CROSS_CORRELATION, CUDNN_CROSS_CORRELATION, 1)                                                \
  X(MODE_FALLBACK, CUDNN_HEUR_MODE_FALLBACK, 2)                                                   \
  X(MODE_A, CUDNN_HEUR_MODE_A, 3)                                                                 \
  X(NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_TENSOR_CORE, 0)                                        \
  X(NOTE_DOWN_CONVERT_INPUTS, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, 1)                        \
  X(NOTE_REDUCED_PRECISION, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, 2)                  \
  X(NOTE_FFT, CUDNN_NUMERICAL_NOTE_FFT, 3)                                                        \
  X(NOTE_NONDETERMINISTIC, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, 4)                              \
  X(NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD, 5)                                              \
  X(NOTE_WINOGRAD_4x4, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4, 6)                                 \
  X(NOTE_WINOGRAD_6x6, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6, 7)                                 \
  X(NOTE_WINOGRAD_13x13, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13, 8)

#define BSS_CUDNN_NAME(name, theirs, value) name = value,
enum { BSS_CUDNN_NAMES(BSS_CUDNN_NAME) };
#undef BSS_CUDNN_NAME
// clang-format on
