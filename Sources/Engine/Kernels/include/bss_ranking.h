// What metrics count in class scores.
#pragma once
#include "bss_base.h"

/// out[i] = position of the first largest of scores[i, :], scores [n, classes]. *has_nan: whether
/// one of them is NaN.
void bss_predictions(const float *scores, int64_t n, int64_t classes, int64_t *out, bool *has_nan);

/// How well scores[0], scores[step], … (n of them, in [0, 1]) tell labels[i] == label from the
/// rest: average precision without interpolation and twice the area under the ROC curve in pairs;
/// equal scores enter together. False, with nothing written: a score outside [0, 1], NaN among
/// them, or no memory.
bool bss_rank_probabilities(const float *scores, int64_t n, int64_t step, const int64_t *labels,
                            int64_t label, double *precision, int64_t *twice_area,
                            int64_t *positives);
