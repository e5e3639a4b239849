/* A deterministic fit is right or says that it has not converged, whatever the units of x, θ and E: against closed
 * forms and minima that are found here, and on losses without a minimum. */
#include "ebm/objective_helpers.h"

enum { ROWS = 400, MANY = 600 };

static ebm_fit_report fit(ebm_model *model, const ebm_data *data, const ebm_loss *loss, const ebm_fit_options *options)
{
    ebm_fit_options o = options ? *options : (ebm_fit_options){0};
    ebm_fit_report report;
    o.loss = loss;
    o.lbfgs = 1;
    OK(ebm_fit(model, data, &o, &report, ERROR));
    ebm_fit_report_free(&report);
    return report;
}

/* ---- Units ---- */

static ad_var exponential_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_exp(theta[0]), ad_scale(ad_sum(ad_square(x)), 0.5));
}

/* ½t x² and ½eᵗ x² have t, eᵗ = 1/m₂ at the minimum of score matching, for x of any unit. */
Test(converged, data_of_any_unit)
{
    static const double row[] = {1, 2, -1, 3};
    for (int k = 0; k < 2; k++)
        for (double unit = 1e-9; unit < 1e4; unit *= 10) {
            double x[4], m2 = 3.75 * unit * unit, theta;
            ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, k ? 0 : 1};
            ebm_model *model = model_of(1, &p, 1, k ? exponential_graph : precision_graph, GIBBS_FLOAT64);
            for (int i = 0; i < 4; i++) x[i] = unit * row[i];
            ebm_data data = table(x, 4, 1);
            ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, NULL);
            ebm_model_get(model, &theta);
            cr_expect(report.converged && report.newton < 1e-5, "unit %g: %g", unit, report.newton);
            expect_close((k ? exp(theta) : theta) * m2, 1, 1e-7, "t");
            ebm_model_free(model);
        }
}

static ad_var location_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_logcosh(ad_sub(x, theta[0])));
}

/* mean ½tanh² − sech² of x − t, whose slope is mean −3 tanh sech². */
static double location_slope(const double *x, int64_t rows, int64_t stride, double t)
{
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
        double u = tanh(x[r * stride] - t);
        sum -= 3 * u * (1 - u * u) / (double)rows;
    }
    return sum;
}

static double location(const double *x, int64_t rows, int64_t stride, double low, double high)
{
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (low + high);
        if (location_slope(x, rows, stride, middle) < 0) low = middle;
        else high = middle;
    }
    return low;
}

Test(converged, data_far_from_0)
{
    for (double offset = 0; offset < 2e7; offset = offset > 0 ? offset * 100 : 1e3) {
        double *x = normals(ROWS, 0, 1, 3), expected = location(x, ROWS, 1, -1, 1), t;
        ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, offset + 0.4};
        ebm_model *model = model_of(1, &p, 1, location_graph, GIBBS_FLOAT64);
        for (int i = 0; i < ROWS; i++) x[i] += offset;
        ebm_data data = table(x, ROWS, 1);
        ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, NULL);
        ebm_model_get(model, &t);
        cr_expect(report.converged, "%g: %g", offset, report.newton);
        cr_expect_float_eq(t - offset, expected, 1e-7 + 1e-14 * offset, "%g: %g", offset, t - offset - expected);
        ebm_model_free(model);
        free(x);
    }
}

