/* ksd.c — goodness of fit by the kernel Stein discrepancy, with p-values by the wild bootstrap: where the model is the
 * data's density, u is degenerate (its mean over either argument is 0), and N times the U-statistic and the same sum
 * with random signs have one limit distribution (Chwialkowski et al. 2016). */
#include "ebm/data/data_private.h"
#include "ebm/model/conditioned.h"
#include "base/options.h"
#include "base/parallel.h"
#include "base/random.h"
#include "ebm/objective/pairs.h"
#include "ebm/objective/stein_kernel.h"
#include "ebm/model/program.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { MEDIAN_ROWS = 1000 };
static const double TIE = 16 * DBL_EPSILON; /* of Σ|u|: two sums that differ by less are equal */

/* ---- The length ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double distance(const double *x, const double *y, int64_t dim)
{
    double sum = 0;
    for (int64_t k = 0; k < dim; k++) sum += (x[k] - y[k]) * (x[k] - y[k]);
    return sqrt(sum);
}

gibbs_status ebm_median_distance(const ebm_data *data, double *median, gibbs_error *error)
{
    GIBBS_REQUIRE("median distance", data && median, error);
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    if (data->rows < 2) return gibbs_fail(error, GIBBS_DATA, "median distance: one row");
    int64_t m = data->rows < MEDIAN_ROWS ? data->rows : MEDIAN_ROWS, count = 0, d = data->cols;
    gibbs_allocator a = gibbs_allocator_or_default(data->allocator.alloc ? &data->allocator : NULL);
    double *all = gibbs_alloc(&a, (size_t)(m * (m - 1) / 2), sizeof *all);
    if (!all) return gibbs_fail(error, GIBBS_MEMORY, "median distance: out of memory");
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < i; j++)
            all[count++] = distance(data->x + i * data->rows / m * d, data->x + j * data->rows / m * d, d);
    qsort(all, (size_t)count, sizeof *all, compare);
    *median = 0.5 * (all[(count - 1) / 2] + all[count / 2]);
    gibbs_release(&a, all);
    return *median > 0 ? GIBBS_OK : gibbs_fail(error, GIBBS_NUMERIC, "median distance: most rows are equal");
}

/* ---- u of all pairs ---- */

typedef struct pairs {
    gibbs_allocator alloc;
    int64_t rows, count;
    void *x, *first, *second; /* of the model's dtype */
    double *u;
} pairs;

static void pairs_free(pairs *p)
{
    gibbs_release_aligned(&p->alloc, p->x);
    gibbs_release_aligned(&p->alloc, p->first);
    gibbs_release_aligned(&p->alloc, p->second);
    gibbs_release(&p->alloc, p->u);
}

static gibbs_status pairs_new(const ebm_model *model, const ebm_data *data, pairs *p, gibbs_error *error)
{
    int64_t rows = data->rows;
    size_t size = gibbs_dtype_size(model->dtype);
    *p = (pairs){.alloc = model->alloc, .rows = rows, .count = rows * (rows - 1) / 2};
    p->x = gibbs_alloc_aligned(&p->alloc, (size_t)(rows * data->cols), size);
    p->first = gibbs_alloc_aligned(&p->alloc, (size_t)p->count, size);
    p->second = gibbs_alloc_aligned(&p->alloc, (size_t)p->count, size);
    p->u = gibbs_alloc(&p->alloc, (size_t)p->count, sizeof *p->u);
    if (!p->x || !p->first || !p->second || !p->u)
        return gibbs_fail(error, GIBBS_MEMORY, "ksd: out of memory for %lld pairs", (long long)p->count);
    ebm_to_dtype(model->dtype, rows * data->cols, p->x, data->x);
    ebm_fill_pairs(model->dtype, rows, p->first, p->second);
    return GIBBS_OK;
}

