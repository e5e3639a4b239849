/* Models from models: sums, tempering and mixtures, against their formulas, and what they do with parameters. */
#include "ebm/energy_check.h"

enum { D = 2 };

static ebm_model *gaussian(gibbs_dtype dtype, uint64_t seed)
{
    ebm_model *model;
    OK(ebm_model_gaussian(D, dtype, NULL, &model, ERROR));
    spread_theta(model, seed);
    return model;
}

static ebm_model *student(gibbs_dtype dtype, uint64_t seed)
{
    ebm_model *model;
    ebm_experts_spec spec = {.dim = D, .experts = 3, .expert = ebm_student_expert, .dtype = dtype};
    OK(ebm_model_experts(&spec, &model, ERROR));
    spread_theta(model, seed);
    return model;
}

/* theta: mean, precision; and W [2,3]. */
static number gaussian_formula(const number *x, const number *theta)
{
    number E = 0;
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) E += (x[i] - theta[i]) * theta[D + D * i + j] * (x[j] - theta[j]) / 2;
    return E;
}
static number student_formula(const number *x, const number *theta)
{
    number E = 0;
    for (int j = 0; j < 3; j++) {
        number u = x[0] * theta[j] + x[1] * theta[3 + j];
        E += clog(1 + u * u / 2);
    }
    return E;
}

static const double betas[] = {0.5, -2, 1.25};

static number sum_formula(const number *x, const number *theta, const void *context)
{
    const double *beta = context;
    return beta[0] * gaussian_formula(x, theta) + beta[1] * student_formula(x, theta + 6) +
           beta[2] * gaussian_formula(x, theta + 12);
}
static number tempered_formula(const number *x, const number *theta, const void *context)
{
    return *(const double *)context * gaussian_formula(x, theta);
}
static number mixture_formula(const number *x, const number *theta, const void *context)
{
    const number part[] = {-gaussian_formula(x, theta + 2), theta[0] - student_formula(x, theta + 8),
                           theta[1] - gaussian_formula(x, theta + 14)};
    (void)context;
    return -plain_lse(part, 3);
}

static void expect_composed(ebm_model *model, plain_formula f, const void *context, const char *what)
{
    double x[CHECK_ROWS * D];
    spread(x, COUNT(x), 1);
    spread_theta(model, 9);
    expect_energy(model, f, context, x, what);
    if (ebm_model_dtype(model) == GIBBS_FLOAT64) expect_score_matching(model, f, context, x, what);
    ebm_model_free(model);
}

Test(compose, is_the_formula)
{
    static const double ones[] = {1, 1, 1}, beta = 0.3;
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        ebm_model *parts[] = {gaussian(dtype, 1), student(dtype, 2), gaussian(dtype, 3)}, *model;
        OK(ebm_model_sum(parts, betas, 3, &model, ERROR));
        expect_composed(model, sum_formula, betas, "sum");
        OK(ebm_model_sum(parts, NULL, 3, &model, ERROR));
        expect_composed(model, sum_formula, ones, "plain sum");
        OK(ebm_model_tempered(parts[0], beta, &model, ERROR));
        expect_composed(model, tempered_formula, &beta, "tempered");
        OK(ebm_model_mixture(parts, 3, &model, ERROR));
        expect_composed(model, mixture_formula, NULL, "mixture");
        for (int k = 0; k < 3; k++) ebm_model_free(parts[k]);
    }
}

/* Values are copied, names get prefixes, and afterwards neither model hears of the other. */
Test(compose, parameters)
{
    static const char *const names[] = {"log_xi", "1.mean", "1.precision", "2.W", "3.mean", "3.precision"};
    ebm_model *parts[] = {gaussian(GIBBS_FLOAT64, 1), student(GIBBS_FLOAT64, 2), NULL}, *model, *plain;
    double own[CHECK_SIZE], expected[CHECK_SIZE] = {0};
    parts[2] = parts[0]; /* a part may be there twice */
    OK(ebm_model_mixture(parts, 3, &model, ERROR));
    cr_assert_eq(ebm_model_parameters(model), COUNT(names));
    for (int k = 0; k < COUNT(names); k++) cr_expect_str_eq(ebm_model_parameter_name(model, k), names[k]);
    for (int k = 0; k < 3; k++) ebm_model_get(parts[k], expected + 2 + 6 * k);
    ebm_model_get(model, own);
    cr_expect_arr_eq(own, expected, 20 * sizeof *own);
    spread_theta(parts[0], 77), spread_theta(parts[1], 78);
    ebm_model_get(model, own);
    cr_expect_arr_eq(own, expected, 20 * sizeof *own);
    OK(ebm_model_tempered(parts[1], 2, &plain, ERROR));
    cr_expect_str_eq(ebm_model_parameter_name(plain, 0), "W");
    ebm_model_free(plain), ebm_model_free(model), ebm_model_free(parts[0]), ebm_model_free(parts[1]);
}

