/* Contrastive divergence: chains start at the data, the points where they end are held constant, and the gradient is
 * the difference of two means. */
#include "objective_helpers.h"

enum { ROWS = 150, SEED = 4, STEP = 6 };

static ebm_loss_options with(const ebm_sampler *sampler, int steps, double h)
{
    ebm_loss_options options = {0};
    options.sampler = sampler;
    options.sampler_steps = steps;
    options.sampler_step = h;
    return options;
}

/* What the loss should draw: k steps of chains from the data; step s of a fit begins at step s·k of the stream. */
static double *chain_points(ebm_model *model, const plain_energy *e, const ebm_loss_options *o, const double *x,
                            double *acceptance)
{
    ebm_chains *chains;
    ebm_chain_options options = {0};
    double *y = malloc((size_t)(ROWS * e->dim) * sizeof *y);
    options.sampler = o->sampler;
    options.step = o->sampler_step;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, o->sampler_steps, SEED, (uint64_t)(STEP * o->sampler_steps), ERROR));
    ebm_chains_get(chains, y);
    *acceptance = ebm_chains_acceptance(chains);
    ebm_chains_free(chains);
    return y;
}

static void check_energy(const plain_energy *e, const ebm_loss_options *options)
{
    double *x = test_points(e, ROWS, 1), of_data[MOST_PARAMETERS], of_chain[MOST_PARAMETERS], acceptance;
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ebm_loss_cd, options, e->theta, x, ROWS, SEED, STEP);
    double *y = chain_points(model, e, options, x, &acceptance);
    double gap = mean_energy(e, e->theta, x, ROWS, of_data) - mean_energy(e, e->theta, y, ROWS, of_chain);
    expect_close(value_of(o), gap, 1e-12, e->name);
    for (int k = 0; k < e->size; k++)
        expect_close(((const double *)ebm_objective_gradient(o))[k], of_data[k] - of_chain[k], 1e-12, e->name);
    cr_expect(ebm_objective_health(o) == acceptance && acceptance > 0 && acceptance <= 1);
    cr_expect(memcmp(x, y, (size_t)(ROWS * e->dim) * sizeof *x), "the chains moved");
    expect_consistent(o, 1e-8, "with the chains where they are");
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x), free(y);
}

Test(cd, agrees_with_chains_from_the_data)
{
    const ebm_loss_options options[] = {with(&ebm_ula, 1, 0.05), with(&ebm_mala, 1, 0.1), with(&ebm_mala, 5, 0.02)};
    for (int k = 0; k < ENERGIES; k++)
        for (int i = 0; i < COUNT(options); i++) check_energy(&energies[k], &options[i]);
}

/* ---- Where chains start ---- */

static ad_var stay(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    next[0] = state[0];
    return ad_constant(graph->tape, 1);
}

static ad_var jump(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    (void)state;
    next[0] = ad_normal(graph->chain, ad_vec(1), 77);
    return ad_constant(graph->tape, 1);
}

static const ebm_sampler stayer = {.name = "stay", .step = stay}, jumper = {.name = "jump", .step = jump};

/* A sampler that does not move leaves the data where they are: value and gradient are exactly 0, whatever the data. One
 * that forgets where it started gives the data's energy against that of its own draws. */
Test(cd, chains_start_at_the_data)
{
    const plain_energy *e = &energies[PRECISION];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        double *x = normals(ROWS, (double)seed, 2, seed), gradient, value[2], slope[2];
        const ebm_loss_options options[] = {with(&stayer, 3, 1), with(&jumper, 3, 1)};
        ebm_model *model = e->make();
        for (int k = 0; k < 2; k++) {
            ebm_objective *o = objective_at(model, &ebm_loss_cd, &options[k], e->theta, x, ROWS, SEED, STEP);
            value[k] = value_of(o);
            slope[k] = *(const double *)ebm_objective_gradient(o);
            ebm_objective_free(o);
        }
        double of_data = mean_energy(e, e->theta, x, ROWS, &gradient);
        cr_expect(value[0] == 0 && slope[0] == 0, "%g, %g", value[0], slope[0]);
        cr_expect(fabs(value[1] - (of_data - 0.5 * e->theta[0])) < 0.5 * e->theta[0] * 0.6, "%g", value[1]);
        cr_expect(fabs(slope[1]) > 0.5, "the control must differ: %g", slope[1]);
        ebm_model_free(model);
        free(x);
    }
}

/* ---- y is held constant ---- */

/* The value as a function of λ when the chains are run anew at each λ, with common random numbers: its slope is not
 * what the loss returns, which is the slope with y held (checked above). */
Test(cd, no_derivative_flows_through_the_chain)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = normals(ROWS, 0, 1, 1), h = 1e-4, value[2];
    ebm_loss_options options = with(&ebm_ula, 1, 0.5);
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ebm_loss_cd, &options, e->theta, x, ROWS, SEED, STEP);
    value_of(o);
    double held = *(const double *)ebm_objective_gradient(o);
    for (int k = 0; k < 2; k++) {
        double moved = e->theta[0] + (k ? h : -h);
        ebm_model_set(model, &moved);
        OK(ebm_objective_refresh(o, SEED, STEP, ERROR));
        value[k] = value_of(o);
    }
    double through = (value[1] - value[0]) / (2 * h);
    cr_expect(fabs(through - held) > 0.1, "through the chain %g, held %g", through, held);
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

/* ---- Towards the data ---- */

/* One step of ULA from data of variance m₂ gives variance (1 − hλ)²m₂ + 2h, so the expected gradient is half the
 * difference: its sign is that of λ − 1/m₂, but for a bias of O(h) in where it is 0. */
Test(cd, expected_update_moves_the_precision_towards_the_data)
{
    enum { MANY = 20000 };
    static const double truth = 1, wrong[] = {0.4, 0.7, 1.6, 3};
    const double h = 0.1;
    double *x = normals(MANY, 0, 1 / sqrt(truth), 9), m2 = 0;
    const ebm_loss_options options[] = {with(&ebm_ula, 1, h), with(&ebm_mala, 1, h)};
    for (int r = 0; r < MANY; r++) m2 += x[r] * x[r] / MANY;
    ebm_model *model = energies[PRECISION].make();
    for (int s = 0; s < 2; s++)
        for (int k = 0; k < COUNT(wrong); k++) {
            ebm_objective *o = objective_at(model, &ebm_loss_cd, &options[s], &wrong[k], x, MANY, SEED, STEP);
            value_of(o);
            double gradient = *(const double *)ebm_objective_gradient(o), shrink = 1 - h * wrong[k];
            double expected = 0.5 * (m2 - shrink * shrink * m2 - 2 * h), error = sqrt(2 * h * m2 / MANY);
            cr_expect((wrong[k] - gradient < wrong[k]) == (wrong[k] > truth), "%g at %g", gradient, wrong[k]);
            if (options[s].sampler == &ebm_ula)
                cr_expect(fabs(gradient - expected) < 5 * error, "%g, expected %g ± %g", gradient, expected, error);
            ebm_objective_free(o);
        }
    ebm_model_free(model);
    free(x);
}
