/* graph.c — what a loss and its sources of artificial points record: draws and log q of the proposal, sums over the
 * points. */
#include "autodiff/op/op.h"
#include "ebm/model/conditioned.h"
#include "ebm/proposal/record_proposal.h"

ad_var ebm_graph_log_q(const ebm_graph *g, ad_var x)
{
    const ebm_proposal *q = g->proposal;
    if (!q || ad_is_null(x)) return (ad_var){g->tape, -1};
    ad_var row = q->given ? ebm_conditioned_row(g->conditioned, x) : x;
    return q->log_density(q, row, q->depends_on_theta ? g->theta : NULL);
}

ad_var ebm_graph_draw(const ebm_graph *g, ad_axis axis)
{
    const ebm_proposal *q = g->proposal;
    if (!q) return (ad_var){g->tape, -1};
    ad_var given = q->given ? ebm_conditioned_given(g->conditioned, axis) : (ad_var){g->tape, -1};
    return ebm_proposal_draw_at(q, axis, given, EBM_STREAM_PROPOSAL, g->theta);
}

/* What one sum over a log Z's artificial points is, of the graph's kind of noise axis. */
static bool by_row(const ebm_graph *g)
{
    return g->noise.tape && g->noise.id >= 0 && g->tape->axis[g->noise.id].parent >= 0;
}

/* What is summed over: [K] of each data row, or one of each point. */
static ad_var summed(const ebm_graph *g, ad_var v)
{
    return ad_is_null(v) || !by_row(g) ? v : ad_regroup(ad_lift(g->noise, v));
}

static ad_var logsumexp(const ebm_graph *g, ad_var v)
{
    return by_row(g) ? ad_logsumexp(v) : ad_batch_logsumexp(g->noise, v);
}

ad_var ebm_graph_noise_logsumexp(const ebm_graph *g, ad_var v) { return logsumexp(g, summed(g, v)); }

/* 1/Σ w̄², of the shares that the gradient of the logsumexp has: what is recorded for that is there for this. */
ad_var ebm_graph_noise_effective_size(const ebm_graph *g, ad_var log_w)
{
    ad_var v = summed(g, log_w), share, count = ebm_graph_noise_count(g);
    if (ad_is_shared(v)) return count;
    v = ad_as_variable(v);
    ad_grad(logsumexp(g, v), &v, 1, &share);
    ad_var squares = ad_square(share);
    squares = by_row(g) ? ad_sum(squares) : ad_batch_sum(g->noise, squares);
    return ad_min(ad_recip(squares), count);
}

ad_var ebm_graph_noise_count(const ebm_graph *g)
{
    return by_row(g) ? ad_constant(g->tape, (double)g->tape->axis[g->noise.id].count) : ad_batch_count(g->noise);
}

/* The weight of each element of an axis: of a data row, for its children as well, or of the artificial points of those
 * losses whose points belong to rows. Null: all count alike. */
static ad_var weight_on(const ebm_graph *g, ad_axis axis)
{
    if (g->noise.tape && axis.id == g->noise.id) return by_row(g) ? ebm_value_on(axis, g->weight) : g->noise_weight;
    return ebm_value_on(axis, g->weight);
}

/* A row that counts for nothing may have a value that overflows. */
ad_var ebm_graph_mean(const ebm_graph *g, ad_axis axis, ad_var v)
{
    if (ad_is_null(g->weight) || ad_is_null(v)) return ad_batch_mean(axis, v);
    ad_var weight = weight_on(g, axis);
    if (ad_is_null(weight)) return ad_batch_mean(axis, v);
    ad_var mean = ad_batch_mean(axis, ad_chain(weight, v));
    return g->loss->noise == EBM_NOISE_PAIRS ? ad_div(mean, ad_batch_mean(axis, weight)) : mean;
}

ad_var ebm_graph_data_mean(const ebm_graph *g, ad_var v) { return ad_is_shared(v) ? v : ebm_graph_mean(g, g->data, v); }
