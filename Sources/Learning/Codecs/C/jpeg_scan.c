// Entropy-coded scans of JPEG: ITU-T T.81, sections F.2 (sequential) and G.1.2, G.2 (progressive), Huffman coding.
#include <string.h>
#include "jpeg.h"

const uint8_t jpeg_natural[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
                                  41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
                                  30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

typedef struct {
  const uint8_t *at, *end;
  uint32_t held;
  int bits;
  int missing;  // bits that were asked for beyond the data
  int is_damaged;
  int first, last, high, low;  // spectral band and bit positions of a progressive scan
  int end_of_band;             // blocks that the current run of ends still covers
} scan;

static int next_bit(scan *s) {
  if (s->bits == 0) {
    s->held = 0;
    s->bits = 8;
    if (s->at < s->end && (*s->at != 0xFF || (s->at + 1 < s->end && s->at[1] == 0))) {
      s->held = *s->at;
      s->at += *s->at == 0xFF ? 2 : 1;
    } else {
      s->missing += 8;  // a marker, or the end: zeros from here on
    }
  }
  s->bits--;
  return s->held >> s->bits & 1;
}

static int receive(scan *s, int count) {
  int value = 0;
  while (count-- > 0) value = value << 1 | next_bit(s);
  return value;
}

/// T.81 figure F.12: the top half of the codes are positive values.
static int extend(int value, int size) { return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value; }

/// T.81 figure F.16: codes of equal length are consecutive.
static int decode_symbol(scan *s, const jpeg_huffman *table) {
  int code = 0, first = 0, index = 0;
  for (int length = 1; length <= 16; length++) {
    code |= next_bit(s);
    int count = table->count[length];
    if (code - first < count) return table->symbol[index + code - first];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  s->is_damaged = 1;
  return 0;
}

static void sequential_block(scan *s, const jpeg_image *image, jpeg_component *c, int16_t *block) {
  int size = decode_symbol(s, &image->dc[c->dc]) & 15;
  c->predictor = (int16_t)(c->predictor + extend(receive(s, size), size));
  block[0] = (int16_t)c->predictor;
  for (int k = 1; k < 64;) {
    int symbol = decode_symbol(s, &image->ac[c->ac]), run = symbol >> 4;
    size = symbol & 15;
    if (size == 0) {
      if (run != 15) return;
      k += 16;
      continue;
    }
    k += run;
    if (k > 63) {
      s->is_damaged = 1;
      return;
    }
    block[jpeg_natural[k++]] = (int16_t)extend(receive(s, size), size);
  }
}

static void progressive_dc(scan *s, const jpeg_image *image, jpeg_component *c, int16_t *block) {
  if (s->high != 0) {
    if (next_bit(s)) block[0] |= (int16_t)(1 << s->low);
    return;
  }
  int size = decode_symbol(s, &image->dc[c->dc]) & 15;
  c->predictor = (int16_t)(c->predictor + extend(receive(s, size), size));
  block[0] = (int16_t)((uint32_t)c->predictor << s->low);
}

static void progressive_ac_first(scan *s, const jpeg_image *image, jpeg_component *c, int16_t *block) {
  if (s->end_of_band > 0) {
    s->end_of_band--;
    return;
  }
  for (int k = s->first; k <= s->last;) {
    int symbol = decode_symbol(s, &image->ac[c->ac]), run = symbol >> 4, size = symbol & 15;
    if (size == 0) {
      if (run != 15) {
        s->end_of_band = (1 << run) - 1 + receive(s, run);
        return;
      }
      k += 16;
      continue;
    }
    k += run;
    if (k > 63) {
      s->is_damaged = 1;
      return;
    }
    block[jpeg_natural[k++]] = (int16_t)((uint32_t)extend(receive(s, size), size) << s->low);
  }
}

/// One more bit for a coefficient that is already known not to be zero.
static void refine(scan *s, int16_t *coefficient) {
  int bit = 1 << s->low;
  if (next_bit(s) && (*coefficient & bit) == 0) *coefficient += (int16_t)(*coefficient >= 0 ? bit : -bit);
}

static void progressive_ac_refine(scan *s, const jpeg_image *image, jpeg_component *c, int16_t *block) {
  int k = s->first;
  if (s->end_of_band == 0) {
    while (k <= s->last) {
      int symbol = decode_symbol(s, &image->ac[c->ac]), run = symbol >> 4, value = 0;
      if ((symbol & 15) != 0) {
        value = next_bit(s) ? 1 << s->low : -(1 << s->low);
      } else if (run != 15) {
        s->end_of_band = (1 << run) + receive(s, run);
        break;
      }
      // Skip `run` zeros, refining what is not zero on the way.
      for (; k <= s->last; k++) {
        int16_t *coefficient = &block[jpeg_natural[k]];
        if (*coefficient != 0) {
          refine(s, coefficient);
        } else if (run-- == 0) {
          if (value != 0) *coefficient = (int16_t)value;
          k++;
          break;
        }
      }
      if (s->is_damaged || s->missing > 64) return;
    }
  }
  if (s->end_of_band > 0) {
    for (; k <= s->last; k++) {
      if (block[jpeg_natural[k]] != 0) refine(s, &block[jpeg_natural[k]]);
    }
    s->end_of_band--;
  }
}

static void decode_block(scan *s, const jpeg_image *image, jpeg_component *c, int column, int row) {
  int16_t *block = c->blocks + 64 * ((size_t)row * c->stride + column);
  if (!image->is_progressive) sequential_block(s, image, c, block);
  else if (s->first == 0) progressive_dc(s, image, c, block);
  else if (s->high == 0) progressive_ac_first(s, image, c, block);
  else progressive_ac_refine(s, image, c, block);
}

/// Skips to the restart marker and starts anew behind it. Returns 0 if there is none.
static int restart(scan *s, jpeg_component **parts, int count) {
  s->bits = 0;
  s->end_of_band = 0;
  s->missing = 0;
  for (int i = 0; i < count; i++) parts[i]->predictor = 0;
  while (s->at + 1 < s->end && s->at[0] == 0xFF && s->at[1] == 0xFF) s->at++;
  if (s->at + 1 >= s->end || s->at[0] != 0xFF || s->at[1] < 0xD0 || s->at[1] > 0xD7) return 0;
  s->at += 2;
  return 1;
}

static bss_image_status run(scan *s, jpeg_image *image, jpeg_component **parts, int count) {
  int is_interleaved = count > 1;
  int columns = is_interleaved ? parts[0]->stride / parts[0]->h : parts[0]->columns;
  int rows = is_interleaved ? parts[0]->capacity / parts[0]->v : parts[0]->rows;
  int64_t units = (int64_t)columns * rows;
  for (int64_t unit = 0; unit < units; unit++) {
    if (image->restart_interval > 0 && unit > 0 && unit % image->restart_interval == 0 && !restart(s, parts, count)) {
      return s->at + 1 >= s->end ? BSS_IMAGE_TRUNCATED : BSS_IMAGE_DAMAGED;
    }
    int column = (int)(unit % columns), row = (int)(unit / columns);
    if (!is_interleaved) {
      decode_block(s, image, parts[0], column, row);
    } else {
      for (int i = 0; i < count; i++) {
        for (int y = 0; y < parts[i]->v; y++) {
          for (int x = 0; x < parts[i]->h; x++) decode_block(s, image, parts[i], column * parts[i]->h + x, row * parts[i]->v + y);
        }
      }
    }
    if (s->is_damaged) return s->missing > 0 && s->at + 1 >= s->end ? BSS_IMAGE_TRUNCATED : BSS_IMAGE_DAMAGED;
    // The last block may end inside a byte; several whole bytes beyond the data mean that it is not all there.
    if (s->missing > 32) return s->at + 1 >= s->end ? BSS_IMAGE_TRUNCATED : BSS_IMAGE_DAMAGED;
  }
  return BSS_IMAGE_OK;
}

bss_image_status jpeg_decode_scan(jpeg_image *image) {
  const uint8_t *header = image->bytes + image->at;
  size_t length = (size_t)header[0] << 8 | header[1];
  int count = length >= 3 ? header[2] : 0;
  if (!image->has_frame || count < 1 || count > image->components || length != (size_t)(6 + 2 * count)) return BSS_IMAGE_DAMAGED;
  jpeg_component *parts[4];
  for (int i = 0; i < count; i++) {
    parts[i] = NULL;
    for (int c = 0; c < image->components; c++) {
      if (image->component[c].id == header[3 + 2 * i]) parts[i] = &image->component[c];
    }
    for (int earlier = 0; earlier < i; earlier++) if (parts[earlier] == parts[i]) return BSS_IMAGE_DAMAGED;
    if (!parts[i]) return BSS_IMAGE_DAMAGED;
    parts[i]->dc = header[4 + 2 * i] >> 4 & 3;
    parts[i]->ac = header[4 + 2 * i] & 3;
    parts[i]->predictor = 0;
  }
  const uint8_t *band = header + 3 + 2 * count;
  scan s = {image->bytes + image->at + length, image->bytes + image->count, 0, 0, 0, 0, band[0], band[1], band[2] >> 4, band[2] & 15, 0};
  if (image->is_progressive) {
    if (s.first > s.last || s.last > 63 || s.low > 13 || (s.first == 0 && s.last != 0) || (s.first > 0 && count != 1)) return BSS_IMAGE_DAMAGED;
  }
  for (int i = 0; i < count; i++) {
    int needs_dc = s.first == 0 && s.high == 0, needs_ac = !image->is_progressive || s.first > 0;
    if ((needs_dc && !image->dc[parts[i]->dc].is_set) || (needs_ac && !image->ac[parts[i]->ac].is_set)) return BSS_IMAGE_DAMAGED;
  }
  bss_image_status status = run(&s, image, parts, count);
  // To the next marker that is no restart and no stuffed byte.
  while (s.at + 1 < s.end && (s.at[0] != 0xFF || s.at[1] == 0 || s.at[1] == 0xFF || (s.at[1] >= 0xD0 && s.at[1] <= 0xD7))) s.at++;
  image->at = (size_t)(s.at - image->bytes);
  return status;
}
