#include "density_settings.h"
#include "data_load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Score matching has no lower bound on finite data; weight decay and the validation rows keep it, and the others, from
 * sharpening on the data points. */
const method methods[METHODS] = {
    {"ml-is", &ebm_loss_ml_is, 1500, 3e-3, 20, 1e-3},
    {"cd", &ebm_loss_cd, 3000, 3e-3, 0, 1e-3},
    {"score-matching", &noisy_score_matching, 3000, 3e-3, 0, 1e-3},
    {"nce", &ebm_loss_nce, 3000, 3e-3, 2, 1e-3},
};

typedef struct activation {
    const char *name;
    ebm_activation function;
} activation;
static const activation activations[] = {{"softplus", ad_softplus}, {"tanh", ad_tanh}, {"silu", ad_silu}};

/* ---- Lists and names ---- */

typedef struct list_state {
    settings *set;
    char *message;
    size_t size;
} list_state;

static int choose_loss(const char *piece, void *context)
{
    const list_state *s = context;
    int i = option_choose(piece, methods, METHODS, sizeof *methods, s->message, s->size);
    if (i >= 0) s->set->chosen[i] = 1;
    return i < 0;
}

static int parse_losses(const char *text, void *target, char *message, size_t size)
{
    list_state state = {target, message, size};
    for (int i = 0; i < METHODS; i++) state.set->chosen[i] = !strcmp(text, "all");
    return strcmp(text, "all") ? option_each(text, choose_loss, &state) : 0;
}

static int add_layer(const char *piece, void *context)
{
    const list_state *s = context;
    char *end;
    long width = strtol(piece, &end, 10);
    int good = end != piece && !*end && width >= 1 && width <= 65536;
    if (!good) snprintf(s->message, s->size, "«%s» is not the width of a layer, 1 to 65536", piece);
    else if (s->set->layers == MAX_LAYERS) snprintf(s->message, s->size, "more than %d layers", MAX_LAYERS);
    else s->set->width[s->set->layers++] = width;
    return *s->message != 0;
}

static int parse_hidden(const char *text, void *target, char *message, size_t size)
{
    list_state state = {target, message, size};
    *message = 0;
    state.set->layers = 0;
    return option_each(text, add_layer, &state);
}

static int parse_activation(const char *text, void *target, char *message, size_t size)
{
    enum { COUNT = sizeof activations / sizeof *activations };
    int i = option_choose(text, activations, COUNT, sizeof *activations, message, size);
    if (i >= 0) ((settings *)target)->activation = activations[i].function;
    return i < 0;
}

/* ---- The table of options ---- */

static const char before[] =
    "Fits one network energy of the rows of a table by several losses, and compares them on rows that were held out: "
    "by their mean log-likelihoods, each density normalised by quadrature (1 to 3 columns) or by importance sampling "
    "(more, where that will do), and by the score matching loss, which needs no normalising. Columns are "
    "standardised.\v";

static const char after[] =
    "Every fit keeps the parameters that were best on validation rows, which are taken from the training rows (CD is "
    "judged there by score matching). Exact score matching has no lower bound on finite data and would sharpen on the "
    "data points for ever: these validation rows, weight decay, a falling rate (cosine) and noise on the data (redrawn "
    "in every step; --data-noise) guard it.\n\nDefaults by loss:\n";

static char *describe(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out) return NULL;
    fprintf(out, "%s%s", before, after);
    for (int i = 0; i < METHODS; i++) {
        const method *m = &methods[i];
        fprintf(out, "  %-15s steps %g, rate %g, weight decay %g", m->name, m->steps, m->rate, m->weight_decay);
        if (m->loss->noise == EBM_NOISE_PROPOSAL) fprintf(out, ", noise ratio %g", m->noise_ratio);
        fputc('\n', out);
    }
    return fclose(out) ? NULL : text;
}

