/* custom_energy.c — an energy of your own: sample from it, fit it, normalise it. Try another energy! */
#include <gibbs/ebm.h>
#include <stdio.h>

/* E(x) = a (x² − b)², a double well, for one x */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_mul(theta[0], ad_square(ad_sub(ad_square(x), theta[1]))));
}

int main(void)
{
    ebm_parameter parameters[2] = {{"a", ad_scalar(), EBM_INIT_CONSTANT, 1.0}, {"b", ad_scalar(), EBM_INIT_CONSTANT, 2.0}};
    ebm_model_spec spec = ebm_model_defaults();
    spec.dim = 1, spec.parameters = parameters, spec.parameter_count = 2, spec.energy = energy;
    ebm_chain_options walk = ebm_chain_defaults(); /* MALA */
    walk.step = 0.05;
    ebm_fit_options fit = ebm_fit_defaults();
    fit.loss = &ebm_loss_score_matching, fit.lbfgs = 1;
    ebm_box box = {{-4}, {4}, 0};

    static double x[4000]; /* the data: 4000 chains, 500 steps from 0, with a = 1 and b = 2 */
    double start[2] = {0.5, 1.0};
    ebm_model *model = NULL;
    ebm_chains *chains = NULL;
    ebm_data data;
    ebm_quadrature z;
    gibbs_error error;
    if (ebm_model_new(&spec, &model, &error) || ebm_chains_new(model, &walk, &chains, &error) ||
        ebm_chains_start(chains, x, 4000, &error) || ebm_chains_run(chains, 500, 1, 0, &error))
        return puts(error.message), 1;
    ebm_chains_get(chains, x);
    ebm_model_set(model, start); /* forget the truth, and fit */
    if (ebm_data_from(x, 4000, 1, NULL, &data, &error) || ebm_fit(model, &data, &fit, NULL, &error) ||
        ebm_integrate(model, &box, &z, &error))
        return puts(error.message), 1;
    printf("a = %.3f  b = %.3f  log Z = %.3f\n", ebm_model_value(model, "a"), ebm_model_value(model, "b"), z.log_z);
}
