/* chain_check.h — many chains judged against the density that they should leave unchanged. Chains are independent, so
 * standard errors are exact; what they should be distributed as is known by quadrature. */
#ifndef TESTS_CHAIN_CHECK_H
#define TESTS_CHAIN_CHECK_H

#include "ebm/sampling.h"

#include <stdbool.h>

/* q of independence MH in these tests: wider than all the densities. */
static const double Q_SD = 1.7, Q_MEAN = 0.2;

typedef struct chain_setting {
    const density *target;  /* whose energy the chains get */
    const ebm_sampler *sampler;
    double step;
    int64_t steps;
    double start;           /* all chains start there; NaN: at exact draws from `truth` */
    const density *truth;   /* what they are judged by */
} chain_setting;

typedef struct chain_verdict {
    double mean, square; /* (average − truth) / standard error of x and x² */
    double ks;           /* these three are infinite when the chains left the finite numbers */
    double acceptance;
} chain_verdict;

static inline double chain_verdict_worst(chain_verdict v) { return fmax(fabs(v.mean), fabs(v.square)); }

/* False when the chains left the finite numbers, as those of a wrong sampler may. */
static inline bool chain_move(const chain_setting *s, gibbs_dtype dtype, int64_t rows, double *x, chain_verdict *v)
{
    ebm_proposal *q;
    ebm_chains *chains;
    ebm_model *model = density_model(s->target, dtype, NULL);
    OK(ebm_proposal_gaussian_diagonal(1, &Q_MEAN, &Q_SD, NULL, &q, ERROR));
    ebm_chain_options options = {.sampler = s->sampler, .step = s->step, .proposal = q};
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, rows, ERROR));
    gibbs_error error = {.status = GIBBS_OK};
    gibbs_status status = ebm_chains_run(chains, s->steps, 2024, 0, &error);
    cr_assert(status == GIBBS_OK || status == GIBBS_NUMERIC, "%s", error.message);
    ebm_chains_get(chains, x);
    v->acceptance = ebm_chains_acceptance(chains);
    ebm_chains_free(chains);
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status == GIBBS_OK;
}

static inline chain_verdict chain_judge(const chain_setting *s, gibbs_dtype dtype, int64_t rows)
{
    chain_verdict v;
    grid *g = grid_new(s->truth);
    double *x = sampling_room(rows, sizeof *x), sum = 0, squares = 0, n = (double)rows;
    if (isnan(s->start)) grid_draw(g, rows, 99, x);
    else for (int64_t r = 0; r < rows; r++) x[r] = s->start;
    bool finite = chain_move(s, dtype, rows, x, &v);
    double m[5];
    for (int k = 0; k < 5; k++) m[k] = grid_moment(g, k);
    for (int64_t r = 0; r < rows; r++) {
        sum += x[r];
        squares += x[r] * x[r];
        x[r] = grid_cdf(g, x[r]);
    }
    v.mean = (sum / n - m[1]) / sqrt((m[2] - m[1] * m[1]) / n);
    v.square = (squares / n - m[2]) / sqrt((m[4] - m[2] * m[2]) / n);
    v.ks = sampling_ks(x, rows);
    if (!finite) v.mean = v.square = v.ks = INFINITY;
    free(x);
    free(g);
    return v;
}

#endif
