/* Standard errors that rows cannot tell: from the model's own variance, by all states, weights and chains, against
 * closed forms and enumeration; and by a bootstrap. Each refuses what it cannot do, in words. */
#include "base/random.h"
#include "ebm/objective_helpers.h"

static ad_var count_energy(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_neg(ad_mul(theta[0], ad_sum(x)));
}

static ebm_model *bits_model(int64_t dim)
{
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, -0.5};
    return model_of(dim, &p, 1, count_energy, GIBBS_FLOAT64);
}

/* One row of 60 independent columns with 10 ones: the binomial's 1/√(n p(1 − p)), by chains. */
Test(standard_errors_model, one_network_of_independent_edges)
{
    enum { EDGES = 60 };
    double x[EDGES] = {0};
    for (int i = 0; i < 10; i++) x[6 * i] = 1;
    ebm_model *model = bits_model(EDGES);
    ebm_data data = table(x, 1, EDGES);
    ebm_fit_options o = {.loss = &ebm_loss_pseudo_likelihood, .lbfgs = 1};
    ebm_uncertainty u;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
    cr_expect_float_eq(u.standard_error[0], sqrt(1 / (60 / 6. * 5 / 6)), 0.03 * 0.3464, "%g", u.standard_error[0]);
    cr_expect(u.method == EBM_ERRORS_MODEL && u.draws == 8000 && u.newton < 1e-3);
    ebm_uncertainty_free(&u);
    FAILS(GIBBS_NUMERIC, "EBM_ERRORS_MODEL",
          ebm_standard_errors_by(model, &data, &o, &(ebm_errors_options){.method = EBM_ERRORS_SANDWICH}, &u, FAIL));
    FAILS(GIBBS_ARGUMENT, "EBM_ERRORS_MODEL",
          ebm_standard_errors_by(model, &data, &o, &(ebm_errors_options){.method = EBM_ERRORS_BOOTSTRAP}, &u, FAIL));
    ebm_model_free(model);
}

/* All 2⁵ states: exact. At a boundary the states do not differ. */
Test(standard_errors_model, few_states_are_all_looked_at)
{
    double x[] = {1, 0, 1, 1, 0}, ones[] = {1, 1, 1, 1, 1};
    ebm_model *model = bits_model(5);
    ebm_data data = table(x, 1, 5), edge = table(ones, 1, 5);
    ebm_fit_options o = {.loss = &ebm_loss_pseudo_likelihood, .lbfgs = 1};
    ebm_uncertainty u;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
    cr_expect_float_eq(u.standard_error[0], 1 / sqrt(5 * 0.6 * 0.4), 1e-6, "%g", u.standard_error[0]);
    cr_expect_eq(u.draws, INFINITY);
    ebm_uncertainty_free(&u);
    const double far = 200;
    ebm_model_set(model, &far);
    FAILS(GIBBS_NUMERIC, "at a boundary", ebm_standard_errors(model, &edge, &o, &u, FAIL));
    ebm_model_free(model);
}

/* Couplings and fields of three spins by pseudo-likelihood: H⁻¹ Cov_p(∇ℓ) H⁻¹/N over the eight states, in plain C: p(s)
 * ∝ exp(J s₀s₁ + J s₁s₂ + h Σs), ℓ = Σᵢ log(1 + exp(−2sᵢfᵢ)), fᵢ = J Σ s + h. */
static ad_var spins_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var s = ad_shift(ad_scale(x, 2), -1), a = ad_at(s, 0), b = ad_at(s, 1), c = ad_at(s, 2);
    return ad_neg(ad_add(ad_mul(theta[0], ad_mul(b, ad_add(a, c))), ad_mul(theta[1], ad_sum(s))));
}

static void spin_terms(const double *s, double J, double h, double *u, double *H)
{
    const double near[] = {s[1], s[0] + s[2], s[1]};
    for (int i = 0; i < 3; i++) {
        double f = J * near[i] + h, wrong = 1 / (1 + exp(2 * s[i] * f)), curve = 4 * wrong * (1 - wrong);
        u[0] -= 2 * s[i] * wrong * near[i], u[1] -= 2 * s[i] * wrong;
        H[0] += curve * near[i] * near[i], H[1] += curve * near[i], H[3] += curve;
    }
    H[2] = H[1];
}

