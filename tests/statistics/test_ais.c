/* Annealed importance sampling: weights are unbiased forward and in reverse, the estimates of log Z bracket the truth
 * on average, and their gap falls as bridges are added; on the line, on discrete states and on a joint form. */
#include "ebm/discrete_space.h"

enum { ROWS = 40 }; /* of a run, at most: few, so that the bias of log mean w is there to be seen */

static const density wells = {"two wells", -2, 1, 0.3, -5, 5};

typedef struct average {
    double mean, error; /* of log Ẑ − log Z over the runs */
} average;

typedef struct target {
    ebm_model *model;
    double log_z;
    int64_t dim;
    int runs, rows;
    void (*draw)(const struct target *t, uint64_t seed, double *x); /* ROWS exact draws */
    const void *facts;
    ebm_ais_options options;
} target;

static average runs(const target *t, bool reverse, int64_t bridges)
{
    double x[ROWS * SPACE_DIM], sum = 0, squares = 0;
    ebm_ais_options options = t->options;
    options.bridges = bridges;
    for (int k = 0; k < t->runs; k++) {
        ebm_ais result;
        options.seed = (uint64_t)k + 1;
        t->draw(t, options.seed, x);
        if (reverse) OK(ebm_ais_reverse(t->model, &options, x, t->rows, NULL, &result, ERROR));
        else OK(ebm_ais_forward(t->model, &options, t->rows, NULL, NULL, &result, ERROR));
        double off = result.log_z - t->log_z;
        sum += off;
        squares += off * off;
    }
    double mean = sum / t->runs;
    return (average){mean, sqrt((squares / t->runs - mean * mean) / (t->runs - 1))};
}

/* Below on one side, above on the other by more than chance; both nearer with more bridges, and near with many. */
static void check_brackets(const target *t, const int64_t bridges[3])
{
    double gap[3];
    for (int k = 0; k < 3; k++) {
        average low = runs(t, false, bridges[k]), high = runs(t, true, bridges[k]);
        gap[k] = high.mean - low.mean;
        cr_assert(low.mean < 4 * low.error && high.mean > -4 * high.error, "%ld bridges: %g ± %g, %g ± %g",
                  (long)bridges[k], low.mean, low.error, high.mean, high.error);
        if (k == 0) cr_assert(low.mean < -4 * low.error && high.mean > 4 * high.error, "%g ± %g, %g ± %g", low.mean,
                              low.error, high.mean, high.error);
    }
    cr_assert(gap[0] > 2 * gap[1] && gap[1] > 2 * gap[2] && gap[2] > 0 && gap[2] < 0.1, "%g, %g, %g", gap[0], gap[1],
              gap[2]);
}

/* ---- On the line ---- */

static void draw_line(const target *t, uint64_t seed, double *x) { grid_draw(t->facts, ROWS, seed, x); }

static target line_target(const ebm_sampler *sampler, double step, const ebm_proposal *base, grid *g)
{
    target t = {.model = density_model(&wells, GIBBS_FLOAT64, NULL), .log_z = g->log_z, .dim = 1, .runs = 60,
                .rows = ROWS, .draw = draw_line,
                .facts = g};
    t.options.chain.sampler = sampler;
    t.options.chain.step = step;
    t.options.base = base;
    return t;
}

Test(ais, brackets_on_the_line)
{
    static const ebm_sampler *const samplers[] = {&ebm_random_walk, &ebm_mala, &ebm_hmc};
    static const double steps[] = {0.8, 0.2, 0.15};
    grid *g = grid_new(&wells);
    ebm_proposal *base;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){3}, (double[]){0.8}, NULL, &base, ERROR));
    for (int k = 0; k < COUNT(samplers); k++) {
        target t = line_target(samplers[k], steps[k], base, g);
        check_brackets(&t, (const int64_t[]){3, 30, 500});
        ebm_model_free(t.model);
    }
    ebm_proposal_free(base);
    free(g);
}

