// Convolutions as cuDNN runs them (plans.c).
#pragma once
#include "bss_cuda_driver.h"
#include "bss_launch.h"
#include <stdbool.h>

typedef enum { BSS_FORWARD, BSS_INPUT_GRADIENT, BSS_WEIGHT_GRADIENT } bss_pass;

/// A convolution of float images [N, D, H, W, C] and weights [O, kD, kH, kW, C/G] in memory.
typedef struct {
  bss_geometry geometry;
  bss_pass pass;
  /// Whether factors may be rounded to TF32.
  bool rounds;
  /// Bytes of working memory that a plan may ask for.
  int64_t most_workspace;
} bss_plan_request;

/// How cuDNN computes one convolution: the same kernels, and so the same bits, in every run.
typedef struct bss_plan bss_plan;

/// The first plan of cuDNN's own order that keeps what is asked for; NULL: there is none.
/// `device`: what a card is said to be, in cuDNN's JSON, where there is none and no `handle`.
bss_plan *bss_plan_make(cudnnHandle handle, const char *device, const bss_plan_request *request);
/// Bytes of working memory that it needs.
int64_t bss_plan_workspace(const bss_plan *plan);
/// Enqueues it; addresses are multiples of 16. `x`, `weight`, `y` as in the forward pass: one of
/// them is the result. cuDNN's status.
int bss_plan_run(const bss_plan *plan, cudnnHandle handle, void *x, void *weight, void *y,
                 void *workspace);
