/* test_null.c — a required pointer that is NULL is an ARGUMENT error with the function's name, never a crash. */
#include <criterion/criterion.h>
#include <gibbs/ebm.h>

#include <string.h>

static gibbs_error error;

static void expect(gibbs_status status, const char *name, int line)
{
    cr_expect_eq(status, GIBBS_ARGUMENT, "line %d: status %d", line, status);
    cr_expect(strstr(error.message, name), "line %d: «%s» does not name %s", line, error.message, name);
    error = (gibbs_error){GIBBS_OK, "", -1, -1};
}
#define NULL_IN(name, call) expect(call, name, __LINE__)

Test(null, models)
{
    double x[2] = {0, 0}, out[2];
    ebm_model *model;
    ebm_quadrature z;
    ebm_box box = {{-1}, {1}, 0};
    ebm_importance importance;
    NULL_IN("model", ebm_model_new(NULL, &model, &error));
    NULL_IN("mlp", ebm_model_mlp(NULL, &model, &error));
    cr_assert_eq(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, &error), GIBBS_OK);
    NULL_IN("energy", ebm_model_energy(NULL, x, 1, out, NULL, &error));
    NULL_IN("energy", ebm_model_energy(model, NULL, 1, out, NULL, &error));
    NULL_IN("integrate", ebm_integrate(NULL, &box, &z, &error));
    NULL_IN("integrate", ebm_integrate(model, NULL, &z, &error));
    NULL_IN("log likelihood", ebm_mean_log_likelihood(model, NULL, 0, out, &error));
    NULL_IN("save", ebm_model_save(model, NULL, &error));
    NULL_IN("load", ebm_model_load(model, NULL, &error));
    NULL_IN("importance_sample", ebm_importance_sample(NULL, NULL, 1, 1, NULL, NULL, &importance, &error));
    ebm_model_free(model);
}

Test(null, methods_and_data)
{
    double mean[1] = {0};
    ebm_objective *objective;
    ebm_chains *chains;
    ebm_proposal *q;
    ebm_data data = {0}, train, held;
    ebm_fit_options options = ebm_fit_defaults();
    options.loss = &ebm_loss_cd;
    NULL_IN("objective", ebm_objective_new(NULL, &ebm_loss_cd, NULL, &objective, &error));
    NULL_IN("objective", ebm_objective_bind(NULL, mean, 1, &error));
    NULL_IN("chains", ebm_chains_new(NULL, NULL, &chains, &error));
    NULL_IN("chains", ebm_chains_start(NULL, mean, 1, &error));
    NULL_IN("fit", ebm_fit(NULL, &data, &options, NULL, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_fit(NULL, 1, 1, NULL, &q, &error));
    NULL_IN("apply_scale", ebm_data_apply_scale(&data, NULL, mean, &error));
    NULL_IN("standardise", ebm_data_standardise(NULL, NULL, NULL, &error));
    NULL_IN("split", ebm_data_split(NULL, 0.5, 1, &train, &held, &error));
    NULL_IN("read", ebm_data_read(NULL, NULL, &train, &error));
    NULL_IN("parse", ebm_data_parse(mean, sizeof mean, NULL, NULL, &train, &error));
    NULL_IN("generate", ebm_data_generate("moons", 1, 1, NULL, NULL, &error));
    NULL_IN("write_npy", ebm_data_write_npy("t.npy", NULL, &error));
}

Test(null, engine)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(tape, "data");
    ad_var x = ad_input(data, "x", ad_vec(2));
    double value = 1;
    NULL_IN("bind", ad_bind(NULL, x, &value, &error));
    NULL_IN("set_rows", ad_set_rows(NULL, data, 1, &error));
    NULL_IN("run", ad_run(NULL, NULL, &error));
    NULL_IN("compile", ad_compile(&x, 1, NULL, NULL, &error));
    cr_expect(ad_is_null(ad_permute(x, NULL)));
    cr_expect(ad_tape_status(tape) == GIBBS_ARGUMENT && strstr(ad_tape_message(tape), "permute"));
    ad_tape_free(tape);
    cr_expect_null(ad_tape_new((gibbs_dtype)7, NULL));
    cr_expect_eq(ebm_proposal_gaussian_fit(NULL, 1, 1, NULL, NULL, NULL), GIBBS_ARGUMENT,
                 "without an error to write to");
}
