/* compose — a product of two fitted densities: S3, eq 10.17.
 *
 * Two networks are fitted by noise contrastive estimation to two sets of points that know nothing of each other. The
 * sum of their energies is the density of points that both find likely, «this and that», whose Z nobody knows: Langevin
 * chains sample from it all the same. Held against the chains' means are those of the product by quadrature; and where
 * two Gaussians are multiplied first, the precision of the product is the sum of theirs.
 *
 * Reading order: main, run, fit_set, sample, gaussians. */
#include "common/compose_tell.h"
#include "common/failure.h"
#include "common/fitting.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double REACH = 5; /* pictures and quadrature: the square −REACH … REACH */

/* ---- Two Gaussians, in closed form ------------------------------------------------------------------------------ */

/* The product of N(1, 2²) and N(4, 1²): precisions ¼ and 1 add up, the mean is weighed by them; and log Z. */
static gibbs_status gaussians(const settings *set, report *root, gibbs_error *error)
{
    const double theta[PARTS][2] = {{1, 0.25}, {4, 1}}, precision = 1.25, mean = (0.25 * 1 + 1 * 4) / precision;
    ebm_model *part[PARTS] = {0}, *product = NULL;
    ebm_box box = {.low = {-20}, .high = {25}};
    ebm_quadrature z = {0};
    double x[3] = {mean - 1, mean, mean + 1}, E[3], gap = 0.5 * (0.25 * pow(mean - 1, 2) + pow(mean - 4, 2));
    gibbs_status status = GIBBS_OK;
    for (int k = 0; !status && k < PARTS; k++) {
        status = ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &part[k], error);
        if (!status) ebm_model_set(part[k], theta[k]);
    }
    if (!status) status = ebm_model_sum(part, NULL, PARTS, &product, error);
    if (!status) status = ebm_model_energy(product, x, 3, E, NULL, error);
    if (!status) status = ebm_integrate(product, &box, &z, error);
    if (!status) {
        double log_z = 0.5 * log(2 * 3.14159265358979323846 / precision) - gap;
        report *r = report_object(root, "gaussians");
        report_number(r, "precision", E[0] - 2 * E[1] + E[2]);
        report_number(r, "mean", mean - 0.5 * (E[2] - E[0]) / (E[0] - 2 * E[1] + E[2]));
        report_number(r, "log_z", z.log_z);
        report_number(r, "log_z_truth", log_z);
        if (!set->common.quiet)
            printf("N(1, 2²)·N(4, 1²): precision %.6f (exactly %.6f), log Z %.6f (%.6f)\n\n",
                   E[0] - 2 * E[1] + E[2], precision, z.log_z, log_z);
    }
    ebm_model_free(product);
    for (int k = 0; k < PARTS; k++) ebm_model_free(part[k]);
    return status;
}

/* ---- Fitting ---------------------------------------------------------------------------------------------------- */

static gibbs_status fit_set(const settings *set, int k, ebm_data *data, ebm_model **model, gibbs_error *error)
{
    const int64_t widths[] = {64, 64};
    ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 2, .activation = ad_silu, .base_sd = 3,
                         .dtype = GIBBS_FLOAT32, .seed = (uint64_t)set->common.seed + (uint64_t)k};
    gibbs_status status = ebm_data_generate(set->set[k], (int64_t)set->rows, spec.seed, NULL, data, error);
    if (!status) status = ebm_model_mlp(&spec, model, error);
    ebm_fit_options fit = {0};
    ebm_proposal *noise = NULL;
    if (!status)
        status = ebm_proposal_uniform(2, (double[]){-REACH, -REACH}, (double[]){REACH, REACH}, NULL, &noise, error);
    fit.loss = &ebm_loss_nce;
    fit.loss_options.proposal = noise, fit.loss_options.noise_ratio = 4;
    fit.steps = (int64_t)set->steps, fit.batch = 256, fit.rate = 0.004, fit.schedule = EBM_SCHEDULE_COSINE;
    fit.seed = spec.seed, fit.threads = (int)set->common.threads;
    if (!status) status = fit_model(&set->common, set->set[k], *model, data, &fit, NULL, error);
    ebm_proposal_free(noise);
    return status;
}

/* ---- A density on the grid, and by chains ----------------------------------------------------------------------- */

/* The density at the nodes (a column of `table`, after x and y), and its moments. */
static gibbs_status integrate(ebm_model *model, int column, double *table, double *moment, gibbs_error *error)
{
    static double x[2 * NODES], E[NODES];
    double cell = pow(2 * REACH / (GRID - 1), 2), mass = 0, least = INFINITY, m[MOMENTS];
    for (int i = 0; i < NODES; i++) {
        x[2 * i] = -REACH + 2 * REACH * (i % GRID) / (GRID - 1);
        x[2 * i + 1] = -REACH + 2 * REACH * (i / GRID) / (GRID - 1);
    }
    gibbs_status status = ebm_model_energy(model, x, NODES, E, NULL, error);
    if (status) return status;
    for (int i = 0; i < NODES; i++) least = fmin(least, E[i]);
    for (int i = 0; i < NODES; i++) mass += cell * exp(least - E[i]);
    for (int k = 0; k < MOMENTS; k++) moment[k] = 0;
    for (int i = 0; i < NODES; i++) {
        double *row = table + i * (2 + PARTS + 1), density = exp(least - E[i]) / mass;
        row[0] = x[2 * i], row[1] = x[2 * i + 1], row[2 + column] = density;
        compose_moments(row, m);
        for (int k = 0; k < MOMENTS; k++) moment[k] += cell * density * m[k];
    }
    return GIBBS_OK;
}

