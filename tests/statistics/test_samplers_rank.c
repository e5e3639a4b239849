/* The exact rank test of every reversible sampler, and of samplers with the mistakes that are made in practice, which
 * it must notice: an inverted accept rule, a proposal density left out, a half step of the leapfrog left out. */
#include "ebm/model/model.h"
#include "ebm/sampler/discrete.h"
#include "rank_check.h"

static const density unit = {"unit", 1, 0, 0, -8, 8}, wells = {"two wells", -2, 1, 0.3, -5, 5};
static const density tilted = {"tilted", 0, 1, 1.5, -5, 4};

/* ---- On the line ---- */

static double line_z(const density *p, const ebm_chain_options *options)
{
    grid *g = grid_new(p);
    double *x0 = sampling_room(RANK_ROWS, sizeof *x0);
    ebm_model *model = density_model(p, GIBBS_FLOAT64, NULL);
    grid_draw(g, RANK_ROWS, 5, x0);
    double z = rank_z(model, options, x0, rank_first);
    ebm_model_free(model);
    free(x0);
    free(g);
    return z;
}

Test(samplers_rank, reversible_samplers_on_the_line)
{
    ebm_proposal *q;
    const double mass = 0.3;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0.2}, (double[]){1.7}, NULL, &q, ERROR));
    const struct {
        const density *target;
        ebm_chain_options options;
    } cases[] = {
        {&unit, {.sampler = &ebm_random_walk, .step = 1}},
        {&wells, {.sampler = &ebm_random_walk, .step = 0.7}},
        {&wells, {.sampler = &ebm_random_walk, .step = 0.3, .mass = &mass}},
        {&unit, {.sampler = &ebm_mala, .step = 0.8}},
        {&wells, {.sampler = &ebm_mala, .step = 0.3}},
        {&wells, {.sampler = &ebm_independence_mh, .step = 1, .proposal = q}},
        {&unit, {.sampler = &ebm_hmc, .step = 1.2, .leapfrog_steps = 2}},
        {&wells, {.sampler = &ebm_hmc, .step = 0.4, .leapfrog_steps = 1}},
        {&wells, {.sampler = &ebm_hmc, .step = 0.3, .leapfrog_steps = 5}},
        {&wells, {.sampler = &ebm_hmc, .step = 0.15, .leapfrog_steps = 5, .mass = &mass}},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        double z = line_z(cases[k].target, &cases[k].options);
        cr_assert_lt(z, 4.3, "case %d, %s: %.2f", k, cases[k].options.sampler->name, z);
    }
    ebm_proposal_free(q);
}

/* ---- Hamiltonian Monte Carlo with parts to get wrong, in the textbook's momenta ---- */

typedef struct mistakes {
    double first, last; /* of the momentum's first and last step: halves */
    int invert;         /* accept where it rejects */
    int forget_kinetic; /* the rule leaves out the momenta */
    int stale;          /* each step uses the gradient before it moved */
} mistakes;

static ad_var slope_at(const ebm_sampler_graph *g, ad_var x, ad_var *E)
{
    ad_var slope = {g->tape, -1};
    x = ad_variable(x);
    *E = ebm_sampler_energy(g, x);
    ad_grad(*E, &x, 1, &slope);
    return slope;
}

static ad_var half_square(ad_var p) { return ad_scale(ad_sum(ad_square(p)), 0.5); }

static ad_var hmc(const ebm_sampler_graph *g, const mistakes *m, ad_var x, ad_var *next)
{
    ad_var E, E_new, p0 = ad_normal(g->chain, ad_vec(1), EBM_STREAM_SAMPLER_NORMAL), h = g->step, y = x, p = p0;
    ad_var slope = slope_at(g, x, &E);
    E_new = E;
    p = ad_sub(p, ad_mul(ad_scale(h, m->first), slope));
    for (int l = 1; l <= g->leapfrog_steps; l++) {
        y = ad_add(y, ad_mul(h, p));
        ad_var moved = slope_at(g, y, &E_new), used = m->stale ? slope : moved;
        p = ad_sub(p, ad_mul(ad_scale(h, l < g->leapfrog_steps ? 1 : m->last), used));
        slope = moved;
    }
    ad_var ratio = ad_sub(E, E_new), one = ad_constant(g->tape, 1);
    if (!m->forget_kinetic) ratio = ad_add(ratio, ad_sub(half_square(p0), half_square(p)));
    ad_var accept = ad_less(ad_log(ad_uniform(g->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM)), ratio);
    if (m->invert) accept = ad_sub(one, accept);
    next[0] = ad_select(accept, y, x);
    return accept;
}

