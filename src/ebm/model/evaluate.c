/* evaluate.c — E and ∇xE at given points: a plan for each of the two, made when first asked for and run chunk by
 * chunk, so that memory does not grow with the number of points. */
#include "program.h"

#include "ebm/data/data_private.h"

#include <math.h>
#include <string.h>

enum { CHUNK_ROWS = 1 << 16, CHUNK_NUMBERS = 1 << 20 };

/* The tape is gone; x and axis are only names for what the plan knows. */
typedef struct program {
    ebm_program run;
    ad_axis axis;
    ad_var x;
} program;

struct ebm_evaluator {
    gibbs_allocator alloc;
    program program[2]; /* E alone; E and ∇xE */
    float *narrow;      /* a chunk of points for a float32 model */
    int64_t capacity;   /* of it, in numbers */
};

void ebm_evaluator_free(ebm_evaluator *e)
{
    if (!e) return;
    gibbs_allocator a = e->alloc;
    for (int k = 0; k < GIBBS_COUNT(e->program); k++) ebm_program_free(&e->program[k].run);
    gibbs_release(&a, e->narrow);
    gibbs_release(&a, e);
}

/* ---- Plans ---- */

/* E is lifted because an energy may ignore x; its value is then shared, and one a row is wanted. */
static gibbs_status record_and_compile(const ebm_recording *r, bool gradient, program *p, gibbs_error *error)
{
    ad_var output[2];
    p->axis = ad_axis_new(r->tape, "points");
    p->x = ad_input(p->axis, "x", ad_vec(r->model->dim));
    output[0] = ad_lift(p->axis, ebm_model_energy_at(r->model, p->x, r->theta));
    if (gradient) ad_grad(output[0], &p->x, 1, &output[1]);
    gibbs_status status = ebm_program_build(r->tape, output, gradient ? 2 : 1, NULL, &p->run, error);
    return status ? status : ebm_model_bind(r->model, p->run.workspace, r->theta, error);
}

static gibbs_status program_new(const ebm_model *model, bool gradient, program *out, gibbs_error *error)
{
    program p = {0};
    ebm_recording r;
    gibbs_status status = ebm_recording_start("energy", model, &r, error);
    if (!status) status = record_and_compile(&r, gradient, &p, error);
    ebm_recording_end(&r);
    if (status) ebm_program_free(&p.run);
    else *out = p;
    return status;
}

static gibbs_status find_program(ebm_model *model, bool gradient, program **out, gibbs_error *error)
{
    if (!model->evaluator) {
        model->evaluator = gibbs_alloc_zero(&model->alloc, 1, sizeof *model->evaluator);
        if (!model->evaluator) return gibbs_fail(error, GIBBS_MEMORY, "energy: out of memory");
        model->evaluator->alloc = model->alloc;
    }
    *out = &model->evaluator->program[gradient];
    return (*out)->run.plan ? GIBBS_OK : program_new(model, gradient, *out, error);
}

/* ---- Running ---- */

static int64_t chunk_rows(const ebm_model *model)
{
    int64_t rows = CHUNK_NUMBERS / model->dim;
    return rows < 1 ? 1 : rows < CHUNK_ROWS ? rows : CHUNK_ROWS;
}

/* The points as numbers of the model's dtype: x itself, or a copy that lasts until the next chunk. */
static gibbs_status convert(ebm_model *model, const double *x, int64_t count, const void **out, gibbs_error *error)
{
    ebm_evaluator *e = model->evaluator;
    *out = x;
    if (model->dtype == GIBBS_FLOAT64) return GIBBS_OK;
    if (!gibbs_grow(&e->alloc, &e->narrow, &e->capacity, 0, count, sizeof *e->narrow))
        return gibbs_fail(error, GIBBS_MEMORY, "energy: out of memory for %lld numbers", (long long)count);
    ebm_to_dtype(model->dtype, count, e->narrow, x);
    *out = e->narrow;
    return GIBBS_OK;
}

static gibbs_status run_chunk(ebm_model *model, program *p, const double *x, int64_t rows, gibbs_error *error)
{
    const void *points;
    gibbs_status status = convert(model, x, rows * model->dim, &points, error);
    if (!status) status = ad_bind(p->run.workspace, p->x, points, error);
    if (!status) status = ad_set_rows(p->run.workspace, p->axis, rows, error);
    return status ? status : ad_run(p->run.workspace, NULL, error);
}

/* A run counts rows from the beginning of its chunk: says where that is, counted from 0 as runs do. */
static gibbs_status chunk_failed(gibbs_status status, int64_t first, gibbs_error *error)
{
    if (!error || !first || status == GIBBS_MEMORY) return status;
    gibbs_error inner = *error;
    gibbs_fail(error, status, "with row %lld of x as row 0: %s", (long long)first, inner.message);
    if (inner.row >= 0) error->row = first + inner.row;
    error->axis = inner.axis;
    return status;
}

