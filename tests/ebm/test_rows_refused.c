/* Rows that can be none of the model's are named before a fit runs away with them; rows that are bound anew, or change
 * where they lie, are what the next refresh sees; an error of an artificial point names the row that it belongs to. */
#include "objective_helpers.h"

enum { ROWS = 40 };

static ad_var logit(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(ad_add(theta[0], ad_mul(theta[1], ad_at(row, 0))), ad_at(row, 1)));
}

static ebm_model *label_model(gibbs_dtype dtype)
{
    static const ebm_parameter p[] = {{"b", {0, {0}}, EBM_INIT_CONSTANT, 0.1}, {"w", {0, {0}}, EBM_INIT_CONSTANT, 0.2}};
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = 2, spec.dtype = dtype, spec.energy = logit, spec.parameters = p, spec.parameter_count = 2;
    spec.given = 1, spec.labels = (double[]){0, 0.7}, spec.label_count = 2;
    OK(ebm_model_new(&spec, &model, ERROR));
    spec.labels = NULL;
    ebm_model *none;
    FAILS(GIBBS_ARGUMENT, "2 labels, and no list", ebm_model_new(&spec, &none, FAIL));
    return model;
}

/* Species numbered 1 and 2, labels 0 and 0.7. */
Test(rows_refused, labels_that_the_model_does_not_have)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        ebm_model *model = label_model((gibbs_dtype)dtype);
        double *x = normals(2 * ROWS, 0, 1, 3);
        for (int r = 0; r < ROWS; r++) x[2 * r + 1] = r % 3 ? 0 : 0.7;
        ebm_data data = table(x, ROWS, 2);
        ebm_fit_options o = {0};
        o.loss = &ebm_loss_conditional_ml, o.steps = 2;
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
        x[2 * 7 + 1] = 1;
        FAILS(GIBBS_DATA, "none of the model's 2 labels (column 2 is 1) (row 8", ebm_fit(model, &data, &o, NULL, FAIL));
        ebm_model_free(model);
        free(x);
    }
}

/* ---- A box that rows lie outside of, and one that cuts the density off ---- */

Test(rows_refused, a_box_must_hold_the_rows_and_the_density)
{
    double *x = normals(ROWS, 2, 1, 4);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model;
    ebm_points points;
    ebm_fit_report report;
    ebm_fit_options o = {0};
    OK(ebm_model_gaussian(1, GIBBS_FLOAT32, NULL, &model, ERROR));
    o.loss = &ebm_loss_exact_ml, o.lbfgs = 1, o.loss_options.points = &points;
    ebm_box box = ebm_box_around(&data, 1);
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(report.edge < 0.01, "%g", report.edge);
    ebm_fit_report_free(&report), ebm_points_free(&points);
    box = ebm_box_around(&data, 0);
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(report.edge > 0.01, "rows on the edge: %g", report.edge);
    ebm_uncertainty sure;
    FAILS(GIBBS_NUMERIC, "at the edge of the box", ebm_standard_errors(model, &data, &o, &sure, FAIL));
    ebm_fit_report_free(&report);
    x[3] = box.high[0] + 0.5;
    FAILS(GIBBS_DATA, "outside of options.points", ebm_fit(model, &data, &o, NULL, FAIL));
    points.kind = EBM_POINTS_LISTED; /* nobody knows where there could be more */
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(isnan(report.edge));
    ebm_fit_report_free(&report), ebm_points_free(&points), ebm_model_free(model);
    free(x);
}

/* ---- Losses of a user's own whose points are made of whole rows ---- */

static ad_var record_mean(ebm_graph *g) { return ad_batch_mean(g->data, ebm_graph_energy(g, g->x)); }

