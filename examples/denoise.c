/* denoise — a fitted energy as a denoiser (S4 eq 13–15; Tweedie, Miyasawa).
 *
 * Points x of the plane are seen through Gaussian noise of a full covariance Σ, x̃ = x + Lε with LLᵀ = Σ. A network is
 * fitted to the *noisy* density by denoising score matching, and then
 *
 *     E[x | x̃] = x̃ − Σ∇E(x̃)
 *
 * is the best guess of x by squared error. Beside it: the best linear guess, which is the same formula for the Gaussian
 * that has the noisy points' moments; and the truth, by Bayes' rule over many other draws of the same set.
 * Reading order: main, run, record_denoising, tweedie, bayes. */
#include "common/data_load.h"
#include "common/denoise_tell.h"
#include "common/failure.h"
#include "common/fitting.h"
#include "common/report.h"
#include "common/statistics.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOISE_STREAM = 1000, PRIOR_SEED = 1000003 };

/* ---- The loss: denoising score matching with a full noise covariance ------------------------------------------- */

/* mean ½|Lᵀ∇E(x̃) − ε|², ε redrawn in every step: S4 eq 13 over 2σ² where Σ = σ²I. Its minimum over all fields is
 * ∇E = Σ⁻¹(x̃ − E[x | x̃]), minus the score of the noisy density. */
static ad_var record_denoising(ebm_graph *g)
{
    const noise *n = g->context;
    ad_var root = ad_constant_array(g->tape, ad_mat(DIM, DIM), n->root), slope = {g->tape, -1};
    ad_var normal = ad_normal(g->data, ad_vec(DIM), NOISE_STREAM);
    ad_var noisy = ad_variable(ad_add(g->x, ad_matmul(root, normal)));
    ad_grad(ebm_graph_energy(g, noisy), &noisy, 1, &slope);
    return ad_scale(ad_batch_mean(g->data, ad_sum(ad_square(ad_sub(ad_matmul(slope, root), normal)))), 0.5);
}

static const ebm_loss denoising = {
    .name = "denoising", .title = "denoising score matching, full noise covariance", .redraw = 1,
    .record = record_denoising,
};

static gibbs_status fit(const settings *set, problem *p, ebm_model *model, gibbs_error *error)
{
    ebm_fit_options o = {0};
    o.loss = &denoising;
    o.loss_options.context = &p->noise;
    o.steps = (int64_t)set->steps;
    o.batch = (int64_t)set->batch;
    o.rate = set->rate;
    o.schedule = EBM_SCHEDULE_COSINE;
    o.clip = 10;
    o.seed = (uint64_t)set->common.seed;
    o.threads = (int)set->common.threads;
    return fit_model(&set->common, NULL, model, &p->train, &o, &p->fit, error);
}

/* ---- Denoisers ------------------------------------------------------------------------------------------------- */

/* x̂ = x̃ − Σ∇E(x̃) */
static gibbs_status tweedie(const problem *p, ebm_model *model, double *x, gibbs_error *error)
{
    int64_t rows = p->test.rows;
    const double *noisy = p->denoiser[NOISY].x, *S = p->noise.covariance;
    double *energy = malloc(sizeof *energy * (size_t)(rows * (1 + DIM))), *slope = energy + rows;
    if (!energy) return fail(error, GIBBS_MEMORY, "out of memory");
    gibbs_status status = ebm_model_energy(model, noisy, rows, energy, slope, error);
    for (int64_t i = 0; !status && i < rows * DIM; i++)
        x[i] = noisy[i] - dot_product(S + i % DIM * DIM, slope + i / DIM * DIM, DIM);
    free(energy);
    return status;
}

/* The Gaussian with the noisy density's mean and covariance C + Σ; its Tweedie formula is the best linear guess. */
static gibbs_status make_gaussian(problem *p, ebm_model **model, gibbs_error *error)
{
    int64_t rows = p->train.rows;
    const double *x = p->train.x, *S = p->noise.covariance;
    double c[DIM * DIM], gain = 0; /* the training rows have mean 0 */
    for (int k = 0; k < DIM * DIM; k++) {
        c[k] = S[k];
        for (int64_t i = 0; i < rows; i++) c[k] += x[DIM * i + k / DIM] * x[DIM * i + k % DIM] / (double)rows;
    }
    double det = c[0] * c[3] - c[1] * c[2];
    const double theta[] = {0, 0, c[3] / det, -c[1] / det, -c[2] / det, c[0] / det}, *P = theta + DIM;
    for (int k = 0; k < 2 * DIM * DIM; k++) /* tr ΣPΣ */
        gain += S[k / 4 * 2 + k / 2 % 2] * P[k / 2 % 2 * 2 + k % 2] * S[k % 2 * 2 + k / 4];
    p->denoiser[NOISY].expected = S[0] + S[3];
    p->denoiser[LINEAR].expected = S[0] + S[3] - gain;
    gibbs_status status = ebm_model_gaussian(DIM, GIBBS_FLOAT64, NULL, model, error);
    if (!status) ebm_model_set(*model, theta);
    return status;
}