/* From precision 1 and mean 0: E = ½λ(x − μ)², which is not convex in both. */
Test(converged, a_gaussian_far_from_0)
{
    static const double mean[] = {0, 1e3, 1e6}, sd[] = {1, 1e-4, 1e3};
    for (int k = 0; k < 9; k++) {
        double *x = normals(ROWS, mean[k / 3] * sd[k % 3], sd[k % 3], 5), m = 0, v = 0, at[2];
        for (int i = 0; i < ROWS; i++) m += x[i] / ROWS;
        for (int i = 0; i < ROWS; i++) v += (x[i] - m) * (x[i] - m) / ROWS;
        ebm_model *model;
        ebm_data data = table(x, ROWS, 1);
        OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
        ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, NULL);
        OK(ebm_model_value(model, "mean", &at[0], ERROR));
        OK(ebm_model_value(model, "precision", &at[1], ERROR));
        bool right = fabs((at[0] - m) / sqrt(v)) < 1e-6 && fabs(at[1] * v - 1) < 1e-6;
        cr_expect(right && report.converged, "mean %g sd %g: %g, %g", mean[k / 3], sd[k % 3], at[0], at[1] * v);
        ebm_model_free(model);
        free(x);
    }
}

/* ---- Logistic regression ---- */

/* Newton's method for P(y = 1) = σ(b + Wz), from 0. */
static void regress(const double *row, int64_t rows, double at[2])
{
    at[0] = at[1] = 0;
    for (int step = 0; step < 30; step++) {
        double g[2] = {0}, h[3] = {0};
        for (int64_t r = 0; r < rows; r++) {
            double z = row[2 * r], p = 1 / (1 + exp(-at[1] - at[0] * z)), w = p * (1 - p), rest = p - row[2 * r + 1];
            g[0] += rest * z, g[1] += rest, h[0] += w * z * z, h[1] += w * z, h[2] += w;
        }
        double det = h[0] * h[2] - h[1] * h[1];
        at[0] -= (h[2] * g[0] - h[1] * g[1]) / det;
        at[1] -= (h[0] * g[1] - h[1] * g[0]) / det;
    }
}

static void draw_labels(double *row, double unit, double offset)
{
    double *z = normals(2 * ROWS, 0, 1, 11);
    for (int i = 0; i < ROWS; i++) {
        row[2 * i] = unit * (z[2 * i] + offset);
        row[2 * i + 1] = 1.5 * z[2 * i] + 0.5 + 1.7 * z[2 * i + 1] > 0;
    }
    free(z);
}

static ebm_fit_report logistic(const double *row, gibbs_dtype dtype, double *W, double *b)
{
    ebm_regression_spec spec = {.response = EBM_LOGISTIC, .given = 1, .dtype = dtype};
    ebm_model *model;
    ebm_data data = table((double *)row, ROWS, 2);
    OK(ebm_model_regression(&spec, &model, ERROR));
    ebm_fit_report report = fit(model, &data, &ebm_loss_conditional_ml, NULL);
    OK(ebm_model_value(model, "W", W, ERROR));
    OK(ebm_model_value(model, "b", b, ERROR));
    ebm_model_free(model);
    return report;
}

Test(converged, a_covariate_of_any_unit)
{
    double row[2 * ROWS], expected[2], W, b;
    draw_labels(row, 1, 0);
    regress(row, ROWS, expected);
    for (int dtype = 0; dtype < 2; dtype++)
        for (double unit = dtype ? 1e-3 : 1e-8; unit < (dtype ? 1e4 : 1e7); unit *= 10) {
            draw_labels(row, unit, 0);
            ebm_fit_report report = logistic(row, dtype ? GIBBS_FLOAT32 : GIBBS_FLOAT64, &W, &b);
            cr_expect(report.converged, "unit %g: %g", unit, report.newton);
            expect_close(W * unit, expected[0], dtype ? 1e-5 : 1e-8, "W");
            expect_close(b, expected[1], dtype ? 1e-5 : 1e-8, "b");
        }
}

Test(converged, a_covariate_far_from_0)
{
    double row[2 * ROWS], expected[2], W, b;
    draw_labels(row, 1, 0);
    regress(row, ROWS, expected);
    for (double offset = 10; offset < 1e5; offset *= 10) {
        draw_labels(row, 1, offset);
        ebm_fit_report report = logistic(row, GIBBS_FLOAT64, &W, &b);
        cr_expect(report.converged, "offset %g: %g", offset, report.newton);
        expect_close(W, expected[0], 1e-6, "W");
        expect_close(b + W * offset, expected[1], 1e-6, "b");
    }
}

