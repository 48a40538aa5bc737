// C = epilogue(alpha A B + beta C + bias) on one thread, any strides for A and B. A tile of MR rows
// x NV vectors of C stays in registers while k runs; per step it loads NV vectors of B and
// broadcasts MR elements of A. Every element of C is one chain of additions over k, cut only at
// multiples of GEMM_KC, whatever the tile it fell in.
//
// A panel of B is read in place when its rows are contiguous and of full width and the product is
// too small to repay a copy; else it is copied to `work`, transposed if need be. A is read in place
// unless its rows are far apart: rows 4 KiB apart share one set of the first-level cache, so they
// are brought together once for all panels.

enum { TN(nr) = NV * WIDTH };

typedef struct {
  const T *a;
  int64_t a_row, a_column;
  const T *b;
  int64_t b_step;
  int64_t k;
  T *c;
  int64_t ldc;
  T alpha, beta;
  const T *bias;  // of this panel, or NULL
  bool relu;
  int64_t columns;  // wanted of this panel
} TN(tile);

/// The first `width` lanes, all of them if that many.
INLINE V TN(load_lanes)(const T *x, int width) {
  if (width >= WIDTH) return *(const VU *)x;
#ifdef LOAD_MASKED_f32
  return CAT(LOAD_MASKED, S)(x, (1 << width) - 1);
#else
  T lanes[WIDTH] = {0};
  for (int l = 0; l < width; l++) lanes[l] = x[l];
  return *(const VU *)lanes;
#endif
}

INLINE void TN(store_lanes)(T *x, V y, int width) {
  if (width >= WIDTH) {
    *(VU *)x = y;
    return;
  }
#ifdef STORE_MASKED_f32
  CAT(STORE_MASKED, S)(x, y, (1 << width) - 1);
#else
  T lanes[WIDTH];
  *(VU *)lanes = y;
  for (int l = 0; l < width; l++) x[l] = lanes[l];
#endif
}

/// One register tile: `rows` and `vectors` are constants after inlining.
INLINE void TN(register_tile)(const TN(tile) * t, const int rows, const int vectors) {
  V sum[MR][NV];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[r][v] = 0;
  // One pointer for four rows, unknown to the compiler: it would add a_row row by row, a chain as
  // long as the products take.
  const T *b = t->b, *a[(MR + 3) / 4];
  const int64_t a_row = t->a_row, a_column = t->a_column, b_step = t->b_step;
#pragma clang loop unroll(full)
  for (int q = 0; q < (rows + 3) / 4; q++) a[q] = t->a + 4 * q * a_row;
  for (int64_t p = t->k; p > 0; p--) {
    V bv[NV];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) bv[v] = *(const VU *)(b + v * WIDTH);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      V x = a[r / 4][r % 4 * a_row];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] += x * bv[v];
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < (rows + 3) / 4; q++) {
      a[q] += a_column;
      __asm__("" : "+r"(a[q]));
    }
    b += b_step;
  }
  T *c = t->c;
  const int64_t ldc = t->ldc, full = t->columns == vectors * WIDTH;
#define EACH                                                        \
  _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)
#define LANES(v) (full ? WIDTH : (int)(t->columns - (v)*WIDTH))
  if (t->alpha != 1) EACH sum[r][v] *= t->alpha;
  if (t->beta != 0) EACH sum[r][v] += t->beta * TN(load_lanes)(c + r * ldc + v * WIDTH, LANES(v));
  if (t->bias) EACH sum[r][v] += TN(load_lanes)(t->bias + v * WIDTH, LANES(v));
  if (t->relu) EACH sum[r][v] = (V)0 > sum[r][v] ? (V)0 : sum[r][v];  // NaN stays
  if (full) EACH *(VU *)(c + r * ldc + v * WIDTH) = sum[r][v];
  else EACH TN(store_lanes)(c + r * ldc + v * WIDTH, sum[r][v], LANES(v));
#undef EACH
#undef LANES
}

