/* chain_crf — labels that follow one another: a linear-chain conditional random field fitted to a hidden Markov chain.
 *
 * xₜ is a level of the label yₜ with noise, and the labels are a Markov chain. Then p(y | x) is exactly a linear-chain
 * CRF (Lafferty, McCallum & Pereira 2001) whose W, b and A are known, so that a CRF fitted by maximum conditional
 * likelihood must find them, and must predict the labels of fresh chains as well as the truth does. Beside it, a
 * softmax of each position alone, which cannot see the neighbours.
 *
 * Reading order: main, run, compare, draw_chains, centre. */
#include "common/failure.h"
#include "common/files.h"
#include "common/fitting.h"
#include "common/options.h"
#include "common/picture.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    double chains;
    common_options common;
} settings;

/* ---- The truth -------------------------------------------------------------------------------------------------- */

enum { LABELS = 3, LENGTH = 8, FRESH = 20000 };
/* Columns of a row [x, y], and sizes of θ = (W, b, A) and of A. */
enum { CHAIN = LENGTH * (1 + LABELS), THETA = 2 * LABELS + LABELS * LABELS, CENTRED = LABELS * LABELS };
static const double LEVEL[LABELS] = {-1, 0, 1}, NOISE = 0.8;
/* Steps are likelier upwards than downwards, and every label as likely in the long run. */
static const double STEP[LABELS][LABELS] = {{0.80, 0.15, 0.05}, {0.05, 0.80, 0.15}, {0.15, 0.05, 0.80}};

/* `rows` chains: x of LENGTH numbers, then LENGTH one-hot labels. xₜ = LEVEL of the label + NOISE ε. */
static gibbs_status draw_chains(int64_t rows, uint64_t seed, ebm_data *out, gibbs_error *error)
{
    double low[LENGTH] = {0}, high[LENGTH], sd[LENGTH], *x = calloc((size_t)(rows * CHAIN), sizeof *x);
    double *random = malloc((size_t)(2 * rows * LENGTH) * sizeof *random), *noise = random + rows * LENGTH;
    ebm_proposal *uniform = NULL, *normal = NULL;
    for (int t = 0; t < LENGTH; t++) high[t] = 1, sd[t] = NOISE;
    gibbs_status status = x && random ? GIBBS_OK : fail(error, GIBBS_MEMORY, "the chains: out of memory");
    if (!status) status = ebm_proposal_uniform(LENGTH, low, high, NULL, &uniform, error);
    if (!status) status = ebm_proposal_gaussian_diagonal(LENGTH, low, sd, NULL, &normal, error);
    if (!status) status = ebm_proposal_sample(uniform, rows, seed, 0, NULL, random, NULL, error);
    if (!status) status = ebm_proposal_sample(normal, rows, seed, 1, NULL, noise, NULL, error);
    for (int64_t i = 0; !status && i < rows; i++)
        for (int t = 0, label = 0; t < LENGTH; t++) {
            double u = random[i * LENGTH + t], *row = x + i * CHAIN;
            int last = label;
            label = t ? 0 : (int)(u * LABELS);
            while (t && label < LABELS - 1 && u >= STEP[last][label]) u -= STEP[last][label++];
            row[t] = LEVEL[label] + noise[i * LENGTH + t];
            row[LENGTH + t * LABELS + label] = 1;
        }
    if (!status) status = ebm_data_from(x, rows, CHAIN, NULL, out, error);
    ebm_proposal_free(uniform);
    ebm_proposal_free(normal);
    free(random);
    free(x);
    return status;
}

/* W, b and A of p(labels | x): log N(x; level, σ²) but for what labels share, and the log probabilities of steps. */
static void true_parameters(double *theta)
{
    for (int k = 0; k < LABELS; k++) {
        theta[k] = LEVEL[k] / (NOISE * NOISE);
        theta[LABELS + k] = -0.5 * LEVEL[k] * LEVEL[k] / (NOISE * NOISE);
        for (int l = 0; l < LABELS; l++) theta[2 * LABELS + LABELS * k + l] = log(STEP[k][l]);
    }
}

