/* The audit of a proposal: E = x²/2θ², q = N(2, 2²), whose weights have the index 1 − 4/θ². Verdicts by θ, remedies
 * that must hold when they are taken, where it looks, and what it leaves alone. */
#include "sampling.h"

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5);
}

static ebm_model *model_at(double theta)
{
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, theta};
    ebm_model_spec spec = {.dim = 1, .parameters = &p, .parameter_count = 1, .energy = energy};
    ebm_model *model;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static ebm_proposal *normal(double mean, double sd)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &q, ERROR));
    return q;
}

Test(audit, verdicts_along_theta)
{
    const double path[] = {1, 2, 3, 6}, se = 0.1;
    const ebm_audit_verdict expected[] = {EBM_AUDIT_GOOD, EBM_AUDIT_GOOD, EBM_AUDIT_NO_VARIANCE,
                                           EBM_AUDIT_NO_VARIANCE};
    ebm_audit_options o = {.rows = 40000, .standard_error = &se, .path = path, .path_count = 4};
    ebm_model *model = model_at(2.1);
    ebm_proposal *q = normal(2, 2);
    ebm_audit audit;
    OK(ebm_audit_proposal(model, q, &o, &audit, ERROR));
    cr_assert_eq(audit.count, 7);
    cr_expect_str_eq(audit.row[0].where, "the estimate");
    cr_expect_str_eq(audit.row[1].where, "theta - 2 se");
    cr_expect_str_eq(audit.row[6].where, "point 4 of the path");
    const double at[] = {2.1, 1.9, 2.3};
    for (int k = 0; k < 7; k++) cr_log_info("%s", audit.row[k].sentence);
    for (int k = 0; k < 3; k++) cr_expect_float_eq(audit.row[k].theta[0], at[k], 1e-12);
    for (int k = 0; k < 4; k++) {
        const ebm_audit_row *row = &audit.row[3 + k];
        ebm_importance own;
        ebm_model *here = model_at(path[k]);
        OK(ebm_importance_sample(here, q, 40000, 0, NULL, NULL, &own, ERROR));
        cr_expect(!memcmp(&own, &row->weights, sizeof own), "θ = %g", path[k]);
        cr_expect_eq(row->verdict, expected[k], "θ = %g: %d", path[k], (int)row->verdict);
        cr_expect_eq(strstr(row->sentence, "no variance") != NULL, k > 1, "%s", row->sentence);
        ebm_model_free(here);
    }
    cr_expect_eq(audit.worst, 6);
    cr_expect_eq(parameter_of(model, "theta"), 2.1);
    ebm_audit_free(&audit);
    ebm_audit_free(&audit);
    ebm_model_free(model);
    ebm_proposal_free(q);
}

/* Each remedy, taken as it is said, gives weights with a variance, or the accuracy. */
Test(audit, remedies_hold_when_they_are_taken)
{
    const double theta[] = {2.7, 3.1, 4};
    for (int k = 0; k < 3; k++) {
        ebm_model *model = model_at(theta[k]);
        ebm_proposal *q = normal(2, 2), *wide, *follows;
        ebm_audit audit;
        ebm_importance r;
        OK(ebm_audit_proposal(model, q, &(ebm_audit_options){.accuracy = 0.02, .seed = 4}, &audit, ERROR));
        const ebm_audit_row *row = audit.row;
        cr_log_info("%s", row->sentence);
        cr_assert(row->weights.k > 0.5 && row->widen > 1 && row->widen < 3, "θ = %g: %g", theta[k], row->widen);
        OK(ebm_proposal_widened(q, row->widen, NULL, &wide, ERROR));
        OK(ebm_importance_sample(model, wide, 10000, 4, NULL, NULL, &r, ERROR));
        cr_expect(r.k <= 0.5 && isfinite(r.standard_error));
        cr_expect(row->widen * 2 * row->widen * 2 * 2 > theta[k] * theta[k], "it has a variance: 2·(2 widen)² > θ²");
        if (k < 2) {
            cr_assert(row->follow > 1 && (k || row->points > 10000));
            OK(ebm_proposal_following(model, q, &(ebm_following_options){.widen = row->follow, .seed = 4}, NULL,
                                      &follows, ERROR));
            OK(ebm_importance_sample(model, follows, 10000, 4, NULL, NULL, &r, ERROR));
            cr_expect_leq(r.k, 0.5);
            ebm_proposal_free(follows);
            if (k) cr_expect(isnan(row->points), "k̂ above 0.7: no number of points is of use");
            else OK(ebm_importance_smoothed(model, q, (int64_t)row->points, 4, NULL, NULL, &r, ERROR));
            if (!k) cr_expect_leq(r.standard_error, 0.022);
        }
        ebm_proposal_free(wide);
        ebm_proposal_free(q);
        ebm_audit_free(&audit);
        ebm_model_free(model);
    }
}

