/* Energies fitted to samples of known densities: estimates average to the truth within Monte Carlo error, over
 * replicates with fixed seeds. With 12 of them |t| exceeds 8 with probability 7e-6. */
#include "ebm/objective_helpers.h"

enum { REPLICATES = 12, MOST = 8 };
static const double T_LIMIT = 8;

/* One number's estimates over the replicates. */
typedef struct estimates {
    double value[MOST][REPLICATES];
} estimates;

static double t_value(const double *value, double truth, double *sd)
{
    double mean = 0, square = 0;
    for (int r = 0; r < REPLICATES; r++) mean += value[r] / REPLICATES;
    for (int r = 0; r < REPLICATES; r++) square += (value[r] - mean) * (value[r] - mean) / (REPLICATES - 1);
    *sd = sqrt(square);
    return (mean - truth) / sqrt(square / REPLICATES);
}

/* The truth is not rejected, and what lies `shift` beside it would be: the test has power. */
static void expect_truth(const estimates *e, const double *truth, int n, double shift, const char *what)
{
    for (int k = 0; k < n; k++) {
        double sd, t = t_value(e->value[k], truth[k], &sd);
        cr_expect(fabs(t) < T_LIMIT, "%s %d: t = %g, sd %g", what, k, t, sd);
        cr_expect(fabs(t_value(e->value[k], truth[k] + shift, &sd)) > T_LIMIT, "%s %d: sd %g is large", what, k, sd);
    }
}

/* ---- Mixtures of unnormalised components by NCE (S0 eq 26) ---- */

static const double mixture_pi[] = {0.3, 0.7}, mixture_mean[] = {-2, 2}, mixture_sd[] = {0.7, 1.2};

static void draw_mixture(double *x, int64_t rows, uint64_t seed)
{
    double *normal = normals(rows, 0, 1, seed);
    uint64_t state = seed ^ 0xabcdef;
    for (int64_t r = 0; r < rows; r++) {
        int g = sampling_uniform(&state) > mixture_pi[0];
        x[r] = mixture_mean[g] + mixture_sd[g] * normal[r];
    }
    free(normal);
}

/* Fits everything; estimates are π₁, log Z₁, log Z₂ of the components, and the second mean. */
static void fit_mixture(int r, estimates *e)
{
    enum { ROWS = 4000 };
    static double x[ROWS];
    ebm_model *parts[2], *model;
    ebm_data data = table(x, ROWS, 1);
    ebm_fit_options options = {0};
    ebm_fit_report report;
    double pi[2], log_z[2];
    draw_mixture(x, ROWS, 100 + (uint64_t)r);
    for (int g = 0; g < 2; g++) {
        OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &parts[g], ERROR));
        ebm_model_set(parts[g], (double[]){g ? 1 : -1, 1});
    }
    OK(ebm_model_mixture(parts, 2, &model, ERROR));
    options.loss = &ebm_loss_nce, options.lbfgs = 1, options.seed = (uint64_t)r;
    options.loss_options.noise_ratio = 4, options.loss_options.redraw = EBM_REDRAW_NEVER;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    OK(ebm_model_mixture_weights(model, &data, report.log_z, pi, log_z, ERROR));
    e->value[0][r] = pi[0], e->value[1][r] = log_z[0], e->value[2][r] = log_z[1];
    e->value[3][r] = parameter_of(model, "2.mean");
    cr_expect(fabs(pi[0] + pi[1] - 1) < 1e-12);
    ebm_fit_report_free(&report);
    ebm_model_free(model), ebm_model_free(parts[0]), ebm_model_free(parts[1]);
}

Test(energies, mixture_weights_and_normalisers_by_nce)
{
    static estimates e;
    double truth[] = {mixture_pi[0], 0, 0, mixture_mean[1]};
    for (int g = 0; g < 2; g++) truth[1 + g] = 0.5 * log(2 * M_PI) + log(mixture_sd[g]);
    for (int r = 0; r < REPLICATES; r++) fit_mixture(r, &e);
    expect_truth(&e, truth, 4, 0.15, "mixture");
}

/* ---- Independent components by score matching ---- */

/* Sources of density 1/(π cosh s), whose −log is logcosh: s = log tan(πu/2); x = sA, so that W = A⁻¹. */
static void draw_components(double *x, int64_t rows, const double A[4], uint64_t seed)
{
    for (int64_t r = 0; r < rows; r++) {
        double s = log(tan(M_PI / 2 * sampling_uniform(&seed))), t = log(tan(M_PI / 2 * sampling_uniform(&seed)));
        x[2 * r] = s * A[0] + t * A[2];
        x[2 * r + 1] = s * A[1] + t * A[3];
    }
}

