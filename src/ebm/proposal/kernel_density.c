/* kernel_density.c — Gaussian kernels over the rows of a table, one bandwidth a column:
 *
 *     q(y) = (1/n) Σⱼ Πᵢ N(yᵢ; xⱼᵢ, hᵢ²).
 *
 * Differences y − xⱼ are formed column by column: the expansion |y|² − 2y·xⱼ + |xⱼ|² would be one matrix product, but
 * loses the digits of close rows far from the origin, and n × d numbers a row of y would not stay in cache. */
#include "ebm/data/data_private.h"
#include "ebm/model/program.h"
#include "made.h"
#include "moments.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST_ROWS = 1 << 24 }; /* whole numbers that float32 can tell apart */

/* number: the table, dim bandwidths, and n places for the sequences that `sequence` makes. */
static int64_t rows_of(const ebm_made *k) { return (int64_t)k->number[0]; }
static const double *bandwidth(const ebm_made *k) { return k->number + 1; }
static const double *table(const ebm_made *k) { return bandwidth(k) + k->proposal.dim; }
static const double *counts(const ebm_made *k) { return table(k) + rows_of(k) * k->proposal.dim; }

static ad_var rows_constant(const ebm_made *k, ad_tape *tape)
{
    return ad_constant_array(tape, ad_mat(rows_of(k), k->proposal.dim), table(k));
}

/* The uniform says which row: as many of 1/n, 2/n, … are below it as there are rows before that one. */
static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    (void)theta;
    const ebm_made *k = ebm_made_of(q);
    int64_t n = rows_of(k);
    ad_var u = ad_reshape(ad_slice(random, 0, q->dim, 1), ad_scalar()), row = ad_constant(random.tape, 0);
    if (n > 1) {
        ad_var bound = ad_scale(ad_constant_array(random.tape, ad_vec(n - 1), counts(k) + 1), 1 / (double)n);
        row = ad_sum(ad_less(bound, u));
    }
    ad_var noise = ad_mul(ad_slice(random, 0, 0, q->dim), ebm_made_vector(k, random.tape, bandwidth(k)));
    return ad_add(ad_gather(rows_constant(k, random.tape), row), noise);
}

/* −½ Σᵢ ((yᵢ − xⱼᵢ)/hᵢ)² for every row j: [n]. */
static ad_var log_kernels(const ebm_made *k, ad_var y)
{
    int64_t n = rows_of(k);
    ad_var rows = rows_constant(k, y.tape), sum = ad_constant(y.tape, 0);
    for (int64_t i = 0; i < k->proposal.dim; i++) {
        ad_var column = ad_reshape(ad_slice(rows, 1, i, 1), ad_vec(n));
        ad_var z = ad_scale(ad_sub(ad_slice(y, 0, i, 1), column), M_SQRT1_2 / bandwidth(k)[i]);
        sum = ad_sub(sum, ad_square(z));
    }
    return sum;
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    const ebm_made *k = ebm_made_of(q);
    return ad_shift(ad_logsumexp(log_kernels(k, y)), k->log_norm - log((double)rows_of(k)));
}

static const ebm_proposal kind = {.name = "kernel_density", .draw = draw, .log_density = log_density};

/* ---- Bandwidths ---- */

static gibbs_status by_rule(const ebm_data *data, ebm_bandwidth_rule rule, double widen, const gibbs_allocator *a,
                            double *h, gibbs_error *error)
{
    double *mean, d = (double)data->cols, n = (double)data->rows;
    gibbs_status status = ebm_moments_new("bandwidth", data, widen, 0, a, &mean, error);
    if (status) return status;
    double factor = pow(rule == EBM_BANDWIDTH_SILVERMAN ? n * (d + 2) / 4 : n, -1 / (d + 4));
    for (int64_t i = 0; i < data->cols; i++) h[i] = factor * mean[data->cols + i];
    ebm_moments_free(mean, a);
    return GIBBS_OK;
}

gibbs_status ebm_bandwidth(const ebm_data *data, ebm_bandwidth_rule rule, double widen, double *h, gibbs_error *error)
{
    GIBBS_REQUIRE("bandwidth", data && h, error);
    if ((unsigned)rule > EBM_BANDWIDTH_SILVERMAN)
        return gibbs_fail(error, GIBBS_ARGUMENT, "bandwidth: there is no rule %d", (int)rule);
    return by_rule(data, rule, widen, data->allocator.alloc ? &data->allocator : NULL, h, error);
}

