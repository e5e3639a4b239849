/* cd_meets_score_matching — contrastive divergence with one short Langevin step is score matching (S1 eq 14–21).
 *
 * One step x′ = x − (ε²/2)∇E(x) + εz from the data gives CD-1 the gradient ∇θ mean E(x) − ∇θ mean E(x′). Divided by
 * ε²/2 it tends, as ε → 0, to the score matching gradient, with an error of order ε². Both are the library's; an
 * average over many z stands for the expectation, and its Monte Carlo error is shown. That error grows like 1/ε for z
 * as it comes, so that each z is also taken with its mirror image −z: two samplers of our own, which share their noise.
 *
 * For a Gaussian of precision P the error is known: (ε²/4) P S P in the precision, S the data's moments about its mean.
 * A network has no such formula. Reading order: main, run_subject, compare, summarise. */
#include "common/cd_curve.h"
#include "common/data_load.h"
#include "common/failure.h"
#include "common/progress.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Langevin steps whose noises are each other's mirror image ------------------------------------------------- */

enum { MIRROR_STREAM = 1001 };

static ad_var langevin(const ebm_sampler_graph *g, ad_var x, ad_var *next, double side)
{
    ad_var slope = {g->tape, -1};
    ad_grad(ebm_sampler_energy(g, x), &x, 1, &slope);
    ad_var noise = ad_mul(ad_sqrt(ad_scale(g->step, 2)), ad_normal(g->chain, ad_shape_of(x), MIRROR_STREAM));
    *next = ad_add(ad_sub(x, ad_mul(g->step, slope)), ad_scale(noise, side));
    return ad_constant(g->tape, 1); /* every move counts */
}

static ad_var step_forth(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    return langevin(g, state[0], next, 1);
}

static ad_var step_back(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    return langevin(g, state[0], next, -1);
}

static const ebm_sampler forth = {.name = "langevin-forth", .step = step_forth};
static const ebm_sampler back = {.name = "langevin-back", .step = step_back};

/* ---- Gradients ------------------------------------------------------------------------------------------------- */

/* Adds factor times the gradient of a loss to g. */
static gibbs_status add_gradient(ebm_objective *o, double factor, const settings *set, uint64_t step, double *g,
                                 gibbs_error *error)
{
    gibbs_status status = ebm_objective_refresh(o, (uint64_t)set->common.seed, step, error);
    if (!status) status = ebm_objective_evaluate(o, NULL, error);
    const double *gradient = ebm_objective_gradient(o); /* the models are float64 */
    for (int64_t j = 0; !status && j < ebm_objective_size(o); j++) g[j] += factor * gradient[j];
    return status;
}

/* An objective for the subject's data; sampler NULL: score matching, else CD-1 with a step of h = ε²/2. */
static gibbs_status make_objective(const settings *set, const subject *s, const ebm_sampler *sampler, double epsilon,
                                   ebm_objective **o, gibbs_error *error)
{
    ebm_loss_options options = {0};
    options.sampler = sampler;
    if (sampler) options.sampler_step = 0.5 * epsilon * epsilon;
    options.threads = (int)set->common.threads;
    gibbs_status status =
        ebm_objective_new(s->model, sampler ? &ebm_loss_cd : &ebm_loss_score_matching, &options, o, error);
    return status ? status : ebm_objective_bind(*o, s->data->x, s->data->rows, error);
}

/* d[draw·p + j]: the gradient of CD-1 over ε²/2, averaged over the samplers, minus that of score matching. Every point
 * of the curve has noise of its own, so that their errors are independent. */
static gibbs_status differences(const settings *set, const subject *s, const ebm_sampler *const *sampler, int samplers,
                                const point *at, double *d, gibbs_error *error)
{
    uint64_t first = (uint64_t)(at - s->point) * (uint64_t)set->draws;
    double epsilon = at->epsilon;
    int64_t p = ebm_model_size(s->model), draws = (int64_t)set->draws;
    double factor = 1 / (0.5 * epsilon * epsilon * samplers);
    gibbs_status status = GIBBS_OK;
    for (int64_t k = 0; k < draws * p; k++) d[k] = -s->target[k % p];
    for (int i = 0; !status && i < samplers; i++) {
        ebm_objective *o = NULL;
        status = make_objective(set, s, sampler[i], epsilon, &o, error);
        for (int64_t k = 0; !status && k < draws; k++) 
            status = add_gradient(o, factor, set, first + (uint64_t)k, d + k * p, error);
        ebm_objective_free(o);
    }
    return status;
}

/* ---- Statistics ------------------------------------------------------------------------------------------------ */

