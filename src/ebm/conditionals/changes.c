/* changes.c — E(x′) − E(x) of all changes of one variable.
 *
 * Where E is of degree at most 2 in x, exactly, from one gradient g at x. On the states of a variable with the values a
 * and b ½Hx² is ½H((a + b)x − ab), and on those of a one-hot block ½xᵀHx is ½Σ H_aa x_a: own blocks H of the Hessian,
 * which do not depend on x, are linear terms there. With ĝ = g − Hx + ½(a + b) diag H, a + b = 1 of a one-hot block,
 * E(x′) − E(x) = ĝ·(x′ − x) for every change of one variable.
 *
 * Where an energy has change statistics, all changes are a product of these and θ. Else E is recorded of d changed
 * copies of a row: copy k is keep_k ∘ x + gain e_k. */
#include "changes.h"

#include "autodiff/tape/tape.h"
#include "ebm/objective/record_loss.h"
#include "ebm/space/space.h"

/* ---- Any energy ---- */

enum { MOST_COPIES = 46340 };

static ad_var changed_rows(const ebm_graph *g, int64_t d, int64_t width)
{
    const ebm_space *s = &g->options->space;
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
    return x;
}

static ad_var by_copies(const ebm_graph *g, ad_var E, int64_t width)
{
    int64_t d = g->model->dim;
    if (d > MOST_COPIES)
        return ad_fail(g->tape, GIBBS_SIZE, "%s: %lld columns are too many for an energy that is no polynomial of "
                       "degree 2 in them", g->loss->name, (long long)d);
    ad_axis changed = ebm_graph_copies(g, d, "changed columns");
    ad_var copies = ad_ungroup(changed, changed_rows(g, d, width));
    return ad_sub(ad_regroup(ad_lift(changed, ebm_graph_energy(g, copies))), ad_lift(g->data, E));
}

/* ---- Degree 2 ---- */

/* Columns up to which own blocks are taken out of the whole of ∇²E. */
enum { MOST_HESSIAN = 4096 };

/* Of ∇²E what lies on its diagonal in blocks of `width`: [d/width, width, width]. */
static ad_var blocks_of(ad_var hessian, int64_t d, int64_t width)
{
    ad_tape *tape = hessian.tape;
    double *place = gibbs_alloc(&tape->alloc, (size_t)(d * width), sizeof *place);
    if (!place) return ad_fail(tape, GIBBS_MEMORY, "%lld columns: out of memory", (long long)d);
    for (int64_t k = 0; k < d * width; k++)
        place[k] = (double)(k / width * d + k / width / width * width + k % width);
    ad_var at = ad_constant_array(tape, ad_cube(d / width, width, width), place);
    gibbs_release(&tape->alloc, place);
    return ad_gather(ad_reshape(hessian, ad_vec(d * d)), at);
}

/* ∇²E of a density, [d, d]: E at a shared x, differentiated twice. */
static ad_var hessian(const ebm_graph *g, int64_t d)
{
    ad_var x = ad_variable(ad_fill(g->tape, -1, ad_vec(d), 0)), slope = {g->tape, -1};
    ad_grad(ebm_graph_energy(g, x), &x, 1, &slope);
    return ad_jacobian(slope, &x, 1);
}

/* ĝ */
static ad_var straightened(const ebm_graph *g, ad_var slope, int64_t width)
{
    int64_t d = g->model->dim, n = d / width;
    const double *values = g->options->space.values;
    ad_var matrix = hessian(g, d), x = ad_reshape(g->x, ad_cube(n, width, 1));
    ad_var own = ad_reshape(ad_matmul(blocks_of(matrix, d, width), x), ad_vec(d));
    ad_var diagonal = ad_reshape(blocks_of(matrix, d, 1), ad_vec(d));
    return ad_add(ad_sub(slope, own), ad_scale(diagonal, (values[0] + values[1]) / 2));
}

static ad_var by_slope(const ebm_graph *g, ad_var slope, int64_t width)
{
    const double *values = g->options->space.values;
    int64_t d = g->model->dim;
    if (width == 1) return ad_mul(slope, ad_shift(ad_scale(g->x, -2), values[0] + values[1]));
    ad_shape blocks = ad_mat(d / width, width);
    ad_var rows = ad_reshape(slope, blocks), now = ad_sum_dims(ad_mul(rows, ad_reshape(g->x, blocks)), 1u << 1);
    return ad_reshape(ad_sub(rows, ad_reshape(now, ad_mat(d / width, 1))), ad_vec(d));
}

/* ---- Change statistics ---- */

static ad_var by_gains(const ebm_graph *g)
{
    ad_var all = {g->tape, -1};
    for (int k = 0; k < g->model->parameters; k++) {
        ad_var own = ad_reshape(g->theta[k], ad_vec(g->model->parameter[k].count));
        all = k ? ad_concat(all, own, 0) : own;
    }
    return ad_neg(ad_matmul(g->gains, all));
}

ad_var ebm_graph_changes(const ebm_graph *g)
{
    if (!ad_is_null(g->gains)) return by_gains(g);
    const ebm_energy *kind = g->model->kind;
    int64_t width = g->options->space.one_hot ? g->options->space.labels : 1, apart = 0;
    ad_var x = ad_variable(g->x), E = ebm_graph_energy(g, x), slope = {g->tape, -1};
    int degree = ad_degree(E, x);
    bool own = degree > 1;
    if (degree < 0 || degree > 2) return by_copies(g, E, width);
    if (kind->slope) slope = kind->slope(x, g->theta, g->model->context, &apart);
    else ad_grad(E, &x, 1, &slope);
    if (apart > 0 && apart % width == 0) own = false;
    if (own && (!ad_is_null(g->given) || g->model->dim > MOST_HESSIAN)) return by_copies(g, E, width);
    slope = ad_lift(g->data, slope);
    return by_slope(g, own ? straightened(g, slope, width) : slope, width);
}

/* ---- Rows ---- */

gibbs_status ebm_check_state(const ebm_loss *loss, const ebm_loss_options *o, const double *x, int64_t given,
                             int64_t dim, gibbs_error *error)
{
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    (void)dim;
    gibbs_status status = ebm_space_check_row(loss->name, &o->space, GIBBS_FLOAT64, x, given, given, &found);
    if (!status) return GIBBS_OK;
    return gibbs_fail(error, status, "%.120s; for real values take score matching, nce or ml-is", found.message);
}