/* Columns of W in the order and with the signs that bring them nearest to the truth: they are free. */
static void match_columns(const double *W, const double *truth, double *out)
{
    double best = INFINITY;
    for (int k = 0; k < 8; k++) {
        double tried[4], distance = 0;
        for (int j = 0; j < 2; j++)
            for (int i = 0; i < 2; i++) tried[2 * i + j] = (k >> j & 1 ? -1 : 1) * W[2 * i + (k & 4 ? 1 - j : j)];
        for (int i = 0; i < 4; i++) distance += fabs(tried[i] - truth[i]);
        if (distance < best) memcpy(out, tried, sizeof tried), best = distance;
    }
}

Test(energies, independent_components_by_score_matching)
{
    enum { ROWS = 3000 };
    static const double A[] = {1, 0.5, -0.4, 1.2}, det = 1 * 1.2 + 0.5 * 0.4;
    const double truth[] = {A[3] / det, -A[1] / det, -A[2] / det, A[0] / det};
    static double x[2 * ROWS];
    static estimates e;
    for (int r = 0; r < REPLICATES; r++) {
        ebm_model *model;
        ebm_experts_spec spec = {.dim = 2, .experts = 2, .dtype = GIBBS_FLOAT64, .seed = (uint64_t)r};
        ebm_data data = table(x, ROWS, 2);
        ebm_fit_options options = {0};
        double W[4], matched[4] = {0};
        draw_components(x, ROWS, A, 40 + (uint64_t)r);
        OK(ebm_model_experts(&spec, &model, ERROR));
        options.loss = &ebm_loss_score_matching, options.lbfgs = 1;
        OK(ebm_fit(model, &data, &options, NULL, ERROR));
        ebm_model_get(model, W);
        match_columns(W, truth, matched);
        for (int k = 0; k < 4; k++) e.value[k][r] = matched[k];
        ebm_model_free(model);
    }
    expect_truth(&e, truth, 4, 0.1, "unmixing matrix");
}

/* ---- A conditional chain by maximum likelihood ---- */

enum { CHAIN_ROWS = 1500, LENGTH = 4, CHAIN_DIM = 3 * LENGTH, SEQUENCES = 1 << LENGTH };

/* One row: x uniform, y by enumerating all sequences for that x. */
static void draw_chain(ebm_model *model, double *row, uint64_t *state)
{
    double rows[SEQUENCES * CHAIN_DIM], labels[SEQUENCES * 2 * LENGTH], E[SEQUENCES], sum = 0;
    ebm_space_rows(&(ebm_space){.variables = LENGTH, .one_hot = 1}, 0, SEQUENCES, labels);
    for (int t = 0; t < LENGTH; t++) row[t] = 4 * sampling_uniform(state) - 2;
    for (int k = 0; k < SEQUENCES; k++) {
        memcpy(rows + k * CHAIN_DIM, row, LENGTH * sizeof *row);
        memcpy(rows + k * CHAIN_DIM + LENGTH, labels + k * 2 * LENGTH, 2 * LENGTH * sizeof *row);
    }
    OK(ebm_model_energy(model, rows, SEQUENCES, E, NULL, ERROR));
    for (int k = 0; k < SEQUENCES; k++) sum += exp(-E[k]);
    double u = sum * sampling_uniform(state);
    int k = 0;
    while (k < SEQUENCES - 1 && (u -= exp(-E[k])) > 0) k++;
    memcpy(row, rows + k * CHAIN_DIM, CHAIN_DIM * sizeof *row);
}

/* Parameters are found again up to what is redundant: A₀₀ + A₁₁ − A₀₁ − A₁₀, and the difference of W's columns. */
Test(energies, chain_crf_by_maximum_likelihood)
{
    static const double theta[] = {1, -0.5, 0.2, -0.2, 0.8, -0.3, 0.1, 0.5};
    const double truth[] = {theta[4] + theta[7] - theta[5] - theta[6], theta[0] - theta[1]};
    static double x[CHAIN_ROWS * CHAIN_DIM];
    static estimates e;
    ebm_chain_crf_spec spec = {.given = LENGTH, .length = LENGTH, .labels = 2, .dtype = GIBBS_FLOAT64};
    ebm_model *source, *model;
    OK(ebm_model_chain_crf(&spec, &source, ERROR));
    ebm_model_set(source, theta);
    for (int r = 0; r < REPLICATES; r++) {
        uint64_t state = 900 + (uint64_t)r;
        double got[COUNT(theta)];
        for (int n = 0; n < CHAIN_ROWS; n++) draw_chain(source, x + n * CHAIN_DIM, &state);
        OK(ebm_model_chain_crf(&spec, &model, ERROR));
        ebm_data data = table(x, CHAIN_ROWS, CHAIN_DIM);
        ebm_fit_options options = {0};
        options.loss = &ebm_loss_conditional_ml, options.lbfgs = 1;
        OK(ebm_fit(model, &data, &options, NULL, ERROR));
        ebm_model_get(model, got);
        e.value[0][r] = got[4] + got[7] - got[5] - got[6], e.value[1][r] = got[0] - got[1];
        ebm_model_free(model);
    }
    ebm_model_free(source);
    expect_truth(&e, truth, 2, 0.4, "chain");
}

