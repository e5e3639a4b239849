/* Exponential families and maximum entropy: the formula, known solutions, the dual's identities, and what has none. */
#include "ebm/energy_check.h"

/* ---- The family ---- */

static ad_var powers(ad_var x, const ad_var *theta, void *context) /* x, x², …, x^*context, of one x */
{
    (void)theta;
    ad_var p = x, all = x;
    for (int k = 1; k < *(const int *)context; k++) {
        p = ad_mul(p, x);
        all = ad_concat(all, p, 0);
    }
    return all;
}

static ad_var products(ad_var x, const ad_var *theta, void *context) /* sin x₁, x₁x₂, as a matrix */
{
    (void)theta, (void)context;
    ad_var a = ad_slice(x, 0, 0, 1), b = ad_slice(x, 0, 1, 1);
    return ad_reshape(ad_concat(ad_sin(a), ad_mul(a, b), 0), ad_mat(1, 2));
}

static ebm_model *family(int64_t dim, ebm_features T, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_exponential_spec spec = {.dim = dim, .statistics = T, .dtype = dtype};
    OK(ebm_model_exponential(&spec, &model, ERROR));
    return model;
}

static number formula(const number *x, const number *theta, const void *context)
{
    (void)context;
    return -theta[0] * csin(x[0]) - theta[1] * x[0] * x[1];
}
static number linear_formula(const number *x, const number *theta, const void *context)
{
    (void)context;
    return -theta[0] * x[0] - theta[1] * x[1];
}

Test(exponential, is_the_formula)
{
    double x[CHECK_ROWS * 2];
    spread(x, COUNT(x), 1);
    for (int k = 0; k < 2; k++) {
        gibbs_dtype dtype = k ? GIBBS_FLOAT32 : GIBBS_FLOAT64;
        ebm_model *model = family(2, (ebm_features){.record = products, .size = 2}, dtype);
        ebm_model *plain = family(2, (ebm_features){0}, dtype);
        spread_theta(model, 2), spread_theta(plain, 3);
        expect_energy(model, formula, NULL, x, "statistics");
        if (!k) expect_score_matching(model, formula, NULL, x, "statistics");
        expect_energy(plain, linear_formula, NULL, x, "the identity");
        ebm_model_free(model), ebm_model_free(plain);
    }
}

static ad_var null_features(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return (ad_var){x.tape, -1};
}

