// The part of cublasLt that the backend calls, on the emulated driver beside it: a product with
// bias and ReLU.
#include "bss_cuda_driver.h"
#include "cublaslt_names.h"
#include "product.h"

struct cublasLtContext {};

namespace {
struct Rule {
  int compute, turnA = 0, turnB = 0, epilogue = 1;
  const float *bias = nullptr;
};
struct Layout {
  int kind;
  uint64_t rows, columns;
  int64_t leading;
};
struct Wish {
  uint64_t workspace = 0;
  uint32_t reductions = 7, alignment[4] = {256, 256, 256, 256};
};
enum { algorithmOfOurs = 17, workspaceOfOurs = 512 };

template <class V> int assign(V &to, const void *value, size_t bytes) {
  if (!value || bytes != sizeof(V)) return invalidValue;
  memcpy(&to, value, bytes);
  return ok;
}
bool isMatrix(const Layout *l, bool turned, uint64_t rows, uint64_t columns) {
  return l && l->kind == FLOAT_DATA && l->leading >= (int64_t)l->rows &&
         (turned ? l->columns : l->rows) == rows && (turned ? l->rows : l->columns) == columns;
}
}  // namespace

extern "C" {
int cublasLtCreate(cublasLtHandle *handle) {
  *handle = nullptr;
  if (!offered<void *>("emulated_enqueue")) return notInitialised;
  *handle = new cublasLtContext;
  return ok;
}
int cublasLtMatmulDescCreate(void **rule, int compute, int kind) {
  if (kind != FLOAT_DATA || (compute != exact && compute != viaTF32 && compute != viaBF16))
    return notSupported;
  *rule = new Rule{compute};
  return ok;
}
int cublasLtMatmulDescSetAttribute(void *rule, int name, const void *value, size_t bytes) {
  auto r = (Rule *)rule;
  switch (name) {
  case RULE_TURN_A: return assign(r->turnA, value, bytes);
  case RULE_TURN_B: return assign(r->turnB, value, bytes);
  case RULE_EPILOGUE: return assign(r->epilogue, value, bytes);
  case RULE_BIAS: return assign(r->bias, value, bytes);
  default: return notSupported;
  }
}
int cublasLtMatrixLayoutCreate(void **layout, int kind, uint64_t rows, uint64_t columns,
                               int64_t leading) {
  *layout = new Layout{kind, rows, columns, leading};
  return ok;
}
int cublasLtMatmulPreferenceCreate(void **wish) {
  *wish = new Wish;
  return ok;
}
int cublasLtMatmulPreferenceSetAttribute(void *wish, int name, const void *value, size_t bytes) {
  auto w = (Wish *)wish;
  if (name == WISH_WORKSPACE) return assign(w->workspace, value, bytes);
  if (name == WISH_REDUCTIONS) return assign(w->reductions, value, bytes);
  if (name >= WISH_ALIGNMENT_A && name <= WISH_ALIGNMENT_D)
    return assign(w->alignment[name - WISH_ALIGNMENT_A], value, bytes);
  return notSupported;
}
int cublasLtMatmulAlgoGetHeuristic(cublasLtHandle handle, void *rule, void *a, void *b, void *c,
                                   void *d, void *wish, int most, cublasLtChoice *choices,
                                   int *count) {
  auto r = (Rule *)rule;
  auto w = (Wish *)wish;
  auto out = (Layout *)d;
  *count = 0;
  if (!handle || !r || !w || !out || c != d || most < 1) return invalidValue;
  auto x = (Layout *)a;
  if (!x) return invalidValue;
  const uint64_t inner = r->turnA ? x->rows : x->columns;
  if (!isMatrix(x, r->turnA, out->rows, inner) ||
      !isMatrix((Layout *)b, r->turnB, inner, out->columns) || out->leading < (int64_t)out->rows)
    return invalidValue;
  // Sums in the order in which they come, and more memory or alignment than there is, are not
  // offered.
  if (w->reductions & 1 || w->workspace < workspaceOfOurs || w->alignment[3] > 16)
    return notSupported;
  choices[0] = {};
  choices[0].algorithm.words[0] = algorithmOfOurs;
  choices[0].workspace = workspaceOfOurs;
  *count = 1;
  return ok;
}
int cublasLtMatmul(cublasLtHandle handle, void *rule, const void *alpha, const void *a,
                   void *layoutA, const void *b, void *layoutB, const void *beta, const void *c,
                   void *layoutC, void *d, void *layoutD, const cublasLtAlgorithm *algorithm,
                   void *workspace, size_t bytes, CUstream stream) {
  const Rule r = *(Rule *)rule;
  const Layout x = *(Layout *)layoutA, y = *(Layout *)layoutB, out = *(Layout *)layoutD;
  if (!handle || !stream) return notInitialised;
  if (!algorithm || algorithm->words[0] != algorithmOfOurs || !workspace ||
      bytes < workspaceOfOurs || c != d || layoutC != layoutD ||
      (r.epilogue & EPILOGUE_BIAS && !r.bias))
    return invalidValue;
  for (const void *p : {a, b, (const void *)d, (const void *)r.bias})
    if ((uintptr_t)p % 16) return invalidValue;
  Sizes s = {};
  s.turnA = r.turnA, s.turnB = r.turnB, s.m = (int)out.rows, s.n = (int)out.columns;
  s.k = (int)(r.turnA ? x.rows : x.columns), s.lda = (int)x.leading, s.ldb = (int)y.leading,
  s.ldc = (int)out.leading;
  s.batch = 1, s.compute = r.compute;
  enqueueWork("cublasLtMatmul", [=, p = *(const float *)alpha, q = *(const float *)beta] {
    writes(workspace, workspaceOfOurs);
    memset(workspace, 0xff, workspaceOfOurs);
    multiply<float>(s, p, (const float *)a, (const float *)b, q, (float *)d);
    if (r.epilogue & EPILOGUE_BIAS) reads(r.bias, s.m * sizeof(float));
    for (int j = 0; j < s.n; j++) {
      float *column = (float *)d + (size_t)j * s.ldc;
      for (int i = 0; i < s.m; i++) {
        const float v = r.epilogue & EPILOGUE_BIAS ? column[i] + r.bias[i] : column[i];
        column[i] = r.epilogue & EPILOGUE_RELU && v < 0 ? 0 : v;
      }
    }
  });
  return ok;
}
}
