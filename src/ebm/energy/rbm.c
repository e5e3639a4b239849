/* rbm.c — restricted Boltzmann machines (S3 §10.2.2.2). With u = b + (v/sd²)W,
 *
 *     E(v, h) = B(v) − u·h,     F(v) = −log Σ_h exp(−E(v, h)) = B(v) − Σⱼ softplus(uⱼ)
 *
 * where B(v) = −a·v for visibles in {0, 1} (sd = 1), and ½‖(v − a)/sd‖² for Gaussian ones, whose p(v | h) is
 * N(a + Wh, sd²) (Cho, Ilin & Raiko 2011). */
#include "rbm.h"

#include "build.h"
#include "ebm/log_z/known_log_z.h"

#include <math.h>

static const double WEIGHT_SD = 0.01; /* Hinton 2012 */

/* ---- Conditionals ---- */

ad_var ebm_rbm_visible_sd(const ebm_rbm *rbm, ad_tape *tape, const ad_var *theta)
{
    return rbm->learn_sd ? ad_exp(theta[EBM_RBM_LOG_SD]) : ad_constant(tape, rbm->sd);
}

/* 1/sd² */
static ad_var precision(const ebm_rbm *rbm, ad_tape *tape, const ad_var *theta)
{
    return ad_recip(ad_square(ebm_rbm_visible_sd(rbm, tape, theta)));
}

ad_var ebm_rbm_hidden_logits(const ebm_rbm *rbm, ad_var v, const ad_var *theta)
{
    return ad_add(theta[EBM_RBM_B], ad_matmul(ad_mul(v, precision(rbm, v.tape, theta)), theta[EBM_RBM_W]));
}

ad_var ebm_rbm_visible_field(ad_var h, const ad_var *theta)
{
    return ad_add(theta[EBM_RBM_A], ad_matmul(theta[EBM_RBM_W], h));
}

/* ---- Energies ---- */

static ad_var visible_energy(const ebm_rbm *rbm, ad_var v, const ad_var *theta)
{
    ad_var a = theta[EBM_RBM_A];
    if (!rbm->gaussian) return ad_neg(ad_dot(a, v));
    return ad_scale(ad_dot(precision(rbm, v.tape, theta), ad_square(ad_sub(v, a))), 0.5);
}

static ad_var free_energy(const ebm_rbm *rbm, ad_var v, const ad_var *theta)
{
    return ad_sub(visible_energy(rbm, v, theta), ad_sum(ad_softplus(ebm_rbm_hidden_logits(rbm, v, theta))));
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_rbm *rbm = context;
    if (!rbm->joint) return free_energy(rbm, x, theta);
    ad_var v = ad_slice(x, 0, 0, rbm->visible), h = ad_slice(x, 0, rbm->visible, rbm->hidden);
    return ad_sub(visible_energy(rbm, v, theta), ad_dot(ebm_rbm_hidden_logits(rbm, v, theta), h));
}

const ebm_rbm *ebm_rbm_of(const ebm_model *model)
{
    return model && model->energy == energy ? model->context : NULL;
}

