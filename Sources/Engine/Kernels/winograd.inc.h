// 3 x 3 convolution of stride 1 by minimal filtering, F(2x2, 3x3): a tile of 2 x 2 outputs takes 16
// products a channel instead of 36 (Winograd 1980; Lavin and Gray, CVPR 2016, section 4.1).
//
//   y = A' [ sum over channels (G w G') . (B' d B) ] A      d: 4 x 4 patch of x, w: 3 x 3 filter
//
//        | 1  0 -1  0 |        |  1    0    0  |        | 1  0 |
//   B' = | 0  1  1  0 |   G =  | 1/2  1/2  1/2 |   A =  | 1  1 |
//        | 0 -1  1  0 |        | 1/2 -1/2  1/2 |        | 1 -1 |
//        | 0  1  0 -1 |        |  0    0    1  |        | 0 -1 |
//
// For each of the 16 positions p the sum is a matrix product M_p [tiles, O] = V_p [tiles, C] U_p
// [C, O]. Gradients are the adjoints: dU_p = V_p' dM_p with dM = A dy A', dw = G' dU G. Channels
// come WL at a time.

#if NV > 1
#define WV f32x16
#define WVU f32x16u
#define WL 16
#else
#define WV f32x8
#define WVU f32x8u
#define WL 8
#endif

// MARK: The transforms of a tile; d[i][j] are vectors of channels

#define EACH _Pragma("clang loop unroll(full)") for (int k = 0; k < 4; k++)

/// d = B' d B
INLINE void FN(to_patch_space)(WV d[4][4]) {
  EACH {
    const WV a = d[0][k] - d[2][k], b = d[1][k] + d[2][k], c = d[2][k] - d[1][k],
             e = d[1][k] - d[3][k];
    d[0][k] = a, d[1][k] = b, d[2][k] = c, d[3][k] = e;
  }
  EACH {
    const WV a = d[k][0] - d[k][2], b = d[k][1] + d[k][2], c = d[k][2] - d[k][1],
             e = d[k][1] - d[k][3];
    d[k][0] = a, d[k][1] = b, d[k][2] = c, d[k][3] = e;
  }
}

/// y = A' m A
INLINE void FN(to_outputs)(WV m[4][4], WV y[2][2]) {
  WV t[2][4];
  EACH {
    t[0][k] = m[0][k] + m[1][k] + m[2][k];
    t[1][k] = m[1][k] - m[2][k] - m[3][k];
  }
  for (int i = 0; i < 2; i++) {
    y[i][0] = t[i][0] + t[i][1] + t[i][2];
    y[i][1] = t[i][1] - t[i][2] - t[i][3];
  }
}

/// m = A y A'
INLINE void FN(from_outputs)(WV y[2][2], WV m[4][4]) {
  WV t[4][2];
  for (int j = 0; j < 2; j++) {
    t[0][j] = y[0][j];
    t[1][j] = y[0][j] + y[1][j];
    t[2][j] = y[0][j] - y[1][j];
    t[3][j] = -y[1][j];
  }
  EACH {
    m[k][0] = t[k][0];
    m[k][1] = t[k][0] + t[k][1];
    m[k][2] = t[k][0] - t[k][1];
    m[k][3] = -t[k][1];
  }
}

/// u = G w G'
INLINE void FN(to_filter_space)(WV w[3][3], WV u[4][4]) {
  WV t[4][3];
  for (int j = 0; j < 3; j++) {
    const WV ends = (w[0][j] + w[2][j]) * 0.5f, middle = w[1][j] * 0.5f;
    t[0][j] = w[0][j], t[1][j] = ends + middle, t[2][j] = ends - middle, t[3][j] = w[2][j];
  }
  EACH {
    const WV ends = (t[k][0] + t[k][2]) * 0.5f, middle = t[k][1] * 0.5f;
    u[k][0] = t[k][0], u[k][1] = ends + middle, u[k][2] = ends - middle, u[k][3] = t[k][2];
  }
}

/// w = G' u G
INLINE void FN(from_filter_space)(WV u[4][4], WV w[3][3]) {
  WV t[3][4];
  EACH {
    const WV sum = (u[1][k] + u[2][k]) * 0.5f, difference = (u[1][k] - u[2][k]) * 0.5f;
    t[0][k] = u[0][k] + sum, t[1][k] = difference, t[2][k] = u[3][k] + sum;
  }
  for (int i = 0; i < 3; i++) {
    const WV sum = (t[i][1] + t[i][2]) * 0.5f, difference = (t[i][1] - t[i][2]) * 0.5f;
    w[i][0] = t[i][0] + sum, w[i][1] = difference, w[i][2] = t[i][3] + sum;
  }
}

