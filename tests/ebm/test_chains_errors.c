/* Chains: what is refused, and energies that are not finite. */
#include "ebm/sampler/chains.h"
#include "sampling.h"

static const density NORMAL = {"normal", 1, 0, 0, -8, 8};

static ad_var one(const ebm_proposal *q, ad_var v, const ad_var *theta)
{
    (void)theta;
    return q->context ? ad_sum(v) : v; /* a draw that keeps the shape, or does not */
}

static ad_var zero(const ebm_proposal *q, ad_var v, const ad_var *theta)
{
    (void)q;
    (void)theta;
    return ad_constant(v.tape, 0);
}

static ad_var to_nowhere(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    (void)next;
    return ad_lift(g->chain, ad_sum(state[0]));
}

static ad_var to_a_scalar(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    next[0] = ad_sum(state[0]);
    return ad_constant(g->tape, 1);
}

static ad_var forgets_to_accept(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    next[0] = next[1] = state[0];
    return (ad_var){g->tape, -1};
}

static ad_var accepts_a_vector(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    (void)g;
    return next[0] = state[0];
}

static void keep_nothing(const ebm_sampler_graph *g, ad_var x, ad_var *cache) { (void)g, (void)x, (void)cache; }
static void keep_x(const ebm_sampler_graph *g, ad_var x, ad_var *cache) { (void)g, cache[0] = x; }

/* What a sampler left out is said in the words of its author. */
Test(chains_errors, samplers_that_leave_something_out)
{
    static const struct {
        ebm_sampler sampler;
        gibbs_status status;
        const char *part;
    } cases[] = {
        {{.name = "lost", .step = to_nowhere}, GIBBS_TAPE, "the step of «lost» left next[0] the null var"},
        {{.step = to_nowhere}, GIBBS_TAPE, "the step of «(no name)» left next[0]"},
        {{.name = "flat", .step = to_a_scalar}, GIBBS_SHAPE,
         "the step of «flat» gave next[0] the shape []; state[0] has [1]"},
        {{.name = "mute", .step = forgets_to_accept}, GIBBS_TAPE, "the step of «mute» returned the null var"},
        {{.name = "wide", .step = accepts_a_vector}, GIBBS_SHAPE, "the step of «wide» returned the shape [1]"},
        {{.name = "bare", .step = accepts_a_vector, .start = keep_nothing, .caches = 1}, GIBBS_TAPE,
         "the start of «bare» left cache[0] the null var"},
        {{.name = "half", .step = accepts_a_vector, .start = keep_x, .caches = 1}, GIBBS_TAPE,
         "the step of «half» left next[1] the null var"},
    };
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, NULL);
    ebm_chains *chains;
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_chain_options o = {.step = 0.1, .sampler = &cases[k].sampler};
        FAILS(cases[k].status, cases[k].part, ebm_chains_new(model, &o, &chains, FAIL));
        cr_expect_null(chains);
    }
    ebm_model_free(model);
}

Test(chains_errors, options)
{
    static const ebm_sampler no_step = {.name = "still"}, greedy = {.name = "greedy", .caches = 5, .step = to_nowhere};
    static const ebm_sampler lost = {.name = "lost", .step = to_nowhere}, flat = {.name = "flat", .step = to_a_scalar};
    static const ebm_proposal two = {.name = "two", .dim = 2, .draw = one, .log_density = zero};
    static const ebm_proposal half = {.name = "half", .dim = 1, .draw = one};
    ebm_chains *chains;
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, NULL);
    ebm_model *narrow = density_model(&NORMAL, GIBBS_FLOAT32, NULL);
    const double bad[] = {-1, NAN, INFINITY};
    for (int k = 0; k < COUNT(bad); k++)
        FAILS(GIBBS_ARGUMENT, "step is", ebm_chains_new(model, &(ebm_chain_options){.step = bad[k]}, &chains, FAIL));
    FAILS(GIBBS_ARGUMENT, "step", ebm_chains_new(narrow, &(ebm_chain_options){.step = 1e-60}, &chains, FAIL));
    ebm_chain_options o = {.step = 0.1, .sampler = &ebm_independence_mh, .threads = -1};
    FAILS(GIBBS_ARGUMENT, "threads", ebm_chains_new(model, &o, &chains, FAIL));
    o.threads = 0;
    FAILS(GIBBS_ARGUMENT, "independence_mh: no proposal", ebm_chains_new(model, &o, &chains, FAIL));
    o.proposal = &two;
    FAILS(GIBBS_SHAPE, "2 dimensions", ebm_chains_new(model, &o, &chains, FAIL));
    o.proposal = &half;
    FAILS(GIBBS_ARGUMENT, "no log_density", ebm_chains_new(model, &o, &chains, FAIL));
    o.proposal = &(ebm_proposal){.name = "three", .dim = 1, .draw = zero, .log_density = one, .context = NULL};
    FAILS(GIBBS_SHAPE, "", ebm_chains_new(model, &o, &chains, FAIL)); /* a log density that is a vector */
    o.proposal = NULL;
    o.sampler = &no_step;
    FAILS(GIBBS_ARGUMENT, "step", ebm_chains_new(model, &o, &chains, FAIL));
    o.sampler = &greedy;
    FAILS(GIBBS_ARGUMENT, "keeps 5", ebm_chains_new(model, &o, &chains, FAIL));
    o.sampler = &lost;
    FAILS(GIBBS_TAPE, "null", ebm_chains_new(model, &o, &chains, FAIL));
    o.sampler = &flat;
    FAILS(GIBBS_SHAPE, "shape", ebm_chains_new(model, &o, &chains, FAIL));
    cr_assert_null(chains);
    ebm_chains_free(NULL);
    ebm_model_free(model);
    ebm_model_free(narrow);
}

