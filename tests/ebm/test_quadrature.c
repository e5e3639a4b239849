/* log Z by the trapezoidal rule: against closed forms, what is not normalisable, walls, refusals. What lies
 * outside the box: test_quadrature_outside.c. */
#include "quadrature_helpers.h"

#include <limits.h>

/* ---- Closed forms -------------------------------------------------------------------------------------------- */

/* mean, precision (its antisymmetric part must not count), the variances of the symmetric part's inverse, log det. */
static const struct normal {
    int dim;
    double theta[12], variance[3], log_det;
} normals[] = {
    {1, {0.3, 4}, {0.25}, 1.3862943611198906188},
    {2, {1, -2, 2, 0.9, 0.3, 1}, {1 / 1.64, 2 / 1.64}, 0.49469624183610704},
    {3, {0.5, 0, -1, 2, 1, 0, 0, 3, 1, 0, 0, 2}, {0, 0, 0}, 0},
};

/* What the table leaves at 0, from the symmetric 3×3 matrix by cofactors. */
static struct normal solved(const struct normal *given)
{
    struct normal n = *given;
    if (n.dim < 3) return n;
    const double *P = n.theta + 3;
    double a[3][3], det = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) a[i][j] = (P[3 * i + j] + P[3 * j + i]) / 2;
    for (int j = 0; j < 3; j++)
        det += a[0][j] * (a[1][(j + 1) % 3] * a[2][(j + 2) % 3] - a[1][(j + 2) % 3] * a[2][(j + 1) % 3]);
    for (int k = 0; k < 3; k++) {
        int p = (k + 1) % 3, q = (k + 2) % 3;
        n.variance[k] = (a[p][p] * a[q][q] - a[p][q] * a[q][p]) / det;
    }
    n.log_det = log(det);
    return n;
}

static void expect_normal(const struct normal *given, gibbs_dtype dtype, double limit)
{
    struct normal n = solved(given);
    ebm_model *model;
    ebm_box box = {.points = 0};
    cr_assert(ebm_model_gaussian(n.dim, dtype, NULL, &model, NULL) == GIBBS_OK);
    ebm_model_set(model, n.theta);
    for (int k = 0; k < n.dim; k++) {
        box.low[k] = n.theta[k] - 8 * sqrt(n.variance[k]);
        box.high[k] = n.theta[k] + 8 * sqrt(n.variance[k]);
    }
    ebm_quadrature got = integrate(model, box);
    double expected = 0.5 * n.dim * LOG_2PI - 0.5 * n.log_det;
    cr_expect(fabs(got.log_z - expected) < limit, "d = %d: %.15g, not %.15g", n.dim, got.log_z, expected);
    cr_expect(fabs(got.log_z_doubled - expected) < limit, "d = %d: %.15g", n.dim, got.log_z_doubled);
    cr_expect(got.verdict == EBM_NORMALISABLE && got.widen == 1);
    ebm_model_free(model);
}

Test(quadrature, gaussians)
{
    for (int i = 0; i < COUNT(normals); i++) expect_normal(&normals[i], GIBBS_FLOAT64, 1e-12);
    expect_normal(&normals[1], GIBBS_FLOAT32, 1e-6);
}

static ad_var quartic(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_sum(ad_square(ad_square(x)));
}

/* ∫ exp(−x⁴) dx = Γ(¼)/2. */
Test(quadrature, quartic)
{
    const double expected = log(1.81280495411095412);
    for (int dim = 1; dim <= 3; dim++) {
        ebm_quadrature got = integrate_energy(quartic, dim, cube(dim, -3, 3.5, 61));
        cr_expect(fabs(got.log_z - dim * expected) < 1e-12, "d = %d: %.15g", dim, got.log_z);
        cr_expect(fabs(got.log_z_doubled - dim * expected) < 1e-12 && got.verdict == EBM_NORMALISABLE);
    }
}

static ad_var shifted(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_shift(ad_scale(ad_sum(ad_square(x)), 0.5), *(double *)context);
}

