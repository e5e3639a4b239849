/* test_null.c — a required pointer that is NULL is an ARGUMENT error that names the function, never a crash: all public
 * functions of the energy layer that return a status, header by header; proposals and samplers: test_null_sampling.c.
 * The last test reads the headers, and both files: a function that is in neither fails it. */
#include "null_check.h"

static ebm_data data = {.rows = 2, .cols = 2, .x = x}, made, other;

Test(null, data_h)
{
    NULL_IN("read", ebm_data_read(NULL, NULL, &made, &error));
    NULL_IN("read", ebm_data_read("t.csv", NULL, NULL, &error));
    NULL_IN("parse", ebm_data_parse(NULL, 5, "t.csv", NULL, &made, &error));
    NULL_IN("parse", ebm_data_parse("1,2", 3, NULL, NULL, &made, &error));
    NULL_IN("parse", ebm_data_parse("1,2", 3, "t.csv", NULL, NULL, &error));
    NULL_IN("read", ebm_data_read_with(NULL, NULL, NULL, &made, NULL, &error));
    NULL_IN("read", ebm_data_read_with("t.csv", NULL, NULL, NULL, NULL, &error));
    NULL_IN("parse", ebm_data_parse_with(NULL, 5, "t.csv", NULL, NULL, &made, NULL, &error));
    NULL_IN("parse", ebm_data_parse_with("1,2", 3, NULL, NULL, NULL, &made, NULL, &error));
    NULL_IN("parse", ebm_data_parse_with("1,2", 3, "t.csv", NULL, NULL, NULL, NULL, &error));
    NULL_IN("read_csv", ebm_data_read_csv(NULL, NULL, &made, &error));
    NULL_IN("read_csv", ebm_data_read_csv("t.csv", NULL, NULL, &error));
    NULL_IN("parse_csv", ebm_data_parse_csv(NULL, 3, "t.csv", NULL, &made, &error));
    NULL_IN("parse_csv", ebm_data_parse_csv("1,2", 3, NULL, NULL, &made, &error));
    NULL_IN("parse_csv", ebm_data_parse_csv("1,2", 3, "t.csv", NULL, NULL, &error));
    NULL_IN("from", ebm_data_from(NULL, 2, 2, NULL, &made, &error));
    NULL_IN("from", ebm_data_from(x, 2, 2, NULL, NULL, &error));
    NULL_IN("weigh", ebm_data_weigh(NULL, x, EBM_WEIGHT_COUNTS, &error));
    NULL_IN("write_csv", ebm_data_write_csv(NULL, &data, &error));
    NULL_IN("write_csv", ebm_data_write_csv("t.csv", NULL, &error));
    NULL_IN("write_npy", ebm_data_write_npy(NULL, &data, &error));
    NULL_IN("write_npy", ebm_data_write_npy("t.npy", NULL, &error));
    NULL_IN("generate", ebm_data_generate(NULL, 1, 1, NULL, &made, &error));
    NULL_IN("generate", ebm_data_generate("moons", 1, 1, NULL, NULL, &error));
    NULL_IN("check", ebm_data_check(NULL, &error));
    NULL_IN("standardise", ebm_data_standardise(NULL, out, out, &error));
    NULL_IN("standardise", ebm_data_standardise_first(NULL, 1, out, out, &error));
    NULL_IN("apply_scale", ebm_data_apply_scale(NULL, x, x, &error));
    NULL_IN("apply_scale", ebm_data_apply_scale(&data, NULL, x, &error));
    NULL_IN("apply_scale", ebm_data_apply_scale(&data, x, NULL, &error));
    NULL_IN("split", ebm_data_split(NULL, 0.5, 1, &made, &other, NULL, &error));
    NULL_IN("split", ebm_data_split(&data, 0.5, 1, NULL, &other, NULL, &error));
    NULL_IN("split", ebm_data_split(&data, 0.5, 1, &made, NULL, NULL, &error));
    NULL_IN("columns", ebm_data_columns(NULL, (int64_t[]){0}, 1, &made, &error));
    NULL_IN("columns", ebm_data_columns(&data, NULL, 1, &made, &error));
    NULL_IN("columns", ebm_data_columns(&data, (int64_t[]){0}, 1, NULL, &error));
    NULL_IN("one_hot", ebm_data_one_hot(NULL, 0, 2, &made, &error));
    NULL_IN("one_hot", ebm_data_one_hot(&data, 0, 2, NULL, &error));
}

