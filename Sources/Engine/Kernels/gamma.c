// psi and psi': recurrence up to x >= 10, then the asymptotic series (Abramowitz & Stegun
// 1964, 6.3.18 and 6.4.12); negative arguments by reflection (6.3.7, 6.4.7).
#define _GNU_SOURCE
#include "gamma.h"

static double digamma_above_0(double x) {
  double y = 0;
  while (x < 10) {
    y -= 1 / x;
    x += 1;
  }
  double z = 1 / (x * x);
  double series =
      z * (1.0 / 12 - z * (1.0 / 120 -
                           z * (1.0 / 252 -
                                z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
  return y + log(x) - 0.5 / x - series;
}

double bss_digamma(double x) {
  if (x == 0) return copysign(INFINITY, -x);
  if (x > 0 || x != x) return digamma_above_0(x);
  if (x == floor(x)) return NAN;
  double part = x - rint(x);  // tan(pi x) of a large x would lose the fraction
  return digamma_above_0(1 - x) - M_PI / tan(M_PI * part);
}

static double trigamma_above_0(double x) {
  double y = 0;
  while (x < 10) {
    y += 1 / (x * x);
    x += 1;
  }
  double z = 1 / (x * x);
  double series =
      1 + 0.5 / x +
      z * (1.0 / 6 -
           z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66 - z * (691.0 / 2730 -
                                                                                z * 7.0 / 6))))));
  return y + series / x;
}

double bss_trigamma(double x) {
  if (x == 0) return INFINITY;
  if (x > 0 || x != x) return trigamma_above_0(x);
  if (x == floor(x)) return INFINITY;
  double s = sin(M_PI * (x - rint(x)));
  return M_PI * M_PI / (s * s) - trigamma_above_0(1 - x);
}
