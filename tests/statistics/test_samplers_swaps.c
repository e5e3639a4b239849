/* Swaps of parallel tempering, from exact draws of every rung: the library's leave each rung's density as it is, and so
 * do the textbook's, made here between moves of chains without a ladder; those with a mistake do not. */
#include "chain_check.h"

enum { LADDERS = 4000, RUNGS = 3, ROUNDS = 20, MOVES = 2 };
static const double BETA[RUNGS] = {1, 0.4, 0.1};
static const density deep = {"deep wells", -8, 4, 1, -3.5, 3.5};

static density rung(int i)
{
    double reach = fmin(3 / sqrt(BETA[i]), 8);
    return (density){deep.name, BETA[i] * deep.a, BETA[i] * deep.b, BETA[i] * deep.c, -reach, reach};
}

/* x[n · RUNGS + i]: rung i of ladder n. */
static double *exact_ladders(void)
{
    double *x = sampling_room(LADDERS * RUNGS, sizeof *x), *own = sampling_room(LADDERS, sizeof *own);
    for (int i = 0; i < RUNGS; i++) {
        density d = rung(i);
        grid *g = grid_new(&d);
        grid_draw(g, LADDERS, 31 + (uint64_t)i, own);
        for (int n = 0; n < LADDERS; n++) x[n * RUNGS + i] = own[n];
        free(g);
    }
    free(own);
    return x;
}

/* The largest distance of Kolmogorov and Smirnov of a rung from its density. */
static double worst_rung(const double *x)
{
    double *f = sampling_room(LADDERS, sizeof *f), worst = 0;
    for (int i = 0; i < RUNGS; i++) {
        density d = rung(i);
        grid *g = grid_new(&d);
        for (int n = 0; n < LADDERS; n++) f[n] = grid_cdf(g, x[n * RUNGS + i]);
        worst = fmax(worst, sampling_ks(f, LADDERS));
        free(g);
    }
    free(f);
    return worst;
}

static ebm_chains *chains_of(ebm_model *model, const double *beta, int temperatures)
{
    ebm_chains *chains;
    ebm_chain_options options = {.sampler = &ebm_random_walk, .step = 0.5, .inverse_temperatures = beta,
                                 .temperatures = temperatures, .swap_every = MOVES};
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    return chains;
}

Test(samplers_swaps, of_the_library_keep_every_rung)
{
    double *x = exact_ladders();
    ebm_model *model = density_model(&deep, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = chains_of(model, BETA, RUNGS);
    OK(ebm_chains_start(chains, x, LADDERS * RUNGS, ERROR));
    OK(ebm_chains_run(chains, ROUNDS * MOVES, 3, 0, ERROR));
    ebm_chains_get(chains, x);
    double swapped = ebm_chains_swapped(chains), ks = worst_rung(x);
    cr_assert(swapped > 0.1 && swapped < 0.9 && ks < 2.3, "%g of the swaps, K-S %.2f", swapped, ks);
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
}

/* ---- Swaps with parts to get wrong ---- */

typedef struct rule {
    const char *name;
    double exponent; /* of exp((β_i − β_{i+1})(E_i − E_{i+1})): 1 is right */
    bool invert;     /* swap where the rule does not */
    bool flat;       /* the difference of the temperatures is left out */
} rule;

static const rule rules[] = {
    {"right", 1, false, false},     {"always", 0, false, false}, {"of the wrong sign", -1, false, false},
    {"inverted", 1, true, false},   {"without temperatures", 1, false, true},
};

static void swap_pass(const rule *s, double *x, int round, uint64_t *seed)
{
    for (int n = 0; n < LADDERS; n++)
        for (int i = round % 2; i + 1 < RUNGS; i += 2) {
            double *low = x + n * RUNGS + i, *high = low + 1, factor = s->flat ? 1 : BETA[i] - BETA[i + 1];
            double gap = factor * (density_energy(&deep, *low) - density_energy(&deep, *high));
            bool accept = log(sampling_uniform(seed)) < s->exponent * gap;
            if (accept == s->invert) continue;
            double kept = *low;
            *low = *high, *high = kept;
        }
}

static double judge(const rule *s)
{
    double *x = exact_ladders(), *own = sampling_room(LADDERS, sizeof *own);
    uint64_t seed = 17;
    ebm_model *model = density_model(&deep, GIBBS_FLOAT64, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < RUNGS; i++) {
            ebm_chains *chains = chains_of(model, &BETA[i], 1);
            for (int n = 0; n < LADDERS; n++) own[n] = x[n * RUNGS + i];
            OK(ebm_chains_start(chains, own, LADDERS, ERROR));
            OK(ebm_chains_run(chains, MOVES, 100 + (uint64_t)i, (uint64_t)(round * MOVES), ERROR));
            ebm_chains_get(chains, own);
            for (int n = 0; n < LADDERS; n++) x[n * RUNGS + i] = own[n];
            ebm_chains_free(chains);
        }
        swap_pass(s, x, round, &seed);
    }
    double ks = worst_rung(x);
    ebm_model_free(model);
    free(x), free(own);
    return ks;
}

Test(samplers_swaps, control_wrong_swaps_are_noticed)
{
    for (int k = 0; k < COUNT(rules); k++) {
        double ks = judge(&rules[k]);
        cr_assert(k ? ks > 5 : ks < 2.3, "%s: K-S %.2f", rules[k].name, ks);
    }
}
