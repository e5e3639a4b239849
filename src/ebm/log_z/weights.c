/* weights.c — log mean w, its standard error, the effective number of the weights and their tail. All are taken
 * relative to the largest one, so that a constant in E changes nothing. */
#include "weights.h"

#include "ebm/model/program.h"

#include <float.h>
#include <math.h>
#include <string.h>

static gibbs_status find_largest(const char *who, gibbs_dtype dtype, const void *log_w, int64_t rows, double *largest,
                                 gibbs_error *error)
{
    *largest = -INFINITY;
    for (int64_t r = 0; r < rows; r++) {
        double l = ebm_number(dtype, log_w, r);
        if (isnan(l) || l == INFINITY)
            return gibbs_fail_row(error, GIBBS_NUMERIC, r, "%s: log weight %g at row %lld", who, l, (long long)r + 1);
        *largest = fmax(*largest, l);
    }
    if (*largest > -INFINITY) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_NUMERIC, "%s: all %lld weights are 0: E is infinite at every draw", who,
                      (long long)rows);
}

gibbs_status ebm_relative_weights(const char *who, gibbs_dtype dtype, const void *log_weight, int64_t rows,
                                  double *weight, gibbs_error *error)
{
    double largest;
    gibbs_status status = find_largest(who, dtype, log_weight, rows, &largest, error);
    for (int64_t r = 0; !status && r < rows; r++) weight[r] = exp(ebm_number(dtype, log_weight, r) - largest);
    return status;
}

/* Whether there is a variance: of the weights themselves, k < ½; of smoothed ones, as long as the mean of so many is
 * near what it tends to (Vehtari et al. 2024). */
static bool has_variance(double k, int64_t rows, bool smooth)
{
    double most = smooth ? fmin(1 - 1 / log10((double)rows), 0.7) : 0.5;
    return !(k > most);
}

/* The weights become shares. The standard error is that of log mean w by the delta method, sd(w)/mean w/√M. */
static ebm_importance estimate(double *share, int64_t rows, double largest, double k, bool smooth)
{
    double n = (double)rows, sum = 0, squares = 0, most = 0;
    for (int64_t r = 0; r < rows; r++) sum += share[r];
    for (int64_t r = 0; r < rows; r++) {
        share[r] /= sum;
        squares += (n * share[r] - 1) * (n * share[r] - 1);
        most = fmax(most, share[r]);
    }
    double error = rows > 1 ? sqrt(squares / (n - 1) / n) : NAN;
    return (ebm_importance){.log_z = largest + log(sum / n), .ess = n / (1 + squares / n),
                            .standard_error = has_variance(k, rows, smooth) ? error : INFINITY, .k = k,
                            .largest = most};
}

static void judge(gibbs_dtype dtype, const void *log_w, int64_t rows, double largest, bool smooth, ebm_ranked *ranked,
                  double *share, ebm_importance *result)
{
    double epsilon = dtype == GIBBS_FLOAT64 ? DBL_EPSILON : FLT_EPSILON, size = fmax(fabs(largest), 1);
    for (int64_t r = 0; r < rows; r++) ranked[r] = (ebm_ranked){ebm_number(dtype, log_w, r) - largest, r};
    double k = ebm_pareto(ranked, rows, 8 * epsilon * size, smooth, share); /* as room, until it is filled */
    for (int64_t r = 0; r < rows; r++) share[ranked[r].row] = exp(ranked[r].log_weight);
    *result = estimate(share, rows, largest, k, smooth);
}

gibbs_status ebm_weigh(const char *who, gibbs_dtype dtype, const void *log_weight, int64_t rows, bool smooth,
                       const gibbs_allocator *a, double *weight, ebm_importance *result, gibbs_error *error)
{
    double largest;
    gibbs_status status = find_largest(who, dtype, log_weight, rows, &largest, error);
    if (status) return status;
    ebm_ranked *ranked = gibbs_alloc(a, (size_t)rows, sizeof *ranked);
    double *share = ranked ? gibbs_alloc(a, (size_t)rows, sizeof *share) : NULL;
    if (share) {
        ebm_importance found;
        judge(dtype, log_weight, rows, largest, smooth, ranked, share, &found);
        if (weight) memcpy(weight, share, (size_t)rows * sizeof *weight);
        if (result) *result = found;
    } else
        status = gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld weights", who, (long long)rows);
    gibbs_release(a, share);
    gibbs_release(a, ranked);
    return status;
}

gibbs_status ebm_importance_of(const double *log_weight, int64_t rows, int smooth, const gibbs_allocator *allocator,
                               double *weight, ebm_importance *result, gibbs_error *error)
{
    GIBBS_REQUIRE("importance", log_weight, error);
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    if (rows < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "importance: %lld rows; at least 1 is needed", (long long)rows);
    return ebm_weigh("importance", GIBBS_FLOAT64, log_weight, rows, smooth != 0, &a, weight, result, error);
}
