/* sum_of_models.c — Σ βₖ Eₖ(x): a product of densities (S3 eq 10.15–10.17), each at its own temperature; with one part,
 * a tempered density. */
#include "compose.h"

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_composition *c = context;
    ad_var E[EBM_MAX_PARTS], sum = {x.tape, -1};
    ebm_composition_energies(c, x, theta, E);
    for (int k = 0; k < c->parts; k++) {
        ad_var term = ad_scale(E[k], c->part[k].beta);
        sum = k ? ad_add(sum, term) : term;
    }
    return sum;
}

gibbs_status ebm_model_sum(ebm_model *const *parts, const double *beta, int count, ebm_model **model,
                           gibbs_error *error)
{
    GIBBS_REQUIRE("sum", parts && model, error);
    return ebm_compose("sum", parts, beta, count, false, NULL, energy, model, error);
}

gibbs_status ebm_model_tempered(ebm_model *part, double beta, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("tempered", part && model, error);
    return ebm_compose("tempered", &part, &beta, 1, true, NULL, energy, model, error);
}
