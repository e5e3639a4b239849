/* custom_energy.c — an energy of your own: sampled from, fitted to the sample, and normalised. */
#include <gibbs/ebm.h>
#include <stdio.h>
#include <string.h>
#define TRY(call) if (call) return fprintf(stderr, "%s\n", error.message), 1

/* E(x) = a (x² − b)², a double well, for one x. Try another! */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_mul(theta[0], ad_square(ad_sub(ad_square(x), theta[1]))));
}

int main(int argc, char **argv)
{
    const char *json = "/dev/null"; unsigned long long seed = 1; char rest;
    for (int i = 1; i < argc; i++)
        if (i + 1 < argc && !strcmp(argv[i], "--json")) json = argv[++i];
        else if (i + 1 < argc && !strcmp(argv[i], "--seed") && sscanf(argv[i + 1], "%llu%c", &seed, &rest) == 1) i++;
        else return puts("usage: custom_energy [--seed N] [--json FILE]"), strcmp(argv[i], "--help") != 0;
    static double x[4000], elsewhere[2] = {0.5, 1};
    ebm_parameter theta[2] = {{"a", ad_scalar(), EBM_INIT_CONSTANT, 1}, {"b", ad_scalar(), EBM_INIT_CONSTANT, 2}};
    ebm_model_spec spec = ebm_model_defaults();
    spec.dim = 1, spec.parameters = theta, spec.parameter_count = 2, spec.energy = energy;
    ebm_chain_options walk = ebm_chain_defaults(); walk.step = 0.05; /* of MALA */
    ebm_fit_options fit = ebm_fit_defaults(); fit.loss = &ebm_loss_score_matching, fit.lbfgs = 1;
    ebm_model *model; ebm_chains *chains; ebm_data data; ebm_quadrature z; gibbs_error error;
    TRY(ebm_model_new(&spec, &model, &error) || ebm_chains_new(model, &walk, &chains, &error));
    TRY(ebm_chains_start(chains, x, 4000, &error) || ebm_chains_run(chains, 500, seed, 0, &error));
    ebm_chains_get(chains, x), ebm_model_set(model, elsewhere); /* these are the data; their a and b are forgotten … */
    TRY(ebm_data_from(x, 4000, 1, NULL, &data, &error) || ebm_fit(model, &data, &fit, NULL, &error)); /* … and found */
    ebm_box box = ebm_box_around(&data, 1); TRY(ebm_integrate(model, &box, &z, &error));
    double a = ebm_model_value(model, "a"), b = ebm_model_value(model, "b");
    printf("a = %.3f (true: 1)   b = %.3f (true: 2)   log Z = %.3f\n", a, b, z.log_z);
    if (fflush(stdout)) return perror("stdout"), 1;
    FILE *file = fopen(json, "w");
    if (!file || fprintf(file, "{\"a\": %.17g, \"b\": %.17g, \"log_z\": %.17g}\n", a, b, z.log_z) < 0 || fclose(file))
        return perror(json), 1;
    return ebm_chains_free(chains), ebm_data_free(&data), ebm_model_free(model), 0;
}
