/* mixture — a mixture of unnormalised components, fitted by noise contrastive estimation: S0, eq 26.
 *
 * p = Σ ξ_g φ_g(x), ξ_g = π_g/Z_g: the components φ_g = exp(−E_g) come without their Z_g, so that a likelihood cannot
 * even be written down. NCE learns all parameters and the ξ_g; the weights π_g are then the data's mean
 * responsibilities, and Z_g = π_g/ξ_g, which here has a closed form to stand beside it. One component is a Gaussian,
 * the other a product of Student t densities; the data are drawn from the truth, more and more of them.
 *
 * Reading order: main, run, fit_one, make_mixture. */
#include "common/failure.h"
#include "common/fitting.h"
#include "common/mixture_tell.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRESH = 50000 };
static const double PI = 3.14159265358979323846;

/* ---- The truth -------------------------------------------------------------------------------------------------- */

static const double NU = 4, T_LOCATION[2] = {1.5, 1}, T_SCALE[2] = {0.8, 0.5};
static const double MEAN[2] = {-1.5, -0.5}, COVARIANCE[4] = {0.5, 0.3, 0.3, 0.6};

typedef struct truth {
    ebm_proposal *part[PARTS], *mixture; /* their densities are normalised */
} truth;

static gibbs_status truth_new(double weight, truth *t, gibbs_error *error)
{
    const double pi[PARTS] = {weight, 1 - weight};
    *t = (truth){0};
    gibbs_status status = ebm_proposal_gaussian_full(2, MEAN, COVARIANCE, NULL, &t->part[0], error);
    if (!status) status = ebm_proposal_student_t(2, T_LOCATION, T_SCALE, NU, NULL, &t->part[1], error);
    if (status) return status;
    return ebm_proposal_mixture(PARTS, pi, (const ebm_proposal *const *)t->part, NULL, &t->mixture, error);
}

static void truth_free(truth *t)
{
    ebm_proposal_free(t->mixture);
    for (int g = 0; g < PARTS; g++) ebm_proposal_free(t->part[g]);
}

/* ---- The model -------------------------------------------------------------------------------------------------- */

/* E = ½(ν + 1) Σ log(1 + zᵢ²/ν), z = (x − location)/scale. */
static ad_var student_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var z = ad_mul(ad_sub(x, theta[0]), ad_exp(ad_neg(theta[1])));
    return ad_scale(ad_sum(ad_log1p(ad_scale(ad_square(z), 1 / NU))), 0.5 * (NU + 1));
}

/* Both components, started on either side of the data's mean. */
static gibbs_status make_parts(const double start[4], ebm_model **part, gibbs_error *error)
{
    const ebm_parameter theta[] = {{"location", ad_vec(2), EBM_INIT_CONSTANT, 0},
                                   {"log_scale", ad_vec(2), EBM_INIT_CONSTANT, 0}};
    ebm_model_spec spec = {0};
    spec.dim = 2, spec.parameters = theta, spec.parameter_count = 2, spec.energy = student_energy;
    gibbs_status status = ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &part[0], error);
    if (!status) status = ebm_model_new(&spec, &part[1], error);
    for (int g = 0; !status && g < PARTS; g++) memcpy(ebm_model_theta(part[g]), start + 2 * g, 2 * sizeof *start);
    return status;
}

static gibbs_status make_mixture(const ebm_data *data, ebm_model **part, ebm_model **mixture, gibbs_error *error)
{
    double mean[2] = {0}, square = 0;
    for (int64_t i = 0; i < data->rows; i++)
        for (int k = 0; k < 2; k++) mean[k] += data->x[2 * i + k] / (double)data->rows;
    for (int64_t i = 0; i < data->rows; i++) square += pow(data->x[2 * i] - mean[0], 2) / (double)data->rows;
    const double start[] = {mean[0] - sqrt(square), mean[1], mean[0] + sqrt(square), mean[1]};
    gibbs_status status = make_parts(start, part, error);
    return status ? status : ebm_model_mixture(part, PARTS, mixture, error);
}

