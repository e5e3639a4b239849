/* embeddings — which bottom half belongs to a top half: a bilinear energy learnt by contrast, and retrieval.
 *
 * E(x, y) = −Ψ(x)ᵀφ(y) (S3, eq 10.14): both halves of an image are embedded in a few dimensions, where those that
 * belong together must point the same way. Nobody knows log Z(x), and none is needed: the negatives of an image are the
 * bottom halves of other images of the batch (ranking NCE among its rows; what CLIP and SimCLR do), so that −E learns
 * log p(y | x)/p(y). Halves of images that were held out are then retrieved: p(y | x) over all of their bottom halves.
 * Reading order: main, run, half, make_model, train, retrieve. */
#include "common/data_load.h"
#include "common/failure.h"
#include "common/fitting.h"
#include "common/image_plot.h"
#include "common/options.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WITHIN = 3 };
static const int within[WITHIN] = {1, 5, 10}; /* the places among which the own half is looked for */

typedef struct settings {
    const char *data;
    double rows, held_out, width, hidden, steps, batch, negatives, rate;
    common_options common;
} settings;

typedef struct problem {
    ebm_data train, held; /* rows [top half, bottom half], grey from 0 to 1 */
    int side;
    int64_t half;         /* pixels of one */
} problem;

/* Where the own bottom half came among all: the share of images for which it was among the first 1, 5, 10. */
typedef struct retrieved {
    double share[WITHIN], mean_place;
} retrieved;

/* ---- The energy ------------------------------------------------------------------------------------------------- */

/* A half, embedded: softplus(xA + b), which the model projects to its `width` dimensions. */
static ad_var half(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_softplus(ad_add(ad_matmul(x, theta[0]), theta[1]));
}

static gibbs_status make_model(const settings *set, const problem *p, ebm_model **model, gibbs_error *error)
{
    int64_t hidden = (int64_t)set->hidden;
    const ebm_parameter layer[] = {{"A", ad_mat(p->half, hidden), EBM_INIT_GLOROT, 1},
                                   {"b", ad_vec(hidden), EBM_INIT_CONSTANT, 0}};
    const ebm_features features = {.record = half, .size = hidden, .parameters = layer, .parameter_count = 2};
    const ebm_bilinear_spec spec = {.given = p->half, .modelled = p->half, .width = (int64_t)set->width, .x = features,
                                    .y = features, .dtype = GIBBS_FLOAT32, .seed = (uint64_t)set->common.seed};
    return ebm_model_bilinear(&spec, model, error);
}

static gibbs_status train(const settings *set, const problem *p, ebm_model *model, ebm_fit_report *fit,
                          gibbs_error *error)
{
    ebm_fit_options o = {0};
    o.loss = &ebm_loss_batch_ranking_nce;
    o.loss_options.copies = (int)set->negatives;
    o.steps = (int64_t)set->steps, o.batch = (int64_t)set->batch, o.rate = set->rate;
    o.schedule = EBM_SCHEDULE_COSINE;
    o.validation_fraction = 0.1, o.validation_every = 50;
    o.seed = (uint64_t)set->common.seed, o.threads = (int)set->common.threads;
    return fit_model(&set->common, NULL, model, &p->train, &o, fit, error);
}

/* ---- Retrieval -------------------------------------------------------------------------------------------------- */

/* How many of the candidates come before number `own` by their scores. */
static int64_t place_of(const double *score, int64_t count, int64_t own)
{
    int64_t before = 0;
    for (int64_t k = 0; k < count; k++) before += score[k] > score[own] || (score[k] == score[own] && k < own);
    return before;
}

static void note(retrieved *r, const double *score, int64_t count)
{
    memset(r, 0, sizeof *r);
    for (int64_t n = 0; n < count; n++) {
        int64_t place = place_of(score + n * count, count, n);
        for (int w = 0; w < WITHIN; w++) r->share[w] += (place < within[w]) / (double)count;
        r->mean_place += ((double)place + 1) / (double)count;
    }
}

