/* ising — the couplings of an Ising model, recovered from samples: pseudo-likelihood, exact maximum likelihood,
 * contrastive divergence and its persistent form, and their errors against the truth as the sample grows.
 *
 * E(x) = −Σ J_ij sᵢsⱼ − Σ hᵢsᵢ on a grid that is small enough to sum over all its states, so that the samples are exact
 * draws and the likelihood is the likelihood. The errors of consistent methods fall as N^−½; the Cramér-Rao
 * bound, from the exact likelihood's curvature, says how small they can be.
 *
 * Reading order: main, run, one_size, fit_one, draw. */
#include "common/failure.h"
#include "common/files.h"
#include "common/options.h"
#include "common/picture.h"
#include "common/progress.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 3, SPINS = SIDE * SIDE, EDGES = 2 * SIDE * (SIDE - 1), THETA = EDGES + SPINS, STATES = 1 << SPINS };
enum { SIZES = 5, METHODS = 4, BOUND = METHODS, MANY = 50000 };

typedef struct settings {
    double rows, coupling, steps, repeats;
    common_options common;
} settings;

typedef struct method {
    const char *name;
    const ebm_loss *loss;
    int chains; /* fitted by stochastic steps: its points come from Gibbs chains */
} method;

static const method methods[METHODS] = {
    {"pseudo-likelihood", &ebm_loss_pseudo_likelihood, 0},
    {"exact-ml", &ebm_loss_exact_ml, 0},
    {"cd-1", &ebm_loss_cd, 1},
    {"pcd", &ebm_loss_pcd, 1},
};

/* What came of one size. */
typedef struct outcome {
    int64_t rows;
    double error[METHODS + 1];    /* of each method, and the bound */
    double theta[METHODS][THETA]; /* of the last data set */
} outcome;

/* ---- The truth -------------------------------------------------------------------------------------------------- */

typedef struct problem {
    ebm_model *model;
    ebm_points states; /* all of them, weight 1 */
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
    ebm_fit_options fit = ebm_fit_defaults();
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
    gibbs_status status = ebm_fit(p->model, data, &fit, NULL, error);
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
    ebm_fit_options fit = options_of(set, &methods[1], p, MANY);
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
        status = draw(p, rows, ((uint64_t)set->common.seed << 20) + (uint64_t)r, &data, error);
        for (int m = 0; !status && m < METHODS; m++) {
            status = fit_one(set, &methods[m], p, &data, o->theta[m], error);
            o->error[m] += pow(error_of(p, o->theta[m]), 2) / (double)repeats;
        }
        ebm_data_free(&data);
    }
    for (int m = 0; m < METHODS; m++) o->error[m] = sqrt(o->error[m]);
    return status;
}

/* ---- Telling ---------------------------------------------------------------------------------------------------- */

static const char error_picture[] =
    "set logscale xy; set xlabel 'N, rows of the sample'; set ylabel 'root mean square error of the couplings'\n"
    "set key top right; set offsets graph 0.03, graph 0.03, 0, 0; set format y '%g'\n"
    "stats NAME.'.csv' skip 1 using 2 name 'A' nooutput; set yrange [0.6 * A_min:1.6 * A_max]\n"
    "plot NAME.'.csv' skip 1 using 1:6 with lines lw 2.5 dt (8, 6) lc rgb '#606060' title 'Cramér-Rao bound', \\\n"
    "  for [m = 1:4] '' skip 1 using 1:(column(1 + m)) with linespoints lw 2 ps 1.5 pt 4 + m \\\n"
    "    lc rgb word(BLUE.' '.RED.' '.GREEN.' '.VIOLET, m) \\\n"
    "    title m == 2 ? 'exact likelihood' : word('pseudo-likelihood - CD-1 PCD', m)\n";

