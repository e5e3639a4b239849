#include "score_settings.h"
#include "data_load.h"

#include <math.h>
#include <string.h>

/* improved-cd's −1 is S1 eq 5, which minimises KL(data‖p) − KL(q‖p); the +1 of Du et al.'s code works against CD's own
 * gradient, and cancels it to first order in the step where there is one. */
const method score_methods[SCORE_METHODS] = {
    {"exact-ml", &ebm_loss_exact_ml, 1000, 4e-3, .noise_ratio = 0},
    {"ml-is", &ebm_loss_ml_is, 1500, 4e-3, .noise_ratio = 8},
    {"nce", &ebm_loss_nce, 3000, 4e-3, .noise_ratio = 2},
    {"ranking-nce", &ebm_loss_ranking_nce, 2000, 4e-3, .copies = 4},
    {"cd", &ebm_loss_cd, 2000, 4e-3, .sampler_steps = 10, .sampler_step = 0.05},
    {"pcd", &ebm_loss_pcd, 4000, 2e-3, .sampler_steps = 10, .sampler_step = 0.05},
    {"improved-cd", &ebm_loss_improved_cd, 2000, 4e-3, .sampler_steps = 10, .sampler_step = 0.02, .coefficient = -1},
    {"conditional-nce", &ebm_loss_conditional_nce, 2000, 4e-3, .copies = 4, .noise_sd = 0.5},
    {"score-matching", &ebm_loss_score_matching, 3000, 4e-3, .noise_ratio = 0},
    {"sliced", &ebm_loss_sliced, 3000, 4e-3, .copies = 2},
    {"sliced-reduced", &ebm_loss_sliced_reduced, 3000, 4e-3, .copies = 1},
    {"denoising", &ebm_loss_denoising, 3000, 4e-3, .copies = 2, .noise_sd = DENOISING_SD},
    {"ksd-rbf", &ebm_loss_ksd_rbf, 2000, 4e-3, 1e-3, .noise_sd = 0.5},
    {"ksd-imq", &ebm_loss_ksd_imq, 2000, 4e-3, 1e-3, .noise_sd = 0.5},
    {"stein", &ebm_loss_stein, 6000, 1e-3, 1e-3, .coefficient = 0.5},
};

typedef struct choice {
    settings *set;
    char *message;
    size_t size;
} choice;

static int choose(const char *piece, void *context)
{
    const choice *c = context;
    int i = option_choose(piece, score_methods, SCORE_METHODS, sizeof *score_methods, c->message, c->size);
    if (i >= 0) c->set->chosen[i] = 1;
    return i < 0;
}

static int parse_losses(const char *text, void *target, char *message, size_t size)
{
    choice c = {target, message, size};
    for (int i = 0; i < SCORE_METHODS; i++) c.set->chosen[i] = !strcmp(text, "all");
    return strcmp(text, "all") ? option_each(text, choose, &c) : 0;
}

settings score_settings_read(int argc, char **argv)
{
    settings set = {.data = "8gaussians", .rows = 4000, .test_rows = 4000, .steps = NAN, .rate = NAN,
                    .weight_decay = NAN, .batch = 128, .hidden = 48, .base_sd = 4,
                    .common = {.seed = 1, .threads = 1, .out = "out"}};
    const option_entry table[] = {
        {"data", "FILE|NAME", "A table of two columns (standardised, one row in five to judge by), or a set to draw "
         "(moons, …); the truth is known of 8gaussians", &set.data, NULL, NULL},
        DATA_OPTIONS,
        {"rows", "N", "For training, of a set that is drawn", &set.rows, &option_several, NULL},
        {"test-rows", "N", "… and to judge by", &set.test_rows, &option_several, NULL},
        {"loss", "NAME,...", "Any of exact-ml, ml-is, nce, ranking-nce, cd, pcd, improved-cd, conditional-nce, "
         "score-matching, sliced, sliced-reduced, denoising, ksd-rbf, ksd-imq, stein; or all (default all)", &set, NULL,
         parse_losses},
        {"steps", "N", "Steps of the optimiser (default by loss)", &set.steps, &option_count, NULL},
        {"rate", "RATE", "Learning rate at the start (default by loss)", &set.rate, &option_positive, NULL},
        {"weight-decay", "W", "L2 penalty (default by loss)", &set.weight_decay, &option_not_negative, NULL},
        {"batch", "ROWS", "Rows a step; 0: all", &set.batch, &option_whole, NULL},
        {"hidden", "N", "Width of the two hidden layers", &set.hidden, &option_count, NULL},
        {"base-sd", "SD", "Of the broad Gaussian that keeps the energy integrable", &set.base_sd, &option_positive,
         NULL},
    };
    for (int i = 0; i < SCORE_METHODS; i++) set.chosen[i] = 1;
    options_read(argc, argv, "The density and the score of one network energy in the plane, fitted by every loss of "
                 "the library that can.", table, sizeof table / sizeof *table, &set.common);
    return set;
}
