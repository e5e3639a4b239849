/* sum_of_models.c — Σ βₖ Eₖ(x): a product of densities (S3 eq 10.15–10.17), each at its own temperature; with one part,
 * a tempered density. */
#include "compose.h"
#include "ships.h"

static double beta_of(const ebm_composition *c, int k) { return c->beta ? c->beta[k] : 1; }

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_composition *c = context;
    ad_var E[EBM_MAX_PARTS], sum = {x.tape, -1};
    ebm_composition_energies(c, x, theta, E);
    for (int k = 0; k < c->count; k++) {
        ad_var term = ad_scale(E[k], beta_of(c, k));
        sum = k ? ad_add(sum, term) : term;
    }
    return sum;
}

static gibbs_status log_z(const double *theta, double beta, void *context, const gibbs_allocator *a, double *result,
                          gibbs_error *error)
{
    const ebm_composition *c = context;
    (void)a;
    if (c->count == 1) return ebm_model_log_z_at(c->parts[0], theta, beta * beta_of(c, 0), result, error);
    return gibbs_fail(error, GIBBS_ARGUMENT, "log Z: a product of densities has no closed form; integrate or enumerate "
                      "it, or estimate it by sampling");
}

/* ---- Conditionals of two layers, where all parts have the same ones: log odds add up, and so do precisions ---- */

static ebm_blocks part_blocks(const ebm_composition *c, int k)
{
    ebm_blocks blocks = {.joint = 0};
    const ebm_model *part = c->parts[k];
    if (!part->kind->blocks || !part->kind->blocks(part->context, &blocks)) blocks.visible.units = 0;
    return blocks;
}

static void combine(const ebm_composition *c, bool hidden, ad_var other, const ad_var *theta, ad_var *parameter)
{
    ad_var sum = {other.tape, -1}, precision = sum;
    bool gaussian = false;
    for (int k = 0; k < c->count; theta += c->parts[k++]->parameters) {
        ebm_blocks blocks = part_blocks(c, k);
        const ebm_layer *layer = hidden ? &blocks.hidden : &blocks.visible;
        ad_var p[2] = {{other.tape, -1}, {other.tape, -1}}, weight = ad_constant(other.tape, beta_of(c, k));
        layer->given(other, theta, blocks.context, p);
        gaussian = layer->unit == EBM_UNIT_GAUSSIAN;
        if (gaussian) weight = ad_div(weight, ad_square(p[1]));
        if (gaussian) precision = k ? ad_add(precision, weight) : weight;
        sum = k ? ad_add(sum, ad_mul(weight, p[0])) : ad_mul(weight, p[0]);
    }
    parameter[0] = gaussian ? ad_div(sum, precision) : sum;
    if (gaussian) parameter[1] = ad_recip(ad_sqrt(precision));
}

static void hidden_given(ad_var v, const ad_var *theta, void *context, ad_var *parameter)
{
    combine(context, true, v, theta, parameter);
}

static void visible_given(ad_var h, const ad_var *theta, void *context, ad_var *parameter)
{
    combine(context, false, h, theta, parameter);
}

/* In the joint form; a free energy's conditionals are its own at β = 1 only. */
static int blocks(void *context, ebm_blocks *out)
{
    const ebm_composition *c = context;
    *out = part_blocks(c, 0);
    bool gaussian = out->visible.unit == EBM_UNIT_GAUSSIAN || out->hidden.unit == EBM_UNIT_GAUSSIAN;
    for (int k = 0; k < c->count; k++) {
        ebm_blocks part = part_blocks(c, k);
        bool same = part.visible.units && part.visible.units == out->visible.units &&
                    part.visible.unit == out->visible.unit && part.hidden.units == out->hidden.units &&
                    part.hidden.unit == out->hidden.unit && part.joint == out->joint;
        if (!same || (gaussian && !(beta_of(c, k) > 0))) return 0;
    }
    if (!out->joint && (c->count > 1 || beta_of(c, 0) != 1)) return 0;
    out->hidden.given = hidden_given;
    out->visible.given = visible_given;
    out->context = context;
    return 1;
}

static gibbs_status make_sum(const void *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_compose(&ebm_energy_sum, spec, false, NULL, model, error);
}

static gibbs_status make_tempered(const void *spec, ebm_model **model, gibbs_error *error)
{
    const ebm_composition *c = spec;
    if (c->count != 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "tempered: %lld parts; it has one", (long long)c->count);
    return ebm_compose(&ebm_energy_tempered, c, true, NULL, model, error);
}

const ebm_energy ebm_energy_sum = {
    .name = "sum", .record = energy, .log_z = log_z, .blocks = blocks,
    EBM_MADE_OF(ebm_composition, ebm_composition_options, make_sum),
};
const ebm_energy ebm_energy_tempered = {
    .name = "tempered", .record = energy, .log_z = log_z, .blocks = blocks,
    EBM_MADE_OF(ebm_composition, ebm_composition_options, make_tempered),
};

gibbs_status ebm_model_sum(ebm_model *const *parts, const double *beta, int count, ebm_model **model,
                           gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_sum, &(ebm_composition){count, beta, parts}, model, error);
}

gibbs_status ebm_model_tempered(ebm_model *part, double beta, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_tempered, &(ebm_composition){1, &beta, &part}, model, error);
}
