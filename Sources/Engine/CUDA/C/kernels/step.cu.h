// What a training step does without the host: the log of its loss, the norm of its gradients, the
// gradient that is not finite (bss_step.h).
#include "device.cu.h"
#include "bss_step.h"
#ifndef STEP_OF_TYPE
#define STEP_OF_TYPE  // undone between two element types of one program

/// One thread: log.step_loss += loss.
KERNEL(log_loss, 32, (const T *loss, bss_step_log *log)) {
  if (threadIdx.x != 0) return;
  log->step_loss += (double)*loss;
  if (log->step_loss - log->step_loss == 0 || log->bad_step >= 0) return;
  log->bad_step = log->steps;
  log->bad_loss = log->step_loss;
}
/// One thread: closes a step.
KERNEL(log_step, 32, (double samples, bss_step_log *log)) {
  if (threadIdx.x != 0) return;
  if (log->bad_step < 0) {
    log->loss_sum += log->step_loss * samples;
    log->samples += samples;
  }
  log->last_loss = log->step_loss;
  log->step_loss = 0;
  log->steps += 1;
}

/// broken[0] = 1 if a gradient is not finite; row y of the grid is a parameter.
KERNEL(find_broken, 256, (bss_update_parts parts, uint32_t *broken)) {
  const bss_update_part &part = parts.part[blockIdx.y];
  const T *gradient = (const T *)part.gradient;
  bool found = false;
  EACH_INDEX(i, part.count) found = found || gradient[i] - gradient[i] != 0;
  if (found) atomicMax(broken, 1u);
}
/// One thread: a broken gradient makes this step the bad one; broken[0] = 0 for the next.
KERNEL(mark_broken, 32, (uint32_t * broken, bss_step_log *log)) {
  if (threadIdx.x != 0) return;
  if (*broken && log->bad_step < 0) {
    log->bad_step = log->steps;
    log->bad_loss = log->step_loss;
  }
  *broken = 0;
}

/// partial[part, block] = sum of squares of a block's share of a part's gradient.
KERNEL(squares, 256, (bss_update_parts parts, double *partial)) {
  __shared__ double sums[32];
  const bss_update_part &part = parts.part[blockIdx.y];
  const T *gradient = (const T *)part.gradient;
  double sum = 0;
  EACH_INDEX(i, part.count) sum += (double)gradient[i] * (double)gradient[i];
  sum = block_sum(sum, sums);
  if (threadIdx.x == 0) partial[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}
/// One block: *out = the sum of count doubles.
KERNEL(squares_total, 256, (const double *partial, int64_t count, double *out)) {
  __shared__ double sums[32];
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum, sums);
  if (threadIdx.x == 0) *out = sum;
}
#endif
