/* rbm.c — restricted Boltzmann machines (S3 §10.2.2.2). With u = b + (v/sd²)W,
 *
 *     E(v, h) = B(v) − u·h,     F(v) = −log Σ_h exp(−E(v, h)) = B(v) − Σⱼ softplus(uⱼ)
 *
 * where B(v) = −a·v for visibles in {0, 1} (sd = 1), and ½‖(v − a)/sd‖² for Gaussian ones, whose p(v | h) is
 * N(a + Wh, sd²) (Cho, Ilin & Raiko 2011). */
#include "build.h"
#include "ships.h"

#include <math.h>

static const double WEIGHT_SD = 0.01; /* Hinton 2012 */

typedef ebm_rbm_spec rbm;

enum { W, A, B, LOG_SD, PARAMETERS };

/* ---- Conditionals ---- */

static double fixed_sd(const rbm *r) { return r->sd > 0 ? r->sd : 1; }

/* The standard deviations of Gaussian visibles given h (1 for binary ones), of shape [visible] or a scalar. */
static ad_var visible_sd(const rbm *r, ad_tape *tape, const ad_var *theta)
{
    return r->learn_sd ? ad_exp(theta[LOG_SD]) : ad_constant(tape, fixed_sd(r));
}

/* 1/sd² */
static ad_var precision(const rbm *r, ad_tape *tape, const ad_var *theta)
{
    return ad_recip(ad_square(visible_sd(r, tape, theta)));
}

/* The log odds of hⱼ = 1 given v [visible]: b + (v/sd²)W, of shape [hidden]. */
static ad_var hidden_logits(const rbm *r, ad_var v, const ad_var *theta)
{
    return ad_add(theta[B], ad_matmul(ad_mul(v, precision(r, v.tape, theta)), theta[W]));
}

/* a + Wh of h [hidden], of shape [visible]: the log odds of vᵢ = 1 given h, or the mean of Gaussian visibles. */
static ad_var visible_field(ad_var h, const ad_var *theta)
{
    return ad_add(theta[A], ad_matmul(theta[W], h));
}

static void hidden_given(ad_var v, const ad_var *theta, void *context, ad_var *parameter)
{
    parameter[0] = hidden_logits(context, v, theta);
}

static void visible_given(ad_var h, const ad_var *theta, void *context, ad_var *parameter)
{
    const rbm *r = context;
    parameter[0] = visible_field(h, theta);
    if (r->gaussian) parameter[1] = visible_sd(r, h.tape, theta);
}

static int blocks(void *context, ebm_blocks *out)
{
    const rbm *r = context;
    *out = (ebm_blocks){
        .visible = {r->gaussian ? EBM_UNIT_GAUSSIAN : EBM_UNIT_BINARY, r->visible, visible_given},
        .hidden = {EBM_UNIT_BINARY, r->hidden, hidden_given},
        .joint = r->joint,
        .context = context,
    };
    return 1;
}

/* ---- Energies ---- */

static ad_var visible_energy(const rbm *r, ad_var v, const ad_var *theta)
{
    ad_var a = theta[A];
    if (!r->gaussian) return ad_neg(ad_dot(a, v));
    return ad_scale(ad_dot(precision(r, v.tape, theta), ad_square(ad_sub(v, a))), 0.5);
}

static ad_var free_energy(ad_var v, const ad_var *theta, void *context)
{
    return ad_sub(visible_energy(context, v, theta), ad_sum(ad_softplus(hidden_logits(context, v, theta))));
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const rbm *r = context;
    if (!r->joint) return free_energy(x, theta, context);
    ad_var v = ad_slice(x, 0, 0, r->visible), h = ad_slice(x, 0, r->visible, r->hidden);
    return ad_sub(visible_energy(r, v, theta), ad_dot(hidden_logits(r, v, theta), h));
}

static int list_parameters(const rbm *r, ebm_parameter list[PARAMETERS])
{
    list[W] = (ebm_parameter){"W", ad_mat(r->visible, r->hidden), EBM_INIT_NORMAL, r->weight_sd};
    list[A] = (ebm_parameter){"a", ad_vec(r->visible), EBM_INIT_CONSTANT, 0};
    list[B] = (ebm_parameter){"b", ad_vec(r->hidden), EBM_INIT_CONSTANT, 0};
    list[LOG_SD] = (ebm_parameter){"log_sd", ad_vec(r->visible), EBM_INIT_CONSTANT, log(fixed_sd(r))};
    return PARAMETERS - !r->learn_sd;
}

/* ---- log Z, by enumeration of the smaller side ---- */

