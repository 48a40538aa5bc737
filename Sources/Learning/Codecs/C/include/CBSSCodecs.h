// Byte-level codecs that are loops over bytes and want a C compiler even in debug builds.
// All functions trust the buffers they are given and report damage by status; none prints, exits or keeps state.
#pragma once
#include <stddef.h>
#include <stdint.h>

// MARK: checksum.c

/// CRC-32 of zip and PNG (polynomial 0xEDB88320), continuing from `crc` (0 to start).
uint32_t bss_crc32(uint32_t crc, const uint8_t *bytes, size_t count);
/// SHA-256 (FIPS 180-4), incremental: zero-initialise nothing, call begin.
typedef struct {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
} bss_sha256;
void bss_sha256_begin(bss_sha256 *s);
void bss_sha256_add(bss_sha256 *s, const uint8_t *bytes, size_t count);
void bss_sha256_end(bss_sha256 *s, uint8_t digest[32]);

// MARK: deflate.c (zlib)

/// Inflates a raw deflate stream (zip, `raw` = 1) or a zlib stream (PNG, `raw` = 0).
/// Returns the number of bytes written, or -1 if the stream is damaged, or would give more than `capacity`.
int64_t bss_inflate(const uint8_t *from, size_t count, uint8_t *to, size_t capacity, int raw);
/// Deflates to a raw stream. Returns the number of bytes written, or -1 if `capacity` is too small.
int64_t bss_deflate(const uint8_t *from, size_t count, uint8_t *to, size_t capacity);

// MARK: png.c

typedef enum {
  BSS_IMAGE_OK = 0,
  BSS_IMAGE_FOREIGN,    // not a file of this format
  BSS_IMAGE_TRUNCATED,  // ends too early
  BSS_IMAGE_DAMAGED,    // checksum or structure wrong
  BSS_IMAGE_TOO_LARGE,  // more than 2^28 pixels
  BSS_IMAGE_UNSUPPORTED,
} bss_image_status;

typedef struct {
  uint32_t width, height;
  int has_alpha;  // an alpha channel or a transparency chunk
} bss_image_size;

bss_image_status bss_png_size(const uint8_t *bytes, size_t count, bss_image_size *size);
/// Decodes to 8-bit RGBA rows, top to bottom (4 * width * height bytes), without gamma correction and without blending.
bss_image_status bss_png_decode(const uint8_t *bytes, size_t count, uint8_t *rgba);

// MARK: jpeg.c, jpeg_scan.c

bss_image_status bss_jpeg_size(const uint8_t *bytes, size_t count, bss_image_size *size);
/// Decodes baseline and progressive JPEG (8 bits, grey or three components) to RGB rows (3 * width * height bytes).
bss_image_status bss_jpeg_decode(const uint8_t *bytes, size_t count, uint8_t *rgb);
/// The same by our own decoder alone: what `bss_jpeg_decode` falls back to where libjpeg-turbo is missing or complains.
bss_image_status bss_jpeg_decode_plainly(const uint8_t *bytes, size_t count, uint8_t *rgb);

// MARK: sound.c (libsndfile, opened at run time)

typedef enum { BSS_SOUND_OK = 0, BSS_SOUND_NO_LIBRARY, BSS_SOUND_DAMAGED, BSS_SOUND_NO_MEMORY } bss_sound_status;

typedef struct {
  float *samples;  // interleaved, malloc'ed
  int64_t frames, claimed;  // read, and what the header says
  int32_t channels, rate;
} bss_sound;

int bss_sound_is_available(void);
/// Reads a whole sound file from memory; `reason` receives the library's words for a damaged file. Safe on any thread.
bss_sound_status bss_sound_read(const uint8_t *bytes, size_t count, bss_sound *sound, char reason[128]);
