/* Samplers of a discrete x against the probabilities of all states by χ²: they keep them from exact draws and find them
 * from one state; and samplers with a mistake, which must be noticed. */
#include "ebm/discrete_space.h"
#include "ebm/model/model.h"
#include "ebm/sampler/discrete.h"

enum { ROWS = 8000 };

/* gcc 12 at -O2 leaves a plain cast of two numbers to float and back out. */
static double narrow(double v)
{
    volatile float kept = (float)v;
    return kept;
}

/* Where `steps` steps lead from exact draws, or all from the first state: χ² as a normal number. */
static double judge(const ebm_chain_options *options, int64_t dim, gibbs_dtype dtype, int64_t steps, bool exact)
{
    double values[2] = {0, 1};
    ebm_space of = options->space;
    for (int i = 0; of.values && i < 2; i++) /* as chains give them back */
        values[i] = dtype == GIBBS_FLOAT32 ? narrow(of.values[i]) : of.values[i];
    of.values = values;
    double *x = sampling_room(ROWS * dim, sizeof *x);
    ebm_model *model = space_model(dim, dtype);
    ebm_chains *chains;
    space s = space_list(model, &of);
    if (exact) space_draw(&s, ROWS, 3, x);
    for (int64_t r = 0; !exact && r < ROWS; r++) memcpy(x + r * dim, s.x, (size_t)dim * sizeof *x);
    OK(ebm_chains_new(model, options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, steps, 21, 0, ERROR));
    ebm_chains_get(chains, x);
    double z = space_chi_square(&s, x, ROWS);
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
    return z;
}

#define BLOCKS(n) .space = {.labels = (n), .one_hot = 1}
#define VALUES(...) .space.values = (const double[]){__VA_ARGS__}
static const struct {
    int64_t dim, keep, find; /* steps from exact draws, and from one state */
    ebm_chain_options options;
} cases[] = {
    {4, 1, 30, {.sampler = &ebm_gibbs, .step = 1}},
    {5, 3, 30, {.sampler = &ebm_gibbs, .step = 1}},
    {4, 2, 40, {.sampler = &ebm_gibbs, .step = 1, VALUES(-1, 1)}},
    {4, 2, 30, {.sampler = &ebm_gibbs, .step = 1, VALUES(0.1, 0.7)}},
    {4, 2, 60, {.sampler = &ebm_gibbs, .step = 1, .order = EBM_ORDER_RANDOM}},
    {6, 1, 30, {.sampler = &ebm_gibbs, .step = 1, BLOCKS(3)}},
    {6, 2, 40, {.sampler = &ebm_gibbs, .step = 1, .order = EBM_ORDER_RANDOM, BLOCKS(3)}},
    {6, 2, 30, {.sampler = &ebm_gibbs, .step = 1, BLOCKS(2)}},
    {6, 3, 3, {.sampler = &ebm_gibbs, .step = 1, BLOCKS(6)}}, /* one variable: a draw at once */
    {4, 5, 150, {.sampler = &ebm_gibbs_with_gradients, .step = 1}},
    {4, 5, 150, {.sampler = &ebm_gibbs_with_gradients, .step = 1, VALUES(-1, 1)}},
    {6, 5, 150, {.sampler = &ebm_gibbs_with_gradients, .step = 1, BLOCKS(3)}},
    {6, 5, 150, {.sampler = &ebm_gibbs_with_gradients, .step = 1, BLOCKS(2)}},
};

static void check_all(gibbs_dtype dtype)
{
    for (int k = 0; k < COUNT(cases); k++) {
        double keep = judge(&cases[k].options, cases[k].dim, dtype, cases[k].keep, true);
        double find = judge(&cases[k].options, cases[k].dim, dtype, cases[k].find, false);
        cr_assert(keep < 4.3 && find < 4.3, "case %d, %s: %.2f, %.2f", k, cases[k].options.sampler->name, keep, find);
    }
}

Test(samplers_discrete, keep_and_find_their_states) { check_all(GIBBS_FLOAT64); }
Test(samplers_discrete, keep_and_find_their_states_in_float32) { check_all(GIBBS_FLOAT32); }

/* One move is not where it ends up: a check that finds nothing wrong there could find nothing at all. */
Test(samplers_discrete, control_a_chain_that_is_too_short_is_noticed)
{
    for (int k = 0; k < COUNT(cases); k++) {
        if (cases[k].options.space.labels == 6) continue;
        double z = judge(&cases[k].options, cases[k].dim, GIBBS_FLOAT64, 1, false);
        cr_assert_gt(z, 8, "case %d, %s: %.2f", k, cases[k].options.sampler->name, z);
    }
}

/* ---- Gibbs with parts to get wrong ---- */

typedef struct mistakes {
    double temperature; /* the conditional's exponent */
    int invert;         /* p and 1 − p exchanged */
    int all_at_once;    /* every variable is redrawn given the old others */
} mistakes;

static ad_var energy_of_other(const ebm_sampler_graph *g, ad_var x, ad_var here)
{
    return ebm_sampler_energy(g, ad_select(here, ebm_discrete_other(g, x), x));
}

