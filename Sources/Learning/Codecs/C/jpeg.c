// JPEG by libjpeg-turbo: baseline, progressive and arithmetic-coded, grey, YCbCr, RGB, CMYK and
// YCCK. Damage that libjpeg mends with a warning is an error here; what it tolerates without a loss
// of pixels is not. What no reader can tell is an arithmetic-coded scan that was cut and closed by
// a marker again: decoders read zeros behind its data (ISO/IEC 10918-1, D.2.6), encoders leave
// zeros at the end out, so that it is a whole scan of another picture, and libjpeg counts no
// warning.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>
#include "CBSSCodecs.h"

typedef struct {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  bss_image_task *task;
  bss_image_status status;
  jmp_buf back;
} reader;

static reader *of(j_common_ptr info) { return (reader *)info->client_data; }

static _Noreturn void leave(reader *r, bss_image_status status) {
  r->status = status;
  longjmp(r->back, 1);
}

static _Noreturn void fail(j_common_ptr info) {
  reader *r = of(info);
  int code = info->err->msg_code;
  char words[JMSG_LENGTH_MAX];
  info->err->format_message(info, words);
  snprintf(r->task->reason, sizeof r->task->reason, "%s", words);
  leave(r, code == JERR_NO_SOI || code == JERR_INPUT_EMPTY   ? BSS_IMAGE_FOREIGN
           : code == JWRN_JPEG_EOF || code == JERR_INPUT_EOF ? BSS_IMAGE_TRUNCATED
                                                             : BSS_IMAGE_DAMAGED);
}

/// Warnings have level -1, traces 0 and more.
static void message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
  case JWRN_ADOBE_XFORM:
  case JWRN_BOGUS_ICC:
  case JWRN_EXTRANEOUS_DATA:
  case JWRN_JFIF_MAJOR:
  case JWRN_NOT_SEQUENTIAL: return;
  default: fail(info);
  }
}

static void silence(j_common_ptr info) { (void)info; }

/// Between rows of blocks, in every scan.
static void step(j_common_ptr info) {
  reader *r = of(info);
  if (r->task->is_cancelled()) leave(r, BSS_IMAGE_CANCELLED);
  uint64_t pixels = (uint64_t)r->info.image_width * r->info.image_height;
  if (pixels * (uint64_t)r->info.input_scan_number > r->task->most_work) {
    snprintf(r->task->reason, sizeof r->task->reason,
             "more than %d scans of %u x %u pixels in a file of its size",
             r->info.input_scan_number - 1, r->info.image_width, r->info.image_height);
    leave(r, BSS_IMAGE_DAMAGED);
  }
}

/// Reads the header. To be called after `setjmp(r->back)`.
static void start(reader *r, const uint8_t *bytes, size_t count) {
  jpeg_create_decompress(&r->info);
  r->info.client_data = r;
  r->info.progress = &r->progress;
  jpeg_mem_src(&r->info, (unsigned char *)bytes, count);
  jpeg_read_header(&r->info, TRUE);
}

static void prepare(reader *r, bss_image_task *task) {
  memset(r, 0, sizeof *r);
  r->task = task;
  r->info.err = jpeg_std_error(&r->errors);
  r->info.client_data = r;
  r->errors.error_exit = fail;
  r->errors.emit_message = message;
  r->errors.output_message = silence;
  r->progress.progress_monitor = step;
}

bss_image_status bss_jpeg_size(const uint8_t *bytes, size_t count, bss_image_task *task,
                               bss_image_size *size) {
  reader r;
  prepare(&r, task);
  if (!setjmp(r.back)) {
    start(&r, bytes, count);
    *size = (bss_image_size){r.info.image_width, r.info.image_height};
  }
  jpeg_destroy_decompress(&r.info);
  return r.status;
}

/// Inverted CMYK to RGB in place of the first three of four bytes: v = K (255 - (255 - C)) / 255,
/// rounded.
static void from_cmyk(const uint8_t *cmyk, uint8_t *rgb, size_t width) {
  for (size_t x = 0; x < width; x++) {
    int key = cmyk[4 * x + 3];
    for (int c = 0; c < 3; c++) {
      int part = (255 - cmyk[4 * x + (size_t)c]) * key + 128;
      rgb[3 * x + (size_t)c] = (uint8_t)(key - ((part + (part >> 8)) >> 8));
    }
  }
}

/// Columns around a part that are decoded as well: upsampling looks at neighbours, and would take
/// the part's edge for the picture's.
enum { margin = 2 };

static JDIMENSION before(uint32_t at) { return at < margin ? 0 : at - margin; }

/// Rows of `part` into rgb, rows above and below it only read. To be called after `setjmp`.
static void decode_rows(reader *r, const bss_image_part *part, uint8_t *row, uint8_t *rgb) {
  const int is_cmyk = r->info.out_color_space == JCS_CMYK;
  const size_t width = part->width, bytes = is_cmyk ? 4 : 3;
  JDIMENSION left = before(part->left), columns = part->left + part->width + margin;
  if (columns > r->info.output_width) columns = r->info.output_width;
  columns -= left;
  if (columns < r->info.output_width) jpeg_crop_scanline(&r->info, &left, &columns);
  if (part->top > margin) jpeg_skip_scanlines(&r->info, before(part->top));
  const uint32_t end = part->top + part->height;
  while (r->info.output_scanline < end) {
    const uint32_t y = r->info.output_scanline;
    jpeg_read_scanlines(&r->info, &row, 1);
    if (y < part->top) continue;
    const uint8_t *from = row + bytes * (part->left - left);
    uint8_t *to = rgb + 3 * width * (y - part->top);
    if (is_cmyk) from_cmyk(from, to, width);
    else memcpy(to, from, 3 * width);
  }
  // What is damaged below is damaged all the same. Rows up to the last one are skipped, the last
  // one is read: asked to skip that as well, libjpeg would look at none of them.
  const JDIMENSION below = r->info.output_height - r->info.output_scanline;
  if (below > 1) jpeg_skip_scanlines(&r->info, below - 1);
  if (below > 0) jpeg_read_scanlines(&r->info, &row, 1);
}

bss_image_status bss_jpeg_decode(const uint8_t *bytes, size_t count, bss_image_task *task,
                                 const bss_image_part *part, uint8_t *rgb) {
  reader r;
  uint8_t *volatile row = NULL;
  prepare(&r, task);
  if (!setjmp(r.back)) {
    start(&r, bytes, count);
    int is_cmyk = r.info.jpeg_color_space == JCS_CMYK || r.info.jpeg_color_space == JCS_YCCK;
    r.info.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&r.info);
    if (!(row = malloc(4 * (size_t)r.info.output_width))) ERREXIT1(&r.info, JERR_OUT_OF_MEMORY, 0);
    decode_rows(&r, part, row, rgb);
    jpeg_finish_decompress(&r.info);
  }
  jpeg_destroy_decompress(&r.info);
  free(row);
  return r.status;
}
