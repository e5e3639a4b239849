#include "rbm_settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pseudo-likelihood step is the dearest: an energy for each pixel of each row. */
const method rbm_methods[METHODS] = {
    {"cd", &ebm_loss_cd, 6000},
    {"pcd", &ebm_loss_pcd, 6000},
    {"pseudo-likelihood", &ebm_loss_pseudo_likelihood, 1500},
};

typedef struct text_state {
    settings *set;
    char *message;
    size_t size;
} text_state;

static int add_loss(const char *piece, void *context)
{
    text_state *s = context;
    int i = option_choose(piece, rbm_methods, METHODS, sizeof *rbm_methods, s->message, s->size);
    if (i >= 0) s->set->chosen[i] = 1;
    return i < 0;
}

static int add_size(const char *piece, void *context)
{
    text_state *s = context;
    char *end;
    long n = strtol(piece, &end, 10);
    int good = end != piece && !*end && n >= 1 && n <= 4096 && s->set->sizes < MOST_SIZES;
    if (good) s->set->hidden[s->set->sizes++] = n;
    else snprintf(s->message, s->size, "«%.60s» is not a number of hidden units, 1 to 4096, at most %d of them", piece,
                  MOST_SIZES);
    return !good;
}

static int parse_losses(const char *text, void *target, char *message, size_t size)
{
    text_state s = {target, message, size};
    memset(s.set->chosen, 0, sizeof s.set->chosen);
    return option_each(text, add_loss, &s);
}

static int parse_sizes(const char *text, void *target, char *message, size_t size)
{
    text_state s = {target, message, size};
    s.set->sizes = 0;
    return option_each(text, add_size, &s);
}

settings rbm_settings_read(int argc, char **argv)
{
    settings set = {.data = "examples/data/digits-idx3-ubyte.gz", .chosen = {1, 1, 1}, .sizes = 2, .hidden = {16, 64},
                    .rows = 5000, .held_out = 0.2, .steps = NAN, .rate = 0.01, .cd_steps = 1, .batch = 100,
                    .weight_decay = 1e-4, .chains = 200, .bridges = 1000, .burn_in = 1000,
                    .common = {.seed = 1, .threads = 1, .out = "out"}};
    const option_entry table[] = {
        {"data", "FILE", "Square images, one a row: IDX, npy or CSV, gzip of these; for example Debian's package "
         "dataset-fashion-mnist, whose files are in /usr/share/datasets/fashion-mnist", &set.data, NULL, NULL},
        {"rows", "N", "Images that are read at most", &set.rows, &option_several, NULL},
        {"loss", "NAME,...", "Any of cd, pcd, pseudo-likelihood (default all)", &set, NULL, parse_losses},
        {"hidden", "N,...", "Numbers of hidden units, a fit each (default 16,64)", &set, NULL, parse_sizes},
        {"steps", "N", "Of the optimiser (default 6000, of pseudo-likelihood 1500)", &set.steps, &option_count, NULL},
        {"rate", "RATE", "Learning rate at the start", &set.rate, &option_positive, NULL},
        {"cd-steps", "K", "Of block Gibbs before each step of cd and pcd", &set.cd_steps, &option_count, NULL},
        {"batch", "ROWS", "Images a step", &set.batch, &option_count, NULL},
        {"weight-decay", "W", "L2 penalty", &set.weight_decay, &option_not_negative, NULL},
        {"held-out", "PART", "Part of the images that is held out", &set.held_out, &option_fraction, NULL},
        {"chains", "N", "Of annealed importance sampling, each way", &set.chains, &option_several, NULL},
        {"bridges", "N", "Of annealed importance sampling", &set.bridges, &option_count, NULL},
        {"burn-in", "N", "Steps of the chains that sample machines with more than 20 hidden units", &set.burn_in,
         &option_count, NULL},
    };
    options_read(argc, argv, "Restricted Boltzmann machines of small binary images by contrastive divergence, "
                 "persistent chains and pseudo-likelihood, held against one another by log Z.",
                 table, sizeof table / sizeof *table, &set.common);
    return set;
}
