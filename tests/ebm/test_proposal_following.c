/* Proposals that are widened, and that follow θ: their densities, how they move, that they stay normalised, and what is
 * refused. The intervals of fits by them: statistics/test_proposal_following. */
#include "proposal_check.h"

/* E = ½ Σ ((x − μ)/e^τ)², two columns with their own μ: the mean moves by μ, log √v by τ, each with slope 1. */
static ad_var located(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_mul(ad_sub(x, theta[0]), ad_exp(ad_neg(theta[1]))))), 0.5);
}

static ebm_model *located_model(gibbs_dtype dtype)
{
    const ebm_parameter p[] = {{"mu", ad_vec(2), EBM_INIT_CONSTANT, 0.5}, {"tau", ad_scalar(), EBM_INIT_CONSTANT, 0.2}};
    ebm_model_spec spec = {.dtype = dtype, .dim = 2, .parameters = p, .parameter_count = 2, .energy = located};
    ebm_model *model;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static ebm_proposal *family_new(void)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_full(2, (double[]){0.7, 0.3}, (double[]){4, 1, 1, 3}, NULL, &q, ERROR));
    return q;
}

Test(proposal_following, widened_is_the_density_of_wider_draws)
{
    enum { ROWS = 2001 };
    double y[2 * ROWS], r[2 * ROWS], log_y[ROWS], log_r[ROWS];
    ebm_proposal *part = family_new(), *q;
    OK(ebm_proposal_widened(part, 1.6, NULL, &q, ERROR));
    OK(ebm_proposal_sample(part, ROWS, 3, 0, NULL, r, log_r, ERROR));
    OK(ebm_proposal_sample(q, ROWS, 3, 0, NULL, y, log_y, ERROR));
    double at = (y[0] - 1.6 * r[0]) / -0.6, beside = (y[1] - 1.6 * r[1]) / -0.6; /* the centre */
    cr_expect(fabs(at - 0.7) < 0.2 && fabs(beside - 0.3) < 0.2, "%g %g", at, beside);
    for (int k = 0; k < ROWS; k++) {
        cr_assert_float_eq(y[2 * k] - at, 1.6 * (r[2 * k] - at), 1e-9);
        cr_assert_float_eq(log_y[k], log_r[k] - 2 * log(1.6), 1e-9);
    }
    cr_expect_float_eq(integral_of(q, (double[]){0, 0}, (double[]){3, 3}, 3.5, 401), 1, 1e-4);
    ebm_proposal_free(q);
    ebm_proposal_free(part);
}

/* Draws of one seed at θ₀ and away from it, as the model's move. */
Test(proposal_following, it_moves_as_the_model_does)
{
    enum { ROWS = 100 };
    double here[2 * ROWS], there[2 * ROWS], theta[] = {0.5, 0.5, 0.2}, moved[] = {0.7, 0.4, 0.5};
    for (int dtype = 0; dtype < 2; dtype++) {
        ebm_model *model = located_model(dtype ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        ebm_proposal *family = family_new(), *q;
        OK(ebm_proposal_following(model, family, &(ebm_following_options){.rows = 40000}, NULL, &q, ERROR));
        OK(ebm_importance_sample(model, q, ROWS, 3, here, NULL, NULL, ERROR));
        ebm_model_set(model, moved);
        OK(ebm_importance_sample(model, q, ROWS, 3, there, NULL, NULL, ERROR));
        for (int i = 0; i < 2; i++) {
            double stretch = (there[2 + i] - there[i]) / (here[2 + i] - here[i]);
            double centre = there[i] - moved[i] - stretch * (here[i] - theta[i]); /* 0 where m moved as μ did */
            cr_expect_float_eq(log(stretch), 0.3, 0.02, "%g", log(stretch));
            cr_expect_float_eq(centre, 0, 0.03, "%g", centre);
        }
        ebm_proposal_free(q);
        ebm_proposal_free(family);
        ebm_model_free(model);
    }
}

/* Near θ₀ and so far off that it moves no farther: log Ẑ is log Z = log 2π + 2τ within its error; the family that stays
 * where it was has no variance there. */
Test(proposal_following, it_is_normalised_wherever_it_is)
{
    const double at[][3] = {{0.5, 0.5, 0.2}, {0, 2, 0.6}, {3, -1, 0.9}, {20, 20, 2}};
    ebm_model *model = located_model(GIBBS_FLOAT64);
    ebm_proposal *family = family_new(), *q;
    OK(ebm_proposal_following(model, family, &(ebm_following_options){.widen = 1.2}, NULL, &q, ERROR));
    for (int k = 0; k < COUNT(at); k++) {
        ebm_importance r, left;
        ebm_model_set(model, at[k]);
        OK(ebm_importance_sample(model, q, 20000, 7, NULL, NULL, &r, ERROR));
        OK(ebm_importance_sample(model, family, 20000, 7, NULL, NULL, &left, ERROR));
        cr_expect(fabs(r.log_z - log(2 * M_PI) - 2 * at[k][2]) < 4 * r.standard_error, "%d: %g ± %g", k, r.log_z,
                  r.standard_error);
        if (k < 3) cr_expect(r.k < 0.3 && r.ess > 3000, "%d: %g, ESS %g", k, r.k, r.ess);
        if (k > 1) cr_expect_gt(left.k, 0.5);
    }
    ebm_proposal_free(q);
    ebm_proposal_free(family);
    ebm_model_free(model);
}

Test(proposal_following, refuses)
{
    const double narrow[] = {0.1, 0.1}, p[] = {0.3, 0.6};
    ebm_model *model = located_model(GIBBS_FLOAT64);
    ebm_proposal *family = family_new(), *thin, *bits, *q = family, *line;
    OK(ebm_proposal_gaussian_diagonal(2, p, narrow, NULL, &thin, ERROR));
    OK(ebm_proposal_gaussian_diagonal(1, p, narrow, NULL, &line, ERROR));
    OK(ebm_proposal_bernoulli(2, p, 0, 1, NULL, &bits, ERROR));
    FAILS(GIBBS_ARGUMENT, "a required pointer", ebm_proposal_following(NULL, family, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no proposal", ebm_proposal_following(model, NULL, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_SHAPE, "1 dimensions", ebm_proposal_following(model, line, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen is -1",
          ebm_proposal_following(model, family, &(ebm_following_options){.widen = -1}, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "rows is 3",
          ebm_proposal_following(model, family, &(ebm_following_options){.rows = 3}, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "widen it first", ebm_proposal_following(model, thin, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "a required pointer", ebm_proposal_widened(family, 2, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen is 0", ebm_proposal_widened(family, 0, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "takes 2 values", ebm_proposal_widened(bits, 2, NULL, &q, FAIL));
    cr_expect_null(q);
    OK(ebm_proposal_following(model, family, NULL, NULL, &q, ERROR));
    ebm_proposal *other = q;
    FAILS(GIBBS_ARGUMENT, "depends on θ", ebm_proposal_widened(q, 2, NULL, &other, FAIL));
    FAILS(GIBBS_ARGUMENT, "depends on θ", ebm_proposal_following(model, q, NULL, NULL, &other, FAIL));
    ebm_proposal *all[] = {q, family, thin, line, bits};
    for (int k = 0; k < COUNT(all); k++) ebm_proposal_free(all[k]);
    ebm_model_free(model);
}
