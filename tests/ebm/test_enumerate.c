/* Spaces of discrete variables, log Z by enumeration, and log Z in closed form. */
#include "ebm/energy_check.h"

Test(space, rows_and_sizes)
{
    static const int64_t labels[] = {3, 1, 2};
    static const double plain[6][3] = {{0, 0, 0}, {0, 0, 1}, {1, 0, 0}, {1, 0, 1}, {2, 0, 0}, {2, 0, 1}};
    ebm_space s = {.variables = 3, .labels_of = labels}, hot = s;
    double x[6 * 3], y[6 * 6];
    hot.one_hot = 1;
    cr_expect(ebm_space_dim(&s) == 3 && ebm_space_dim(&hot) == 6);
    cr_expect(ebm_space_size(&s) == 6 && ebm_space_size(&hot) == 6);
    ebm_space_rows(&s, 0, 6, x);
    ebm_space_rows(&hot, 0, 6, y);
    cr_expect_arr_eq(x, plain, sizeof plain);
    for (int r = 0; r < 6; r++) {
        const double expected[] = {plain[r][0] == 0, plain[r][0] == 1, plain[r][0] == 2, 1, plain[r][2] == 0,
                                   plain[r][2] == 1};
        cr_expect_arr_eq(y + 6 * r, expected, sizeof expected);
    }
    ebm_space_rows(&s, 4, 2, y);
    cr_expect_arr_eq(y, plain[4], 2 * sizeof plain[4]);
}

Test(space, values_stand_for_labels)
{
    static const double values[] = {-1, 0.5, 2};
    static const double expected[6][2] = {{-1, -1}, {-1, 0.5}, {0.5, -1}, {0.5, 0.5}, {2, -1}, {2, 0.5}};
    static const int64_t labels[] = {3, 2};
    ebm_space s = {.variables = 2, .labels_of = labels, .values = values}, hot = s;
    double x[6 * 5], y[6 * 5];
    ebm_space_rows(&s, 0, 6, x);
    cr_expect_arr_eq(x, expected, sizeof expected);
    hot.one_hot = 1;
    ebm_space_rows(&hot, 0, 6, x);
    hot.values = NULL;
    ebm_space_rows(&hot, 0, 6, y);
    cr_expect_arr_eq(x, y, sizeof x, "one-hot columns have no values");
}

Test(space, malformed)
{
    static const int64_t none[] = {2, 0};
    const ebm_space bad[] = {{.variables = 0}, {.variables = -3}, {.variables = 2, .labels_of = none},
                             {.variables = 1, .labels = -1}};
    for (int k = 0; k < COUNT(bad); k++) cr_expect(ebm_space_dim(&bad[k]) == -1 && ebm_space_size(&bad[k]) == -1);
    cr_expect(ebm_space_dim(NULL) == -1 && ebm_space_size(NULL) == -1);
    ebm_space vast = {.variables = 64}, endless = {.variables = INT64_MAX}, one = {.variables = INT64_MAX, .labels = 1};
    cr_expect(ebm_space_dim(&vast) == 64 && ebm_space_size(&vast) == -1);
    cr_expect(ebm_space_dim(&endless) == INT64_MAX && ebm_space_size(&endless) == -1);
    cr_expect(ebm_space_size(&one) == 1, "no variable is counted alone");
    endless.one_hot = 1;
    cr_expect(ebm_space_dim(&endless) == -1 && ebm_space_size(&endless) == -1);
}

/* ---- Energies ---- */

static ad_var linear(ad_var x, const ad_var *theta, void *context) /* Σ cᵢxᵢ */
{
    (void)theta;
    return ad_dot(ad_constant_array(x.tape, ad_shape_of(x), context), x);
}

static ad_var exclusive(ad_var x, const ad_var *theta, void *context) /* ∞ where two are 1, NaN where all are */
{
    (void)theta, (void)context;
    ad_var n = ad_sum(x);
    return ad_sub(ad_neg(ad_log(ad_sub(ad_constant(x.tape, 1), ad_step(ad_shift(n, -1.5))))),
                  ad_log(ad_shift(ad_neg(n), 2.5)));
}

static ad_var nowhere(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return ad_neg(ad_log(ad_scale(ad_sum(x), 0)));
}