static gibbs_status check(const ebm_rbm_spec *spec, gibbs_error *error)
{
    gibbs_status status = ebm_need_count("rbm", "visible units", spec->visible, 1, error);
    if (!status) status = ebm_need_count("rbm", "hidden units", spec->hidden, 1, error);
    if (status) return status;
    if (!spec->gaussian && (spec->sd != 0 || spec->learn_sd))
        return gibbs_fail(error, GIBBS_ARGUMENT, "rbm: binary visibles have no standard deviation");
    if (!(spec->sd >= 0) || !isfinite(spec->sd) || (spec->sd > 0 && !isnormal(spec->sd * spec->sd)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "rbm: sd is %g; it must be 0 (for 1) or a standard deviation",
                          spec->sd);
    if (!(spec->weight_sd >= 0) || !isfinite(spec->weight_sd))
        return gibbs_fail(error, GIBBS_ARGUMENT, "rbm: weight_sd is %g; it must be 0 (for %g) or positive",
                          spec->weight_sd, WEIGHT_SD);
    return GIBBS_OK;
}

gibbs_status ebm_model_rbm(const ebm_rbm_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("rbm", spec && model, error);
    *model = NULL;
    gibbs_status status = check(spec, error);
    if (status) return status;
    const ebm_rbm rbm = {spec->visible, spec->hidden, spec->joint != 0, spec->gaussian != 0, spec->learn_sd != 0,
                         spec->sd > 0 ? spec->sd : 1};
    const ebm_parameter parameters[] = {
        {"W", ad_mat(rbm.visible, rbm.hidden), EBM_INIT_NORMAL, spec->weight_sd > 0 ? spec->weight_sd : WEIGHT_SD},
        {"a", ad_vec(rbm.visible), EBM_INIT_CONSTANT, 0},
        {"b", ad_vec(rbm.hidden), EBM_INIT_CONSTANT, 0},
        {"log_sd", ad_vec(rbm.visible), EBM_INIT_CONSTANT, log(rbm.sd)},
    };
    ebm_build b = ebm_build_start(spec->allocator);
    ebm_build_add_all(&b, NULL, parameters, GIBBS_COUNT(parameters) - !rbm.learn_sd);
    ebm_model_spec made = {.dtype = spec->dtype, .dim = rbm.visible + (rbm.joint ? rbm.hidden : 0), .energy = energy,
                           .context = ebm_build_copy(&b, &rbm, sizeof rbm), .seed = spec->seed};
    return ebm_build_owner(&b, made, model, error);
}

/* ---- Blocks for Gibbs sampling ---- */

static void hidden_given(ad_var v, const ad_var *theta, void *context, ad_var *parameter)
{
    parameter[0] = ebm_rbm_hidden_logits(context, v, theta);
}

static void visible_given(ad_var h, const ad_var *theta, void *context, ad_var *parameter)
{
    const ebm_rbm *rbm = context;
    parameter[0] = ebm_rbm_visible_field(h, theta);
    if (rbm->gaussian) parameter[1] = ebm_rbm_visible_sd(rbm, h.tape, theta);
}

gibbs_status ebm_rbm_blocks(const ebm_model *model, ebm_blocks *blocks, gibbs_error *error)
{
    GIBBS_REQUIRE("rbm blocks", model && blocks, error);
    const ebm_rbm *rbm = ebm_rbm_of(model);
    if (!rbm) return gibbs_fail(error, GIBBS_ARGUMENT, "rbm blocks: the model is no RBM");
    *blocks = (ebm_blocks){
        .visible = {rbm->gaussian ? EBM_UNIT_GAUSSIAN : EBM_UNIT_BINARY, rbm->visible, visible_given},
        .hidden = {EBM_UNIT_BINARY, rbm->hidden, hidden_given},
        .joint = rbm->joint,
        .context = (void *)rbm,
    };
    return GIBBS_OK;
}

/* ---- log Z, by enumeration of the smaller side ---- */

/* −log of ∫ or Σ over v of exp(−E(v, h)): with u = Wh, Σᵢ softplus(aᵢ + uᵢ) for binary visibles, and
 * Σᵢ log(sdᵢ√2π) + (½uᵢ² + aᵢuᵢ)/sdᵢ² for Gaussian ones. */
static ad_var hidden_energy(ad_var h, const ad_var *theta, void *context)
{
    const ebm_rbm *rbm = context;
    ad_var rest = ad_neg(ad_dot(theta[EBM_RBM_B], h));
    if (!rbm->gaussian) return ad_sub(rest, ad_sum(ad_softplus(ebm_rbm_visible_field(h, theta))));
    ad_var u = ad_matmul(theta[EBM_RBM_W], h), a = theta[EBM_RBM_A];
    ad_var log_sd = ad_expand(ad_log(ebm_rbm_visible_sd(rbm, h.tape, theta)), ad_vec(rbm->visible));
    ad_var shift = ad_dot(precision(rbm, h.tape, theta), ad_mul(u, ad_add(ad_scale(u, 0.5), a)));
    return ad_sub(rest, ad_add(shift, ad_sum(ad_shift(log_sd, 0.5 * log(2 * M_PI)))));
}

static gibbs_status log_z(ebm_model *model, double *result, gibbs_error *error)
{
    ebm_rbm rbm = *(const ebm_rbm *)model->context;
    bool by_hidden = rbm.gaussian || rbm.hidden <= rbm.visible;
    rbm.joint = false;
    ebm_model_spec spec = {.dim = by_hidden ? rbm.hidden : rbm.visible, .context = &rbm,
                           .energy = by_hidden ? hidden_energy : energy};
    ebm_model *side;
    gibbs_status status = ebm_model_like(model, &spec, &side, error);
    if (status) return status;
    status = ebm_enumerate(side, NULL, result, NULL, error);
    ebm_model_free(side);
    return status;
}

const ebm_known_log_z ebm_rbm_log_z = {energy, log_z};
