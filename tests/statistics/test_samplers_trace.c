/* Acceptance, effective size and split R̂ of every sampler: the mean of a trace is the truth within the standard error
 * that it comes with, and that error is the one that the means of the chains, which are independent, show. */
#include <gibbs/extend.h>

#include "chain_check.h"
#include "ebm/discrete_space.h"

enum { CHAINS = 40, STEPS = 1500, UNITS = 3 };

static const density unit = {"unit", 1, 0, 0, -8, 8}, wells = {"two wells", -1, 1, 0.3, -5, 5};
static const density ula_unit = {"ula's", 0.8, 0, 0, -9, 9}; /* h = 0.4 on the unit Gaussian */

typedef struct traced {
    const char *name;
    ebm_trace trace;
    double spread; /* of the chains' means, over √CHAINS: the standard error without any theory of time */
} traced;

static traced trace_of(ebm_model *model, const ebm_chain_options *options, const double *x, int64_t column)
{
    double *series = sampling_room(STEPS * CHAINS, sizeof *series), squares = 0;
    traced t = {.name = options->sampler->name};
    ebm_chains *chains;
    OK(ebm_chains_new(model, options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, CHAINS, ERROR));
    ebm_trace_options o = {.steps = STEPS, .f = ebm_scalar_column, .context = &column, .seed = 6};
    OK(ebm_chains_trace(chains, &o, series, &t.trace, ERROR));
    for (int c = 0; c < CHAINS; c++) {
        double mean = 0;
        for (int k = 0; k < STEPS; k++) mean += series[k * CHAINS + c] / STEPS;
        squares += (mean - t.trace.mean) * (mean - t.trace.mean);
    }
    t.spread = sqrt(squares / (CHAINS - 1) / CHAINS);
    ebm_chains_free(chains);
    free(series);
    return t;
}

/* A spread of 40 means is known to 11 %. */
static void check(const traced *t, double truth)
{
    double z = (t->trace.mean - truth) / t->trace.standard_error, ratio = t->trace.standard_error / t->spread;
    cr_expect(fabs(z) < 4.3, "%s: the mean is off by %.2f standard errors", t->name, z);
    cr_expect(ratio > 0.65 && ratio < 1.6, "%s: the standard error is %.2f times that of the chains", t->name, ratio);
    cr_expect(t->trace.r_hat < 1.02, "%s: %g", t->name, t->trace.r_hat);
    cr_expect(t->trace.acceptance > 0.1 && t->trace.acceptance <= 1, "%s: %g", t->name, t->trace.acceptance);
}

static traced trace_line(const density *p, const density *truth, const ebm_chain_options *options)
{
    double x[CHAINS];
    grid *g = grid_new(truth);
    ebm_model *model = density_model(p, GIBBS_FLOAT64, NULL);
    grid_draw(g, CHAINS, 9, x);
    traced t = trace_of(model, options, x, 0);
    check(&t, grid_moment(g, 1));
    ebm_model_free(model);
    free(g);
    return t;
}

Test(samplers_trace, on_the_line)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, &Q_MEAN, &Q_SD, NULL, &q, ERROR));
    const ebm_chain_options options[] = {{.sampler = &ebm_random_walk, .step = 1.5},
                                         {.sampler = &ebm_mala, .step = 0.3},
                                         {.sampler = &ebm_hmc, .step = 0.2, .leapfrog_steps = 4},
                                         {.sampler = &ebm_independence_mh, .step = 1, .proposal = q}};
    for (int k = 0; k < COUNT(options); k++) {
        traced t = trace_line(&wells, &wells, &options[k]);
        cr_expect(t.trace.acceptance < 1, "%s", t.name);
    }
    ebm_proposal_free(q);
}

/* On a Gaussian of precision 1 ULA is an autoregression with ρ = 1 − h: the effective size is N(1 − ρ)/(1 + ρ). */
Test(samplers_trace, unadjusted_langevin_is_an_autoregression)
{
    const double h = 0.4;
    traced t = trace_line(&unit, &ula_unit, &(ebm_chain_options){.sampler = &ebm_ula, .step = h});
    double expected = STEPS * CHAINS * h / (2 - h);
    cr_expect(fabs(t.trace.ess / expected - 1) < 0.1, "%g, expected %g", t.trace.ess, expected);
    cr_expect_eq(t.trace.acceptance, 1);
}

/* E of a column over all states of a model. */
static void check_states(ebm_model *model, const ebm_chain_options *options, int64_t column)
{
    double x[CHAINS * SPACE_DIM], truth = 0;
    space s = space_list(model, &options->space);
    for (int k = 0; k < s.states; k++) truth += s.p[k] * s.x[k * s.dim + column];
    space_draw(&s, CHAINS, 4, x);
    traced t = trace_of(model, options, x, column);
    check(&t, truth);
}

Test(samplers_trace, of_states)
{
    ebm_model *model = space_model(4, GIBBS_FLOAT64), *hot = space_model(6, GIBBS_FLOAT64), *machine;
    ebm_rbm_spec spec = {.visible = UNITS, .hidden = UNITS, .weight_sd = 0.8, .dtype = GIBBS_FLOAT64, .seed = 3};
    ebm_blocks blocks;
    OK(ebm_model_rbm(&spec, &machine, ERROR));
    OK(ebm_model_blocks(machine, &blocks, ERROR));
    check_states(model, &(ebm_chain_options){.sampler = &ebm_gibbs, .step = 1}, 1);
    check_states(hot, &(ebm_chain_options){.sampler = &ebm_gibbs, .step = 1, .space = {.labels = 3, .one_hot = 1}}, 2);
    check_states(model, &(ebm_chain_options){.sampler = &ebm_gibbs_with_gradients, .step = 1}, 1);
    check_states(machine, &(ebm_chain_options){.sampler = &ebm_block_gibbs, .step = 1, .blocks = &blocks}, 0);
    ebm_model_free(model), ebm_model_free(hot), ebm_model_free(machine);
}
