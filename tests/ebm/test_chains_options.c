/* Options of the samplers: what is refused, one by one, and what every sampler promises: runs that join up, the same
 * bits on any number of threads. */
#include "discrete_space.h"

static const density wells = {"two wells", -2, 1, 0.3, -5, 5};

/* ---- Two layers that need nothing ---- */

static void half(ad_var other, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = parameter[1] = ad_scale(ad_sum(other), 0.3);
}

static void not_a_number(ad_var other, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = ad_log(ad_constant(other.tape, -1));
}

static void silent(ad_var other, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)other;
    (void)theta;
    (void)context;
    (void)parameter;
}

static const ebm_blocks bits = {.visible = {EBM_UNIT_BINARY, 2, half}, .hidden = {EBM_UNIT_BINARY, 3, half}};

Test(chains_options, numbers)
{
    const double masses[][2] = {{1, 0}, {1, -2}, {NAN, 1}, {1, INFINITY}}, betas[] = {1, 0}, one = 1;
    ebm_model *model = space_model(4, GIBBS_FLOAT64);
    ebm_chains *chains;
#define REFUSED(part, ...) \
    FAILS(GIBBS_ARGUMENT, part, ebm_chains_new(model, &(ebm_chain_options){.step = 1, __VA_ARGS__}, &chains, FAIL))
    double mass[4] = {1, 1, 1, 1};
    for (int k = 0; k < COUNT(masses); k++) {
        memcpy(mass + 2, masses[k], sizeof masses[k]);
        REFUSED(isfinite(masses[k][0]) ? "mass 4" : "mass 3", .mass = mass);
    }
    REFUSED("leapfrog_steps is -1; it must lie in [1, 1000]; 0 means 10", .leapfrog_steps = -1);
    REFUSED("leapfrog_steps is 1001", .leapfrog_steps = 1001);
    REFUSED("the values 2 and 2", .space.values = (const double[]){2, 2});
    REFUSED("nan", .space.values = (const double[]){NAN, 2});
    REFUSED("4 columns are no blocks of 3", .space = {.labels = 3, .one_hot = 1});
    REFUSED("a space of 1 labels in a block", .space = {.labels = 1, .one_hot = 1});
    REFUSED("a space of -2 labels in a block", .space = {.labels = -2, .one_hot = 1});
    REFUSED("a space of 3 labels in one column", .space.labels = 3);
    REFUSED("variables have 2 and 3 labels", .space = {.variables = 2, .labels_of = (int64_t[]){2, 3}, .one_hot = 1});
    ebm_chain_options three = {.step = 1, .space = {.variables = 3, .one_hot = 1}};
    FAILS(GIBBS_SHAPE, "columns, which are 2 variables; the space has 3", ebm_chains_new(model, &three, &chains, FAIL));
    REFUSED("swap_every is -1", .swap_every = -1);
    REFUSED("temperature 2 is 0", .inverse_temperatures = betas, .temperatures = 2);
    REFUSED("none are given", .temperatures = 2);
    REFUSED("0 temperatures", .inverse_temperatures = &one);
    REFUSED("block_gibbs: no blocks", .sampler = &ebm_block_gibbs);
    cr_assert_null(chains);
    ebm_model_free(model);
}

Test(chains_options, blocks)
{
    ebm_model *model = space_model(5, GIBBS_FLOAT64), *two = space_model(4, GIBBS_FLOAT64);
    ebm_chains *chains;
    const double beta = 0.5;
    ebm_blocks b = bits;
    ebm_chain_options o = {.step = 1, .sampler = &ebm_block_gibbs, .blocks = &b};
    b.joint = 1;
    FAILS(GIBBS_ARGUMENT, "model's dim", ebm_chains_new(two, &o, &chains, FAIL));
    b.joint = 0;
    FAILS(GIBBS_ARGUMENT, "model's dim", ebm_chains_new(model, &o, &chains, FAIL));
    b.visible.units = 5;
    o.inverse_temperatures = &beta;
    o.temperatures = 1;
    FAILS(GIBBS_ARGUMENT, "joint form", ebm_chains_new(model, &o, &chains, FAIL));
    o.temperatures = 0;
    o.inverse_temperatures = NULL;
    b.hidden.units = 0;
    FAILS(GIBBS_ARGUMENT, "no units", ebm_chains_new(model, &o, &chains, FAIL));
    b.hidden.units = 3;
    b.hidden.given = NULL;
    FAILS(GIBBS_ARGUMENT, "no conditional", ebm_chains_new(model, &o, &chains, FAIL));
    b.hidden.given = silent;
    FAILS(GIBBS_TAPE, "null", ebm_chains_new(model, &o, &chains, FAIL));
    b.hidden.given = not_a_number;
    double x[5] = {0}, after[5];
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    OK(ebm_chains_start(chains, x, 1, ERROR));
    OK(ebm_chains_run(chains, 0, 1, 0, ERROR));
    FAILS(GIBBS_NUMERIC, "x is", ebm_chains_run(chains, 1, 1, 0, FAIL));
    ebm_chains_get(chains, after);
    cr_assert_arr_eq(x, after, sizeof x);
    ebm_chains_free(chains);
    ebm_model_free(model);
    ebm_model_free(two);
}

