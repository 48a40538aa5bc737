// The log of steps: bss_step.h says what.
#include "bss_step.h"
#include <math.h>

int bss_log_loss(bss_dtype dtype, const void *loss, bss_step_log *log) {
  log->step_loss += dtype == BSS_F32 ? *(const float *)loss : *(const double *)loss;
  if (!isfinite(log->step_loss) && log->bad_step < 0) {
    log->bad_step = log->steps;
    log->bad_loss = log->step_loss;
  }
  return BSS_OK;
}

int bss_log_step(int64_t samples, bss_step_log *log) {
  if (log->bad_step < 0) {
    log->loss_sum += log->step_loss * (double)samples;
    log->samples += (double)samples;
  }
  log->last_loss = log->step_loss;
  log->step_loss = 0;
  log->steps += 1;
  return BSS_OK;
}