Test(chains_errors, starts_and_runs)
{
    double x[] = {1, 2, 3}, bad[] = {1, NAN, 3}, after[3];
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, NULL);
    ebm_chain_options options = {0};
    ebm_chains *chains;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    FAILS(GIBBS_ARGUMENT, "start", ebm_chains_run(chains, 1, 0, 0, FAIL));
    FAILS(GIBBS_DATA, "no rows", ebm_chains_start(chains, x, 0, FAIL));
    OK(ebm_chains_start(chains, x, 3, ERROR));
    FAILS(GIBBS_DATA, "row 2, column 1", ebm_chains_start(chains, bad, 3, FAIL));
    FAILS(GIBBS_DATA, "row 2, column 1", ebm_chains_start_native(chains, bad, 3, FAIL));
    bad[1] = INFINITY;
    FAILS(GIBBS_DATA, "row 2, column 1", ebm_chains_start(chains, bad, 3, FAIL));
    FAILS(GIBBS_ARGUMENT, "points", ebm_chains_start(chains, NULL, 3, FAIL));
    FAILS(GIBBS_ARGUMENT, "-1 steps", ebm_chains_run(chains, -1, 0, 0, FAIL));
    ebm_chains_get(chains, after);
    cr_assert_arr_eq(x, after, sizeof x); /* failures change nothing */
    ebm_chains_free(chains);
    ebm_model_free(model);
}

/* ---- Energies that are not finite ---- */

/* x²/2 on (−1, 1), and the context's value outside: +∞, NaN, −∞. */
static double outside;
static ad_var walled(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var inside = ad_less(ad_abs(x), ad_constant(x.tape, 1));
    return ad_sum(ad_select(inside, ad_scale(ad_square(x), 0.5), ad_constant(x.tape, outside)));
}

enum { WALL_ROWS = 200 };

static gibbs_status run_walled(const ebm_sampler *sampler, double first, double *x, double *rate, gibbs_error *error)
{
    ebm_proposal *q;
    ebm_chains *chains;
    ebm_model *model = energy_model(1, walled);
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){1.5}, NULL, &q, ERROR));
    OK(ebm_chains_new(model, &(ebm_chain_options){.sampler = sampler, .step = 0.3, .proposal = q}, &chains, ERROR));
    for (int r = 0; r < WALL_ROWS; r++) x[r] = r == 6 ? first : 0.1;
    OK(ebm_chains_start(chains, x, WALL_ROWS, ERROR));
    gibbs_status status = ebm_chains_run(chains, 50, 3, 0, error);
    ebm_chains_get(chains, x);
    *rate = ebm_chains_acceptance(chains);
    ebm_chains_free(chains);
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

static const ebm_sampler *const adjusted[] = {&ebm_mala, &ebm_independence_mh};

Test(chains_errors, a_place_without_an_energy_is_never_accepted)
{
    const double walls[] = {INFINITY, NAN};
    for (int k = 0; k < 4; k++) {
        double x[WALL_ROWS], rate;
        outside = walls[k % 2];
        OK(run_walled(adjusted[k / 2], 0.1, x, &rate, ERROR));
        for (int r = 0; r < WALL_ROWS; r++) cr_assert(fabs(x[r]) < 1, "%s at %g", adjusted[k / 2]->name, x[r]);
        cr_assert(rate > 0.2 && rate < 0.9, "%g", rate);
    }
}

Test(chains_errors, a_start_without_an_energy_is_named_when_run)
{
    const double walls[] = {INFINITY, NAN, -INFINITY};
    static const ebm_sampler *const samplers[] = {&ebm_mala, &ebm_independence_mh, &ebm_ula};
    for (int k = 0; k < 9; k++) {
        double x[WALL_ROWS], rate;
        outside = walls[k % 3];
        FAILS(GIBBS_NUMERIC, "at row 7", run_walled(samplers[k / 3], 1.5, x, &rate, FAIL));
        cr_assert(isnan(rate));
        cr_assert(x[6] == 1.5 && x[7] == 0.1);
    }
}

/* A density that is infinite somewhere is no density: chains that end there say so. */
Test(chains_errors, an_energy_of_minus_infinity_is_an_error)
{
    double x[WALL_ROWS], rate;
    outside = -INFINITY;
    FAILS(GIBBS_NUMERIC, "after the moves", run_walled(&ebm_independence_mh, 0.1, x, &rate, FAIL));
    cr_assert_eq(x[0], 0.1);
}

Test(chains_errors, a_langevin_step_that_blows_up_is_an_error)
{
    double x[] = {0.5, 1, 2}, after[3];
    gibbs_error error;
    ebm_model *model = density_model(&(density){"quartic", 0, 1, 0, -4, 4}, GIBBS_FLOAT64, NULL);
    ebm_chains *chains;
    OK(ebm_chains_new(model, &(ebm_chain_options){.sampler = &ebm_ula, .step = 2}, &chains, ERROR));
    OK(ebm_chains_start(chains, x, 3, ERROR));
    cr_assert_eq(ebm_chains_run(chains, 100, 0, 0, &error), GIBBS_NUMERIC);
    cr_assert_not_null(strstr(error.message, "too large"));
    cr_assert_eq(error.row, 0);
    ebm_chains_get(chains, after);
    cr_assert_arr_eq(x, after, sizeof x);
    ebm_chains_free(chains);
    ebm_model_free(model);
}
