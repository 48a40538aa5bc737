// Byte-level codecs that are loops over bytes and want a C compiler even in debug builds.
// All functions trust the buffers they are given and report damage by status; none prints, exits or
// keeps state. What may take long asks `is_cancelled` as it goes.
#pragma once
#include <stddef.h>
#include <stdint.h>

// MARK: checksum.c

/// CRC-32 of zip (polynomial 0xEDB88320), continuing from `crc` (0 to start).
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

/// Inflates a raw deflate stream (zip, gzip). Returns the number of bytes written, -1 if the stream
/// is damaged or would give more than `capacity`, -2 if `is_cancelled` said so.
int64_t bss_inflate(const uint8_t *from, size_t count, uint8_t *to, size_t capacity,
                    int (*is_cancelled)(void));
/// Deflates to a raw stream. Returns the number of bytes written, or -1 if `capacity` is too small.
int64_t bss_deflate(const uint8_t *from, size_t count, uint8_t *to, size_t capacity);

// MARK: png.c (libpng), jpeg.c (libjpeg-turbo)

typedef enum {
  BSS_IMAGE_OK = 0,
  BSS_IMAGE_FOREIGN,    // not a file of this format
  BSS_IMAGE_TRUNCATED,  // ends too early
  BSS_IMAGE_DAMAGED,    // or in a form that the library does not read: `reason` holds its words
  BSS_IMAGE_CANCELLED,
} bss_image_status;

/// What decoders need from outside.
typedef struct {
  int (*is_cancelled)(void);
  uint64_t most_work;  // pixels times scans (JPEG) or passes
  char reason[256];    // the library's words for a damaged file
} bss_image_task;

typedef struct {
  uint32_t width, height;
} bss_image_size;

bss_image_status bss_png_size(const uint8_t *bytes, size_t count, bss_image_task *task,
                              bss_image_size *size);
/// Decodes to 8-bit RGB rows, top to bottom (3 * width * height bytes), without gamma correction.
/// `on_white` blends what is transparent over white, else the stored colours are taken. Samples of
/// 16 bits become 8: v * 255 / 65535, rounded (ISO/IEC 15948, section 13.12).
bss_image_status bss_png_decode(const uint8_t *bytes, size_t count, bss_image_task *task,
                                int on_white, uint8_t *rgb);

bss_image_status bss_jpeg_size(const uint8_t *bytes, size_t count, bss_image_task *task,
                               bss_image_size *size);
/// A rectangle inside a picture, not empty.
typedef struct {
  uint32_t left, top, width, height;
} bss_image_part;
/// Decodes a part to RGB rows (3 * part.width * part.height bytes), the very pixels that the whole
/// picture has there: accurate integer transform, triangle upsampling. CMYK and YCCK are taken as
/// Adobe writes them (inverted), R = K C / 255. What lies outside the part is read for damage, and
/// not transformed.
bss_image_status bss_jpeg_decode(const uint8_t *bytes, size_t count, bss_image_task *task,
                                 const bss_image_part *part, uint8_t *rgb);

// MARK: sound.c (libsndfile, opened at run time)

typedef enum {
  BSS_SOUND_OK = 0,
  BSS_SOUND_NO_LIBRARY,
  BSS_SOUND_DAMAGED,
  BSS_SOUND_NO_MEMORY,
  BSS_SOUND_TOO_LARGE,  // more than `most` samples
  BSS_SOUND_CANCELLED,
} bss_sound_status;

typedef struct {
  int (*is_cancelled)(void);
  int64_t most;      // samples, all channels together
  char reason[128];  // the library's words for a damaged file
} bss_sound_task;

typedef struct {
  float *samples;           // interleaved, malloc'ed
  int64_t frames, claimed;  // read, and what the header says
  int32_t channels, rate;
} bss_sound;

int bss_sound_is_available(void);
/// Reads a whole sound file from memory. Safe on any thread.
bss_sound_status bss_sound_read(const uint8_t *bytes, size_t count, bss_sound_task *task,
                                bss_sound *sound);