/* ---- No minimum ---- */

/* Where the sign of z tells y, W grows without end; one label changed, and there is a minimum. */
Test(converged, separated_data_run_away)
{
    double row[2 * ROWS], W, b;
    draw_labels(row, 1, 0);
    for (int i = 0; i < ROWS; i++) row[2 * i + 1] = row[2 * i] > 0;
    ebm_fit_report report = logistic(row, GIBBS_FLOAT64, &W, &b);
    cr_expect(!report.converged, "W %g, newton %g", W, report.newton);
    row[1] = !row[1];
    report = logistic(row, GIBBS_FLOAT64, &W, &b);
    cr_expect(report.converged && fabs(W) < 100, "W %g, newton %g", W, report.newton);
}

/* A group of rows that are all of one label: its effect runs away, and the other parameter has its minimum. A start far
 * out, where neither slope nor curvature is left, is no minimum either. */
static ad_var group_graph(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var eta = ad_add(ad_mul(theta[0], ad_at(row, 0)), ad_mul(theta[1], ad_at(row, 1)));
    return ad_neg(ad_mul(eta, ad_at(row, 2)));
}

Test(converged, one_parameter_that_runs_away)
{
    static const double labels[] = {0, 1};
    double row[3 * ROWS], *z = normals(2 * ROWS, 0, 1, 12);
    for (int overlap = 0; overlap < 2; overlap++)
        for (double start = 0; start < 100; start += 33) {
            ebm_parameter p[] = {{"W", ad_scalar(), EBM_INIT_CONSTANT, 0},
                                 {"group", ad_scalar(), EBM_INIT_CONSTANT, start}};
            ebm_model_spec spec = {.dim = 3, .given = 2, .parameters = p, .parameter_count = 2, .energy = group_graph,
                                   .labels = labels, .label_count = 2};
            ebm_model *model;
            ebm_data data = table(row, ROWS, 3);
            for (int i = 0; i < ROWS; i++) {
                row[3 * i] = z[2 * i];
                row[3 * i + 1] = i % 10 == 0;
                row[3 * i + 2] = i % 10 == 0 ? !(overlap && i < 50) : z[2 * i] + z[2 * i + 1] > 0;
            }
            OK(ebm_model_new(&spec, &model, ERROR));
            ebm_fit_report report = fit(model, &data, &ebm_loss_conditional_ml, NULL);
            double group;
            OK(ebm_model_value(model, "group", &group, ERROR));
            bool right = overlap ? report.converged && group < 5 : !report.converged;
            cr_expect(right, "overlap %d, from %g: %g, newton %g", overlap, start, group, report.newton);
            ebm_model_free(model);
        }
    free(z);
}

/* An Ising model of columns of which one never changes, by two losses: its field runs away. */
Test(converged, a_column_that_never_changes)
{
    enum { D = 3, N = 60 };
    double x[N * D];
    ebm_points points;
    ebm_space space = {.variables = D};
    OK(ebm_points_space(&space, NULL, &points, ERROR));
    for (int constant = 0; constant < 3; constant++)
        for (int k = 0; k < 2; k++) {
            ebm_mrf_spec spec = {.space = space};
            ebm_fit_options o = {.loss_options.points = k ? &points : NULL};
            ebm_model *model;
            for (int i = 0; i < N * D; i++)
                x[i] = constant == 2 || (constant && i % D == 0) || (i / D * 7 >> i % D) % 2;
            ebm_data data = table(x, N, D);
            OK(ebm_model_ising(&spec, &model, ERROR));
            ebm_fit_report report = fit(model, &data, k ? &ebm_loss_exact_ml : &ebm_loss_pseudo_likelihood, &o);
            cr_expect_eq(report.converged, !constant, "%d, %d: newton %g", constant, k, report.newton);
            ebm_model_free(model);
        }
    ebm_points_free(&points);
}

