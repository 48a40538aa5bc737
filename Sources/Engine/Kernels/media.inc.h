// Sound and picture loops of one level. Exact math: included where FP_CONTRACT is off, so bits do
// not depend on the level. The transform works on eight frames at once, one a lane: no shuffles,
// and every lane does what a scalar loop would.

typedef uint8_t FN(u8x16) __attribute__((ext_vector_type(16)));
typedef uint32_t FN(u32x4) __attribute__((ext_vector_type(4)));

/// In-place complex transform of `size` = 2^k points in bit-reversed order; twiddle of the full
/// circle at step 2.
INLINE void FN(complex8)(f64x8 *re, f64x8 *im, int64_t size, const double *c, const double *s) {
  int64_t half = 1;
  int bits = __builtin_ctzll((uint64_t)size);
  if (bits & 1) {  // one stage of two, the others go in pairs
    for (int64_t a = 0; a < size; a += 2) {
      f64x8 br = re[a + 1], bi = im[a + 1];
      re[a + 1] = re[a] - br, im[a + 1] = im[a] - bi;
      re[a] += br, im[a] += bi;
    }
    half = 2;
  }
  for (; half < size; half *= 4) {
    // Two stages: spans of `half` and of 2 * half. Twiddles: w1 = exp(-2 pi i k / (2 half)), w2 =
    // exp(-2 pi i k / (4 half)).
    int64_t step1 = 2 * (size / (2 * half)), step2 = step1 / 2;
    for (int64_t k = 0; k < half; k++) {
      double c1 = c[k * step1], s1 = s[k * step1], c2 = c[k * step2], s2 = s[k * step2];
      for (int64_t a = k; a < size; a += 4 * half) {
        f64x8 *r = re + a, *i = im + a;
        f64x8 br = r[half] * c1 - i[half] * s1, bi = r[half] * s1 + i[half] * c1;
        f64x8 dr = r[3 * half] * c1 - i[3 * half] * s1, di = r[3 * half] * s1 + i[3 * half] * c1;
        f64x8 p0r = r[0] + br, p0i = i[0] + bi, p1r = r[0] - br, p1i = i[0] - bi;
        f64x8 q0r = r[2 * half] + dr, q0i = i[2 * half] + di, q1r = r[2 * half] - dr,
              q1i = i[2 * half] - di;
        f64x8 tr = q0r * c2 - q0i * s2, ti = q0r * s2 + q0i * c2;
        // exp(-2 pi i (k + half) / (4 half)) = -i w2: (x + iy) * -i = y - ix
        f64x8 ur = q1r * c2 - q1i * s2, ui = q1r * s2 + q1i * c2;
        r[0] = p0r + tr, i[0] = p0i + ti;
        r[2 * half] = p0r - tr, i[2 * half] = p0i - ti;
        r[half] = p1r + ui, i[half] = p1i - ur;
        r[3 * half] = p1r - ui, i[3 * half] = p1i + ur;
      }
    }
  }
}

INLINE void FN(finish8)(f64x8 square, int kind, double offset, int lanes, float *out) {
  double y[8];
  if (kind != BSS_STFT_POWER) square = __builtin_elementwise_sqrt(square);
  *(f64x8u *)y = square;
  if (kind == BSS_STFT_LOG)
    for (int l = 0; l < 8; l++) y[l] = MATH(log_f64)(y[l] + offset);
  if (lanes == 8) *(f32x8u *)out = __builtin_convertvector(*(f64x8u *)y, f32x8);
  else
    for (int l = 0; l < lanes; l++) out[l] = (float)y[l];
}

static void FN(stft_frames)(const bss_stft *p, const float *x, int64_t count, int64_t frames,
                            int kind, double offset, double *work, float *out) {
  int64_t n = p->n, half = n / 2;
  f64x8 *re = (f64x8 *)(((uintptr_t)work + 63) & ~(uintptr_t)63), *im = re + half;
  for (int64_t t = 0; t < frames; t += 8) {
    int lanes = frames - t < 8 ? (int)(frames - t) : 8;
    for (int l = 0; l < 8; l++) {
      double *r = (double *)re + l, *i = (double *)im + l;
      int64_t start = (t + l) * p->hop - p->pad;
      if (l < lanes && start >= 0 && start + n <= count) {
        const float *f = x + start;
        for (int64_t j = 0; j < half; j++) {
          int64_t to = 8 * (int64_t)p->order[j];
          r[to] = p->window[2 * j] * (double)f[2 * j],
          i[to] = p->window[2 * j + 1] * (double)f[2 * j + 1];
        }
        continue;
      }
      for (int64_t j = 0; j < n; j++) {
        int64_t at = start + j;
        if (at < 0 || at >= count) {
          if (!p->reflects || l >= lanes) at = -1;
          else at = at < 0 ? -at : 2 * (count - 1) - at;
        }
        double value = l < lanes && at >= 0 ? p->window[j] * (double)x[at] : 0;
        (j % 2 ? i : r)[8 * (int64_t)p->order[j / 2]] = value;
      }
    }
    FN(complex8)(re, im, half, p->cosines, p->sines);
    // Even samples stand in the real parts, odd ones in the imaginary parts: untangle X[k] and
    // X[half - k] together.
    for (int64_t k = 0; k <= half / 2; k++) {
      int64_t b = k == 0 ? 0 : half - k;
      f64x8 er = (re[k] + re[b]) * 0.5, ei = (im[k] - im[b]) * 0.5, odr = (im[k] + im[b]) * 0.5,
            odi = (re[b] - re[k]) * 0.5;
      double c = p->cosines[k], s = p->sines[k];
      f64x8 wr = odr * c - odi * s, wi = odr * s + odi * c;
      f64x8 ar = er + wr, ai = k == 0 ? (f64x8)0.0 : ei + wi, br = er - wr,
            bi = k == 0 ? (f64x8)0.0 : wi - ei;
      FN(finish8)(ar * ar + ai * ai, kind, offset, lanes, out + k * frames + t);
      if (k != half - k)
        FN(finish8)(br * br + bi * bi, kind, offset, lanes, out + (half - k) * frames + t);
    }
  }
}

