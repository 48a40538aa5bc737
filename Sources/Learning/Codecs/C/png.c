// PNG decoder: ISO/IEC 15948 (W3C PNG, second edition), all colour types, depths and the Adam7 interlace.
// 16-bit samples become 8-bit as Pillow does it: the high byte, except greyscale without alpha, which saturates
// (Pillow opens it as "I;16", whose conversion clips at 255).
#include <stdlib.h>
#include <string.h>
#include "CBSSCodecs.h"

typedef struct {
  uint32_t width, height;
  int depth, colour, interlaced, channels;
  int has_transparency;
  uint16_t key[3];  // the transparent colour of a tRNS chunk
  uint8_t palette[256][4];
  int palette_size;
  size_t compressed;  // bytes in all IDAT chunks
} header;

static uint32_t big32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static uint16_t big16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static int is_legal(int colour, int depth) {
  switch (colour) {
    case 0: return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3: return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2: case 4: case 6: return depth == 8 || depth == 16;
    default: return 0;
  }
}

/// Walks the chunks once. With `data`, IDAT payloads are appended there; otherwise only counted.
static bss_image_status scan(const uint8_t *bytes, size_t count, header *h, uint8_t *data) {
  static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  if (count < 8 || memcmp(bytes, signature, 8) != 0) return BSS_IMAGE_FOREIGN;
  memset(h, 0, sizeof *h);
  for (size_t at = 8;;) {
    if (count - at < 12) return BSS_IMAGE_TRUNCATED;
    size_t length = big32(bytes + at);
    if (length > count - at - 12) return BSS_IMAGE_TRUNCATED;
    const uint8_t *type = bytes + at + 4, *body = type + 4;
    int is_critical = (type[0] & 0x20) == 0;
    if ((is_critical || memcmp(type, "tRNS", 4) == 0) && bss_crc32(0, type, length + 4) != big32(body + length)) return BSS_IMAGE_DAMAGED;
    if (at == 8 && memcmp(type, "IHDR", 4) != 0) return BSS_IMAGE_DAMAGED;
    if (memcmp(type, "IHDR", 4) == 0) {
      if (at != 8 || length != 13) return BSS_IMAGE_DAMAGED;
      h->width = big32(body), h->height = big32(body + 4);
      h->depth = body[8], h->colour = body[9], h->interlaced = body[12];
      if (h->width == 0 || h->height == 0 || !is_legal(h->colour, h->depth) || body[10] != 0 || body[11] != 0 || body[12] > 1) return BSS_IMAGE_DAMAGED;
      if ((uint64_t)h->width * h->height > (uint64_t)1 << 28) return BSS_IMAGE_TOO_LARGE;
      h->channels = h->colour == 2 ? 3 : h->colour == 4 ? 2 : h->colour == 6 ? 4 : 1;
    } else if (memcmp(type, "PLTE", 4) == 0) {
      if (length % 3 != 0 || length > 768) return BSS_IMAGE_DAMAGED;
      h->palette_size = (int)(length / 3);
      for (int i = 0; i < h->palette_size; i++) {
        memcpy(h->palette[i], body + 3 * i, 3);
        h->palette[i][3] = 255;
      }
    } else if (memcmp(type, "tRNS", 4) == 0) {
      h->has_transparency = 1;
      if (h->colour == 3) for (size_t i = 0; i < length && i < 256; i++) h->palette[i][3] = body[i];
      else if (h->colour == 0 && length >= 2) h->key[0] = big16(body);
      else if (h->colour == 2 && length >= 6) for (int i = 0; i < 3; i++) h->key[i] = big16(body + 2 * i);
      else h->has_transparency = 0;
    } else if (memcmp(type, "IDAT", 4) == 0) {
      if (data) memcpy(data + h->compressed, body, length);
      h->compressed += length;
    } else if (memcmp(type, "IEND", 4) == 0) {
      break;
    } else if (is_critical) {
      return BSS_IMAGE_UNSUPPORTED;
    }
    at += length + 12;
  }
  if (h->compressed == 0 || (h->colour == 3 && h->palette_size == 0)) return BSS_IMAGE_DAMAGED;
  return BSS_IMAGE_OK;
}

// The seven passes of Adam7; a plain image is one pass with steps of 1.
static const uint8_t first_x[7] = {0, 4, 0, 2, 0, 1, 0}, first_y[7] = {0, 0, 4, 0, 2, 0, 1};
static const uint8_t step_x[7] = {8, 8, 4, 4, 2, 2, 1}, step_y[7] = {8, 8, 8, 4, 4, 2, 2};

typedef struct { uint32_t x, y, dx, dy, width, height; size_t row_bytes; } pass;

static int passes(const header *h, pass out[7]) {
  int used = 0;
  for (int i = 0; i < (h->interlaced ? 7 : 1); i++) {
    pass p = {0, 0, 1, 1, h->width, h->height, 0};
    if (h->interlaced) {
      p.x = first_x[i], p.y = first_y[i], p.dx = step_x[i], p.dy = step_y[i];
      p.width = h->width > p.x ? (h->width - p.x + p.dx - 1) / p.dx : 0;
      p.height = h->height > p.y ? (h->height - p.y + p.dy - 1) / p.dy : 0;
    }
    if (p.width == 0 || p.height == 0) continue;
    p.row_bytes = ((size_t)p.width * h->channels * h->depth + 7) / 8;
    out[used++] = p;
  }
  return used;
}

