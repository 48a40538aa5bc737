#include "element.h"
#include "workspace.h"
#if defined(__GLIBC__)
#include <malloc.h>
#endif

typedef struct {
  void *memory;
  size_t capacity;
} buffer;

static void *at_least(buffer *b, size_t bytes) {
  if (bytes <= b->capacity) return b->memory;
  free(b->memory);
  *b = (buffer){0};
  bytes = (bytes + 4095) & ~(size_t)4095;
  if (posix_memalign(&b->memory, 64, bytes) != 0) {
    b->memory = NULL;
    return NULL;
  }
  b->capacity = bytes;
  return b->memory;
}

void *bss_scratch(size_t bytes) {
  static _Thread_local buffer scratch;
  return at_least(&scratch, bytes);
}

void *bss_workspace(int slot, size_t bytes) {
  static buffer workspaces[BSS_WORKSPACES];
  return at_least(&workspaces[slot], bytes);
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
  grouped g = {.item = item,
               .context = context,
               .items = items,
               .per_task = bss_items_per_task(items, cost)};
  const int64_t tasks = bss_ceil_div(items, g.per_task);
  const bool light = cost <= 4 * BSS_PARALLEL_GRAIN / bss_max(1, items);
  return light ? bss_pool_run_light(tasks, run_group, &g) : bss_pool_run(tasks, run_group, &g);
}

#if defined(__GLIBC__)
/// Freed buffers of up to 16 MiB stay with the program, 64 MiB at most in all: given back, they
/// come again as fresh pages, which cost more than decoding the picture that goes into them.
__attribute__((constructor)) static void keep_freed_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 16 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}
#endif