/* E w = Z exactly, forward, and E w = 1/Z in reverse, for any number of bridges. */
static double unbiased_z(const target *t, bool reverse, double wrong)
{
    enum { MANY = 20000 };
    double *w = sampling_room(2 * MANY, sizeof *w), *x = w + MANY, sum = 0, squares = 0;
    ebm_ais_options options = t->options;
    ebm_ais result;
    options.bridges = 10;
    grid_draw(t->facts, MANY, 4, x);
    if (reverse) OK(ebm_ais_reverse(t->model, &options, x, MANY, w, &result, ERROR));
    else OK(ebm_ais_forward(t->model, &options, MANY, w, NULL, &result, ERROR));
    for (int r = 0; r < MANY; r++) {
        double v = exp(w[r] + (reverse ? t->log_z : -t->log_z)) * wrong;
        sum += v;
        squares += v * v;
    }
    double mean = sum / MANY, sd = sqrt(squares / MANY - mean * mean);
    cr_assert_float_eq(result.log_z, reverse ? t->log_z - log(mean / wrong) : t->log_z + log(mean / wrong), 1e-12);
    if (result.k > 0.5) cr_assert_eq(result.standard_error, INFINITY);
    else cr_assert_float_eq(result.standard_error, sd / mean / sqrt(MANY - 1), 1e-9);
    cr_assert_float_eq(result.ess, sum * sum / squares, 1e-6 * result.ess);
    free(w);
    return (mean - 1) / (sd / sqrt(MANY));
}

Test(ais, weights_are_unbiased)
{
    grid *g = grid_new(&wells);
    ebm_proposal *base;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0.3}, (double[]){1.2}, NULL, &base, ERROR));
    target t = line_target(&ebm_mala, 0.2, base, g);
    for (int reverse = 0; reverse < 2; reverse++) {
        cr_assert_lt(fabs(unbiased_z(&t, reverse, 1)), 4.3);
        cr_assert_gt(fabs(unbiased_z(&t, reverse, 1.1)), 6); /* the control: a tenth too much is noticed */
    }
    t.options.chain.sampler = &ebm_ula; /* does not keep exp(−E_β): its weights are biased, and that is noticed */
    t.options.chain.step = 0.15;
    t.options.steps = 5;
    cr_assert_gt(fabs(unbiased_z(&t, false, 1)), 6);
    ebm_model_free(t.model);
    ebm_proposal_free(base);
    free(g);
}

/* With one bridge there is nothing but importance sampling. */
Test(ais, one_bridge_is_importance_sampling)
{
    enum { MANY = 500 };
    double w[MANY], x[MANY];
    grid *g = grid_new(&wells);
    ebm_proposal *base;
    ebm_importance importance;
    ebm_ais result;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0.3}, (double[]){1.5}, NULL, &base, ERROR));
    target t = line_target(&ebm_mala, 0.2, base, g);
    t.options.bridges = 1;
    t.options.seed = 12;
    OK(ebm_ais_forward(t.model, &t.options, MANY, w, x, &result, ERROR));
    OK(ebm_importance_sample(t.model, base, MANY, 12, NULL, NULL, &importance, ERROR));
    cr_assert_float_eq(result.log_z, importance.log_z, 1e-12);
    cr_assert_float_eq(result.ess, importance.ess, 1e-9);
    cr_assert(isnan(result.acceptance));
    ebm_model_free(t.model);
    ebm_proposal_free(base);
    free(g);
}

/* ---- Discrete: from independent fair bits, whose log density is constant, or from biased ones ---- */

static const double ODDS[SPACE_DIM] = {0.4, -0.3, 0.8, 0, -0.6, 0.2};
static const double FAR[SPACE_DIM] = {2, -2, 2, 2, -2, 2}; /* so that few bridges are not enough */

static ad_var odds_of(const ebm_proposal *q, ad_tape *tape)
{
    return ad_constant_array(tape, ad_vec(q->dim), q->context);
}