Test(null, tensors_of_data_h)
{
    const ebm_tensor tensor = {"a", GIBBS_FLOAT64, {0, {0}}, x};
    ebm_tensors tensors;
    NULL_IN("tensors_write", ebm_tensors_write(NULL, &tensor, 1, &error));
    NULL_IN("tensors_write", ebm_tensors_write("t.safetensors", NULL, 1, &error));
    NULL_IN("tensors_read", ebm_tensors_read(NULL, NULL, &tensors, &error));
    NULL_IN("tensors_read", ebm_tensors_read("t.safetensors", NULL, NULL, &error));
    cr_expect_null(ebm_tensors_find(NULL, "a"));
    cr_expect_null(ebm_tensors_find(&(ebm_tensors){.count = 1, .tensor = (ebm_tensor *)&tensor}, NULL));
}

Test(null, model_h)
{
    const ebm_model_spec spec = {0};
    ebm_model *model = gaussian(), *none;
    NULL_IN("model", ebm_model_new(NULL, &none, &error));
    NULL_IN("model", ebm_model_new(&spec, NULL, &error));
    NULL_IN("save", ebm_model_save(NULL, "t.safetensors", &error));
    NULL_IN("save", ebm_model_save(model, NULL, &error));
    NULL_IN("open", ebm_model_open(NULL, NULL, NULL, &model, &error));
    NULL_IN("open", ebm_model_open("t.safetensors", NULL, NULL, NULL, &error));
    NULL_IN("load", ebm_model_load(NULL, "t.safetensors", &error));
    NULL_IN("prior", ebm_model_prior(NULL, NULL, NULL, &error));
    NULL_IN("predict", ebm_predict(NULL, NULL, x, 1, out, NULL, NULL, &error));
    NULL_IN("predict", ebm_predict(model, NULL, NULL, 1, out, NULL, NULL, &error));
    NULL_IN("predict", ebm_predict(model, NULL, x, 1, NULL, NULL, NULL, &error));
    NULL_IN("load", ebm_model_load(model, NULL, &error));
    NULL_IN("model_value", ebm_model_value(NULL, "mean", out, &error));
    NULL_IN("model_value", ebm_model_value(model, NULL, out, &error));
    NULL_IN("model_value", ebm_model_value(model, "mean", NULL, &error));
    NULL_IN("energy", ebm_model_energy(NULL, x, 1, out, NULL, &error));
    NULL_IN("energy", ebm_model_energy(model, NULL, 1, out, NULL, &error));
    NULL_IN("energy", ebm_model_energy(model, x, 1, NULL, NULL, &error));
    ebm_model_free(model);
}

/* Specs with nothing in them: the place for the model is looked for first. */
Test(null, energy_h_places)
{
    ebm_model *part = gaussian();
    NULL_IN("gaussian", ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, NULL, &error));
    NULL_IN("gaussian_cholesky", ebm_model_gaussian_cholesky(1, GIBBS_FLOAT64, NULL, NULL, &error));
    NULL_IN("mlp", ebm_model_mlp(&(ebm_mlp_spec){0}, NULL, &error));
    NULL_IN("rbm", ebm_model_rbm(&(ebm_rbm_spec){0}, NULL, &error));
    NULL_IN("ising", ebm_model_ising(&(ebm_mrf_spec){.dtype = 0}, NULL, &error));
    NULL_IN("potts", ebm_model_potts(&(ebm_mrf_spec){.dtype = 0}, NULL, &error));
    NULL_IN("mrf", ebm_model_mrf(&(ebm_mrf_spec){.dtype = 0}, NULL, &error));
    NULL_IN("exponential", ebm_model_exponential(&(ebm_exponential_spec){0}, NULL, &error));
    NULL_IN("experts", ebm_model_experts(&(ebm_experts_spec){0}, NULL, &error));
    NULL_IN("sum", ebm_model_sum(&part, NULL, 1, NULL, &error));
    NULL_IN("tempered", ebm_model_tempered(part, 1, NULL, &error));
    NULL_IN("mixture", ebm_model_mixture(&part, 1, NULL, &error));
    NULL_IN("regression", ebm_model_regression(&(ebm_regression_spec){0}, NULL, &error));
    NULL_IN("chain crf", ebm_model_chain_crf(&(ebm_chain_crf_spec){0}, NULL, &error));
    NULL_IN("bilinear", ebm_model_bilinear(&(ebm_bilinear_spec){0}, NULL, &error));
    ebm_model_free(part);
}

