/* ebm_standard_errors of losses with an artificial sample, and over pairs of rows, against sandwiches written out by
 * hand, entry by entry. */
#include "ebm/sandwich_helpers.h"

/* E = ½λx² is linear in λ: H is the variance of ½y² under the weights. */
Test(standard_errors, importance_sampling)
{
    enum { M = 3 * ROWS };
    double *x = normals(ROWS, 0.3, 1.2, 4), lambda = 0.7, w[M], total = 0, mean = 0, u[ROWS], v[M];
    noise_sample n = draw_noise(M);
    by_hand b = {.size = 1};
    for (int m = 0; m < M; m++) total += w[m] = exp(-0.5 * lambda * n.y[m] * n.y[m] - n.log_q[m]);
    for (int m = 0; m < M; m++) mean += w[m] / total * 0.5 * n.y[m] * n.y[m];
    for (int m = 0; m < M; m++) {
        double e = 0.5 * n.y[m] * n.y[m] - mean;
        b.h[0] += w[m] / total * e * e;
        v[m] = w[m] / total * e;
        b.s[1][0] += v[m] * v[m]; /* Σv = 0 as it is */
    }
    for (int r = 0; r < ROWS; r++) u[r] = 0.5 * x[r] * x[r] / ROWS;
    add_squares(&b, 0, u, ROWS);
    ebm_model *model = precision_make();
    ebm_model_set(model, &lambda);
    ebm_fit_options o = fit_of(&ebm_loss_ml_is, n.q);
    o.loss_options.noise_ratio = 3;
    ebm_uncertainty got = of(model, x, ROWS, &o);
    expect_sandwich(&b, &got, 1e-12, "importance sampling");
    ebm_uncertainty_free(&got);
    ebm_model_free(model);
    free_noise(&n);
    free(x);
}

/* θ = (λ, c) enters −G = ½λx² + c + log q + log ν through z = (½x², 1): u = σ(−G)z/N, v = −νσ(G)z/M. */
static void nce_part(by_hand *b, int sample, const double *x, const double *log_q, int64_t rows, const double *theta,
                     double log_nu, double weight)
{
    double *u = calloc((size_t)(2 * rows), sizeof *u);
    for (int64_t r = 0; r < rows; r++) {
        double z[] = {0.5 * x[r] * x[r], 1}, minus_G = theta[0] * z[0] + theta[1] + log_q[r] + log_nu;
        double up = 1 / (1 + exp(-minus_G)), down = 1 / (1 + exp(minus_G));
        for (int i = 0; i < 2; i++) u[2 * r + i] = (sample ? -down : up) * weight * z[i];
        add_outer(b->h, 2, z, weight * up * down);
    }
    add_squares(b, sample, u, rows);
    free(u);
}
Test(standard_errors, noise_contrastive_estimation)
{
    enum { M = 2 * ROWS };
    double *x = normals(ROWS, 0.1, 1.2, 4), theta[] = {0.7, 1.1}, log_q[ROWS];
    noise_sample n = draw_noise(M);
    by_hand b = {.size = 2};
    OK(ebm_proposal_log_density(n.q, x, ROWS, NULL, log_q, ERROR));
    nce_part(&b, 0, x, log_q, ROWS, theta, log(2), 1. / ROWS);
    nce_part(&b, 1, n.y, n.log_q, M, theta, log(2), 2. / M);
    ebm_model *model = precision_make();
    memcpy(ebm_model_theta(model), theta, sizeof theta); /* with room for c after the parameters */
    ebm_fit_options o = fit_of(&ebm_loss_nce, n.q);
    o.loss_options.noise_ratio = 2;
    ebm_uncertainty got = of(model, x, ROWS, &o);
    expect_sandwich(&b, &got, 1e-11, "NCE");
    ebm_uncertainty_free(&got);
    ebm_model_free(model);
    free_noise(&n);
    free(x);
}

