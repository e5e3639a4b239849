/* discrete.c — variables with a few values, recorded. */
#include "discrete.h"

#include "autodiff/tape/tape.h"

int64_t ebm_discrete_variables(const ebm_sampler_graph *graph) { return graph->space.variables; }

ad_var ebm_discrete_count(const ebm_sampler_graph *graph, int64_t n, int64_t by)
{
    double *values = gibbs_alloc(&graph->model->alloc, (size_t)n, sizeof *values);
    if (!values) {
        ad_fail(graph->tape, GIBBS_MEMORY, "%lld discrete variables: out of memory", (long long)n);
        return (ad_var){graph->tape, -1};
    }
    for (int64_t i = 0; i < n; i++) values[i] = (double)(i / by);
    ad_var count = ad_constant_array(graph->tape, ad_vec(n), values);
    gibbs_release(&graph->model->alloc, values);
    return count;
}

ad_var ebm_discrete_equal(ad_var a, ad_var b)
{
    return ad_less(ad_abs(ad_sub(a, b)), ad_constant(a.tape, 0.5));
}

/* The nearer value is the one it has: the other is put in its place as it is, and no sum rounds it. */
ad_var ebm_discrete_other(const ebm_sampler_graph *graph, ad_var x)
{
    const double *values = graph->space.values;
    ad_var first = ad_constant(graph->tape, values[0]), second = ad_constant(graph->tape, values[1]);
    ad_var is_first = ad_less(ad_abs(ad_sub(x, first)), ad_abs(ad_sub(x, second)));
    return ad_select(is_first, second, first);
}

/* c[i] = Σ_{j <= i} v[j], by doubling: log₂ n additions of vectors. */
static ad_var running_sum(ad_var v, int64_t n)
{
    for (int64_t by = 1; by < n; by *= 2) v = ad_add(v, ad_pad(ad_slice(v, 0, 0, n - by), 0, by, 0));
    return v;
}

/* The number of running sums that u times the total is not below: always a whole number, be the sums rounded or
 * NaN; of the last sum it is not asked. */
ad_var ebm_discrete_pick(const ebm_sampler_graph *graph, ad_var weight)
{
    int64_t n = ad_shape_of(weight).dim[0];
    if (ad_is_null(weight) || n < 2) return ad_constant(graph->tape, 0);
    ad_var sum = running_sum(weight, n), total = ad_reshape(ad_slice(sum, 0, n - 1, 1), ad_scalar());
    ad_var u = ad_mul(ad_uniform(graph->chain, ad_scalar(), EBM_STREAM_SAMPLER_PICK), total);
    ad_var below = ad_less(u, ad_slice(sum, 0, 0, n - 1));
    return ad_sum(ad_shift(ad_neg(below), 1));
}
