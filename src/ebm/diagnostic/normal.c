/* normal.c — a rational start (Abramowitz & Stegun 26.2.23, error 4.5e-4), made exact by Newton's method. */
#include "normal.h"

#include <math.h>

double ebm_normal_quantile(double p)
{
    if (p > 0.5) return -ebm_normal_quantile(1 - p);
    double t = sqrt(-2 * log(p));
    double z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
    for (int k = 0; k < 3; k++) z -= (0.5 * erfc(-z * M_SQRT1_2) - p) / (exp(-0.5 * z * z) * 0.3989422804014327);
    return z;
}