/* ---- Making one ---- */

static gibbs_status fill(ebm_made *k, const ebm_data *data, const double *given, gibbs_error *error)
{
    int64_t d = data->cols, n = data->rows;
    double *h = k->number + 1, *x = h + d, *count = x + n * d;
    gibbs_status status = GIBBS_OK;
    if (!given) status = by_rule(data, EBM_BANDWIDTH_SILVERMAN, 1, &k->alloc, h, error);
    if (!status) status = ebm_made_columns(k, "bandwidth", given ? given : h, DBL_MIN, INFINITY, h, error);
    if (status) return status;
    k->number[0] = (double)n;
    memcpy(x, data->x, (size_t)(n * d) * sizeof *x);
    for (int64_t j = 0; j < n; j++) count[j] = (double)j;
    k->log_norm = -0.5 * (double)d * log(2 * M_PI);
    for (int64_t i = 0; i < d; i++) k->log_norm -= log(h[i]);
    return GIBBS_OK;
}

gibbs_status ebm_proposal_kernel_density(const ebm_data *data, const double *h, const gibbs_allocator *allocator,
                                         ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("kernel_density", data && q, error);
    *q = NULL;
    ebm_made *k;
    int64_t count;
    gibbs_status status = ebm_data_check(data, error);
    if (!status) status = ebm_refuse_weights("kernel_density", data, error);
    if (status) return status;
    if (data->rows > MOST_ROWS || !gibbs_mul_size(data->rows + 1, data->cols + 1, &count))
        return gibbs_fail(error, GIBBS_SIZE, "kernel_density: %lld rows of %lld columns; at most %d rows",
                          (long long)data->rows, (long long)data->cols, MOST_ROWS);
    status = ebm_made_new(&kind, data->cols, count, 0, allocator, &k, error); /* 1 + d + nd + n numbers */
    if (status) return status;
    k->proposal.normals = data->cols;
    k->proposal.uniforms = 1;
    return ebm_made_finish(k, fill(k, data, h, error), q);
}

/* ---- Leaving one out ---- */

static gibbs_status run_left_out(const ebm_made *k, ad_tape *tape, double *log_q, gibbs_error *error)
{
    int64_t n = rows_of(k);
    ebm_program program;
    ad_axis axis = ad_axis_new(tape, "rows");
    ad_var x = ad_input(axis, "x", ad_vec(k->proposal.dim)), own = ad_input(axis, "own row", ad_scalar());
    ad_var away = ad_abs(ad_sub(ad_constant_array(tape, ad_vec(n), counts(k)), own));
    ad_var others = ad_select(ad_step(away), log_kernels(k, x), ad_constant(tape, -INFINITY));
    ad_var output = ad_shift(ad_logsumexp(others), k->log_norm - log((double)n - 1));
    gibbs_status status = ebm_program_build(tape, &output, 1, NULL, &program, error);
    if (!status) status = ad_bind(program.workspace, x, table(k), error);
    if (!status) status = ad_bind(program.workspace, own, counts(k), error);
    if (!status) status = ad_set_rows(program.workspace, axis, n, error);
    if (!status) status = ad_run(program.workspace, NULL, error);
    if (!status) memcpy(log_q, ad_result(program.workspace, 0), (size_t)n * sizeof *log_q);
    ebm_program_free(&program);
    return status;
}

gibbs_status ebm_proposal_kernel_density_left_out(const ebm_proposal *q, double *log_q, gibbs_error *error)
{
    GIBBS_REQUIRE("kernel_density", q && log_q, error);
    if (q->draw != draw)
        return gibbs_fail(error, GIBBS_ARGUMENT, "kernel_density: «%s» is none", q->name ? q->name : "");
    const ebm_made *k = ebm_made_of(q);
    if (rows_of(k) < 2)
        return gibbs_fail(error, GIBBS_ARGUMENT, "kernel_density: the only row cannot be left out");
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, &k->alloc);
    gibbs_status status = tape ? run_left_out(k, tape, log_q, error) : ebm_tape_error(tape, error);
    ad_tape_free(tape);
    return status;
}