/* Runs the plan: axes and leaves are in the order x, first, second. */
static gibbs_status evaluate(const ebm_model *model, ebm_program *program, const ad_axis *axis, const ad_var *leaf,
                             const ad_var *theta, int threads, pairs *p, gibbs_error *error)
{
    ad_workspace *w = program->workspace;
    const void *memory[] = {p->x, p->first, p->second};
    gibbs_status status = ebm_model_bind(model, w, theta, error);
    for (int k = 0; k < 3 && !status; k++) status = ad_bind(w, leaf[k], memory[k], error);
    if (!status) status = ad_set_rows(w, axis[0], p->rows, error);
    if (!status) status = ad_set_rows(w, axis[1], p->count, error);
    if (!status) status = ad_run(w, &(ad_run_options){.threads = threads}, error);
    if (status) return status;
    ebm_from_dtype(model->dtype, p->count, p->u, ad_result(w, 0));
    int64_t bad = ebm_first_not_finite(GIBBS_FLOAT64, p->u, p->count);
    if (bad == p->count) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_NUMERIC, "ksd: not finite for rows %g and %g",
                      1 + ebm_number(model->dtype, p->first, bad), 1 + ebm_number(model->dtype, p->second, bad));
}

static gibbs_status record_and_run(const ebm_recording *r, const ebm_ksd_options *o, double length, pairs *p,
                                   gibbs_error *error)
{
    const ebm_model *model = r->model;
    ad_tape *tape = r->tape;
    ad_axis axis[2] = {ad_axis_new(tape, "data"), ad_axis_new(tape, "pairs")};
    ad_var leaf[3] = {ad_input(axis[0], "x", ad_vec(model->dim)), ad_input(axis[1], "first", ad_scalar()),
                      ad_input(axis[1], "second", ad_scalar())};
    ad_var E = ebm_model_energy_at(model, leaf[0], r->theta), slope = {tape, -1}, x[2], score[2];
    ad_grad(E, leaf, 1, &slope);
    for (int k = 0; k < 2; k++) {
        x[k] = ad_batch_gather(leaf[0], leaf[1 + k]);
        score[k] = ad_neg(ad_batch_gather(slope, leaf[1 + k]));
    }
    ad_var u = ad_lift(axis[1], ebm_stein_kernel(o->rbf ? ebm_radial_rbf : ebm_radial_imq, length, x, score));
    ebm_program program;
    gibbs_status status = ebm_program_build(tape, &u, 1, NULL, &program, error);
    if (!status) status = evaluate(model, &program, axis, leaf, r->theta, o->threads, p, error);
    ebm_program_free(&program);
    return status;
}

static gibbs_status stein(const ebm_model *model, const ebm_ksd_options *o, double length, pairs *p,
                          gibbs_error *error)
{
    ebm_recording r;
    gibbs_status status = ebm_recording_start("ksd", model, &r, error);
    if (!status) status = record_and_run(&r, o, length, p, error);
    ebm_recording_end(&r);
    return status;
}

/* ---- The bootstrap ---- */

typedef struct bootstrap {
    const pairs *p;
    uint64_t seed;
    double *sign; /* rows for each worker */
    double *sum;  /* of each replicate */
} bootstrap;

/* Σ_{i<j} εᵢεⱼ u: for equal signs, and where they are all changed, the same sum to the last bit. */
static double signed_sum(const pairs *p, const double *sign)
{
    const double *u = p->u;
    double total = 0;
    for (int64_t i = 0; i < p->rows; i++) {
        double sum = 0;
        for (int64_t j = i + 1; j < p->rows; j++) sum += sign[j] * *u++;
        total += sign[i] * sum;
    }
    return total;
}

static void replicate(void *context, int64_t index, int worker)
{
    const bootstrap *b = context;
    double *sign = b->sign + worker * b->p->rows;
    gibbs_words words = gibbs_words_start(b->seed, EBM_STREAM_LOSS_NORMAL, (uint64_t)index);
    for (int64_t i = 0; i < b->p->rows; i++) sign[i] = gibbs_words_next(&words) & 1 ? 1 : -1;
    b->sum[index] = signed_sum(b->p, sign);
}