// MARK: Tiles of a block

typedef struct {
  int64_t image, h, w;  // first output position
} FN(winograd_place);

INLINE FN(winograd_place) FN(place_of)(const winograd_map *m, int64_t tile) {
  const int64_t in_image = tile % (m->tiles_h * m->tiles_w);
  FN(winograd_place)
  p = {tile / (m->tiles_h * m->tiles_w), in_image / m->tiles_w * 2, in_image % m->tiles_w * 2};
  return p;
}

INLINE void FN(next_place)(const winograd_map *m, FN(winograd_place) * p) {
  if ((p->w += 2) < 2 * m->tiles_w) return;
  p->w = 0;
  if ((p->h += 2) < 2 * m->tiles_h) return;
  p->h = 0;
  p->image++;
}

/// One tile of V; `source` holds the patch's 16 places, NULL outside the image, if it is not
/// `inside`.
INLINE void FN(patch_tile)(const float *base, int64_t pitch, const float *const *source,
                           int64_t channels, float *v, int64_t step, const int inside) {
  for (int64_t c = 0; c < channels; c += WL) {
    WV d[4][4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
      for (int j = 0; j < 4; j++)
        if (inside) d[i][j] = *(const WVU *)(base + i * pitch + j * channels + c);
        else d[i][j] = source[i * 4 + j] ? *(const WVU *)(source[i * 4 + j] + c) : (WV)0;
    FN(to_patch_space)(d);
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
      for (int j = 0; j < 4; j++) *(WVU *)(v + (i * 4 + j) * step + c) = d[i][j];
  }
}

/// V [16][count][C + gap], positions `step` apart, of tiles first ..< first + count.
static void FN(winograd_patches)(const winograd_map *m, const float *x, int64_t first,
                                 int64_t count, float *v, int64_t step) {
  const int64_t channels = m->in_channels, pitch = m->in_w * channels;
  FN(winograd_place) p = FN(place_of)(m, first);
  for (int64_t t = 0; t < count; t++, FN(next_place)(m, &p), v += channels + winograd_gap) {
    const int64_t h = p.h - m->pad_h, w = p.w - m->pad_w;
    const float *image = x + p.image * m->in_h * pitch;
    if (h >= 0 && w >= 0 && h + 4 <= m->in_h && w + 4 <= m->in_w) {
      FN(patch_tile)(image + h * pitch + w * channels, pitch, 0, channels, v, step, 1);
      continue;
    }
    const float *source[16];
    for (int k = 0; k < 16; k++) {
      const int64_t row = h + k / 4, column = w + k % 4;
      source[k] = row >= 0 && row < m->in_h && column >= 0 && column < m->in_w
                      ? image + row * pitch + column * channels
                      : 0;
    }
    FN(patch_tile)(0, 0, source, channels, v, step, 0);
  }
}

/// y of tiles first ..< first + count from M [16][count][O].
static void FN(winograd_outputs)(const winograd_map *m, const float *products, int64_t step,
                                 const float *bias, int64_t first, int64_t count, float *y) {
  const int64_t channels = m->out_channels, pitch = m->out_w * channels;
  FN(winograd_place) p = FN(place_of)(m, first);
  for (int64_t t = 0; t < count; t++, FN(next_place)(m, &p), products += channels) {
    float *to = y + p.image * m->out_h * pitch + p.h * pitch + p.w * channels;
    const int below = p.h + 1 < m->out_h, right = p.w + 1 < m->out_w;
    for (int64_t c = 0; c < channels; c += WL) {
      WV d[4][4], out[2][2];
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++) d[i][j] = *(const WVU *)(products + (i * 4 + j) * step + c);
      FN(to_outputs)(d, out);
      const WV b = bias ? *(const WVU *)(bias + c) : (WV)0;
      *(WVU *)(to + c) = out[0][0] + b;
      if (right) *(WVU *)(to + channels + c) = out[0][1] + b;
      if (below) *(WVU *)(to + pitch + c) = out[1][0] + b;
      if (right && below) *(WVU *)(to + pitch + channels + c) = out[1][1] + b;
    }
  }
}