/* Energies whose exponentials over- or underflow. */
Test(quadrature, energies_far_from_zero)
{
    static double offsets[] = {-1e5, 1e5};
    for (int i = 0; i < 2; i++) {
        ebm_model_spec spec = {0};
        ebm_model *model;
        spec.dim = 1;
        spec.energy = shifted;
        spec.context = &offsets[i];
        cr_assert(ebm_model_new(&spec, &model, NULL) == GIBBS_OK);
        ebm_quadrature got = integrate(model, cube(1, -9, 9, 0));
        cr_expect(fabs(got.log_z - (0.5 * LOG_2PI - offsets[i])) < 1e-9 && got.verdict == EBM_NORMALISABLE);
        ebm_model_free(model);
    }
}

/* ---- Improper energies --------------------------------------------------------------------------------------- */

static ad_var zero(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_constant(x.tape, 0);
}

static ad_var linear(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_scale(ad_sum(x), 0.01);
}

/* Both are known in closed form over any box; with an odd and an even number of points the doubled box is twice as
 * wide and no more. */
Test(quadrature, improper_energies_are_not_normalisable)
{
    for (int dim = 1; dim <= 3; dim++)
        for (int points = 20; points <= 21; points++) {
            ebm_quadrature got = integrate_energy(zero, dim, cube(dim, -1, 4, points));
            cr_expect(fabs(got.log_z - dim * log(5)) < 1e-12 && fabs(got.log_z_doubled - dim * log(10)) < 1e-12);
            cr_expect(got.verdict == EBM_NOT_NORMALISABLE);
            cr_expect(integrate_energy(linear, dim, cube(dim, -1, 4, points)).verdict == EBM_NOT_NORMALISABLE);
        }
    ebm_quadrature got = integrate_energy(linear, 1, cube(1, -100, 100, 10001));
    cr_expect(fabs(got.log_z - log(200 * sinh(1))) < 1e-7, "%.15g", got.log_z);
    cr_expect(fabs(got.log_z_doubled - log(200 * sinh(2))) < 1e-7, "%.15g", got.log_z_doubled);
}

static ad_var steep(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_scale(ad_sum(x), -10);
}

/* The doubled box weighs e⁵⁰⁰⁰ times as much, and the box's own sum is not lost beside it. */
Test(quadrature, sums_of_very_different_size)
{
    ebm_quadrature got = integrate_energy(steep, 1, cube(1, -500, 500, 100001));
    cr_expect(fabs(got.log_z - (5000 - log(10))) < 1e-3, "%.15g", got.log_z);
    cr_expect(fabs(got.log_z_doubled - (10000 - log(10))) < 1e-3 && got.verdict == EBM_NOT_NORMALISABLE);
}

/* A box that cuts a normalisable density is told apart from one that holds it: 4.6 % lie beyond two deviations. */
Test(quadrature, a_box_that_is_too_small)
{
    ebm_model *model;
    cr_assert(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, NULL) == GIBBS_OK);
    ebm_quadrature got = integrate(model, cube(1, -2, 2, 4001));
    cr_expect(fabs(got.log_z - (0.5 * LOG_2PI + log(erf(sqrt(2))))) < 1e-6);
    cr_expect(got.verdict == EBM_BOX_TOO_SMALL && got.widen == 2);
    cr_expect(integrate(model, cube(1, -3, 3, 401)).verdict == EBM_NORMALISABLE);
    ebm_model_free(model);
}

/* ---- Infinite energies --------------------------------------------------------------------------------------- */

static ad_var half_line(ad_var x, const ad_var *theta, void *context) /* x where x > 0, else ∞ */
{
    (void)theta;
    (void)context;
    return ad_sum(ad_sub(x, ad_log(ad_step(x))));
}

static ad_var inside(ad_var x, const ad_var *theta, void *context) /* 0 where |xᵢ| < 1 for every i, else ∞ */
{
    (void)theta;
    (void)context;
    return ad_neg(ad_sum(ad_log(ad_step(ad_sub(ad_constant(x.tape, 1), ad_abs(x))))));
}