#define ROWS_CASE(n) \
  case n: TN(register_tile)(t, n <= MR ? n : 1, vectors); break
INLINE void TN(any_rows)(const TN(tile) * t, int rows, const int vectors) {
  if (rows > MR) return;
  switch (rows) {
    ROWS_CASE(1);
    ROWS_CASE(2);
    ROWS_CASE(3);
    ROWS_CASE(4);
    ROWS_CASE(5);
    ROWS_CASE(6);
    ROWS_CASE(7);
    ROWS_CASE(8);
    ROWS_CASE(9);
    ROWS_CASE(10);
    ROWS_CASE(11);
    ROWS_CASE(12);
    ROWS_CASE(13);
    ROWS_CASE(14);
  }
}
#undef ROWS_CASE
static __attribute__((noinline)) void TN(rows_wide)(const TN(tile) * t, int rows) {
  TN(any_rows)(t, rows, NV);
}
#if NV > 1
static __attribute__((noinline)) void TN(rows_narrow)(const TN(tile) * t, int rows) {
  TN(any_rows)(t, rows, 1);
}
#endif

/// x = xᵀ: log2(WIDTH) rounds of interleaving row i with row i + WIDTH / 2; where lanes of 128 bits
/// are 4 x 4 blocks (WIDTH 16), two rounds inside them and two between them, which is quicker.
INLINE void TN(turn_lanes)(V x[WIDTH]) {
  V y[WIDTH];
#ifdef INTERLEAVE_BLOCKS
#pragma clang loop unroll(full)
  for (int i = 0; i < WIDTH; i += 4)
#pragma clang loop unroll(full)
    for (int j = 0; j < 2; j++) {
      V even = INTERLEAVE_1(j, x[i], x[i + 1]), odd = INTERLEAVE_1(j, x[i + 2], x[i + 3]);
      y[i + 2 * j] = INTERLEAVE_2(0, even, odd);
      y[i + 2 * j + 1] = INTERLEAVE_2(1, even, odd);
    }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < 2; j++) {
      V low = INTERLEAVE_BLOCKS(j, y[i], y[i + 4]),
        high = INTERLEAVE_BLOCKS(j, y[i + 8], y[i + 12]);
      x[i + 4 * j] = INTERLEAVE_BLOCKS(0, low, high);
      x[i + 4 * j + 8] = INTERLEAVE_BLOCKS(1, low, high);
    }
#else
#pragma clang loop unroll(full)
  for (int round = 1; round < WIDTH; round *= 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < WIDTH / 2; i++) {
      y[2 * i] = INTERLEAVE_LOW(x[i], x[i + WIDTH / 2]);
      y[2 * i + 1] = INTERLEAVE_HIGH(x[i], x[i + WIDTH / 2]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < WIDTH; i++) x[i] = y[i];
  }
#endif
}

/// Transposes a WIDTH x WIDTH block. Of `rows` rows the last stands in for missing ones.
INLINE void TN(transpose_block)(const T *from, int64_t from_step, int64_t rows, T *to,
                                int64_t to_step) {
  V x[WIDTH];
#pragma clang loop unroll(full)
  for (int i = 0; i < WIDTH; i++)
    x[i] = *(const VU *)(from + (i < rows ? i : rows - 1) * from_step);
  TN(turn_lanes)(x);
#pragma clang loop unroll(full)
  for (int i = 0; i < WIDTH; i++) *(VU *)(to + i * to_step) = x[i];
}

