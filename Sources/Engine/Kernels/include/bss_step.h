// What a training step leaves on the device for the host to read later.
// Kernels of a graphics card read the struct alone: BSS_DEVICE_CODE.
#pragma once
#ifndef BSS_DEVICE_CODE
#include "bss_base.h"
#endif

/// The log of an epoch's steps. All doubles, so that it is an array [BSS_STEP_LOG_COUNT] of a
/// device. The order is part of the definition: hosts and devices share it.
typedef struct {
  /// Σ over good steps of loss · samples, and of samples.
  double loss_sum, samples;
  /// Closed steps.
  double steps;
  /// The loss of the running step so far (its sub-steps' sum), and that of the last closed one.
  double step_loss, last_loss;
  /// The first step, from 0, whose loss or gradient was not finite (-1: none) and its loss. From
  /// there on nothing is updated.
  double bad_step, bad_loss;
} bss_step_log;

enum { BSS_STEP_LOG_COUNT = sizeof(bss_step_log) / sizeof(double) };

#ifndef BSS_DEVICE_CODE
/// step_loss += *loss (F32 or F64); marks the step if that is not finite.
int bss_log_loss(bss_dtype dtype, const void *loss, bss_step_log *log);
/// Closes a step of so many samples.
int bss_log_step(int64_t samples, bss_step_log *log);
#endif