Test(standard_errors_model, pseudo_likelihood_is_not_taken_for_the_likelihood)
{
    const ebm_parameter p[] = {{"J", ad_scalar(), EBM_INIT_CONSTANT, 0.3}, {"h", ad_scalar(), EBM_INIT_CONSTANT, 0}};
    double x[] = {1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1}, theta[2];
    ebm_model *model = model_of(3, p, 2, spins_energy, GIBBS_FLOAT64);
    ebm_data data = table(x, 6, 3);
    ebm_fit_options o = {.loss = &ebm_loss_pseudo_likelihood, .lbfgs = 1};
    ebm_errors_options how = {.method = EBM_ERRORS_MODEL};
    ebm_uncertainty u;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    OK(ebm_standard_errors_by(model, &data, &o, &how, &u, ERROR));
    ebm_model_get(model, theta);
    double H[4] = {0}, S[4] = {0}, mean[2] = {0}, z = 0, inverse[4], unused[2] = {0};
    for (int r = 0; r < 6; r++) {
        double s[3];
        for (int i = 0; i < 3; i++) s[i] = 2 * x[3 * r + i] - 1;
        spin_terms(s, theta[0], theta[1], unused, H);
    }
    for (int state = 0; state < 8; state++) {
        double s[3], g[2] = {0}, none[4] = {0};
        for (int i = 0; i < 3; i++) s[i] = state >> i & 1 ? 1 : -1;
        double w = exp(theta[0] * s[1] * (s[0] + s[2]) + theta[1] * (s[0] + s[1] + s[2]));
        spin_terms(s, theta[0], theta[1], g, none);
        z += w;
        for (int i = 0; i < 2; i++) mean[i] += w * g[i];
        for (int i = 0; i < 4; i++) S[i] += w * g[i / 2] * g[i % 2];
    }
    for (int i = 0; i < 4; i++) S[i] = S[i] / z - mean[i / 2] * mean[i % 2] / z / z, H[i] /= 6;
    double det = H[0] * H[3] - H[1] * H[2];
    inverse[0] = H[3] / det, inverse[3] = H[0] / det, inverse[1] = inverse[2] = -H[1] / det;
    for (int i = 0; i < 2; i++) {
        double v = 0;
        for (int j = 0; j < 4; j++) v += inverse[2 * i + j / 2] * S[j] * inverse[2 * i + j % 2] / 6;
        cr_expect_float_eq(u.standard_error[i], sqrt(v), 1e-8, "%g %g", u.standard_error[i], sqrt(v));
    }
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
}

/* ---- Normal laws: 1/√(λN) and λ√(2/N), by points, weights, chains, and of losses that have no sandwich ---- */

typedef struct way {
    const char *name;
    const ebm_loss *loss;
    ebm_errors method;
    double tolerance;
} way;