/* S3 eq 10.17: the product of N(μ₁, 1/a) and N(μ₂, 1/b) is ∝ N((aμ₁ + bμ₂)/(a + b), 1/(a + b)); sums of sums nest. */
Test(compose, product_of_gaussians)
{
    ebm_model *parts[3], *inner, *product;
    static const double theta[3][2] = {{1, 2}, {-2, 0.5}, {0.5, 3}};
    for (int k = 0; k < 3; k++) {
        OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &parts[k], ERROR));
        ebm_model_set(parts[k], theta[k]);
    }
    OK(ebm_model_sum(parts, NULL, 2, &inner, ERROR));
    OK(ebm_model_sum((ebm_model *[]){inner, parts[2]}, (double[]){0.5, 1}, 2, &product, ERROR));
    double P = 1 + 0.25 + 3, mean = (1 * 1 - 2 * 0.25 + 0.5 * 3) / P, x[] = {mean, mean + 1, mean - 2}, E[3], g[3];
    OK(ebm_model_energy(product, x, 3, E, g, ERROR));
    expect_close(g[0], 0, 1e-14, "mode");
    expect_close(E[1] - E[0], 0.5 * P, 1e-14, "precision");
    expect_close(E[2] - E[0], 2 * P, 1e-14, "precision");
    cr_expect_str_eq(ebm_model_parameter_name(product, 0), "1.1.mean");
    ebm_model_free(product), ebm_model_free(inner);
    for (int k = 0; k < 3; k++) ebm_model_free(parts[k]);
}

Test(compose, refuses)
{
    ebm_model *good = gaussian(GIBBS_FLOAT64, 1), *narrow = gaussian(GIBBS_FLOAT32, 1), *line, *model = good;
    ebm_model *many[EBM_MAX_PARTS + 1];
    for (int k = 0; k <= EBM_MAX_PARTS; k++) many[k] = good;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &line, ERROR));
    FAILS(GIBBS_ARGUMENT, "0 parts", ebm_model_sum(many, NULL, 0, &model, FAIL));
    cr_expect_null(model);
    FAILS(GIBBS_ARGUMENT, "65 parts", ebm_model_sum(many, NULL, 65, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "1 parts", ebm_model_mixture(many, 1, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "part 2 is NULL", ebm_model_sum((ebm_model *[]){good, NULL}, NULL, 2, &model, FAIL));
    FAILS(GIBBS_SHAPE, "part 2 has 1", ebm_model_mixture((ebm_model *[]){good, line}, 2, &model, FAIL));
    FAILS(GIBBS_DTYPE, "parts 1 and 2", ebm_model_sum((ebm_model *[]){good, narrow}, NULL, 2, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "factor of part 1 is nan", ebm_model_tempered(good, NAN, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_model_tempered(NULL, 1, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_model_sum(NULL, NULL, 1, &model, FAIL));
    ebm_model_free(good), ebm_model_free(narrow), ebm_model_free(line);
}

/* ---- π and Z ---- */

/* Two components that are far apart: each row belongs to one, and π are shares of the rows. */
Test(mixture_weights, shares_of_the_rows)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        ebm_model *parts[2], *model;
        double x[] = {-100, 100, 101, 99, -99, 100, 100.5, 98}, pi[2], log_z[2];
        ebm_data data = table(x, 8, 1);
        for (int k = 0; k < 2; k++) {
            OK(ebm_model_gaussian(1, dtype, NULL, &parts[k], ERROR));
            ebm_model_set(parts[k], (double[]){k ? 100 : -100, 1});
        }
        OK(ebm_model_mixture(parts, 2, &model, ERROR));
        ebm_model_set(model, (double[]){0.5, -100, 1, 100, 1});
        OK(ebm_model_mixture_weights(model, &data, 3, pi, log_z, ERROR));
        expect_close(pi[0], 0.25, 1e-15, "π₁");
        expect_close(pi[1], 0.75, 1e-15, "π₂");
        expect_close(log_z[0], log(0.25) + 3, 1e-14, "log Z₁ = log π₁ − (0 − log Z)");
        expect_close(log_z[1], log(0.75) + 3 - 0.5, 1e-14, "log Z₂ = log π₂ − (log ξ₂ − log Z)");
        OK(ebm_model_mixture_weights(model, &data, 3, pi, NULL, ERROR));
        ebm_model_free(model), ebm_model_free(parts[0]), ebm_model_free(parts[1]);
    }
}

Test(mixture_weights, refuses)
{
    ebm_model *part = gaussian(GIBBS_FLOAT64, 1), *model;
    double x[] = {0, 0, 1, NAN}, pi[2] = {7, 7};
    ebm_data one = table(x, 2, 1), good = table(x, 1, 2), bad = table(x, 2, 2), none = {0};
    OK(ebm_model_mixture((ebm_model *[]){part, part}, 2, &model, ERROR));
    FAILS(GIBBS_ARGUMENT, "no mixture", ebm_model_mixture_weights(part, &good, 0, pi, NULL, FAIL));
    FAILS(GIBBS_SHAPE, "1 column,", ebm_model_mixture_weights(model, &one, 0, pi, NULL, FAIL));
    FAILS(GIBBS_DATA, "row 2", ebm_model_mixture_weights(model, &bad, 0, pi, NULL, FAIL));
    FAILS(GIBBS_DATA, "", ebm_model_mixture_weights(model, &none, 0, pi, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_model_mixture_weights(model, NULL, 0, pi, NULL, FAIL));
    double *theta = ebm_model_theta(model);
    theta[0] = NAN; /* log ξ₂ */
    FAILS(GIBBS_NUMERIC, "not finite", ebm_model_mixture_weights(model, &good, 0, pi, NULL, FAIL));
    cr_expect(pi[0] == 7 && pi[1] == 7);
    ebm_model_free(model), ebm_model_free(part);
}
