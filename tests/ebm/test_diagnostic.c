/* Effective sample size and split R̂: known answers of another implementation, closed forms, and what is refused; and
 * the trace of chains that reports them. */
#include "sampling.h"

/* ---- Known answers: ArviZ 0.17.1 (ess with method "mean", rhat with "split" and "rank") on series that are made of
 * whole numbers and a recursion ---- */

static double next_number(int kind, uint32_t *seed, double before, int t, int c)
{
    *seed = *seed * 1664525u + 1013904223u;
    double u = *seed / 4294967296. - 0.5;
    switch (kind) {
    case 0: return 0.7 * before + u;
    case 1: return -0.6 * before + u;
    case 2: return u + 0.4 * c;
    case 3: return floor(4 * u) * (1 + c);
    default: return 0.95 * before + u + 0.002 * t;
    }
}

static void make_series(int kind, int steps, int chains, double *series)
{
    uint32_t seed = 1;
    for (int c = 0; c < chains; c++) {
        double x = 0;
        for (int t = 0; t < steps; t++) series[t * chains + c] = x = next_number(kind, &seed, x, t, c);
    }
}

Test(diagnostic, known_answers)
{
    static const struct {
        int kind, steps, chains;
        double ess, plain, ranked;
    } cases[] = {
        {0, 200, 4, 154.015021720358, 1.04172139019769, 1.04116493748577},
        {0, 201, 3, 131.679816201142, 1.02017622011454, 1.02004510231637},
        {1, 100, 4, 1040.82399653119, 0.99083142705652, 1.0020490056923},
        {2, 50, 3, 5.97886517852575, 1.55516354455432, 1.53715708315671},
        {3, 80, 4, 334.982416809435, 0.997122817623234, 1.10497904232401},
        {4, 300, 2, 2.63016903995516, 2.15939275345723, 1.78732539676702},
        {0, 4, 2, 7.22471989593555, 2.13534849579544, 1.8602846212027},
        {0, 7, 2, 12.9501749525715, 0.91249522861113, 1.23135893949187},
        {1, 60, 1, 106.689075023019, NAN, NAN},
    };
    double series[1000], ess, plain, ranked;
    for (int k = 0; k < COUNT(cases); k++) {
        int steps = cases[k].steps, chains = cases[k].chains;
        make_series(cases[k].kind, steps, chains, series);
        OK(ebm_effective_size(series, steps, chains, NULL, &ess, ERROR));
        OK(ebm_split_r_hat(series, steps, chains, 0, NULL, &plain, ERROR));
        OK(ebm_split_r_hat(series, steps, chains, 1, NULL, &ranked, ERROR));
        cr_assert_float_eq(ess, cases[k].ess, 1e-11 * ess, "%d: %.15g", k, ess);
        if (isnan(cases[k].plain)) continue;
        cr_assert_float_eq(plain, cases[k].plain, 1e-13, "%d: %.15g", k, plain);
        cr_assert_float_eq(ranked, cases[k].ranked, 1e-12, "%d: %.15g", k, ranked);
    }
}

/* ---- Closed forms ---- */

