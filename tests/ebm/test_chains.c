/* Chains: what a step computes, what a run depends on, and what is refused. How chains are distributed:
 * statistics/test_samplers*.c. */
#include "ebm/sampler/chains.h"
#include "sampling.h"

static const density NORMAL = {"normal", 1, 0, 0, -8, 8}, WELLS = {"wells", -2, 1, 0.3, -5, 5};

static ebm_chains *chains_new(ebm_model *model, const ebm_sampler *sampler, double h, const ebm_proposal *q,
                              int threads)
{
    ebm_chain_options options = {0};
    ebm_chains *chains = NULL;
    options.sampler = sampler;
    options.step = h;
    options.proposal = q;
    options.threads = threads;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    return chains;
}

static ebm_proposal *wide_normal(int64_t dim)
{
    ebm_proposal *q = NULL;
    double mean[8] = {0}, sd[8];
    for (int i = 0; i < 8; i++) sd[i] = 1.7;
    OK(ebm_proposal_gaussian_diagonal(dim, mean, sd, NULL, &q, ERROR));
    return q;
}

/* Runs `rows` chains from evenly spaced places; x gets where they end. */
static double run(ebm_chains *chains, int64_t rows, int64_t steps, uint64_t seed, uint64_t step0, double *x)
{
    for (int64_t r = 0; r < rows; r++) x[r] = -2 + 4 * ((double)r + 0.5) / (double)rows;
    OK(ebm_chains_start(chains, x, rows, ERROR));
    OK(ebm_chains_run(chains, steps, seed, step0, ERROR));
    ebm_chains_get(chains, x);
    return ebm_chains_acceptance(chains);
}

/* ---- MALA and independence MH as in the textbook: densities of the proposals written out, nothing kept ---- */

static ad_var slope_at(const ebm_sampler_graph *g, ad_var x, ad_var *E)
{
    ad_var slope;
    x = ad_variable(x);
    *E = ebm_sampler_energy(g, x);
    ad_grad(*E, &x, 1, &slope);
    return slope;
}

/* log q(to | from) of the Langevin proposal, without its constant. */
static ad_var log_move(const ebm_sampler_graph *g, ad_var to, ad_var from, ad_var slope)
{
    ad_var gap = ad_sub(to, ad_sub(from, ad_mul(g->step, slope)));
    return ad_neg(ad_div(ad_sum(ad_square(gap)), ad_scale(g->step, 4)));
}

static ad_var mala_by_the_book(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    ad_var x = state[0], E, E_new, slope = slope_at(g, x, &E);
    ad_var eps = ad_normal(g->chain, ad_vec(1), EBM_STREAM_SAMPLER_NORMAL);
    ad_var y = ad_add(ad_sub(x, ad_mul(g->step, slope)), ad_mul(ad_sqrt(ad_scale(g->step, 2)), eps));
    ad_var back = slope_at(g, y, &E_new);
    ad_var ratio = ad_sub(ad_sub(log_move(g, x, y, back), E_new), ad_sub(log_move(g, y, x, slope), E));
    ad_var accept = ad_less(ad_uniform(g->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM), ad_exp(ratio));
    next[0] = ad_select(accept, y, x);
    return accept;
}

static ad_var mh_by_the_book(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    const ebm_proposal *q = g->proposal;
    ad_var x = state[0], y = q->draw(q, ad_normal(g->chain, ad_vec(1), EBM_STREAM_SAMPLER_NORMAL), NULL);
    ad_var up = ad_mul(ad_exp(ad_neg(ebm_sampler_energy(g, y))), ad_exp(q->log_density(q, x, NULL)));
    ad_var down = ad_mul(ad_exp(ad_neg(ebm_sampler_energy(g, x))), ad_exp(q->log_density(q, y, NULL)));
    ad_var accept = ad_less(ad_uniform(g->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM), ad_div(up, down));
    next[0] = ad_select(accept, y, x);
    return accept;
}

static const ebm_sampler book[] = {
    {.name = "mala by the book", .adjusted = 1, .step = mala_by_the_book},
    {.name = "mh by the book", .needs_proposal = 1, .adjusted = 1, .step = mh_by_the_book},
};

