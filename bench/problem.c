#include "problem.h"

#include "gmm.h"
#include "kmeans.h"

#include <stdlib.h>
#include <string.h>

/* What a step of each method is made of. */
static const struct {
    const ebm_loss *loss; /* NULL: sampling alone, or a recipe */
    int redraw, adam;
    const bench_recipe *recipe;
} methods[BENCH_METHODS] = {
    [BENCH_NCE] = {&ebm_loss_nce, 1, 1, NULL},           [BENCH_ML_IS] = {&ebm_loss_ml_is, 0, 1, NULL},
    [BENCH_CD] = {&ebm_loss_cd, 1, 1, NULL},             [BENCH_SCORE] = {&ebm_loss_score_matching, 0, 1, NULL},
    [BENCH_DENOISE] = {&ebm_loss_denoising, 1, 1, NULL}, [BENCH_GAUSSIAN] = {&ebm_loss_ml_is, 0, 0, NULL},
    [BENCH_FULL] = {&ebm_loss_nce, 0, 0, NULL},          [BENCH_GMM] = {NULL, 0, 0, &bench_gmm},
    [BENCH_KMEANS] = {NULL, 0, 0, &bench_kmeans},
};

static gibbs_status out_of_memory(gibbs_error *error)
{
    *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "bench: out of memory"};
    return GIBBS_MEMORY;
}

/* ---- The models ---- */

static ad_var gaussian_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5);
}

static gibbs_status make_gaussian(gibbs_dtype dtype, ebm_model **model, gibbs_error *error)
{
    static const ebm_parameter theta = {"theta", {0, {0}}, EBM_INIT_CONSTANT, 1.75};
    ebm_model_spec spec = {0};
    spec.dtype = dtype;
    spec.dim = 1;
    spec.parameters = &theta;
    spec.parameter_count = 1;
    spec.energy = gaussian_energy;
    return ebm_model_new(&spec, model, error);
}

static gibbs_status make_mlp(const bench_case *c, gibbs_dtype dtype, ebm_model **model, gibbs_error *error)
{
    int64_t widths[BENCH_MAX_LAYERS];
    for (int l = 0; l < c->layers; l++) widths[l] = c->width;
    ebm_mlp_spec spec = {.dim = c->dim, .widths = widths, .layers = (int)c->layers, .base_sd = BENCH_BASE_SD};
    spec.dtype = dtype;
    spec.seed = BENCH_SEED;
    return ebm_model_mlp(&spec, model, error);
}

/* Biases start at 0, where a wrong treatment of them might not show: every parameter is moved a little, to a number
 * that float32 holds exactly. */
static gibbs_status move_parameters(ebm_model *model, gibbs_error *error)
{
    double zero = 0, sd = 0.05;
    int64_t n = ebm_model_size(model);
    double *theta = malloc(sizeof *theta * (size_t)n), *offset = malloc(sizeof *offset * (size_t)n);
    ebm_proposal *noise = NULL;
    gibbs_status status = theta && offset ? GIBBS_OK : out_of_memory(error);
    if (!status) status = ebm_proposal_gaussian_diagonal(1, &zero, &sd, NULL, &noise, error);
    if (!status) status = ebm_proposal_sample(noise, n, BENCH_SEED, UINT64_MAX, NULL, offset, NULL, error);
    if (!status) {
        ebm_model_get(model, theta);
        for (int64_t i = 0; i < n; i++) theta[i] = (float)(theta[i] + offset[i]);
        ebm_model_set(model, theta);
    }
    ebm_proposal_free(noise);
    free(offset);
    free(theta);
    return status;
}

/* ---- Data and proposal ---- */

static gibbs_status make_proposal(const bench_case *c, double mean, double sd, ebm_proposal **q, gibbs_error *error)
{
    double *both = malloc(2 * sizeof *both * (size_t)c->dim);
    if (!both) return out_of_memory(error);
    for (int64_t i = 0; i < c->dim; i++) {
        both[i] = mean;
        both[c->dim + i] = sd;
    }
    gibbs_status status = ebm_proposal_gaussian_diagonal(c->dim, both, both + c->dim, NULL, q, error);
    free(both);
    return status;
}

/* Standard normals; N(0, 2²) for the Gaussian, whose true θ is 2. */
static gibbs_status make_data(bench_problem *p, gibbs_error *error)
{
    int64_t n = p->c->rows * p->c->dim;
    ebm_proposal *truth = NULL;
    p->data = malloc(sizeof *p->data * (size_t)n);
    p->x = malloc(gibbs_dtype_size(p->dtype) * (size_t)n);
    gibbs_status status = p->data && p->x ? GIBBS_OK : out_of_memory(error);
    if (!status) status = make_proposal(p->c, 0, p->c->method == BENCH_GAUSSIAN ? 2 : 1, &truth, error);
    if (!status) status = ebm_proposal_sample(truth, p->c->rows, BENCH_SEED + 1, 0, NULL, p->data, NULL, error);
    for (int64_t i = 0; !status && i < n; i++) {
        float value = (float)p->data[i];
        p->data[i] = value;
        if (p->dtype == GIBBS_FLOAT64) ((double *)p->x)[i] = value;
        else ((float *)p->x)[i] = value;
    }
    ebm_proposal_free(truth);
    return status;
}

/* ---- Opening ---- */

ebm_chain_options bench_chain_options(int threads)
{
    ebm_chain_options o = {0};
    o.sampler = &ebm_ula;
    o.step = BENCH_CHAIN_STEP;
    o.threads = threads;
    return o;
}