static const char coupling_picture[] =
    "set xlabel 'true coupling J_{ij}'; set ylabel 'fitted less true coupling'\n"
    "set key outside bottom center horizontal\n"
    "plot 0 with lines lw 2 lc rgb '#a0a0a0' notitle, \\\n"
    "  for [m = 1:4] NAME.'.csv' skip 1 using 1:(column(1 + m) - $1) with points lw 2 ps 1.6 pt 4 + m \\\n"
    "    lc rgb word(BLUE.' '.RED.' '.GREEN.' '.VIOLET, m) \\\n"
    "    title m == 2 ? 'exact likelihood' : word('pseudo-likelihood - CD-1 PCD', m)\n";

static const char header[] = "pseudo_likelihood,exact_ml,cd_1,pcd";

static gibbs_status save(const settings *set, const problem *p, const outcome *o, gibbs_error *error)
{
    double row[SIZES * (METHODS + 2)], coupling[EDGES * (METHODS + 1)];
    char names[128], title[128];
    for (int i = 0; i < SIZES; i++) {
        row[i * (METHODS + 2)] = (double)o[i].rows;
        memcpy(row + i * (METHODS + 2) + 1, o[i].error, sizeof o[i].error);
    }
    for (int e = 0; e < EDGES; e++) {
        coupling[e * (METHODS + 1)] = p->truth[e];
        for (int m = 0; m < METHODS; m++) coupling[e * (METHODS + 1) + m + 1] = o[SIZES - 1].theta[m][e];
    }
    snprintf(names, sizeof names, "rows,%s,bound", header);
    gibbs_status status = table_write(set->common.out, "ising.csv", names, SIZES, METHODS + 2, row, error);
    snprintf(title, sizeof title, "Couplings of a %d × %d Ising model, recovered from N samples", SIDE, SIDE);
    if (!status) status = picture_draw(set->common.out, "ising", title, error_picture, error);
    snprintf(names, sizeof names, "truth,%s", header);
    if (!status)
        status = table_write(set->common.out, "ising-couplings.csv", names, EDGES, METHODS + 1, coupling, error);
    snprintf(title, sizeof title, "Errors of the couplings recovered from %lld samples", (long long)o[SIZES - 1].rows);
    return status ? status : picture_draw(set->common.out, "ising-couplings", title, coupling_picture, error);
}

static void tell(const settings *set, const outcome *o, report *list)
{
    report *r = report_object(list, NULL);
    report_whole(r, "rows", o->rows);
    for (int m = 0; m < METHODS; m++) report_number(r, methods[m].name, o->error[m]);
    report_number(r, "bound", o->error[BOUND]);
    if (set->common.quiet) return;
    printf("%8lld", (long long)o->rows);
    for (int m = 0; m <= METHODS; m++) printf(" %17.4f", o->error[m]);
    printf("\n");
}

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
        if (!status) tell(set, &o[i], list);
        progress_show(&line, i + 1, SIZES, "");
    }
    progress_clear(&line);
    return status;
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    static problem p;
    static outcome o[SIZES];
    gibbs_status status = folder_make(set->common.out, error);
    if (!status) status = report_check(set->common.json, error);
    if (!status) status = problem_new(set, &p, error);
    if (!status && !set->common.quiet) {
        printf("%d × %d spins, %d couplings of sd %g; root mean square errors of the couplings over %g data sets\n"
               "       N",
               SIDE, SIDE, EDGES, set->coupling, set->repeats);
        for (int m = 0; m < METHODS; m++) printf(" %17s", methods[m].name);
        printf(" %17s\n", "Cramer-Rao bound");
    }
    if (!status) status = all_sizes(set, &p, o, root, error);
    report_numbers(root, "truth", p.truth, EDGES);
    for (int m = 0; m < METHODS; m++) report_numbers(root, methods[m].name, o[SIZES - 1].theta[m], EDGES);
    if (!status) status = save(set, &p, o, error);
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
        {"steps", "N", "Of CD and PCD", &set.steps, &option_count, NULL},
        {"repeats", "N", "Data sets of each size", &set.repeats, &option_count, NULL},
    };
    options_read(argc, argv,
                 "The couplings of an Ising model recovered from samples: pseudo-likelihood, exact maximum "
                 "likelihood, CD and PCD, against the truth.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