/// panel[p, j] = B(p, j) for j < columns; what the rest of `width` holds does not matter (those
/// sums are never stored).
static void TN(pack_panel)(const T *b, int64_t b_row, int64_t b_column, int64_t k, int64_t columns,
                           int64_t width, T *panel) {
  if (b_row == 1 && k >= WIDTH) {
    for (int64_t j = 0; j < columns; j += WIDTH)
      for (int64_t p = 0; p < k; p += WIDTH) {
        const int64_t q = p + WIDTH <= k ? p : k - WIDTH;  // the last block overlaps the one before
        TN(transpose_block)
        (b + j * b_column + q, b_column, columns - j, panel + q * width + j, width);
      }
    return;
  }
  int64_t j = 0;
  if (b_column == 1) {
    if (columns == TN(nr)) {
      for (int64_t p = 0; p < k; p++, b += b_row, panel += TN(nr))
#pragma clang loop unroll(full)
        for (int v = 0; v < NV; v++) *(VU *)(panel + v * WIDTH) = *(const VU *)(b + v * WIDTH);
      return;
    }
    for (; j + WIDTH <= columns; j += WIDTH)
      for (int64_t p = 0; p < k; p++)
        *(VU *)(panel + p * width + j) = *(const VU *)(b + p * b_row + j);
    // A part vector: reading along into the next row is harmless, reading past the end of the
    // matrix is not.
    if (j < columns && b_row > 0) {
      int64_t whole = 0;
      for (; whole < k && whole * b_row + j + WIDTH <= (k - 1) * b_row + columns; whole++)
        *(VU *)(panel + whole * width + j) = *(const VU *)(b + whole * b_row + j);
      b += whole * b_row;
      panel += whole * width;
      k -= whole;
    }
  }
  for (int64_t p = 0; p < k; p++)
    for (int64_t l = j; l < columns; l++) panel[p * width + l] = b[p * b_row + l * b_column];
}

INLINE int64_t TN(panel_width)(int64_t columns) {
  return NV > 1 && columns <= WIDTH ? WIDTH : TN(nr);
}

/// Panels first ..< last of B, all of k, each at packed + panel * k * nr.
static void FN(CAT(gemm_pack, S))(const gemm_problem *g, int64_t first, int64_t last,
                                  void *packed) {
  for (int64_t panel = first; panel < last; panel++) {
    const int64_t j0 = panel * TN(nr), columns = g->n - j0 < TN(nr) ? g->n - j0 : TN(nr);
    TN(pack_panel)
    ((const T *)g->b + j0 * g->b_column, g->b_row, g->b_column, g->k, columns,
     TN(panel_width)(columns), (T *)packed + panel * g->k * TN(nr));
  }
}

enum { TN(a_step) = GEMM_KC + 64 / sizeof(T), TN(near_rows) = 512 / sizeof(T) };

/// Fewer columns than half a vector: the lanes are rows of A instead, and C is written turned. The
/// same chains of additions, so the same bits.
static void TN(gemm_narrow)(const gemm_problem *g, T *work) {
  const int64_t n = g->n, k = g->k, step = TN(nr);
  T *sums = work, *panel = sums + MR * step;
  TN(tile) t = {.a_row = g->b_column, .a_column = g->b_row, .k = k, .ldc = step, .alpha = 1};
  for (int64_t i0 = 0; i0 < g->m; i0 += step) {
    const int64_t rows = g->m - i0 < step ? g->m - i0 : step;
    const T *a = (const T *)g->a + i0 * g->a_row;
    const bool in_place = g->a_row == 1 && rows == step;
    if (!in_place) TN(pack_panel)(a, g->a_column, g->a_row, k, rows, step, panel);
    t.b = in_place ? a : panel;
    t.b_step = in_place ? g->a_column : step;
    t.columns = step;
    for (int64_t j0 = 0; j0 < n; j0 += MR) {
      const int64_t columns = n - j0 < MR ? n - j0 : MR;
      t.a = (const T *)g->b + j0 * g->b_column;
      t.c = sums;
      TN(rows_wide)(&t, (int)columns);
      const T *bias = g->bias ? (const T *)g->bias + j0 : NULL;
      for (int64_t i = 0; i < rows; i++) {
        T *restrict c = (T *)g->c + (i0 + i) * g->ldc + j0;
        for (int64_t j = 0; j < columns; j++) {
          T sum = sums[j * step + i];
          if (bias) sum += bias[j];
          c[j] = g->epilogue == BSS_EPILOGUE_RELU && 0 > sum ? 0 : sum;
        }
      }
    }
  }
}

