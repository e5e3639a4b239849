/* product.c — independent blocks of columns, each with a proposal of its own: y = (y₁, y₂, …) and
 * log q = Σ log q_k(y_k). */
#include "made.h"
#include "record_proposal.h"

static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    const ebm_made *p = ebm_made_of(q);
    ebm_random all = {q->normals, q->uniforms}, skip = {0, 0};
    ad_var y = {random.tape, -1};
    for (int k = 0; k < p->parts; k++) {
        ebm_random own = ebm_proposal_random(p->part[k]);
        ad_var block = ebm_proposal_draw_part(p->part[k], random, all, skip, theta);
        y = k ? ad_concat(y, block, 0) : block;
        skip.normals += own.normals, skip.uniforms += own.uniforms;
    }
    return y;
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    const ebm_made *p = ebm_made_of(q);
    ad_var sum = ad_constant(y.tape, 0);
    int64_t start = 0;
    for (int k = 0; k < p->parts; k++) {
        ad_var block = ad_slice(y, 0, start, p->part[k]->dim);
        sum = ad_add(sum, ebm_proposal_log_density_part(p->part[k], block, theta));
        start += p->part[k]->dim;
    }
    return sum;
}

static gibbs_status add_up(ebm_made *p, gibbs_error *error)
{
    ebm_proposal *q = &p->proposal;
    q->dim = 0;
    for (int k = 0; k < p->parts; k++) {
        ebm_random own = ebm_proposal_random(p->part[k]);
        q->dim += p->part[k]->dim, q->normals += own.normals, q->uniforms += own.uniforms; /* each below 2³² */
    }
    return ebm_proposal_check("product", q, 0, true, error);
}

gibbs_status ebm_proposal_product(int count, const ebm_proposal *const *factor, const gibbs_allocator *allocator,
                                  ebm_proposal **q, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "product", .draw = draw, .log_density = log_density};
    GIBBS_REQUIRE("product", factor && q, error);
    *q = NULL;
    ebm_made *p;
    if (count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "product: %d factors", count);
    gibbs_status status = ebm_made_new(&kind, 1, 0, count, allocator, &p, error);
    if (status) return status;
    status = ebm_made_parts(p, factor, error);
    if (!status) status = add_up(p, error);
    return ebm_made_finish(p, status, q);
}