static void read_table(int argc, char **argv, settings *s)
{
    const option_entry table[] = {
        {"data", "FILE|NAME",
         "A table: CSV, npy or IDX, gzip of these; or a set to draw: gaussian, 8gaussians, circles, rings, moons, "
         "pinwheel, swissroll, 2spirals, checkerboard", &s->data, NULL, NULL},
        DATA_OPTIONS,
        {"rows", "N", "Of a set that is drawn, by the split's seed", &s->rows, &option_several, NULL},
        {"loss", "NAME,...", "Any of ml-is, cd, score-matching, nce; or all (default all)", s, NULL, parse_losses},
        {"hidden", "N,...", "Widths of the hidden layers (default 64,64)", s, NULL, parse_hidden},
        {"activation", "NAME", "softplus, tanh or silu (default silu)", s, NULL, parse_activation},
        {"base-sd", "SD", "Of the broad Gaussian that keeps the energy integrable", &s->base_sd, &option_positive,
         NULL},
        {"steps", "N", "Steps of the optimiser (default by loss, see below)", &s->steps, &option_count, NULL},
        {"rate", "RATE", "Learning rate at the start (default by loss)", &s->rate, &option_positive, NULL},
        {"weight-decay", "W", "L2 penalty (default by loss)", &s->weight_decay, &option_not_negative, NULL},
        {"batch", "ROWS", "Rows a step; 0: all", &s->batch, &option_whole, NULL},
        {"noise-ratio", "NU", "Artificial points for each data row, of ml-is and nce (default by loss)",
         &s->noise_ratio, &option_positive, NULL},
        {"data-noise", "SD", "Score matching sees the (standardised) data with noise of this sd", &s->data_noise,
         &option_not_negative, NULL},
        {"cd-steps", "K", "Transitions of CD's chains, which start at the data (MALA)",
         &s->cd_steps, &option_count, NULL},
        {"cd-step", "H", "Step size of those transitions", &s->cd_step, &option_positive, NULL},
        {"held-out", "PART", "Part of the rows that is held out", &s->held_out, &option_fraction, NULL},
        {"validation", "PART", "Part of the training rows for validation", &s->validation, &option_fraction, NULL},
        {"split-seed", "N", "Of the split into training and held-out rows", &s->split_seed, &option_whole, NULL},
        {"double", NULL, "Work in float64, not float32", &s->double_precision, NULL, NULL},
        {"demo", NULL, "All defaults", &s->demo, NULL, NULL},
    };
    char *doc = describe();
    options_read(argc, argv, doc, table, sizeof table / sizeof *table, &s->common);
    free(doc);
}

settings settings_read(int argc, char **argv)
{
    settings s = {.data = "examples/data/faithful.csv", .rows = 1000, .chosen = {1, 1, 1, 1}, .width = {64, 64},
                  .layers = 2, .activation = ad_silu, .steps = NAN, .rate = NAN, .noise_ratio = NAN,
                  .weight_decay = NAN, .cd_steps = 10, .cd_step = 0.02, .data_noise = 0.2, .base_sd = 4,
                  .held_out = 0.2, .validation = 0.25, .split_seed = 1,
                  .common = {.seed = 1, .threads = 1, .out = "out"}};
    read_table(argc, argv, &s);
    return s;
}

/* ---- Into the report ---- */

double setting_or(double chosen, double otherwise) { return isnan(chosen) ? otherwise : chosen; }

void settings_report(const settings *set, report *r)
{
    enum { COUNT = sizeof activations / sizeof *activations };
    report_whole(r, "seed", (int64_t)set->common.seed);
    report_whole(r, "split_seed", (int64_t)set->split_seed);
    report_number(r, "held_out", set->held_out);
    report_number(r, "validation", set->validation);
    report_whole(r, "batch", (int64_t)set->batch);
    report *hidden = report_list(r, "hidden");
    for (int i = 0; i < set->layers; i++) report_whole(hidden, NULL, set->width[i]);
    for (int i = 0; i < COUNT; i++)
        if (activations[i].function == set->activation) report_text(r, "activation", activations[i].name);
    report_number(r, "base_sd", set->base_sd);
    report_flag(r, "double", set->double_precision);
}

void method_report(const settings *set, const method *m, report *r)
{
    report_whole(r, "steps", (int64_t)setting_or(set->steps, m->steps));
    report_number(r, "rate", setting_or(set->rate, m->rate));
    report_number(r, "weight_decay", setting_or(set->weight_decay, m->weight_decay));
    if (m->loss->noise == EBM_NOISE_PROPOSAL)
        report_number(r, "noise_ratio", setting_or(set->noise_ratio, m->noise_ratio));
    if (m->loss == &ebm_loss_cd) {
        report_whole(r, "cd_steps", (int64_t)set->cd_steps);
        report_number(r, "cd_step", set->cd_step);
    }
    if (m->loss == &noisy_score_matching) report_number(r, "data_noise", set->data_noise);
}
