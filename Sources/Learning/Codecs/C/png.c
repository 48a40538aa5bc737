// PNG by libpng (ISO/IEC 15948): all colour types, depths and the Adam7 interlace, to 8-bit RGB.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>
#include "CBSSCodecs.h"

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
  bss_image_task *task;
  bss_image_status status;
  png_structp png;
  png_infop info;
} reader;

static void fail(png_structp png, png_const_charp words) {
  reader *r = png_get_error_ptr(png);
  if (r->status == BSS_IMAGE_OK) r->status = BSS_IMAGE_DAMAGED;
  snprintf(r->task->reason, sizeof r->task->reason, "%s", words);
  png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp words) { (void)png, (void)words; }

static void take(png_structp png, png_bytep to, size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->count - r->at) {
    r->status = BSS_IMAGE_TRUNCATED;
    png_error(png, "the file ends too early");
  }
  memcpy(to, r->bytes + r->at, count);
  r->at += count;
}

static int start(reader *r, const uint8_t *bytes, size_t count, bss_image_task *task) {
  *r = (reader){.bytes = bytes, .count = count, .task = task};
  if (count < 8 || png_sig_cmp(bytes, 0, 8) != 0) {
    r->status = BSS_IMAGE_FOREIGN;
    return 0;
  }
  r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, fail, warn);
  r->info = r->png ? png_create_info_struct(r->png) : NULL;
  if (r->info) return 1;
  r->status = BSS_IMAGE_DAMAGED;
  snprintf(task->reason, sizeof task->reason, "not enough memory");
  return 0;
}

static void finish(reader *r) { png_destroy_read_struct(&r->png, &r->info, NULL); }

/// Reads up to the pixels. To be called after `setjmp(png_jmpbuf(r->png))`.
static void read_header(reader *r) {
  png_set_read_fn(r->png, r, take);
  png_set_user_limits(r->png, 0x7FFFFFFF, 0x7FFFFFFF);
  // Texts, profiles and the like are skipped unread: they say nothing about pixels.
  png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "tRNS", 1);
  png_read_info(r->png, r->info);
}

bss_image_status bss_png_size(const uint8_t *bytes, size_t count, bss_image_task *task,
                              bss_image_size *size) {
  reader r;
  if (start(&r, bytes, count, task) && !setjmp(png_jmpbuf(r.png))) {
    read_header(&r);
    *size =
        (bss_image_size){png_get_image_width(r.png, r.info), png_get_image_height(r.png, r.info)};
  }
  finish(&r);
  return r.status;
}

/// Stored colours over white.
static void blend(const uint8_t *rgba, uint8_t *rgb, size_t width) {
  for (size_t x = 0; x < width; x++) {
    int opacity = rgba[4 * x + 3];
    for (size_t c = 0; c < 3; c++)
      rgb[3 * x + c] = (uint8_t)((rgba[4 * x + c] * opacity + 255 * (255 - opacity) + 127) / 255);
  }
}

bss_image_status bss_png_decode(const uint8_t *bytes, size_t count, bss_image_task *task,
                                int on_white, uint8_t *rgb) {
  reader r;
  uint8_t *volatile rgba = NULL;
  if (start(&r, bytes, count, task) && !setjmp(png_jmpbuf(r.png))) {
    read_header(&r);
    int has_alpha = png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_ALPHA ||
                    png_get_valid(r.png, r.info, PNG_INFO_tRNS);
    int blends = on_white && has_alpha;
    png_set_expand(r.png);  // palettes, 1 to 4 bits, transparent colours
    png_set_scale_16(r.png);
    png_set_gray_to_rgb(r.png);
    if (!blends) png_set_strip_alpha(r.png);
    int passes = png_set_interlace_handling(r.png);
    png_read_update_info(r.png, r.info);
    size_t width = png_get_image_width(r.png, r.info), height = png_get_image_height(r.png, r.info);
    size_t row_bytes = (blends ? 4 : 3) * width;
    // Interlaced pictures are filled in pass by pass: all their rows are held, here or in `rgb`.
    if (blends) rgba = calloc(passes > 1 ? height : 1, row_bytes);
    if ((blends && !rgba) || png_get_rowbytes(r.png, r.info) != row_bytes)
      png_error(r.png, "not enough memory");
    for (int pass = 0; pass < passes; pass++) {
      for (size_t y = 0; y < height; y++) {
        if (y % 64 == 0 && task->is_cancelled()) {
          r.status = BSS_IMAGE_CANCELLED;
          png_longjmp(r.png, 1);
        }
        uint8_t *to = rgb + 3 * width * y,
                *row = !blends ? to : rgba + (passes > 1 ? row_bytes * y : 0);
        png_read_row(r.png, row, NULL);
        if (blends && pass == passes - 1) blend(row, to, width);
      }
    }
  }
  finish(&r);
  free(rgba);
  return r.status;
}