Test(chains, steps_are_those_of_the_textbook)
{
    enum { ROWS = 500 };
    static const ebm_sampler *const ours[] = {&ebm_mala, &ebm_independence_mh};
    ebm_proposal *q = wide_normal(1);
    ebm_model *model = density_model(&WELLS, GIBBS_FLOAT64, NULL);
    for (int k = 0; k < COUNT(ours); k++) {
        double a[ROWS], b[ROWS];
        ebm_chains *mine = chains_new(model, ours[k], 0.2, q, 1), *theirs = chains_new(model, &book[k], 0.2, q, 1);
        double rate = run(mine, ROWS, 20, 4, 0, a), same = run(theirs, ROWS, 20, 4, 0, b);
        for (int r = 0; r < ROWS; r++) cr_assert_float_eq(a[r], b[r], 1e-8, "%s, chain %d", book[k].name, r);
        cr_assert_eq(rate, same);
        cr_assert(rate > 0.2 && rate < 0.98, "%g: nothing is tested where all or nothing is accepted", rate);
        ebm_chains_free(mine);
        ebm_chains_free(theirs);
    }
    ebm_model_free(model);
    ebm_proposal_free(q);
}

Test(chains, ula_is_its_formula)
{
    enum { ROWS = 9 };
    double x[ROWS], y[ROWS], half[ROWS];
    ebm_model *model = density_model(&WELLS, GIBBS_FLOAT64, NULL);
    ebm_chains *one = chains_new(model, &ebm_ula, 0.1, NULL, 1), *quarter = chains_new(model, &ebm_ula, 0.025, NULL, 1);
    cr_assert_eq(run(one, ROWS, 1, 4, 0, y), 1);
    cr_assert_eq(run(quarter, ROWS, 1, 4, 0, half), 1);
    for (int r = 0; r < ROWS; r++) {
        x[r] = -2 + 4 * (r + 0.5) / ROWS;
        double g = density_slope(&WELLS, x[r]), noise = (y[r] - x[r] + 0.1 * g) / sqrt(0.2);
        cr_assert_float_eq(half[r], x[r] - 0.025 * g + sqrt(0.05) * noise, 1e-13); /* the same noise */
        cr_assert(fabs(noise) > 1e-3 && fabs(noise) < 4);
    }
    ebm_chains_free(one);
    ebm_chains_free(quarter);
    ebm_model_free(model);
}

/* ---- What a run depends on ---- */

Test(chains, runs_join_up_and_depend_on_seed_and_step)
{
    enum { ROWS = 64 };
    double a[ROWS], b[ROWS];
    ebm_proposal *q = wide_normal(1);
    ebm_model *model = density_model(&WELLS, GIBBS_FLOAT64, NULL);
    static const ebm_sampler *const samplers[] = {&ebm_ula, &ebm_mala, &ebm_independence_mh};
    for (int k = 0; k < COUNT(samplers); k++) {
        ebm_chains *chains = chains_new(model, samplers[k], 0.1, q, 1);
        cr_assert(isnan(ebm_chains_acceptance(chains)));
        double whole = run(chains, ROWS, 10, 6, 5, a);
        run(chains, ROWS, 4, 6, 5, b);
        OK(ebm_chains_run(chains, 0, 6, 5, ERROR));
        OK(ebm_chains_run(chains, 6, 6, 5, ERROR));
        ebm_chains_get(chains, b);
        for (int r = 0; r < ROWS; r++) cr_assert_float_eq(a[r], b[r], 1e-12);
        cr_assert_float_eq(ebm_chains_acceptance(chains), whole, 1e-15);
        run(chains, ROWS, 10, 7, 5, b);
        cr_assert(memcmp(a, b, sizeof a));
        run(chains, ROWS, 10, 6, 6, b);
        cr_assert(memcmp(a, b, sizeof a));
        cr_assert_eq(ebm_chains_rows(chains), ROWS);
        ebm_chains_free(chains);
    }
    ebm_model_free(model);
    ebm_proposal_free(q);
}

Test(chains, bits_are_the_same_on_one_thread_and_on_two)
{
    enum { ROWS = 40000 };
    static const ebm_sampler *const samplers[] = {&ebm_ula, &ebm_mala, &ebm_independence_mh};
    ebm_proposal *q = wide_normal(1);
    double *a = sampling_room(2 * ROWS, sizeof *a), *b = a + ROWS;
    for (int k = 0; k < 2 * COUNT(samplers); k++) {
        ebm_model *model = density_model(&WELLS, k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64, NULL);
        ebm_chains *one = chains_new(model, samplers[k / 2], 0.1, q, 1);
        ebm_chains *two = chains_new(model, samplers[k / 2], 0.1, q, 2);
        cr_assert_eq(run(one, ROWS, 7, 3, 0, a), run(two, ROWS, 7, 3, 0, b));
        cr_assert_arr_eq(a, b, ROWS * sizeof *a);
        ebm_chains_free(one);
        ebm_chains_free(two);
        ebm_model_free(model);
    }
    ebm_proposal_free(q);
    free(a);
}