/* E[x | x̃] = Σ w x with w ∝ N(x̃; x, Σ) over draws x of the set: the truth, as their number grows. */
static void bayes(const problem *p, const ebm_data *prior, double *out)
{
    const double *L = p->noise.root, *noisy = p->denoiser[NOISY].x;
    for (int64_t i = 0; i < p->test.rows; i++) {
        double total = 0, sum[DIM] = {0}, lowest = INFINITY; /* weights are relative to that of the nearest x so far */
        for (int64_t n = 0; n < prior->rows; n++) {
            const double *x = prior->x + DIM * n;
            double u = (noisy[DIM * i] - x[0]) / L[0], v = (noisy[DIM * i + 1] - x[1] - L[2] * u) / L[3];
            double distance = 0.5 * (u * u + v * v), shrink = distance < lowest ? exp(distance - lowest) : 1;
            lowest = fmin(lowest, distance);
            double weight = exp(lowest - distance);
            total = shrink * total + weight;
            for (int k = 0; k < DIM; k++) sum[k] = shrink * sum[k] + weight * x[k];
        }
        for (int k = 0; k < DIM; k++) out[DIM * i + k] = sum[k] / total;
    }
}

static gibbs_status run_bayes(const settings *set, problem *p, gibbs_error *error)
{
    ebm_data prior = {0};
    gibbs_status status = data_load(set->data, set->prior_rows, set->common.seed + PRIOR_SEED, &prior, error);
    if (!status) status = ebm_data_apply_scale(&prior, p->mean, p->sd, error);
    if (!status) bayes(p, &prior, p->denoiser[BAYES].x);
    ebm_data_free(&prior);
    return status;
}

/* The mean squared distance of two sets of points, and its standard error. */
static gibbs_status measure(const double *a, const double *b, int64_t rows, double *mse, double *standard_error,
                            gibbs_error *error)
{
    double *square = malloc(sizeof *square * (size_t)rows);
    if (!square) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t i = 0; i < rows; i++)
        square[i] = pow(a[DIM * i] - b[DIM * i], 2) + pow(a[DIM * i + 1] - b[DIM * i + 1], 2);
    *mse = mean_of(square, rows, standard_error);
    free(square);
    return GIBBS_OK;
}

static gibbs_status judge(problem *p, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    const double *best = p->count > BAYES ? p->denoiser[BAYES].x : NULL;
    for (int k = 0; !status && k < p->count; k++) {
        denoiser *d = &p->denoiser[k];
        double unused;
        d->excess = NAN;
        status = measure(d->x, p->test.x, p->test.rows, &d->mse, &d->mse_error, error);
        if (!status && best) status = measure(d->x, best, p->test.rows, &d->excess, &unused, error);
    }
    return status;
}

static gibbs_status denoise(const settings *set, problem *p, gibbs_error *error)
{
    const int64_t widths[2] = {(int64_t)set->hidden, (int64_t)set->hidden};
    ebm_mlp_spec spec = {.dim = DIM, .widths = widths, .layers = 2, .activation = ad_silu, .base_sd = set->base_sd,
                         .dtype = GIBBS_FLOAT32, .seed = (uint64_t)set->common.seed};
    ebm_model *network = NULL, *gaussian = NULL;
    gibbs_status status = ebm_model_mlp(&spec, &network, error);
    if (!status) status = make_gaussian(p, &gaussian, error);
    if (!status) status = fit(set, p, network, error);
    if (!status) status = tweedie(p, gaussian, p->denoiser[LINEAR].x, error);
    if (!status) status = tweedie(p, network, p->denoiser[TWEEDIE].x, error);
    if (!status && p->count > BAYES) status = run_bayes(set, p, error);
    if (!status) status = judge(p, error);
    ebm_model_free(network);
    ebm_model_free(gaussian);
    return status;
}

/* ---- Data ------------------------------------------------------------------------------------------------------ */

