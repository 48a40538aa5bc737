// Copy, conversion, fill.
#include "bss_elementwise.h"
#include "bss_half.h"
#include "walk.h"
#include <string.h>

typedef struct {
  bss_dtype from, to;
} convert_context;

#define CONVERT(FROM, READ, TO, expression)        \
  do {                                             \
    const FROM *x = (const FROM *)p[0];            \
    TO *restrict out = (TO *)p[1];                 \
    for (int64_t i = 0; i < n; i++) {              \
      const __typeof__(READ(x[i])) v = READ(x[i]); \
      out[i] = (expression);                       \
    }                                              \
    return;                                        \
  } while (0)
#define CONVERT_FROM(FROM, READ, whole)                                      \
  switch (c->to) {                                                           \
  case BSS_F32: CONVERT(FROM, READ, float, (float)v);                        \
  case BSS_F64: CONVERT(FROM, READ, double, (double)v);                      \
  case BSS_BOOL: CONVERT(FROM, READ, uint8_t, v != 0);                       \
  case BSS_I64: CONVERT(FROM, READ, int64_t, whole);                         \
  case BSS_F16: CONVERT(FROM, READ, uint16_t, bss_f16_of_float((float)v));   \
  case BSS_BF16: CONVERT(FROM, READ, uint16_t, bss_bf16_of_float((float)v)); \
  }                                                                          \
  return
#define AS_IT_IS(x) (x)
static void convert_body(const void *context, char *const *p, int64_t n) {
  const convert_context *c = context;
  if (c->from == c->to) {
    if (p[0] != p[1]) memcpy(p[1], p[0], (size_t)(n * dtype_size(c->to)));
    return;
  }
  switch (c->from) {
  case BSS_F32: CONVERT_FROM(float, AS_IT_IS, saturated_i64(v));
  case BSS_F64: CONVERT_FROM(double, AS_IT_IS, saturated_i64(v));
  case BSS_I64: CONVERT_FROM(int64_t, AS_IT_IS, v);
  case BSS_BOOL: CONVERT_FROM(uint8_t, AS_IT_IS, v);
  case BSS_F16: CONVERT_FROM(uint16_t, bss_float_of_f16, saturated_i64(v));
  case BSS_BF16: CONVERT_FROM(uint16_t, bss_float_of_bf16, saturated_i64(v));
  }
}

// MARK: transposes. Rows of the output are columns of x: going through 16 x 16 blocks uses every
// cache line fully.

typedef struct {
  const bss_view *x, *out;
  int across;  // the axis along which x is contiguous
  int64_t outer_tasks, size;
} transpose_context;

enum { transpose_tile = 16, transpose_rows = 64 };

#define TRANSPOSE(T)                                                            \
  for (int64_t j0 = 0; j0 < columns; j0 += transpose_tile) {                    \
    int64_t j1 = j0 + transpose_tile < columns ? j0 + transpose_tile : columns; \
    for (int64_t i = i0; i < i1; i++)                                           \
      for (int64_t j = j0; j < j1; j++)                                         \
        ((T *)to)[i * to_step + j] = ((const T *)from)[i + j * from_step];      \
  }

static void transpose_task(void *context, int64_t task) {
  const transpose_context *t = context;
  const bss_view *x = t->x, *out = t->out;
  int last = out->rank - 1;
  int64_t rows = out->shape[t->across], columns = out->shape[last];
  int64_t strips = (rows + transpose_rows - 1) / transpose_rows, strip = task % strips,
          rest = task / strips;
  const char *from = x->data;
  char *to = out->data;
  for (int i = last - 1; i >= 0; i--) {
    if (i == t->across) continue;
    int64_t index = rest % out->shape[i];
    rest /= out->shape[i];
    from += index * x->stride[i] * t->size;
    to += index * out->stride[i] * t->size;
  }
  int64_t to_step = out->stride[t->across], from_step = x->stride[last];
  for (int64_t i0 = strip * transpose_rows,
               end = i0 + transpose_rows < rows ? i0 + transpose_rows : rows;
       i0 < end; i0 += transpose_tile) {
    int64_t i1 = i0 + transpose_tile < end ? i0 + transpose_tile : end;
    if (t->size == 4) TRANSPOSE(uint32_t)
    else if (t->size == 8) TRANSPOSE(uint64_t)
    else if (t->size == 2) TRANSPOSE(uint16_t)
    else TRANSPOSE(uint8_t)
  }
}

/// The axis (not the last) along which x is contiguous while the output is contiguous along the
/// last; -1 if none.
static int transposed_axis(const bss_view *x, const bss_view *out) {
  int last = out->rank - 1;
  if (last < 1 || out->stride[last] != 1 || x->stride[last] == 1 || out->shape[last] < 4) return -1;
  for (int i = 0; i < last; i++)
    if (x->stride[i] == 1 && out->shape[i] >= 8) return i;
  return -1;
}

int bss_copy(const bss_view *x, const bss_view *out) {
  int across = x->dtype == out->dtype ? transposed_axis(x, out) : -1;
  if (across >= 0) {
    int64_t rows = out->shape[across], count = view_count(out);
    if (count == 0) return BSS_OK;
    transpose_context t = {x, out, across, 0, dtype_size(out->dtype)};
    int64_t outer = count / (rows * out->shape[out->rank - 1]);
    int64_t tasks = outer * ((rows + transpose_rows - 1) / transpose_rows);
    if (count >= 32768) return bss_pool_run(tasks, transpose_task, &t);
    for (int64_t i = 0; i < tasks; i++) transpose_task(&t, i);
    return BSS_OK;
  }
  convert_context c = {x->dtype, out->dtype};
  return walk_run((const bss_view *[]){x, out}, 2, 0, convert_body, &c);
}

// MARK: fill

typedef struct {
  uint64_t bits;
  int64_t size;
} fill_context;

static void fill_body(const void *context, char *const *p, int64_t n) {
  const fill_context *c = context;
  if (c->bits == 0 || c->size == 1) {
    memset(p[0], (int)c->bits, (size_t)(n * c->size));
  } else if (c->size == 4) {
    uint32_t v = (uint32_t)c->bits, *out = (uint32_t *)p[0];
    for (int64_t i = 0; i < n; i++) out[i] = v;
  } else if (c->size == 2) {
    uint16_t v = (uint16_t)c->bits, *out = (uint16_t *)p[0];
    for (int64_t i = 0; i < n; i++) out[i] = v;
  } else {
    uint64_t *out = (uint64_t *)p[0];
    for (int64_t i = 0; i < n; i++) out[i] = c->bits;
  }
}

int bss_fill(const bss_view *out, double value) {
  fill_context c = {0, dtype_size(out->dtype)};
  float f = (float)value;
  int64_t i = saturated_i64(value);
  switch (out->dtype) {
  case BSS_F32: memcpy(&c.bits, &f, 4); break;
  case BSS_F64: memcpy(&c.bits, &value, 8); break;
  case BSS_I64: memcpy(&c.bits, &i, 8); break;
  case BSS_BOOL: c.bits = value != 0; break;
  case BSS_F16: c.bits = bss_f16_of_float(f); break;
  case BSS_BF16: c.bits = bss_bf16_of_float(f); break;
  }
  return walk_run((const bss_view *[]){out}, 1, 0, fill_body, &c);
}

int bss_fill_i64(const bss_view *out, int64_t value) {
  fill_context c = {(uint64_t)value, 8};
  return walk_run((const bss_view *[]){out}, 1, 0, fill_body, &c);
}
