/* gibbs/draws.h — draws of chains as a table with names: summaries, and files that other programs read. */
#ifndef GIBBS_PUBLIC_DRAWS_H
#define GIBBS_PUBLIC_DRAWS_H

#include <gibbs/sampler.h>

GIBBS_API_BEGIN

/* All columns of every chain after every step that was kept: x[(draw · chains + chain) · cols + column], and E of each,
 * energy[draw · chains + chain]. `names` holds a string a column, or is NULL. Freed by ebm_draws_free, which also
 * accepts a zeroed struct. */
typedef struct ebm_draws {
    int64_t chains, draws, cols;
    double *x, *energy;
    char **names;
    double step;       /* h of the chains, and */
    double acceptance; /* accepted over proposed since their start or warm-up; NaN where unknown */
    int64_t thin;      /* steps from one draw to the next */
    gibbs_allocator allocator;
} ebm_draws;

/* Zeroed: the defaults. */
typedef struct ebm_draws_options {
    int64_t draws;            /* of each chain; 0: 1000 */
    int64_t thin;             /* steps of the chains for each; 0: 1 */
    const char *const *names; /* of the columns, copied; NULL: none */
    uint64_t seed, step0;     /* as of ebm_chains_run */
} ebm_draws_options;

/* Runs chains that have been started, and warmed up where they need it, and keeps their draws; with parallel tempering
 * those of the first temperature. Errors: ARGUMENT (before a start, an option), NUMERIC and others of a run, SIZE,
 * MEMORY; *out is then zeroed. */
gibbs_status ebm_chains_draws(ebm_chains *chains, const ebm_draws_options *options, ebm_draws *out,
                              gibbs_error *error);
void ebm_draws_free(ebm_draws *draws);

/* A column of draws (Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021). The mean's Monte Carlo error is sd/√ESS of
 * the mean; ess_bulk is that of normal scores of ranks, ess_tail the smaller of those of the 5 % and the 95 % quantile;
 * r_hat the larger of ranks and folded ranks. Quantiles interpolate (type 7). Of a column that never changes the last
 * four are NaN. */
typedef struct ebm_draws_summary {
    double mean, mcse, sd, q5, median, q95;
    double ess_bulk, ess_tail, r_hat;
} ebm_draws_summary;

/* Of every column into summary[cols]. Errors: ARGUMENT (fewer than 4 draws), DATA (a number is not finite), MEMORY. */
gibbs_status ebm_draws_summarise(const ebm_draws *draws, ebm_draws_summary *summary, gibbs_error *error);

/* Writes them as a table: CSV with the columns chain and draw, both from 1, in front, then the draws (their names, else
 * x1, x2, …); or npy of the shape [chains, draws, cols], as ArviZ and NumPy take it. Errors: ARGUMENT, IO, MEMORY. */
gibbs_status ebm_draws_write_csv(const char *path, const ebm_draws *draws, gibbs_error *error);
gibbs_status ebm_draws_write_npy(const char *path, const ebm_draws *draws, gibbs_error *error);

/* Writes CmdStan's CSV, which ArviZ (from_cmdstan), posterior, coda and cmdstanr read: a file for each chain,
 * prefix_1.csv, prefix_2.csv, …, with lp__ = −E, accept_stat__ and stepsize__ before the draws. Names are made Stan's:
 * what is no letter, digit or underscore is one. Errors as above. */
gibbs_status ebm_draws_write_cmdstan(const char *prefix, const ebm_draws *draws, gibbs_error *error);

GIBBS_API_END
#endif
