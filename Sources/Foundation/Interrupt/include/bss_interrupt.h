// The one interrupt flag, and what a C function returns that may have been interrupted.
#pragma once
#include <stdbool.h>

/// After anything but BSS_OK the output is undefined. BSS_NO_MEMORY: none for scratch.
enum { BSS_OK = 0, BSS_CANCELLED = 1, BSS_NO_MEMORY = 2 };

/// Async-signal-safe: the handler of SIGINT calls it. Kernels poll between tiles, loops between
/// batches.
void bss_cancel_request(void);
void bss_cancel_clear(void);
bool bss_cancel_requested(void);
