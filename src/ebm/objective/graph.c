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

ad_var ebm_graph_data_mean(const ebm_graph *g, ad_var v) { return ad_is_shared(v) ? v : ad_batch_mean(g->data, v); }