Test(audit, weights_that_need_more_points)
{
    ebm_model *model = model_at(1.5);
    ebm_proposal *q = normal(0, 2);
    ebm_audit audit;
    ebm_importance r;
    OK(ebm_audit_proposal(model, q, &(ebm_audit_options){.rows = 1000, .accuracy = 0.005}, &audit, ERROR));
    const ebm_audit_row *row = audit.row;
    cr_assert(row->verdict == EBM_AUDIT_FEW && isnan(row->widen) && row->points > 1000, "%s", row->sentence);
    OK(ebm_importance_sample(model, q, (int64_t)row->points, 0, NULL, NULL, &r, ERROR));
    cr_expect(r.standard_error < 0.0055 && r.standard_error > 0.003, "%s: %g", row->sentence, r.standard_error);
    ebm_audit_free(&audit);
    ebm_proposal_free(q);
    ebm_model_free(model);
}

/* What cannot be widened has no such remedy; a support that is missed is a verdict. */
static ad_var bits_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_mul(theta[0], x));
}

static ad_var far_off(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var left = ad_less(ad_sum(x), ad_constant(x.tape, 50));
    return ad_select(left, ad_constant(x.tape, INFINITY), ad_sum(ad_mul(theta[0], x)));
}

Test(audit, discrete_and_disjoint)
{
    const ebm_parameter p = {"w", ad_vec(12), EBM_INIT_CONSTANT, 2};
    ebm_model_spec spec = {.dim = 12, .parameters = &p, .parameter_count = 1, .energy = bits_energy};
    double half[12];
    for (int i = 0; i < 12; i++) half[i] = 0.999;
    ebm_model *model, *far;
    ebm_proposal *q, *line = normal(0, 1);
    ebm_audit audit;
    OK(ebm_model_new(&spec, &model, ERROR));
    OK(ebm_proposal_bernoulli(12, half, 0, 1, NULL, &q, ERROR));
    OK(ebm_audit_proposal(model, q, NULL, &audit, ERROR));
    cr_expect(isnan(audit.row[0].widen) && isnan(audit.row[0].follow), "%s", audit.row[0].sentence);
    cr_log_info("%s", audit.row[0].sentence);
    ebm_audit_free(&audit);
    double se[12] = {0, NAN, 0.5};
    OK(ebm_audit_proposal(model, q, &(ebm_audit_options){.rows = 100, .standard_error = se}, &audit, ERROR));
    cr_assert_eq(audit.count, 3);
    cr_expect_str_eq(audit.row[2].where, "w[2] + 2 se");
    ebm_audit_free(&audit);
    const ebm_parameter one = {"t", ad_scalar(), EBM_INIT_CONSTANT, 1};
    spec = (ebm_model_spec){.dim = 1, .parameters = &one, .parameter_count = 1, .energy = far_off};
    OK(ebm_model_new(&spec, &far, ERROR));
    OK(ebm_audit_proposal(far, line, NULL, &audit, ERROR));
    cr_expect(audit.row[0].verdict == EBM_AUDIT_NO_ESTIMATE && strstr(audit.row[0].sentence, "weights are 0"), "%s",
              audit.row[0].sentence);
    ebm_audit_free(&audit);
    ebm_model_free(model);
    ebm_model_free(far);
    ebm_proposal_free(q);
    ebm_proposal_free(line);
}

Test(audit, refuses)
{
    ebm_model *model = model_at(2);
    ebm_proposal *q = normal(0, 2), *plane;
    const double two[] = {1, 1};
    ebm_audit audit = {.count = 3};
    OK(ebm_proposal_gaussian_diagonal(2, two, two, NULL, &plane, ERROR));
    FAILS(GIBBS_ARGUMENT, "rows is 3", ebm_audit_proposal(model, q, &(ebm_audit_options){.rows = 3}, &audit, FAIL));
    FAILS(GIBBS_ARGUMENT, "no path", ebm_audit_proposal(model, q, &(ebm_audit_options){.path_count = 2}, &audit, FAIL));
    FAILS(GIBBS_SHAPE, "2 dimensions", ebm_audit_proposal(model, plane, NULL, &audit, FAIL));
    cr_expect(!audit.row && !audit.count);
    ebm_proposal_free(plane);
    ebm_proposal_free(q);
    ebm_model_free(model);
}
