/* 95 % intervals of ebm_standard_errors hold the limit of the estimate 95 times in 100: of every loss that has standard
 * errors, for true models, and for wrong ones, where the limit is the loss's own. The controls, intervals without the
 * part of the artificial sample or with the inverse Hessian in place of the sandwich, are seen to miss. */
#include "interval_check.h"

enum { MANY = 1000, SOME = 500, ROWS_EACH = 400 };
#define LOSS(name) .terms = {{&ebm_loss_##name, 1}}
#define EACH(count) .replications = count, .rows = ROWS_EACH

/* ---- On the line ---- */

/* E = ½λ(x − μ)²: (μ, λ), and log Z where the loss learns it. */
static ebm_model *line_make(void)
{
    ebm_model *model;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    return model;
}
static void line_points(ebm_points *points)
{
    OK(ebm_points_box(1, &(ebm_box){{-12}, {12}, 200, 0}, NULL, points, ERROR));
}

#define MU 0.5
#define LAMBDA 1.6
static void line_draw(gibbs_words *words, double *x) { x[0] = MU + 1 / sqrt(LAMBDA) * gibbs_words_normal(words); }
/* A logistic law of variance 1, whose kurtosis of 4.2 is no Gaussian's: λ̂ has the limit 1 and the variance 3.2/N. */
static void logistic_law_draw(gibbs_words *words, double *x)
{
    double p = gibbs_words_unit(words);
    x[0] = log(p / (1 - p)) * sqrt(3) / M_PI;
}
static const problem line = {.dim = 1, .make = line_make, .draw = line_draw, .points = line_points};
static const problem not_line = {.dim = 1, .make = line_make, .draw = logistic_law_draw, .points = line_points};

#define LINE .problem = &line, .size = 2, .limit = {MU, LAMBDA}
#define LINE_AND_LOG_Z .problem = &line, .size = 3, .limit = {MU, LAMBDA, 0.5 * log(2 * M_PI / LAMBDA)}
#define BLURRED .problem = &line, .size = 2, .limit = {MU, 1 / (1 / LAMBDA + 0.5 * 0.5)}, .noise_sd = 0.5

INTERVALS(score_matching, LINE, EACH(MANY), LOSS(score_matching), .control = MEAT, .missed = 1)
INTERVALS(importance_sampling, LINE, EACH(MANY), LOSS(ml_is), .noise_ratio = 1, .control = POINTS, .missed = 2)
INTERVALS(noise_contrastive, LINE_AND_LOG_Z, EACH(MANY), LOSS(nce), .noise_ratio = 1, .control = POINTS, .missed = 3)
INTERVALS(exact_ml_by_quadrature, LINE, EACH(SOME), LOSS(exact_ml), .control = MEAT)
INTERVALS(denoising, BLURRED, EACH(SOME), LOSS(denoising), .copies = 3)
INTERVALS(denoising_autoencoder, BLURRED, EACH(SOME), LOSS(denoising_autoencoder), .copies = 3)
INTERVALS(sliced, LINE, EACH(SOME), LOSS(sliced), .copies = 2)
INTERVALS(sliced_reduced, LINE, EACH(SOME), LOSS(sliced_reduced), .copies = 2)
INTERVALS(conditional_nce, LINE, EACH(SOME), LOSS(conditional_nce), .copies = 4, .noise_sd = 0.7)
INTERVALS(ranking_nce, LINE, EACH(SOME), LOSS(ranking_nce), .copies = 3)
INTERVALS(kernel_stein, LINE, LOSS(ksd_imq), .replications = 200, .rows = 160, .noise_sd = 1)
INTERVALS(kernel_stein_rbf, LINE, LOSS(ksd_rbf), .replications = 200, .rows = 160, .noise_sd = 1)
INTERVALS(a_sum, LINE_AND_LOG_Z, EACH(SOME), .terms = {{&ebm_loss_score_matching, 1}, {&ebm_loss_nce, 2}},
          .noise_ratio = 1, .control = POINTS, .missed = 1)
/* ½λ²v − λ + w¾λ²v² is least at λ = 1/(v + 1.5wv²) */
INTERVALS(an_energy_penalty, .problem = &line, .size = 2, EACH(SOME),
          .terms = {{&ebm_loss_score_matching, 1}, {&ebm_loss_energy_penalty, 0.2}},
          .limit = {MU, 1 / (1 / LAMBDA + 0.3 / (LAMBDA * LAMBDA))})
INTERVALS(a_wrong_model, .problem = &not_line, .size = 2, .limit = {0, 1}, EACH(MANY), LOSS(score_matching),
          .control = MEAT, .missed = 1)
