/* r_hat.c — split R̂ (Gelman et al. 2013 §11.4), plain or of normal scores (Vehtari et al. 2021 §4). */
#include "split_chains.h"

#include <gibbs/ebm.h>
#include <math.h>

static const char NAME[] = "split R-hat";

static double r_hat(const ebm_halves *h) { return sqrt(ebm_halves_variance(h) / h->within); }

/* Distances that are all equal, as of two values, say nothing: their R̂ is NaN, which fmax leaves out. */
static gibbs_status ranked_r_hat(const double *series, int64_t steps, int64_t chains, ebm_halves *h, double *out,
                                 gibbs_error *error)
{
    ebm_halves folded;
    gibbs_status status = ebm_halves_new(NAME, series, steps, chains, &h->alloc, &folded, error);
    if (status) return status;
    status = ebm_halves_score(NAME, h, error);
    if (!status) status = ebm_halves_score_folded(NAME, &folded, error);
    if (!status) *out = fmax(r_hat(h), r_hat(&folded));
    ebm_halves_free(&folded);
    return status;
}

gibbs_status ebm_split_r_hat(const double *series, int64_t steps, int64_t chains, int ranks,
                             const gibbs_allocator *allocator, double *out, gibbs_error *error)
{
    GIBBS_REQUIRE("split R-hat", out, error);
    ebm_halves h;
    gibbs_status status = ebm_halves_new(NAME, series, steps, chains, allocator, &h, error);
    if (status) return status;
    status = ebm_halves_check(NAME, &h, error);
    if (!status && ranks) status = ranked_r_hat(series, steps, chains, &h, out, error);
    else if (!status) *out = r_hat(&h);
    ebm_halves_free(&h);
    return status;
}