/* q(y|θ): y = (2 + θ)ε, E = x²/(2θ²). The weights' derivatives by differences of w̄_m(θ) as a whole. */
static ad_var moving_draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q;
    return ad_mul(ad_shift(theta[0], 2), normal);
}
static ad_var moving_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q;
    ad_var sd = ad_shift(theta[0], 2);
    return ad_shift(ad_sub(ad_scale(ad_sum(ad_square(ad_div(y, sd))), -0.5), ad_log(sd)), -0.5 * log(2 * M_PI));
}
static const ebm_proposal moving = {.name = "moving", .dim = 1, .depends_on_theta = 1, .draw = moving_draw,
                                    .log_density = moving_density};

static double moving_log_z(double t, const double *eps, int64_t rows, double *weight)
{
    double total = 0;
    for (int64_t m = 0; m < rows; m++) {
        double y = (2 + t) * eps[m];
        total += weight[m] = exp(-y * y / (2 * t * t) + 0.5 * eps[m] * eps[m] + log(2 + t));
    }
    for (int64_t m = 0; m < rows; m++) weight[m] /= total;
    return log(total);
}
Test(standard_errors, proposals_that_move_with_theta)
{
    enum { M = 2 * ROWS };
    double *x = normals(ROWS, 0, 2, 4), t = 1.8, eps[M], w[4][M], z[3], u[ROWS], v[M], h = 1e-3, m2 = 0;
    static const double zero[] = {0}, one[] = {1};
    ebm_proposal *normal;
    OK(ebm_proposal_gaussian_diagonal(1, zero, one, NULL, &normal, ERROR));
    OK(ebm_proposal_sample(normal, M, 9, 0, NULL, eps, NULL, ERROR)); /* the same stream of normals */
    for (int k = 0; k < 3; k++) z[k] = moving_log_z(t + (k - 1) * h, eps, M, w[k]);
    by_hand b = {.size = 1};
    for (int m = 0; m < M; m++) v[m] = (w[2][m] - w[0][m]) / (2 * h);
    for (int r = 0; r < ROWS; r++) u[r] = -x[r] * x[r] / (t * t * t) / ROWS, m2 += x[r] * x[r] / ROWS;
    b.h[0] = (z[2] - 2 * z[1] + z[0]) / (h * h) + 3 * m2 / (t * t * t * t);
    add_squares(&b, 0, u, ROWS);
    add_squares(&b, 1, v, M);
    ebm_model *model = scale_make();
    ebm_model_set(model, &t);
    ebm_fit_options o = fit_of(&ebm_loss_ml_is, &moving);
    o.loss_options.noise_ratio = 2;
    ebm_uncertainty got = of(model, x, ROWS, &o);
    expect_sandwich(&b, &got, 1e-5, "moving proposal");
    ebm_uncertainty_free(&got);
    ebm_proposal_free(normal);
    ebm_model_free(model);
    free(x);
}

/* ---- Losses over pairs of rows ---- */

/* mean over pairs of ½(θ − h)², h = ½(xᵢ − xⱼ)²: θ̂ is the sample variance, a U-statistic. */
static ad_var pairs_record(ebm_graph *g)
{
    ad_var a = ad_batch_gather(g->x, g->first), b = ad_batch_gather(g->x, g->second);
    ad_var h = ad_scale(ad_sum(ad_square(ad_sub(a, b))), 0.5);
    return ad_batch_mean(g->noise, ad_scale(ad_square(ad_sub(ad_sum(g->theta[0]), h)), 0.5));
}
static const ebm_loss loss_pairs = {.name = "pairs", .noise = EBM_NOISE_PAIRS, .deterministic = 1,
                                    .record = pairs_record};

Test(standard_errors, pairs_of_rows)
{
    double *x = normals(ROWS, 0, 1.3, 4), theta = 1.5, u[ROWS] = {0};
    by_hand b = {.size = 1, .h = {1}};
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++)
            if (i != j) u[i] += 2 * (theta - 0.5 * (x[i] - x[j]) * (x[i] - x[j])) / (ROWS * (ROWS - 1.0));
    add_squares(&b, 0, u, ROWS);
    ebm_model *model = precision_make();
    ebm_model_set(model, &theta);
    ebm_fit_options o = fit_of(&loss_pairs, NULL);
    ebm_uncertainty got = of(model, x, ROWS, &o);
    expect_sandwich(&b, &got, 1e-12, "pairs");
    ebm_uncertainty_free(&got);
    ebm_model_free(model);
    free(x);
}