/* From the differences d of R draws, with d̄ their mean: the ratio 1 + d̄·g/|g|², and the distance |E d|/|g|. |d̄|²
 * would be too large by the noise in it; the average of dᵢ·dⱼ over all pairs of different draws is not (a U-statistic,
 * whose standard error is twice that of the averages over j). scratch: R + p numbers. */
static verdict judge(const subject *s, const double *d, int64_t draws, double *scratch)
{
    verdict v;
    int64_t p = ebm_model_size(s->model);
    double *mean = scratch + draws, count = (double)draws, error;
    memset(mean, 0, sizeof *mean * (size_t)p);
    for (int64_t k = 0; k < draws * p; k++) mean[k % p] += d[k] / count;
    for (int64_t k = 0; k < draws; k++) scratch[k] = 1 + dot_product(d + k * p, s->target, p) / s->norm2;
    v.ratio = mean_of(scratch, draws, &v.ratio_error);
    for (int64_t k = 0; k < draws; k++) {
        const double *row = d + k * p;
        scratch[k] = (count * dot_product(row, mean, p) - dot_product(row, row, p)) / (count - 1) / s->norm2;
    }
    double square = mean_of(scratch, draws, &error);
    v.distance = square > 0 ? sqrt(square) : NAN; /* NaN: lost in the noise */
    v.distance_error = error / v.distance;        /* 2 error/(2 distance) */
    return v;
}

static gibbs_status compare(const settings *set, const subject *s, point *at, double *memory, gibbs_error *error)
{
    static const ebm_sampler *const plain[] = {&ebm_ula}, *const mirrored[] = {&forth, &back};
    int64_t draws = (int64_t)set->draws;
    double *scratch = memory + draws * ebm_model_size(s->model);
    at->exact = s->curvature * at->epsilon * at->epsilon;
    gibbs_status status = differences(set, s, plain, 1, at, memory, error);
    if (!status) at->plain = judge(s, memory, draws, scratch);
    if (!status) status = differences(set, s, mirrored, 2, at, memory, error);
    if (!status) at->mirrored = judge(s, memory, draws, scratch);
    return status;
}

/* The order is the slope of log distance over log ε, where ε is small but the distance well above its error. */
static void fit_order(const settings *set, subject *s)
{
    double x[MOST_POINTS], y[MOST_POINTS], weight[MOST_POINTS];
    for (int i = 0; i < (int)set->points; i++) {
        const point *at = &s->point[i];
        double certainty = at->mirrored.distance / at->mirrored.distance_error;
        x[i] = log(at->epsilon);
        y[i] = log(at->mirrored.distance);
        int fitted = at->epsilon >= set->fit_from && at->epsilon <= set->fit_to && certainty > 0;
        weight[i] = fitted ? certainty * certainty : 0;
    }
    s->order = fit_line(x, y, weight, (int64_t)set->points);
}

/* ---- The two energies ------------------------------------------------------------------------------------------ */

/* A Gaussian about the data's mean, of a precision that is not the data's; and |½PSP|/(2|g|), which times ε² is the
 * exact distance: E ∇P E(x′) leaves −½h PSP of S1 eq 17's remainder, and nothing in the mean. */
static gibbs_status make_gaussian(const settings *set, subject *s, gibbs_error *error)
{
    (void)set;
    static const double P[4] = {1.5, 0.4, 0.4, 0.8};
    const double theta[6] = {0, 0, P[0], P[1], P[2], P[3]};
    double S[4] = {0}, sum = 0;
    for (int64_t n = 0; n < s->data->rows; n++)
        for (int k = 0; k < 4; k++) S[k] += s->data->x[2 * n + k / 2] * s->data->x[2 * n + k % 2];
    for (int k = 0; k < 4; k++) {
        double element = 0;
        for (int i = 0; i < 4; i++) element += P[k / 2 * 2 + i / 2] * S[i] * P[i % 2 * 2 + k % 2];
        sum += pow(0.5 * element / (double)s->data->rows, 2);
    }
    gibbs_status status = ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &s->model, error);
    if (!status) ebm_model_set(s->model, theta);
    s->curvature = 0.5 * sqrt(sum);
    return status;
}

static gibbs_status make_network(const settings *set, subject *s, gibbs_error *error)
{
    static const int64_t widths[2] = {16, 16};
    ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 2, .activation = ad_tanh, .base_sd = 4,
                         .dtype = GIBBS_FLOAT64, .seed = (uint64_t)set->common.seed};
    s->curvature = NAN;
    return ebm_model_mlp(&spec, &s->model, error);
}

static gibbs_status find_target(const settings *set, subject *s, gibbs_error *error)
{
    ebm_objective *o = NULL;
    int64_t p = ebm_model_size(s->model);
    s->target = calloc((size_t)p, sizeof *s->target);
    if (!s->target) return fail(error, GIBBS_MEMORY, "out of memory");
    gibbs_status status = make_objective(set, s, NULL, 0, &o, error);
    if (!status) status = add_gradient(o, 1, set, 0, s->target, error);
    s->norm2 = dot_product(s->target, s->target, p);
    s->curvature /= sqrt(s->norm2);
    ebm_objective_free(o);
    return status;
}