Test(rows_refused, points_of_whole_rows)
{
    static const ebm_noise kinds[] = {EBM_NOISE_LAST, EBM_NOISE_PAIRS};
    ebm_model *model = label_model(GIBBS_FLOAT64);
    for (int k = 0; k < COUNT(kinds); k++) {
        const ebm_loss loss = {.name = "mine", .record = record_mean, .noise = kinds[k], .sampler = &ebm_ula};
        ebm_objective *o;
        FAILS(GIBBS_ARGUMENT, "compares whole rows", ebm_objective_new(model, &loss, NULL, &o, FAIL));
    }
    ebm_model_free(model);
}

/* ---- The other rows of a batch are those of the batch that is bound ---- */

static double loss_of(ebm_objective *o, uint64_t step)
{
    OK(ebm_objective_refresh(o, 1, step, ERROR));
    return value_of(o);
}

Test(rows_refused, other_rows_are_those_that_are_bound)
{
    ebm_model *model = label_model(GIBBS_FLOAT64);
    double *x = normals(4 * ROWS, 0, 1, 6), value;
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_batch_ranking_nce, NULL, &o, ERROR));
    OK(ebm_objective_bind(o, x, ROWS, ERROR));
    double first = loss_of(o, 0);
    OK(ebm_objective_bind(o, x + 2 * ROWS, ROWS, ERROR));
    FAILS(GIBBS_UNBOUND, "refresh after binding", ebm_objective_evaluate(o, &value, FAIL));
    double second = loss_of(o, 0);
    cr_expect(fabs(first - second) > 1e-6);
    memcpy(x + 2 * ROWS, x, 2 * ROWS * sizeof *x); /* in place */
    cr_expect_eq(loss_of(o, 0), first);
    ebm_objective_free(o), ebm_model_free(model);
    free(x);
}

/* ---- The row of an artificial point ---- */

/* (y − x)²/2, and NaN where x = 5 and y is large. */
static ad_var breaks(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_at(row, 0), y = ad_at(row, 1), at = ad_mul(ad_less(ad_shift(ad_neg(x), 4.9), ad_scale(x, 0)), y);
    ad_var hole = ad_log(ad_shift(ad_neg(ad_max(at, ad_scale(at, 0))), 100));
    return ad_mul(theta[0], ad_add(ad_scale(ad_square(ad_sub(y, x)), 0.5), ad_scale(hole, 1e-9)));
}

Test(rows_refused, artificial_points_have_the_row_of_their_data)
{
    static const ebm_parameter p = {"k", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {0};
    ebm_model *model;
    ebm_points points;
    ebm_fit_options o = {0};
    double *x = normals(2 * ROWS, 0, 1, 8);
    ebm_data data = table(x, ROWS, 2);
    gibbs_error error = {0};
    spec.dim = 2, spec.energy = breaks, spec.parameters = &p, spec.parameter_count = 1;
    spec.given = 1;
    OK(ebm_model_new(&spec, &model, ERROR));
    OK(ebm_points_box(1, &(ebm_box){{-20}, {120}, 300, 0}, NULL, &points, ERROR));
    x[2 * 17] = 5;
    o.loss = &ebm_loss_exact_ml, o.steps = 1, o.loss_options.points = &points;
    cr_expect_eq(ebm_fit(model, &data, &o, NULL, &error), GIBBS_NUMERIC);
    cr_expect(error.row == 17 && strstr(error.message, "(row 18 of the table)"), "row %d: %s", (int)error.row,
              error.message);
    ebm_points_free(&points), ebm_model_free(model);
    free(x);
}

/* ---- What the loss does not see has no standard error ---- */

Test(rows_refused, a_proposal_that_never_meets_the_data)
{
    double *x = normals(ROWS, 2, 1, 9), mean = 90, sd = 0.1;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model;
    ebm_proposal *q;
    ebm_uncertainty u;
    ebm_fit_options o = {0};
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    OK(ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &q, ERROR));
    o.loss = &ebm_loss_nce, o.loss_options.proposal = q;
    gibbs_status status = ebm_standard_errors(model, &data, &o, &u, NULL);
    cr_expect_eq(status, GIBBS_NUMERIC);
    ebm_proposal_free(q), ebm_model_free(model);
    free(x);
}
