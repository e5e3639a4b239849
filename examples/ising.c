/* ising — the couplings of an Ising model recovered from samples, and their errors, by four losses.
 *
 * Pseudo-likelihood, exact maximum likelihood, ratio matching and persistent contrastive divergence; the errors are
 * against the truth, as the sample grows.
 *
 * E(x) = −Σ J_ij sᵢsⱼ − Σ hᵢsᵢ on a grid that is small enough to sum over all its states, so that the samples are exact
 * draws and the likelihood is the likelihood. The errors of consistent methods fall as N^−½; the Cramér-Rao
 * bound, from the exact likelihood's curvature, says how small they can be.
 *
 * Reading order: main, run, one_size, fit_one, draw. */
#include "common/failure.h"
#include "common/fitting.h"
#include "common/ising_tell.h"
#include "common/progress.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATES = 1 << SPINS, MANY = 50000 };

const method ising_methods[METHODS] = {
    {"pseudo-likelihood", &ebm_loss_pseudo_likelihood, 0},
    {"exact-ml", &ebm_loss_exact_ml, 0},
    {"ratio-matching", &ebm_loss_ratio_matching, 0},
    {"pcd", &ebm_loss_pcd, 1},
};

/* ---- The truth -------------------------------------------------------------------------------------------------- */

typedef struct problem {
    ebm_model *model;
    ebm_points states; /* all of them, weight 1 */
    int64_t repeat;    /* which data set of a size */
    double truth[THETA], probability[STATES], log_z;
} problem;

static void problem_free(problem *p)
{
    ebm_model_free(p->model);
    ebm_points_free(&p->states);
}

static void grid_edges(int64_t *edge)
{
    for (int i = 0; i < SPINS; i++) {
        if (i % SIDE < SIDE - 1) *edge++ = i, *edge++ = i + 1;
        if (i / SIDE < SIDE - 1) *edge++ = i, *edge++ = i + SIDE;
    }
}

/* Couplings of either sign, of sd `coupling`, and fields of half that. ebm_enumerate counts states as ebm_points_space
 * lists them. */
static gibbs_status problem_new(const settings *set, problem *p, gibbs_error *error)
{
    int64_t edges[2 * EDGES];
    double mean[THETA] = {0}, sd[THETA];
    ebm_proposal *normal = NULL;
    *p = (problem){0};
    grid_edges(edges);
    ebm_mrf_spec spec = {.space = {.variables = SPINS}, .edges = edges, .edge_count = EDGES, .dtype = GIBBS_FLOAT64};
    for (int i = 0; i < THETA; i++) sd[i] = set->coupling * (i < EDGES ? 1 : 0.5);
    gibbs_status status = ebm_model_ising(&spec, &p->model, error);
    if (!status) status = ebm_points_space(&spec.space, NULL, &p->states, error);
    if (!status) status = ebm_proposal_gaussian_diagonal(THETA, mean, sd, NULL, &normal, error);
    if (!status)
        status = ebm_proposal_sample(normal, 1, (uint64_t)set->common.seed, UINT64_MAX, NULL, p->truth, NULL, error);
    if (!status) ebm_model_set(p->model, p->truth);
    if (!status) status = ebm_enumerate(p->model, &spec.space, &p->log_z, p->probability, error);
    ebm_proposal_free(normal);
    return status;
}

/* Independent exact draws: states with their probabilities. */
static gibbs_status draw(const problem *p, int64_t rows, uint64_t seed, ebm_data *data, gibbs_error *error)
{
    int64_t *index = malloc((size_t)rows * sizeof *index);
    double *x = malloc((size_t)(rows * SPINS) * sizeof *x);
    gibbs_status status = index && x ? GIBBS_OK : fail(error, GIBBS_MEMORY, "the sample: out of memory");
    if (!status) status = ebm_resample(p->probability, STATES, rows, 1, seed, NULL, index, error);
    for (int64_t i = 0; !status && i < rows; i++)
        memcpy(x + i * SPINS, p->states.x + index[i] * SPINS, SPINS * sizeof *x);
    if (!status) status = ebm_data_from(x, rows, SPINS, NULL, data, error);
    free(x);
    free(index);
    return status;
}

/* ---- Fitting ---------------------------------------------------------------------------------------------------- */

static ebm_fit_options options_of(const settings *set, const method *m, const problem *p, int64_t rows)
{
    ebm_fit_options fit = {0};
    fit.loss = m->loss;
    fit.seed = (uint64_t)set->common.seed;
    fit.threads = (int)set->common.threads;
    fit.lbfgs = !m->chains;
    fit.loss_options.points = &p->states;
    if (!m->chains) return fit;
    fit.steps = (int64_t)set->steps;
    fit.batch = rows < 500 ? rows : 500;
    fit.rate = 0.05, fit.schedule = EBM_SCHEDULE_COSINE, fit.average = 0.99;
    fit.loss_options.sampler = &ebm_gibbs;
    return fit;
}

