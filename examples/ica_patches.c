/* ica_patches — the independent components of photographs.
 *
 * Small patches of photographs are whitened, and x = As with independent, heavy-tailed s is fitted to them as the
 * energy E(x) = Σᵢ αᵢ log(1 + (wᵢ·x)²/2), by score matching and by noise contrastive estimation. Neither needs Z; but
 * Z of this energy is known, so that the likelihood of held-out patches judges both, beside one Gaussian. The filters
 * wᵢ come out as edges. Patches of sky or shadow are almost constant, a spike of density at 0 on which score matching
 * would sharpen without end: both losses see the patches with noise. Reading order: main, run, run_fit, fit. */
#include "common/failure.h"
#include "common/fitting.h"
#include "common/image_plot.h"
#include "common/options.h"
#include "common/patches.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;

typedef struct method {
    const char *name;
    const ebm_loss *loss;
    double steps, rate;
} method;

static const method methods[] = {
    {"score-matching", &ebm_loss_score_matching, 2500, 0.02},
    {"nce", &ebm_loss_nce, 2500, 0.02},
};
enum { METHODS = sizeof methods / sizeof *methods };

typedef struct settings {
    const char *data;
    double side, patches, dims, steps, batch, noise_ratio, data_noise;
    common_options common;
} settings;

typedef struct problem {
    patches patches;
    int pixels, dims;
    double gaussian;     /* held-out mean log-likelihood of the standard normal */
    ebm_proposal *noise; /* of NCE: heavy-tailed, as the data are */
} problem;

typedef struct result {
    ebm_fit_report fit;
    double log_z, log_z_hat, held_out, expert; /* expert: mean α */
    double *filter;       /* dims × pixels */
} result;

/* ---- Data and noise ---------------------------------------------------------------------------------------------- */

static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    const patch_spec spec = {set->data, (int)set->side, (int)set->dims, (int64_t)set->patches, set->data_noise,
                             (uint64_t)set->common.seed};
    p->pixels = spec.side * spec.side;
    p->dims = spec.dims;
    gibbs_status status = patches_cut(&spec, &p->patches, error);
    const ebm_data *held = &p->patches.held;
    p->gaussian = -0.5 * p->dims * log(2 * PI);
    for (int64_t i = 0; !status && i < held->rows * held->cols; i++)
        p->gaussian -= 0.5 * held->x[i] * held->x[i] / (double)held->rows;
    return status ? status : ebm_proposal_student_t_fit(&p->patches.train, 5, 0.8, NULL, &p->noise, error);
}

/* ---- One fit ----------------------------------------------------------------------------------------------------- */

static gibbs_status fit(const settings *set, const problem *p, const method *m, ebm_model *model, result *r,
                        gibbs_error *error)
{
    ebm_fit_options o = {0};
    o.loss = m->loss;
    o.loss_options.proposal = p->noise;
    o.loss_options.noise_ratio = set->noise_ratio;
    o.loss_options.threads = o.threads = (int)set->common.threads;
    o.steps = (int64_t)(isnan(set->steps) ? m->steps : set->steps);
    o.rate = m->rate;
    o.batch = (int64_t)set->batch;
    o.schedule = EBM_SCHEDULE_COSINE;
    o.seed = (uint64_t)set->common.seed;
    return fit_model(&set->common, m->name, model, &p->patches.train, &o, &r->fit, error);
}

/* The filters on patches, Wᵀ · white, and the mean of α. */
static void look_inside(const problem *p, const double *theta, result *r)
{
    int n = p->dims;
    for (int e = 0; e < n; e++) {
        r->expert += exp(theta[n * n + e]) / n;
        for (int k = 0; k < n; k++)
            for (int i = 0; i < p->pixels; i++)
                r->filter[e * p->pixels + i] += theta[k * n + e] * p->patches.white[k * p->pixels + i];
    }
}