/* ---- Running --------------------------------------------------------------------------------------------------- */

static gibbs_status trace(const settings *set, subject *s, gibbs_error *error)
{
    int64_t last = (int64_t)set->points - 1;
    size_t p = (size_t)ebm_model_size(s->model), draws = (size_t)set->draws;
    double *memory = malloc(sizeof *memory * (draws * p + draws + p));
    if (!memory) return fail(error, GIBBS_MEMORY, "%g draws: out of memory", set->draws);
    progress_line line = progress_start(s->name, set->common.quiet);
    gibbs_status status = GIBBS_OK;
    for (int64_t i = 0; !status && i <= last; i++) {
        s->point[i].epsilon = set->low * pow(set->high / set->low, (double)i / (double)last);
        status = compare(set, s, &s->point[i], memory, error);
        progress_show(&line, i + 1, last + 1, "");
    }
    progress_clear(&line);
    free(memory);
    return status;
}

static gibbs_status run_subject(const settings *set, subject *s, report *list, gibbs_error *error)
{
    gibbs_status status = s->make(set, s, error);
    if (!status) status = find_target(set, s, error);
    if (!status) status = trace(set, s, error);
    if (status) return status;
    fit_order(set, s);
    return curve_tell(set, s, list, error);
}

static gibbs_status load(const settings *set, ebm_data *data, gibbs_error *error)
{
    gibbs_status status = data_load(set->data, set->rows, set->common.seed, data, error);
    if (!status) status = ebm_data_standardise(data, NULL, NULL, error);
    return status ? status : report_prepare(&set->common, error);
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    ebm_data data = {0};
    subject subjects[] = {
        {.name = "Gaussian", .title = "A Gaussian that is not the data's", .make = make_gaussian, .data = &data},
        {.name = "network", .title = "A network 2-16-16-1, as initialised", .make = make_network, .data = &data},
    };
    enum { SUBJECTS = sizeof subjects / sizeof *subjects };
    gibbs_status status = load(set, &data, error);
    if (!status && !set->common.quiet)
        printf("%s: %lld rows. The gradient of CD-1 with one Langevin step of length ε,\n"
               "over ε²/2 (CD), against that of score matching (SM); ± is the standard error of %g draws of z.\n",
               set->data, (long long)data.rows, set->draws);
    report *list = report_list(root, "energies");
    for (int i = 0; !status && i < SUBJECTS; i++) status = run_subject(set, &subjects[i], list, error);
    if (!status) status = curve_draw(set, subjects, SUBJECTS, error);
    if (!status && !set->common.quiet) printf("\nFigure and data: %s/" PROGRAM "*\n", set->common.out);
    for (int i = 0; i < SUBJECTS; i++) {
        ebm_model_free(subjects[i].model);
        free(subjects[i].target);
    }
    ebm_data_free(&data);
    return status;
}

int main(int argc, char **argv)
{
    settings set = {.data = "examples/data/faithful.csv", .rows = 1000, .draws = 1000, .points = 12, .low = 0.06,
                    .high = 1, .fit_from = 0.15, .fit_to = 0.5, .common = {.seed = 1, .threads = 1, .out = "out"}};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"data", "FILE|NAME", "A table of two columns, or a set to draw (moons, …), standardised", &set.data, NULL,
         NULL},
        DATA_OPTIONS,
        {"rows", "N", "Of a set that is drawn", &set.rows, &option_several, NULL},
        {"draws", "N", "Draws of z for each ε", &set.draws, &option_several, NULL},
        {"points", "N", "How many ε, at most 64", &set.points, &option_several, NULL},
        {"low", "EPSILON", "The smallest", &set.low, &option_positive, NULL},
        {"high", "EPSILON", "The largest", &set.high, &option_positive, NULL},
        {"fit-from", "EPSILON", "The order is fitted to ε from here on", &set.fit_from, &option_positive, NULL},
        {"fit-to", "EPSILON", "… up to here", &set.fit_to, &option_positive, NULL},
    };
    options_read(argc, argv, "How the gradient of contrastive divergence with one Langevin step tends to that of score "
                 "matching as the step ε shrinks (Hyvärinen 2007).", table, sizeof table / sizeof *table, &set.common);
    if (set.low >= set.high || set.points > MOST_POINTS) {
        fprintf(stderr, PROGRAM ": --low must lie below --high, and --points be at most %d\n", MOST_POINTS);
        return EXIT_USAGE;
    }
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
