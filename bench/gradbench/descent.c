#include "descent.h"

#include <math.h>

double gb_descend(double x, double (*value_of)(void *context, double x, double *slope), void *context)
{
    double slope, rate = 1e-5, value = value_of(context, x, &slope);
    for (int successes = 0; fabs(slope) > 1e-5;) {
        if (successes == 10) {
            rate *= 2;
            successes = 0;
            continue;
        }
        double then = x - rate * slope, slope_then;
        if (!(fabs(x - then) > 1e-5)) break;
        double value_then = value_of(context, then, &slope_then);
        if (value_then < value) {
            x = then;
            value = value_then;
            slope = slope_then;
            successes++;
        } else {
            rate /= 2;
            successes = 0;
        }
    }
    return x;
}
