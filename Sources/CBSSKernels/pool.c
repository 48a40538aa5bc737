// Placeholder body until pool lands: runs inline.
#include "bss_base.h"
#include <stdatomic.h>
static atomic_int cancelled;
void bss_cancel_request(void) { atomic_store_explicit(&cancelled, 1, memory_order_relaxed); }
void bss_cancel_clear(void) { atomic_store_explicit(&cancelled, 0, memory_order_relaxed); }
bool bss_cancel_requested(void) { return atomic_load_explicit(&cancelled, memory_order_relaxed) != 0; }
void bss_pool_set_threads(int n) { (void)n; }
int bss_pool_threads(void) { return 1; }
int bss_pool_run(int64_t tasks, bss_task task, void *context) {
  for (int64_t i = 0; i < tasks; i++) { if (bss_cancel_requested()) return BSS_CANCELLED; task(context, i); }
  return BSS_OK;
}