Test(null, energy_h_specs)
{
    ebm_model *model, *parts[2] = {NULL, NULL};
    NULL_IN("mlp", ebm_model_mlp(NULL, &model, &error));
    NULL_IN("rbm", ebm_model_rbm(NULL, &model, &error));
    NULL_IN("ising", ebm_model_ising(NULL, &model, &error));
    NULL_IN("potts", ebm_model_potts(NULL, &model, &error));
    NULL_IN("mrf", ebm_model_mrf(NULL, &model, &error));
    NULL_IN("exponential", ebm_model_exponential(NULL, &model, &error));
    NULL_IN("experts", ebm_model_experts(NULL, &model, &error));
    NULL_IN("sum", ebm_model_sum(NULL, NULL, 1, &model, &error));
    NULL_IN("sum", ebm_model_sum(parts, NULL, 2, &model, &error));
    NULL_IN("tempered", ebm_model_tempered(NULL, 1, &model, &error));
    NULL_IN("mixture", ebm_model_mixture(NULL, 2, &model, &error));
    NULL_IN("mixture", ebm_model_mixture(parts, 2, &model, &error));
    NULL_IN("regression", ebm_model_regression(NULL, &model, &error));
    NULL_IN("chain crf", ebm_model_chain_crf(NULL, &model, &error));
    NULL_IN("bilinear", ebm_model_bilinear(NULL, &model, &error));
}

Test(null, energy_h_calls)
{
    const ebm_exponential_spec spec = {.dim = 1, .dtype = GIBBS_FLOAT64};
    const ebm_rbm_spec bits = {.visible = 1, .hidden = 1};
    ebm_model *model, *rbm, *one = gaussian(), *mixture;
    ebm_blocks blocks;
    OK(ebm_model_exponential(&spec, &model, ERROR));
    OK(ebm_model_rbm(&bits, &rbm, ERROR));
    OK(ebm_model_mixture((ebm_model *[]){one, one}, 2, &mixture, ERROR));
    NULL_IN("blocks", ebm_model_blocks(NULL, &blocks, &error));
    NULL_IN("blocks", ebm_model_blocks(rbm, NULL, &error));
    NULL_IN("maxent", ebm_maxent(NULL, x, x, NULL, 1, NULL, &error));
    NULL_IN("maxent", ebm_maxent(model, NULL, x, NULL, 1, NULL, &error));
    NULL_IN("maxent", ebm_maxent(model, x, NULL, NULL, 1, NULL, &error));
    NULL_IN("mixture weights", ebm_model_mixture_weights(NULL, &column, 0, out, NULL, &error));
    NULL_IN("mixture weights", ebm_model_mixture_weights(mixture, NULL, 0, out, NULL, &error));
    NULL_IN("mixture weights", ebm_model_mixture_weights(mixture, &column, 0, NULL, NULL, &error));
    ebm_model_free(mixture), ebm_model_free(one), ebm_model_free(rbm), ebm_model_free(model);
}

