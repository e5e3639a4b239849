#include "reference.h"

#include "denoise.h"
#include "given.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_TENSORS = 2 * BENCH_MAX_LAYERS + 8 };

/* Tensors to be written, and the memory that is theirs. */
typedef struct file {
    ebm_tensor tensor[MAX_TENSORS];
    int count;
    double *theta, *y, *log_q, *gradient, value;
} file;

static void add(file *f, const char *name, ad_shape shape, double *data)
{
    f->tensor[f->count++] = (ebm_tensor){name, GIBBS_FLOAT64, shape, data};
}

static void add_parameters(file *f, const bench_problem *p)
{
    double *at = f->theta;
    for (int i = 0; i < ebm_model_parameters(p->model); i++) {
        ad_shape shape = ebm_model_parameter_shape(p->model, i);
        add(f, ebm_model_parameter_name(p->model, i), shape, at);
        at += ad_shape_count(&shape);
    }
    if (p->objective && ebm_objective_size(p->objective) > ebm_model_size(p->model)) {
        *at = ((double *)ebm_objective_theta(p->objective))[ebm_model_size(p->model)];
        add(f, "log_z", ad_scalar(), at);
    }
}

/* CD's chains again, with the seed and the steps of the objective's own: the objective keeps its ends to itself. */
static gibbs_status chain_ends(const bench_problem *p, double *y, gibbs_error *error)
{
    ebm_chain_options options = bench_chain_options(p->threads);
    ebm_chains *chains = NULL;
    gibbs_status status = ebm_chains_new(p->model, &options, &chains, error);
    if (!status) status = ebm_chains_start(chains, p->data, p->c->rows, error);
    if (!status) status = ebm_chains_run(chains, BENCH_CHAIN_STEPS, BENCH_SEED, 0, error);
    if (!status) ebm_chains_get(chains, y);
    ebm_chains_free(chains);
    return status;
}

/* The artificial points of the objective's first evaluation, each with its log q where it is a draw of q. */
static gibbs_status add_points(file *f, const bench_problem *p, gibbs_error *error)
{
    int64_t rows = p->c->rows;
    add(f, "x", ad_mat(rows, p->c->dim), p->data);
    add(f, "y", ad_mat(rows, p->c->dim), f->y);
    if (p->c->method == BENCH_CD) return chain_ends(p, f->y, error);
    if (p->c->method == BENCH_DENOISE) return bench_denoise_noise(p, f->y, error);
    gibbs_status status = ebm_proposal_sample(p->proposal, rows, BENCH_SEED, 0, NULL, f->y, f->log_q, error);
    add(f, "log_q", ad_vec(rows), f->log_q);
    return status;
}

static gibbs_status out_of_memory(gibbs_error *error)
{
    *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "bench: out of memory"};
    return GIBBS_MEMORY;
}

static gibbs_status fill_model(file *f, const bench_problem *p, gibbs_error *error)
{
    size_t rows = (size_t)p->c->rows;
    f->theta = malloc(sizeof(double) * ((size_t)ebm_model_size(p->model) + 1));
    f->y = malloc(sizeof(double) * rows * (size_t)p->c->dim);
    f->log_q = malloc(sizeof(double) * rows);
    if (!f->theta || !f->y || !f->log_q) return out_of_memory(error);
    ebm_model_get(p->model, f->theta);
    add_parameters(f, p);
    return add_points(f, p, error);
}

static gibbs_status fill(file *f, bench_problem *p, gibbs_error *error)
{
    size_t size = (size_t)bench_problem_size(p);
    f->gradient = malloc(sizeof(double) * size);
    if (!f->gradient) return out_of_memory(error);
    gibbs_status status = GIBBS_OK;
    if (p->direct) f->count = bench_direct_tensors(p->direct, f->tensor);
    else status = fill_model(f, p, error);
    if (!status) status = bench_problem_answer(p, &f->value, f->gradient, error);
    add(f, "value", ad_scalar(), &f->value);
    add(f, "gradient", ad_vec((int64_t)size), f->gradient);
    return status;
}

gibbs_status bench_reference_write(const bench_case *c, const char *path, gibbs_error *error)
{
    bench_problem p;
    file f = {.count = 0};
    gibbs_status status = bench_problem_open(c, GIBBS_FLOAT64, 1, &p, error);
    if (status) return status;
    status = fill(&f, &p, error);
    if (!status) status = ebm_tensors_write(path, f.tensor, f.count, error);
    free(f.gradient);
    free(f.log_q);
    free(f.y);
    free(f.theta);
    bench_problem_close(&p);
    return status;
}

/* ---- Checking our own answer ---- */

static gibbs_status compare(const double *gradient, int64_t n, double value, const ebm_tensors *file, double tolerance,
                            gibbs_error *error)
{
    const ebm_tensor *v = ebm_tensors_find(file, "value"), *g = ebm_tensors_find(file, "gradient");
    *error = (gibbs_error){.status = GIBBS_NUMERIC};
    if (!v || !g || ad_shape_count(&g->shape) != n) {
        snprintf(error->message, sizeof error->message, "the reference has no value, or no gradient of this size");
        return GIBBS_NUMERIC;
    }
    double want = *(const double *)v->data, gap = 0, norm = 0;
    for (int64_t i = 0; i < n; i++) {
        double w = ((const double *)g->data)[i];
        gap += (gradient[i] - w) * (gradient[i] - w);
        norm += w * w;
    }
    double value_error = fabs(value - want) / fmax(1, fabs(want)), gradient_error = sqrt(gap / norm);
    if (value_error <= tolerance && gradient_error <= tolerance) return GIBBS_OK;
    snprintf(error->message, sizeof error->message, "value off by %.2g, gradient by %.2g; allowed is %.0e", value_error,
             gradient_error, tolerance);
    return GIBBS_NUMERIC;
}

/* In float64 the objective's own answer; in both dtypes the loss at the file's artificial points. */
static gibbs_status check_both(bench_problem *p, const ebm_tensors *file, double *gradient, gibbs_error *error)
{
    const ebm_loss *loss = bench_problem_loss(p);
    int64_t n = bench_problem_size(p);
    double value, tolerance = p->dtype == GIBBS_FLOAT64 ? 1e-9 : 1e-3;
    gibbs_status status = GIBBS_OK;
    if (!loss || p->dtype == GIBBS_FLOAT64) {
        status = bench_problem_answer(p, &value, gradient, error);
        if (!status) status = compare(gradient, n, value, file, tolerance, error);
    }
    if (status || !loss) return status;
    status = bench_given_answer(p, loss, file, &value, gradient, error);
    return status ? status : compare(gradient, n, value, file, tolerance, error);
}

gibbs_status bench_reference_check(bench_problem *p, const char *path, gibbs_error *error)
{
    ebm_tensors file;
    double *gradient = malloc(sizeof *gradient * (size_t)bench_problem_size(p));
    gibbs_status status = ebm_tensors_read(path, NULL, &file, error);
    if (!status && !gradient) status = out_of_memory(error);
    if (!status) status = check_both(p, &file, gradient, error);
    ebm_tensors_free(&file);
    free(gradient);
    return status;
}
