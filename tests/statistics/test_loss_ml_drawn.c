/* Maximum likelihood with points of the model out of draws of q (S0 §6), beside ML-IS at the same q and M: where q is
 * the model itself all three are one (eq 14–15); elsewhere their gradients have the same mean, the likelihood's, and
 * ML-IS, which leaves out the last draw of chance, has the least variance. E = x²/2θ². */
#include "ebm/objective_helpers.h"

enum { ROWS = 100 };

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5);
}

static ebm_model *model_at(double theta, gibbs_dtype dtype)
{
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, theta};
    return model_of(1, &p, 1, energy, dtype);
}

static ebm_proposal *normal(double mean, double sd)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &q, ERROR));
    return q;
}

static const ebm_loss *const losses[] = {&ebm_loss_ml_is, &ebm_loss_ml_resampled, &ebm_loss_ml_mh};
enum { IS, RESAMPLED, WALK, LOSSES };

static double gradient_of(const ebm_loss *loss, ebm_model *model, const ebm_proposal *q, double ratio, double *x,
                          uint64_t seed, double *health)
{
    ebm_loss_options options = {.proposal = q, .noise_ratio = ratio, .threads = 1};
    ebm_objective *o;
    float narrow[ROWS];
    for (int r = 0; r < ROWS; r++) narrow[r] = (float)x[r];
    bool wide = ebm_model_dtype(model) == GIBBS_FLOAT64;
    OK(ebm_objective_new(model, loss, &options, &o, ERROR));
    OK(ebm_objective_bind(o, wide ? (const void *)x : narrow, ROWS, ERROR));
    OK(ebm_objective_refresh(o, seed, 3, ERROR));
    OK(ebm_objective_evaluate(o, NULL, ERROR));
    const void *g = ebm_objective_gradient(o);
    double found = wide ? *(const double *)g : *(const float *)g;
    if (health) *health = ebm_objective_health(o);
    ebm_objective_free(o);
    return found;
}

/* w = Z and w̄ = 1/M whatever is drawn: each draw is taken once, and every move is made. */
Test(loss_ml_drawn, where_q_is_the_model_all_are_one)
{
    double *x = normals(ROWS, 0, 4, 1), weight[50];
    for (int dtype = 0; dtype < 2; dtype++) {
        double tolerance = dtype ? 1e-5 : 1e-12, health[LOSSES], g[LOSSES];
        ebm_model *model = model_at(2, dtype ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        ebm_proposal *q = normal(0, 2);
        ebm_importance r;
        OK(ebm_importance_sample(model, q, 50, 3, NULL, weight, &r, ERROR));
        for (int m = 0; m < 50; m++) cr_expect_float_eq(weight[m], 1 / 50., tolerance);
        cr_expect_float_eq(r.log_z, 0.5 * log(8 * M_PI), tolerance);
        cr_expect_float_eq(r.ess, 50, 1e-6);
        for (int l = 0; l < LOSSES; l++) g[l] = gradient_of(losses[l], model, q, 5, x, 7, &health[l]);
        cr_expect_float_eq(g[RESAMPLED], g[IS], 1e3 * tolerance, "%.9g %.9g", g[RESAMPLED], g[IS]);
        if (!dtype) cr_expect_float_eq(g[WALK], g[IS], 1e-12, "rounding of the weights may refuse a move");
        cr_expect(fabs(health[IS] - 5 * ROWS) < 1e-2 && fabs(health[RESAMPLED] - 5 * ROWS) < 1e-2);
        cr_expect_gt(health[WALK], 0.9);
        ebm_model_free(model);
        ebm_proposal_free(q);
    }
    free(x);
}

/* −θ⁻³(mean x² − θ²) is the likelihood's gradient. */
Test(loss_ml_drawn, gradients_have_one_mean_and_ml_is_the_least_variance)
{
    enum { SEEDS = 400 };
    const double theta[] = {1, 1.5, 2};
    double *x = normals(ROWS, 0, 4, 1), square = 0;
    ebm_proposal *q = normal(2, 2);
    for (int r = 0; r < ROWS; r++) square += x[r] * x[r] / ROWS;
    for (int k = 0; k < COUNT(theta); k++) {
        double mean[LOSSES] = {0}, squares[LOSSES] = {0}, t = theta[k], exact = (t * t - square) / (t * t * t);
        ebm_model *model = model_at(t, GIBBS_FLOAT64);
        for (int l = 0; l < LOSSES; l++)
            for (uint64_t seed = 0; seed < SEEDS; seed++) {
                double g = gradient_of(losses[l], model, q, 10, x, seed, NULL) - exact;
                mean[l] += g / SEEDS;
                squares[l] += g * g / SEEDS;
            }
        cr_log_info("θ = %g: sd %.4f, %.4f resampled, %.4f by a chain", t, sqrt(squares[IS]), sqrt(squares[RESAMPLED]),
                    sqrt(squares[WALK]));
        for (int l = 0; l < LOSSES; l++) /* the bias is of the order of 1/M */
            cr_expect(fabs(mean[l]) < 4 * sqrt(squares[l] / SEEDS) + 0.005, "θ = %g, %s: %g", t, losses[l]->name,
                      mean[l]);
        cr_expect(squares[RESAMPLED] > squares[IS] && squares[WALK] > squares[RESAMPLED]);
        ebm_model_free(model);
    }
    ebm_proposal_free(q);
    free(x);
}

/* A chain that took every draw would have q's points, whose gradient is another: the control of the two above. */
Test(loss_ml_drawn, control_draws_that_are_not_weighed_are_noticed)
{
    double *x = normals(ROWS, 0, 4, 1), square = 0, sum = 0, y[20 * ROWS];
    ebm_proposal *q = normal(2, 2);
    ebm_model *model = model_at(1.5, GIBBS_FLOAT64);
    for (int r = 0; r < ROWS; r++) square += x[r] * x[r] / ROWS;
    OK(ebm_proposal_sample(q, 20 * ROWS, 1, 0, NULL, y, NULL, ERROR));
    for (int r = 0; r < 20 * ROWS; r++) sum += y[r] * y[r] / (20 * ROWS);
    double exact = (2.25 - square) / 3.375, plain = (sum - square) / 3.375;
    cr_expect_gt(fabs(plain - exact), 0.5);
    cr_expect_lt(fabs(gradient_of(&ebm_loss_ml_resampled, model, q, 20, x, 1, NULL) - exact), 0.2);
    cr_expect_lt(fabs(gradient_of(&ebm_loss_ml_mh, model, q, 20, x, 1, NULL) - exact), 0.2);
    ebm_model_free(model);
    ebm_proposal_free(q);
    free(x);
}

Test(loss_ml_drawn, refuses)
{
    ebm_model *model = model_at(2, GIBBS_FLOAT64);
    ebm_proposal *q = normal(0, 2), *plane;
    const double two[] = {1, 1};
    ebm_loss_options options = {0};
    ebm_objective *o;
    OK(ebm_proposal_gaussian_diagonal(2, two, two, NULL, &plane, ERROR));
    FAILS(GIBBS_ARGUMENT, "needs a proposal", ebm_objective_new(model, &ebm_loss_ml_mh, &options, &o, FAIL));
    options.proposal = plane;
    FAILS(GIBBS_SHAPE, "2 dimensions", ebm_objective_new(model, &ebm_loss_ml_resampled, &options, &o, FAIL));
    ebm_proposal_free(q);
    ebm_proposal_free(plane);
    ebm_model_free(model);
}