/* a(x² − b)² is affine in (a, ab), so that its score matching has a closed form. */
static ad_var wells_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(ad_square(ad_sub(ad_square(x), theta[1]))));
}

/* E = au − vw, u = x⁴, w = 2x², v = ab: H and right-hand side from u′ = 4x³, w′ = 4x, u″ = 12x², w″ = 4. */
Test(converged, double_well_from_afar)
{
    double x[ROWS], h[3] = {0}, r[2] = {0}, at[2], start[] = {0.1, 5};
    for (int i = 0; i < ROWS; i++) {
        x[i] = (i % 2 ? -1 : 1) * (1.4 + 0.6 * (i / 2 - 99.5) / 100);
        double u = 4 * pow(x[i], 3), w = -4 * x[i];
        h[0] += u * u, h[1] += u * w, h[2] += w * w;
        r[0] += 12 * x[i] * x[i], r[1] -= 4;
    }
    double det = h[0] * h[2] - h[1] * h[1], a = (h[2] * r[0] - h[1] * r[1]) / det;
    double v = (h[0] * r[1] - h[1] * r[0]) / det;
    ebm_parameter p[] = {{"a", ad_scalar(), EBM_INIT_CONSTANT, 1}, {"b", ad_scalar(), EBM_INIT_CONSTANT, 2}};
    ebm_model *model = model_of(1, p, 2, wells_graph, GIBBS_FLOAT64);
    ebm_data data = table(x, ROWS, 1);
    ebm_model_set(model, start);
    ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, NULL);
    ebm_model_get(model, at);
    cr_expect(report.converged);
    expect_close(at[0], a, 1e-8, "a");
    expect_close(at[0] * at[1], v, 1e-8, "ab");
    ebm_model_free(model);
}

/* ---- One row, too few steps, many parameters, kinks ---- */

static ad_var count_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(theta[0], ad_sum(x)));
}

/* A network observed once: 20 of 120 edges. Rows do not differ, as there is one. */
Test(converged, one_row)
{
    double x[120] = {0}, theta;
    ebm_parameter p = {"edges", ad_scalar(), EBM_INIT_CONSTANT, -0.5};
    ebm_model *model = model_of(120, &p, 1, count_graph, GIBBS_FLOAT64);
    ebm_data data = table(x, 1, 120);
    for (int edges = 20; edges >= 0; edges -= 20) {
        for (int i = 0; i < 20; i++) x[6 * i] = edges > 0;
        ebm_fit_report report = fit(model, &data, &ebm_loss_pseudo_likelihood, NULL);
        ebm_model_get(model, &theta);
        cr_expect_eq(report.converged, edges > 0, "%d edges: newton %g", edges, report.newton);
        if (edges) expect_close(theta, -log(5), 1e-8, "edges");
    }
    ebm_model_free(model);
}

static ad_var locations_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_logcosh(ad_sub(x, theta[0])));
}

/* Beyond 500 parameters by products: 600 fits of one location in one. */
Test(converged, many_parameters)
{
    enum { N = 40 };
    double *x = normals(N * MANY, 0, 1, 9), *theta = malloc(MANY * sizeof *theta), most = 0;
    ebm_parameter p = {"t", ad_vec(MANY), EBM_INIT_CONSTANT, 0};
    ebm_model *model = model_of(MANY, &p, 1, locations_graph, GIBBS_FLOAT64);
    ebm_data data = table(x, N, MANY);
    ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, NULL);
    ebm_model_get(model, theta);
    for (int k = 0; k < MANY; k++) most = fmax(most, fabs(theta[k] - location(x + k, N, MANY, -1, 1)));
    cr_expect(report.converged && most < 1e-5, "%d, newton %g, off by %g", report.converged, report.newton, most);
    ebm_model_set(model, x);
    ebm_fit_options short_of = {.steps = 2};
    report = fit(model, &data, &ebm_loss_score_matching, &short_of);
    cr_expect(!report.converged && report.steps == 2);
    ebm_model_free(model);
    free(theta);
    free(x);
}