/* ---- What is identified ----------------------------------------------------------------------------------------- */

/* A less its row and column means, which b could take over: what is left is identified. With the covariance of θ, its
 * standard errors as well. */
static void centre(const double *theta, const double *covariance, double *value, double *se)
{
    for (int e = 0; e < CENTRED; e++) {
        double weight[CENTRED], variance = 0;
        value[e] = 0;
        for (int a = 0; a < CENTRED; a++) {
            weight[a] = ((a / LABELS == e / LABELS) - 1. / LABELS) * ((a % LABELS == e % LABELS) - 1. / LABELS);
            value[e] += weight[a] * theta[2 * LABELS + a];
        }
        for (int a = 0; covariance && a < CENTRED * CENTRED; a++)
            variance += weight[a / CENTRED] * weight[a % CENTRED] *
                        covariance[(2 * LABELS + a / CENTRED) * THETA + 2 * LABELS + a % CENTRED];
        if (covariance) se[e] = sqrt(variance);
    }
}

/* ---- Fitting ---------------------------------------------------------------------------------------------------- */

static gibbs_status make_crf(int64_t length, ebm_model **model, gibbs_error *error)
{
    ebm_chain_crf_spec spec = {.given = length, .length = length, .labels = LABELS, .dtype = GIBBS_FLOAT64};
    return ebm_model_chain_crf(&spec, model, error);
}

/* The mean of log p(y | x) over the rows, which is minus the loss. */
static gibbs_status judge(ebm_model *model, const ebm_data *data, double *mean, gibbs_error *error)
{
    ebm_loss_options options = {0};
    ebm_objective *loss;
    gibbs_status status = ebm_objective_new(model, &ebm_loss_conditional_ml, &options, &loss, error);
    if (status) return status;
    status = ebm_objective_bind(loss, data->x, data->rows, error);
    if (!status) status = ebm_objective_evaluate(loss, mean, error);
    *mean = -*mean;
    ebm_objective_free(loss);
    return status;
}

/* The positions of all chains as chains of their own, of length 1. */
static gibbs_status cut(const ebm_data *chains, ebm_data *out, gibbs_error *error)
{
    int64_t rows = chains->rows * LENGTH;
    double *x = malloc((size_t)(rows * (1 + LABELS)) * sizeof *x);
    if (!x) return fail(error, GIBBS_MEMORY, "the positions: out of memory");
    for (int64_t i = 0; i < rows; i++) {
        const double *row = chains->x + i / LENGTH * CHAIN;
        x[i * (1 + LABELS)] = row[i % LENGTH];
        for (int k = 0; k < LABELS; k++) x[i * (1 + LABELS) + 1 + k] = row[LENGTH + i % LENGTH * LABELS + k];
    }
    gibbs_status status = ebm_data_from(x, rows, 1 + LABELS, NULL, out, error);
    free(x);
    return status;
}

/* The share of the labels that a prediction has right: the best path (Viterbi), or at each position the label of the
 * largest marginal. */
static gibbs_status predict(ebm_model *model, const ebm_data *data, int64_t length, int marginal, double *right,
                            gibbs_error *error)
{
    int64_t rows = data->rows, width = length * LABELS;
    double *x = malloc((size_t)(rows * (length + width)) * sizeof *x), *y = x + rows * length;
    *right = 0;
    if (!x) return fail(error, GIBBS_MEMORY, "predictions: out of memory");
    for (int64_t r = 0; r < rows; r++) memcpy(x + r * length, data->x + r * data->cols, (size_t)length * sizeof *x);
    gibbs_status status = ebm_predict(model, &(ebm_predict_options){.mean = marginal}, x, rows, y, NULL, NULL, error);
    for (int64_t i = 0; !status && i < rows * length; i++) {
        const double *guess = y + i * LABELS, *own = data->x + i / length * data->cols + length + i % length * LABELS;
        int best = 0;
        for (int k = 1; k < LABELS; k++)
            if (guess[k] > guess[best]) best = k;
        *right += own[best] / (double)(rows * length);
    }
    free(x);
    return status;
}