static int paeth(int a, int b, int c) {
  int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/// Undoes one row's filter in place; `above` may be NULL. Returns 0 for an unknown filter.
static int unfilter(int filter, uint8_t *row, const uint8_t *above, size_t count, size_t unit) {
  for (size_t i = 0; i < count; i++) {
    int a = i >= unit ? row[i - unit] : 0, b = above ? above[i] : 0, c = above && i >= unit ? above[i - unit] : 0;
    switch (filter) {
      case 0: return 1;
      case 1: row[i] += (uint8_t)a; break;
      case 2: row[i] += (uint8_t)b; break;
      case 3: row[i] += (uint8_t)((a + b) / 2); break;
      case 4: row[i] += (uint8_t)paeth(a, b, c); break;
      default: return 0;
    }
  }
  return filter <= 4;
}

/// Expands pixel `x` of an unfiltered row to RGBA. Returns 0 for a palette index out of range.
static int expand(const header *h, const uint8_t *row, uint32_t x, uint8_t *to) {
  uint16_t v[4];
  if (h->depth == 16) for (int c = 0; c < h->channels; c++) v[c] = big16(row + 2 * ((size_t)x * h->channels + c));
  else if (h->depth == 8) for (int c = 0; c < h->channels; c++) v[c] = row[(size_t)x * h->channels + c];
  else v[0] = row[(size_t)x * h->depth / 8] >> (8 - h->depth - x * h->depth % 8) & ((1 << h->depth) - 1);
  int down = h->depth == 16 ? 8 : 0;
  to[3] = 255;
  switch (h->colour) {
    case 0:
      if (h->has_transparency && v[0] == h->key[0]) to[3] = 0;
      to[0] = to[1] = to[2] = (uint8_t)(h->depth == 16 ? (v[0] > 255 ? 255 : v[0]) : h->depth == 8 ? v[0] : v[0] * 255 / ((1 << h->depth) - 1));
      break;
    case 3:
      if (v[0] >= h->palette_size) return 0;
      memcpy(to, h->palette[v[0]], 4);
      break;
    case 4:
      to[0] = to[1] = to[2] = (uint8_t)(v[0] >> down);
      to[3] = (uint8_t)(v[1] >> down);
      break;
    default:
      if (h->colour == 2 && h->has_transparency && v[0] == h->key[0] && v[1] == h->key[1] && v[2] == h->key[2]) to[3] = 0;
      for (int c = 0; c < h->channels; c++) to[c] = (uint8_t)(v[c] >> down);
  }
  return 1;
}

bss_image_status bss_png_size(const uint8_t *bytes, size_t count, bss_image_size *size) {
  header h;
  bss_image_status status = scan(bytes, count, &h, NULL);
  *size = (bss_image_size){h.width, h.height, h.has_transparency || h.colour == 4 || h.colour == 6};
  return status;
}

static bss_image_status decode_rows(const header *h, const pass *list, int used, uint8_t *raw, uint8_t *rgba) {
  size_t unit = (size_t)(h->channels * h->depth + 7) / 8;
  for (int i = 0; i < used; i++) {
    const pass *p = &list[i];
    const uint8_t *above = NULL;
    for (uint32_t y = 0; y < p->height; y++) {
      uint8_t *row = raw + 1;
      if (!unfilter(raw[0], row, above, p->row_bytes, unit)) return BSS_IMAGE_DAMAGED;
      for (uint32_t x = 0; x < p->width; x++) {
        size_t at = (size_t)(p->y + y * p->dy) * h->width + p->x + x * p->dx;
        if (!expand(h, row, x, rgba + 4 * at)) return BSS_IMAGE_DAMAGED;
      }
      above = row;
      raw += p->row_bytes + 1;
    }
  }
  return BSS_IMAGE_OK;
}

bss_image_status bss_png_decode(const uint8_t *bytes, size_t count, uint8_t *rgba) {
  header h;
  bss_image_status status = scan(bytes, count, &h, NULL);
  if (status != BSS_IMAGE_OK) return status;
  pass list[7];
  int used = passes(&h, list);
  size_t total = 0;
  for (int i = 0; i < used; i++) total += (list[i].row_bytes + 1) * list[i].height;
  uint8_t *data = malloc(h.compressed), *raw = malloc(total);
  if (!data || !raw) {
    status = BSS_IMAGE_TOO_LARGE;
  } else {
    status = scan(bytes, count, &h, data);
    if (status == BSS_IMAGE_OK && bss_inflate(data, h.compressed, raw, total, 0) != (int64_t)total) status = BSS_IMAGE_DAMAGED;
    if (status == BSS_IMAGE_OK) status = decode_rows(&h, list, used, raw, rgba);
  }
  free(data);
  free(raw);
  return status;
}
