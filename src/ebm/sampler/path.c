/* path.c — E_β = βE − (1 − β) log q. */
#include "path.h"

#include "autodiff/tape/tape.h"
#include "ebm/proposal/record_proposal.h"

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_path *path = context;
    ad_axis axis = ad_axis_of(x);
    if (axis.id < 0) return ad_fail(x.tape, GIBBS_AXIS, "tempering: the energy of an x that is shared");
    /* samplers may look at several places for each chain at once, on a child of the chains' axis */
    ad_var beta = ebm_value_on(axis, path->beta), E = ad_mul(beta, ebm_model_energy_at(path->model, x, theta));
    if (!path->base) return E;
    ad_var log_q = ebm_proposal_log_density_at(path->base, axis, (ad_var){x.tape, -1}, x, theta);
    return ad_add(E, ad_mul(ad_shift(beta, -1), log_q));
}

void ebm_path_start(ebm_path *path, const ebm_model *model, ad_var beta, const ebm_proposal *base)
{
    *path = (ebm_path){.model = model, .beta = beta, .base = base};
    path->along = ebm_model_view(model, model->dim, energy, path);
}
