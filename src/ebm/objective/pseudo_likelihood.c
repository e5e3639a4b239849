/* pseudo_likelihood.c — pseudo-likelihood of discrete data (Besag 1975): mean Σᵢ −log p(xᵢ | x₋ᵢ), which needs no Z.
 *
 * Of d columns with two values a and b the other value of column i is a + b − xᵢ, and −log p = softplus(E(x) − E(xⁱ)).
 * Of one-hot blocks of C columns, −log p = E(x) + lse over the block's categories of −E. Both look at d changed copies
 * of a row: copy k is keep_k ∘ x + gain e_k. */
#include "record_loss.h"

#include "autodiff/tape/tape.h"
#include "ebm/space/space.h"

/* E of the d changed copies, [d] on the data axis. */
static ad_var changed_energies(const ebm_graph *g)
{
    const ebm_space *s = &g->options->space;
    int64_t d = g->model->dim, width = s->one_hot ? s->labels : 1;
    double *keep = gibbs_alloc(&g->tape->alloc, (size_t)d * (size_t)d, sizeof *keep);
    double *set = gibbs_alloc_zero(&g->tape->alloc, (size_t)d * (size_t)d, sizeof *set);
    ad_var x = {g->tape, -1};
    if (!keep || !set) ad_fail(g->tape, GIBBS_MEMORY, "%s: out of memory", g->loss->name);
    else {
        for (int64_t k = 0; k < d; k++)
            for (int64_t j = 0; j < d; j++) keep[k * d + j] = k / width != j / width ? 1 : s->one_hot ? 0 : -1;
        for (int64_t k = 0; k < d; k++) set[k * d + k] = s->values[0] + s->values[1];
        x = ad_add(ad_mul(ad_constant_array(g->tape, ad_mat(d, d), keep), g->x),
                   ad_constant_array(g->tape, ad_mat(d, d), set));
    }
    gibbs_release(&g->tape->alloc, keep);
    gibbs_release(&g->tape->alloc, set);
    ad_axis changed = ebm_graph_copies(g, d, "changed columns");
    return ad_regroup(ad_lift(changed, ebm_graph_energy(g, ad_ungroup(changed, x))));
}

static ad_var record(ebm_graph *g)
{
    const ebm_space *s = &g->options->space;
    ad_var E = ad_lift(g->data, ebm_graph_energy(g, g->x)), changed = changed_energies(g);
    ad_var terms = ad_softplus(ad_sub(E, changed));
    if (s->one_hot) {
        ad_var blocks = ad_reshape(ad_neg(changed), ad_mat(s->variables, s->labels));
        terms = ad_add(ad_logsumexp_dims(blocks, 1u << 1), E);
    }
    return ebm_graph_mean(g, g->data, ad_sum(terms));
}

static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    (void)o;
    return dim <= 46340 ? GIBBS_OK : gibbs_fail(error, GIBBS_SIZE, "%s: %lld columns are too many", loss->name,
                                                (long long)dim);
}

static gibbs_status check_row(const ebm_loss *loss, const ebm_loss_options *o, const double *x, int64_t given,
                              int64_t dim, gibbs_error *error)
{
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    (void)dim;
    gibbs_status status = ebm_space_check_row(loss->name, &o->space, GIBBS_FLOAT64, x, given, given, &found);
    if (!status) return GIBBS_OK;
    return gibbs_fail(error, status, "%.120s; for real values take score matching, nce or ml-is", found.message);
}

const ebm_loss ebm_loss_pseudo_likelihood = {
    .name = "pseudo-likelihood",
    .title = "pseudo-likelihood",
    .deterministic = 1,
    .record = record,
    .check = check,
    .check_row = check_row,
};
