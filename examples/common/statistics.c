#include "statistics.h"

#include <math.h>

double dot_product(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

double mean_of(const double *x, int64_t n, double *standard_error)
{
    double mean = 0, squares = 0, count = (double)n;
    for (int64_t i = 0; i < n; i++) mean += x[i] / count;
    for (int64_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    if (standard_error) *standard_error = sqrt(squares / (count - 1) / count);
    return mean;
}

line_fit fit_line(const double *x, const double *y, const double *w, int64_t n)
{
    double weight = 0, mean_x = 0, mean_y = 0, spread = 0, product = 0;
    for (int64_t i = 0; i < n; i++)
        if (w[i] > 0) weight += w[i], mean_x += w[i] * x[i], mean_y += w[i] * y[i];
    mean_x /= weight, mean_y /= weight;
    for (int64_t i = 0; i < n; i++)
        if (w[i] > 0) {
            spread += w[i] * (x[i] - mean_x) * (x[i] - mean_x);
            product += w[i] * (x[i] - mean_x) * (y[i] - mean_y);
        }
    double slope = spread > 0 ? product / spread : NAN;
    return (line_fit){slope, spread > 0 ? 1 / sqrt(spread) : NAN, mean_y - slope * mean_x};
}