static ad_var nowhere(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_neg(ad_sum(ad_log(ad_scale(ad_square(x), 0))));
}

/* The rule's own sum for e⁻ˣ is h Σ e⁻ᵏʰ = h/(eʰ − 1). */
Test(quadrature, infinite_energy_is_density_zero)
{
    const double h = 0.125, expected = log(h / expm1(h));
    ebm_quadrature got = integrate_energy(half_line, 1, cube(1, -5, 40, 361));
    cr_expect(fabs(got.log_z - expected) < 1e-12 && got.verdict == EBM_NORMALISABLE, "%.15g", got.log_z);
}

/* The two grids share their points, so walls inside the box make no difference between the two integrals. */
Test(quadrature, walls_inside_the_box)
{
    for (int points = 40; points <= 41; points++) {
        ebm_quadrature got = integrate_energy(inside, 2, cube(2, -2, 2, points));
        cr_expect(fabs(got.log_z_doubled - got.log_z) < 1e-12 && got.verdict == EBM_NORMALISABLE);
        cr_expect(fabs(got.log_z - log(4)) < 0.15, "%g", got.log_z);
    }
}

Test(quadrature, no_mass_anywhere)
{
    ebm_quadrature got = integrate_energy(nowhere, 2, cube(2, -2, 2, 10));
    cr_expect(got.log_z == -INFINITY && got.log_z_doubled == -INFINITY && got.verdict == EBM_NOT_NORMALISABLE);
}

/* ---- Half lines and intervals -------------------------------------------------------------------------------- */

static ad_var gamma3(ad_var x, const ad_var *theta, void *context) /* x − 2 log x: Z = Γ(3) */
{
    (void)theta;
    (void)context;
    return ad_sum(ad_sub(x, ad_scale(ad_log(x), 2)));
}

static const double END = 0.3; /* which 67 steps of a 67th of it lead beyond, when rounded */

static ad_var beta22(ad_var x, const ad_var *theta, void *context) /* −Σ log xᵢ(b − xᵢ), b = END: Z = (b³/6)ᵈ */
{
    (void)theta;
    (void)context;
    return ad_neg(ad_sum(ad_add(ad_log(x), ad_log(ad_sub(ad_constant(x.tape, END), x)))));
}

/* The energy is NaN in the wider box: whether the density is normalisable cannot be told, its integral can. */
Test(quadrature, energies_of_a_part_of_the_line)
{
    ebm_quadrature got = integrate_energy(gamma3, 1, cube(1, 1e-6, 60, 4000));
    cr_expect(fabs(got.log_z - log(2)) < 1e-6, "%.15g", got.log_z);
    cr_expect(isnan(got.log_z_doubled) && got.verdict == EBM_CANNOT_BE_TOLD);
    for (int dim = 1; dim <= 2; dim++) /* up to the ends, whose rounding must not lead outside */
        for (int points = 60; points < 70; points++) {
            got = integrate_energy(beta22, dim, cube(dim, 0, END, points));
            cr_expect(isnan(got.log_z_doubled) && got.verdict == EBM_CANNOT_BE_TOLD);
            cr_expect(fabs(got.log_z - dim * log(pow(END, 3) / 6)) < 2e-3, "%d dimensions, %d points: %.15g", dim,
                      points, got.log_z);
        }
}

/* Where NaN comes only farther out, the doubled box shows that there is more, and not how much. */
Test(quadrature, energies_of_a_part_of_the_line_that_the_wider_box_holds)
{
    ebm_quadrature got = integrate_energy(gamma3, 1, cube(1, 20, 40, 2001));
    cr_expect(!isnan(got.log_z_doubled) && got.verdict == EBM_CANNOT_BE_TOLD && isnan(got.widen));
}

/* ---- Boxes --------------------------------------------------------------------------------------------------- */