static gibbs_status run_fit(const settings *set, const problem *p, const method *m, result *r, gibbs_error *error)
{
    const ebm_experts_spec spec = {.dim = p->dims, .experts = p->dims, .expert = ebm_student_expert,
                                   .learn_weights = 1, .dtype = GIBBS_FLOAT32, .seed = (uint64_t)set->common.seed};
    ebm_model *model = NULL;
    double *theta = malloc(sizeof *theta * (size_t)(p->dims * p->dims + p->dims));
    r->filter = calloc((size_t)(p->dims * p->pixels), sizeof *r->filter);
    gibbs_status status = theta && r->filter ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_model_experts(&spec, &model, error);
    if (!status) status = fit(set, p, m, model, r, error);
    if (!status) status = ebm_model_log_z(model, &r->log_z, error);
    if (!status) status = ebm_mean_log_likelihood(model, &p->patches.held, r->log_z, &r->held_out, error);
    if (!status) ebm_model_get(model, theta);
    if (!status) look_inside(p, theta, r);
    r->log_z_hat = r->fit.log_z;
    ebm_model_free(model);
    free(theta);
    return status;
}

/* ---- Telling ----------------------------------------------------------------------------------------------------- */

/* How alike two sets of filters are: the mean over the first of the largest |cosine| with one of the second. */
static double likeness(const problem *p, const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < p->dims; i++) {
        double best = 0;
        for (int j = 0; j < p->dims; j++) {
            double ab = 0, aa = 0, bb = 0;
            for (int k = 0; k < p->pixels; k++) {
                double x = a[i * p->pixels + k], y = b[j * p->pixels + k];
                ab += x * y, aa += x * x, bb += y * y;
            }
            best = fmax(best, fabs(ab) / sqrt(aa * bb));
        }
        sum += best / p->dims;
    }
    return sum;
}

static void report_fit(report *list, const method *m, const result *r)
{
    report *row = report_object(list, NULL);
    report_text(row, "loss", m->name);
    report_whole(row, "steps", r->fit.steps);
    report_number(row, "seconds", r->fit.seconds);
    report_number(row, "held_out_mean_log_likelihood", r->held_out);
    report_number(row, "log_z", r->log_z);
    report_number(row, "log_z_estimate", r->log_z_hat);
    report_number(row, "mean_alpha", r->expert);
    report_numbers(row, "history_loss", r->fit.history_loss, r->fit.history_count);
}

static void print_table(const settings *set, const problem *p, const result *r, const double *alike)
{
    int side = (int)set->side;
    printf("%s: %lld training and %lld held-out patches of %d × %d pixels,\n%d principal components with %.1f %% of "
           "their variance\n\n", set->data, (long long)p->patches.train.rows, (long long)p->patches.held.rows, side,
           side, p->dims, 100 * p->patches.explained);
    printf("loss            steps  seconds  held-out log p      log Z  log Z-hat  mean alpha\n%-15s %30.3f %10.3f\n",
           "one Gaussian", p->gaussian, 0.5 * p->dims * log(2 * PI));
    for (int i = 0; i < METHODS; i++) {
        char estimate[32] = "";
        if (!isnan(r[i].log_z_hat)) snprintf(estimate, sizeof estimate, "%.3f", r[i].log_z_hat);
        printf("%-15s %5lld %8.2f %15.3f %10.3f %10s %11.3f\n", methods[i].name, (long long)r[i].fit.steps,
               r[i].fit.seconds, r[i].held_out, r[i].log_z, estimate, r[i].expert);
    }
    printf("\nheld-out log p: mean log-likelihood of a whitened patch in nats, by the exact log Z; log Z-hat:\n"
           "NCE's own estimate; mean alpha: of the αᵢ. Both densities are of patches with noise of sd %g. A\n"
           "filter of score matching and the nearest of NCE have a |cosine| of %.3f on average, a principal component\n"
           "and the nearest of NCE %.3f.\n"
           "Picture and data: %s/ica_patches*\n", set->data_noise, alike[0], alike[1], set->common.out);
}