/* −log of ∫ or Σ over v of exp(−E(v, h)): with u = Wh, Σᵢ softplus(aᵢ + uᵢ) for binary visibles, and
 * Σᵢ log(sdᵢ√2π) + (½uᵢ² + aᵢuᵢ)/sdᵢ² for Gaussian ones. */
static ad_var hidden_energy(ad_var h, const ad_var *theta, void *context)
{
    const rbm *r = context;
    ad_var rest = ad_neg(ad_dot(theta[B], h));
    if (!r->gaussian) return ad_sub(rest, ad_sum(ad_softplus(visible_field(h, theta))));
    ad_var u = ad_matmul(theta[W], h), a = theta[A];
    ad_var log_sd = ad_expand(ad_log(visible_sd(r, h.tape, theta)), ad_vec(r->visible));
    ad_var shift = ad_dot(precision(r, h.tape, theta), ad_mul(u, ad_add(ad_scale(u, 0.5), a)));
    return ad_sub(rest, ad_add(shift, ad_sum(ad_shift(log_sd, 0.5 * log(2 * M_PI)))));
}

/* βE of the joint form is a machine again: with the parameters times β, or of Gaussian visibles sd/√β and βb. */
static void temper(rbm *r, double beta, double *theta)
{
    int64_t w = r->visible * r->hidden, b = w + r->visible, end = b + r->hidden;
    for (int64_t i = r->gaussian ? b : 0; i < end; i++) theta[i] *= beta;
    if (!r->gaussian) return;
    r->sd = fixed_sd(r) / sqrt(beta);
    for (int64_t i = 0; i < r->visible && r->learn_sd; i++) theta[end + i] -= 0.5 * log(beta);
}

static gibbs_status log_z(const double *theta, double beta, void *context, const gibbs_allocator *a, double *result,
                          gibbs_error *error)
{
    rbm r = *(const rbm *)context;
    ebm_parameter list[PARAMETERS];
    bool by_hidden = r.gaussian || r.hidden <= r.visible;
    if (beta != 1 && !r.joint)
        return gibbs_fail(error, GIBBS_ARGUMENT, "log Z: the free energy of an RBM has none at the inverse temperature "
                          "%g; the joint form has", beta);
    if (r.gaussian && !(beta > 0)) return gibbs_fail(error, GIBBS_NUMERIC, "log Z: the density is not normalisable");
    ebm_model_spec spec = {.dtype = GIBBS_FLOAT64, .dim = by_hidden ? r.hidden : r.visible, .context = &r,
                           .energy = by_hidden ? hidden_energy : free_energy, .parameters = list,
                           .parameter_count = list_parameters(&r, list), .allocator = a};
    ebm_model *side;
    gibbs_status status = ebm_model_new(&spec, &side, error);
    if (status) return status;
    ebm_model_set(side, theta);
    if (beta != 1) temper(&r, beta, side->theta);
    status = ebm_enumerate(side, NULL, result, NULL, error);
    ebm_model_free(side);
    return status;
}

/* ---- Making one ---- */

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

static const ebm_option options[] = {
    EBM_OPTION(INT64, ebm_rbm_spec, visible),
    EBM_OPTION(INT64, ebm_rbm_spec, hidden),
    EBM_OPTION(INT, ebm_rbm_spec, joint),
    EBM_OPTION(INT, ebm_rbm_spec, gaussian),
    EBM_OPTION(DOUBLE, ebm_rbm_spec, sd),
    EBM_OPTION(INT, ebm_rbm_spec, learn_sd),
    EBM_OPTION(DOUBLE, ebm_rbm_spec, weight_sd),
    EBM_COMMON_OPTIONS(ebm_rbm_spec),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    rbm r = *(const ebm_rbm_spec *)spec;
    ebm_parameter list[PARAMETERS];
    gibbs_status status = check(&r, error);
    if (status) return status;
    if (r.weight_sd == 0) r.weight_sd = WEIGHT_SD;
    ebm_build b = ebm_build_start(r.allocator);
    ebm_build_add_all(&b, NULL, list, list_parameters(&r, list));
    ebm_model_spec made = {.dtype = r.dtype, .dim = r.visible + (r.joint ? r.hidden : 0), .kind = &ebm_energy_rbm,
                           .context = ebm_context_new(&ebm_energy_rbm, &r, sizeof r, &b.alloc), .seed = r.seed};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_rbm = {
    .name = "rbm", .record = energy, .log_z = log_z, .blocks = blocks,
    EBM_MADE_OF(ebm_rbm_spec, options, make),
};

gibbs_status ebm_model_rbm(const ebm_rbm_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_rbm, spec, model, error);
}