/* The root mean square error of the couplings. */
static double error_of(const problem *p, const double *theta)
{
    double sum = 0;
    for (int e = 0; e < EDGES; e++) sum += pow(theta[e] - p->truth[e], 2);
    return sqrt(sum / EDGES);
}

static gibbs_status fit_one(const settings *set, const method *m, problem *p, const ebm_data *data, double *theta,
                            gibbs_error *error)
{
    memset(ebm_model_theta(p->model), 0, THETA * sizeof *theta);
    ebm_fit_options fit = options_of(set, m, p, data->rows);
    char name[64];
    snprintf(name, sizeof name, "%s.%lld.%lld", m->name, (long long)data->rows, (long long)p->repeat);
    gibbs_status status = fit_model(&set->common, name, p->model, data, &fit, NULL, error);
    ebm_model_get(p->model, theta);
    return status;
}

/* √(tr of the couplings' part of F⁻¹/EDGES) of one row, F the Fisher information: what no unbiased estimate beats,
 * times √N. It is the exact likelihood's standard error at the truth, over many rows. */
static gibbs_status bound(const settings *set, problem *p, double *value, gibbs_error *error)
{
    ebm_uncertainty u = {0};
    ebm_data data = {0};
    double sum = 0;
    gibbs_status status = draw(p, MANY, (uint64_t)set->common.seed + (1ull << 60), &data, error);
    ebm_fit_options fit = options_of(set, &ising_methods[1], p, MANY);
    ebm_model_set(p->model, p->truth);
    if (!status) status = ebm_standard_errors(p->model, &data, &fit, &u, error);
    for (int e = 0; !status && e < EDGES; e++) sum += u.standard_error[e] * u.standard_error[e];
    *value = sqrt(MANY * sum / EDGES);
    ebm_uncertainty_free(&u);
    ebm_data_free(&data);
    return status;
}

/* The errors of one size: root mean squares over data sets. */
static gibbs_status one_size(const settings *set, problem *p, int64_t rows, outcome *o, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    int64_t repeats = (int64_t)set->repeats;
    for (int64_t r = 0; !status && r < repeats; r++) {
        ebm_data data = {0};
        p->repeat = r;
        status = draw(p, rows, ((uint64_t)set->common.seed << 20) + (uint64_t)r, &data, error);
        for (int m = 0; !status && m < METHODS; m++) {
            status = fit_one(set, &ising_methods[m], p, &data, o->theta[m], error);
            o->error[m] += pow(error_of(p, o->theta[m]), 2) / (double)repeats;
        }
        ebm_data_free(&data);
    }
    for (int m = 0; m < METHODS; m++) o->error[m] = sqrt(o->error[m]);
    return status;
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

static gibbs_status all_sizes(const settings *set, problem *p, outcome *o, report *root, gibbs_error *error)
{
    double unit;
    gibbs_status status = bound(set, p, &unit, error);
    report *list = report_list(root, "sizes");
    progress_line line = progress_start("ising", set->common.quiet);
    for (int i = 0; !status && i < SIZES; i++) {
        o[i].rows = (int64_t)set->rows << 2 * i;
        o[i].error[BOUND] = unit / sqrt((double)o[i].rows);
        status = one_size(set, p, o[i].rows, &o[i], error);
        progress_clear(&line);
        if (!status) ising_tell(set, &o[i], list);
        progress_show(&line, i + 1, SIZES, "");
    }
    progress_clear(&line);
    return status;
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    static problem p;
    static outcome o[SIZES];
    gibbs_status status = report_prepare(&set->common, error);
    if (!status) status = problem_new(set, &p, error);
    if (!status) ising_tell_head(set);
    if (!status) status = all_sizes(set, &p, o, root, error);
    report_numbers(root, "truth", p.truth, EDGES);
    for (int m = 0; m < METHODS; m++) report_numbers(root, ising_methods[m].name, o[SIZES - 1].theta[m], EDGES);
    if (!status) status = ising_save(set, p.truth, o, error);
    problem_free(&p);
    if (!status && !set->common.quiet) printf("Pictures and data: %s/ising*\n", set->common.out);
    return status;
}

int main(int argc, char **argv)
{
    settings set = {100, 0.5, 400, 3, {.seed = 1, .threads = 1, .out = "out"}};
    static const option_domain rows = {"a whole number from 50 to 10000", 50, 10001, 1};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"rows", "N", "Rows of the smallest sample; each of the others has four times as many", &set.rows, &rows, NULL},
        {"coupling", "SD", "Of the true couplings", &set.coupling, &option_positive, NULL},
        {"steps", "N", "Of PCD", &set.steps, &option_count, NULL},
        {"repeats", "N", "Data sets of each size", &set.repeats, &option_count, NULL},
    };
    options_read(argc, argv,
                 "The couplings of an Ising model recovered from samples: pseudo-likelihood, exact maximum "
                 "likelihood, ratio matching and PCD, against the truth.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