static gibbs_status draw_pictures(const settings *set, const problem *p, const result *r, gibbs_error *error)
{
    image_panel panel[1 + METHODS] = {{"whitening: weight / largest |weight|", p->patches.white, p->dims, 1}};
    char label[METHODS][64];
    for (int i = 0; i < METHODS; i++) {
        snprintf(label[i], sizeof label[i], "%s: weight / largest |weight|", methods[i].name);
        panel[1 + i] = (image_panel){label[i], r[i].filter, p->dims, 1};
    }
    char title[160];
    snprintf(title, sizeof title, "Filters on patches of photographs, %d × %d pixels: principal components, and ICA by "
             "two losses", (int)set->side, (int)set->side);
    return image_plot_write(set->common.out, "ica_patches", title, panel, 1 + METHODS, (int)set->side, error);
}

static gibbs_status run(const settings *set, problem *p, result *r, report *root, gibbs_error *error)
{
    gibbs_status status = load(set, p, error);
    if (!status) status = report_prepare(&set->common, error);
    for (int i = 0; !status && i < METHODS; i++) status = run_fit(set, p, &methods[i], &r[i], error);
    if (status) return status;
    const double alike[] = {likeness(p, r[0].filter, r[1].filter), likeness(p, p->patches.white, r[1].filter)};
    report_text(root, "data", set->data);
    report_whole(root, "training_rows", p->patches.train.rows);
    report_whole(root, "held_out_rows", p->patches.held.rows);
    report_number(root, "gaussian_held_out_mean_log_likelihood", p->gaussian);
    report_number(root, "filters_mean_cosine", alike[0]);
    report_number(root, "principal_components_mean_cosine", alike[1]);
    report *list = report_list(root, "fits");
    for (int i = 0; i < METHODS; i++) report_fit(list, &methods[i], &r[i]);
    if (!set->common.quiet) print_table(set, p, r, alike);
    return draw_pictures(set, p, r, error);
}

int main(int argc, char **argv)
{
    settings set = {.data = "examples/data/photographs-idx3-ubyte.gz", .side = 8, .patches = 20000, .dims = 36,
                    .steps = NAN, .batch = 500, .noise_ratio = 4, .data_noise = 0.5,
                     .common = {.seed = 1, .threads = 1, .out = "out"}};
    static const option_domain sides = {"a whole number from 2 to 16", 2, 17, 1};
    const option_entry table[] = {
        {"data", "FILE", "Square images, one a row: IDX, npy or CSV, gzip of these", &set.data, NULL, NULL},
        {"side", "PIXELS", "Of the patches", &set.side, &sides, NULL},
        {"patches", "N", "To train on; a quarter as many are held out", &set.patches, &option_several, NULL},
        {"dims", "N", "Principal components that are kept, and filters", &set.dims, &option_count, NULL},
        {"steps", "N", "Of the optimiser, for each loss (default 2500)", &set.steps, &option_count, NULL},
        {"batch", "ROWS", "Patches a step", &set.batch, &option_count, NULL},
        {"noise-ratio", "NU", "Artificial points for each patch, of nce", &set.noise_ratio, &option_positive, NULL},
        {"data-noise", "SD", "Of the noise on the whitened patches", &set.data_noise, &option_not_negative, NULL},
    };
    options_read(argc, argv, "The independent components of patches of photographs, by score matching and noise "
                 "contrastive estimation.", table, sizeof table / sizeof *table, &set.common);
    if (set.dims >= set.side * set.side) {
        fprintf(stderr, "ica_patches: --dims: %g; patches of %g × %g pixels, less their mean, have %g\n", set.dims,
                set.side, set.side, set.side * set.side - 1);
        return EXIT_USAGE;
    }
    problem p = {0};
    result r[METHODS] = {0};
    gibbs_error error = {0};
    report *root = report_new();
    gibbs_status status = run(&set, &p, r, root, &error);
    int failed = report_end(root, status, set.common.json, &error);
    for (int i = 0; i < METHODS; i++) ebm_fit_report_free(&r[i].fit), free(r[i].filter);
    ebm_proposal_free(p.noise);
    patches_free(&p.patches);
    return failed;
}
