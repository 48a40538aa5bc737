// Kernels that turn decoded media into numbers (media.c, media.inc.h). One call works on one sample
// and one thread, so that loaders may call them from threads of their own. Results do not depend on
// the instruction-set level.
#pragma once
#include <stdint.h>

// MARK: Sound

/// A short-time Fourier transform of real frames, n_fft = 2^k >= 4. All tables belong to the caller
/// and are only read.
typedef struct {
  int64_t n, hop, pad;  // frame t starts at sample t * hop - pad
  int64_t
      reflects;  // samples outside the signal: 0 = zeros, 1 = mirrored about the first and the last
  const double *window;           // [n]
  const int32_t *order;           // [n / 2] bit-reversed positions
  const double *cosines, *sines;  // [n / 2]: cos and sin of -2 pi k / n
} bss_stft;

enum { BSS_STFT_MAGNITUDE = 0, BSS_STFT_POWER = 1, BSS_STFT_LOG = 2 };
/// Doubles of work space for bss_stft_frames.
int64_t bss_stft_work(const bss_stft *plan);
/// out[k * frames + t] = f(|X[k, t]|) for k = 0 ... n/2 and every frame t; f: the magnitude, its
/// square, or log(magnitude + offset).
void bss_stft_frames(const bss_stft *plan, const float *x, int64_t count, int64_t frames, int kind,
                     double offset, double *work, float *out);

/// out[i] = sum over j < width of taps[(i * down + half) % up][j] * x[(i * down + half) / up + j];
/// x is padded by the caller, width is a multiple of 8.
void bss_resample(const double *x, const double *taps, int64_t up, int64_t down, int64_t half,
                  int64_t width, float *out, int64_t count);

// MARK: Pictures of 8 bits, channels interleaved

/// One axis of a resize: position i of the result is the sum of taps[i * most + k] * pixel[first[i]
/// + k] over k < count[i], in fixed point with 22 fraction bits.
typedef struct {
  int64_t size, most;
  const int32_t *first, *count, *taps;
} bss_resize_axis;
/// [height, width, channels] -> [height, axis.size, channels], rounded and clamped to 8 bits.
void bss_resize_rows(const uint8_t *x, int64_t height, int64_t width, int64_t channels,
                     const bss_resize_axis *axis, uint8_t *out);
/// [height, width, channels] -> [axis.size, width, channels]
void bss_resize_columns(const uint8_t *x, int64_t width, int64_t channels,
                        const bss_resize_axis *axis, uint8_t *out);
/// out[y][i] = x[y][width - 1 - i], pixel by pixel.
void bss_mirror(const uint8_t *x, int64_t height, int64_t width, int64_t channels, uint8_t *out);
/// out[c][i] = values[c][x[i][c]]: planes of floats from interleaved bytes; `values` holds 256
/// numbers a channel.
void bss_planes(const uint8_t *x, int64_t area, int64_t channels, const float *values, float *out);