/// dM [16][count][O] of tiles first ..< first + count.
static void FN(winograd_output_gradients)(const winograd_map *m, const float *dy, int64_t first,
                                          int64_t count, float *products, int64_t step) {
  const int64_t channels = m->out_channels, pitch = m->out_w * channels;
  FN(winograd_place) p = FN(place_of)(m, first);
  for (int64_t t = 0; t < count; t++, FN(next_place)(m, &p), products += channels) {
    const float *from = dy + p.image * m->out_h * pitch + p.h * pitch + p.w * channels;
    const int below = p.h + 1 < m->out_h, right = p.w + 1 < m->out_w;
    for (int64_t c = 0; c < channels; c += WL) {
      WV y[2][2], d[4][4];
      y[0][0] = *(const WVU *)(from + c);
      y[0][1] = right ? *(const WVU *)(from + channels + c) : (WV)0;
      y[1][0] = below ? *(const WVU *)(from + pitch + c) : (WV)0;
      y[1][1] = right && below ? *(const WVU *)(from + pitch + channels + c) : (WV)0;
      FN(from_outputs)(y, d);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++) *(WVU *)(products + (i * 4 + j) * step + c) = d[i][j];
    }
  }
}

// MARK: Filters

/// Where U(c, o) of one position lies: the panels of gemm.inc.h.
INLINE int64_t FN(panel_place)(int64_t rows, int64_t columns, int64_t c, int64_t o) {
  const int64_t panel = o / TN(nr) * TN(nr),
                width = TN(panel_width)(columns - panel < TN(nr) ? columns - panel : TN(nr));
  return panel * rows + c * width + (o - panel);
}

INLINE void FN(load_filter)(const float *weight, int64_t tap_step, const int turned, WV u[4][4]) {
  WV w[3][3];
#pragma clang loop unroll(full)
  for (int k = 0; k < 9; k++)
    w[k / 3][k % 3] = *(const WVU *)(weight + (turned ? 8 - k : k) * tap_step);
  FN(to_filter_space)(w, u);
}

/// U_p in panels, positions `step` apart, for input channels 16 block ..< 16 block + 16 of weight
/// [9, C, O].
static void FN(winograd_filter)(const float *weight, int64_t in, int64_t out, int64_t block,
                                float *u, int64_t step) {
  for (int64_t c = 16 * block; c < 16 * block + 16; c++)
    for (int64_t o = 0; o < out; o += WL) {
      WV t[4][4];
      FN(load_filter)(weight + c * out + o, in * out, 0, t);
      float *to = u + FN(panel_place)(in, out, c, o);
#pragma clang loop unroll(full)
      for (int k = 0; k < 16; k++) *(WVU *)(to + k * step) = t[k / 4][k % 4];
    }
}

/// The same for the way back: filters turned round, and O the channels that are summed over.
static void FN(winograd_turned_filter)(const float *weight, int64_t in, int64_t out, int64_t block,
                                       float *u, int64_t step) {
  float tile[16][16][16];  // [p][c][o]
  for (int64_t o = 0; o < out; o += 16) {
    for (int c = 0; c < 16; c++)
      for (int half = 0; half < 16; half += WL) {
        WV t[4][4];
        FN(load_filter)(weight + (16 * block + c) * out + o + half, in * out, 1, t);
#pragma clang loop unroll(full)
        for (int k = 0; k < 16; k++) *(WVU *)(tile[k][c] + half) = t[k / 4][k % 4];
      }
    const int64_t place = FN(panel_place)(out, in, o, 16 * block),
                  next = FN(panel_place)(out, in, o + 1, 16 * block);
    for (int k = 0; k < 16; k++)
      TN(transpose_block)(tile[k][0], 16, 16, u + k * step + place, next - place);
  }
}

/// dw = G' dU G for input channel c; dU [16][C][O], the sum of `parts` parts in their order.
static void FN(winograd_filter_gradient)(const float *du, int64_t parts, int64_t part_step,
                                         int64_t in, int64_t out, int64_t c, float *dweight) {
  for (int64_t o = 0; o < out; o += WL) {
    WV u[4][4], w[3][3];
#pragma clang loop unroll(full)
    for (int k = 0; k < 16; k++) u[k / 4][k % 4] = *(const WVU *)(du + (k * in + c) * out + o);
    for (int64_t part = 1; part < parts; part++)
#pragma clang loop unroll(full)
      for (int k = 0; k < 16; k++)
        u[k / 4][k % 4] += *(const WVU *)(du + part * part_step + (k * in + c) * out + o);
    FN(from_filter_space)(u, w);
#pragma clang loop unroll(full)
    for (int k = 0; k < 9; k++) *(WVU *)(dweight + (k * in + c) * out + o) = w[k / 3][k % 3];
  }
}
#undef EACH
#undef WV
#undef WVU
#undef WL
