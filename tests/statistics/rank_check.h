/* rank_check.h — the exact rank test of a reversible sampler (Gandy & Scott 2020 §3): an exact draw is put at a place
 * M of a stationary chain of LENGTH + 1 points, M uniform; M steps lead from it into the past, which for a reversible
 * sampler is the future of another chain, and the others into the future. The rank of the draw among the points is
 * then uniform, exactly, for any number of steps. Each row is a replicate of its own. */
#ifndef TESTS_RANK_CHECK_H
#define TESTS_RANK_CHECK_H

#include "ebm/discrete_space.h"

enum { RANK_ROWS = 40000, RANK_LENGTH = 4 };

/* f of all rows after each of RANK_LENGTH steps: path[t · RANK_ROWS + r]. False when chains left the finite numbers. */
static inline bool rank_run(ebm_model *model, const ebm_chain_options *options, const double *x0,
                            double (*f)(const double *), uint64_t seed, double *path)
{
    int64_t dim = ebm_model_dim(model);
    double *x = sampling_room(RANK_ROWS * dim, sizeof *x);
    ebm_chains *chains;
    gibbs_status status = GIBBS_OK;
    OK(ebm_chains_new(model, options, &chains, ERROR));
    OK(ebm_chains_start(chains, x0, RANK_ROWS, ERROR));
    for (int t = 0; t < RANK_LENGTH && !status; t++) {
        status = ebm_chains_run(chains, 1, seed, 0, NULL);
        ebm_chains_get(chains, x);
        for (int64_t r = 0; r < RANK_ROWS; r++) path[t * RANK_ROWS + r] = f(x + r * dim);
    }
    cr_assert(status == GIBBS_OK || status == GIBBS_NUMERIC);
    ebm_chains_free(chains);
    free(x);
    return !status;
}

/* Ties are broken at random. */
static inline int rank_of(double own, const double *past, const double *future, int64_t row, int before, uint64_t *seed)
{
    int below = 0, equal = 0;
    for (int t = 0; t < RANK_LENGTH; t++) {
        double other = t < before ? past[t * RANK_ROWS + row] : future[(t - before) * RANK_ROWS + row];
        below += other < own;
        equal += other == own;
    }
    return below + (int)(sampling_uniform(seed) * (equal + 1));
}

/* The χ² of the ranks as a normal number: large when the sampler does not leave the density of x0 as it is, or is not
 * reversible. x0 holds RANK_ROWS exact draws. */
static inline double rank_z(ebm_model *model, const ebm_chain_options *options, const double *x0,
                            double (*f)(const double *))
{
    double count[RANK_LENGTH + 1] = {0}, flat[RANK_LENGTH + 1];
    double *past = sampling_room(2 * RANK_LENGTH * RANK_ROWS, sizeof *past), *future = past + RANK_LENGTH * RANK_ROWS;
    uint64_t seed = 77;
    int64_t dim = ebm_model_dim(model);
    bool finite = rank_run(model, options, x0, f, 1, past) && rank_run(model, options, x0, f, 2, future);
    for (int64_t r = 0; r < RANK_ROWS; r++) {
        int before = (int)(sampling_uniform(&seed) * (RANK_LENGTH + 1));
        count[rank_of(f(x0 + r * dim), past, future, r, before, &seed)]++;
    }
    for (int k = 0; k <= RANK_LENGTH; k++) flat[k] = 1. / (RANK_LENGTH + 1);
    free(past);
    return finite ? chi_square_z(count, flat, RANK_LENGTH + 1, RANK_ROWS) : INFINITY;
}

static inline double rank_first(const double *x) { return x[0]; }

#endif