INTERVALS(a_wrong_model_by_exact_ml, .problem = &not_line, .size = 2, .limit = {0, 1}, EACH(SOME), LOSS(exact_ml),
          .control = MEAT, .missed = 1)

/* ---- With a boundary ---- */

/* Statistics (log x, x) and (log x, log(1 − x)): gamma and beta densities, of which the numbers below are whole, so
 * that sums of logarithms of uniforms draw them. */
static ad_var gamma_statistics(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_concat(ad_log(x), x, 0);
}
static ad_var beta_statistics(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_concat(ad_log(x), ad_log1p(ad_neg(x)), 0);
}
static ebm_model *exponential(int dim, int size, ad_var (*T)(ad_var, const ad_var *, void *))
{
    ebm_exponential_spec spec = {.dim = dim, .statistics = {.record = T, .size = size}, .dtype = GIBBS_FLOAT64};
    ebm_model *model;
    OK(ebm_model_exponential(&spec, &model, ERROR));
    return model;
}
static ebm_model *gamma_make(void) { return exponential(1, 2, gamma_statistics); }
static ebm_model *beta_make(void) { return exponential(1, 2, beta_statistics); }

static double waiting(gibbs_words *words, int events)
{
    double sum = 0;
    for (int i = 0; i < events; i++) sum -= log(gibbs_words_unit(words));
    return sum;
}
static void gamma_draw(gibbs_words *words, double *x) { x[0] = waiting(words, 3) / 2; }
static void beta_draw(gibbs_words *words, double *x)
{
    double first = waiting(words, 3), second = waiting(words, 2);
    x[0] = first / (first + second);
}
static const problem half_line = {.dim = 1, .make = gamma_make, .draw = gamma_draw};
static const problem interval = {.dim = 1, .make = beta_make, .draw = beta_draw};

INTERVALS(weighted_score_matching, .problem = &half_line, .size = 2, .limit = {2, -2}, EACH(SOME),
          LOSS(weighted_score_matching), .control = MEAT, .missed = 2)
INTERVALS(weighted_score_matching_in_a_box, .problem = &interval, .size = 2, .limit = {2, 1}, EACH(SOME),
          LOSS(weighted_score_matching), .weight = ebm_weight_unit_box, .control = MEAT, .missed = 2)

/* ---- Discrete ---- */

/* A ring of spins: J, then h. (Of three spins that all meet pseudo-likelihood is the likelihood.) */
enum { SPINS = 4, STATES = 1 << SPINS };
#define COUPLINGS {0.4, -0.3, 0.5, 0.3, 0.2, -0.1, 0.3, 0}
static const double ring_truth[] = COUPLINGS;

static ebm_model *ring_make(void)
{
    static const int64_t edges[] = {0, 1, 1, 2, 2, 3, 3, 0};
    const ebm_mrf_spec spec = {.space = {.variables = SPINS}, .edges = edges, .edge_count = SPINS,
                               .dtype = GIBBS_FLOAT64};
    ebm_model *model;
    OK(ebm_model_ising(&spec, &model, ERROR));
    return model;
}
static void ring_points(ebm_points *points)
{
    OK(ebm_points_space(&(ebm_space){.variables = SPINS}, NULL, points, ERROR));
}
static void ring_draw(gibbs_words *words, double *x)
{
    double weight[STATES], s[SPINS], score;
    for (int k = 0; k < STATES; k++) {
        for (int i = 0; i < SPINS; i++) s[i] = k >> i & 1 ? 1 : -1;
        score = 0;
        for (int i = 0; i < SPINS; i++) score += (ring_truth[i] * s[(i + 1) % SPINS] + ring_truth[SPINS + i]) * s[i];
        weight[k] = exp(score);
    }
    int drawn = pick(words, STATES, weight);
    for (int i = 0; i < SPINS; i++) x[i] = drawn >> i & 1;
}
static const problem ring = {.dim = SPINS, .make = ring_make, .draw = ring_draw, .points = ring_points};
/* Half of the states do not occur. */
static const problem not_ring = {.dim = SPINS, .make = ring_make, .points = ring_points, .kinds = 8,
                                 .share = {1, 6, 5, 2, 8, 4, 3, 9},
                                 .kind = {{0, 0, 0, 1}, {0, 0, 1, 0}, {0, 1, 0, 0}, {0, 1, 1, 1},
                                          {1, 0, 0, 0}, {1, 0, 1, 1}, {1, 1, 0, 1}, {1, 1, 1, 0}}};

