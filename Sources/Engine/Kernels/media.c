// Entries of the media loops: one sample, one thread; see bss_media.h.
#include <string.h>
#include "bss_media.h"
#include "table.h"

int64_t bss_stft_work(const bss_stft *plan) { return plan->n * 8 + 8; }

void bss_stft_frames(const bss_stft *plan, const float *x, int64_t count, int64_t frames, int kind,
                     double offset, double *work, float *out) {
  bss_loops->stft_frames(plan, x, count, frames, kind, offset, work, out);
}

void bss_resample(const double *x, const double *taps, int64_t up, int64_t down, int64_t half,
                  int64_t width, float *out, int64_t count) {
  bss_loops->resample(x, taps, up, down, half, width, out, count);
}

void bss_resize_rows(const uint8_t *x, int64_t height, int64_t width, int64_t channels,
                     const bss_resize_axis *axis, uint8_t *out) {
  bss_loops->resize_rows(x, height, width, channels, axis, out);
}

void bss_resize_columns(const uint8_t *x, int64_t width, int64_t channels,
                        const bss_resize_axis *axis, uint8_t *out) {
  bss_loops->resize_columns(x, width, channels, axis, out);
}

void bss_mirror(const uint8_t *x, int64_t height, int64_t width, int64_t channels, uint8_t *out) {
  for (int64_t y = 0; y < height; y++, x += width * channels)
    for (int64_t i = width - 1; i >= 0; i--, out += channels)
      if (channels == 3) memcpy(out, x + 3 * i, 3);
      else
        for (int64_t c = 0; c < channels; c++) out[c] = x[i * channels + c];
}

void bss_planes(const uint8_t *x, int64_t area, int64_t channels, const float *values, float *out) {
  if (channels == 3) {
    for (int64_t i = 0; i < area; i++, x += 3) {
      out[i] = values[x[0]], out[area + i] = values[256 + x[1]],
      out[2 * area + i] = values[512 + x[2]];
    }
    return;
  }
  for (int64_t c = 0; c < channels; c++)
    for (int64_t i = 0; i < area; i++) out[c * area + i] = values[256 * c + x[i * channels + c]];
}
