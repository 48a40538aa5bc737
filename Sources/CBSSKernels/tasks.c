#include "element.h"

static _Thread_local void *scratch;
static _Thread_local size_t capacity;

void *bss_scratch(size_t bytes) {
  if (bytes <= capacity) return scratch;
  free(scratch);
  bytes = (bytes + 4095) & ~(size_t)4095;
  scratch = NULL;
  capacity = 0;
  void *fresh = NULL;
  if (posix_memalign(&fresh, 64, bytes) != 0) return NULL;
  scratch = fresh;
  capacity = bytes;
  return scratch;
}

typedef struct {
  bss_task item;
  void *context;
  int64_t items, per_task;
} grouped;

static void run_group(void *context, int64_t task) {
  const grouped *g = context;
  int64_t start = task * g->per_task, end = bss_min(start + g->per_task, g->items);
  for (int64_t i = start; i < end; i++) g->item(g->context, i);
}

int bss_run_items(int64_t items, int64_t cost, bss_task item, void *context) {
  grouped g = {.item = item, .context = context, .items = items, .per_task = bss_items_per_task(items, cost)};
  const int64_t tasks = bss_ceil_div(items, g.per_task);
  const bool light = cost <= 4 * BSS_PARALLEL_GRAIN / bss_max(1, items);
  return light ? bss_pool_run_light(tasks, run_group, &g) : bss_pool_run(tasks, run_group, &g);
}