typedef struct outcome {
    double theta[THETA], truth[THETA], a[CENTRED], a_truth[CENTRED], se[CENTRED];
    double fitted, exact, alone; /* mean log p(labels | x) of fresh chains */
    double path, marginal,
        path_alone; /* the share of their labels that the best path, and the likeliest labels, have */
} outcome;

static gibbs_status fit(const settings *set, ebm_model *model, const ebm_data *data, ebm_uncertainty *u,
                        gibbs_error *error)
{
    ebm_fit_options options = {0};
    char name[32];
    snprintf(name, sizeof name, "%lld%s", (long long)data->rows, u ? "" : ".alone");
    options.loss = &ebm_loss_conditional_ml, options.lbfgs = 1, options.threads = (int)set->common.threads;
    gibbs_status status = fit_model(&set->common, name, model, data, &options, NULL, error);
    return !status && u ? ebm_standard_errors(model, data, &options, u, error) : status;
}

static gibbs_status fit_alone(const settings *set, const ebm_data *data, const ebm_data *fresh, outcome *o,
                              gibbs_error *error)
{
    ebm_data train = {0}, test = {0};
    ebm_model *model = NULL;
    gibbs_status status = cut(data, &train, error);
    if (!status) status = cut(fresh, &test, error);
    if (!status) status = make_crf(1, &model, error);
    if (!status) status = fit(set, model, &train, NULL, error);
    if (!status) status = judge(model, &test, &o->alone, error);
    if (!status) status = predict(model, &test, 1, 0, &o->path_alone, error);
    o->alone *= LENGTH;
    ebm_model_free(model);
    ebm_data_free(&train);
    ebm_data_free(&test);
    return status;
}

static gibbs_status fit_crf(const settings *set, const ebm_data *data, const ebm_data *fresh, outcome *o,
                            gibbs_error *error)
{
    ebm_model *model;
    ebm_uncertainty u = {0};
    gibbs_status status = make_crf(LENGTH, &model, error);
    if (status) return status;
    status = fit(set, model, data, &u, error);
    ebm_model_get(model, o->theta);
    if (!status) status = judge(model, fresh, &o->fitted, error);
    if (!status) status = predict(model, fresh, LENGTH, 0, &o->path, error);
    if (!status) status = predict(model, fresh, LENGTH, 1, &o->marginal, error);
    true_parameters(o->truth);
    ebm_model_set(model, o->truth);
    if (!status) status = judge(model, fresh, &o->exact, error);
    if (!status) centre(o->theta, u.covariance, o->a, o->se);
    centre(o->truth, NULL, o->a_truth, NULL);
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
    return status;
}

static gibbs_status compare(const settings *set, outcome *o, gibbs_error *error)
{
    ebm_data data = {0}, fresh = {0};
    gibbs_status status = draw_chains((int64_t)set->chains, (uint64_t)set->common.seed, &data, error);
    if (!status) status = draw_chains(FRESH, (uint64_t)set->common.seed + (1ull << 60), &fresh, error);
    if (!status) status = fit_crf(set, &data, &fresh, o, error);
    if (!status) status = fit_alone(set, &data, &fresh, o, error);
    ebm_data_free(&data);
    ebm_data_free(&fresh);
    return status;
}

/* ---- Telling ---------------------------------------------------------------------------------------------------- */