/* Two variables with three labels, one-hot: J, then h of all labels but each first. */
enum { LABELS = 3, BLOCKS = 2 * LABELS };
#define POTTS {0.6, 0.4, -0.3, 0.2, -0.4}
static const double potts_truth[] = POTTS;

static ad_var potts_statistics(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    ad_var first = ad_slice(x, 0, 0, LABELS), second = ad_slice(x, 0, LABELS, LABELS);
    ad_var single = ad_concat(ad_slice(first, 0, 1, LABELS - 1), ad_slice(second, 0, 1, LABELS - 1), 0);
    return ad_concat(ad_reshape(ad_dot(first, second), ad_vec(1)), single, 0);
}
static ebm_model *potts_make(void) { return exponential(BLOCKS, 2 * LABELS - 1, potts_statistics); }
static void potts_draw(gibbs_words *words, double *x)
{
    double weight[LABELS * LABELS];
    for (int k = 0; k < LABELS * LABELS; k++) {
        int a = k / LABELS, b = k % LABELS;
        weight[k] = exp((a == b) * potts_truth[0] + (a ? potts_truth[a] : 0) + (b ? potts_truth[2 + b] : 0));
    }
    int drawn = pick(words, LABELS * LABELS, weight);
    for (int i = 0; i < BLOCKS; i++) x[i] = i == drawn / LABELS || i == LABELS + drawn % LABELS;
}
static const problem potts = {.dim = BLOCKS, .make = potts_make, .draw = potts_draw};

/* The same with h of all labels, of which each variable has one too many: fitted from 0, each variable's sum to 0. */
static ebm_model *redundant_make(void)
{
    const ebm_mrf_spec spec = {.space = {.variables = 2, .labels = LABELS, .one_hot = 1}, .dtype = GIBBS_FLOAT64};
    ebm_model *model;
    OK(ebm_model_potts(&spec, &model, ERROR));
    return model;
}
static const problem redundant = {.dim = BLOCKS, .make = redundant_make, .draw = potts_draw};

#define PAIRS .problem = &ring, .size = 8, .limit = COUPLINGS
INTERVALS(exact_ml_by_enumeration, PAIRS, EACH(SOME), LOSS(exact_ml), .control = MEAT)
INTERVALS(pseudo_likelihood, PAIRS, EACH(SOME), LOSS(pseudo_likelihood), .control = MEAT, .missed = 3)
INTERVALS(ratio_matching, PAIRS, EACH(SOME), LOSS(ratio_matching), .control = MEAT, .missed = 3)
INTERVALS(pseudo_likelihood_of_a_wrong_model, .problem = &not_ring, .size = 8, EACH(SOME), LOSS(pseudo_likelihood),
          .control = MEAT, .missed = 3)
INTERVALS(pseudo_likelihood_of_labels, .problem = &potts, .size = 5, .limit = POTTS, EACH(SOME),
          LOSS(pseudo_likelihood), .labels = LABELS, .control = MEAT, .missed = 1)
INTERVALS(pseudo_likelihood_of_redundant_labels, .problem = &redundant, .size = 1 + BLOCKS, EACH(SOME),
          .limit = {0.6, -0.1 / 3, 1.1 / 3, -1. / 3, 0.2 / 3, 0.8 / 3, -1. / 3}, .unseen = 2,
          LOSS(pseudo_likelihood), .labels = LABELS)

/* ---- Conditional ---- */

static ebm_model *regression_of(ebm_regression_spec spec)
{
    ebm_model *model;
    spec.dtype = GIBBS_FLOAT64;
    OK(ebm_model_regression(&spec, &model, ERROR));
    return model;
}
/* Logistic regression on two inputs: W, b. */
#define SLOPES {0.8, -0.5, 0.3}
static const double logistic_truth[] = SLOPES;
static ebm_model *logistic_make(void)
{
    return regression_of((ebm_regression_spec){.response = EBM_LOGISTIC, .given = 2});
}
static void logistic_draw(gibbs_words *words, double *row)
{
    const double *t = logistic_truth;
    for (int i = 0; i < 2; i++) row[i] = gibbs_words_normal(words);
    row[2] = gibbs_words_unit(words) < 1 / (1 + exp(-t[0] * row[0] - t[1] * row[1] - t[2]));
}
static const problem logistic = {.dim = 3, .make = logistic_make, .draw = logistic_draw};

/* y = 1 is half of the rows at x = ±3, and none at 0: the best slope is 0, and where x is not, the squares of y − p
 * are over four times p(1 − p). */