static double normal(uint64_t *seed)
{
    double u = sampling_uniform(seed), v = sampling_uniform(seed);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* x_t = ρ x_{t−1} + √(1 − ρ²) ε, from its stationary law: ESS = N(1 − ρ)/(1 + ρ). Means over `runs` estimates. */
static void autoregression(double rho, int steps, int chains, int runs, double *ess, double *r_hat)
{
    double *series = sampling_room((int64_t)steps * chains, sizeof *series), one;
    uint64_t seed = 17;
    *ess = *r_hat = 0;
    for (int run = 0; run < runs; run++) {
        for (int c = 0; c < chains; c++) series[c] = normal(&seed);
        for (int i = chains; i < steps * chains; i++)
            series[i] = rho * series[i - chains] + sqrt(1 - rho * rho) * normal(&seed);
        OK(ebm_effective_size(series, steps, chains, NULL, &one, ERROR));
        *ess += one / runs;
        OK(ebm_split_r_hat(series, steps, chains, 1, NULL, &one, ERROR));
        *r_hat += one / runs;
    }
    free(series);
}

Test(diagnostic, autoregressions)
{
    enum { STEPS = 2000, CHAINS = 4 };
    for (double rho = -0.6; rho < 1; rho += 0.3) {
        double ess, r_hat, truth = STEPS * CHAINS * (1 - rho) / (1 + rho);
        autoregression(rho, STEPS, CHAINS, 10, &ess, &r_hat);
        cr_assert(fabs(ess / truth - 1) < 0.1, "rho %g: %g, not %g", rho, ess, truth);
        cr_assert(r_hat < 1.02 && r_hat > 0.999, "rho %g: %g", rho, r_hat);
    }
}

/* Chains that agree in their means and differ in their spread are found by ranks alone. */
Test(diagnostic, ranks_find_other_spreads)
{
    enum { STEPS = 500, CHAINS = 4 };
    double series[STEPS * CHAINS], plain, ranked;
    uint64_t seed = 3;
    for (int i = 0; i < STEPS * CHAINS; i++) series[i] = normal(&seed) * (i % CHAINS ? 1 : 4);
    OK(ebm_split_r_hat(series, STEPS, CHAINS, 0, NULL, &plain, ERROR));
    OK(ebm_split_r_hat(series, STEPS, CHAINS, 1, NULL, &ranked, ERROR));
    cr_assert(plain < 1.02 && ranked > 1.1, "%g, %g", plain, ranked);
}

/* One chain that drifts: its halves disagree. */
Test(diagnostic, a_trend_is_found)
{
    double series[400], r_hat, ess;
    uint64_t seed = 3;
    for (int t = 0; t < 400; t++) series[t] = normal(&seed) + 0.01 * t;
    OK(ebm_split_r_hat(series, 400, 1, 1, NULL, &r_hat, ERROR));
    OK(ebm_effective_size(series, 400, 1, NULL, &ess, ERROR));
    cr_assert(r_hat > 1.3 && ess < 20, "%g, %g", r_hat, ess);
}

Test(diagnostic, refuses)
{
    double series[8] = {1, 2, 3, 4, 5, 6, 7, 8}, flat[8] = {2, 2, 2, 2, 2, 2, 2, 2}, out = -1;
    FAILS(GIBBS_ARGUMENT, "3 steps of 2", ebm_effective_size(series, 3, 2, NULL, &out, FAIL));
    FAILS(GIBBS_ARGUMENT, "4 steps of 0", ebm_split_r_hat(series, 4, 0, 0, NULL, &out, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_effective_size(NULL, 4, 2, NULL, &out, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_split_r_hat(series, 4, 2, 0, NULL, NULL, FAIL));
    FAILS(GIBBS_SIZE, "too many", ebm_effective_size(series, INT64_MAX / 2, 4, NULL, &out, FAIL));
    FAILS(GIBBS_NUMERIC, "are 2", ebm_effective_size(flat, 4, 2, NULL, &out, FAIL));
    FAILS(GIBBS_NUMERIC, "are 2", ebm_split_r_hat(flat, 4, 2, 1, NULL, &out, FAIL));
    series[5] = NAN;
    FAILS(GIBBS_DATA, "step 3 of chain 2", ebm_split_r_hat(series, 4, 2, 0, NULL, &out, FAIL));
    series[5] = INFINITY;
    FAILS(GIBBS_DATA, "step 3 of chain 2", ebm_effective_size(series, 4, 2, NULL, &out, FAIL));
    cr_assert_eq(out, -1);
}

/* ---- Traces ---- */

static const density unit = {"unit", 1, 0, 0, -8, 8};

static ebm_chains *unit_chains(ebm_model *model, const double *beta, int temperatures, int64_t rows)
{
    double x[64];
    ebm_chains *chains;
    uint64_t seed = 9;
    for (int r = 0; r < rows; r++) x[r] = normal(&seed);
    ebm_chain_options options = {.sampler = &ebm_random_walk, .step = 2.4, .inverse_temperatures = beta,
                                 .temperatures = temperatures, .swap_every = 2};
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, rows, ERROR));
    return chains;
}

/* The trace is the series of an ordinary run, noted as it goes. */
Test(diagnostic, traces_note_what_a_run_does)
{
    enum { STEPS = 300, ROWS = 8, EVERY = 3 };
    static double series[STEPS * ROWS];
    double x[ROWS], ess, r_hat;
    int64_t column = 0;
    ebm_trace trace;
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = unit_chains(model, NULL, 0, ROWS), *plain = unit_chains(model, NULL, 0, ROWS);
    ebm_trace_options options = {.steps = STEPS, .every = EVERY, .f = ebm_scalar_column, .context = &column, .seed = 4};
    OK(ebm_chains_trace(chains, &options, series, &trace, ERROR));
    for (int t = 0; t < STEPS; t++) {
        OK(ebm_chains_run(plain, EVERY, 4, 0, ERROR));
        ebm_chains_get(plain, x);
        cr_assert_arr_eq(x, series + t * ROWS, sizeof x);
    }
    OK(ebm_effective_size(series, STEPS, ROWS, NULL, &ess, ERROR));
    OK(ebm_split_r_hat(series, STEPS, ROWS, 1, NULL, &r_hat, ERROR));
    cr_assert(trace.ess == ess && trace.r_hat == r_hat && trace.acceptance == ebm_chains_acceptance(plain));
    cr_assert(trace.ess > 200 && trace.r_hat < 1.05 && trace.acceptance > 0.3 && trace.acceptance < 0.6);
    cr_assert_lt(fabs(trace.mean), 4.3 * trace.standard_error);
    cr_assert_float_eq(trace.sd, 1, 0.15);
    cr_assert_float_eq(trace.standard_error, trace.sd / sqrt(ess), 1e-15);
    ebm_chains_free(chains);
    ebm_chains_free(plain);
    ebm_model_free(model);
}

/* Without an f it is the energy, of mean ½ here; of the first temperature only. */
Test(diagnostic, traces_of_energies_and_of_ladders)
{
    const double beta[] = {1, 0.3};
    static double series[500 * 16];
    ebm_trace trace;
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = unit_chains(model, beta, 2, 32);
    series[500 * 16 - 1] = -1;
    OK(ebm_chains_trace(chains, &(ebm_trace_options){.steps = 500, .seed = 5}, series, &trace, ERROR));
    cr_assert_lt(fabs(trace.mean - 0.5), 4.3 * trace.standard_error, "%g ± %g", trace.mean, trace.standard_error);
    cr_assert(trace.standard_error < 0.05 && series[500 * 16 - 1] >= 0);
    cr_assert(ebm_chains_swapped(chains) > 0.3 && ebm_chains_swapped(chains) < 1);
    ebm_chains_free(chains);
    ebm_model_free(model);
}

static double nothing(const double *x, int64_t dim, void *context)
{
    (void)x;
    (void)dim;
    (void)context;
    return NAN;
}

Test(diagnostic, traces_refuse)
{
    ebm_trace trace;
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = unit_chains(model, NULL, 0, 4), *idle;
    int64_t column = 1;
    OK(ebm_chains_new(model, &(ebm_chain_options){.step = 1}, &idle, ERROR));
    FAILS(GIBBS_ARGUMENT, "before a start",
          ebm_chains_trace(idle, &(ebm_trace_options){.steps = 5}, NULL, &trace, FAIL));
    FAILS(GIBBS_ARGUMENT, "steps is 3", ebm_chains_trace(chains, &(ebm_trace_options){.steps = 3}, NULL, &trace, FAIL));
    FAILS(GIBBS_ARGUMENT, "every is -1",
          ebm_chains_trace(chains, &(ebm_trace_options){.steps = 5, .every = -1}, NULL, &trace, FAIL));
    FAILS(GIBBS_ARGUMENT, "trace: a required pointer",
          ebm_chains_trace(NULL, &(ebm_trace_options){.steps = 5}, NULL, &trace, FAIL));
    FAILS(GIBBS_DATA, "options.f is nan at the chain of row 1",
          ebm_chains_trace(chains, &(ebm_trace_options){.steps = 5, .f = nothing}, NULL, &trace, FAIL));
    FAILS(GIBBS_DATA, "options.f is nan at the chain of row 1",
          ebm_chains_trace(chains, &(ebm_trace_options){.steps = 5, .f = ebm_scalar_column, .context = &column}, NULL,
                           &trace, FAIL));
    ebm_chains_free(chains);
    ebm_chains_free(idle);
    ebm_model_free(model);
}