Test(chains_options, starts)
{
    const double good[8] = {0, 1, 1, 0, 0, 1, 0, 0}, half_way[4] = {0, 1, 0.5, 1}, none[4] = {1, 0, 0, 0};
    const double both[4] = {1, 0, 1, 1}, beta[3] = {1, 0.5, 0.2};
    const float narrow[4] = {0.1f, 0.7f, 0.1f, 0.1f}, off[4] = {0.1f, 0.7f, 0.100001f, 0.1f};
    ebm_model *model = space_model(4, GIBBS_FLOAT64), *small = space_model(4, GIBBS_FLOAT32);
    ebm_chains *chains;
    OK(ebm_chains_new(model, &(ebm_chain_options){.step = 1, .sampler = &ebm_gibbs}, &chains, ERROR));
    FAILS(GIBBS_DATA, "column 3 is 0.5, neither 0 nor 1 (options.space), at row 1",
          ebm_chains_start(chains, half_way, 1, FAIL));
    OK(ebm_chains_start(chains, good, 2, ERROR));
    ebm_chains_free(chains);
    ebm_chain_options o = {.step = 1, .sampler = &ebm_gibbs_with_gradients, .space = {.labels = 2, .one_hot = 1}};
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    FAILS(GIBBS_DATA, "ends in column 4 has 0 ones, not one, at row 1", ebm_chains_start(chains, none, 1, FAIL));
    FAILS(GIBBS_DATA, "ends in column 4 has 2 ones, not one, at row 1", ebm_chains_start(chains, both, 1, FAIL));
    FAILS(GIBBS_DATA, "ends in column 4 has 0 ones, not one, at row 2", ebm_chains_start(chains, good, 2, FAIL));
    OK(ebm_chains_start(chains, good, 1, ERROR));
    ebm_chains_free(chains);
    o = (ebm_chain_options){.step = 1, .sampler = &ebm_gibbs, .space.values = (const double[]){0.1, 0.7}};
    OK(ebm_chains_new(small, &o, &chains, ERROR));
    double again[4];
    for (int i = 0; i < 4; i++) again[i] = off[i];
    FAILS(GIBBS_DATA, "column 3", ebm_chains_start(chains, again, 1, FAIL));
    for (int i = 0; i < 4; i++) again[i] = narrow[i];
    for (int k = 0; k < 2; k++) { /* what chains give back they take again */
        OK(ebm_chains_start(chains, again, 1, ERROR));
        OK(ebm_chains_run(chains, 3, 1, 0, ERROR));
        ebm_chains_get(chains, again);
    }
    ebm_chains_free(chains);
    o = (ebm_chain_options){.step = 1, .inverse_temperatures = beta, .temperatures = 3};
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    FAILS(GIBBS_ARGUMENT, "ladders of 3", ebm_chains_start(chains, good, 2, FAIL));
    ebm_chains_free(chains);
    ebm_model_free(model);
    ebm_model_free(small);
}

/* ---- Promises ---- */

typedef struct promise {
    int64_t dim;
    ebm_chain_options options;
} promise;

#define BLOCKS(n) .space = {.labels = (n), .one_hot = 1}
static const double BETA[] = {1, 0.6, 0.3};
static const promise promises[] = {
    {1, {.sampler = &ebm_random_walk, .step = 0.5}},
    {1, {.sampler = &ebm_hmc, .step = 0.2, .leapfrog_steps = 3}},
    {1, {.sampler = &ebm_mala, .step = 0.2, .inverse_temperatures = BETA, .temperatures = 3, .swap_every = 3}},
    {4, {.sampler = &ebm_gibbs, .step = 1}},
    {4, {.sampler = &ebm_gibbs, .step = 1, BLOCKS(2)}},
    {4, {.sampler = &ebm_gibbs, .step = 1, .inverse_temperatures = BETA, .temperatures = 3, .swap_every = 2}},
    {4, {.sampler = &ebm_gibbs, .step = 1, BLOCKS(2), .inverse_temperatures = BETA, .temperatures = 3}},
    {4, {.sampler = &ebm_gibbs_with_gradients, .step = 1}},
    {4, {.sampler = &ebm_gibbs_with_gradients, .step = 1, BLOCKS(4)}},
    {2, {.sampler = &ebm_block_gibbs, .step = 1, .blocks = &bits}},
};
enum { ROWS = 3000 };