/* What a sampler keeps beside x belongs to the parameters of the last run. */
Test(chains, parameters_are_read_at_every_run)
{
    enum { ROWS = 64 };
    double a[ROWS], b[ROWS], tilt = 1.5, none = 0;
    ebm_model *model = density_model(&WELLS, GIBBS_FLOAT64, NULL), *other = density_model(&WELLS, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = chains_new(model, &ebm_mala, 0.1, NULL, 1);
    ebm_chains *fresh = chains_new(other, &ebm_mala, 0.1, NULL, 1);
    run(chains, ROWS, 5, 1, 0, a);
    ebm_model_set(model, &tilt);
    ebm_model_set(other, &tilt);
    OK(ebm_chains_run(chains, 5, 1, 0, ERROR));
    OK(ebm_chains_start(fresh, a, ROWS, ERROR));
    OK(ebm_chains_run(fresh, 5, 1, 5, ERROR));
    ebm_chains_get(chains, a);
    ebm_chains_get(fresh, b);
    for (int r = 0; r < ROWS; r++) cr_assert_float_eq(a[r], b[r], 1e-12);
    ebm_model_set(model, &none);
    run(chains, ROWS, 10, 1, 0, b);
    cr_assert(memcmp(a, b, sizeof a));
    ebm_chains_free(chains);
    ebm_chains_free(fresh);
    ebm_model_free(model);
    ebm_model_free(other);
}

Test(chains, native_numbers_are_those_of_the_model)
{
    const double start[] = {0.1, 0.2, 0.3};
    const float narrow[] = {0.1f, 0.2f, 0.3f};
    double a[3], b[3];
    ebm_model *model = density_model(&WELLS, GIBBS_FLOAT32, NULL);
    ebm_chains *chains = chains_new(model, &ebm_mala, 0.1, NULL, 1);
    cr_assert_null(ebm_chains_native(chains));
    OK(ebm_chains_start(chains, start, 3, ERROR));
    cr_assert_arr_eq(ebm_chains_native(chains), narrow, sizeof narrow);
    OK(ebm_chains_run(chains, 4, 2, 0, ERROR));
    ebm_chains_get(chains, a);
    OK(ebm_chains_start_native(chains, narrow, 3, ERROR));
    OK(ebm_chains_run(chains, 4, 2, 0, ERROR));
    ebm_chains_get(chains, b);
    cr_assert_arr_eq(a, b, sizeof a);
    cr_assert_eq(((const float *)ebm_chains_native(chains))[1], (float)b[1]);
    ebm_chains_free(chains);
    ebm_model_free(model);
}

/* ---- Samplers of one's own ---- */

/* Keeps the place before the last move, one number that never changes, and how often it moved. */
static void remember_start(const ebm_sampler_graph *g, ad_var x, ad_var *kept)
{
    kept[0] = x;
    kept[1] = ad_constant(g->tape, 7);
    kept[2] = ad_constant(g->tape, 0);
}

static ad_var remember_step(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    next[0] = ad_add(ad_add(state[0], state[1]), ad_mul(ad_sub(state[2], state[3]), ad_constant(g->tape, 0)));
    next[1] = state[0];
    next[2] = state[2];
    next[3] = ad_shift(state[3], 1);
    return ad_sub(ad_constant(g->tape, 1), ad_less(ad_constant(g->tape, 2), state[3]));
}

Test(chains, carry_whatever_a_sampler_keeps)
{
    static const ebm_sampler fibonacci = {
        .name = "fibonacci", .caches = 3, .start = remember_start, .step = remember_step,
    };
    double x[2] = {1, 2};
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = chains_new(model, &fibonacci, 0.1, NULL, 1);
    OK(ebm_chains_start(chains, x, 2, ERROR));
    OK(ebm_chains_run(chains, 5, 0, 0, ERROR));
    ebm_chains_get(chains, x);
    cr_assert_eq(x[0], 13); /* 1 1 2 3 5 8 13 */
    cr_assert_eq(x[1], 26);
    cr_assert_eq(ebm_chains_acceptance(chains), 0.6); /* the first three */
    ebm_chains_free(chains);
    ebm_model_free(model);
}
