/* The summary of a fit: its numbers in every format, names that need quotes, AIC by its formula, what is not known. */
#include "objective_helpers.h"
#include "support/alloc.h"

#include <stdio.h>

enum { ROWS = 200 };

static double after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    double v = NAN;
    if (at) sscanf(at + strlen(name), "%lf", &v);
    return v;
}

typedef struct fitted {
    ebm_model *model;
    ebm_data data;
    ebm_points points;
    ebm_fit_options fit;
    ebm_fit_report report;
    ebm_uncertainty u;
    double *x;
} fitted;

static void finish(fitted *f, const ebm_points *points)
{
    f->fit.loss_options.points = points;
    OK(ebm_fit(f->model, &f->data, &f->fit, &f->report, ERROR));
    OK(ebm_standard_errors(f->model, &f->data, &f->fit, &f->u, ERROR));
}

static void let_go(fitted *f)
{
    ebm_fit_report_free(&f->report);
    ebm_uncertainty_free(&f->u);
    ebm_points_free(&f->points);
    ebm_model_free(f->model);
    free(f->x);
}

static char *summary_of(const fitted *f, ebm_summary_format format)
{
    char *text;
    const ebm_summary_options o = {.format = format, .fit = &f->fit, .report = &f->report, .uncertainty = &f->u,
                                   .data = &f->data};
    OK(ebm_summary(f->model, &o, &text, ERROR));
    return text;
}

/* mean (x − m)² = v: ℓ = −N/2 (1 + log 2πv), AIC = 4 − 2ℓ. */
Test(summary, numbers_in_every_format)
{
    fitted f = {.x = normals(ROWS, 0.7, 2, 3)};
    double mean = 0, v = 0, theta[2], e, se, low, high, noise;
    f.data = table(f.x, ROWS, 1);
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &f.model, ERROR));
    OK(ebm_points_box(1, &(ebm_box){{-12}, {14}, 400, 0}, NULL, &f.points, ERROR));
    f.fit = (ebm_fit_options){.loss = &ebm_loss_exact_ml, .lbfgs = 1};
    finish(&f, &f.points);
    ebm_model_get(f.model, theta);
    for (int r = 0; r < ROWS; r++) mean += f.x[r] / ROWS;
    for (int r = 0; r < ROWS; r++) v += (f.x[r] - mean) * (f.x[r] - mean) / ROWS;
    char *text = summary_of(&f, EBM_SUMMARY_TEXT), *csv = summary_of(&f, EBM_SUMMARY_CSV),
         *json = summary_of(&f, EBM_SUMMARY_JSON);
    cr_log_info("%s", text);
    cr_expect_float_eq(after(text, "\nAIC"), 4 + ROWS * (1 + log(2 * M_PI * v)), 1e-3, "%s", text);
    cr_expect_float_eq(after(json, "\"AIC\":"), 4 + ROWS * (1 + log(2 * M_PI * v)), 1e-4);
    cr_expect(strstr(text, "sandwich") && strstr(text, "exact-ml") && after(text, "\nrows") == ROWS);
    const char *line = strstr(csv, "\nprecision");
    cr_assert(line && !strncmp(csv, "parameter,estimate,standard_error,low,high,noise_error\n", 55), "%s", csv);
    cr_assert_eq(sscanf(strchr(line, ','), ",%lf,%lf,%lf,%lf,%lf", &e, &se, &low, &high, &noise), 5, "%s", line);
    cr_expect(e == theta[1] && se == f.u.standard_error[1] && noise == 0);
    cr_expect_float_eq(low, e - 1.959963984540054 * se, 1e-12);
    cr_expect_float_eq(high, e + 1.959963984540054 * se, 1e-12);
    const char *const parts[] = {"\"newton\":", "\"notes\":[", "\"Pareto k\":null"};
    for (int k = 0; k < 3; k++) cr_expect(strstr(json, parts[k]), "%s in %s", parts[k], json);
    char *all[] = {text, csv, json};
    for (int k = 0; k < 3; k++) ebm_summary_free(f.model, all[k]);
    ebm_summary_free(NULL, NULL);
    let_go(&f);
}

static ad_var plain(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_sum(ad_mul(ad_square(x), ad_add(ad_sum(theta[0]), theta[1])));
}

Test(summary, names_and_what_is_not_known)
{
    const ebm_parameter p[] = {{"a,\"b\"", ad_vec(2), EBM_INIT_CONSTANT, 0.5},
                               {"c", ad_scalar(), EBM_INIT_CONSTANT, 2}};
    ebm_model *model = model_of(1, p, 2, plain, GIBBS_FLOAT32);
    char *text;
    OK(ebm_summary(model, &(ebm_summary_options){.format = EBM_SUMMARY_CSV}, &text, ERROR));
    cr_expect_not_null(strstr(text, "\n\"a,\"\"b\"\"[1]\",0.5,,,,\n"), "%s", text);
    ebm_summary_free(model, text);
    OK(ebm_summary(model, &(ebm_summary_options){.format = EBM_SUMMARY_JSON}, &text, ERROR));
    cr_expect(strstr(text, "{\"name\":\"a,\\\"b\\\"[1]\",\"estimate\":0.5,\"standard_error\":null"), "%s", text);
    cr_expect_str_eq(text + strlen(text) - 3, "]}\n");
    ebm_summary_free(model, text);
    FAILS(GIBBS_ARGUMENT, "level is 1", ebm_summary(model, &(ebm_summary_options){.level = 1}, &text, FAIL));
    cr_expect_null(text);
    ebm_model_free(model);
}

/* Every allocation fails once. */
Test(summary, memory)
{
    for (int64_t at = 1, hit = 1; hit; at++) {
        counting_alloc count = {0};
        gibbs_allocator a = counting_allocator(&count);
        ebm_model *model;
        char *text;
        OK(ebm_model_gaussian(1, GIBBS_FLOAT64, &a, &model, ERROR));
        count.calls = 0, count.fail_at = at;
        gibbs_error error;
        gibbs_status status = ebm_summary(model, NULL, &text, &error);
        hit = count.failures > 0;
        cr_expect(status == (hit ? GIBBS_MEMORY : GIBBS_OK) && !text == (hit > 0));
        ebm_summary_free(model, text);
        ebm_model_free(model);
        cr_expect_eq(count.live, 0);
    }
}
