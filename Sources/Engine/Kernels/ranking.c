// Counting for metrics: bss_ranking.h says what. One sort of integers a column.
#include "bss_ranking.h"
#include "element.h"

void bss_predictions(const float *scores, int64_t n, int64_t classes, int64_t *out, bool *has_nan) {
  bool nan = false;
  for (int64_t i = 0; i < n; i++, scores += classes) {
    float largest = scores[0];
    int64_t best = 0;
    for (int64_t c = 0; c < classes; c++) {
      nan |= scores[c] != scores[c];
      bool more = scores[c] > largest;
      largest = more ? scores[c] : largest;
      best = more ? c : best;
    }
    out[i] = best;
  }
  *has_nan = nan;
}

enum { digit_bits = 10, digits = 1 << digit_bits, passes = 3 };

/// Keys that grow as scores fall from 1 to 0, below 2^30; in the lowest bit, whether it is a
/// positive. `count` [passes, digits]: how often each digit occurs.
static bool make_keys(const float *scores, int64_t n, int64_t step, const int64_t *labels,
                      int64_t label, uint32_t *keys, uint32_t count[passes][digits]) {
  uint32_t one, all = 0;
  memcpy(&one, &(float){1}, 4);
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, scores + i * step, 4);
    uint32_t key = one - bits;
    all |= key;
    keys[i] = key << 1 | (labels[i] == label);
    for (int pass = 0; pass < passes; pass++)
      count[pass][key >> (pass * digit_bits) & (digits - 1)]++;
  }
  return all >> 30 == 0;
}

/// Sorts by everything but the lowest bit; returns where the sorted keys are: `keys` or `spare`.
static uint32_t *sort_keys(uint32_t *keys, uint32_t *spare, int64_t n,
                           uint32_t count[passes][digits]) {
  for (int pass = 0; pass < passes; pass++) {
    uint32_t *place = count[pass], sum = 0;
    int shift = 1 + pass * digit_bits;
    if (place[keys[0] >> shift & (digits - 1)] == n) continue;
    for (int d = 0; d < digits; d++) {
      uint32_t here = place[d];
      place[d] = sum;
      sum += here;
    }
    for (int64_t i = 0; i < n; i++) spare[place[keys[i] >> shift & (digits - 1)]++] = keys[i];
    uint32_t *sorted = spare;
    spare = keys;
    keys = sorted;
  }
  return keys;
}

/// Where a group of equal scores with positives begins and ends, and the positives up to there.
typedef struct {
  uint32_t start, end, positives;
} rank_group;

bool bss_rank_probabilities(const float *scores, int64_t n, int64_t step, const int64_t *labels,
                            int64_t label, double *precision, int64_t *twice_area,
                            int64_t *positives) {
  uint32_t count[passes][digits] = {0};
  char *memory = n > 0 && n < INT32_MAX
                     ? bss_scratch((size_t)(n + 1) * (2 * sizeof(uint32_t) + sizeof(rank_group)))
                     : NULL;
  if (!memory) return false;
  rank_group *groups = (rank_group *)memory;
  uint32_t *first = (uint32_t *)(groups + n + 1), *second = first + n + 1;
  if (!make_keys(scores, n, step, labels, label, first, count)) return false;
  uint32_t *keys = sort_keys(first, second, n, count);
  keys[n] = UINT32_MAX;  // no score: it ends the last group

  // Without branches on what is positive: nobody could foresee them.
  uint32_t seen = 0, told = 0, start = 0;
  int64_t found = 0;
  for (uint32_t i = 0; i < (uint32_t)n; i++) {
    seen += keys[i] & 1;
    groups[found] = (rank_group){start, i + 1, seen};
    bool ends = (keys[i] ^ keys[i + 1]) > 1, enter = ends & (seen != told);
    found += enter;
    told = enter ? seen : told;
    start = ends ? i + 1 : start;
  }

  double sum = 0;
  int64_t area = 0, before = 0, negatives = n - seen;
  for (int64_t g = 0; g < found; g++) {
    int64_t all = groups[g].positives, entering = all - before, end = groups[g].end;
    sum += (double)entering * ((double)all / (double)end);
    int64_t others = end - groups[g].start - entering, below = negatives - (end - all);
    area += entering * (2 * below + others);
    before = all;
  }
  *precision = seen ? sum / (double)seen : 0;
  *twice_area = area;
  *positives = seen;
  return true;
}