Test(exponential, refuses)
{
    static const ebm_parameter own = {"w", {0, {0}}, EBM_INIT_CONSTANT, 1};
    const struct {
        ebm_exponential_spec spec;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {{.dim = 0}, GIBBS_ARGUMENT, "0 features"},
        {{.dim = 2, .statistics = {.size = 3}}, GIBBS_ARGUMENT, "identity of 2 columns"},
        {{.dim = 2, .statistics = {.record = products}}, GIBBS_ARGUMENT, "0 features"},
        {{.dim = 2, .statistics = {.record = products, .size = 3}}, GIBBS_SHAPE, "[1,2], not 3"},
        {{.dim = 1, .statistics = {.record = products, .size = 2}}, GIBBS_ARGUMENT, "slice"},
        {{.dim = 2, .statistics = {.record = null_features, .size = 2}}, GIBBS_TAPE, "null"},
        {{.dim = 2, .statistics = {products, 2, &own, 1, NULL}}, GIBBS_ARGUMENT, "no parameters"},
        {{.dim = 2, .statistics = {products, 2, NULL, 1, NULL}}, GIBBS_ARGUMENT, "list"},
        {{.dim = 2, .statistics = {products, 2, NULL, -1, NULL}}, GIBBS_ARGUMENT, "-1 parameters"},
        {{.dim = 2, .statistics = {NULL, 0, &own, 1, NULL}}, GIBBS_ARGUMENT, "no function"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(cases[k].status, cases[k].sentence, ebm_model_exponential(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}

/* ---- Maximum entropy: known solutions ---- */

/* Jaynes' die: of all distributions on 1 … 6 with mean 4.5, the flattest; η by bisection. */
Test(maxent, die)
{
    const double faces[] = {1, 2, 3, 4, 5, 6}, mean = 4.5;
    double low = 0, high = 5, eta = 0, z = 0, log_z;
    for (int n = 0; n < 200; n++) {
        double m = 0;
        eta = (low + high) / 2, z = 0;
        for (int i = 0; i < 6; i++) z += exp(eta * faces[i]), m += faces[i] * exp(eta * faces[i]);
        *(m / z < mean ? &low : &high) = eta;
    }
    ebm_model *model = family(1, (ebm_features){0}, GIBBS_FLOAT64);
    OK(ebm_maxent(model, &mean, faces, NULL, 6, &log_z, ERROR));
    expect_close(parameter_of(model, "eta"), eta, 1e-10, "η");
    expect_close(log_z, log(z), 1e-10, "log Z");
    ebm_model_free(model);
}

/* Mean and second moment on the line give the normal density: η = (μ/σ², −1/2σ²), log Z = ½log 2πσ² + μ²/2σ². */
Test(maxent, normal_density_from_two_moments)
{
    enum { N = 2001 };
    static double x[N], w[N];
    static int two = 2;
    const double mean = 0.7, sd = 1.3, mu[] = {mean, mean * mean + sd * sd};
    double eta[2], log_z;
    for (int i = 0; i < N; i++) x[i] = -15 + 0.015 * i, w[i] = i % (N - 1) ? 0.015 : 0.0075;
    for (int k = 0; k < 2; k++) {
        ebm_model *model = family(1, (ebm_features){powers, 2, NULL, 0, &two}, k ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        double limit = k ? 2e-6 : 1e-9;
        OK(ebm_maxent(model, mu, x, w, N, &log_z, ERROR));
        ebm_model_get(model, eta);
        expect_close(eta[0], mean / (sd * sd), limit, "η₁");
        expect_close(eta[1], -0.5 / (sd * sd), limit, "η₂");
        expect_close(log_z, 0.5 * log(2 * M_PI * sd * sd) + mean * mean / (2 * sd * sd), limit, "log Z");
        ebm_model_free(model);
    }
}

/* Four moments, whose scales differ by 10⁴: back to the η that made them. */
Test(maxent, quartic_from_four_moments)
{
    enum { N = 1601 };
    static double x[N];
    static int four = 4;
    const double truth[] = {0.3, 0.8, 0.1, -0.2};
    double mu[4] = {0}, z = 0, eta[4];
    for (int i = 0; i < N; i++) {
        x[i] = -8 + 0.01 * i;
        double p = exp(x[i] * (truth[0] + x[i] * (truth[1] + x[i] * (truth[2] + x[i] * truth[3]))));
        z += p;
        for (int k = 0; k < 4; k++) mu[k] += p * pow(x[i], k + 1);
    }
    for (int k = 0; k < 4; k++) mu[k] /= z;
    ebm_model *model = family(1, (ebm_features){powers, 4, NULL, 0, &four}, GIBBS_FLOAT64);
    OK(ebm_maxent(model, mu, x, NULL, N, NULL, ERROR));
    ebm_model_get(model, eta);
    for (int k = 0; k < 4; k++) expect_close(eta[k], truth[k], 1e-8, "η");
    ebm_model_free(model);
}

/* ---- Identities ---- */

static ad_var pairs3(ad_var x, const ad_var *theta, void *context) /* x, and x₁x₂, x₂x₃, and x₁x₂ again */
{
    (void)theta, (void)context;
    ad_var near = ad_mul(ad_slice(x, 0, 0, 2), ad_slice(x, 0, 1, 2));
    return ad_concat(ad_concat(x, near, 0), ad_slice(near, 0, 0, 1), 0);
}

/* Expectations agree by enumeration, although one statistic is there twice; log Z is that of the model; the entropy
 * is log Z − η·μ; and any other density with these expectations has less of it. */
Test(maxent, expectations_and_entropy)
{
    const double mu[] = {0.6, 0.5, 0.3, 0.4, 0.1, 0.4};
    double states[8 * 3], p[8], eta[6], log_z, exact, got[6] = {0}, entropy = 0, other = 0;
    ebm_model *model = family(3, (ebm_features){.record = pairs3, .size = 6}, GIBBS_FLOAT64);
    ebm_space_rows(&(ebm_space){.variables = 3}, 0, 8, states);
    OK(ebm_maxent(model, mu, states, NULL, 8, &log_z, ERROR));
    OK(ebm_enumerate(model, NULL, &exact, p, ERROR));
    expect_close(log_z, exact, 1e-14, "log Z");
    ebm_model_get(model, eta);
    for (int s = 0; s < 8; s++) {
        const double *x = states + 3 * s, T[] = {x[0], x[1], x[2], x[0] * x[1], x[1] * x[2], x[0] * x[1]};
        for (int k = 0; k < 6; k++) got[k] += p[s] * T[k];
        entropy -= p[s] * log(p[s]);
        /* a move that changes none of the expectations: along (x₁−½)(x₃−½), with x₂ as a fixed weight of sign */
        double q = p[s] + 0.01 * (2 * x[0] - 1) * (2 * x[2] - 1);
        other -= q * log(q);
    }
    for (int k = 0; k < 6; k++) {
        expect_close(got[k], mu[k], 1e-10, "expectation");
        exact -= eta[k] * mu[k];
    }
    expect_close(entropy, exact, 1e-10, "entropy");
    cr_expect(other < entropy - 1e-4, "another density has entropy %g, not below %g", other, entropy);
    ebm_model_free(model);
}

/* From data's mean statistics it is maximum likelihood: log Z(η) − η·μ grows in every direction. */
Test(maxent, is_maximum_likelihood)
{
    double x[] = {0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0}, mu[6] = {0}, states[24], eta[6], best, log_z;
    for (int r = 0; r < 5; r++) {
        const double *v = x + 3 * r, T[] = {v[0], v[1], v[2], v[0] * v[1], v[1] * v[2], v[0] * v[1]};
        for (int k = 0; k < 6; k++) mu[k] += T[k] / 5;
    }
    ebm_model *model = family(3, (ebm_features){.record = pairs3, .size = 6}, GIBBS_FLOAT64);
    ebm_data data = table(x, 5, 3);
    ebm_space_rows(&(ebm_space){.variables = 3}, 0, 8, states);
    OK(ebm_maxent(model, mu, states, NULL, 8, &log_z, ERROR));
    OK(ebm_mean_log_likelihood(model, &data, log_z, &best, ERROR));
    ebm_model_get(model, eta);
    for (int k = 0; k < 12; k++) {
        double moved[6], value;
        memcpy(moved, eta, sizeof moved);
        moved[k / 2] += k % 2 ? 0.05 : -0.05;
        ebm_model_set(model, moved);
        OK(ebm_enumerate(model, NULL, &log_z, NULL, ERROR));
        OK(ebm_mean_log_likelihood(model, &data, log_z, &value, ERROR));
        cr_expect(value < best - 1e-7, "direction %d: %.12g, not below %.12g", k, value, best);
    }
    ebm_model_free(model);
}

/* ---- What has no solution ---- */

static ad_var logarithm(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return ad_log(x);
}

Test(maxent, refuses)
{
    const double faces[] = {1, 2, 3, 4, 5, 6}, bad[] = {1, NAN, 3, 4, 5, 6}, zero[] = {1, 0, 3, 4, 5, 6};
    const double negative[] = {1, -1, 1, 1, 1, 1}, nothing[6] = {0}, mean = 3, outside = 6.5, edge = 7, nan_mean = NAN;
    ebm_model *model = family(1, (ebm_features){0}, GIBBS_FLOAT64), *gaussian;
    ebm_model *logs = family(1, (ebm_features){.record = logarithm, .size = 1}, GIBBS_FLOAT64);
    double log_z = 7;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &gaussian, ERROR));
    ebm_model_set(model, (double[]){0.25});
    FAILS(GIBBS_NUMERIC, "statistic 1 is off by -", ebm_maxent(model, &outside, faces, NULL, 6, &log_z, FAIL));
    FAILS(GIBBS_NUMERIC, "statistic 1", ebm_maxent(model, &edge, faces, NULL, 1, &log_z, FAIL));
    FAILS(GIBBS_DATA, "row 2", ebm_maxent(model, &mean, bad, NULL, 6, &log_z, FAIL));
    FAILS(GIBBS_DATA, "weight -1 at row 2", ebm_maxent(model, &mean, faces, negative, 6, &log_z, FAIL));
    FAILS(GIBBS_DATA, "all weights are 0", ebm_maxent(model, &mean, faces, nothing, 6, &log_z, FAIL));
    FAILS(GIBBS_DATA, "expectation 1 is nan", ebm_maxent(model, &nan_mean, faces, NULL, 6, &log_z, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 points", ebm_maxent(model, &mean, faces, NULL, 0, &log_z, FAIL));
    FAILS(GIBBS_ARGUMENT, "no exponential family", ebm_maxent(gaussian, &mean, faces, NULL, 6, &log_z, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_maxent(model, NULL, faces, NULL, 6, &log_z, FAIL));
    FAILS(GIBBS_NUMERIC, "statistic 1 is -inf at row 2", ebm_maxent(logs, &mean, zero, NULL, 6, &log_z, FAIL));
    cr_expect(log_z == 7 && parameter_of(model, "eta") == 0.25);
    ebm_model_free(model), ebm_model_free(gaussian), ebm_model_free(logs);
}

/* A die whose mean is 6 has η → ∞: what comes is a large η at which the mean is 6 to the tolerance. */
Test(maxent, the_edge_of_what_is_possible)
{
    const double faces[] = {1, 2, 3, 4, 5, 6}, edge = 6;
    ebm_model *model = family(1, (ebm_features){0}, GIBBS_FLOAT64);
    double log_z, mean = 0;
    OK(ebm_maxent(model, &edge, faces, NULL, 6, &log_z, ERROR));
    double eta = parameter_of(model, "eta");
    for (int i = 0; i < 6; i++) mean += faces[i] * exp(eta * faces[i] - log_z);
    cr_expect(eta > 15 && fabs(mean - 6) < 1e-10, "η = %g, a mean of %.15g", eta, mean);
    ebm_model_free(model);
}

/* Points of weight 0 are no part of the support. */
Test(maxent, weights_of_zero)
{
    const double faces[] = {1, 2, 3, 4, 5, 6}, first[] = {1, 1, 1, 0, 0, 0}, mean = 2.25, outside = 3.5;
    const ebm_features plain = {0};
    ebm_model *model = family(1, plain, GIBBS_FLOAT64), *three = family(1, plain, GIBBS_FLOAT64);
    OK(ebm_maxent(model, &mean, faces, first, 6, NULL, ERROR));
    OK(ebm_maxent(three, &mean, faces, NULL, 3, NULL, ERROR));
    expect_close(parameter_of(model, "eta"), parameter_of(three, "eta"), 1e-12, "η");
    FAILS(GIBBS_NUMERIC, "statistic 1", ebm_maxent(model, &outside, faces, first, 6, NULL, FAIL));
    ebm_model_free(model), ebm_model_free(three);
}
