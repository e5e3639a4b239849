/* learned_stein.c — the learned Stein discrepancy (Grathwohl et al. 2020; S1 §4.2): a critic f climbs and E descends
 *
 *     D = mean [−∇E(xₙ)·f(xₙ) + tr ∇f(xₙ)] − λ mean ‖f(xₙ)‖²
 *
 * The best critic is (−∇E − ∇log p_data)/2λ, where D is the Fisher divergence over 2λ (S1 §4.2.1, left open there). One
 * gradient serves both sides: of ∂E's part by the energy's parameters with f held, minus that of D by the critic's with
 * ∇E held; the value is D. */
#include "record_loss.h"

typedef ad_var (*trace_fn)(const ebm_graph *g, ad_var f);

static ad_var exact_trace(const ebm_graph *g, ad_var f) { return ad_divergence(f, g->x); }

/* Hutchinson's: the mean of vᵀ∇f v over random directions. The exact trace is recorded, and not run, because it refuses
 * a critic that jumps. */
static ad_var random_trace(const ebm_graph *g, ad_var f)
{
    ad_var sum = ad_constant(g->tape, 0), refused = ad_divergence(f, g->x);
    if (ad_is_null(refused)) return refused;
    for (int k = 0; k < g->options->copies; k++) {
        ad_var v = ebm_graph_direction(g, k);
        sum = ad_add(sum, ad_dot(ad_jvp(f, &g->x, &v, 1), v));
    }
    return ad_scale(sum, 1.0 / g->options->copies);
}

static ad_var record_with(ebm_graph *g, trace_fn trace)
{
    ad_var f = ebm_graph_field(g, g->data, g->x), slope = ebm_graph_gradient(g, g->x);
    ad_var size = ad_scale(ad_sum(ad_square(f)), g->options->coefficient);
    ad_var critic = ad_sub(ad_sub(trace(g, f), ad_dot(ad_stop_gradient(slope), f)), size);
    ad_var energy = ad_neg(ad_dot(slope, ad_stop_gradient(f)));
    /* its value is the critic's, its derivative that of `energy` minus that of `critic` */
    ad_var value = ad_sub(ad_scale(ad_stop_gradient(critic), 2), ad_stop_gradient(energy));
    return ebm_graph_mean(g, g->data, ad_add(ad_sub(energy, critic), value));
}

static ad_var record(ebm_graph *g) { return record_with(g, exact_trace); }
static ad_var record_hutchinson(ebm_graph *g) { return record_with(g, random_trace); }

static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    if (!o->field) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs options.field, the critic", loss->name);
    if (!(o->coefficient > 0))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the coefficient λ is %g; without a positive one the discrepancy "
                          "has no bound", loss->name, o->coefficient);
    return ebm_check_directions(loss, o, dim, error);
}

const ebm_loss ebm_loss_stein = {
    .name = "stein",
    .title = "learned Stein discrepancy",
    .record = record,
    .check = check,
    .validation = &ebm_loss_score_matching,
};

const ebm_loss ebm_loss_stein_hutchinson = {
    .name = "stein-hutchinson",
    .title = "learned Stein discrepancy, random traces",
    .redraw = 1,
    .record = record_hutchinson,
    .check = check,
    .validation = &ebm_loss_score_matching,
};