static ebm_model *slope_make(void)
{
    return regression_of((ebm_regression_spec){.response = EBM_LOGISTIC, .given = 1});
}
static const problem not_logistic = {.dim = 2, .make = slope_make, .kinds = 5, .share = {1, 1, 1, 1, 16},
                                     .kind = {{-3, 0}, {-3, 1}, {3, 0}, {3, 1}, {0, 0}}};

/* Softmax on one input, the first label without parameters: W of the second and third, then b. */
#define ODDS {0.7, -0.6, 0.2, -0.3}
static const double softmax_truth[] = ODDS;
static ebm_model *softmax_make(void)
{
    return regression_of((ebm_regression_spec){.response = EBM_SOFTMAX, .given = 1, .labels = LABELS, .pinned = 1});
}
static void softmax_draw(gibbs_words *words, double *row)
{
    const double *t = softmax_truth;
    row[0] = gibbs_words_normal(words);
    double odds[LABELS] = {1, exp(t[0] * row[0] + t[2]), exp(t[1] * row[0] + t[3])};
    int drawn = pick(words, LABELS, odds);
    for (int k = 0; k < LABELS; k++) row[1 + k] = k == drawn;
}
static const problem softmax = {.dim = 1 + LABELS, .make = softmax_make, .draw = softmax_draw};

INTERVALS(conditional_ml, .problem = &logistic, .size = 3, .limit = SLOPES, EACH(MANY), LOSS(conditional_ml),
          .control = MEAT)
INTERVALS(conditional_ml_of_labels, .problem = &softmax, .size = 4, .limit = ODDS, EACH(SOME), LOSS(conditional_ml),
          .control = MEAT)
INTERVALS(conditional_ml_of_a_wrong_model, .problem = &not_logistic, .size = 2, EACH(MANY), LOSS(conditional_ml),
          .control = MEAT, .missed = 1)

/* ---- Of a real y: ½λ(y − a − bx)², and a model whose residuals are not Gaussian ---- */

#define REGRESSION {0.4, 0.6, 1.6}
static const double regression_truth[] = REGRESSION;
static ad_var residual_energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_reshape(ad_slice(row, 0, 0, 1), ad_scalar()), y = ad_reshape(ad_slice(row, 0, 1, 1), ad_scalar());
    ad_var off = ad_sub(y, ad_add(theta[0], ad_mul(theta[1], x)));
    return ad_scale(ad_mul(theta[2], ad_square(off)), 0.5);
}
static ebm_model *of_a_real_y_make(void)
{
    static const ebm_parameter p[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0},
                                      {"b", {0, {0}}, EBM_INIT_CONSTANT, 0.1},
                                      {"lambda", {0, {0}}, EBM_INIT_CONSTANT, 1}};
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = 2, spec.parameters = p, spec.parameter_count = 3, spec.energy = residual_energy;
    spec.given = 1;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}
static void of_a_real_y_draw(gibbs_words *words, double *row)
{
    const double *t = regression_truth;
    row[0] = gibbs_words_normal(words);
    row[1] = t[0] + t[1] * row[0] + gibbs_words_normal(words) / sqrt(t[2]);
}
/* Residuals of the logistic law of variance 1, wider where |x| is large: the slope's variance is three times that of
 * the bare Hessian. */
static void not_regression_draw(gibbs_words *words, double *row)
{
    double p = gibbs_words_unit(words);
    row[0] = gibbs_words_normal(words);
    row[1] = 0.4 + 0.6 * row[0] + fabs(row[0]) * log(p / (1 - p)) * sqrt(3) / M_PI;
}
static const problem of_a_real_y = {.dim = 2, .make = of_a_real_y_make, .draw = of_a_real_y_draw,
                                    .points = line_points};
static const problem not_regression = {.dim = 2, .make = of_a_real_y_make, .draw = not_regression_draw};

#define REAL_Y .problem = &of_a_real_y, .size = 3, .limit = REGRESSION
INTERVALS(score_matching_of_y, REAL_Y, EACH(SOME), LOSS(score_matching), .control = MEAT, .missed = 1)
INTERVALS(score_matching_of_a_wrong_y, .problem = &not_regression, .size = 3, .limit = {0.4, 0.6, 1}, EACH(MANY),
          LOSS(score_matching), .control = MEAT, .missed = 2)
INTERVALS(exact_ml_of_y, REAL_Y, .replications = 200, .rows = 200, LOSS(exact_ml))
INTERVALS(denoising_of_y, .problem = &of_a_real_y, .size = 3, .limit = {0.4, 0.6, 1 / (1 / 1.6 + 0.25)}, EACH(SOME),
          LOSS(denoising), .noise_sd = 0.5, .copies = 3)