/* The components' log Z at these parameters, by their closed forms. The mixture's parameters are named as those of the
 * parts, with "1." and "2." before. */
static void closed_log_z(const double *theta, double *log_z)
{
    const double *W = theta + PRECISION, *log_scale = theta + LOG_SCALE;
    double cross = 0.5 * (W[1] + W[2]);
    log_z[0] = log(2 * PI) - 0.5 * log(W[0] * W[3] - cross * cross);
    log_z[1] = 2 * (lgamma(NU / 2) - lgamma((NU + 1) / 2) + 0.5 * log(NU * PI)) + log_scale[0] + log_scale[1];
}

/* What a fit must find. ξ is relative to ξ_1, so that what NCE learns beside it is log Z_1/π_1. */
static void true_theta(double weight, double *theta)
{
    const double *C = COVARIANCE, det = C[0] * C[3] - C[1] * C[2];
    const double known[LOG_Z] = {[MEAN_1] = MEAN[0], MEAN[1], C[3] / det, -C[1] / det, -C[2] / det, C[0] / det,
                                 T_LOCATION[0], T_LOCATION[1], log(T_SCALE[0]), log(T_SCALE[1])};
    double log_z[PARTS];
    memcpy(theta, known, sizeof known);
    closed_log_z(theta, log_z);
    theta[LOG_XI] = log((1 - weight) / weight) - log_z[1] + log_z[0];
    theta[LOG_Z] = log_z[0] - log(weight);
}

/* ---- One size --------------------------------------------------------------------------------------------------- */

static gibbs_status draw(const truth *t, int64_t rows, uint64_t seed, ebm_data *data, double *log_p, gibbs_error *error)
{
    double *x = malloc(sizeof *x * (size_t)(2 * rows));
    if (!x) return fail(error, GIBBS_MEMORY, "%lld rows: out of memory", (long long)rows);
    gibbs_status status = ebm_proposal_sample(t->mixture, rows, seed, 0, NULL, x, log_p, error);
    if (!status) status = ebm_data_from(x, rows, 2, NULL, data, error);
    free(x);
    return status;
}

static gibbs_status measure(const settings *set, const truth *t, ebm_model *mixture, outcome *o, gibbs_error *error)
{
    static double log_p[FRESH], energy[FRESH];
    ebm_data fresh = {0};
    gibbs_status status = draw(t, FRESH, (uint64_t)set->common.seed + (1ull << 60), &fresh, log_p, error);
    if (!status) status = ebm_model_energy(mixture, fresh.x, FRESH, energy, NULL, error);
    for (int i = 0; !status && i < FRESH; i++) o->divergence += (log_p[i] + energy[i] + o->mixture_log_z) / FRESH;
    ebm_data_free(&fresh);
    return status;
}

/* NaN where L-BFGS has not ended in a minimum, which can happen with few rows. */
static gibbs_status find_errors(ebm_model *mixture, const ebm_data *data, const ebm_fit_options *fit, outcome *o,
                                gibbs_error *error)
{
    ebm_uncertainty u = {0};
    gibbs_status status = ebm_standard_errors(mixture, data, fit, &u, error);
    for (int i = 0; i < P; i++) {
        o->error[i] = status ? NAN : u.standard_error[i];
        o->noise[i] = status ? NAN : u.noise_error[i];
    }
    ebm_uncertainty_free(&u);
    return status == GIBBS_NUMERIC ? GIBBS_OK : status;
}