/* ---- Block Gibbs sampling of an RBM by its own conditionals ---- */

enum { VISIBLE = 3, HIDDEN = 2, CHAINS = 20000, STATES = 1 << (VISIBLE + HIDDEN) };

static ebm_model *rbm(int joint, int gaussian)
{
    ebm_model *model;
    ebm_rbm_spec spec = {.visible = VISIBLE, .hidden = HIDDEN, .joint = joint, .gaussian = gaussian,
                         .sd = gaussian * 0.8, .weight_sd = 1, .dtype = GIBBS_FLOAT64, .seed = 5};
    OK(ebm_model_rbm(&spec, &model, ERROR));
    double *theta = ebm_model_theta(model);
    for (int i = 0; i < VISIBLE + HIDDEN; i++) theta[VISIBLE * HIDDEN + i] = 0.4 * i - 0.7;
    return model;
}

static double *sample_rbm(ebm_model *model, uint64_t seed)
{
    int64_t dim = ebm_model_dim(model);
    double *x = sampling_room(CHAINS * dim, sizeof *x);
    ebm_chain_options options = {0};
    ebm_blocks blocks;
    ebm_chains *chains;
    OK(ebm_model_blocks(model, &blocks, ERROR));
    options.sampler = &ebm_block_gibbs, options.blocks = &blocks;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, CHAINS, ERROR));
    OK(ebm_chains_run(chains, 60, seed, 0, ERROR));
    ebm_chains_get(chains, x);
    ebm_chains_free(chains);
    return x;
}

/* χ² of the counts of states against probabilities. */
static double chi_square(const double *x, int dim, const double *p)
{
    double count[STATES] = {0}, sum = 0;
    for (int r = 0; r < CHAINS; r++) {
        int state = 0;
        for (int i = 0; i < dim; i++) state = 2 * state + (x[r * dim + i] > 0.5);
        count[state]++;
    }
    for (int s = 0; s < 1 << dim; s++) sum += (count[s] - CHAINS * p[s]) * (count[s] - CHAINS * p[s]) / (CHAINS * p[s]);
    return sum;
}

/* Both forms against their enumerated probabilities: χ² with 7 and 31 degrees of freedom exceeds 40 and 78 with
 * probability 1e-6 and 6e-6. A bias moved by 0.2 is told apart. */
Test(energies, block_gibbs_of_a_binary_rbm)
{
    static const double limit[] = {40, 78};
    for (int joint = 0; joint < 2; joint++) {
        ebm_model *model = rbm(joint, 0);
        double p[STATES], log_z, *x = sample_rbm(model, 8), *theta = ebm_model_theta(model);
        int dim = (int)ebm_model_dim(model);
        OK(ebm_enumerate(model, NULL, &log_z, p, ERROR));
        cr_expect(chi_square(x, dim, p) < limit[joint], "joint %d: %g", joint, chi_square(x, dim, p));
        theta[VISIBLE * HIDDEN] += 0.2;
        OK(ebm_enumerate(model, NULL, &log_z, p, ERROR));
        cr_expect(chi_square(x, dim, p) > limit[joint], "another density: %g", chi_square(x, dim, p));
        ebm_model_free(model);
        free(x);
    }
}

/* Gaussian visibles: rows are independent, so their mean has a standard error; E v by quadrature of the free energy. */
Test(energies, block_gibbs_of_a_gaussian_rbm)
{
    ebm_model *model = rbm(0, 1);
    double *x = sample_rbm(model, 9), z = 0, expected[VISIBLE] = {0};
    double grid[VISIBLE], E;
    enum { SIDE = 41 };
    for (int k = 0; k < SIDE * SIDE * SIDE; k++) {
        for (int i = 0, rest = k; i < VISIBLE; i++, rest /= SIDE) grid[i] = -8 + 0.4 * (rest % SIDE);
        OK(ebm_model_energy(model, grid, 1, &E, NULL, ERROR));
        z += exp(-E);
        for (int i = 0; i < VISIBLE; i++) expected[i] += exp(-E) * grid[i];
    }
    for (int i = 0; i < VISIBLE; i++) {
        double mean = 0, square = 0;
        for (int r = 0; r < CHAINS; r++) mean += x[r * VISIBLE + i] / CHAINS;
        for (int r = 0; r < CHAINS; r++) square += pow(x[r * VISIBLE + i] - mean, 2) / CHAINS;
        double error = sqrt(square / CHAINS), off = (mean - expected[i] / z) / error;
        cr_expect(fabs(off) < 5, "column %d: %g standard errors", i, off);
        cr_expect(error < 0.02);
    }
    ebm_model_free(model);
    free(x);
}
