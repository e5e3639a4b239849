/* CD-1 with one Langevin step h = ε²/2, its gradient divided by h, tends to the gradient of score matching as h → 0
 * (S1 eq 14–21). Averages over many draws of the noise, with their standard errors. */
#include "ebm/objective_helpers.h"

enum { ROWS = 1000, DRAWS = 300 };

typedef struct average {
    double mean[MOST_PARAMETERS], error[MOST_PARAMETERS];
} average;

/* Of the gradient over h, over the noise, for these data. */
static average cd_gradient(const plain_energy *e, const double *x, double h)
{
    average a = {{0}, {0}};
    ebm_model *model = e->make();
    ebm_loss_options options = {0};
    options.sampler = &ebm_ula;
    options.sampler_step = h;
    ebm_objective *o = objective_at(model, &ebm_loss_cd, &options, e->theta, x, ROWS, 7, 0);
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        OK(ebm_objective_refresh(o, 7, draw, ERROR));
        value_of(o);
        for (int k = 0; k < e->size; k++) {
            double g = ((const double *)ebm_objective_gradient(o))[k] / h;
            a.mean[k] += g / DRAWS;
            a.error[k] += g * g / DRAWS;
        }
    }
    for (int k = 0; k < e->size; k++) a.error[k] = sqrt((a.error[k] - a.mean[k] * a.mean[k]) / (DRAWS - 1));
    ebm_objective_free(o);
    ebm_model_free(model);
    return a;
}

/* ½|∇E|² + tr ∇²E: score matching with the sign of its trace wrong (the misprint of S1 eq 17). */
static ad_var record_misprint(ebm_graph *g)
{
    ad_var E = ebm_graph_energy(g, g->x), score;
    if (ad_grad(E, &g->x, 1, &score)) return score;
    return ad_batch_mean(g->data, ad_add(ad_scale(ad_sum(ad_square(score)), 0.5), ad_laplacian(E, g->x)));
}
static const ebm_loss misprint = {.name = "misprint", .record = record_misprint};

static void score_gradient(const plain_energy *e, const ebm_loss *loss, const double *x, double *g)
{
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, loss, NULL, e->theta, x, ROWS, 0, 0);
    value_of(o);
    memcpy(g, ebm_objective_gradient(o), (size_t)e->size * sizeof *g);
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* For a precision the expectation over the noise is known at any h: λm₂ − 1 − ½hλ²m₂. */
Test(loss_cd, gaussian_at_any_step)
{
    static const double steps[] = {0.4, 0.1, 0.025, 0.005};
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), m2 = 0, lambda = e->theta[0], last = INFINITY;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    for (int k = 0; k < COUNT(steps); k++) {
        average a = cd_gradient(e, x, steps[k]);
        double bias = 0.5 * steps[k] * lambda * lambda * m2, expected = lambda * m2 - 1 - bias;
        cr_expect(fabs(a.mean[0] - expected) < 4 * a.error[0], "h = %g: %g ± %g, expected %g", steps[k], a.mean[0],
                  a.error[0], expected);
        cr_expect(bias < last / 3);
        last = bias;
        if (k == 0) cr_expect(bias > 5 * a.error[0], "the bias of a large step must show: %g, ± %g", bias, a.error[0]);
    }
    free(x);
}

/* 4/3 of the average at h/4 minus 1/3 of that at h has no term in h: it is score matching's gradient within its
 * standard error, and many of these away from the misprinted one. */
static void check_limit(const plain_energy *e, double h)
{
    double *x = test_points(e, ROWS, 1), score[MOST_PARAMETERS], wrong[MOST_PARAMETERS];
    average coarse = cd_gradient(e, x, h), fine = cd_gradient(e, x, h / 4);
    int differs = 0;
    score_gradient(e, &ebm_loss_score_matching, x, score);
    score_gradient(e, &misprint, x, wrong);
    for (int k = 0; k < e->size; k++) {
        double limit = (4 * fine.mean[k] - coarse.mean[k]) / 3, error = (4 * fine.error[k] + coarse.error[k]) / 3;
        cr_expect(fabs(limit - score[k]) < 4 * error, "%s %d: %g ± %g, score matching %g", e->name, k, limit, error,
                  score[k]);
        differs += fabs(limit - wrong[k]) > 8 * error;
        cr_expect(error < 0.25 * fmax(1, fabs(score[k])), "%s %d: ± %g tells nothing", e->name, k, error);
    }
    cr_expect(differs > 0, "%s: the misprint must be told from the limit", e->name);
    free(x);
}

Test(loss_cd, tends_to_score_matching_precision) { check_limit(&energies[PRECISION], 0.04); }
Test(loss_cd, tends_to_score_matching_scale) { check_limit(&energies[SCALE], 0.04); }
Test(loss_cd, tends_to_score_matching_quartic) { check_limit(&energies[QUARTIC], 0.01); }
Test(loss_cd, tends_to_score_matching_gaussian2) { check_limit(&energies[GAUSSIAN2], 0.04); }
