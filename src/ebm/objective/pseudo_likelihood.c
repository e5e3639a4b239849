/* pseudo_likelihood.c — pseudo-likelihood of discrete data (Besag 1975): mean Σᵢ −log p(xᵢ | x₋ᵢ), which needs no Z.
 *
 * Of d columns with two values a and b the other value of column i is a + b − xᵢ, and −log p = softplus(E(x) − E(xⁱ)).
 * Of one-hot blocks of C columns, −log p = E(x) + lse over the block's categories of −E. Both look at d changed copies
 * of a row: copy k is keep_k ∘ x + gain e_k. */
#include "record_loss.h"

#include <math.h>

#include "autodiff/tape/tape.h"

static bool same_block(const ebm_loss_options *o, int64_t k, int64_t j)
{
    return o->categories ? k / o->categories == j / o->categories : k == j;
}

/* E of the d changed copies, [d] on the data axis. */
static ad_var changed_energies(const ebm_graph *g)
{
    const ebm_loss_options *o = g->options;
    int64_t d = g->model->dim;
    double *keep = gibbs_alloc(&g->tape->alloc, (size_t)d * (size_t)d, sizeof *keep);
    double *set = gibbs_alloc_zero(&g->tape->alloc, (size_t)d * (size_t)d, sizeof *set);
    ad_var x = {g->tape, -1};
    if (!keep || !set) ad_fail(g->tape, GIBBS_MEMORY, "%s: out of memory", g->loss->name);
    else {
        for (int64_t k = 0; k < d; k++)
            for (int64_t j = 0; j < d; j++) keep[k * d + j] = !same_block(o, k, j) ? 1 : o->categories ? 0 : -1;
        for (int64_t k = 0; k < d; k++) set[k * d + k] = o->categories ? 1 : o->states[0] + o->states[1];
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
    int64_t C = g->options->categories;
    ad_var E = ad_lift(g->data, ebm_graph_energy(g, g->x)), changed = changed_energies(g);
    ad_var terms = ad_softplus(ad_sub(E, changed));
    if (C) {
        ad_var blocks = ad_reshape(ad_neg(changed), ad_mat(g->model->dim / C, C));
        terms = ad_add(ad_logsumexp_dims(blocks, 1u << 1), E);
    }
    return ad_batch_mean(g->data, ad_sum(terms));
}

static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    if (o->categories < 0 || (o->categories && dim % o->categories))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld columns are no blocks of %d categories", loss->name,
                          (long long)dim, o->categories);
    if (o->states[0] == o->states[1] || !isfinite(o->states[0] - o->states[1]))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the two states are %g and %g", loss->name, o->states[0],
                          o->states[1]);
    return dim <= 46340 ? GIBBS_OK : gibbs_fail(error, GIBBS_SIZE, "%s: %lld columns are too many", loss->name,
                                                (long long)dim);
}

/* Whether the numbers of a row, behind those given, are what the options say that they are. Columns are the table's. */
static gibbs_status check_row(const ebm_loss *loss, const ebm_loss_options *o, const double *x, int64_t given,
                              int64_t dim, gibbs_error *error)
{
    double low = o->categories ? 0 : o->states[0], high = o->categories ? 1 : o->states[1], sum = 0;
    for (int64_t i = given; i < dim; i++) {
        if (x[i] != low && x[i] != high && x[i] != (float)low && x[i] != (float)high)
            return gibbs_fail(error, GIBBS_DATA,
                              "%s is for discrete data, and column %lld is %g, neither %g nor %g: set options.states "
                              "or categories; for real values take score matching, nce or ml-is",
                              loss->name, (long long)i + 1, x[i], low, high);
        sum += x[i];
        if (!o->categories || (i - given + 1) % o->categories) continue;
        if (sum != 1)
            return gibbs_fail(error, GIBBS_DATA, "%s: the block that ends in column %lld has %g ones, not one",
                              loss->name, (long long)i + 1, sum);
        sum = 0;
    }
    return GIBBS_OK;
}

const ebm_loss ebm_loss_pseudo_likelihood = {
    .name = "pseudo-likelihood",
    .title = "pseudo-likelihood",
    .deterministic = 1,
    .record = record,
    .check = check,
    .check_row = check_row,
};
