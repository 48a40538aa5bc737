// Matrix products: tiles on a grid that depends on the shape only, one single-threaded product a
// tile.
#include "bss_gemm.h"
#include "blas.h"
#include "gemm_packed.h"
#include "level.h"
#include "table.h"
#include <limits.h>
#include <stdlib.h>

enum {
  one_tile_work = 4 << 20,  // m n k below which a product is not cut
  pack_panels = 4,          // panels of B a packing task
};

typedef struct {
  bss_dtype dtype;
  bool trans_a, trans_b, own;
  int64_t lda, ldb, stride_a, stride_b, stride_c;
  gemm_problem whole;
  int64_t tile_m, tile_n, grid_m, grid_n;
  char *packed;  // all of B, when several row tiles share it
} product;

static void multiply_own(const product *p, const gemm_problem *g) {
  _Alignas(64) char work[gemm_work_bytes];
  if (p->dtype == BSS_F32) bss_loops->gemm_f32(g, work);
  else bss_loops->gemm_f64(g, work);
}

static void add_bias(const product *p, const gemm_problem *g) {
#define FINISH(T)                                                    \
  for (int64_t i = 0; i < g->m; i++) {                               \
    T *restrict c = (T *)g->c + i * g->ldc;                          \
    const T *bias = g->bias;                                         \
    if (bias)                                                        \
      for (int64_t j = 0; j < g->n; j++) c[j] += bias[j];            \
    if (g->epilogue == BSS_EPILOGUE_RELU)                            \
      for (int64_t j = 0; j < g->n; j++) c[j] = c[j] < 0 ? 0 : c[j]; \
  }
  if (p->dtype == BSS_F32) FINISH(float) else FINISH(double)
#undef FINISH
}

static void multiply_blas(const product *p, const gemm_problem *g) {
  const int ta = p->trans_a ? blas_trans : blas_no_trans,
            tb = p->trans_b ? blas_trans : blas_no_trans;
  const int m = (int)g->m, n = (int)g->n, k = (int)g->k, lda = (int)p->lda, ldb = (int)p->ldb,
            ldc = (int)g->ldc;
  if (p->dtype == BSS_F32)
    bss_blas()->sgemm(blas_row_major, ta, tb, m, n, k, (float)g->alpha, g->a, lda, g->b, ldb,
                      (float)g->beta, g->c, ldc);
  else
    bss_blas()->dgemm(blas_row_major, ta, tb, m, n, k, g->alpha, g->a, lda, g->b, ldb, g->beta,
                      g->c, ldc);
  if (g->bias || g->epilogue != BSS_EPILOGUE_NONE) add_bias(p, g);
}

static void tile_task(void *context, int64_t task) {
  const product *p = context;
  const int64_t size = p->dtype == BSS_F32 ? 4 : 8;
  const int64_t tiles = p->grid_m * p->grid_n, matrix = task / tiles, tile = task % tiles;
  const int64_t i0 = tile % p->grid_m * p->tile_m, j0 = tile / p->grid_m * p->tile_n;
  gemm_problem g = p->whole;
  g.m = g.m - i0 < p->tile_m ? g.m - i0 : p->tile_m;
  g.n = g.n - j0 < p->tile_n ? g.n - j0 : p->tile_n;
  g.a = (const char *)g.a + (matrix * p->stride_a + i0 * g.a_row) * size;
  g.b = (const char *)g.b + (matrix * p->stride_b + j0 * g.b_column) * size;
  g.c = (char *)g.c + (matrix * p->stride_c + i0 * g.ldc + j0) * size;
  if (p->packed) g.packed = p->packed + j0 * g.k * size;
  if (g.bias) g.bias = (const char *)g.bias + j0 * size;
  if (p->own) multiply_own(p, &g);
  else multiply_blas(p, &g);
}

static bool fits_int(int64_t v) { return v <= INT_MAX; }

/// Whether our kernels serve this product: by who multiplies, and where BLAS cannot.
static bool own_serves(const product *p) {
  const gemm_problem *g = &p->whole;
  return bss_blas_is_own() || g->k == 0 || !fits_int(g->m) || !fits_int(g->n) || !fits_int(g->k) ||
         !fits_int(p->lda) || !fits_int(p->ldb) || !fits_int(g->ldc);
}

static int64_t tiles_of(int64_t n, int64_t tile) { return (n + tile - 1) / tile; }

/// The register tile's columns; wide at v4 (loops_*.c).
static int64_t panel_columns(const product *p) {
  return (bss_level == bss_level_v4 ? 2 : 1) * (p->dtype == BSS_F32 ? 16 : 8);
}