/* For points that were checked. */
static gibbs_status evaluate(ebm_model *model, const double *x, int64_t rows, double *energy, double *gradient,
                             gibbs_error *error)
{
    program *p;
    gibbs_status status = find_program(model, gradient, &p, error);
    int64_t chunk = chunk_rows(model);
    for (int64_t row = 0; row < rows && !status; row += chunk) {
        int64_t n = rows - row < chunk ? rows - row : chunk;
        status = run_chunk(model, p, x + row * model->dim, n, error);
        if (status) return chunk_failed(status, row, error);
        ebm_from_dtype(model->dtype, n, energy + row, ad_result(p->run.workspace, 0));
        if (!gradient) continue;
        ebm_from_dtype(model->dtype, n * model->dim, gradient + row * model->dim, ad_result(p->run.workspace, 1));
    }
    return status;
}

/* Finite, and still so as numbers of the model's dtype. */
static gibbs_status check_points(const ebm_model *model, const double *x, int64_t rows, gibbs_error *error)
{
    gibbs_status status = ebm_check_points("x", x, rows, model->dim, error);
    if (status || model->dtype == GIBBS_FLOAT64) return status;
    for (int64_t i = 0; i < rows * model->dim; i++)
        if (!isfinite((float)x[i]))
            return gibbs_fail_row(error, GIBBS_DATA, i / model->dim,
                                  "x: %g at row %lld, column %lld is too large for a float32 model", x[i],
                                  (long long)(i / model->dim + 1), (long long)(i % model->dim + 1));
    return GIBBS_OK;
}

gibbs_status ebm_model_energy(ebm_model *model, const double *x, int64_t rows, double *energy, double *gradient,
                              gibbs_error *error)
{
    GIBBS_REQUIRE("energy", model, error);
    int64_t count;
    if (rows < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "energy: %lld rows; at least 1 is needed", (long long)rows);
    if (!gibbs_mul_size(rows, model->dim, &count) || count > PTRDIFF_MAX / (int64_t)sizeof *x)
        return gibbs_fail(error, GIBBS_SIZE, "energy: %lld rows of %lld numbers are too many", (long long)rows,
                          (long long)model->dim);
    if (!x) return gibbs_fail(error, GIBBS_ARGUMENT, "energy: no points");
    if (!energy) return gibbs_fail(error, GIBBS_ARGUMENT, "energy: no place for the energies");
    gibbs_status status = check_points(model, x, rows, error);
    return status ? status : evaluate(model, x, rows, energy, gradient, error);
}

/* ---- Log likelihood ---- */

/* Adds n energies, of the rows from `first` on, to *total. +∞ counts: the density is 0 there. */
static gibbs_status add_energies(const ebm_data *data, const double *energy, int64_t n, int64_t first, double *total,
                                 gibbs_error *error)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double weight = data->weight ? data->weight[first + i] : 1;
        if (weight == 0) continue;
        if (isnan(energy[i]) || energy[i] == -INFINITY)
            return gibbs_fail_row(error, GIBBS_NUMERIC, first + i, "log likelihood: E is %s at row %lld",
                                  isnan(energy[i]) ? "NaN" : "-infinity", (long long)(first + i + 1));
        sum += weight * energy[i];
    }
    *total += sum;
    return GIBBS_OK;
}

static gibbs_status check_data(const ebm_model *model, const ebm_data *data, double log_z, gibbs_error *error)
{
    gibbs_status status = ebm_check_data("log likelihood", model, data, error);
    if (!status)
        status = ebm_refuse_conditional("log likelihood", model, "each x has its own log Z: ebm_loss_conditional_ml or "
                                        "ebm_loss_exact_ml of an objective is minus the mean of log p(y | x)", error);
    if (status) return status;
    if (!isfinite(log_z)) return gibbs_fail(error, GIBBS_ARGUMENT, "log likelihood: log Z is %g", log_z);
    return check_points(model, data->x, data->rows, error);
}

gibbs_status ebm_mean_log_likelihood(ebm_model *model, const ebm_data *data, double log_z, double *result,
                                     gibbs_error *error)
{
    GIBBS_REQUIRE("log likelihood", model && data && result, error);
    gibbs_status status = check_data(model, data, log_z, error);
    if (status) return status;
    int64_t chunk = chunk_rows(model);
    if (data->rows < chunk) chunk = data->rows;
    double total = 0, *energy = gibbs_alloc(&model->alloc, (size_t)chunk, sizeof *energy);
    if (!energy) return gibbs_fail(error, GIBBS_MEMORY, "log likelihood: out of memory");
    for (int64_t row = 0; row < data->rows && !status; row += chunk) {
        int64_t n = data->rows - row < chunk ? data->rows - row : chunk;
        status = evaluate(model, data->x + row * model->dim, n, energy, NULL, error);
        if (status) status = chunk_failed(status, row, error);
        else status = add_energies(data, energy, n, row, &total, error);
    }
    gibbs_release(&model->alloc, energy);
    if (!status) *result = -total / ebm_data_weight(data) - log_z;
    return status;
}
