/* A required pointer that is NULL is an ARGUMENT error that names the function, never a crash; vars that are null stay
 * so. */
#include "ebm/energy_check.h"

#define NULL_IN(name, call) FAILS(GIBBS_ARGUMENT, name ": a required pointer is NULL", call)

Test(energy_null, constructors)
{
    ebm_model *model;
    const ebm_rbm_spec rbm = {.visible = 1, .hidden = 1};
    const ebm_model_spec plain = ebm_model_defaults();
    NULL_IN("rbm", ebm_model_rbm(NULL, &model, FAIL));
    NULL_IN("rbm", ebm_model_rbm(&rbm, NULL, FAIL));
    NULL_IN("ising", ebm_model_ising(NULL, &model, FAIL));
    NULL_IN("potts", ebm_model_potts(NULL, &model, FAIL));
    NULL_IN("mrf", ebm_model_mrf(NULL, &model, FAIL));
    NULL_IN("exponential", ebm_model_exponential(NULL, &model, FAIL));
    NULL_IN("experts", ebm_model_experts(NULL, &model, FAIL));
    NULL_IN("sum", ebm_model_sum(NULL, NULL, 1, &model, FAIL));
    NULL_IN("tempered", ebm_model_tempered(NULL, 1, &model, FAIL));
    NULL_IN("mixture", ebm_model_mixture(NULL, 2, &model, FAIL));
    NULL_IN("conditional", ebm_model_conditional(NULL, &(ebm_conditional){.given = 1}, &model, FAIL));
    NULL_IN("conditional", ebm_model_conditional(&plain, NULL, &model, FAIL));
    NULL_IN("regression", ebm_model_regression(NULL, &model, FAIL));
    NULL_IN("chain crf", ebm_model_chain_crf(NULL, &model, FAIL));
    NULL_IN("bilinear", ebm_model_bilinear(NULL, &model, FAIL));
}

Test(energy_null, calls)
{
    ebm_model *model;
    double x = 0, mu = 0;
    ebm_data data = table(&x, 1, 1);
    ebm_exponential_spec spec = {.dim = 1, .dtype = GIBBS_FLOAT64};
    OK(ebm_model_exponential(&spec, &model, ERROR));
    NULL_IN("rbm blocks", ebm_rbm_blocks(NULL, NULL, FAIL));
    NULL_IN("maxent", ebm_maxent(NULL, &mu, &x, NULL, 1, NULL, FAIL));
    NULL_IN("maxent", ebm_maxent(model, &mu, NULL, NULL, 1, NULL, FAIL));
    NULL_IN("mixture weights", ebm_model_mixture_weights(NULL, &data, 0, &x, NULL, FAIL));
    NULL_IN("mixture weights", ebm_model_mixture_weights(model, &data, 0, NULL, NULL, FAIL));
    NULL_IN("enumerate", ebm_enumerate(model, NULL, NULL, NULL, FAIL));
    NULL_IN("log Z", ebm_model_log_z(model, NULL, FAIL));
    cr_expect(ebm_model_rbm(NULL, NULL, NULL) == GIBBS_ARGUMENT, "without a place for the error");
    ebm_model_free(model);
}

Test(energy_null, student_expert)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    cr_expect(ad_is_null(ebm_student_expert((ad_var){tape, -1})));
    ad_tape_free(tape);
}