INTERVALS(ranking_nce_of_y, REAL_Y, EACH(SOME), LOSS(ranking_nce), .copies = 5)
INTERVALS(noise_contrastive_of_y, .problem = &of_a_real_y, .size = 4,
          .limit = {0.4, 0.6, 1.6, 0.5 * log(2 * M_PI / 1.6)}, EACH(SOME), LOSS(nce), .noise_ratio = 3)
INTERVALS(importance_sampling_of_y, REAL_Y, .replications = 200, .rows = 200, LOSS(ml_is), .noise_ratio = 100)

/* ---- Logistic regression by the textbook ---- */

/* The sandwich is (XᵀWX)⁻¹ Σ(y − p)²xxᵀ (XᵀWX)⁻¹, W = p(1 − p): entry by entry, wherever the fit ended. Of a true model
 * it is the inverse information (XᵀWX)⁻¹, of the wrong one 0.41/0.09 times that for the slope. */
static void expect_textbook(const char *name, const problem *p, const double *ratio)
{
    enum { MANY_ROWS = 20000 };
    const study s = {.problem = p, LOSS(conditional_ml)};
    int n = p->dim;
    by_hand b = {.size = n};
    setting t;
    double *x = sample_of(name, p, MANY_ROWS, 1), theta[MOST], inverse[MOST * MOST], z[MOST];
    setting_make(&s, &t);
    ebm_model *model = fitted(p, x, MANY_ROWS, &t);
    ebm_model_get(model, theta);
    for (int r = 0; r < MANY_ROWS; r++) {
        double eta = 0, y = x[r * n + n - 1];
        for (int i = 0; i < n; i++) eta += theta[i] * (z[i] = i < n - 1 ? x[r * n + i] : 1);
        double mean = 1 / (1 + exp(-eta));
        add_outer(b.h, n, z, mean * (1 - mean));
        add_outer(b.s[0], n, z, (y - mean) * (y - mean));
    }
    ebm_uncertainty u = of(model, x, MANY_ROWS, &t.options);
    expect_sandwich(&b, &u, 1e-8, name);
    invert(n, b.h, inverse);
    for (int i = 0; i < n; i++) {
        double got = u.covariance[i * n + i] / inverse[i * n + i];
        cr_expect(fabs(got / ratio[i] - 1) < 0.05, "%s, parameter %d: %g of the inverse information, not %g", name,
                  i, got, ratio[i]);
    }
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
    setting_free(&t);
    free(x);
}

Test(standard_errors, logistic_regression_by_the_textbook)
{
    expect_textbook("a true model", &logistic, (double[]){1, 1, 1});
    expect_textbook("a wrong model", &not_logistic, (double[]){0.41 / 0.09, 1});
}

/* ---- What has none ---- */

static ad_var critic(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(ad_expand(theta[1], ad_vec(1)), x);
}

/* CD's points come from chains; what a critic learns is held while the energy descends. */
Test(standard_errors, losses_that_have_none)
{
    static const ebm_loss *const losses[] = {&ebm_loss_cd, &ebm_loss_pcd, &ebm_loss_improved_cd, &ebm_loss_ml_resampled,
                                             &ebm_loss_ml_mh, &ebm_loss_stein,
                                             &ebm_loss_stein_hutchinson};
    const ebm_parameter p[] = {{"precision", {0, {0}}, EBM_INIT_CONSTANT, 1},
                               {"critic", {0, {0}}, EBM_INIT_CONSTANT, 1}};
    double *x = normals(50, 0, 1, 1);
    ebm_data data = table(x, 50, 1);
    ebm_model *model = model_of(1, p, 2, precision_graph, GIBBS_FLOAT64);
    ebm_uncertainty u;
    ebm_model *pairs = of_a_real_y_make();
    ebm_data rows = table(x, 25, 2);
    ebm_fit_options among = {0};
    among.loss = &ebm_loss_batch_ranking_nce;
    FAILS(GIBBS_ARGUMENT, "its points come from other rows", ebm_standard_errors(pairs, &rows, &among, &u, FAIL));
    ebm_model_free(pairs);
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_fit_options o = {0};
        o.loss = losses[k], o.loss_options.field = critic;
        FAILS(GIBBS_ARGUMENT, losses[k]->name, ebm_standard_errors(model, &data, &o, &u, FAIL));
        FAILS(GIBBS_ARGUMENT, k < 5 ? "no mean over independent samples" : "holds a part",
              ebm_standard_errors(model, &data, &o, &u, FAIL));
    }
    ebm_model_free(model);
    free(x);
}
