#include "cases.h"

#include <stdio.h>
#include <string.h>

const char *const bench_method_names[BENCH_METHODS] = {
    [BENCH_NCE] = "nce",           [BENCH_ML_IS] = "ml-is",       [BENCH_CD] = "cd",
    [BENCH_SCORE] = "score",       [BENCH_DENOISE] = "denoise",   [BENCH_LANGEVIN] = "langevin",
    [BENCH_GAUSSIAN] = "gaussian", [BENCH_FULL] = "full",         [BENCH_GMM] = "gmm",
    [BENCH_KMEANS] = "kmeans",
};

const bench_case bench_cases[] = {
    {"nce-2x128x2", BENCH_NCE, 2, 128, 2, 256, 1},
    {"nce-8x128x3", BENCH_NCE, 8, 128, 3, 256, 0},
    {"nce-64x256x2", BENCH_NCE, 64, 256, 2, 256, 0},
    {"ml-is-2x128x2", BENCH_ML_IS, 2, 128, 2, 256, 1},
    {"ml-is-8x128x3", BENCH_ML_IS, 8, 128, 3, 256, 0},
    {"ml-is-64x256x2", BENCH_ML_IS, 64, 256, 2, 256, 0},
    {"cd20-2x128x2", BENCH_CD, 2, 128, 2, 256, 1},
    {"cd20-8x128x3", BENCH_CD, 8, 128, 3, 256, 0},
    {"cd20-64x256x2", BENCH_CD, 64, 256, 2, 256, 0},
    {"cd20-784x256x2", BENCH_CD, 784, 256, 2, 128, 0},
    {"score-2x128x2", BENCH_SCORE, 2, 128, 2, 256, 0},
    {"score-8x128x3", BENCH_SCORE, 8, 128, 3, 256, 1},
    {"score-64x256x2", BENCH_SCORE, 64, 256, 2, 256, 0},
    {"denoise-8x128x3", BENCH_DENOISE, 8, 128, 3, 256, 1},
    {"denoise-784x256x2", BENCH_DENOISE, 784, 256, 2, 128, 0},
    {"langevin20-2x128x2", BENCH_LANGEVIN, 2, 128, 2, 256, 1},
    {"langevin20-8x128x3", BENCH_LANGEVIN, 8, 128, 3, 256, 0},
    {"langevin20-64x256x2", BENCH_LANGEVIN, 64, 256, 2, 256, 0},
    {"gaussian-100", BENCH_GAUSSIAN, 1, 0, 0, 100, 1},
    {"gaussian-5000", BENCH_GAUSSIAN, 1, 0, 0, 5000, 0},
    {"full-nce-2x128x2", BENCH_FULL, 2, 128, 2, 1000000, 0},
    {"gmm-2x5", BENCH_GMM, 2, 5, 0, 1000, 1},
    {"gmm-2x200", BENCH_GMM, 2, 200, 0, 1000, 0},
    {"gmm-10x25", BENCH_GMM, 10, 25, 0, 1000, 0},
    {"gmm-10x100", BENCH_GMM, 10, 100, 0, 1000, 0},
    {"gmm-20x50", BENCH_GMM, 20, 50, 0, 1000, 0},
    {"gmm-32x5", BENCH_GMM, 32, 5, 0, 1000, 0},
    {"gmm-32x25", BENCH_GMM, 32, 25, 0, 1000, 1},
    {"gmm-32x200", BENCH_GMM, 32, 200, 0, 1000, 0},
    {"gmm-64x10", BENCH_GMM, 64, 10, 0, 1000, 0},
    {"gmm-64x50", BENCH_GMM, 64, 50, 0, 1000, 0},
    {"gmm-128x5", BENCH_GMM, 128, 5, 0, 1000, 0},
    {"gmm-128x50", BENCH_GMM, 128, 50, 0, 1000, 0},
    {"gmm-128x200", BENCH_GMM, 128, 200, 0, 1000, 0},
    {"kmeans-8x10", BENCH_KMEANS, 8, 10, 0, 1000, 1},
    {"kmeans-16x100", BENCH_KMEANS, 16, 100, 0, 10000, 0},
    {"kmeans-16x1000", BENCH_KMEANS, 16, 1000, 0, 10000, 0},
};
const int bench_case_count = sizeof bench_cases / sizeof *bench_cases;

const bench_case *bench_case_find(const char *name)
{
    for (int i = 0; i < bench_case_count; i++)
        if (strcmp(bench_cases[i].name, name) == 0) return &bench_cases[i];
    return NULL;
}

double bench_proposal_mean(const bench_case *c) { return c->method == BENCH_GAUSSIAN ? 2 : 0; }

double bench_proposal_sd(const bench_case *c)
{
    static const double others[BENCH_METHODS] = {[BENCH_GAUSSIAN] = 2, [BENCH_DENOISE] = 0.3};
    return others[c->method] > 0 ? others[c->method] : 1.5;
}

static void print_case(const bench_case *c)
{
    printf("{\"name\": \"%s\", \"method\": \"%s\", \"dim\": %d, \"width\": %d, \"layers\": %d, \"rows\": %d, "
           "\"quick\": %s, \"mean\": %.17g, \"sd\": %.17g, \"base_sd\": %.17g, \"chain_steps\": %d, "
           "\"chain_step\": %.17g, \"rate\": %.17g, \"gamma\": %.17g, \"m\": %.17g}",
           c->name, bench_method_names[c->method], (int)c->dim, (int)c->width, (int)c->layers, (int)c->rows,
           c->quick ? "true" : "false", bench_proposal_mean(c), bench_proposal_sd(c), BENCH_BASE_SD, BENCH_CHAIN_STEPS,
           BENCH_CHAIN_STEP, BENCH_RATE, BENCH_WISHART_GAMMA, BENCH_WISHART_M);
}

void bench_cases_print(void)
{
    for (int i = 0; i < bench_case_count; i++) {
        fputs(i ? ", " : "[", stdout);
        print_case(&bench_cases[i]);
    }
    puts("]");
}