static void FN(resample)(const double *x, const double *taps, int64_t up, int64_t down,
                         int64_t half, int64_t width, float *out, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    int64_t position = i * down + half;
    const double *t = taps + position % up * width, *from = x + position / up;
    f64x8 sum = 0.0;
    for (int64_t j = 0; j < width; j += 8)
      sum += *(const f64x8u *)(t + j) * *(const f64x8u *)(from + j);
    double y[8];
    *(f64x8u *)y = sum;
    out[i] = (float)(((y[0] + y[4]) + (y[1] + y[5])) + ((y[2] + y[6]) + (y[3] + y[7])));
  }
}

INLINE uint8_t FN(rounded8)(int32_t sum) {
  int32_t v = sum >> 22;
  return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

INLINE FN(u8x16) FN(rounded16)(i32x16 sum) {
  sum >>= 22;
  sum = __builtin_elementwise_min(__builtin_elementwise_max(sum, (i32x16)0), (i32x16)255);
  return __builtin_convertvector(sum, FN(u8x16));
}

/// Four rows of three channels at once: a pixel of each and a byte behind it are four lanes. `out`
/// is written four bytes at a time, from left to right, so that the fourth is mended by the next
/// pixel.
INLINE void FN(resize_four_rows)(const uint8_t *x, int64_t width, const bss_resize_axis *axis,
                                 uint8_t *out) {
  const int64_t row = 3 * width, to = 3 * axis->size;
  for (int64_t i = 0; i < axis->size; i++, out += 3) {
    const uint8_t *from = x + 3 * (int64_t)axis->first[i];
    const int32_t *taps = axis->taps + i * axis->most, count = axis->count[i];
    i32x16 sum = 1 << 21;
    for (int32_t k = 0; k < count; k++, from += 3) {
      FN(u32x4) pixels;
      for (int r = 0; r < 4; r++) {
        uint32_t pixel;
        __builtin_memcpy(&pixel, from + r * row, 4);
        pixels[r] = pixel;
      }
      sum += __builtin_convertvector((FN(u8x16))pixels, i32x16) * taps[k];
    }
    FN(u32x4) pixels = (FN(u32x4))FN(rounded16)(sum);
    int64_t bytes = i + 1 < axis->size ? 4 : 3;
    for (int r = 0; r < 4; r++) {
      uint32_t pixel = pixels[r];
      if (bytes == 4) __builtin_memcpy(out + r * to, &pixel, 4);
      else __builtin_memcpy(out + r * to, &pixel, 3);
    }
  }
}

static void FN(resize_rows)(const uint8_t *x, int64_t height, int64_t width, int64_t channels,
                            const bss_resize_axis *axis, uint8_t *out) {
  int64_t y = 0;
  // The last row has no byte behind its last pixel.
  for (; channels == 3 && y + 4 < height; y += 4)
    FN(resize_four_rows)(x + 3 * y * width, width, axis, out + 3 * y * axis->size);
  for (; y < height; y++)
    for (int64_t i = 0; i < axis->size; i++) {
      const int32_t *taps = axis->taps + i * axis->most, count = axis->count[i];
      const uint8_t *from = x + (y * width + axis->first[i]) * channels;
      for (int64_t c = 0; c < channels; c++) {
        int32_t sum = 1 << 21;
        for (int32_t k = 0; k < count; k++) sum += taps[k] * from[k * channels + c];
        out[(y * axis->size + i) * channels + c] = FN(rounded8)(sum);
      }
    }
}

static void FN(resize_columns)(const uint8_t *x, int64_t width, int64_t channels,
                               const bss_resize_axis *axis, uint8_t *out) {
  int64_t row = width * channels;
  for (int64_t i = 0; i < axis->size; i++, out += row) {
    const uint8_t *from = x + (int64_t)axis->first[i] * row;
    const int32_t *taps = axis->taps + i * axis->most, count = axis->count[i];
    int64_t j = 0;
    for (; j + 16 <= row; j += 16) {
      i32x16 sum = 1 << 21;
      for (int32_t k = 0; k < count; k++) {
        FN(u8x16) part;
        __builtin_memcpy(&part, from + k * row + j, 16);
        sum += __builtin_convertvector(part, i32x16) * taps[k];
      }
      FN(u8x16) bytes = FN(rounded16)(sum);
      __builtin_memcpy(out + j, &bytes, 16);
    }
    for (; j < row; j++) {
      int32_t sum = 1 << 21;
      for (int32_t k = 0; k < count; k++) sum += taps[k] * from[k * row + j];
      out[j] = FN(rounded8)(sum);
    }
  }
}