static void pack_task(void *context, int64_t task) {
  const product *p = context;
  const int64_t panels = tiles_of(p->whole.n, panel_columns(p)), first = task * pack_panels;
  const int64_t last = first + pack_panels < panels ? first + pack_panels : panels;
  if (p->dtype == BSS_F32) bss_loops->gemm_pack_f32(&p->whole, first, last, p->packed);
  else bss_loops->gemm_pack_f64(&p->whole, first, last, p->packed);
}

static int run(product *p, int64_t batch) {
  gemm_problem *g = &p->whole;
  if (g->m == 0 || g->n == 0 || batch == 0) return BSS_OK;
  p->own = own_serves(p);
  p->tile_m = g->m;
  p->tile_n = g->n;
  if (g->m * g->n * g->k > one_tile_work) {
    p->tile_m = GEMM_TILE_M;
    p->tile_n = 256;
  }
  p->grid_m = tiles_of(g->m, p->tile_m);
  p->grid_n = tiles_of(g->n, p->tile_n);
  const int64_t tasks = p->grid_m * p->grid_n * batch;
  if (!p->own || batch > 1 || p->grid_m < 2) return bss_pool_run(tasks, tile_task, p);
  const int64_t panels = tiles_of(g->n, panel_columns(p));
  p->packed =
      malloc((size_t)(panels * g->k) * gemm_panel_bytes);  // NULL: every tile packs for itself
  int status = p->packed ? bss_pool_run(tiles_of(panels, pack_panels), pack_task, p) : BSS_OK;
  if (status == BSS_OK) status = bss_pool_run(tasks, tile_task, p);
  free(p->packed);
  return status;
}

static product make(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
                    double alpha, const void *a, int64_t lda, const void *b, int64_t ldb,
                    double beta, void *c, int64_t ldc) {
  return (product){.dtype = dtype,
                   .trans_a = trans_a,
                   .trans_b = trans_b,
                   .lda = lda,
                   .ldb = ldb,
                   .whole = {.m = m,
                             .n = n,
                             .k = k,
                             .a = a,
                             .a_row = trans_a ? 1 : lda,
                             .a_column = trans_a ? lda : 1,
                             .b = b,
                             .b_row = trans_b ? 1 : ldb,
                             .b_column = trans_b ? ldb : 1,
                             .c = c,
                             .ldc = ldc,
                             .alpha = alpha,
                             .beta = beta}};
}

int bss_gemm(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
             double alpha, const void *a, int64_t lda, const void *b, int64_t ldb, double beta,
             void *c, int64_t ldc) {
  product p = make(dtype, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  return run(&p, 1);
}

int bss_gemm_batched(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
                     double alpha, const void *a, int64_t lda, int64_t stride_a, const void *b,
                     int64_t ldb, int64_t stride_b, double beta, void *c, int64_t ldc,
                     int64_t stride_c, int64_t batch) {
  product p = make(dtype, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  p.stride_a = stride_a;
  p.stride_b = stride_b;
  p.stride_c = stride_c;
  return run(&p, batch);
}

int bss_gemm_bias(bss_dtype dtype, bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k,
                  const void *a, int64_t lda, const void *b, int64_t ldb, const void *bias,
                  bss_epilogue epilogue, void *c, int64_t ldc) {
  product p = make(dtype, trans_a, trans_b, m, n, k, 1, a, lda, b, ldb, 0, c, ldc);
  p.whole.bias = bias;
  p.whole.epilogue = epilogue;
  return run(&p, 1);
}

// MARK: Many products with one matrix B, packed once

bool bss_gemm_packs(void) { return bss_blas_is_own(); }

size_t bss_gemm_packed_bytes(bss_dtype dtype, int64_t n, int64_t k) {
  const product p = {.dtype = dtype};
  return (size_t)(tiles_of(n, panel_columns(&p)) * k) * gemm_panel_bytes;
}

int bss_gemm_pack(bss_dtype dtype, bool trans_b, int64_t n, int64_t k, const void *b, int64_t ldb,
                  void *packed) {
  product p = make(dtype, false, trans_b, 1, n, k, 1, NULL, k, b, ldb, 0, NULL, n);
  p.packed = packed;
  return bss_pool_run(tiles_of(tiles_of(n, panel_columns(&p)), pack_panels), pack_task, &p);
}

void bss_gemm_packed(bss_dtype dtype, int64_t m, int64_t n, int64_t k, const void *a, int64_t lda,
                     const void *packed, const void *bias, void *c, int64_t ldc) {
  product p = make(dtype, false, false, m, n, k, 1, a, lda, packed, n, 0, c, ldc);
  p.whole.packed = packed;
  p.whole.bias = bias;
  multiply_own(&p, &p.whole);
}