static ad_var wrong_gibbs(const ebm_sampler_graph *g, const mistakes *m, const ad_var *state, ad_var *next)
{
    ad_var x = state[0], mine = ebm_discrete_count(g, g->model->dim, 1), E = ebm_sampler_energy(g, x);
    ad_var pick = ad_uniform(g->chain, ad_vec(g->model->dim), EBM_STREAM_SAMPLER_PICK), changed = x;
    for (int i = 0; i < g->model->dim; i++) {
        ad_var here = ebm_discrete_equal(mine, ad_constant(g->tape, i)), from = m->all_at_once ? x : changed;
        ad_var now = m->all_at_once ? E : ebm_sampler_energy(g, changed);
        double factor = m->invert ? -m->temperature : m->temperature;
        ad_var gap = ad_scale(ad_sub(energy_of_other(g, from, here), now), factor);
        ad_var u = ad_sum(ad_slice(pick, 0, i, 1)), flip = ad_less(u, ad_sigmoid(ad_neg(gap)));
        changed = ad_select(ad_mul(here, flip), ebm_discrete_other(g, changed), changed);
    }
    next[0] = changed;
    return ad_constant(g->tape, 1);
}

#define GIBBS(what, ...)                                                                               \
    static ad_var what##_step(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)           \
    {                                                                                                  \
        static const mistakes m = {__VA_ARGS__};                                                       \
        return wrong_gibbs(g, &m, state, next);                                                        \
    }                                                                                                  \
    static const ebm_sampler what = {.name = #what, .discrete = 1, .step = what##_step};
GIBBS(right, .temperature = 1)
GIBBS(inverted, .temperature = 1, .invert = 1)
GIBBS(cold, .temperature = 1.15)
GIBBS(parallel, .temperature = 1, .all_at_once = 1)

Test(samplers_discrete, control_wrong_conditionals_are_noticed)
{
    static const ebm_sampler *const wrong[] = {&inverted, &cold, &parallel};
    ebm_chain_options options = {.sampler = &right, .step = 1};
    cr_assert_lt(judge(&options, 4, GIBBS_FLOAT64, 3, true), 4.3);
    for (int k = 0; k < COUNT(wrong); k++) {
        options.sampler = wrong[k];
        double z = judge(&options, 4, GIBBS_FLOAT64, 3, true);
        cr_assert_gt(z, 8, "%s passes: %.2f", wrong[k]->name, z);
    }
}

/* ---- A change that the expansion favours and the energy forbids ---- */

/* GWG accepts by the energies, so states of +∞ and NaN are never taken; nor are they by Gibbs. */
static double forbidden;
static ad_var walled(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var both = ad_mul(ad_sum(ad_slice(x, 0, 0, 1)), ad_sum(ad_slice(x, 0, 2, 1)));
    ad_var E = ad_dot(x, ad_constant_array(x.tape, ad_vec(4), (double[]){-0.5, 0.2, -0.8, 0.4}));
    return ad_select(both, ad_constant(x.tape, forbidden), E);
}

Test(samplers_discrete, states_without_an_energy_are_never_taken)
{
    const double walls[] = {INFINITY, NAN};
    const ebm_chain_options ways[] = {{.sampler = &ebm_gibbs, .step = 1},
                                      {.sampler = &ebm_gibbs_with_gradients, .step = 1},
                                      {.sampler = &ebm_gibbs, .step = 1, BLOCKS(2)}};
    for (int k = 0; k < 2 * COUNT(ways); k++) {
        double *x = sampling_room(4 * ROWS, sizeof *x), count[3] = {0}, p[3];
        ebm_chains *chains;
        forbidden = walls[k % 2];
        ebm_model *model = energy_model(4, walled);
        for (int r = 0; r < ROWS; r++) x[4 * r] = x[4 * r + 3] = ways[k / 2].space.one_hot ? 1 : 0;
        OK(ebm_chains_new(model, &ways[k / 2], &chains, ERROR));
        OK(ebm_chains_start(chains, x, ROWS, ERROR));
        OK(ebm_chains_run(chains, 40, 2, 0, ERROR));
        ebm_chains_get(chains, x);
        for (int r = 0; r < ROWS; r++) {
            cr_assert(!(x[4 * r] && x[4 * r + 2]));
            count[x[4 * r] ? 1 : x[4 * r + 2] ? 2 : 0]++;
        }
        double one[4] = {0.5, -0.2, 0.8, -0.4}; /* −E of each bit: without blocks the other two are free */
        p[0] = 1, p[1] = exp(one[0]), p[2] = exp(one[2]);
        if (ways[k / 2].space.one_hot)
            p[0] = exp(one[1] + one[3]), p[1] = exp(one[0] + one[3]), p[2] = exp(one[1] + one[2]);
        double total = p[0] + p[1] + p[2];
        for (int i = 0; i < 3; i++) p[i] /= total;
        cr_assert_lt(chi_square_z(count, p, 3, ROWS), 4.3, "way %d", k / 2);
        ebm_chains_free(chains);
        ebm_model_free(model);
        free(x);
    }
}
