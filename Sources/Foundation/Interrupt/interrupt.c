#include "bss_interrupt.h"
#include <stdatomic.h>

static atomic_bool cancelled;

void bss_cancel_request(void) { atomic_store_explicit(&cancelled, true, memory_order_relaxed); }
void bss_cancel_clear(void) { atomic_store_explicit(&cancelled, false, memory_order_relaxed); }
bool bss_cancel_requested(void) { return atomic_load_explicit(&cancelled, memory_order_relaxed); }
