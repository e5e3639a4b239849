/* block_gibbs.c — two layers in turn, each all at once: its units are independent given the other layer. Nothing but x
 * is kept. */
#include "transition.h"

#include "autodiff/tape/tape.h"
#include "ebm/proposal/record_proposal.h"

enum { HIDDEN, VISIBLE };

/* ∂ log q/∂x of the base: the log odds of its units, if it is a product over binary ones, as which log q is linear. */
static ad_var base_log_odds(const ebm_sampler_graph *graph, ad_var x)
{
    ad_var log_q = ebm_proposal_log_density_at(graph->base, graph->chain, graph->given, x, graph->theta);
    ad_var slope = ebm_transition_gradient(log_q, x), bend = ebm_transition_gradient(ad_sum(slope), x);
    if (ad_is_null(bend) || ad_is_zero(bend)) return slope;
    return ad_fail(graph->tape, GIBBS_ARGUMENT,
                   "block gibbs: log q of the base is not linear in x: it is no product over binary units");
}

/* β ℓ + (1 − β) ℓ_q */
static ad_var path_log_odds(const ebm_sampler_graph *graph, ad_var odds, ad_var base)
{
    ad_var beta = graph->inverse_temperature;
    if (ad_is_null(beta)) return odds;
    odds = ad_mul(beta, odds);
    return graph->base ? ad_sub(odds, ad_mul(ad_shift(beta, -1), base)) : odds;
}

/* 1 with probability p; NaN where p is, so that it is found. */
static ad_var coin(ad_var p, ad_var u)
{
    ad_var one = ad_constant(p.tape, 1), zero = ad_constant(p.tape, 0);
    ad_var heads_or_nan = ad_select(ad_less(p, ad_constant(p.tape, 2)), zero, p);
    return ad_select(ad_less(u, p), one, heads_or_nan);
}

static ad_var draw(const ebm_sampler_graph *graph, const ebm_layer *layer, ad_var other, ad_var base, int which)
{
    ad_var parameter[2] = {{graph->tape, -1}, {graph->tape, -1}};
    ad_shape units = ad_vec(layer->units);
    uint64_t stream = EBM_STREAM_SAMPLER_BLOCK + (uint64_t)which;
    layer->given(other, graph->theta, graph->blocks->context, parameter);
    ad_var first = ad_expand(ad_lift(graph->chain, parameter[0]), units);
    if (layer->unit == EBM_UNIT_BINARY)
        return coin(ad_sigmoid(path_log_odds(graph, first, base)), ad_uniform(graph->chain, units, stream));
    ad_var sd = ad_expand(ad_lift(graph->chain, parameter[1]), units);
    if (!ad_is_null(graph->inverse_temperature)) sd = ad_div(sd, ad_sqrt(graph->inverse_temperature));
    return ad_add(first, ad_mul(sd, ad_normal(graph->chain, units, stream)));
}

static const char *problem(const ebm_sampler_graph *graph)
{
    const ebm_blocks *b = graph->blocks;
    bool gaussian = b->visible.unit == EBM_UNIT_GAUSSIAN || b->hidden.unit == EBM_UNIT_GAUSSIAN;
    if (!b->visible.given || !b->hidden.given) return "a layer has no conditional";
    if (b->visible.units < 1 || b->hidden.units < 1) return "a layer has no units";
    if (b->visible.units + (b->joint ? b->hidden.units : 0) != graph->model->dim)
        return "the layers do not have the model's dim";
    if (!b->joint && !ad_is_null(graph->inverse_temperature)) return "temperatures need the joint form";
    return graph->base && gaussian ? "a path from a base density needs binary units" : NULL;
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    const ebm_blocks *b = graph->blocks;
    const char *wrong = problem(graph);
    if (wrong) return ad_fail(graph->tape, GIBBS_ARGUMENT, "block gibbs: %s", wrong);
    int64_t nv = b->visible.units, nh = b->hidden.units;
    ad_var base[2] = {{graph->tape, -1}, {graph->tape, -1}};
    if (graph->base) {
        ad_var odds = base_log_odds(graph, state[0]);
        base[VISIBLE] = ad_slice(odds, 0, 0, nv);
        base[HIDDEN] = ad_slice(odds, 0, nv, nh);
    }
    ad_var h = draw(graph, &b->hidden, ad_slice(state[0], 0, 0, nv), base[HIDDEN], HIDDEN);
    ad_var v = draw(graph, &b->visible, h, base[VISIBLE], VISIBLE);
    next[0] = b->joint ? ad_concat(v, h, 0) : v;
    return ad_constant(graph->tape, 1);
}

const ebm_sampler ebm_block_gibbs = {.name = "block_gibbs", .needs_blocks = 1, .step = step};
