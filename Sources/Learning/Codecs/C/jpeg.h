// Shared by the two halves of the JPEG decoder: markers and pixels (jpeg.c), entropy-coded scans (jpeg_scan.c).
#pragma once
#include "CBSSCodecs.h"

typedef struct {
  uint8_t count[17];    // codes of each length
  uint8_t symbol[256];  // in code order
  int is_set;
} jpeg_huffman;

typedef struct {
  int id, h, v, table;   // sampling factors, quantisation table
  int width, height;     // true samples
  int columns, rows;     // blocks that hold true samples
  int stride, capacity;  // blocks a row, and rows, in whole units of the interleaved scan
  int16_t *blocks;       // 64 coefficients a block, natural order
  uint8_t *samples;      // stride * 8 wide
  int dc, ac;            // Huffman tables of the current scan
  int predictor;
} jpeg_component;

typedef struct {
  const uint8_t *bytes;
  size_t count, at;
  int width, height, components, is_progressive, has_frame, restart_interval;
  int hmax, vmax, adobe_transform;  // -1: no Adobe marker
  uint16_t quantisation[4][64];     // natural order
  jpeg_huffman dc[4], ac[4];
  jpeg_component component[4];
} jpeg_image;

/// Zigzag position → natural position.
extern const uint8_t jpeg_natural[64];

/// Decodes the scan whose header starts at image->at; leaves `at` on the marker that follows.
bss_image_status jpeg_decode_scan(jpeg_image *image);

/// turbo.c: 1 if libjpeg-turbo is there and decoded the picture without a complaint.
int jpeg_turbo_decode(const uint8_t *bytes, size_t count, int width, int height, uint8_t *rgb);
