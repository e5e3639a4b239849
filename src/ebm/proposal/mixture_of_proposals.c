/* mixture_of_proposals.c — Σ w_g q_g: a component is picked by one uniform and draws; log q = lse(ln w_g + log q_g).
 * All components draw, from the same random numbers, and the one that was picked is selected: only one of them is ever
 * seen. */
#include "made.h"
#include "record_proposal.h"

#include <math.h>

/* number: ln w_g for every component; then the sum of the weights before it. */
static double log_weight(const ebm_made *m, int g) { return m->number[g]; }
static double below(const ebm_made *m, int g) { return m->number[m->parts + g]; }

/* u above the weights before g means g or a later one. */
static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    const ebm_made *m = ebm_made_of(q);
    ebm_random all = {q->normals, q->uniforms}, after_pick = {0, 1};
    ad_var u = ad_reshape(ad_slice(random, 0, q->normals, 1), ad_scalar());
    ad_var y = ebm_proposal_draw_part(m->part[0], random, all, after_pick, theta);
    for (int g = 1; g < m->parts; g++) {
        ad_var own = ebm_proposal_draw_part(m->part[g], random, all, after_pick, theta);
        y = ad_select(ad_less(ad_constant(random.tape, below(m, g)), u), own, y);
    }
    return y;
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    const ebm_made *m = ebm_made_of(q);
    ad_var terms = {y.tape, -1};
    for (int g = 0; g < m->parts; g++) {
        ad_var term = ad_shift(ebm_proposal_log_density_part(m->part[g], y, theta), log_weight(m, g));
        term = ad_reshape(term, ad_vec(1));
        terms = g ? ad_concat(terms, term, 0) : term;
    }
    return ad_logsumexp(terms);
}

static gibbs_status fill_weights(ebm_made *m, const double *weight, gibbs_error *error)
{
    double sum = 0, before = 0;
    for (int g = 0; g < m->parts; g++) {
        double w = weight ? weight[g] : 1;
        if (!(w > 0 && isfinite(sum += w)))
            return gibbs_fail(error, GIBBS_ARGUMENT, "mixture: weight %d is %g; it must be positive and finite", g + 1,
                              w);
    }
    for (int g = 0; g < m->parts; g++) {
        double w = weight ? weight[g] : 1;
        m->number[g] = log(w) - log(sum);
        m->number[m->parts + g] = before / sum;
        before += w;
    }
    return GIBBS_OK;
}

/* One uniform picks; the others, and the normals, serve the component that wants most. */
static gibbs_status fill_parts(ebm_made *m, const ebm_proposal *const *component, gibbs_error *error)
{
    gibbs_status status = ebm_made_parts(m, component, error);
    ebm_proposal *q = &m->proposal;
    for (int g = 0; !status && g < m->parts; g++) {
        ebm_random own = ebm_proposal_random(component[g]);
        if (component[g]->dim != component[0]->dim)
            return gibbs_fail(error, GIBBS_SHAPE, "mixture: component %d has %lld dimensions, the first one %lld",
                              g + 1, (long long)component[g]->dim, (long long)component[0]->dim);
        if (own.normals > q->normals) q->normals = own.normals;
        if (own.uniforms > q->uniforms) q->uniforms = own.uniforms;
    }
    if (!status) q->dim = component[0]->dim, q->uniforms++;
    return status;
}

gibbs_status ebm_proposal_mixture(int count, const double *weight, const ebm_proposal *const *component,
                                  const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "mixture", .draw = draw, .log_density = log_density};
    GIBBS_REQUIRE("mixture", component && q, error);
    *q = NULL;
    ebm_made *m;
    if (count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "mixture: %d components", count);
    gibbs_status status = ebm_made_new(&kind, 1, 2 * (int64_t)count, count, allocator, &m, error);
    if (status) return status;
    status = fill_parts(m, component, error);
    if (!status) status = fill_weights(m, weight, error);
    if (!status) status = ebm_proposal_check("mixture", &m->proposal, 0, true, error); /* not too many uniforms */
    return ebm_made_finish(m, status, q);
}