static gibbs_status add_noise(const settings *set, problem *p, gibbs_error *error)
{
    static const double zero[DIM];
    ebm_proposal *q = NULL;
    double *x = p->denoiser[NOISY].x;
    gibbs_status status = ebm_proposal_gaussian_full(DIM, zero, p->noise.covariance, NULL, &q, error);
    if (!status)
        status = ebm_proposal_sample(q, p->test.rows, (uint64_t)set->common.seed, UINT64_MAX, NULL, x, NULL, error);
    for (int64_t i = 0; !status && i < p->test.rows * DIM; i++) x[i] += p->test.x[i];
    ebm_proposal_free(q);
    return status;
}

static noise make_noise(const settings *set)
{
    double a = set->sd[0], b = set->sd[1], r = set->correlation;
    return (noise){{a * a, r * a * b, r * a * b, b * b}, {a, 0, r * b, b * sqrt(1 - r * r)}};
}

static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    gibbs_status status =
        data_load_split(set->data, set->rows, set->test_rows, set->common.seed, &p->train, &p->test, error);
    if (!status) status = ebm_data_standardise(&p->train, p->mean, p->sd, error);
    if (!status) status = ebm_data_apply_scale(&p->test, p->mean, p->sd, error);
    if (!status) status = report_prepare(&set->common, error);
    p->noise = make_noise(set);
    p->count = data_is_drawn(set->data) ? DENOISERS : BAYES;
    for (int k = 0; !status && k < p->count; k++) {
        p->denoiser[k].x = malloc(sizeof(double) * DIM * (size_t)p->test.rows);
        if (!p->denoiser[k].x) status = fail(error, GIBBS_MEMORY, "out of memory");
    }
    return status ? status : add_noise(set, p, error);
}

/* ---- Running --------------------------------------------------------------------------------------------------- */

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    problem p = {.denoiser = {{"noisy", "the noisy point itself", .expected = NAN},
                              {"linear", "best linear guess", .expected = NAN},
                              {"network", "Tweedie with the network's energy", .expected = NAN},
                              {"best", "best, by Bayes' rule", .expected = NAN}}};
    gibbs_status status = load(set, &p, error);
    if (!status) status = denoise(set, &p, error);
    if (!status) status = denoise_tell(set, &p, root, error);
    for (int k = 0; k < DENOISERS; k++) free(p.denoiser[k].x);
    ebm_fit_report_free(&p.fit);
    ebm_data_free(&p.train);
    ebm_data_free(&p.test);
    return status;
}

int main(int argc, char **argv)
{
    static const option_domain correlation = {"a number above -1 and below 1", -0.999999, 1, 0};
    settings set = {.data = "2spirals", .rows = 4000, .test_rows = 1000, .prior_rows = 20000, .sd = {0.25, 0.15},
                    .correlation = 0.8, .steps = 8000, .rate = 6e-3, .batch = 256, .hidden = 96, .base_sd = 4,
                    .common = {.seed = 1, .threads = 1, .out = "out"}};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"data", "FILE|NAME", "A table of two columns, of which one row in five is for testing; or a set to draw "
         "(moons, 2spirals, rings, …)", &set.data, NULL, NULL},
        DATA_OPTIONS,
        {"rows", "N", "For training, of a set that is drawn", &set.rows, &option_several, NULL},
        {"test-rows", "N", "… and for testing", &set.test_rows, &option_several, NULL},
        {"prior-rows", "N", "… and for Bayes' rule", &set.prior_rows, &option_count, NULL},
        {"sd-x", "SD", "Of the noise in the first, standardised, column", &set.sd[0], &option_positive, NULL},
        {"sd-y", "SD", "… in the second", &set.sd[1], &option_positive, NULL},
        {"correlation", "R", "Of the two noises", &set.correlation, &correlation, NULL},
        {"steps", "N", "Steps of the optimiser", &set.steps, &option_count, NULL},
        {"rate", "RATE", "Learning rate at the start", &set.rate, &option_positive, NULL},
        {"batch", "ROWS", "Rows a step; 0: all", &set.batch, &option_whole, NULL},
        {"hidden", "N", "Width of the two hidden layers", &set.hidden, &option_count, NULL},
        {"base-sd", "SD", "Of the broad Gaussian that keeps the energy integrable", &set.base_sd, &option_positive,
         NULL},
    };
    options_read(argc, argv, "Takes noise of a full covariance away from points of the plane, by Tweedie's formula and "
                 "an energy fitted by denoising score matching (Vincent 2011).", table, sizeof table / sizeof *table,
                 &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