static ad_var plain_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_scale(ad_sum(ad_square(x)), 0.3);
}

static ebm_model *promise_model(const promise *p, gibbs_dtype dtype)
{
    ebm_model_spec spec = {.dtype = dtype, .dim = 2, .energy = plain_energy};
    ebm_model *model;
    if (p->dim == 1) return density_model(&wells, dtype, NULL);
    if (p->dim != 2) return space_model(p->dim, dtype);
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static void place(const promise *p, ebm_chains *chains, int64_t rows, double *x)
{
    int K = (int)p->options.space.labels;
    for (int64_t i = 0; i < rows * p->dim; i++) x[i] = K ? i % K == 0 : p->dim == 1 ? sin((double)i) : i % 3 == 0;
    OK(ebm_chains_start(chains, x, rows, ERROR));
}

static ebm_chains *chains_of(const promise *p, ebm_model *model, int threads)
{
    ebm_chain_options o = p->options;
    ebm_chains *chains;
    o.threads = threads;
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    return chains;
}

Test(chains_options, runs_join_up)
{
    enum { FEW = 60 };
    for (int k = 0; k < COUNT(promises); k++) {
        const promise *p = &promises[k];
        double a[4 * FEW], b[4 * FEW];
        size_t bytes = (size_t)(p->dim * FEW) * sizeof *a;
        ebm_model *model = promise_model(p, GIBBS_FLOAT64);
        ebm_chains *chains = chains_of(p, model, 1);
        place(p, chains, FEW, a);
        OK(ebm_chains_run(chains, 11, 6, 5, ERROR));
        ebm_chains_get(chains, a);
        double rate = ebm_chains_acceptance(chains);
        place(p, chains, FEW, b);
        OK(ebm_chains_run(chains, 4, 6, 5, ERROR));
        OK(ebm_chains_run(chains, 7, 6, 5, ERROR));
        ebm_chains_get(chains, b);
        for (int i = 0; i < p->dim * FEW; i++) cr_assert_float_eq(a[i], b[i], 1e-11, "%d", k);
        cr_assert_float_eq(ebm_chains_acceptance(chains), rate, 1e-12);
        place(p, chains, FEW, b);
        OK(ebm_chains_run(chains, 11, 7, 5, ERROR));
        ebm_chains_get(chains, b);
        cr_assert(memcmp(a, b, bytes), "%d: another seed", k);
        ebm_chains_free(chains);
        ebm_model_free(model);
    }
}

/* Other chains, started where these were interrupted and told the step's number, end with the same bits, be it in the
 * middle between two swaps. */
Test(chains_options, other_chains_go_on_with_the_same_bits)
{
    enum { FEW = 60, STEPS = 13 };
    for (int k = 0; k < COUNT(promises); k++) {
        const promise *p = &promises[k];
        double a[4 * FEW], b[4 * FEW];
        ebm_model *model = promise_model(p, GIBBS_FLOAT64);
        ebm_chains *chains = chains_of(p, model, 1);
        place(p, chains, FEW, a);
        OK(ebm_chains_run(chains, STEPS, 6, 5, ERROR));
        ebm_chains_get(chains, a);
        for (int64_t first = 1; first < STEPS; first += 3) {
            ebm_chains *others = chains_of(p, model, 1);
            place(p, chains, FEW, b);
            OK(ebm_chains_run(chains, first, 6, 5, ERROR));
            ebm_chains_get(chains, b);
            OK(ebm_chains_start(others, b, FEW, ERROR));
            OK(ebm_chains_run(others, STEPS - first, 6, 5 + (uint64_t)first, ERROR));
            ebm_chains_get(others, b);
            cr_assert_arr_eq(a, b, (size_t)(p->dim * FEW) * sizeof *a, "%d, after step %d", k, (int)first);
            ebm_chains_free(others);
        }
        ebm_chains_free(chains);
        ebm_model_free(model);
    }
}

Test(chains_options, bits_are_the_same_on_one_thread_and_on_two)
{
    double *a = sampling_room(8 * ROWS, sizeof *a), *b = a + 4 * ROWS;
    for (int k = 0; k < 2 * COUNT(promises); k++) {
        const promise *p = &promises[k / 2];
        ebm_model *model = promise_model(p, k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        for (int threads = 1; threads <= 2; threads++) {
            ebm_chains *chains = chains_of(p, model, threads);
            place(p, chains, ROWS, threads == 1 ? a : b);
            OK(ebm_chains_run(chains, 5, 3, 0, ERROR));
            ebm_chains_get(chains, threads == 1 ? a : b);
            ebm_chains_free(chains);
        }
        cr_assert_arr_eq(a, b, (size_t)(p->dim * ROWS) * sizeof *a);
        ebm_model_free(model);
    }
    free(a);
}
