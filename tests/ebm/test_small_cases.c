/* Small cases that a changed line would get wrong and nothing else would notice. */
#include "objective_helpers.h"

enum { ROWS = 50 };

/* ---- A proposal that depends on θ, held constant in the gradient ---- */

static ad_var wide(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    (void)q;
    return ad_mul(random, ad_exp(theta[0]));
}
static ad_var held(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    return ad_stop_gradient(wide(q, random, theta));
}
static ad_var wide_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    ad_var u = ad_mul(y, ad_exp(ad_neg(theta[0])));
    return ad_sub(ad_scale(ad_sum(ad_square(u)), -0.5), ad_scale(theta[0], (double)q->dim));
}
static ad_var steep_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_sum(ad_square(x)), ad_exp(theta[0]));
}

static double gradient_of(const ebm_loss *loss, ad_var (*draw)(const ebm_proposal *, ad_var, const ad_var *))
{
    const ebm_proposal q = {.name = "wide", .dim = 2, .depends_on_theta = 1, .draw = draw, .log_density = wide_density};
    ebm_parameter p = {"a", ad_scalar(), EBM_INIT_CONSTANT, 0.3};
    ebm_loss_options o = {.proposal = &q, .copies = 5};
    double *x = normals(2 * ROWS, 0.4, 1, 1);
    ebm_model *model = model_of(2, &p, 1, steep_graph, GIBBS_FLOAT64);
    ebm_objective *objective;
    OK(ebm_objective_new(model, loss, &o, &objective, ERROR));
    OK(ebm_objective_bind(objective, x, ROWS, ERROR));
    OK(ebm_objective_refresh(objective, 1, 0, ERROR));
    OK(ebm_objective_evaluate(objective, NULL, ERROR));
    double g = *(const double *)ebm_objective_gradient(objective);
    ebm_objective_free(objective);
    ebm_model_free(model);
    free(x);
    return g;
}

Test(small_cases, negatives_are_held)
{
    cr_expect(gradient_of(&ebm_loss_ranking_nce, wide) == gradient_of(&ebm_loss_ranking_nce, held));
    double moves = gradient_of(&ebm_loss_ml_is, wide), stays = gradient_of(&ebm_loss_ml_is, held); /* the control */
    cr_expect(fabs(moves - stays) > 0.1, "%g, %g", moves, stays);
}

/* ---- Weight decay in both number types ---- */