Test(quadrature, box_around_data)
{
    double x[] = {1, 10, -1, 0, 2, 30, -2, 0, 3, 20, -5, 0};
    ebm_data data = {.rows = 3, .cols = 4, .x = x}, empty = {.rows = 0, .cols = 2};
    ebm_box box = ebm_box_around(&data, 0.5), none = ebm_box_around(&empty, 1);
    static const double low[] = {0, 0, -7}, high[] = {4, 40, 1};
    cr_expect(!box.points);
    for (int k = 0; k < 3; k++) cr_expect(box.low[k] == low[k] && box.high[k] == high[k]);
    for (int k = 0; k < 3; k++) cr_expect(!none.low[k] && !none.high[k]);
    data.rows = 1;
    data.cols = 2;
    data.x = x + 4;
    box = ebm_box_around(&data, 3);
    cr_expect(box.low[0] == 2 && box.high[0] == 2 && box.low[1] == 30 && box.high[1] == 30);
    cr_expect(!box.low[2] && !box.high[2]);
}

static ad_var undefined(ad_var x, const ad_var *theta, void *context) /* NaN below 0, −∞ at 0 */
{
    (void)theta;
    (void)context;
    return ad_sum(ad_log(x));
}

static const struct refusal {
    ebm_energy_fn energy;
    int dim;
    ebm_box box;
    gibbs_status status;
    const char *sentence; /* part of it */
} refusals[] = {
    {quartic, 4, {{0}, {1, 1, 1}, 5, 0}, GIBBS_ARGUMENT, "4 dimensions"},
    {quartic, 1, {{0}, {1}, 1, 0}, GIBBS_ARGUMENT, "1 points"},
    {quartic, 1, {{0}, {1}, -5, 0}, GIBBS_ARGUMENT, "-5 points"},
    {quartic, 1, {{2}, {2}, 5, 0}, GIBBS_ARGUMENT, "dimension 1 of the box goes from 2 to 2"},
    {quartic, 2, {{0, 1}, {1, -1}, 5, 0}, GIBBS_ARGUMENT, "dimension 2 of the box goes from 1 to -1"},
    {quartic, 2, {{0}, {1}, 5, 0}, GIBBS_ARGUMENT, "dimension 2"},
    {quartic, 1, {{NAN}, {1}, 5, 0}, GIBBS_ARGUMENT, "from nan to 1"},
    {quartic, 1, {{0}, {INFINITY}, 5, 0}, GIBBS_ARGUMENT, "from 0 to inf"},
    {quartic, 1, {{-1.7e308}, {1.7e308}, 5, 0}, GIBBS_ARGUMENT, "dimension 1"},
    {quartic, 3, {{0}, {1, 1, 1}, INT_MAX, 0}, GIBBS_SIZE, "too many"},
    {undefined, 1, {{-4}, {4}, 9, 0}, GIBBS_NUMERIC, "E is NaN at x = (-4)"},
    {undefined, 2, {{1, 0}, {3, 2}, 3, 0}, GIBBS_NUMERIC, "E is -infinity at x = (1, 0)"},
    {undefined, 2, {{2, 2}, {6, 4}, 3, 0}, GIBBS_OK, ""}, /* −∞ in the wider box only */
    {undefined, 3, {{1, 1, 1}, {2, 2, 2}, 3, 0}, GIBBS_OK, ""},
    {undefined, 3, {{1, 1, -0.5}, {2, 2, 2.5}, 3, 0}, GIBBS_NUMERIC, "E is NaN at x = (1, 1, -0.5)"},
};

Test(quadrature, refuses)
{
    for (int i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        ebm_model *model = new_model(r->energy, r->dim, GIBBS_FLOAT64);
        ebm_quadrature result = {7, 7, EBM_CANNOT_BE_TOLD, 7};
        gibbs_error error = {.status = GIBBS_OK};
        gibbs_status status = ebm_integrate(model, &r->box, &result, &error);
        cr_expect(status == r->status && error.status == status, "case %d: %s", i, error.message);
        cr_expect(strstr(error.message, r->sentence), "case %d: %s", i, error.message);
        cr_expect(!status || (result.log_z == 7 && result.log_z_doubled == 7 && result.widen == 7));
        ebm_model_free(model);
    }
}