static ebm_model *model_with(int64_t dim, ebm_energy_fn energy, void *context, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dim = dim, spec.energy = energy, spec.context = context, spec.dtype = dtype;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* Independent variables: log Z = Σ log Σ exp(−c x), and probabilities are products. 2^14 states: several chunks. */
Test(enumerate, independent_variables)
{
    double c[14], log_z, expected = 0, *p = sampling_room(1 << 14, sizeof *p), total = 0;
    spread(c, COUNT(c), 4);
    for (int k = 0; k < 2; k++) {
        ebm_model *model = model_with(COUNT(c), linear, c, k ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        expected = total = 0;
        for (int i = 0; i < COUNT(c); i++) expected += log1p(exp(-c[i]));
        OK(ebm_enumerate(model, NULL, &log_z, p, ERROR));
        expect_close(log_z, expected, k ? 1e-6 : 1e-13, "log Z");
        for (int s = 0; s < 1 << 14; s++) total += p[s];
        expect_close(total, 1, 1e-12, "probabilities");
        double odd = 1;
        for (int i = 0; i < COUNT(c); i++) odd *= (i == 12 ? exp(-c[i]) : 1) / (1 + exp(-c[i]));
        expect_close(p[2], odd, k ? 1e-8 : 1e-15, "state 2 has variable 12 at 1");
        ebm_model_free(model);
    }
    free(p);
}

Test(enumerate, labels_and_far_energies)
{
    static const int64_t labels[] = {4, 3};
    double c[] = {-900, 1.5}, log_z, expected = log(1 + exp(-900) + exp(-1800) + exp(-2700)) + 2700 +
                                                log(1 + exp(-1.5) + exp(-3));
    ebm_model *model = model_with(2, linear, c, GIBBS_FLOAT64);
    OK(ebm_enumerate(model, &(ebm_space){.variables = 2, .labels_of = labels}, &log_z, NULL, ERROR));
    expect_close(log_z, expected, 1e-15, "log Z");
    ebm_model_free(model);
}

/* Spins of ±1: Z of Σ cᵢsᵢ is a product of 2 cosh cᵢ. */
Test(enumerate, values)
{
    double c[] = {0.3, -1.2, 2}, log_z, p[8];
    ebm_model *model = model_with(3, linear, c, GIBBS_FLOAT64);
    OK(ebm_enumerate(model, &(ebm_space){.variables = 3, .values = (double[]){-1, 1}}, &log_z, p, ERROR));
    expect_close(log_z, log(8 * cosh(0.3) * cosh(1.2) * cosh(2)), 1e-14, "log Z");
    expect_close(p[3], exp(0.3 + 1.2 - 2 - log_z), 1e-14, "p of (−1, 1, 1)");
    ebm_model_free(model);
}

/* Infinite energies are probability 0. */
Test(enumerate, infinite_energies)
{
    ebm_model *two = model_with(2, exclusive, NULL, GIBBS_FLOAT64);
    ebm_model *three = model_with(3, exclusive, NULL, GIBBS_FLOAT64);
    ebm_model *none = model_with(2, nowhere, NULL, GIBBS_FLOAT64);
    double log_z = 7, p[8] = {7, 7, 7, 7, 7, 7, 7, 7};
    OK(ebm_enumerate(two, NULL, &log_z, p, ERROR));
    expect_close(log_z, log(2.5 + 1.5 + 1.5), 1e-14, "log Z");
    expect_close(p[1], 1.5 / 5.5, 1e-14, "p");
    cr_expect_eq(p[3], 0);
    log_z = p[0] = 7;
    FAILS(GIBBS_NUMERIC, "NaN in state 7", ebm_enumerate(three, NULL, &log_z, p, FAIL));
    FAILS(GIBBS_NUMERIC, "infinite in every state", ebm_enumerate(none, NULL, &log_z, p, FAIL));
    cr_expect(log_z == 7 && p[0] == 7);
    ebm_model_free(two), ebm_model_free(three), ebm_model_free(none);
}

Test(enumerate, refuses)
{
    double c[21] = {0}, log_z = 7;
    ebm_model *small = model_with(3, linear, c, GIBBS_FLOAT64), *large = model_with(21, linear, c, GIBBS_FLOAT64);
    const ebm_space two = {.variables = 2}, hot = {.variables = 3, .one_hot = 1}, none = {.variables = -1};
    const ebm_space odd = {.variables = 3, .values = (double[]){0, NAN}};
    FAILS(GIBBS_SHAPE, "2 columns, the model has dim 3", ebm_enumerate(small, &two, &log_z, NULL, FAIL));
    FAILS(GIBBS_SHAPE, "6 columns", ebm_enumerate(small, &hot, &log_z, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "no variables", ebm_enumerate(small, &none, &log_z, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "nan stands for label 1", ebm_enumerate(small, &odd, &log_z, NULL, FAIL));
    double all = 0, zeroed = 1;
    OK(ebm_enumerate(small, NULL, &all, NULL, ERROR));
    OK(ebm_enumerate(small, &(ebm_space){0}, &zeroed, NULL, ERROR));
    cr_expect_eq(all, zeroed);
    FAILS(GIBBS_SIZE, "2^20", ebm_enumerate(large, NULL, &log_z, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_enumerate(NULL, NULL, &log_z, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_enumerate(small, NULL, NULL, NULL, FAIL));
    cr_expect_eq(log_z, 7);
    ebm_model_free(small), ebm_model_free(large);
}

/* ---- Closed forms ---- */

/* With an antisymmetric part, which must not count. */
Test(log_z, gaussian)
{
    const double theta[] = {1, -2, 2, 0.9, 0.3, 1};
    ebm_model *model;
    ebm_box box = {{-9, -12}, {11, 8}, 400, 0};
    ebm_quadrature z;
    double log_z;
    OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &model, ERROR));
    ebm_model_set(model, theta);
    OK(ebm_model_log_z(model, &log_z, ERROR));
    OK(ebm_integrate(model, &box, &z, ERROR));
    expect_close(log_z, log(2 * M_PI) - 0.5 * log(2 * 1 - 0.6 * 0.6), 1e-14, "closed form");
    expect_close(log_z, z.log_z, 1e-12, "quadrature");
    ebm_model_set(model, (double[]){0, 0, 1, 2, 2, 1});
    FAILS(GIBBS_NUMERIC, "positive definite", ebm_model_log_z(model, &log_z, FAIL));
    ebm_model_free(model);
}

Test(log_z, is_not_known_for_every_energy)
{
    double c[2] = {0}, log_z = 7;
    ebm_model *model = model_with(2, linear, c, GIBBS_FLOAT64);
    FAILS(GIBBS_ARGUMENT, "none is known", ebm_model_log_z(model, &log_z, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_model_log_z(NULL, &log_z, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_model_log_z(model, NULL, FAIL));
    cr_expect_eq(log_z, 7);
    ebm_model_free(model);
}