Test(null, fit_h)
{
    ebm_model *model = gaussian();
    ebm_fit_options options = {0}, without = options;
    ebm_uncertainty u;
    options.loss = &ebm_loss_score_matching;
    NULL_IN("fit", ebm_fit(NULL, &column, &options, NULL, &error));
    NULL_IN("fit", ebm_fit(model, NULL, &options, NULL, &error));
    NULL_IN("fit", ebm_fit(model, &column, NULL, NULL, &error));
    NULL_IN("fit", ebm_fit(model, &column, &without, NULL, &error));
    ebm_trainer *trainer;
    NULL_IN("fit", ebm_trainer_new(NULL, &column, &options, &trainer, &error));
    NULL_IN("fit", ebm_trainer_new(model, NULL, &options, &trainer, &error));
    NULL_IN("fit", ebm_trainer_new(model, &column, NULL, &trainer, &error));
    NULL_IN("fit", ebm_trainer_new(model, &column, &options, NULL, &error));
    OK(ebm_trainer_new(model, &column, &options, &trainer, ERROR));
    NULL_IN("train", ebm_trainer_run(NULL, 1, &error));
    NULL_IN("train", ebm_trainer_save(NULL, "ck", &error));
    NULL_IN("train", ebm_trainer_save(trainer, NULL, &error));
    NULL_IN("train", ebm_trainer_load(NULL, "ck", &error));
    NULL_IN("train", ebm_trainer_load(trainer, NULL, &error));
    NULL_IN("keep", ebm_trainer_keep(NULL, "x", x, 1, &error));
    NULL_IN("keep", ebm_trainer_keep(trainer, NULL, x, 1, &error));
    NULL_IN("keep", ebm_trainer_keep(trainer, "x", NULL, 1, &error));
    cr_expect(!ebm_trainer_report(NULL) && !ebm_trainer_done(NULL));
    ebm_trainer_free(trainer), ebm_trainer_free(NULL);
    ebm_mcml mcml;
    NULL_IN("mcml", ebm_monte_carlo_ml(NULL, &column, NULL, &mcml, &error));
    NULL_IN("mcml", ebm_monte_carlo_ml(model, NULL, NULL, &mcml, &error));
    NULL_IN("mcml", ebm_monte_carlo_ml(model, &column, NULL, NULL, &error));
    NULL_IN("standard errors", ebm_standard_errors_by(NULL, &column, &options, NULL, &u, &error));
    NULL_IN("standard errors", ebm_standard_errors(NULL, &column, &options, &u, &error));
    NULL_IN("standard errors", ebm_standard_errors(model, NULL, &options, &u, &error));
    NULL_IN("standard errors", ebm_standard_errors(model, &column, NULL, &u, &error));
    NULL_IN("standard errors", ebm_standard_errors(model, &column, &without, &u, &error));
    NULL_IN("standard errors", ebm_standard_errors(model, &column, &options, NULL, &error));
    ebm_model_free(model);
}

Test(null, log_z_h)
{
    const ebm_box box = {{-1}, {1}, 0, 0};
    ebm_model *model = gaussian();
    ebm_quadrature z;
    NULL_IN("integrate", ebm_integrate(NULL, &box, &z, &error));
    NULL_IN("integrate", ebm_integrate(model, NULL, &z, &error));
    NULL_IN("integrate", ebm_integrate(model, &box, NULL, &error));
    NULL_IN("log likelihood", ebm_mean_log_likelihood(NULL, &column, 0, out, &error));
    NULL_IN("log likelihood", ebm_mean_log_likelihood(model, NULL, 0, out, &error));
    NULL_IN("log likelihood", ebm_mean_log_likelihood(model, &column, 0, NULL, &error));
    NULL_IN("enumerate", ebm_enumerate(NULL, NULL, out, NULL, &error));
    NULL_IN("enumerate", ebm_enumerate(model, NULL, NULL, NULL, &error));
    NULL_IN("log Z", ebm_model_log_z(NULL, out, &error));
    NULL_IN("log Z", ebm_model_log_z(model, NULL, &error));
    ebm_model_free(model);
}