/* MALA with parallel tempering, so that chains get from mode to mode. All start at points of the first set, which is
 * not where the product has them: what they tell they have found. One sample a ladder, its first temperature's. */
static gibbs_status sample(const settings *set, ebm_model *product, const ebm_data *start, double *x, outcome *o,
                           gibbs_error *error)
{
    static const double beta[LADDER] = {1, 0.6, 0.35, 0.2};
    int64_t rows = (int64_t)set->chains * LADDER;
    double *all = malloc((size_t)(2 * rows) * sizeof *all);
    ebm_chains *chains = NULL;
    ebm_chain_options walk = {0};
    walk.step = 0.04, walk.threads = (int)set->common.threads;
    walk.inverse_temperatures = beta, walk.temperatures = LADDER, walk.swap_every = 5;
    gibbs_status status = all ? GIBBS_OK : fail(error, GIBBS_MEMORY, "the chains: out of memory");
    for (int64_t i = 0; !status && i < 2 * rows; i++) all[i] = start->x[i / LADDER / 2 * 2 % (2 * start->rows) + i % 2];
    if (!status) status = ebm_chains_new(product, &walk, &chains, error);
    if (!status) status = ebm_chains_start(chains, all, rows, error);
    if (!status) status = ebm_chains_run(chains, (int64_t)set->moves, (uint64_t)set->common.seed, 0, error);
    if (!status) {
        ebm_chains_get(chains, all);
        o->acceptance = ebm_chains_acceptance(chains);
        o->swapped = ebm_chains_swapped(chains);
    }
    for (int64_t i = 0; !status && i < 2 * (int64_t)set->chains; i++) x[i] = all[i / 2 * 2 * LADDER + i % 2];
    ebm_chains_free(chains);
    free(all);
    return status;
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    static double table[NODES * (2 + PARTS + 1)];
    ebm_model *part[PARTS] = {0}, *product = NULL;
    ebm_data data[PARTS] = {{0}};
    outcome o;
    double *x = malloc((size_t)(2 * set->chains) * sizeof *x);
    gibbs_status status = x ? report_prepare(&set->common, error) : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = gaussians(set, root, error);
    for (int k = 0; !status && k < PARTS; k++) {
        status = fit_set(set, k, &data[k], &part[k], error);
        if (!status) status = integrate(part[k], k, table, o.moment, error);
    }
    if (!status) status = ebm_model_sum(part, NULL, PARTS, &product, error);
    if (!status) status = integrate(product, PARTS, table, o.moment, error);
    if (!status) status = sample(set, product, &data[0], x, &o, error);
    if (!status) compose_tell(set, x, &o, root);
    if (!status) status = compose_save(set, data, table, x, error);
    ebm_model_free(product);
    for (int k = 0; k < PARTS; k++) {
        ebm_model_free(part[k]);
        ebm_data_free(&data[k]);
    }
    free(x);
    return status;
}

/* The name of a set that the library can draw. */
static int parse_set(const char *text, void *target, char *message, size_t size)
{
    int used = snprintf(message, size, "«%.60s» is none of ", text);
    for (int i = 0; ebm_data_generator(i); i++) {
        if (!strcmp(ebm_data_generator(i), text)) return *(const char **)target = ebm_data_generator(i), 0;
        if (used >= 0 && (size_t)used < size)
            used += snprintf(message + used, size - (size_t)used, "%s%s", i ? ", " : "", ebm_data_generator(i));
    }
    return 1;
}

int main(int argc, char **argv)
{
    settings set = {{"circles", "checkerboard"}, 4000, 3000, 1000, 500, {.seed = 1, .threads = 1, .out = "out"}};
    static const option_domain many = {"a whole number from 2 to 100000", 2, 100001, 1};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"first", "SET", "circles (default), moons, rings, checkerboard, …", &set.set[0], NULL, parse_set},
        {"second", "SET", "checkerboard (default), or another", &set.set[1], NULL, parse_set},
        {"rows", "N", "Points of each set", &set.rows, &many, NULL},
        {"steps", "N", "Of each fit", &set.steps, &option_count, NULL},
        {"chains", "N", "Samples of the product", &set.chains, &many, NULL},
        {"moves", "N", "Steps of each chain", &set.moves, &option_count, NULL},
    };
    options_read(argc, argv, "A product of two fitted densities, which is the sum of their energies, sampled.", table,
                 sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
