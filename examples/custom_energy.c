/* custom_energy.c — an energy of your own, fitted to the first column of your table. */
#include <gibbs/ebm.h>
#include <stdio.h>
#include <stdlib.h>

/* E(x) = a x² + b exp(−x²): a bowl with a bump in its middle, so two wells where b > a > 0. Write yours here! */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    ad_var square = ad_square(ad_at(x, 0));
    (void)context;
    return ad_add(ad_mul(theta[0], square), ad_mul(theta[1], ad_exp(ad_neg(square))));
}

static void check(gibbs_status status, const gibbs_error *error)
{
    if (status == GIBBS_OK) return;
    fprintf(stderr, "custom_energy: %s\n", error->message);
    exit(1);
}

int main(int argc, char **argv)
{
    gibbs_error error = {GIBBS_ARGUMENT, "usage: custom_energy FILE.csv", -1, -1};
    ebm_parameter parameters[] = {{"a", ad_scalar(), EBM_INIT_CONSTANT, 1}, {"b", ad_scalar(), EBM_INIT_CONSTANT, 0}};
    ebm_model_spec spec = {.dim = 1, .parameters = parameters, .parameter_count = 2, .energy = energy};
    ebm_fit_options fit = {.loss = &ebm_loss_score_matching, .lbfgs = 1};
    ebm_data table, data;
    ebm_model *model;
    ebm_fit_report report;
    ebm_uncertainty sure;
    ebm_quadrature z;
    double mean, sd, theta[2], draws[1000], at = 1, E;

    check(argc == 2 && argv[1][0] != '-' ? GIBBS_OK : GIBBS_ARGUMENT, &error);
    check(ebm_data_read(argv[1], NULL, &table, &error), &error);
    check(ebm_data_columns(&table, (int64_t[]){0}, 1, &data, &error), &error);
    check(ebm_data_standardise(&data, &mean, &sd, &error), &error);
    printf("%lld rows, x = (column 1 - %.10g)/%.10g\n", (long long)data.rows, mean, sd);
    check(ebm_model_new(&spec, &model, &error), &error);
    check(ebm_fit(model, &data, &fit, &report, &error), &error);
    for (int k = 0; k < report.note_count; k++) printf("%s\n", report.note[k].text);
    check(ebm_standard_errors(model, &data, &fit, &sure, &error), &error);
    ebm_model_get(model, theta);
    printf("a = %.3f +- %.3f, b = %.3f +- %.3f\n", theta[0], sure.standard_error[0], theta[1], sure.standard_error[1]);
    check(ebm_integrate(model, (ebm_box[]){ebm_box_around(&data, 1)}, &z, &error), &error);
    printf("log Z = %.3f, %s\n", z.log_z, ebm_verdict_text(z.verdict));
    if (z.verdict == EBM_NOT_NORMALISABLE) exit(1);
    check(ebm_model_draw(model, &data, 1000, NULL, draws, NULL, &error), &error);
    printf("draws: %.10g, %.10g, %.10g, ...\n", mean + sd * draws[0], mean + sd * draws[1], mean + sd * draws[2]);
    check(ebm_model_save(model, "custom_energy.safetensors", &error), &error);
    check(ebm_model_load(model, "custom_energy.safetensors", &error), &error);
    check(ebm_model_energy(model, &at, 1, &E, NULL, &error), &error);
    printf("E(%g) = %.3f\n", at, E);
    ebm_fit_report_free(&report);
    ebm_uncertainty_free(&sure);
    ebm_model_free(model);
    ebm_data_free(&data);
    ebm_data_free(&table);
    return fflush(stdout) ? 1 : 0;
}
