/* What a quadrature says of what lies outside its box, and of a box that has no outside. */
#include "quadrature_helpers.h"

/* ---- How far one looks --------------------------------------------------------------------------------------- */

/* E = p log(1 + r²)/2 falls like r^−p: integrable in d dimensions where p > d, and only then. */
static ad_var power(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    return ad_scale(ad_log1p(ad_sum(ad_square(x))), *(double *)context / 2);
}

static ebm_quadrature integrate_power(int dim, double p, ebm_box box)
{
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = dim;
    spec.energy = power;
    spec.context = &p;
    cr_assert(ebm_model_new(&spec, &model, NULL) == GIBBS_OK);
    ebm_quadrature result = integrate(model, box);
    ebm_model_free(model);
    return result;
}

Test(quadrature, tails_that_fall_as_a_power)
{
    for (int dim = 1; dim <= 3; dim++) {
        ebm_box box = cube(dim, -5, 5, dim < 3 ? 101 : 31);
        cr_expect_eq(integrate_power(dim, dim - 0.2, box).verdict, EBM_NOT_NORMALISABLE, "%d", dim);
        cr_expect_eq(integrate_power(dim, dim, box).verdict, EBM_NOT_NORMALISABLE, "%d", dim);
        cr_expect_eq(integrate_power(dim, dim + 1, box).verdict, EBM_BOX_TOO_SMALL, "%d", dim);
        cr_expect_eq(integrate_power(dim, dim + 9, box).verdict, EBM_NORMALISABLE, "%d", dim);
    }
    ebm_quadrature slow = integrate_power(1, 1.1, cube(1, -5, 5, 101));
    cr_expect(slow.verdict == EBM_BOX_TOO_SMALL && slow.widen == INFINITY, "finite, but no box holds 99 %% of it");
}

/* The Cauchy density has 2 atan(L)/π in ±L: of the boxes ±2·2ᵏ the one with k = 6 is the first to hold 99 %. And a box
 * that is as wide as the answer says does hold it. */
Test(quadrature, how_much_wider_the_box_must_be)
{
    ebm_quadrature got = integrate_power(1, 2, cube(1, -2, 2, 2001));
    cr_expect(got.verdict == EBM_BOX_TOO_SMALL && got.widen == 32, "%g", got.widen);
    cr_expect_eq(integrate_power(1, 2, cube(1, -64, 64, 2001)).verdict, EBM_NORMALISABLE);
    cr_expect_eq(integrate_power(1, 2, cube(1, -32, 32, 2001)).verdict, EBM_BOX_TOO_SMALL);
    ebm_model *model;
    cr_assert(ebm_model_gaussian(2, GIBBS_FLOAT32, NULL, &model, NULL) == GIBBS_OK);
    got = integrate(model, cube(2, -0.1, 0.1, 41));
    cr_expect(got.verdict == EBM_BOX_TOO_SMALL && got.widen == 32, "%g: ± 3.2 deviations", got.widen);
    got = integrate(model, cube(2, 20, 21, 41));
    cr_expect(got.verdict == EBM_BOX_TOO_SMALL && got.widen == 64, "%g: the box lies beside the density", got.widen);
    ebm_model_free(model);
}

/* E = Σ over all dimensions but one: a direction is forgotten. */
static ad_var valley(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    return ad_scale(ad_square(ad_at(x, *(int *)context)), 50);
}

Test(quadrature, a_direction_in_which_the_energy_is_flat)
{
    for (int dim = 2; dim <= 3; dim++)
        for (int kept = 0; kept < dim; kept++) {
            ebm_model_spec spec = {0};
            ebm_model *model;
            spec.dim = dim;
            spec.energy = valley;
            spec.context = &kept;
            cr_assert(ebm_model_new(&spec, &model, NULL) == GIBBS_OK);
            ebm_quadrature got = integrate(model, cube(dim, -1.1, 1, 21));
            cr_expect_eq(got.verdict, EBM_NOT_NORMALISABLE, "%d of %d: %s", kept, dim, ebm_verdict_text(got.verdict));
            ebm_model_free(model);
        }
}

/* E = r² − 10⁻⁸r⁴ turns down at r = 7000: nothing of that shows in the doubled box. */
static ad_var falls_at_last(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    ad_var r = ad_sum(ad_square(x));
    return ad_sub(r, ad_scale(ad_square(ad_scale(r, 1e-4)), 1));
}

Test(quadrature, an_energy_that_turns_down_far_outside)
{
    for (int dim = 1; dim <= 3; dim++) {
        ebm_quadrature got = integrate_energy(falls_at_last, dim, cube(dim, -5, 5, 31));
        cr_expect(fabs(got.log_z_doubled - got.log_z) < 1e-6 && got.verdict == EBM_NOT_NORMALISABLE, "%d", dim);
    }
}

/* ---- Where there is no outside ------------------------------------------------------------------------------- */

static ad_var von_mises(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return ad_neg(ad_scale(ad_sum(ad_cos(x)), 2));
}

/* Z = (2π I₀(2))ᵈ; of an energy that is NaN outside, the same. */
Test(quadrature, a_box_that_is_the_whole_domain)
{
    const double pi = 3.14159265358979324, expected = 0.5 * LOG_2PI * 2 + log(2.2795853023360673);
    for (int dim = 1; dim <= 3; dim++) {
        ebm_box box = cube(dim, -pi, pi, dim < 3 ? 101 : 41);
        cr_expect_eq(integrate_energy(von_mises, dim, box).verdict, EBM_NOT_NORMALISABLE, "as a density of the line");
        box.whole_domain = 1;
        ebm_quadrature got = integrate_energy(von_mises, dim, box);
        cr_expect(got.verdict == EBM_NORMALISABLE && got.widen == 1 && got.log_z_doubled == got.log_z);
        cr_expect(fabs(got.log_z - dim * expected) < 1e-12, "%.15g", got.log_z);
    }
}

Test(quadrature, verdicts_in_words)
{
    cr_expect_str_eq(ebm_verdict_text(EBM_NORMALISABLE), "normalisable");
    cr_expect_str_eq(ebm_verdict_text(EBM_BOX_TOO_SMALL), "the box is too small");
    cr_expect_str_eq(ebm_verdict_text(EBM_NOT_NORMALISABLE), "not normalisable");
    cr_expect_str_eq(ebm_verdict_text(EBM_CANNOT_BE_TOLD), "cannot be told");
    cr_expect_str_eq(ebm_verdict_text((ebm_verdict)7), "no verdict");
}
