#include "direct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bench_direct {
    const bench_case *c;
    gibbs_dtype dtype;
    int threads, leaves, outputs;
    bench_leaf leaf[BENCH_DIRECT_LEAVES];
    double *numbers[BENCH_DIRECT_LEAVES]; /* such as float32 holds exactly, so that both dtypes see the same */
    void *bound[BENCH_DIRECT_LEAVES];     /* these in the dtype */
    int64_t output_size[BENCH_DIRECT_OUTPUTS];
    ad_plan *plan;
    ad_workspace *workspace;
};

enum { DRAW_SEED = 1 };

static gibbs_status out_of_memory(gibbs_error *error)
{
    *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "bench: out of memory"};
    return GIBBS_MEMORY;
}

/* ---- Numbers ---- */

static ad_shape whole_shape(const bench_direct *d, int i)
{
    ad_shape s = d->leaf[i].shape;
    return i ? s : ad_mat(d->c->rows, ad_shape_count(&s));
}

static int64_t leaf_count(const bench_direct *d, int i)
{
    ad_shape s = whole_shape(d, i);
    return ad_shape_count(&s);
}

/* Standard normals, another step for each leaf; a uniform number is Φ of a normal one. In these draws the squared
 * distances of a point of kmeans-16x1000 to its two nearest centroids differ by 3e-5 at least: float32 chooses the
 * same. */
static gibbs_status draw(bench_direct *d, int i, gibbs_error *error)
{
    double zero = 0, one = 1, *to = d->numbers[i];
    int64_t n = leaf_count(d, i);
    ebm_proposal *normal = NULL;
    if (d->leaf[i].numbers == BENCH_LAST_ROWS) {
        memcpy(to, d->numbers[0] + leaf_count(d, 0) - n, sizeof *to * (size_t)n);
        return GIBBS_OK;
    }
    gibbs_status status = ebm_proposal_gaussian_diagonal(1, &zero, &one, NULL, &normal, error);
    if (!status) status = ebm_proposal_sample(normal, n, DRAW_SEED, (uint64_t)i + 1, NULL, to, NULL, error);
    for (int64_t k = 0; !status && k < n; k++)
        to[k] = (float)(d->leaf[i].numbers == BENCH_UNIFORM ? 0.5 * erfc(-M_SQRT1_2 * to[k]) : to[k]);
    ebm_proposal_free(normal);
    return status;
}

static gibbs_status fill_leaf(bench_direct *d, int i, gibbs_error *error)
{
    int64_t n = leaf_count(d, i);
    d->numbers[i] = malloc(sizeof(double) * (size_t)n);
    d->bound[i] = malloc(gibbs_dtype_size(d->dtype) * (size_t)n);
    if (!d->numbers[i] || !d->bound[i]) return out_of_memory(error);
    gibbs_status status = draw(d, i, error);
    for (int64_t k = 0; !status && k < n; k++)
        if (d->dtype == GIBBS_FLOAT64) ((double *)d->bound[i])[k] = d->numbers[i][k];
        else ((float *)d->bound[i])[k] = (float)d->numbers[i][k];
    return status;
}

/* ---- The plan ---- */

static gibbs_status compile(bench_direct *d, const bench_recipe *recipe, ad_tape *t, ad_axis axis, ad_var *leaf,
                            gibbs_error *error)
{
    ad_var output[BENCH_DIRECT_OUTPUTS];
    ad_plan_options options = {.block_bytes = recipe->block_bytes ? recipe->block_bytes(d->c) : 0};
    leaf[0] = ad_input(axis, d->leaf[0].name, d->leaf[0].shape);
    for (int i = 1; i < d->leaves; i++) leaf[i] = ad_parameter(t, d->leaf[i].name, d->leaf[i].shape);
    d->outputs = recipe->record(d->c, leaf, output);
    for (int i = 0; i < d->outputs; i++) {
        ad_shape s = ad_shape_of(output[i]);
        d->output_size[i] = ad_shape_count(&s);
    }
    gibbs_status status = ad_compile(output, d->outputs, &options, &d->plan, error);
    return status ? status : ad_workspace_new(d->plan, &d->workspace, error);
}

static gibbs_status make_plan(bench_direct *d, const bench_recipe *recipe, gibbs_error *error)
{
    ad_var leaf[BENCH_DIRECT_LEAVES];
    ad_tape *t = ad_tape_new(d->dtype, NULL);
    if (!t) return out_of_memory(error);
    ad_axis axis = ad_axis_new(t, "data");
    gibbs_status status = compile(d, recipe, t, axis, leaf, error);
    for (int i = 0; !status && i < d->leaves; i++) status = fill_leaf(d, i, error);
    for (int i = 0; !status && i < d->leaves; i++) status = ad_bind(d->workspace, leaf[i], d->bound[i], error);
    if (!status) status = ad_set_rows(d->workspace, axis, d->c->rows, error);
    ad_tape_free(t);
    return status;
}

gibbs_status bench_direct_open(const bench_recipe *recipe, const bench_case *c, gibbs_dtype dtype, int threads,
                               bench_direct **direct, gibbs_error *error)
{
    bench_direct *d = *direct = calloc(1, sizeof *d);
    if (!d) return out_of_memory(error);
    d->c = c;
    d->dtype = dtype;
    d->threads = threads;
    d->leaves = recipe->leaves(c, d->leaf);
    gibbs_status status = make_plan(d, recipe, error);
    if (!status) return GIBBS_OK;
    bench_direct_close(d);
    *direct = NULL;
    return status;
}

void bench_direct_close(bench_direct *d)
{
    if (!d) return;
    ad_workspace_free(d->workspace);
    ad_plan_free(d->plan);
    for (int i = 0; i < d->leaves; i++) {
        free(d->numbers[i]);
        free(d->bound[i]);
    }
    free(d);
}

/* ---- Running ---- */

gibbs_status bench_direct_run(bench_direct *d, gibbs_error *error)
{
    return ad_run(d->workspace, &(ad_run_options){.threads = d->threads}, error);
}

int64_t bench_direct_size(const bench_direct *d)
{
    int64_t size = 0;
    for (int i = 1; i < d->outputs; i++) size += d->output_size[i];
    return size;
}

void bench_direct_answer(const bench_direct *d, double *value, double *gradient)
{
    *value = ad_result_scalar(d->workspace, 0);
    for (int i = 1; i < d->outputs; i++) {
        const void *from = ad_result(d->workspace, i);
        for (int64_t k = 0; k < d->output_size[i]; k++)
            *gradient++ = d->dtype == GIBBS_FLOAT64 ? ((const double *)from)[k] : (double)((const float *)from)[k];
    }
}

int bench_direct_tensors(const bench_direct *d, ebm_tensor *tensor)
{
    for (int i = 0; i < d->leaves; i++)
        tensor[i] = (ebm_tensor){d->leaf[i].name, GIBBS_FLOAT64, whole_shape(d, i), d->numbers[i]};
    return d->leaves;
}
