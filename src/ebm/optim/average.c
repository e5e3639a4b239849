/* average.c — an exponential moving average of the parameters, bias corrected. */
#include "kernel.h"

#include "base/float_word.h"

#include <string.h>

static ebm_optim_average_fn *const kernel[] = GIBBS_ISA_TABLE(ebm_optim_average);

/* Both sides of a/(1−βᵗ) written for t and t − 1 give â ← â + (w − â)(1 − β)/(1 − βᵗ): the average is at any time the
 * corrected one, and depends on no more than itself, β and t. In double, since a float stands still where its share of
 * w is below half a unit. */
void ebm_average(gibbs_dtype dtype, int64_t n, double *average, const void *w, double beta, int64_t step)
{
    if (step <= 0) memset(average, 0, (size_t)n * sizeof *average);
    double weight = step <= 0 ? 1 : (1 - beta) / ebm_one_minus_power(beta, (double)step + 1);
    gibbs_float_word host = gibbs_float_enter();
    kernel[gibbs_isa()](dtype, n, average, w, weight);
    gibbs_float_leave(host);
}
