// The kernels of CUDA/C/kernels and what they share with the CPU (Engine/Kernels), as texts.
#include "bss_texts.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed

// clang-format off
static const char arithmetic_text[] = {
#embed "kernels/arithmetic.cu.h"
, 0};
static const char convolution_text[] = {
#embed "kernels/convolution.cu.h"
, 0};
static const char device_text[] = {
#embed "kernels/device.cu.h"
, 0};
static const char gemm_text[] = {
#embed "kernels/gemm.cu.h"
, 0};
static const char index_text[] = {
#embed "kernels/index.cu.h"
, 0};
static const char integer_text[] = {
#embed "kernels/integer.cu.h"
, 0};
static const char logic_text[] = {
#embed "kernels/logic.cu.h"
, 0};
static const char move_text[] = {
#embed "kernels/move.cu.h"
, 0};
static const char norm_text[] = {
#embed "kernels/norm.cu.h"
, 0};
static const char optimizer_text[] = {
#embed "kernels/optimizer.cu.h"
, 0};
static const char peak_text[] = {
#embed "kernels/peak.cu.h"
, 0};
static const char pooling_text[] = {
#embed "kernels/pooling.cu.h"
, 0};
static const char product_text[] = {
#embed "kernels/product.cu.h"
, 0};
static const char random_text[] = {
#embed "kernels/random.cu.h"
, 0};
static const char recurrent_text[] = {
#embed "kernels/recurrent.cu.h"
, 0};
static const char reduce_text[] = {
#embed "kernels/reduce.cu.h"
, 0};
static const char softmax_text[] = {
#embed "kernels/softmax.cu.h"
, 0};
static const char sort_text[] = {
#embed "kernels/sort.cu.h"
, 0};
static const char unary_text[] = {
#embed "kernels/unary.cu.h"
, 0};
static const char bss_launch_text[] = {
#embed "include/bss_launch.h"
, 0};
static const char bss_ops_text[] = {
#embed "../../Kernels/include/bss_ops.h"
, 0};
static const char bss_step_text[] = {
#embed "../../Kernels/include/bss_step.h"
, 0};
static const char step_text[] = {
#embed "kernels/step.cu.h"
, 0};
static const char bss_half_text[] = {
#embed "../../Kernels/include/bss_half.h"
, 0};
static const char activation_inc_text[] = {
#embed "../../Kernels/activation.inc.h"
, 0};
static const char draw_inc_text[] = {
#embed "../../Kernels/draw.inc.h"
, 0};
static const char math_inc_text[] = {
#embed "../../Kernels/math.inc.h"
, 0};
static const char whole_inc_text[] = {
#embed "../../Kernels/whole.inc.h"
, 0};
static const char gamma_text[] = {
#embed "../../Kernels/gamma.c"
, 0};

static const bss_text texts[] = {
  {"arithmetic.cu.h", arithmetic_text},
  {"convolution.cu.h", convolution_text},
  {"device.cu.h", device_text},
  {"gemm.cu.h", gemm_text},
  {"index.cu.h", index_text},
  {"integer.cu.h", integer_text},
  {"logic.cu.h", logic_text},
  {"move.cu.h", move_text},
  {"norm.cu.h", norm_text},
  {"optimizer.cu.h", optimizer_text},
  {"peak.cu.h", peak_text},
  {"pooling.cu.h", pooling_text},
  {"product.cu.h", product_text},
  {"random.cu.h", random_text},
  {"recurrent.cu.h", recurrent_text},
  {"reduce.cu.h", reduce_text},
  {"softmax.cu.h", softmax_text},
  {"sort.cu.h", sort_text},
  {"unary.cu.h", unary_text},
  {"bss_launch.h", bss_launch_text},
  {"bss_ops.h", bss_ops_text},
  {"bss_step.h", bss_step_text},
  {"bss_half.h", bss_half_text},
  {"step.cu.h", step_text},
  {"activation.inc.h", activation_inc_text},
  {"draw.inc.h", draw_inc_text},
  {"math.inc.h", math_inc_text},
  {"whole.inc.h", whole_inc_text},
  {"gamma.c", gamma_text},
  {"gamma.h", ""},   // declares what gamma.c defines
  {"stdint.h", ""},  // in device.cu.h
  {"string.h", ""},  // in NVRTC
  {"", ""},
};
// clang-format on

const bss_text *const bss_kernel_texts = texts;
