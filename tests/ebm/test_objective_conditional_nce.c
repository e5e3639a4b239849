/* Conditional and ranking noise contrastive estimation against plain C with the same draws. */
#include "loss_helpers.h"

enum { ROWS = 90, SEED = 5, STEP = 2 };

static double softplus(double v) { return fmax(v, 0) + log1p(exp(-fabs(v))); }
static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

/* ---- Conditional ---- */

static total conditional(const plain_energy *e, const double *x, double sd, int copies)
{
    int64_t n = ROWS * copies;
    double *noise = graph_random(0, n, e->dim, EBM_STREAM_LOSS_NORMAL, SEED, STEP), g[2][MOST_PARAMETERS], y[2];
    total t = {0};
    for (int64_t r = 0; r < n; r++) {
        const double *at = x + r / copies * e->dim;
        for (int i = 0; i < e->dim; i++) y[i] = at[i] + sd * noise[r * e->dim + i];
        double gap = e->E(at, e->theta) - e->E(y, e->theta);
        t.value += 2 * softplus(gap) / (double)n;
        e->dtheta(at, e->theta, g[0]);
        e->dtheta(y, e->theta, g[1]);
        for (int k = 0; k < e->size; k++) t.gradient[k] += 2 * sigmoid(gap) * (g[0][k] - g[1][k]) / (double)n;
    }
    free(noise);
    return t;
}

Test(conditional_nce, agrees_with_plain_c)
{
    for (int k = 0; k < ENERGIES; k++)
        for (int copies = 1; copies <= 5; copies += 2) {
            const plain_energy *e = &energies[k];
            ebm_loss_options options = {0};
            options.noise_sd = 0.4;
            options.copies = copies;
            double *x = test_points(e, ROWS, 1);
            total t = conditional(e, x, 0.4, copies);
            ebm_model *model = e->make();
            ebm_objective *o = objective_at(model, &ebm_loss_conditional_nce, &options, e->theta, x, ROWS, SEED, STEP);
            expect_total(o, &t, 1e-12, e->name);
            ebm_objective_free(o);
            ebm_model_free(model);
            free(x);
        }
}

/* Energies of thousands neither overflow nor lose the slope. */
Test(conditional_nce, large_energies)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), theta = 1e6;
    ebm_loss_options options = {0};
    options.noise_sd = 1;
    total t = evaluate_loss(e->make, &ebm_loss_conditional_nce, &options, &theta, x, ROWS, SEED, STEP);
    cr_expect(isfinite(t.value) && isfinite(t.gradient[0]) && t.value > 0, "%g %g", t.value, t.gradient[0]);
    free(x);
}

/* ---- Ranking ---- */

static total ranking(const plain_energy *e, const ebm_proposal *q, const double *x, int K, double *first)
{
    int64_t n = ROWS * K;
    double *y = malloc((size_t)(n * e->dim) * sizeof *y), *log_q = malloc((size_t)(n + ROWS) * sizeof *log_q);
    OK(ebm_proposal_sample(q, n, SEED, STEP, NULL, y, log_q, ERROR));
    OK(ebm_proposal_log_density(q, x, ROWS, NULL, log_q + n, ERROR));
    total t = {0};
    *first = 0;
    for (int r = 0; r < ROWS; r++) {
        const double *at = x + r * e->dim;
        double own = -e->E(at, e->theta) - log_q[n + r], sum = exp(own), g[MOST_PARAMETERS],
               mean[MOST_PARAMETERS] = {0};
        int beaten = 0;
        e->dtheta(at, e->theta, g);
        for (int i = 0; i < e->size; i++) mean[i] = exp(own) * g[i], t.gradient[i] += g[i] / ROWS;
        for (int k = r * K; k < (r + 1) * K; k++) {
            double w = exp(-e->E(y + k * e->dim, e->theta) - log_q[k]);
            beaten |= w >= exp(own);
            sum += w;
            e->dtheta(y + k * e->dim, e->theta, g);
            for (int i = 0; i < e->size; i++) mean[i] += w * g[i];
        }
        t.value += (log(sum) - own) / ROWS;
        *first += !beaten / (double)ROWS;
        for (int i = 0; i < e->size; i++) t.gradient[i] -= mean[i] / sum / ROWS;
    }
    free(y), free(log_q);
    return t;
}

Test(ranking_nce, agrees_with_plain_c)
{
    for (int i = 0; i < ENERGIES; i++)
        for (int K = 1; K <= 9; K += 4) {
            const plain_energy *e = &energies[i];
            ebm_proposal *q = test_proposal(e);
            ebm_loss_options options = {0};
            options.proposal = q;
            options.copies = K;
            double *x = test_points(e, ROWS, 1), first;
            total t = ranking(e, q, x, K, &first);
            ebm_model *model = e->make();
            ebm_objective *o = objective_at(model, &ebm_loss_ranking_nce, &options, e->theta, x, ROWS, SEED, STEP);
            expect_total(o, &t, 1e-12, e->name);
            expect_close(ebm_objective_health(o), first, 1e-12, "accuracy");
            ebm_objective_free(o);
            ebm_model_free(model);
            ebm_proposal_free(q);
            free(x);
        }
}

/* When model and noise are one density, all K + 1 are alike: log(K + 1), whatever Z. */
Test(ranking_nce, data_that_are_noise)
{
    double *x = normals(ROWS, 0, 1, 2), one = 1;
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, &one, NULL, &q, ERROR));
    ebm_loss_options options = {0};
    options.proposal = q;
    options.copies = 7;
    total t = evaluate_loss(energies[PRECISION].make, &ebm_loss_ranking_nce, &options, &one, x, ROWS, SEED, STEP);
    expect_close(t.value, log(8), 1e-13, "value");
    ebm_proposal_free(q);
    free(x);
}

/* ebm_fit makes a proposal of its own when there is none. */
Test(ranking_nce, fits)
{
    enum { MANY = 3000 };
    double *x = normals(MANY, 0.4, 0.8, 3), m2 = 0, m1 = 0;
    for (int r = 0; r < MANY; r++) m1 += x[r] / MANY, m2 += x[r] * x[r] / MANY;
    ebm_data data = table(x, MANY, 1);
    ebm_model *model;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_ranking_nce;
    options.loss_options.copies = 20;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    expect_close(parameter_of(model, "mean"), m1, 0.02, "mean");
    expect_close(parameter_of(model, "precision"), 1 / (m2 - m1 * m1), 0.05, "precision");
    ebm_model_free(model);
    free(x);
}

Test(ranking_nce, refuses)
{
    ebm_model *model = energies[PRECISION].make();
    ebm_proposal *wide = test_proposal(&energies[GAUSSIAN2]);
    ebm_objective *o;
    ebm_loss_options options = {0};
    FAILS(GIBBS_ARGUMENT, "needs a proposal", ebm_objective_new(model, &ebm_loss_ranking_nce, &options, &o, FAIL));
    options.proposal = wide;
    FAILS(GIBBS_SHAPE, "2 dimensions", ebm_objective_new(model, &ebm_loss_ranking_nce, &options, &o, FAIL));
    ebm_proposal_free(wide);
    ebm_model_free(model);
}