Test(small_cases, decay_in_float32)
{
    static const ebm_optimizer *const optimizers[] = {&ebm_sgd, &ebm_adam, &ebm_adamw};
    double *x = normals(ROWS, 0, 1.3, 1), start = 2, at[3];
    for (int k = 0; k < 3; k++) {
        for (int way = 0; way < 3; way++) { /* double, float, and the control */
            ebm_parameter p = {"lambda", ad_scalar(), EBM_INIT_CONSTANT, 1};
            ebm_model *model = model_of(1, &p, 1, precision_graph, way == 1 ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
            ebm_fit_options o = {.loss = &ebm_loss_score_matching, .optimizer = optimizers[k]};
            ebm_data data = table(x, ROWS, 1);
            o.steps = 30, o.rate = 0.02, o.weight_decay = way < 2 ? 2 : 0;
            ebm_model_set(model, &start);
            OK(ebm_fit(model, &data, &o, NULL, ERROR));
            ebm_model_get(model, &at[way]);
            ebm_model_free(model);
        }
        cr_expect(fabs(at[0] - at[1]) < 1e-5, "%s: %g in double, %g in float", optimizers[k]->name, at[0], at[1]);
        cr_expect(fabs(at[0] - at[2]) > 1e-3, "%s: decay does nothing", optimizers[k]->name);
    }
    free(x);
}

/* ---- A one-hot block of zeros ---- */

Test(small_cases, a_block_of_zeros)
{
    ebm_mrf_spec spec = {.space = {.variables = 2, .labels = 3, .one_hot = 1}};
    ebm_chain_options chain = {.sampler = &ebm_gibbs, .space = spec.space};
    ebm_fit_options o = {.loss = &ebm_loss_pseudo_likelihood, .steps = 1, .loss_options.space = spec.space};
    double x[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
    ebm_data data = table(x, 2, 6);
    ebm_model *model;
    ebm_chains *chains;
    OK(ebm_model_potts(&spec, &model, ERROR));
    OK(ebm_chains_new(model, &chain, &chains, ERROR));
    FAILS(GIBBS_DATA, "0 ones", ebm_fit(model, &data, &o, NULL, FAIL));
    FAILS(GIBBS_DATA, "0 ones", ebm_chains_start(chains, x, 2, FAIL));
    x[10] = 1;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    OK(ebm_chains_start(chains, x, 2, ERROR));
    ebm_chains_free(chains);
    ebm_model_free(model);
}

/* ---- Ties of validation ---- */

/* Steps that change nothing: the first parameters are the best, and no tie is an improvement. */
Test(small_cases, validation_that_ties)
{
    double *x = normals(ROWS, 0, 1, 1);
    ebm_parameter p = {"lambda", ad_scalar(), EBM_INIT_CONSTANT, 1};
    ebm_model *model = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT64);
    ebm_fit_options o = {.loss = &ebm_loss_score_matching, .optimizer = &ebm_sgd, .steps = 100, .rate = 1e-200};
    ebm_fit_report report;
    ebm_data data = table(x, ROWS, 1);
    o.validation_fraction = 0.4, o.validation_every = 5, o.patience = 3;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(report.best_step == 0 && report.steps == 15, "%d, %d", (int)report.best_step, (int)report.steps);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

/* ---- The constants of warm-up ---- */

static ad_var flat_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return ad_scale(ad_sum(x), 0);
}

/* Where every move is accepted, log h follows from γ = .05, t₀ = 10, κ = .75 and μ = log 10h alone. */
Test(small_cases, warm_up_by_its_constants)
{
    double x[4] = {0}, first = 0.02, target = 0.6;
    ebm_model *model = model_of(1, NULL, 0, flat_graph, GIBBS_FLOAT64);
    for (int steps = 1; steps <= 20; steps += 19) {
        ebm_chain_options o = {.sampler = &ebm_random_walk, .step = first};
        ebm_chains *chains;
        double h = 0, mean = 0;
        OK(ebm_chains_new(model, &o, &chains, ERROR));
        OK(ebm_chains_start(chains, x, 4, ERROR));
        OK(ebm_chains_warm_up(chains, steps, target, 1, ERROR));
        for (int t = 1; t <= steps; t++) {
            h = (1 - 1.0 / (t + 10)) * h + (target - 1) / (t + 10);
            double log_step = log(10 * first) - sqrt(t) / 0.05 * h, weight = pow(t, -0.75);
            mean = weight * log_step + (1 - weight) * mean;
        }
        expect_close(log(ebm_chains_step(chains)), mean, 1e-12, "log h");
        ebm_chains_free(chains);
    }
    ebm_model_free(model);
}

/* ---- Ties of the Stein test ---- */

/* Three rows and one so far away that its part is rounding: whatever its sign, equal signs of the three reach the sum,
 * one replicate in four. */
Test(small_cases, stein_sums_that_differ_by_rounding)
{
    enum { REPLICATES = 2000 };
    double least = 1, most = 0, one = 1, sd = sqrt(0.25 * 0.75 / REPLICATES);
    ebm_model *model = energies[PRECISION].make();
    ebm_model_set(model, &one);
    for (int k = 0; k < 20; k++) {
        double x[] = {-0.3, 0, 0.35, (k % 2 ? -1 : 1) * (8.6 + 0.01 * k)};
        ebm_data data = table(x, 4, 1);
        ebm_ksd_options o = {.length = 1, .rbf = 1, .bootstrap = REPLICATES, .seed = (uint64_t)k};
        ebm_ksd result;
        OK(ebm_ksd_test(model, &data, &o, &result, ERROR));
        least = fmin(least, result.p_value), most = fmax(most, result.p_value);
    }
    cr_expect(least > 0.25 - 5 * sd && most < 0.25 + 5 * sd, "%g … %g", least, most);
    ebm_model_free(model);
}

/* ---- The last weight ---- */

/* Systematic counts are weights; the last one has its share, and rows of weight 0 behind it none. */
Test(small_cases, resampling_to_the_last_weight)
{
    static const double weight[] = {1, 2, 3, 4, 0, 0};
    int64_t index[1000], counts[2][6] = {{0}};
    for (int multinomial = 0; multinomial < 2; multinomial++) {
        OK(ebm_resample(weight, 6, 1000, multinomial, 3, NULL, index, ERROR));
        for (int i = 0; i < 1000; i++) counts[multinomial][index[i]]++;
    }
    for (int r = 0; r < 6; r++) {
        cr_expect_eq(counts[0][r], 100 * (int64_t)weight[r], "row %d: %d", r, (int)counts[0][r]);
        cr_expect(fabs((double)counts[1][r] - 100 * weight[r]) < 80 * (weight[r] > 0) + 1, "row %d: %d", r,
                  (int)counts[1][r]);
    }
    double tenth[1001];
    for (int i = 0; i < 1000; i++) tenth[i] = 0.1;
    tenth[1000] = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        OK(ebm_resample(tenth, 1001, 1000, 0, seed, NULL, index, ERROR));
        for (int i = 0; i < 1000; i++) cr_assert(index[i] == i, "%d: %d", i, (int)index[i]);
    }
}