/* score[n × n]: p(bottom half k | top half n) among the held-out ones, by the energies of all pairs. */
static gibbs_status score_by_energy(const problem *p, ebm_model *model, const double *top, double *bottom,
                                    double *score, gibbs_error *error)
{
    int64_t n = p->held.rows;
    double *weights = calloc((size_t)n, sizeof *weights), *best = malloc(sizeof *best * (size_t)(n * p->half));
    ebm_points points = {.rows = n, .dim = p->half, .x = bottom, .log_weight = weights};
    ebm_predict_options o = {.points = &points};
    gibbs_status status = weights && best ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_predict(model, &o, top, n, best, NULL, score, error);
    free(weights), free(best);
    return status;
}

/* The baseline: minus the distance of each candidate to what a linear regression says that the bottom half is. */
static gibbs_status score_by_regression(const problem *p, const double *top, const double *bottom, double *score,
                                        gibbs_error *error)
{
    int64_t n = p->held.rows, h = p->half;
    double *b = malloc(sizeof *b * (size_t)((1 + h) * h)), *y = malloc(sizeof *y * (size_t)h);
    ebm_data residuals = {0};
    gibbs_status status = b && y ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_least_squares(&p->train, h, b, &residuals, error);
    for (int64_t i = 0; !status && i < n; i++) {
        memcpy(y, b, (size_t)h * sizeof *y);
        for (int64_t j = 0; j < h; j++)
            for (int64_t k = 0; k < h; k++) y[k] += top[i * h + j] * b[(1 + j) * h + k];
        for (int64_t c = 0; c < n; c++) {
            score[i * n + c] = 0;
            for (int64_t k = 0; k < h; k++) score[i * n + c] -= (bottom[c * h + k] - y[k]) * (bottom[c * h + k] - y[k]);
        }
    }
    ebm_data_free(&residuals);
    free(b), free(y);
    return status;
}

/* ---- Telling ---------------------------------------------------------------------------------------------------- */

/* Mosaics of the first held-out images: whole, and each top half with the two bottom halves that come first. */
static gibbs_status draw(const settings *set, const problem *p, const double *score, gibbs_error *error)
{
    int64_t n = p->held.rows, shown = n < 36 ? n : 36, pixels = 2 * p->half;
    double *image = malloc(sizeof *image * (size_t)(3 * shown * pixels));
    if (!image) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t i = 0; i < shown; i++) {
        int64_t first[3] = {i, 0, 0};
        for (int64_t k = 0; k < n; k++) {
            int64_t place = place_of(score + i * n, n, k);
            if (place < 2) first[1 + place] = k;
        }
        for (int w = 0; w < 3; w++) {
            double *to = image + (w * shown + i) * pixels;
            memcpy(to, p->held.x + i * pixels, (size_t)p->half * sizeof *to);
            memcpy(to + p->half, p->held.x + first[w] * pixels + p->half, (size_t)p->half * sizeof *to);
        }
    }
    image_panel panels[] = {{"held-out images", image, shown, 0},
                            {"their top, the first bottom half found", image + shown * pixels, shown, 0},
                            {"their top, the second", image + 2 * shown * pixels, shown, 0}};
    gibbs_status status = image_plot_write(
        set->common.out, "embeddings", "Bottom halves found for top halves, by an energy", panels, 3, p->side, error);
    free(image);
    return status;
}

static void tell(const settings *set, const problem *p, const ebm_fit_report *fit, const retrieved *r, report *root)
{
    static const char *const name[] = {"energy", "linear regression"};
    double n = (double)p->held.rows;
    report_whole(root, "held_out_rows", p->held.rows);
    report_number(root, "best_validation", fit->best_validation);
    for (int k = 0; k < 2; k++) {
        report *own = report_object(root, k ? "regression" : "energy");
        report_numbers(own, "share_within_1_5_10", r[k].share, WITHIN);
        report_number(own, "mean_place", r[k].mean_place);
    }
    if (set->common.quiet) return;
    printf("%lld images to learn from, %lld held out; each top half is put to all %lld bottom halves\n\n",
           (long long)p->train.rows, (long long)p->held.rows, (long long)p->held.rows);
    printf("%-20s %8s %8s %8s %12s\n", "found by", "first", "in 5", "in 10", "mean place");
    for (int k = 0; k < 2; k++)
        printf("%-20s %7.1f%% %7.1f%% %7.1f%% %12.1f\n", name[k], 100 * r[k].share[0], 100 * r[k].share[1],
               100 * r[k].share[2], r[k].mean_place);
    printf("%-20s %7.1f%% %7.1f%% %7.1f%% %12.1f\n", "chance", 100 / n, 500 / n, 1000 / n, (n + 1) / 2);
    printf("\nfirst: how often the image's own bottom half comes first. Loss %.3f on rows for validation, of %g\n"
           "negatives (chance: %.3f), kept from step %lld of %lld. Picture: %s/embeddings.png\n",
           fit->best_validation, set->negatives, log(1 + set->negatives), (long long)fit->best_step,
           (long long)fit->steps, set->common.out);
}