static gibbs_status make_objective(bench_problem *p, gibbs_error *error)
{
    ebm_loss_options o = {0};
    o.proposal = p->proposal;
    o.noise_ratio = 1;
    o.noise_sd = bench_proposal_sd(p->c);
    o.sampler = &ebm_ula;
    o.sampler_steps = BENCH_CHAIN_STEPS;
    o.sampler_step = BENCH_CHAIN_STEP;
    o.threads = p->threads;
    gibbs_status status = ebm_objective_new(p->model, methods[p->c->method].loss, &o, &p->objective, error);
    if (!status) status = ebm_objective_bind(p->objective, p->x, p->c->rows, error);
    if (!status) status = ebm_objective_refresh(p->objective, BENCH_SEED, 0, error);
    if (status) return status;
    p->moments = calloc((size_t)(ebm_adam.slots * ebm_objective_size(p->objective)), gibbs_dtype_size(p->dtype));
    return p->moments ? GIBBS_OK : out_of_memory(error);
}

static gibbs_status make_chains(bench_problem *p, gibbs_error *error)
{
    ebm_chain_options options = bench_chain_options(p->threads);
    gibbs_status status = ebm_chains_new(p->model, &options, &p->chains, error);
    return status ? status : ebm_chains_start(p->chains, p->data, p->c->rows, error);
}

static gibbs_status make_model(bench_problem *p, gibbs_error *error)
{
    const bench_case *c = p->c;
    gibbs_status status =
        c->layers ? make_mlp(c, p->dtype, &p->model, error) : make_gaussian(p->dtype, &p->model, error);
    if (!status && c->layers) status = move_parameters(p->model, error);
    if (!status) status = make_data(p, error);
    if (!status) status = make_proposal(c, bench_proposal_mean(c), bench_proposal_sd(c), &p->proposal, error);
    if (!status) status = methods[c->method].loss ? make_objective(p, error) : make_chains(p, error);
    return status;
}

gibbs_status bench_problem_open(const bench_case *c, gibbs_dtype dtype, int threads, bench_problem *p,
                                gibbs_error *error)
{
    *p = (bench_problem){.c = c, .dtype = dtype, .threads = threads};
    const bench_recipe *recipe = methods[c->method].recipe;
    gibbs_status status =
        recipe ? bench_direct_open(recipe, c, dtype, threads, &p->direct, error) : make_model(p, error);
    if (status) bench_problem_close(p);
    return status;
}

void bench_problem_close(bench_problem *p)
{
    bench_direct_close(p->direct);
    ebm_objective_free(p->objective);
    ebm_chains_free(p->chains);
    ebm_proposal_free(p->proposal);
    ebm_model_free(p->model);
    free(p->moments);
    free(p->data);
    free(p->x);
    *p = (bench_problem){0};
}

/* ---- Running ---- */

const ebm_loss *bench_problem_loss(const bench_problem *p) { return methods[p->c->method].loss; }

int64_t bench_problem_size(const bench_problem *p)
{
    if (p->direct) return bench_direct_size(p->direct);
    return p->objective ? ebm_objective_size(p->objective) : p->c->rows * p->c->dim;
}

static gibbs_status energy_answer(bench_problem *p, double *value, double *gradient, gibbs_error *error)
{
    double *energy = malloc(sizeof *energy * (size_t)p->c->rows), sum = 0;
    gibbs_status status = energy ? GIBBS_OK : out_of_memory(error);
    if (!status) status = ebm_model_energy(p->model, p->data, p->c->rows, energy, gradient, error);
    for (int64_t i = 0; !status && i < p->c->rows; i++) sum += energy[i];
    *value = sum / (double)p->c->rows;
    free(energy);
    return status;
}

static gibbs_status direct_answer(bench_problem *p, double *value, double *gradient, gibbs_error *error)
{
    gibbs_status status = bench_direct_run(p->direct, error);
    if (!status) bench_direct_answer(p->direct, value, gradient);
    return status;
}

gibbs_status bench_problem_answer(bench_problem *p, double *value, double *gradient, gibbs_error *error)
{
    if (p->direct) return direct_answer(p, value, gradient, error);
    if (!p->objective) return energy_answer(p, value, gradient, error);
    gibbs_status status = ebm_objective_evaluate(p->objective, value, error);
    if (status) return status;
    const void *g = ebm_objective_gradient(p->objective);
    for (int64_t i = 0; i < ebm_objective_size(p->objective); i++)
        gradient[i] = p->dtype == GIBBS_FLOAT64 ? ((const double *)g)[i] : (double)((const float *)g)[i];
    return GIBBS_OK;
}

static void adam(bench_problem *p)
{
    ebm_optim_step a = {.step = (int64_t)p->step,
                        .rate = BENCH_RATE,
                        .beta1 = 0.9,
                        .beta2 = 0.999,
                        .epsilon = 1e-8,
                        .threads = p->threads};
    ebm_adam.update(p->dtype, ebm_objective_size(p->objective), ebm_objective_theta(p->objective),
                    ebm_objective_gradient(p->objective), p->moments, &a);
}

gibbs_status bench_problem_step(bench_problem *p, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    double value;
    if (p->direct) return bench_direct_run(p->direct, error);
    if (p->chains) return ebm_chains_run(p->chains, BENCH_CHAIN_STEPS, BENCH_SEED, 0, error);
    if (methods[p->c->method].redraw) status = ebm_objective_refresh(p->objective, BENCH_SEED, p->step + 1, error);
    if (!status) status = ebm_objective_evaluate(p->objective, &value, error);
    if (!status && methods[p->c->method].adam) adam(p);
    p->step++;
    return status;
}
