// Reductions over any axes, sums in WIDE (double or int64_t). Which element meets which depends on
// the shape alone.
#include "device.cu.h"
#include "bss_ops.h"

#ifndef REDUCE_NUMBERS
#define REDUCE_NUMBERS(ID, ...) REDUCE_##ID,
enum { BSS_REDUCE_OPS(REDUCE_NUMBERS) };
#endif

struct OF(State) {
  WIDE value;
  int64_t position;  // of ARGMAX, ARGMIN; -1: none yet
};

DEVICE OF(State) OF(start)(int64_t op) {
  OF(State) s = {0, -1};
  switch (op) {
  case REDUCE_PROD:
  case REDUCE_ALL: s.value = 1; break;
  case REDUCE_MAX: s.value = sizeof(T) == 1 ? (WIDE)0 : WIDE_LEAST; break;
  case REDUCE_MIN: s.value = WIDE_MOST; break;
  default: break;
  }
  return s;
}
/// Whether candidate b takes over from a: NaN wins, then the value, then the earlier position.
DEVICE bool OF(better)(int64_t op, const OF(State) & a, const OF(State) & b) {
  if (b.position < 0) return false;
  if (a.position < 0) return true;
  const bool an = a.value != a.value, bn = b.value != b.value;
  if (an || bn) return an == bn ? b.position < a.position : bn;
  if (a.value != b.value) return op == REDUCE_ARGMAX ? b.value > a.value : b.value < a.value;
  return b.position < a.position;
}
DEVICE OF(State) OF(join)(int64_t op, const OF(State) & a, const OF(State) & b) {
  OF(State) s = a;
  switch (op) {
  case REDUCE_PROD: s.value = a.value * b.value; break;
  case REDUCE_MAX:
  case REDUCE_ANY: s.value = b.value > a.value || b.value != b.value ? b.value : a.value; break;
  case REDUCE_MIN:
  case REDUCE_ALL: s.value = b.value < a.value || b.value != b.value ? b.value : a.value; break;
  case REDUCE_ARGMAX:
  case REDUCE_ARGMIN: return OF(better)(op, a, b) ? b : a;
  default: s.value = a.value + b.value;
  }
  return s;
}
DEVICE OF(State) OF(candidate)(int64_t op, T x, int64_t position) {
  const WIDE v = (WIDE)x;
  if (op == REDUCE_SUM_SQUARES) return {v * v, position};
  if (op == REDUCE_SUM_ABS) return {v < 0 ? -v : v, position};
  return {v, position};
}
DEVICE void OF(store)(int64_t op, const OF(State) & s, void *out, int64_t i) {
  if (op == REDUCE_ARGMAX || op == REDUCE_ARGMIN) ((int64_t *)out)[i] = s.position;
  else if (sizeof(T) == 1 && (op == REDUCE_SUM || op == REDUCE_PROD))
    ((int64_t *)out)[i] = (int64_t)s.value;
  else ((T *)out)[i] = (T)s.value;
}
DEVICE OF(State) OF(reduce_part)(int64_t op, const bss_reduction &r, const T *x, int64_t from,
                                 int64_t group, int64_t first, int64_t step) {
  const int64_t begin = r.reduced.count * group / r.groups,
                end = r.reduced.count * (group + 1) / r.groups;
  OF(State) s = OF(start)(op);
  for (int64_t j = begin + first; j < end; j += step)
    s = OF(join)(op, s, OF(candidate)(op, x[from + locate<1>(r.reduced, j).of[0]], j));
  return s;
}

/// A block an output and group; one group: straight to out, else to partial [outputs, groups].
KERNEL(reduce_rows, 256,
       (bss_reduction r, int64_t op, const T *x, void *out, OF(State) * partial)) {
  __shared__ OF(State) states[256];
  for (int64_t b = blockIdx.x; b < r.kept.count * r.groups; b += gridDim.x) {
    const int64_t output = b / r.groups, group = b % r.groups;
    const int64_t from = locate<1>(r.kept, output).of[0];
    states[threadIdx.x] = OF(reduce_part)(op, r, x, from, group, threadIdx.x, blockDim.x);
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
      __syncthreads();
      if (threadIdx.x < half)
        states[threadIdx.x] = OF(join)(op, states[threadIdx.x], states[threadIdx.x + half]);
    }
    if (threadIdx.x == 0) {
      if (r.groups == 1) OF(store)(op, states[0], out, output);
      else partial[b] = states[0];
    }
    __syncthreads();
  }
}

/// A thread an output and group, neighbouring outputs side by side.
KERNEL(reduce_columns, 256,
       (bss_reduction r, int64_t op, const T *x, void *out, OF(State) * partial)) {
  EACH_INDEX(i, r.kept.count * r.groups) {
    const int64_t output = i % r.kept.count, group = i / r.kept.count;
    const OF(State) s = OF(reduce_part)(op, r, x, locate<1>(r.kept, output).of[0], group, 0, 1);
    if (r.groups == 1) OF(store)(op, s, out, output);
    else partial[output * r.groups + group] = s;
  }
}

/// Joins the groups of every output in order.
KERNEL(reduce_groups, 256,
       (int64_t outputs, int64_t groups, int64_t op, const OF(State) * partial, void *out)) {
  EACH_INDEX(i, outputs) {
    OF(State) s = partial[i * groups];
    for (int64_t g = 1; g < groups; g++) s = OF(join)(op, s, partial[i * groups + g]);
    OF(store)(op, s, out, i);
  }
}
