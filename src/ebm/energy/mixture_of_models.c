/* mixture_of_models.c — Σ_g ξ_g φ_g of unnormalised components φ_g = exp(−E_g), ξ_g = π_g/Z_g (S0 eq 26; Matsuda &
 * Hyvärinen 2019): E = −log Σ_g exp(log ξ_g − E_g). A density known up to a factor has no scale of ξ: log ξ_1 is pinned
 * at 0, and what NCE learns as log Z is then −log ξ_1 of the normalised mixture. */
#include "compose.h"
#include "ships.h"
#include "ebm/data/data_private.h"
#include "ebm/model/program.h"

#include <math.h>

/* log ξ_g − E_g(x), of shape [G]. */
static ad_var logits(const ebm_composition *c, ad_var x, const ad_var *theta)
{
    ad_var E[EBM_MAX_PARTS], all = {x.tape, -1};
    ebm_composition_energies(c, x, theta + 1, E);
    for (int g = 0; g < c->count; g++) {
        ad_var one = ad_reshape(ad_neg(E[g]), ad_vec(1));
        all = g ? ad_concat(all, one, 0) : one;
    }
    return ad_add(all, ad_pad(theta[0], 0, 1, 0));
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    return ad_neg(ad_logsumexp(logits(context, x, theta)));
}

/* log Σ_g ξ_g Z_g, the parts' Z by their own formulas. */
static gibbs_status log_z(const double *theta, double beta, void *context, const gibbs_allocator *a, double *result,
                          gibbs_error *error)
{
    const ebm_composition *c = context;
    double log_term[EBM_MAX_PARTS], top = -INFINITY, sum = 0;
    const double *at = theta + c->count - 1;
    (void)a;
    if (beta != 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "log Z: a mixture has none at the inverse temperature %g", beta);
    for (int g = 0; g < c->count; at += c->parts[g++]->size) {
        gibbs_status status = ebm_model_log_z_at(c->parts[g], at, 1, &log_term[g], error);
        if (status) return status;
        if (g) log_term[g] += theta[g - 1];
        top = fmax(top, log_term[g]);
    }
    for (int g = 0; g < c->count; g++) sum += exp(log_term[g] - top);
    *result = top + log(sum);
    return GIBBS_OK;
}

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    const ebm_composition *c = spec;
    if (c->count < 2)
        return gibbs_fail(error, GIBBS_ARGUMENT, "mixture: %lld parts; at least 2 are needed", (long long)c->count);
    const ebm_parameter log_xi = {"log_xi", ad_vec(c->count - 1), EBM_INIT_CONSTANT, 0};
    return ebm_compose(&ebm_energy_mixture, c, false, &log_xi, model, error);
}

const ebm_energy ebm_energy_mixture = {
    .name = "mixture", .record = energy, .log_z = log_z,
    EBM_MADE_OF(ebm_composition, ebm_composition_options, make),
};

gibbs_status ebm_model_mixture(ebm_model *const *parts, int count, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_mixture, &(ebm_composition){count, NULL, parts}, model, error);
}

/* ---- π and Z of the components ---- */

/* π = mean over the data of the responsibilities ξ_gφ_g/Σξφ, with x already of the model's dtype. */
static gibbs_status run(const ebm_recording *r, const void *x, int64_t rows, double *pi, gibbs_error *error)
{
    const ebm_model *model = r->model;
    const ebm_composition *c = model->context;
    ebm_program p;
    ad_axis data = ad_axis_new(r->tape, "data");
    ad_var at = ad_input(data, "x", ad_vec(model->dim));
    ad_var mean = ad_batch_mean(data, ad_softmax(logits(c, at, r->theta)));
    gibbs_status status = ebm_program_build(r->tape, &mean, 1, NULL, &p, error);
    if (!status) status = ebm_model_bind(model, p.workspace, r->theta, error);
    if (!status) status = ad_bind(p.workspace, at, x, error);
    if (!status) status = ad_set_rows(p.workspace, data, rows, error);
    if (!status) status = ad_run(p.workspace, NULL, error);
    if (!status) ebm_from_dtype(model->dtype, c->count, pi, ad_result(p.workspace, 0));
    ebm_program_free(&p);
    return status;
}

static gibbs_status responsibilities(const ebm_model *model, const ebm_data *data, double *pi, gibbs_error *error)
{
    int64_t count = data->rows * data->cols;
    void *x = gibbs_alloc(&model->alloc, (size_t)count, gibbs_dtype_size(model->dtype));
    if (!x) return gibbs_fail(error, GIBBS_MEMORY, "mixture weights: out of memory");
    ebm_to_dtype(model->dtype, count, x, data->x);
    ebm_recording r;
    gibbs_status status = ebm_recording_start("mixture weights", model, &r, error);
    if (!status) status = run(&r, x, data->rows, pi, error);
    ebm_recording_end(&r);
    gibbs_release(&model->alloc, x);
    if (status || !isnan(pi[0])) return status;
    return gibbs_fail(error, GIBBS_NUMERIC, "mixture weights: an energy is not finite at some row");
}

gibbs_status ebm_model_mixture_weights(ebm_model *model, const ebm_data *data, double log_z, double *pi,
                                       double *log_z_part, gibbs_error *error)
{
    GIBBS_REQUIRE("mixture weights", model && data && pi, error);
    double weight[EBM_MAX_PARTS];
    gibbs_status refused = ebm_refuse_conditional("mixture weights", model, "its parts have no one Z", error);
    if (refused) return refused;
    if (model->kind != &ebm_energy_mixture)
        return gibbs_fail(error, GIBBS_ARGUMENT, "mixture weights: the model is no mixture");
    gibbs_status status = ebm_check_data("mixture weights", model, data, error);
    if (!status) status = ebm_refuse_weights("mixture weights", data, error);
    if (!status) status = responsibilities(model, data, weight, error);
    if (status) return status;
    int64_t parts = ((const ebm_composition *)model->context)->count;
    for (int g = 0; g < parts; g++) {
        double log_xi = g ? ebm_number(model->dtype, model->theta, g - 1) : 0;
        pi[g] = weight[g];
        if (log_z_part) log_z_part[g] = log(weight[g]) - (log_xi - log_z);
    }
    return GIBBS_OK;
}