Test(standard_errors_model, normal_laws_by_every_way)
{
    enum { ROWS = 50 };
    static const way ways[] = {
        {"points", &ebm_loss_exact_ml, EBM_ERRORS_MODEL, 1e-6},
        {"weights", &ebm_loss_ml_is, EBM_ERRORS_MODEL, 0.05},
        {"chains", &ebm_loss_score_matching, EBM_ERRORS_MODEL, 0.05},
        {"PCD", &ebm_loss_pcd, EBM_ERRORS_MODEL, 0.05},
        {"resampled", &ebm_loss_ml_resampled, EBM_ERRORS_MODEL, 0.05},
    };
    double *x = normals(ROWS, 0.7, 2, 3), mean = 0, variance = 0;
    for (int r = 0; r < ROWS; r++) mean += x[r] / ROWS;
    for (int r = 0; r < ROWS; r++) variance += (x[r] - mean) * (x[r] - mean) / ROWS;
    const double theta[] = {mean, 1 / variance}, exact[] = {sqrt(variance / ROWS), sqrt(2. / ROWS) / variance};
    ebm_data data = table(x, ROWS, 1);
    ebm_points points;
    ebm_proposal *q;
    OK(ebm_points_box(1, &(ebm_box){{-14}, {16}, 400, 0}, NULL, &points, ERROR));
    OK(ebm_proposal_gaussian_fit(&data, 1, 1.3, NULL, &q, ERROR));
    for (int k = 0; k < COUNT(ways); k++) {
        ebm_model *model;
        ebm_fit_options o = {.loss = ways[k].loss, .lbfgs = 1};
        ebm_errors_options how = {.method = ways[k].method};
        ebm_uncertainty u;
        OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
        ebm_model_set(model, theta);
        o.loss_options.points = &points, o.loss_options.proposal = q, o.loss_options.noise_ratio = 400;
        OK(ebm_standard_errors_by(model, &data, &o, &how, &u, ERROR));
        cr_expect(u.method == ways[k].method && u.draws >= 200);
        for (int i = 0; i < 2; i++)
            cr_expect(fabs(u.standard_error[i] / exact[i] - 1) < ways[k].tolerance, "%s, %d: %g, exactly %g",
                      ways[k].name, i, u.standard_error[i], exact[i]);
        ebm_uncertainty_free(&u);
        ebm_model_free(model);
    }
    ebm_points_free(&points);
    ebm_proposal_free(q);
    free(x);
}

/* A bootstrap is the sandwich, up to 1/N and to 1/√(2·200) of itself; and it serves losses that have none. */
Test(standard_errors_model, bootstraps)
{
    enum { ROWS = 300 };
    double *x = normals(ROWS, 0.7, 2, 5);
    ebm_data data = table(x, ROWS, 1);
    ebm_errors_options how = {.method = EBM_ERRORS_BOOTSTRAP};
    ebm_fit_options o = {.loss = &ebm_loss_score_matching, .lbfgs = 1}, nce = {.loss = &ebm_loss_nce, .lbfgs = 1};
    ebm_uncertainty u, rows;
    ebm_model *model;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    for (int k = 0; k < 2; k++) {
        const ebm_fit_options *fit = k ? &nce : &o;
        nce.loss_options.redraw = EBM_REDRAW_NEVER;
        OK(ebm_fit(model, &data, fit, NULL, ERROR));
        OK(ebm_standard_errors(model, &data, fit, &rows, ERROR));
        OK(ebm_standard_errors_by(model, &data, fit, &how, &u, ERROR));
        cr_assert_eq(u.size, 2 + k);
        for (int i = 0; i < u.size; i++)
            cr_expect(fabs(log(u.standard_error[i] / rows.standard_error[i])) < 0.25, "%d, %d: %g, by rows %g", k, i,
                      u.standard_error[i], rows.standard_error[i]);
        ebm_uncertainty_free(&u);
        ebm_uncertainty_free(&rows);
    }
    ebm_model_free(model);
    free(x);
}

/* Two rows, two parameters: no sandwich by itself, and one on demand. */
Test(standard_errors_model, as_many_rows_as_parameters)
{
    double x[] = {0.5, -1.5};
    ebm_model *model;
    ebm_data data = table(x, 2, 1);
    ebm_fit_options o = {.loss = &ebm_loss_score_matching, .lbfgs = 1};
    ebm_uncertainty u;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
    cr_expect(u.method == EBM_ERRORS_MODEL && fabs(u.standard_error[1] - 1) < 0.05, "λ√(2/N): %g", u.standard_error[1]);
    ebm_uncertainty_free(&u);
    OK(ebm_standard_errors_by(model, &data, &o, &(ebm_errors_options){.method = EBM_ERRORS_SANDWICH}, &u, ERROR));
    cr_expect_eq(u.method, EBM_ERRORS_SANDWICH);
    ebm_uncertainty_free(&u);
    o.loss = &ebm_loss_cd;
    FAILS(GIBBS_ARGUMENT, "EBM_ERRORS_BOOTSTRAP", ebm_standard_errors(model, &data, &o, &u, FAIL));
    o.loss = &ebm_loss_pcd;
    FAILS(GIBBS_ARGUMENT, "EBM_ERRORS_MODEL", ebm_standard_errors(model, &data, &o, &u, FAIL));
    ebm_model_free(model);
}