/* 1 where Φ(z) < σ(odds) */
static ad_var draw_bits(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)theta;
    ad_var u = ad_shift(ad_scale(ad_erf(ad_scale(normal, sqrt(0.5))), 0.5), 0.5);
    return ad_less(u, ad_sigmoid(odds_of(q, normal.tape)));
}

static ad_var log_bits(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    ad_var odds = odds_of(q, y.tape);
    return ad_sub(ad_dot(y, odds), ad_sum(ad_softplus(odds)));
}

static void draw_space(const target *t, uint64_t seed, double *x) { space_draw(t->facts, ROWS, seed, x); }

Test(ais, brackets_on_bits)
{
    const ebm_proposal base = {
        .name = "bits", .dim = 5, .draw = draw_bits, .log_density = log_bits, .context = (void *)FAR};
    static const ebm_sampler *const samplers[] = {&ebm_gibbs, &ebm_gibbs_with_gradients};
    ebm_model *model = space_model(5, GIBBS_FLOAT64);
    space s = space_list(model, &(ebm_space){0});
    for (int k = 0; k < COUNT(samplers); k++) {
        target t = {.model = model, .log_z = s.log_z, .dim = 5, .runs = 400, .rows = 5, .draw = draw_space,
                    .facts = &s};
        t.options.chain.sampler = samplers[k];
        t.options.base = &base;
        check_brackets(&t, (const int64_t[]){2, 15, 150});
    }
    ebm_model_free(model);
}

/* ---- The joint form of a machine by blocks: log odds follow the path from a base of biased bits ---- */

static ad_var pair_weights(ad_tape *t)
{
    return ad_constant_array(t, ad_mat(3, 3), (double[]){1.2, -0.7, 0.4, -1.1, 0.9, 0.8, 0.5, 1.3, -0.6});
}

static ad_var joint_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_neg(ad_dot(ad_matmul(ad_slice(x, 0, 0, 3), pair_weights(x.tape)), ad_slice(x, 0, 3, 3)));
}

static void hidden_given(ad_var v, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = ad_matmul(v, pair_weights(v.tape));
}

static void visible_given(ad_var h, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = ad_matmul(pair_weights(h.tape), h);
}

Test(ais, weights_and_brackets_by_blocks)
{
    enum { MANY = 20000 };
    const ebm_proposal base = {
        .name = "bits", .dim = 6, .draw = draw_bits, .log_density = log_bits, .context = (void *)ODDS};
    const ebm_blocks blocks = {.visible = {EBM_UNIT_BINARY, 3, visible_given}, .joint = 1,
                               .hidden = {EBM_UNIT_BINARY, 3, hidden_given}};
    double *w = sampling_room(7 * MANY, sizeof *w), *x = w + MANY;
    ebm_model *model = energy_model(6, joint_energy);
    space s = space_list(model, &(ebm_space){0});
    ebm_ais_options options = {0};
    options.chain.sampler = &ebm_block_gibbs;
    options.chain.blocks = &blocks;
    options.base = &base;
    options.bridges = 5;
    space_draw(&s, MANY, 9, x);
    for (int reverse = 0; reverse < 2; reverse++) {
        ebm_ais result;
        if (reverse) OK(ebm_ais_reverse(model, &options, x, MANY, w, &result, ERROR));
        else OK(ebm_ais_forward(model, &options, MANY, w, NULL, &result, ERROR));
        cr_assert_lt(fabs(result.log_z - s.log_z), 4.3 * result.standard_error, "%g", result.log_z - s.log_z);
        cr_assert_lt(result.standard_error, 0.01);
        cr_assert_eq(result.acceptance, 1);
    }
    const ebm_proposal far = {
        .name = "far", .dim = 6, .draw = draw_bits, .log_density = log_bits, .context = (void *)FAR};
    options.base = &far;
    target t = {.model = model, .log_z = s.log_z, .dim = 6, .runs = 400, .rows = 5, .draw = draw_space,
                .facts = &s, .options = options};
    check_brackets(&t, (const int64_t[]){2, 6, 24});
    ebm_model_free(model);
    free(w);
}