static const char picture[] =
    "set xlabel 'step, from label to label'; set ylabel 'log potential, less row and column means'\n"
    "set key at screen 0.5, screen 0.03 center horizontal maxrows 1; set bmargin at screen 0.17\n"
    "set xrange [-0.6:8.6]; set yrange [-2:2]; set xtics scale 0\n"
    "plot NAME.'.csv' skip 1 using 0:3:xticlabels(sprintf('%d to %d', $1, $2)) with points pt 4 ps 3 lw 2 lc rgb RED "
    "title 'truth', \\\n"
    "  '' skip 1 using 0:4:(1.96 * $5) with yerrorbars pt 7 ps 1.2 lw 2 lc rgb BLUE title 'CRF, 95 % interval'\n";

static gibbs_status save(const settings *set, const outcome *o, gibbs_error *error)
{
    double row[CENTRED * 5];
    char title[128];
    for (int e = 0; e < CENTRED; e++)
        memcpy(row + 5 * e, (double[]){e / LABELS + 1, e % LABELS + 1, o->a_truth[e], o->a[e], o->se[e]},
               sizeof(double[5]));
    snprintf(title, sizeof title, "Steps between labels, found by a CRF from %lld chains of %d", (long long)set->chains,
             LENGTH);
    gibbs_status status =
        table_write(set->common.out, "chain_crf.csv", "from,to,truth,fitted,se", CENTRED, 5, row, error);
    return status ? status : picture_draw(set->common.out, "chain_crf", title, picture, error);
}

static void tell(const settings *set, const outcome *o, report *root)
{
    report_whole(root, "chains", (int64_t)set->chains);
    report_numbers(root, "steps", o->a, CENTRED);
    report_numbers(root, "steps_truth", o->a_truth, CENTRED);
    report_numbers(root, "steps_se", o->se, CENTRED);
    report_number(root, "slope", o->theta[LABELS - 1] - o->theta[0]);
    report_number(root, "slope_truth", o->truth[LABELS - 1] - o->truth[0]);
    report_number(root, "truth", o->exact);
    report_number(root, "crf", o->fitted);
    report_number(root, "alone", o->alone);
    report_numbers(root, "labels_right", (double[]){o->path, o->marginal, o->path_alone}, 3);
    if (set->common.quiet) return;
    printf("steps between labels: log potentials less row and column means, from %lld chains of %d\n"
           "from    to 1: truth  CRF (se)           to 2: truth  CRF (se)           to 3: truth  CRF (se)\n",
           (long long)set->chains, LENGTH);
    for (int e = 0; e < CENTRED; e++) {
        if (e % LABELS == 0) printf("%4d", e / LABELS + 1);
        printf("  %14.3f %7.3f (%.3f)%s", o->a_truth[e], o->a[e], o->se[e], (e + 1) % LABELS ? "" : "\n");
    }
    printf("W of the last label less that of the first: truth %.3f, CRF %.3f\n\n", o->truth[LABELS - 1] - o->truth[0],
           o->theta[LABELS - 1] - o->theta[0]);
    printf("mean log p(labels | x) of %d fresh chains, nats a chain:\n"
           "truth %.4f, CRF %.4f, each position alone %.4f\n"
           "labels right: %.1f %% by the CRF's best path, %.1f %% by its marginals, %.1f %% by each position alone\n"
           "Picture and data: %s/chain_crf.*\n",
           FRESH, o->exact, o->fitted, o->alone, 100 * o->path, 100 * o->marginal, 100 * o->path_alone,
           set->common.out);
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    outcome o = {0};
    gibbs_status status = report_prepare(&set->common, error);
    if (!status) status = compare(set, &o, error);
    if (!status) tell(set, &o, root);
    return status ? status : save(set, &o, error);
}

int main(int argc, char **argv)
{
    settings set = {2000, {.seed = 1, .threads = 1, .out = "out"}};
    static const option_domain chains = {"a whole number from 20 to 1000000", 20, 1000001, 1};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"chains", "N", "Chains to fit to", &set.chains, &chains, NULL},
    };
    options_read(argc, argv,
                 "A linear-chain conditional random field fitted to a hidden Markov chain, whose labels "
                 "it must predict as the truth does.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