/* ---- Data ------------------------------------------------------------------------------------------------------- */

static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    ebm_data all;
    double largest = 0;
    gibbs_status status = data_read(set->data, &all, error);
    if (status) return status;
    if ((double)all.rows > set->rows) all.rows = (int64_t)set->rows;
    for (int64_t i = 0; i < all.rows * all.cols; i++) largest = fmax(largest, fabs(all.x[i]));
    for (int64_t i = 0; i < all.rows * all.cols; i++) all.x[i] /= largest > 0 ? largest : 1;
    status = image_side(&all, set->data, &p->side, error);
    if (!status && (p->side % 2 || all.rows < 20))
        status = fail(error, GIBBS_DATA,
                      "%.200s: %lld images of %d × %d pixels; an even number of rows of pixels and 20 "
                      "images are needed",
                      set->data, (long long)all.rows, p->side, p->side);
    p->half = all.cols / 2;
    if (!status) status = ebm_data_split(&all, set->held_out, 1, &p->train, &p->held, NULL, error);
    ebm_data_free(&all);
    return status;
}

static gibbs_status retrieve(const settings *set, const problem *p, ebm_model *model, retrieved *r, gibbs_error *error)
{
    int64_t n = p->held.rows, h = p->half;
    double *memory = malloc(sizeof *memory * (size_t)(2 * n * h + n * n)), *top = memory, *bottom = top + n * h;
    if (!memory) return fail(error, GIBBS_MEMORY, "out of memory");
    double *score = bottom + n * h;
    for (int64_t i = 0; i < n; i++) {
        memcpy(top + i * h, p->held.x + i * 2 * h, (size_t)h * sizeof *top);
        memcpy(bottom + i * h, p->held.x + (2 * i + 1) * h, (size_t)h * sizeof *bottom);
    }
    gibbs_status status = score_by_regression(p, top, bottom, score, error);
    if (!status) note(&r[1], score, n);
    if (!status) status = score_by_energy(p, model, top, bottom, score, error);
    if (!status) note(&r[0], score, n);
    if (!status) status = draw(set, p, score, error);
    free(memory);
    return status;
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    problem p = {0};
    ebm_model *model = NULL;
    ebm_fit_report fit = {0};
    retrieved r[2];
    gibbs_status status = load(set, &p, error);
    if (!status) status = report_prepare(&set->common, error);
    if (!status) status = make_model(set, &p, &model, error);
    if (!status) status = train(set, &p, model, &fit, error);
    if (!status) status = retrieve(set, &p, model, r, error);
    if (!status) tell(set, &p, &fit, r, root);
    ebm_fit_report_free(&fit);
    ebm_model_free(model);
    ebm_data_free(&p.train), ebm_data_free(&p.held);
    return status;
}

int main(int argc, char **argv)
{
    settings set = {"examples/data/digits-idx3-ubyte.gz", 10000, 0.2, 16, 64, 3000, 128, 63, 3e-3,
                    {.seed = 1, .threads = 1, .out = "out"}};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"data", "FILE", "Square images, a row each", &set.data, NULL, NULL},
        {"rows", "N", "At most so many of them", &set.rows, &option_several, NULL},
        {"held-out", "SHARE", "Of the images, for retrieval", &set.held_out, &option_fraction, NULL},
        {"width", "N", "Dimensions of the embedding", &set.width, &option_count, NULL},
        {"hidden", "N", "Units of each half's layer", &set.hidden, &option_count, NULL},
        {"steps", "N", "Of Adam", &set.steps, &option_count, NULL},
        {"batch", "N", "Images a step", &set.batch, &option_several, NULL},
        {"negatives", "N", "Other images' halves for each", &set.negatives, &option_count, NULL},
        {"rate", "R", "Of Adam at the start", &set.rate, &option_positive, NULL},
    };
    options_read(argc, argv, "Which bottom half of a digit belongs to a top half: embeddings learnt by contrast.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
