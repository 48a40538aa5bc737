// Sums at indices and running sums (bss_index.h); sums in WIDE. Repeated indices are added in
// ascending order of their positions, whatever the timing.
#include "device.cu.h"

/// out[o, row, :] += alpha source[o, position, :] for sorted pairs (rows, positions): the first
/// pair of a row adds them all.
KERNEL(index_add, 256,
       (bss_axis a, const int64_t *rows, const int64_t *positions, const T *source, double alpha,
        int64_t skipped, T *out)) {
  const T factor = (T)alpha;
  EACH_INDEX(i, a.outer * a.count * a.inner) {
    const int64_t inner = i % a.inner, first = i / a.inner % a.count, outer = i / a.inner / a.count;
    const int64_t row = rows[first];
    if (row == skipped || (first > 0 && rows[first - 1] == row)) continue;
    T sum = out[(outer * a.axis + row) * a.inner + inner];
    for (int64_t k = first; k < a.count && rows[k] == row; k++) {
      const T v = source[(outer * a.count + positions[k]) * a.inner + inner];
      sum += factor == 1 ? v : factor * v;
    }
    out[(outer * a.axis + row) * a.inner + inner] = sum;
  }
}

/// A thread a line; views of the lines: target, index, source.
KERNEL(scatter_add, 256, (bss_lines l, T *out, const int64_t *index, const T *source)) {
  EACH_INDEX(line, l.lines.count) {
    const Offsets<3> at = locate<3>(l.lines, line);
    for (int64_t i = 0; i < l.length; i++) {
      const int64_t row = index[at.of[1] + i * l.stride[1]];
      out[at.of[0] + row * l.stride[0]] += source[at.of[2] + i * l.stride[2]];
    }
  }
}

/// A thread a line of [outer, axis, inner].
KERNEL(cumulative_sum, 256, (bss_axis a, int64_t reverse, const T *x, T *out)) {
  EACH_INDEX(line, a.outer * a.inner) {
    const int64_t first = line / a.inner * a.axis * a.inner + line % a.inner;
    WIDE sum = 0;
    for (int64_t i = 0; i < a.axis; i++) {
      const int64_t at = first + (reverse ? a.axis - 1 - i : i) * a.inner;
      sum += x[at];
      out[at] = (T)sum;
    }
  }
}

/// *first, -1 before, = the least position of an index outside 0 ..< limit: unsigned, -1 is
/// greatest.
KERNEL(first_outside, 256,
       (const int64_t *indices, int64_t count, int64_t limit, unsigned long long *first)) {
  EACH_INDEX(i, count)
  if (indices[i] < 0 || indices[i] >= limit) atomicMin(first, (unsigned long long)i);
}
