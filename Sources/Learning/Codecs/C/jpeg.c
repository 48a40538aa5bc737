// JPEG decoder: ITU-T T.81, baseline and progressive, 8 bits, one or three components.
// Its arithmetic is that of the IJG library's defaults, so that pixels agree with what Pillow and torchvision read:
// integer inverse DCT (C. Loeffler, A. Ligtenberg, G. Moschytz, ICASSP 1989), triangle-filter chroma upsampling.
#include <stdlib.h>
#include <string.h>
#include "jpeg.h"

static int big16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static uint8_t clamped(int64_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

// MARK: Markers

static bss_image_status quantisation_tables(jpeg_image *m, const uint8_t *p, size_t length) {
  while (length > 0) {
    int wide = p[0] >> 4, id = p[0] & 15;
    size_t need = 1 + (size_t)(wide ? 128 : 64);
    if (wide > 1 || id > 3 || length < need) return BSS_IMAGE_DAMAGED;
    for (int i = 0; i < 64; i++) m->quantisation[id][jpeg_natural[i]] = (uint16_t)(wide ? big16(p + 1 + 2 * i) : p[1 + i]);
    p += need, length -= need;
  }
  return BSS_IMAGE_OK;
}

static bss_image_status huffman_tables(jpeg_image *m, const uint8_t *p, size_t length) {
  while (length > 0) {
    if (length < 17 || (p[0] >> 4) > 1 || (p[0] & 15) > 3) return BSS_IMAGE_DAMAGED;
    jpeg_huffman *table = p[0] >> 4 ? &m->ac[p[0] & 15] : &m->dc[p[0] & 15];
    int total = 0, code = 0;
    memset(table, 0, sizeof *table);
    for (int i = 1; i <= 16; i++) {
      table->count[i] = p[i];
      total += p[i];
      code = (code + p[i]) << 1;
      if (code > 1 << (i + 1)) return BSS_IMAGE_DAMAGED;
    }
    if (total > 256 || length < (size_t)(17 + total)) return BSS_IMAGE_DAMAGED;
    memcpy(table->symbol, p + 17, (size_t)total);
    table->is_set = 1;
    p += 17 + total, length -= (size_t)(17 + total);
  }
  return BSS_IMAGE_OK;
}

static bss_image_status frame(jpeg_image *m, const uint8_t *p, size_t length, int needs_blocks) {
  if (m->has_frame || length < 6 || length != 6 + 3 * (size_t)p[5]) return BSS_IMAGE_DAMAGED;
  m->height = big16(p + 1), m->width = big16(p + 3), m->components = p[5];
  if (p[0] != 8 || (m->components != 1 && m->components != 3) || m->height == 0) return BSS_IMAGE_UNSUPPORTED;
  if (m->width == 0) return BSS_IMAGE_DAMAGED;
  if ((uint64_t)m->width * (uint64_t)m->height > (uint64_t)1 << 28) return BSS_IMAGE_TOO_LARGE;
  for (int i = 0; i < m->components; i++) {
    jpeg_component *c = &m->component[i];
    c->id = p[6 + 3 * i], c->h = p[7 + 3 * i] >> 4, c->v = p[7 + 3 * i] & 15, c->table = p[8 + 3 * i];
    if (c->h < 1 || c->h > 4 || c->v < 1 || c->v > 4 || c->table > 3) return BSS_IMAGE_DAMAGED;
    if (c->h > m->hmax) m->hmax = c->h;
    if (c->v > m->vmax) m->vmax = c->v;
  }
  m->has_frame = 1;
  int across = (m->width + 8 * m->hmax - 1) / (8 * m->hmax), down = (m->height + 8 * m->vmax - 1) / (8 * m->vmax);
  for (int i = 0; i < m->components; i++) {
    jpeg_component *c = &m->component[i];
    if (m->hmax % c->h != 0 || m->vmax % c->v != 0) return BSS_IMAGE_UNSUPPORTED;
    c->width = (m->width * c->h + m->hmax - 1) / m->hmax, c->height = (m->height * c->v + m->vmax - 1) / m->vmax;
    c->columns = (c->width + 7) / 8, c->rows = (c->height + 7) / 8;
    c->stride = across * c->h, c->capacity = down * c->v;
    if (!needs_blocks) continue;
    c->blocks = calloc((size_t)c->stride * (size_t)c->capacity, 64 * sizeof(int16_t));
    c->samples = malloc((size_t)c->stride * (size_t)c->capacity * 64);
    if (!c->blocks || !c->samples) return BSS_IMAGE_TOO_LARGE;
  }
  return BSS_IMAGE_OK;
}

/// Reads markers up to the end of the image; without `needs_blocks` only up to the frame header.
static bss_image_status read_markers(jpeg_image *m, int needs_blocks) {
  if (m->count < 2 || m->bytes[0] != 0xFF || m->bytes[1] != 0xD8) return BSS_IMAGE_FOREIGN;
  int scans = 0;
  m->adobe_transform = -1;
  for (m->at = 2;;) {
    while (m->at + 1 < m->count && m->bytes[m->at] == 0xFF && m->bytes[m->at + 1] == 0xFF) m->at++;
    if (m->count - m->at < 2) return BSS_IMAGE_TRUNCATED;
    if (m->bytes[m->at] != 0xFF) return BSS_IMAGE_DAMAGED;
    int marker = m->bytes[m->at + 1];
    m->at += 2;
    if (marker == 0xD9) return scans > 0 ? BSS_IMAGE_OK : BSS_IMAGE_DAMAGED;
    if (m->count - m->at < 2) return BSS_IMAGE_TRUNCATED;
    size_t length = (size_t)big16(m->bytes + m->at);
    if (length < 2) return BSS_IMAGE_DAMAGED;
    if (length > m->count - m->at) return BSS_IMAGE_TRUNCATED;
    const uint8_t *body = m->bytes + m->at + 2;
    bss_image_status status = BSS_IMAGE_OK;
    switch (marker) {
      case 0xDB: status = quantisation_tables(m, body, length - 2); break;
      case 0xC4: status = huffman_tables(m, body, length - 2); break;
      case 0xC0: case 0xC1: case 0xC2:
        m->is_progressive = marker == 0xC2;
        status = frame(m, body, length - 2, needs_blocks);
        if (status == BSS_IMAGE_OK && !needs_blocks) return status;
        break;
      case 0xDD:
        if (length != 4) return BSS_IMAGE_DAMAGED;
        m->restart_interval = big16(body);
        break;
      case 0xEE:
        if (length >= 14 && memcmp(body, "Adobe", 5) == 0) m->adobe_transform = body[11];
        break;
      case 0xDA:
        status = jpeg_decode_scan(m);
        if (status != BSS_IMAGE_OK) return status;
        scans++;
        continue;
      case 0xC3: case 0xC5: case 0xC6: case 0xC7: case 0xC9: case 0xCA: case 0xCB: case 0xCD: case 0xCE: case 0xCF:
        return BSS_IMAGE_UNSUPPORTED;  // lossless, hierarchical, arithmetic coding
      default: break;
    }
    if (status != BSS_IMAGE_OK) return status;
    m->at += length;
  }
}

// MARK: Inverse DCT

// cos and sin of the rotations, scaled by 2^13.
enum { F_0_298 = 2446, F_0_390 = 3196, F_0_541 = 4433, F_0_765 = 6270, F_0_899 = 7373, F_1_175 = 9633, F_1_501 = 12299, F_1_847 = 15137,
       F_1_961 = 16069, F_2_053 = 16819, F_2_562 = 20995, F_3_072 = 25172 };

/// One 8-point transform; results carry 13 more fraction bits than the input. 64 bits wide, so that damaged files cannot overflow it.
static void inverse8(const int64_t in[8], int64_t out[8]) {
  int64_t z = (in[2] + in[6]) * F_0_541;
  int64_t e2 = z - in[6] * F_1_847, e3 = z + in[2] * F_0_765;
  int64_t e0 = (in[0] + in[4]) * 8192, e1 = (in[0] - in[4]) * 8192;
  int64_t even[4] = {e0 + e3, e1 + e2, e1 - e2, e0 - e3};
  int64_t a = in[7], b = in[5], c = in[3], d = in[1];
  int64_t z1 = -(a + d) * F_0_899, z2 = -(b + c) * F_2_562, z5 = (a + c + b + d) * F_1_175;
  int64_t z3 = z5 - (a + c) * F_1_961, z4 = z5 - (b + d) * F_0_390;
  int64_t odd[4] = {d * F_1_501 + z1 + z4, c * F_3_072 + z2 + z3, b * F_2_053 + z2 + z4, a * F_0_298 + z1 + z3};
  for (int i = 0; i < 4; i++) out[i] = even[i] + odd[i], out[7 - i] = even[i] - odd[i];
}

static void inverse_dct(const int16_t *block, const uint16_t *quantisation, uint8_t *to, size_t stride) {
  int64_t work[64], in[8], out[8];
  for (int x = 0; x < 8; x++) {
    for (int y = 0; y < 8; y++) in[y] = (int64_t)block[8 * y + x] * quantisation[8 * y + x];
    inverse8(in, out);
    for (int y = 0; y < 8; y++) work[8 * y + x] = (out[y] + (1 << 10)) >> 11;  // two fraction bits stay
  }
  for (int y = 0; y < 8; y++) {
    inverse8(work + 8 * y, out);
    for (int x = 0; x < 8; x++) to[y * stride + (size_t)x] = clamped(((out[x] + (1 << 17)) >> 18) + 128);
  }
}

// MARK: Upsampling and colour

/// Row `y` of component `c` at full resolution. Triangle filter for factors of 2 (3/4 of the near sample, 1/4 of the far
/// one), repetition otherwise and for components two samples wide or less.
static void upsampled_row(const jpeg_image *m, const jpeg_component *c, int y, uint8_t *to, int32_t *sums) {
  int fx = m->hmax / c->h, fy = m->vmax / c->v, width = c->width;
  size_t stride = (size_t)c->stride * 8;
  const uint8_t *near = c->samples + (size_t)(y / fy) * stride;
  int is_fine = width > 2 && (fx == 2 || (fx == 1 && fy == 2)) && fy <= 2;
  if (!is_fine) {
    for (int x = 0; x < m->width; x++) to[x] = near[x / fx];
    return;
  }
  int32_t unit = 1;
  for (int x = 0; x < width; x++) sums[x] = near[x];
  if (fy == 2) {
    int other = y / 2 + (y % 2 == 0 ? -1 : 1);
    other = other < 0 ? 0 : other >= c->height ? c->height - 1 : other;
    const uint8_t *far = c->samples + (size_t)other * stride;
    for (int x = 0; x < width; x++) sums[x] = 3 * near[x] + far[x];
    unit = 4;
  }
  if (fx == 1) {
    for (int x = 0; x < m->width; x++) to[x] = (uint8_t)((sums[x] + (y % 2 == 0 ? 1 : 2)) >> 2);
    return;
  }
  // Rounding alternates, so that no brightness is gained or lost on average.
  int shift = unit == 4 ? 4 : 2, even = unit == 4 ? 8 : 1, odd = unit == 4 ? 7 : 2;
  for (int x = 0; x < m->width; x++) {
    int at = x / 2, beside = x % 2 == 0 ? at - 1 : at + 1;
    if (beside < 0 || beside >= width) to[x] = (uint8_t)(unit == 4 ? (4 * sums[at] + (x % 2 == 0 ? 8 : 7)) >> 4 : sums[at]);
    else to[x] = (uint8_t)((3 * sums[at] + sums[beside] + (x % 2 == 0 ? even : odd)) >> shift);
  }
}

static int fixed(double value) { return (int)(value * 65536 + 0.5); }

/// ITU-R 601 YCbCr → RGB with 16 fraction bits.
static void to_rgb(uint8_t *const row[3], int width, uint8_t *rgb) {
  const int half = 1 << 15, red = fixed(1.402), blue = fixed(1.772), green_cb = fixed(0.34414), green_cr = fixed(0.71414);
  for (int x = 0; x < width; x++) {
    int y = row[0][x], cb = row[1][x] - 128, cr = row[2][x] - 128;
    rgb[3 * x] = clamped(y + ((red * cr + half) >> 16));
    rgb[3 * x + 1] = clamped(y + ((-green_cb * cb + half - green_cr * cr) >> 16));
    rgb[3 * x + 2] = clamped(y + ((blue * cb + half) >> 16));
  }
}

static bss_image_status pixels(jpeg_image *m, uint8_t *rgb) {
  for (int i = 0; i < m->components; i++) {
    jpeg_component *c = &m->component[i];
    size_t stride = (size_t)c->stride * 8;
    for (int row = 0; row < c->capacity; row++) {
      for (int column = 0; column < c->stride; column++) {
        inverse_dct(c->blocks + 64 * ((size_t)row * c->stride + column), m->quantisation[c->table], c->samples + (size_t)row * 8 * stride + (size_t)column * 8, stride);
      }
    }
  }
  size_t width = (size_t)m->width;
  uint8_t *rows = malloc(3 * width);
  int32_t *sums = malloc((width + 8) * sizeof *sums);
  if (rows && sums) {
    uint8_t *row[3] = {rows, rows + width, rows + 2 * width};
    int is_rgb = m->components == 3 && (m->adobe_transform == 0 || (m->adobe_transform < 0 && m->component[0].id == 'R' && m->component[1].id == 'G' && m->component[2].id == 'B'));
    for (int y = 0; y < m->height; y++) {
      uint8_t *to = rgb + 3 * width * (size_t)y;
      for (int i = 0; i < m->components; i++) upsampled_row(m, &m->component[i], y, row[i], sums);
      if (m->components == 3 && !is_rgb) to_rgb(row, m->width, to);
      else for (size_t x = 0; x < width; x++) for (int i = 0; i < 3; i++) to[3 * x + (size_t)i] = row[m->components == 1 ? 0 : i][x];
    }
  }
  bss_image_status status = rows && sums ? BSS_IMAGE_OK : BSS_IMAGE_TOO_LARGE;
  free(rows);
  free(sums);
  return status;
}

bss_image_status bss_jpeg_size(const uint8_t *bytes, size_t count, bss_image_size *size) {
  jpeg_image m = {.bytes = bytes, .count = count};
  bss_image_status status = read_markers(&m, 0);
  *size = (bss_image_size){(uint32_t)m.width, (uint32_t)m.height, 0};
  return status;
}

bss_image_status bss_jpeg_decode(const uint8_t *bytes, size_t count, uint8_t *rgb) {
  bss_image_size size;
  bss_image_status status = bss_jpeg_size(bytes, count, &size);
  if (status == BSS_IMAGE_OK && jpeg_turbo_decode(bytes, count, (int)size.width, (int)size.height, rgb)) return status;
  return bss_jpeg_decode_plainly(bytes, count, rgb);
}

bss_image_status bss_jpeg_decode_plainly(const uint8_t *bytes, size_t count, uint8_t *rgb) {
  jpeg_image m = {.bytes = bytes, .count = count};
  bss_image_status status = read_markers(&m, 1);
  if (status == BSS_IMAGE_OK) status = pixels(&m, rgb);
  for (int i = 0; i < 4; i++) {
    free(m.component[i].blocks);
    free(m.component[i].samples);
  }
  return status;
}
