/* gibbs_error.row: a sentence about a row has its number in it, from 0; others have −1. And NaN is told without
 * a sign. */
#include "objective_helpers.h"

#include "base/base.h"

#include <stdio.h>
#include <unistd.h>

static gibbs_error error;

static void expect_row(gibbs_status status, gibbs_status expected, int64_t row, const char *part, int line)
{
    cr_expect(status == expected && error.status == expected, "line %d: status %d", line, status);
    cr_expect(error.row == row, "line %d: row %d, not %d: %s", line, (int)error.row, (int)row, error.message);
    cr_expect(strstr(error.message, part), "line %d: «%s» lacks «%s»", line, error.message, part);
    error = (gibbs_error){GIBBS_OK, "", 77, 77};
}
#define ROW_IN(expected, row, part, call) expect_row(call, expected, row, part, __LINE__)

static double bad[] = {1, 2, 3, -NAN}; /* two rows of two columns */

Test(error_rows, tables)
{
    ebm_data data = table(bad, 2, 2), out, held;
    double fine[] = {0, 1, 2, 5}, scale[] = {1, 1};
    ROW_IN(GIBBS_DATA, 1, "row 2, column 2 is NaN", ebm_data_check(&data, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2, column 2 is NaN", ebm_data_from(bad, 2, 2, NULL, &out, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_data_standardise(&data, NULL, NULL, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_data_apply_scale(&data, scale, scale, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_data_split(&data, 0.5, 1, &out, &held, NULL, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2, column 2 is NaN", ebm_data_one_hot(&data, 0, 4, &out, &error));
    data = table(fine, 2, 2);
    ROW_IN(GIBBS_DATA, 1, "row 2, column 2 is 5", ebm_data_one_hot(&data, 1, 3, &out, &error));
    ROW_IN(GIBBS_DATA, 2, "row 3", ebm_data_parse_csv("a,b\n1,2\n3,4\n5,inf\n", 18, "t", NULL, &out, &error));
    data.rows = 0;
    ROW_IN(GIBBS_DATA, -1, "empty", ebm_data_check(&data, &error));
}

Test(error_rows, points_of_a_model)
{
    ebm_model *model, *narrow;
    double E[2], far[] = {0, 1e300}, log_z;
    ebm_data data = table(bad, 2, 2);
    const ebm_fit_options fit = {.loss = &ebm_loss_nce};
    ebm_uncertainty u;
    ebm_ksd ksd;
    OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &model, ERROR));
    OK(ebm_model_gaussian(1, GIBBS_FLOAT32, NULL, &narrow, ERROR));
    ROW_IN(GIBBS_DATA, 1, "x: nan at row 2, column 2", ebm_model_energy(model, bad, 2, E, NULL, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_model_energy(narrow, far, 2, E, NULL, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_mean_log_likelihood(model, &data, 0, &log_z, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_fit(model, &data, &fit, NULL, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_standard_errors(model, &data, &fit, &u, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_ksd_test(model, &data, NULL, &ksd, &error));
    ROW_IN(GIBBS_DATA, 1, "row 2", ebm_median_distance(&data, &log_z, &error));
    ROW_IN(GIBBS_ARGUMENT, -1, "0 rows", ebm_model_energy(model, bad, 0, E, NULL, &error));
    ebm_model_free(model), ebm_model_free(narrow);
}

static ad_var half_line(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_neg(ad_sum(ad_log(x)));
}

Test(error_rows, energies_weights_and_starts)
{
    ebm_model *model = model_of(1, NULL, 0, half_line, GIBBS_FLOAT64);
    double x[] = {1, 2, -1}, weight[] = {1, 2, -3}, value, low[] = {1, 0}, p[] = {0, 1, 2};
    int64_t index[1];
    ebm_data data = table(x, 3, 1), labels = table(p, 3, 1);
    ebm_proposal *q;
    ROW_IN(GIBBS_NUMERIC, 2, "E is NaN at row 3", ebm_mean_log_likelihood(model, &data, 0, &value, &error));
    ROW_IN(GIBBS_DATA, 2, "row 3", ebm_resample(weight, 3, 1, 0, 1, NULL, index, &error));
    ROW_IN(GIBBS_DATA, 2, "row 3", ebm_proposal_bernoulli_fit(&labels, 0, 1, 1, NULL, &q, &error));
    ROW_IN(GIBBS_NUMERIC, 1, "state 1",
           ebm_enumerate(model, &(ebm_space){.variables = 1, .values = (double[]){1, -1}}, &value, NULL, &error));
    OK(ebm_proposal_gaussian_diagonal(1, low + 1, low, NULL, &q, ERROR));
    ROW_IN(GIBBS_DATA, 1, "nan at row 2",
           ebm_proposal_log_density(q, (double[]){0, -NAN}, 2, NULL, &value, &error));
    ebm_proposal_free(q);
    ebm_model_free(model);
}

/* options.points, filled in by hand. */
Test(error_rows, points_of_a_space)
{
    double x[] = {0, 1, -NAN}, log_weight[] = {0, -INFINITY, 0};
    ebm_points points = {.rows = 3, .dim = 1, .x = x, .log_weight = log_weight};
    ebm_loss_options options = {0};
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    options.points = &points;
    ROW_IN(GIBBS_DATA, 2, "nan at row 3", ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, &error));
    x[2] = 2, log_weight[2] = INFINITY;
    ROW_IN(GIBBS_DATA, 2, "point 3 is inf", ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, &error));
    log_weight[2] = NAN;
    ROW_IN(GIBBS_DATA, 2, "point 3 is nan", ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, &error));
    log_weight[2] = 0;
    OK(ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, ERROR));
    ebm_objective_free(o);
    ebm_model_free(model);
}

Test(error_rows, no_sign_of_nan)
{
    gibbs_fail(&error, GIBBS_DATA, "%g (%g, %g) -nan %s of x-nan-y", -NAN, NAN, -NAN, "'-nan.csv'");
    cr_expect_str_eq(error.message, "nan (nan, nan) nan '-nan.csv' of x-nan-y");
    gibbs_fail(&error, GIBBS_DATA, "%g, %g", -INFINITY, -1.0);
    cr_expect_str_eq(error.message, "-inf, -1", "signs of other numbers stay");
}

/* ---- Nothing to write, nothing to copy ---- */

Test(error_rows, empty_tables_are_not_written)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/gibbs-empty-%ld", (long)getpid());
    ebm_data none = {0}, flat = {.rows = 3, .cols = 0};
    ROW_IN(GIBBS_DATA, -1, "0 rows, 0 columns", ebm_data_write_csv(path, &none, &error));
    ROW_IN(GIBBS_DATA, -1, "0 rows, 0 columns", ebm_data_write_npy(path, &none, &error));
    ROW_IN(GIBBS_DATA, -1, "3 rows, 0 columns", ebm_data_write_npy(path, &flat, &error));
    cr_expect(access(path, F_OK) != 0, "no file is left");
}

Test(error_rows, chains_that_are_nowhere)
{
    ebm_model *model = energies[PRECISION].make();
    const ebm_chain_options options = {0};
    ebm_chains *chains;
    double x = 7;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    ebm_chains_get(chains, &x); /* of no rows: nothing (and no memcpy from NULL, which UBSan would report) */
    cr_expect(x == 7 && ebm_chains_rows(chains) == 0);
    ebm_chains_free(chains);
    ebm_model_free(model);
}