static gibbs_status fit_and_judge(const settings *set, const truth *t, const ebm_data *data, ebm_model *mixture,
                                  int last, outcome *o, gibbs_error *error)
{
    ebm_fit_options fit = {0};
    ebm_fit_report record = {0};
    char name[32];
    ebm_proposal *noise;
    gibbs_status status = ebm_proposal_student_t_fit(data, 3, 1.2, NULL, &noise, error);
    if (status) return status;
    fit.loss = &ebm_loss_nce, fit.lbfgs = 1, fit.steps = 2000, fit.seed = (uint64_t)set->common.seed;
    fit.threads = (int)set->common.threads;
    snprintf(name, sizeof name, "%lld", (long long)data->rows);
    fit.loss_options.proposal = noise;
    fit.loss_options.noise_ratio = set->noise_ratio;
    fit.loss_options.redraw = EBM_REDRAW_NEVER;
    status = fit_model(&set->common, name, mixture, data, &fit, &record, error);
    if (!status) status = find_errors(mixture, data, &fit, o, error);
    o->theta[LOG_Z] = record.log_z;
    o->seconds = record.seconds;
    if (!status) status = ebm_model_mixture_weights(mixture, data, o->theta[LOG_Z], o->pi, o->log_z, error);
    ebm_model_get(mixture, o->theta);
    closed_log_z(o->theta, o->closed);
    o->mixture_log_z = log(exp(o->closed[0]) + exp(o->theta[LOG_XI] + o->closed[1]));
    if (!status) status = measure(set, t, mixture, o, error);
    if (!status && last) status = mixture_draw(set, data, mixture, o, error);
    ebm_fit_report_free(&record);
    ebm_proposal_free(noise);
    return status;
}

static gibbs_status fit_one(const settings *set, const truth *t, int last, outcome *o, gibbs_error *error)
{
    ebm_data data = {0};
    ebm_model *part[PARTS] = {0}, *mixture = NULL;
    gibbs_status status = draw(t, o->rows, (uint64_t)set->common.seed, &data, NULL, error);
    if (!status) status = make_mixture(&data, part, &mixture, error);
    if (!status) status = fit_and_judge(set, t, &data, mixture, last, o, error);
    ebm_model_free(mixture);
    for (int g = 0; g < PARTS; g++) ebm_model_free(part[g]);
    ebm_data_free(&data);
    return status;
}

/* ---- All sizes -------------------------------------------------------------------------------------------------- */

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    truth t = {0};
    gibbs_status status = report_prepare(&set->common, error);
    if (!status) status = truth_new(set->weight, &t, error);
    if (!status) mixture_tell_head(set);
    double truth[P];
    outcome o = {0};
    true_theta(set->weight, truth);
    report *list = report_list(root, "fits");
    report_number(root, "weight", set->weight);
    report_numbers(root, "theta_truth", truth, P);
    for (int i = 0, sizes = (int)set->sizes; !status && i < sizes; i++) {
        o = (outcome){.rows = (int64_t)set->rows << 2 * i};
        status = fit_one(set, &t, i == sizes - 1, &o, error);
        if (!status) mixture_tell(set, &o, list);
    }
    truth_free(&t);
    if (status || set->common.quiet) return status;
    mixture_tell_errors(set, &o, truth);
    printf("\nOf the noise: the part of the standard error that NCE's noise points add; total² = data² + noise².\n"
           "log Ẑ_g = log π̂_g/ξ̂_g comes from NCE alone; log Z_g is the closed form at the fitted parameters.\n"
           "KL(p‖p̂): divergence of the fitted density from the true one, in nats, by %d fresh rows.\n"
           "Picture and data: %s/mixture*\n", FRESH, set->common.out);
    return GIBBS_OK;
}

int main(int argc, char **argv)
{
    settings set = {500, 4, 0.3, 5, {.seed = 1, .threads = 1, .out = "out"}};
    static const option_domain sizes = {"a whole number from 1 to 6", 1, 7, 1};
    static const option_domain rows = {"a whole number from 50 to 100000", 50, 100001, 1};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"rows", "N", "Rows of the smallest data set; the next has four times as many", &set.rows, &rows, NULL},
        {"sizes", "N", "How many data sets", &set.sizes, &sizes, NULL},
        {"weight", "P", "The Gaussian's weight, between 0 and 1", &set.weight, &option_fraction, NULL},
        {"noise-ratio", "RATIO", "Noise points a row", &set.noise_ratio, &option_positive, NULL},
    };
    options_read(argc, argv,
                 "A mixture of unnormalised components fitted by noise contrastive estimation: its weights "
                 "and normalisers recovered.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
