/* known_log_z.c — the exact log Z of a model whose energy has one in closed form, or by a small enumeration. */
#include "known_log_z.h"

static const ebm_known_log_z *const known[] = {&ebm_gaussian_log_z, &ebm_gaussian_cholesky_log_z, &ebm_rbm_log_z,
                                             &ebm_experts_log_z};

gibbs_status ebm_model_log_z(ebm_model *model, double *log_z, gibbs_error *error)
{
    GIBBS_REQUIRE("log Z", model && log_z, error);
    for (int k = 0; k < GIBBS_COUNT(known); k++)
        if (known[k]->energy == model->energy) return known[k]->log_z(model, log_z, error);
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      "log Z: none is known for this energy; integrate or enumerate it, or estimate it by sampling");
}