/* How many replicates reach the sum without signs. Signs that give the same number in exact arithmetic reach it, though
 * rounding may put them below. */
static int64_t count_reached(const bootstrap *b, int count, double total)
{
    double size = 0;
    int64_t reached = 0;
    for (int64_t k = 0; k < b->p->count; k++) size += fabs(b->p->u[k]);
    for (int k = 0; k < count; k++) reached += b->sum[k] >= total - TIE * size;
    return reached;
}

static gibbs_status p_value(const pairs *p, const ebm_ksd_options *o, ebm_ksd *result, gibbs_error *error)
{
    int threads = o->threads > 0 ? o->threads : gibbs_default_threads();
    if (threads > p->rows) threads = (int)p->rows; /* their signs take no more memory than the pairs */
    int64_t reached = 0;
    double total = 0;
    bootstrap b = {.p = p, .seed = o->seed};
    b.sign = gibbs_alloc(&p->alloc, (size_t)threads * (size_t)p->rows, sizeof *b.sign);
    b.sum = gibbs_alloc(&p->alloc, (size_t)o->bootstrap, sizeof *b.sum);
    gibbs_status status = b.sign && b.sum ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "ksd: out of memory");
    if (!status) {
        gibbs_parallel(threads, o->bootstrap, replicate, &b);
        for (int64_t i = 0; i < p->rows; i++) b.sign[i] = 1;
        total = signed_sum(p, b.sign);
        reached = count_reached(&b, o->bootstrap, total);
    }
    gibbs_release(&p->alloc, b.sign);
    gibbs_release(&p->alloc, b.sum);
    if (status) return status;
    result->statistic = total / (double)p->count;
    result->p_value = (1.0 + (double)reached) / (1.0 + o->bootstrap);
    return GIBBS_OK;
}

/* ---- The test ---- */

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_ksd_options, length, 0, '(', 0, INFINITY, ')'),
    GIBBS_OPTION(ebm_ksd_options, bootstrap, 1000, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ebm_ksd_options, threads, 0, '[', 0, INFINITY, ')'),
};

static gibbs_status check(const ebm_model *model, const ebm_data *data, ebm_ksd_options *o, gibbs_error *error)
{
    gibbs_status status = ebm_check_data("ksd", model, data, error);
    if (!status) status = ebm_refuse_conditional("ksd", model, "a test of y given x is not there", error);
    if (status) return status;
    if (data->rows < 2) return gibbs_fail(error, GIBBS_DATA, "ksd: one row has no pairs");
    if (data->weight) return ebm_refuse_weights("ksd", data, error);
    if (data->rows > (int64_t)1 << 24)
        return gibbs_fail(error, GIBBS_SIZE, "ksd: %lld rows are too many", (long long)data->rows);
    return gibbs_options_fill("ksd", numbers, GIBBS_COUNT(numbers), o, error);
}

gibbs_status ebm_ksd_test(ebm_model *model, const ebm_data *data, const ebm_ksd_options *options, ebm_ksd *result,
                          gibbs_error *error)
{
    GIBBS_REQUIRE("ksd", model && data && result, error);
    *result = (ebm_ksd){NAN, NAN, NAN};
    ebm_ksd_options o = options ? *options : (ebm_ksd_options){0};
    gibbs_status status = check(model, data, &o, error);
    double length = o.length;
    if (!status && length == 0) status = ebm_median_distance(data, &length, error);
    if (status) return status;
    pairs p;
    status = pairs_new(model, data, &p, error);
    if (!status) status = stein(model, &o, length, &p, error);
    if (!status) status = p_value(&p, &o, result, error);
    if (!status) result->length = length;
    pairs_free(&p);
    return status;
}
