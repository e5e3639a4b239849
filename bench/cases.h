/* cases.h — what is measured. The table in cases.c is the only list of cases: driver and peers read it as JSON. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include <gibbs/ebm.h>

typedef enum bench_method {
    BENCH_NCE,      /* a training step: draw noise, loss, gradient, Adam */
    BENCH_ML_IS,    /* a training step with fixed artificial points, M = N */
    BENCH_CD,       /* a training step with BENCH_CHAIN_STEPS unadjusted Langevin moves from the data */
    BENCH_SCORE,    /* a training step of exact implicit score matching */
    BENCH_DENOISE,  /* a training step of denoising score matching: draw noise, loss, gradient, Adam */
    BENCH_LANGEVIN, /* BENCH_CHAIN_STEPS unadjusted Langevin moves, alone */
    BENCH_GAUSSIAN, /* S0's E = x²/(2θ²): value and gradient of J by ML-IS, fixed artificial points, M = N */
    BENCH_FULL,     /* value and gradient of NCE over all rows, fixed noise */
    BENCH_GMM,      /* value and gradient of a Gaussian mixture's log posterior: gmm.h */
    BENCH_KMEANS,   /* value, gradient and Hessian diagonal of the k-means cost: kmeans.h */
    BENCH_METHODS
} bench_method;

enum { BENCH_CHAIN_STEPS = 20, BENCH_MAX_LAYERS = 4 };

/* What ours and the peers must have in common besides the shapes. */
#define BENCH_BASE_SD 4.0
#define BENCH_CHAIN_STEP 0.01
#define BENCH_RATE 1e-6 /* of Adam: so small that thousands of timed steps leave the parameters where they are */

/* The prior of the mixture, as GradBench has it. */
#define BENCH_WISHART_GAMMA 1.0
#define BENCH_WISHART_M 0.0

typedef struct bench_case {
    const char *name;
    bench_method method;
    int64_t dim, width, layers, rows; /* width: 0 for the Gaussian; components or centroids. layers: 0 unless an MLP */
    int quick;                        /* is part of --quick */
} bench_case;

extern const char *const bench_method_names[BENCH_METHODS];
extern const bench_case bench_cases[];
extern const int bench_case_count;

/* NULL when there is none of that name. */
const bench_case *bench_case_find(const char *name);

/* The proposal q = N(mean, sd²) in every dimension; for denoising the noise that is added to the data. */
double bench_proposal_mean(const bench_case *c);
double bench_proposal_sd(const bench_case *c);

/* Writes the table as one JSON array. */
void bench_cases_print(void);

#endif
