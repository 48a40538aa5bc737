// Gamma function family, double precision, thread-safe.
#pragma once
#include <math.h>

double bss_digamma(double x);
double bss_trigamma(double x);
static inline double bss_lgamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}