static void FN(CAT(gemm, S))(const gemm_problem *g, void *work) {
  if (g->n <= WIDTH / 2 && g->m >= WIDTH && g->k <= GEMM_KC && g->alpha == 1 && g->beta == 0 &&
      !g->packed) {
    TN(gemm_narrow)(g, work);
    return;
  }
  const int64_t blocks = g->m > 0 ? (g->m + MR - 1) / MR : 1;
  const int64_t even_rows = g->m / blocks, odd_rows = g->m % blocks;
  const bool copy_a = g->a_column == 1 && g->a_row >= 4 * TN(near_rows) && g->n >= 4 * TN(nr) &&
                      g->m <= GEMM_TILE_M;
  const bool copy_b = g->b_column != 1 || (g->b_row >= 2 * TN(near_rows) && g->m >= 4 * MR);
  const int64_t group = copy_b && g->b_column == 1 ? GEMM_GROUP : 1;
  T *panel = work, *rows = panel + GEMM_KC * TN(nr) * GEMM_GROUP;
  TN(tile) t = {.a_column = g->a_column, .ldc = g->ldc, .alpha = (T)g->alpha};
  for (int64_t p0 = 0; p0 == 0 || p0 < g->k; p0 += GEMM_KC) {
    const bool last = p0 + GEMM_KC >= g->k;
    t.k = last ? g->k - p0 : GEMM_KC;
    t.beta = p0 == 0 ? (T)g->beta : 1;
    t.relu = last && g->epilogue == BSS_EPILOGUE_RELU;
    const T *a = (const T *)g->a + p0 * g->a_column;
    t.a_row = g->a_row;
    if (copy_a) {
      for (int64_t i = 0; i < g->m; i++)
        __builtin_memcpy(rows + i * TN(a_step), a + i * g->a_row, (size_t)t.k * sizeof(T));
      a = rows;
      t.a_row = TN(a_step);
    }
    for (int64_t j0 = 0; j0 < g->n; j0 += TN(nr)) {
      t.columns = g->n - j0 < TN(nr) ? g->n - j0 : TN(nr);
      const int64_t width = TN(panel_width)(t.columns), slot = j0 / TN(nr) % group;
      const T *b = (const T *)g->b + p0 * g->b_row;
      if (g->packed) {
        t.b = (const T *)g->packed + j0 * g->k + p0 * width;
        t.b_step = width;
      } else if (copy_b || t.columns != width) {
        // A group of panels at a time: then rows of B are read in long stretches.
        if (slot % group == 0)
          for (int64_t j = j0; j < g->n && j < j0 + group * TN(nr); j += TN(nr)) {
            const int64_t columns = g->n - j < TN(nr) ? g->n - j : TN(nr);
            TN(pack_panel)
            (b + j * g->b_column, g->b_row, g->b_column, t.k, columns, TN(panel_width)(columns),
             panel + (j / TN(nr) % group) * GEMM_KC * TN(nr));
          }
        t.b = panel + slot * GEMM_KC * TN(nr);
        t.b_step = width;
      } else {
        t.b = b + j0;
        t.b_step = g->b_row;
      }
      t.bias = last && g->bias ? (const T *)g->bias + j0 : 0;
      // Rows are shared out evenly, m block / blocks on: no thin last block.
      for (int64_t i0 = 0, i1, share = 0; i0 < g->m; i0 = i1) {
        share += odd_rows;
        i1 = i0 + even_rows + (share >= blocks);
        if (share >= blocks) share -= blocks;
        t.a = a + i0 * t.a_row;
        t.c = (T *)g->c + i0 * g->ldc + j0;
#if NV > 1
        if (width == WIDTH) {
          TN(rows_narrow)(&t, (int)(i1 - i0));
          continue;
        }
#endif
        TN(rows_wide)(&t, (int)(i1 - i0));
      }
    }
  }
}
