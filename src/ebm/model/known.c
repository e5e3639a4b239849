/* known.c — what a model's energy knows of itself: log Z, and the conditionals of its layers. */
#include "model.h"

gibbs_status ebm_model_log_z_at(const ebm_model *model, const double *theta, double beta, double *log_z,
                                gibbs_error *error)
{
    if (model->kind->log_z && !model->given)
        return model->kind->log_z(theta, beta, model->context, &model->alloc, log_z, error);
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      "log Z: none is known for this energy; integrate or enumerate it, or estimate it by sampling");
}

gibbs_status ebm_model_log_z(ebm_model *model, double *log_z, gibbs_error *error)
{
    GIBBS_REQUIRE("log Z", model && log_z, error);
    double *theta = gibbs_alloc(&model->alloc, (size_t)model->size, sizeof *theta);
    if (!theta) return gibbs_fail(error, GIBBS_MEMORY, "log Z: out of memory");
    ebm_model_get(model, theta);
    gibbs_status status = ebm_model_log_z_at(model, theta, 1, log_z, error);
    gibbs_release(&model->alloc, theta);
    return status;
}

gibbs_status ebm_model_blocks(const ebm_model *model, ebm_blocks *blocks, gibbs_error *error)
{
    GIBBS_REQUIRE("blocks", model && blocks, error);
    if (model->kind->blocks && !model->given && model->kind->blocks(model->context, blocks)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      "blocks: this energy has no two layers of independent units (as an RBM has); make an ebm_blocks "
                      "by hand where you know of some, or take another sampler");
}