static ad_var kink_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_abs(theta[0]), ad_scale(ad_sum(ad_square(x)), 0.5));
}

/* A kink of θ has no Hessian that can be asked for, though there is none near the minimum. */
Test(converged, kinks_and_few_steps)
{
    double *x = normals(ROWS, 0, 2, 2), m2 = 0, theta;
    ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, 3};
    ebm_data data = table(x, ROWS, 1);
    for (int i = 0; i < ROWS; i++) m2 += x[i] * x[i] / ROWS;
    for (int few = 0; few < 2; few++) {
        ebm_model *model = model_of(1, &p, 1, few ? exponential_graph : kink_graph, GIBBS_FLOAT64);
        ebm_fit_options o = {.steps = few ? 1 : 0};
        ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, &o);
        ebm_model_get(model, &theta);
        cr_expect_eq(report.converged, !few, "newton %g", report.newton);
        if (!few) expect_close(theta, 1 / m2, 1e-6, "t");
        ebm_model_free(model);
    }
    free(x);
}

/* The tolerance is of the distance in standard errors. */
Test(converged, as_near_as_told)
{
    double *x = normals(ROWS, 0, 1, 3);
    ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, 0.4};
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = model_of(1, &p, 1, location_graph, GIBBS_FLOAT64);
    for (int loose = 0; loose < 2; loose++) {
        ebm_fit_options o = {.tolerance = loose ? 100 : 0, .steps = 1};
        ebm_model_set(model, &p.scale);
        ebm_fit_report report = fit(model, &data, &ebm_loss_score_matching, &o);
        cr_expect_eq(report.converged, loose, "%g", report.newton);
    }
    ebm_model_free(model);
    free(x);
}

static ad_var total_precision_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_sum(theta[0]), ad_scale(ad_sum(ad_square(x)), 0.5));
}

/* ---- The method where none is named ---- */

typedef struct named {
    const char *what;
    const ebm_loss *loss;
    ebm_fit_options options;
    int64_t dim;
    bool by_lbfgs;
} named;

Test(converged, the_method_where_none_is_named)
{
    static const named cases[] = {
        {"all by default", &ebm_loss_score_matching, {0}, 1, true},
        {"all rows", &ebm_loss_score_matching, {.batch = 40}, 1, true},
        {"500 parameters", &ebm_loss_score_matching, {0}, 500, true},
        {"drawn once", &ebm_loss_nce, {.loss_options.redraw = EBM_REDRAW_NEVER}, 1, true},
        {"Adam", &ebm_loss_score_matching, {.optimizer = &ebm_adam}, 1, false},
        {"batches", &ebm_loss_score_matching, {.batch = 39}, 1, false},
        {"validation", &ebm_loss_score_matching, {.validation_fraction = 0.2}, 1, false},
        {"average", &ebm_loss_score_matching, {.average = 0.9}, 1, false},
        {"501 parameters", &ebm_loss_score_matching, {0}, 501, false},
        {"drawn each step", &ebm_loss_nce, {0}, 1, false},
        {"chains", &ebm_loss_cd, {0}, 1, false},
    };
    double *x = normals(40, 0, 1, 4);
    ebm_data data = table(x, 40, 1);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const named *c = &cases[k];
        ebm_parameter p = {"lambda", ad_vec(c->dim), EBM_INIT_CONSTANT, 1 / (double)c->dim};
        ebm_model *model = model_of(1, &p, 1, total_precision_graph, GIBBS_FLOAT64);
        ebm_fit_options o = c->options;
        ebm_fit_report report;
        o.loss = c->loss;
        o.steps = 20;
        OK(ebm_fit(model, &data, &o, &report, ERROR));
        cr_expect_eq(report.converged, c->by_lbfgs, "%s: newton %g", c->what, report.newton);
        ebm_fit_report_free(&report);
        ebm_model_free(model);
    }
    free(x);
}
