#include "walk.h"
#include <string.h>

enum { block = 512, default_grain = 32768, row_mode_minimum = 64 };

typedef struct {
  int operands, rank;
  int64_t shape[BSS_MAX_RANK], stride[walk_operands][BSS_MAX_RANK];
  char *data[walk_operands];
  int64_t size[walk_operands];
  bool dense[walk_operands];  // contiguous over the whole collapsed space
  int64_t count, grain;
  walk_body body;
  const void *context;
} walk;

static bool mergeable(const walk *w, int into, const bss_view *const *v, int axis) {
  for (int k = 0; k < w->operands; k++)
    if (w->stride[k][into] != v[k]->stride[axis] * v[k]->shape[axis]) return false;
  return true;
}

static int64_t distance(int64_t stride) { return stride < 0 ? -stride : stride; }

/// Axes longer than 1 by the output's strides, widest first: elements are then met as they lie in
/// memory, and images with channels last collapse like any dense array.
static int axes_in_memory_order(const bss_view *out, int *axes) {
  int count = 0;
  for (int axis = 0; axis < out->rank; axis++) {
    if (out->shape[axis] == 1) continue;
    int at = count++;
    for (; at > 0 && distance(out->stride[axes[at - 1]]) < distance(out->stride[axis]); at--)
      axes[at] = axes[at - 1];
    axes[at] = axis;
  }
  return count;
}

static void collapse(walk *w, const bss_view *const *v) {
  const bss_view *shape = v[w->operands - 1];
  int axes[BSS_MAX_RANK], count = axes_in_memory_order(shape, axes);
  for (int i = 0; i < count; i++) {
    const int axis = axes[i];
    int last = w->rank - 1;
    if (last >= 0 && mergeable(w, last, v, axis)) {
      w->shape[last] *= shape->shape[axis];
    } else {
      w->shape[w->rank++] = shape->shape[axis];
      last++;
    }
    for (int k = 0; k < w->operands; k++) w->stride[k][last] = v[k]->stride[axis];
  }
  if (w->rank == 0) {  // one element
    w->rank = 1;
    w->shape[0] = 1;
    for (int k = 0; k < w->operands; k++) w->stride[k][0] = 1;
  }
  for (int k = 0; k < w->operands; k++) {
    int64_t expected = 1;
    w->dense[k] = true;
    for (int i = w->rank - 1; i >= 0; i--) {
      if (w->stride[k][i] != expected) w->dense[k] = false;
      expected *= w->shape[i];
    }
  }
}

static int64_t offset_of(const walk *w, int k, const int64_t *index) {
  int64_t o = 0;
  for (int i = 0; i < w->rank; i++) o += index[i] * w->stride[k][i];
  return o * w->size[k];
}

static void unravel(const walk *w, int64_t position, int64_t *index) {
  for (int i = w->rank - 1; i >= 0; i--) {
    index[i] = position % w->shape[i];
    position /= w->shape[i];
  }
}

/// Moves the index `run` elements on; the run never crosses the end of a row.
static void advance(const walk *w, int64_t *index, int64_t run) {
  int i = w->rank - 1;
  index[i] += run;
  while (i > 0 && index[i] == w->shape[i]) {
    index[i] = 0;
    index[--i]++;
  }
}

#define STRIDED_MOVE(T)                                                      \
  {                                                                          \
    T *d = (T *)to;                                                          \
    const T *s = (const T *)from;                                            \
    if (from_stride == 0)                                                    \
      for (int64_t i = 0; i < n; i++) d[i * to_stride] = *s;                 \
    else                                                                     \
      for (int64_t i = 0; i < n; i++) d[i * to_stride] = s[i * from_stride]; \
  }
static void strided_move(char *to, int64_t to_stride, const char *from, int64_t from_stride,
                         int64_t size, int64_t n) {
  if (to_stride == 1 && from_stride == 1) {
    if (n * size < 64)  // a call costs more than a short run
      for (int64_t i = 0; i < n * size; i++) to[i] = from[i];
    else memcpy(to, from, (size_t)(n * size));
  } else if (size == 4) STRIDED_MOVE(uint32_t)
  else if (size == 8) STRIDED_MOVE(uint64_t)
  else if (size == 2) STRIDED_MOVE(uint16_t)
  else STRIDED_MOVE(uint8_t)
}

/// Between operand k, from the given index on, and a contiguous buffer: n elements over as many
/// rows as needed.
static void transfer(const walk *w, int k, const int64_t *start, int64_t n, char *buffer,
                     bool gather) {
  int64_t index[BSS_MAX_RANK];
  memcpy(index, start, sizeof index);
  int last = w->rank - 1;
  while (n > 0) {
    int64_t run = w->shape[last] - index[last];
    if (run > n) run = n;
    char *p = w->data[k] + offset_of(w, k, index);
    if (gather) strided_move(buffer, 1, p, w->stride[k][last], w->size[k], run);
    else strided_move(p, w->stride[k][last], buffer, 1, w->size[k], run);
    buffer += run * w->size[k];
    n -= run;
    advance(w, index, run);
  }
}

static void run_range(const walk *w, int64_t start, int64_t end) {
  _Alignas(64) char buffers[walk_operands][block * 8];
  int64_t index[BSS_MAX_RANK] = {0};
  unravel(w, start, index);
  int last = w->rank - 1, output = w->operands - 1;
  bool by_row = w->rank == 1 || w->shape[last] >= row_mode_minimum;
  while (start < end) {
    int64_t run = end - start;
    if (by_row && run > w->shape[last] - index[last]) run = w->shape[last] - index[last];
    bool direct[walk_operands], all_direct = true;
    for (int k = 0; k < w->operands; k++) {
      direct[k] = w->dense[k] || (by_row && w->stride[k][last] == 1);
      all_direct &= direct[k];
    }
    if (!all_direct && run > block) run = block;
    char *ptr[walk_operands];
    for (int k = 0; k < w->operands; k++) {
      ptr[k] = direct[k] ? w->data[k] + offset_of(w, k, index) : buffers[k];
      if (!direct[k] && k != output) transfer(w, k, index, run, buffers[k], true);
    }
    w->body(w->context, ptr, run);
    if (!direct[output]) transfer(w, output, index, run, buffers[output], false);
    start += run;
    if (by_row) advance(w, index, run);
    else unravel(w, start, index);
  }
}

static void run_task(void *context, int64_t task) {
  const walk *w = context;
  int64_t start = task * w->grain, end = start + w->grain;
  run_range(w, start, end < w->count ? end : w->count);
}

int walk_run(const bss_view *const *operands, int count, int64_t grain, walk_body body,
             const void *context) {
  walk w = {.operands = count,
            .grain = grain > 0 ? grain : default_grain,
            .body = body,
            .context = context};
  w.count = view_count(operands[count - 1]);
  if (w.count == 0) return BSS_OK;
  for (int k = 0; k < count; k++) {
    w.data[k] = operands[k]->data;
    w.size[k] = dtype_size(operands[k]->dtype);
  }
  collapse(&w, operands);
  const int64_t tasks = (w.count + w.grain - 1) / w.grain;
  return grain > 0 ? bss_pool_run(tasks, run_task, &w) : bss_pool_run_light(tasks, run_task, &w);
}
