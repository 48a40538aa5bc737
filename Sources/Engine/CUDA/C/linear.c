// A row-major product is the column-major one of the transposes, out' = op(b)' op(a)': the bias
// runs along the rows of out', as cublasLt wants it. Taken is the first algorithm of its heuristics
// that adds up in a fixed order.
#include "bss_linear.h"
#include "cublaslt_names.h"
#include <stdlib.h>

struct bss_linear {
  void *rule, *a, *b, *out;
  cublasLtAlgorithm algorithm;
  size_t workspace;
};

bss_linear *bss_linear_make(cublasLtHandle handle, const bss_linear_request *r) {
  bss_linear *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  const bss_product *p = &r->product;
  const int turned = 1,
            epilogue = (r->has_bias ? EPILOGUE_BIAS : 0) | (p->relu ? EPILOGUE_RELU : 0);
  // No sums that are added in the order in which they come.
  const uint32_t schemes = REDUCTION_COMPUTE_TYPE | REDUCTION_OUTPUT_TYPE, alignment = 16;
  const uint64_t most = (uint64_t)r->most_workspace;
  void *wish = NULL;
  cublasLtChoice choice;
  int count = 0;
  int bad = bss_cublaslt_rule(&l->rule, r->compute, FLOAT_DATA);
  if (!bad) bad = bss_cublaslt_rule_set(l->rule, RULE_EPILOGUE, &epilogue, sizeof epilogue);
  if (!bad && r->turn_b) bad = bss_cublaslt_rule_set(l->rule, RULE_TURN_A, &turned, sizeof turned);
  if (!bad && r->turn_a) bad = bss_cublaslt_rule_set(l->rule, RULE_TURN_B, &turned, sizeof turned);
  if (!bad)
    bad = bss_cublaslt_layout(&l->b, FLOAT_DATA, (uint64_t)(r->turn_b ? p->k : p->n),
                              (uint64_t)(r->turn_b ? p->n : p->k), p->ldb);
  if (!bad)
    bad = bss_cublaslt_layout(&l->a, FLOAT_DATA, (uint64_t)(r->turn_a ? p->m : p->k),
                              (uint64_t)(r->turn_a ? p->k : p->m), p->lda);
  if (!bad) bad = bss_cublaslt_layout(&l->out, FLOAT_DATA, (uint64_t)p->n, (uint64_t)p->m, p->ldc);
  if (!bad) bad = bss_cublaslt_wish(&wish);
  if (!bad) bad = bss_cublaslt_wish_set(wish, WISH_WORKSPACE, &most, sizeof most);
  if (!bad) bad = bss_cublaslt_wish_set(wish, WISH_REDUCTIONS, &schemes, sizeof schemes);
  for (int name = WISH_ALIGNMENT_A; !bad && name <= WISH_ALIGNMENT_D; name++)
    bad = bss_cublaslt_wish_set(wish, name, &alignment, sizeof alignment);
  if (!bad)
    bad =
        bss_cublaslt_choose(handle, l->rule, l->b, l->a, l->out, l->out, wish, 1, &choice, &count);
  if (bad || count < 1 || choice.status) {
    free(l);
    return NULL;
  }
  l->algorithm = choice.algorithm;
  l->workspace = choice.workspace;
  return l;
}

int bss_linear_run(const bss_linear *l, cublasLtHandle handle, const void *a, const void *b,
                   const void *bias, void *out, void *workspace, CUstream stream) {
  const float one = 1, zero = 0;
  int bad = bias ? bss_cublaslt_rule_set(l->rule, RULE_BIAS, &bias, sizeof bias) : 0;
  if (bad) return bad;
  return bss_cublaslt_multiply(handle, l->rule, &one, b, l->b, a, l->a, &zero, out, l->out, out,
                               l->out, &l->algorithm, workspace, l->workspace, stream);
}
