// Elements of any type moved, compared and converted.
#include "device.cu.h"
#include "bss_ops.h"

#define KERNEL_OF_ROW(ID, id, name, formula, sign)                                \
  KERNEL(compare_##ID, 256, (bss_walk w, const T *a, const T *b, uint8_t *out)) { \
    EACH_INDEX(i, w.count) {                                                      \
      const Offsets<3> at = locate<3>(w, i);                                      \
      out[at.of[2]] = a[at.of[0]] sign b[at.of[1]];                               \
    }                                                                             \
  }
BSS_COMPARE_OPS(KERNEL_OF_ROW)
#undef KERNEL_OF_ROW

/// out = condition ? a : b
KERNEL(select, 256, (bss_walk w, const uint8_t *condition, const T *a, const T *b, T *out)) {
  EACH_INDEX(i, w.count) {
    const Offsets<4> at = locate<4>(w, i);
    out[at.of[3]] = condition[at.of[0]] ? a[at.of[1]] : b[at.of[2]];
  }
}

template <class U> DEVICE void OF(convert)(T from, U &to) {
  if constexpr (are_same<U, uint8_t>) to = from != 0;
  else if constexpr (are_same<T, U>) to = from;
  else if constexpr (are_same<U, int64_t> && !are_same<T, uint8_t>)
    to = saturated_i64((double)from);
  else if constexpr (are_same<U, bss_f16> || are_same<U, bss_bf16>) to = U((float)from);
  else to = (U)from;
}
#define COPY_TO(name, U)                                \
  KERNEL(name, 256, (bss_walk w, const T *x, U *out)) { \
    EACH_INDEX(i, w.count) {                            \
      const Offsets<2> at = locate<2>(w, i);            \
      OF(convert)(x[at.of[0]], out[at.of[1]]);          \
    }                                                   \
  }
COPY_TO(copy_to_f32, float)
COPY_TO(copy_to_f64, double)
COPY_TO(copy_to_i64, int64_t)
COPY_TO(copy_to_bool, uint8_t)
COPY_TO(copy_to_f16, bss_f16)
COPY_TO(copy_to_bf16, bss_bf16)
#undef COPY_TO

KERNEL(fill, 256, (bss_walk w, T *out, T value)) {
  EACH_INDEX(i, w.count) out[locate<1>(w, i).of[0]] = value;
}

/// y[o, i, :] = x[o, indices[i], :]
KERNEL(index_select, 256, (bss_axis a, const T *x, const int64_t *indices, T *out)) {
  EACH_INDEX(i, a.outer * a.count * a.inner) {
    const int64_t inner = i % a.inner, at = i / a.inner % a.count, outer = i / a.inner / a.count;
    out[i] = x[(outer * a.axis + indices[at]) * a.inner + inner];
  }
}

/// Of every part (row y of the grid): row i of out = row rows[i] of x.
KERNEL(gather_rows, 256, (bss_card_row_parts parts, const int64_t *rows, int64_t count)) {
  const bss_card_rows &part = parts.part[blockIdx.y];
  const T *x = (const T *)part.x;
  T *out = (T *)part.out;
  EACH_INDEX(i, count * part.run) out[i] = x[rows[i / part.run] * part.run + i % part.run];
}

/// out[…, i, …] = x[…, index[…, i, …], …]; views x (stride 0 along the axis), index, out.
KERNEL(gather, 256, (bss_walk w, int64_t stride, const T *x, const int64_t *index, T *out)) {
  EACH_INDEX(i, w.count) {
    const Offsets<3> at = locate<3>(w, i);
    out[at.of[2]] = x[at.of[0] + index[at.of[1]] * stride];
  }
}

KERNEL(one_hot, 256, (const int64_t *indices, int64_t count, int64_t classes, T *out)) {
  EACH_INDEX(i, count * classes) out[i] = (T)(indices[i / classes] == i % classes);
}

/// `w`: the output's shape; view 0 the strides of x, view 1 how many elements lie before it along
/// each axis, view 2 its sizes.
KERNEL(pad, 256, (bss_walk w, const T *x, T value, T *out)) {
  EACH_INDEX(i, w.count) {
    int64_t rest = i, from = 0;
    bool inside = true;
    for (int d = (int)w.rank - 1; d >= 0; d--) {
      const int64_t c = rest % w.shape[d] - w.stride[1][d];
      rest /= w.shape[d];
      inside = inside && c >= 0 && c < w.stride[2][d];
      from += c * w.stride[0][d];
    }
    out[i] = inside ? x[from] : value;
  }
}
