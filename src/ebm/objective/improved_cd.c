/* improved_cd.c — contrastive divergence with the term that it drops (S1 §2.1, eq 5; Du et al. 2020):
 *
 *     mean E(xₙ) − mean E(yₙ)  +  coefficient · KL(q‖p) through q alone,   KL = mean E(yₙ) − H(q) + log Z
 *
 * y comes from the sampler's k transitions, of which the last one is recorded here, so that dy/dθ is its derivative;
 * E's own parameters are held constant in the second part. The entropy is the nearest neighbour's estimate (Kozachenko
 * & Leonenko 1987), H = (d/N) Σ log‖yᵢ − y_j(i)‖ + constants, with j(i) as found when y was drawn. */
#include "record_loss.h"

#include "autodiff/op/op.h"
#include "ebm/sampler/chains.h"
#include "source.h"

/* The k-th transition, from where the others ended. */
static ad_var last_transition(const ebm_graph *g)
{
    const ebm_sampler *sampler = g->options->sampler;
    ad_var state[EBM_MAX_CACHES + 1], next[EBM_MAX_CACHES + 1];
    ebm_chain_options options = ebm_loss_chain(g->options);
    ebm_chain_options_fill(g->model, &options, NULL); /* as of the chains, of which nothing was refused */
    ebm_sampler_graph chain = ebm_sampler_graph_of(g->model, g->theta, g->noise, &options);
    chain.step = ad_constant(g->tape, options.step);
    for (int k = 0; k <= EBM_MAX_CACHES; k++) state[k] = next[k] = (ad_var){g->tape, -1};
    state[0] = g->y;
    if (sampler->start) sampler->start(&chain, g->y, state + 1);
    for (int k = 1; k <= sampler->caches; k++) state[k] = ad_lift(g->noise, state[k]);
    sampler->step(&chain, state, next);
    return ebm_graph_vector(g, g->noise, next[0], "the sampler's next x");
}

/* E(y) as a function of y alone, whose value and derivative by y are right: E(y₀) + ∇E(y₀)·(y − y₀), y₀ held at y. */
static ad_var held_energy(const ebm_graph *g, ad_var E, ad_var y, ad_var still)
{
    ad_var slope = {g->tape, -1};
    if (ad_grad(E, &still, 1, &slope)) return slope;
    return ad_add(ad_stop_gradient(E), ad_dot(ad_stop_gradient(slope), ad_sub(y, still)));
}

static ad_var log_distance(const ebm_graph *g, ad_var y)
{
    ad_var away = ad_sub(y, ad_batch_gather(y, g->second));
    return ad_scale(ad_log(ad_sum(ad_square(away))), 0.5);
}

static ad_var record(ebm_graph *g)
{
    ad_var slope = ebm_graph_gradient(g, g->y); /* dy/dθ is one of ∇E by θ: SMOOTH where that would be wrong */
    if (ad_is_null(slope)) return slope;
    ad_var y = last_transition(g), still = ad_as_variable(ad_stop_gradient(y)), E = ebm_graph_energy(g, still);
    ad_var gap = ad_sub(ebm_graph_mean(g, g->data, ebm_graph_energy(g, g->x)), ebm_graph_mean(g, g->noise, E));
    ad_var entropy = ad_scale(log_distance(g, y), (double)g->model->dim);
    ad_var divergence = ebm_graph_mean(g, g->noise, ad_sub(held_energy(g, E, y, still), entropy));
    return ad_add(gap, ad_scale(divergence, g->options->coefficient));
}

/* The derivative of how likely a move is to be accepted would be missed. */
static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    (void)dim;
    const ebm_sampler *s = o->sampler;
    if (!s || !(s->adjusted || s->discrete || s->needs_blocks || s->moves)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      "%s: the sampler «%s» accepts, rejects or jumps: no derivative goes through; ebm_ula will do",
                      loss->name, s->name ? s->name : "");
}

const ebm_loss ebm_loss_improved_cd = {
    .name = "improved-cd",
    .title = "improved contrastive divergence",
    .noise = EBM_NOISE_LAST,
    .models = EBM_MODELS_WHOLE, /* its entropy is that of all rows together */
    .sampler = &ebm_ula,
    .redraw = 1,
    .record = record,
    .check = check,
    .validation = &ebm_loss_score_matching,
};