#define HMC(what, ...)                                                                                 \
    static ad_var what##_step(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)           \
    {                                                                                                  \
        static const mistakes m = {__VA_ARGS__};                                                       \
        return hmc(g, &m, state[0], next);                                                             \
    }                                                                                                  \
    static const ebm_sampler what = {.name = #what, .step = what##_step};
HMC(right_hmc, .first = 0.5, .last = 0.5)
HMC(whole_steps, .first = 1, .last = 1) /* another symmetric map: worse, and still exact */
HMC(no_first_half, .first = 0, .last = 0.5)
HMC(no_last_half, .first = 0.5, .last = 1)
HMC(inverted_hmc, .first = 0.5, .last = 0.5, .invert = 1)
HMC(no_kinetic, .first = 0.5, .last = 0.5, .forget_kinetic = 1)
HMC(stale_gradient, .first = 0.5, .last = 0.5, .stale = 1)

Test(samplers_rank, control_wrong_leapfrogs_are_noticed)
{
    static const ebm_sampler *const right[] = {&right_hmc, &whole_steps};
    static const ebm_sampler *const wrong[] = {&no_first_half, &no_last_half, &inverted_hmc, &no_kinetic,
                                               &stale_gradient};
    ebm_chain_options options = {.step = 0.82, .leapfrog_steps = 1};
    for (int k = 0; k < COUNT(right); k++) {
        options.sampler = right[k];
        cr_assert_lt(line_z(&tilted, &options), 4.3, "%s", right[k]->name);
    }
    for (int k = 0; k < COUNT(wrong); k++) {
        options.sampler = wrong[k];
        double z = line_z(&tilted, &options);
        cr_assert_gt(z, 8, "%s passes: %.2f", wrong[k]->name, z);
    }
}

/* The library's steps are those of the textbook, to rounding. */
Test(samplers_rank, hmc_is_that_of_the_textbook)
{
    enum { ROWS = 200 };
    double a[ROWS], b[ROWS];
    ebm_model *model = density_model(&wells, GIBBS_FLOAT64, NULL);
    const ebm_sampler *const samplers[] = {&ebm_hmc, &right_hmc};
    double *const ends[] = {a, b};
    for (int k = 0; k < 2; k++) {
        ebm_chains *chains;
        ebm_chain_options options = {.sampler = samplers[k], .step = 0.4, .leapfrog_steps = 3};
        for (int r = 0; r < ROWS; r++) ends[k][r] = -2 + 4. * r / ROWS;
        OK(ebm_chains_new(model, &options, &chains, ERROR));
        OK(ebm_chains_start(chains, ends[k], ROWS, ERROR));
        OK(ebm_chains_run(chains, 5, 3, 0, ERROR));
        ebm_chains_get(chains, ends[k]);
        ebm_chains_free(chains);
    }
    for (int r = 0; r < ROWS; r++) cr_assert_float_eq(a[r], b[r], 1e-9);
    ebm_model_free(model);
}

/* ---- Random walks with an inverted rule, and one in log |x| that forgets that its proposal is not symmetric ---- */

static ad_var walk(const ebm_sampler_graph *g, ad_var x, ad_var *next, int invert, int multiply, int correct)
{
    ad_var eps = ad_mul(g->step, ad_normal(g->chain, ad_vec(1), EBM_STREAM_SAMPLER_NORMAL));
    ad_var y = multiply ? ad_mul(x, ad_exp(eps)) : ad_add(x, eps);
    ad_var ratio = ad_sub(ebm_sampler_energy(g, x), ebm_sampler_energy(g, y));
    if (correct) ratio = ad_add(ratio, ad_sum(eps)); /* q(x|x′)/q(x′|x) = |x′|/|x| */
    ad_var accept = ad_less(ad_log(ad_uniform(g->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM)), ratio);
    if (invert) accept = ad_sub(ad_constant(g->tape, 1), accept);
    next[0] = ad_select(accept, y, x);
    return accept;
}

#define WALK(what, invert, multiply, correct)                                                          \
    static ad_var what##_step(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)           \
    {                                                                                                  \
        return walk(g, state[0], next, invert, multiply, correct);                                     \
    }                                                                                                  \
    static const ebm_sampler what = {.name = #what, .step = what##_step};
WALK(right_walk, 0, 0, 0)
WALK(inverted_walk, 1, 0, 0)
WALK(right_scaling, 0, 1, 1)
WALK(scaling_without_q, 0, 1, 0)

Test(samplers_rank, control_wrong_walks_are_noticed)
{
    const struct {
        const ebm_sampler *sampler;
        double low, high;
    } cases[] = {{&right_walk, -INFINITY, 4.3},
                 {&right_scaling, -INFINITY, 4.3},
                 {&inverted_walk, 8, INFINITY},
                 {&scaling_without_q, 8, INFINITY}};
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_chain_options options = {.sampler = cases[k].sampler, .step = 0.7};
        double z = line_z(&unit, &options);
        cr_assert(z > cases[k].low && z < cases[k].high, "%s: %.2f", cases[k].sampler->name, z);
    }
}

/* ---- Discrete: gibbs with gradients; and without q in its rule ---- */

static double weighted(const double *x) /* tells most states apart */
{
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += x[i] * (1 + 1.7 * i * i);
    return sum;
}

static double space_z(const ebm_chain_options *options, int64_t dim)
{
    double *x0 = sampling_room(RANK_ROWS * dim, sizeof *x0);
    ebm_model *model = space_model(dim, GIBBS_FLOAT64);
    space s = space_list(model, &options->space);
    space_draw(&s, RANK_ROWS, 8, x0);
    double z = rank_z(model, options, x0, weighted);
    ebm_model_free(model);
    free(x0);
    return z;
}

Test(samplers_rank, gibbs_with_gradients)
{
    const ebm_sampler *gwg = &ebm_gibbs_with_gradients;
    const ebm_chain_options cases[] = {{.sampler = gwg, .step = 1},
                                       {.sampler = gwg, .step = 1, .space.values = (const double[]){-1, 1}},
                                       {.sampler = gwg, .step = 1, .space = {.labels = 3, .one_hot = 1}},
                                       {.sampler = gwg, .step = 1, .space = {.labels = 2, .one_hot = 1}}};
    for (int k = 0; k < COUNT(cases); k++) {
        double z = space_z(&cases[k], cases[k].space.one_hot ? 6 : 5);
        cr_assert_lt(z, 4.3, "case %d: %.2f", k, z);
    }
}

/* A change of one variable by the gradient's weights, accepted by the energies alone. */
static ad_var without_q(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    ad_var x = state[0], E, E_new, slope = slope_at(g, x, &E), other = ebm_discrete_other(g, x);
    ad_var weight = ad_exp(ad_scale(ad_mul(slope, ad_sub(other, x)), -0.5)), pick = ebm_discrete_pick(g, weight);
    ad_var y = ad_select(ebm_discrete_equal(ebm_discrete_count(g, g->model->dim, 1), pick), other, x);
    slope_at(g, y, &E_new);
    ad_var ratio = ad_sub(E, E_new);
    ad_var accept = ad_less(ad_log(ad_uniform(g->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM)), ratio);
    next[0] = ad_select(accept, y, x);
    return accept;
}

Test(samplers_rank, control_gibbs_with_gradients_without_q_is_noticed)
{
    static const ebm_sampler wrong = {.name = "without q", .step = without_q, .discrete = 1};
    double z = space_z(&(ebm_chain_options){.sampler = &wrong, .step = 1}, 5);
    cr_assert_gt(z, 8, "%.2f", z);
}