Test(null, loss_h)
{
    const ebm_loss_term term = {&ebm_loss_cd, 1};
    ebm_model *model = gaussian();
    ebm_objective *objective;
    ebm_loss *loss;
    ebm_ksd ksd;
    NULL_IN("loss sum", ebm_loss_sum(NULL, 1, NULL, &loss, &error));
    NULL_IN("loss sum", ebm_loss_sum(&term, 1, NULL, NULL, &error));
    NULL_IN("loss sum", ebm_loss_sum(&(ebm_loss_term){NULL, 1}, 1, NULL, &loss, &error));
    NULL_IN("objective", ebm_objective_new(NULL, &ebm_loss_cd, NULL, &objective, &error));
    NULL_IN("objective", ebm_objective_new(model, NULL, NULL, &objective, &error));
    NULL_IN("objective", ebm_objective_new(model, &ebm_loss_cd, NULL, NULL, &error));
    NULL_IN("objective", ebm_objective_bind(NULL, x, 1, &error));
    OK(ebm_objective_new(model, &ebm_loss_cd, NULL, &objective, ERROR));
    NULL_IN("objective", ebm_objective_bind(objective, NULL, 1, &error));
    NULL_IN("objective", ebm_objective_weigh(NULL, x, &error));
    NULL_IN("objective", ebm_objective_weigh(objective, NULL, &error));
    NULL_IN("objective", ebm_objective_refresh(NULL, 1, 0, &error));
    NULL_IN("objective", ebm_objective_evaluate(NULL, out, &error));
    NULL_IN("ksd", ebm_ksd_test(NULL, &column, NULL, &ksd, &error));
    NULL_IN("ksd", ebm_ksd_test(model, NULL, NULL, &ksd, &error));
    NULL_IN("ksd", ebm_ksd_test(model, &column, NULL, NULL, &error));
    NULL_IN("median distance", ebm_median_distance(NULL, out, &error));
    NULL_IN("median distance", ebm_median_distance(&column, NULL, &error));
    ebm_objective_free(objective);
    ebm_model_free(model);
}

static gibbs_status square(void *context, int64_t n, const double *w, double *f, double *g, gibbs_error *unused)
{
    (void)context, (void)n, (void)unused;
    *f = w[0] * w[0], g[0] = 2 * w[0];
    return GIBBS_OK;
}

Test(null, optim_h)
{
    double w = 1;
    NULL_IN("L-BFGS", ebm_lbfgs(1, NULL, square, NULL, NULL, NULL, &error));
    NULL_IN("L-BFGS", ebm_lbfgs(1, &w, NULL, NULL, NULL, NULL, &error));
}

Test(null, space_h)
{
    const ebm_space bits = {.variables = 2};
    const ebm_box box = {{-1}, {1}, 5, 0};
    ebm_points points;
    NULL_IN("points", ebm_points_space(NULL, NULL, &points, &error));
    NULL_IN("points", ebm_points_space(&bits, NULL, NULL, &error));
    NULL_IN("points", ebm_points_box(1, NULL, NULL, &points, &error));
    NULL_IN("points", ebm_points_box(1, &box, NULL, NULL, &error));
    cr_expect(ebm_space_dim(NULL) == -1 && ebm_space_size(NULL) == -1);
}

Test(null, no_place_for_the_error)
{
    cr_expect_eq(ebm_proposal_gaussian_fit(NULL, 1, 1, NULL, NULL, NULL), GIBBS_ARGUMENT);
    cr_expect_eq(ebm_model_rbm(NULL, NULL, NULL), GIBBS_ARGUMENT);
}

/* ---- Every function is here ---- */

static char *text_of(const char *folder, const char *name)
{
    static char text[1 << 16];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    size_t length = fread(text, 1, sizeof text - 1, file);
    cr_assert(length < sizeof text - 1);
    text[length] = 0;
    fclose(file);
    return text;
}

Test(null, every_function_that_returns_a_status)
{
    static const char *const headers[] = {"data.h", "model.h", "energy.h", "fit.h", "log_z.h", "loss.h", "optim.h",
                                          "proposal.h", "sampler.h", "draws.h", "space.h", "extend.h",
                                          "audit.h"};
    static const char start[] = "\ngibbs_status ";
    static char own[1 << 17];
    int found = 0;
    strcpy(own, text_of(GIBBS_TEST_SOURCE_DIR, "ebm/test_null.c"));
    strcat(own, text_of(GIBBS_TEST_SOURCE_DIR, "ebm/test_null_sampling.c"));
    for (int k = 0; k < COUNT(headers); k++) {
        char *at = text_of(GIBBS_TEST_SOURCE_DIR "/../include/gibbs", headers[k]);
        for (; (at = strstr(at, start)); found++) {
            char call[64];
            at += strlen(start);
            snprintf(call, sizeof call, " %.*s(NULL", (int)strcspn(at, "("), at);
            call[strlen(call) - 4] = 0;
            cr_expect(strstr(own, call), "%s: no line for%s…)", headers[k], call);
        }
    }
    cr_expect(found > 70, "%d functions were found", found);
}
