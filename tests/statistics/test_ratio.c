/* Ratios of normalising constants: bridges between exact draws of normal laws against log σ₁/σ₀, their error, a
 * control; and along a way in θ by chains, against closed forms and enumeration. */
#include "base/random.h"
#include "ebm/sampling.h"

/* l = E₀ − E₁ of normal laws with the densities exp(−(x − m)²/2s²), at n draws of one of them. */
static void log_ratios(gibbs_words *words, double mean, double sd, double m, double s, int n, double *l)
{
    for (int i = 0; i < n; i++) {
        double x = mean + sd * gibbs_words_normal(words);
        l[i] = 0.5 * x * x - 0.5 * (x - m) * (x - m) / (s * s);
    }
}

static double squared_score(int n0, int n1, double m, double s, double wrong)
{
    enum { SEEDS = 600, MOST = 500 };
    double l0[MOST], l1[MOST], squares = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        gibbs_words words = gibbs_words_start(seed, 0x62726964, 1);
        ebm_bridge_estimate r;
        log_ratios(&words, 0, 1, m, s, n0, l0);
        log_ratios(&words, m, s, m, s, n1, l1);
        OK(ebm_bridge_sampling(l0, n0, l1, n1, NULL, &r, ERROR));
        double z = (r.log_ratio - log(s) - wrong) / r.standard_error;
        squares += z * z / SEEDS;
    }
    return squares;
}

Test(ratio, bridges_err_by_what_they_say)
{
    double equal = squared_score(200, 200, 1, 2, 0), more = squared_score(100, 500, 1.5, 0.7, 0);
    cr_expect(fabs(equal - 1) < 0.25, "%g", equal);
    cr_expect(fabs(more - 1) < 0.25, "%g", more);
    double off = squared_score(200, 200, 1, 2, 0.15);
    cr_expect_gt(off, 1.5, "control: %g", off);
}

Test(ratio, bridges_at_their_limits)
{
    double l0[3] = {2, 2, 2}, l1[4] = {2, 2, 2, 2}, off[2] = {-INFINITY, 0};
    ebm_bridge_estimate r;
    OK(ebm_bridge_sampling(l0, 3, l1, 4, NULL, &r, ERROR)); /* equal densities, φ₁ = e² φ₀ */
    cr_expect_float_eq(r.log_ratio, 2, 1e-12);
    cr_expect(r.standard_error == 0 && fabs(r.overlap - 1) < 1e-12);
    l0[0] = -INFINITY; /* a draw that the second density does not have */
    OK(ebm_bridge_sampling(l0, 3, l1, 4, NULL, &r, ERROR));
    cr_expect(r.log_ratio < 2 && r.standard_error > 0);
    FAILS(GIBBS_NUMERIC, "draw 1 of the second", ebm_bridge_sampling(l0, 3, off, 2, NULL, &r, FAIL));
    l0[1] = NAN;
    FAILS(GIBBS_NUMERIC, "draw 2 of the first", ebm_bridge_sampling(l0, 3, l1, 4, NULL, &r, FAIL));
    FAILS(GIBBS_ARGUMENT, "1 and 4 draws", ebm_bridge_sampling(l0, 1, l1, 4, NULL, &r, FAIL));
    const double far[] = {-3000, -3001}, near[] = {3000, 3002};
    FAILS(GIBBS_NUMERIC, "no draw in common", ebm_bridge_sampling(far, 2, near, 2, NULL, &r, FAIL));
}

/* ---- Along a way ---- */

static ad_var geyer(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5);
}

Test(ratio, of_a_normal_law)
{
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, 7};
    ebm_model_spec spec = {.dim = 1, .parameters = &p, .parameter_count = 1, .energy = geyer};
    const double from = 1, to = 3;
    double x[] = {-1.5, 0.2, 1, 2.2};
    const ebm_data data = {.rows = 4, .cols = 1, .x = x};
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){3}, NULL, &q, ERROR));
    const ebm_chain_options chain = {.sampler = &ebm_independence_mh, .proposal = q};
    const ebm_draw_options draw = {.chain = &chain, .warm_up = 1};
    ebm_model *model;
    OK(ebm_model_new(&spec, &model, ERROR));
    double bridge = 0, path = 0, squares = (2.25 + 0.04 + 1 + 4.84) / 8;
    enum { SEEDS = 8 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ebm_ratio r;
        const ebm_ratio_options o = {.draw = &draw, .rows = 200, .points = 4, .seed = 100 * seed};
        OK(ebm_log_z_ratio(model, &from, &to, &data, &o, &r, ERROR));
        cr_log_info("%g ± %g, %g ± %g, overlap %g", r.bridge, r.bridge_error, r.path, r.path_error, r.overlap);
        bridge += pow((r.bridge - log(3)) / r.bridge_error, 2) / SEEDS;
        path += pow((r.path - log(3)) / r.path_error, 2) / SEEDS;
        cr_expect_float_eq(r.loss, squares * (1 / 9. - 1) + r.bridge, 1e-12);
        cr_expect(r.bridge_error < 0.2 && r.path_error < 0.3 && r.overlap > 0.5);
    }
    cr_expect(bridge < 3 && bridge > 0.1 && path < 3, "%g %g", bridge, path); /* χ²₈/8 */
    cr_expect_eq(parameter_of(model, "theta"), 7);
    ebm_proposal_free(q);
    ebm_model_free(model);
}

/* Nine spins in a ring, from independence to strong couplings, by Gibbs sweeps. */
Test(ratio, of_spins_by_enumeration)
{
    enum { SPINS = 9 };
    int64_t edges[2 * SPINS];
    double from[2 * SPINS] = {0}, to[2 * SPINS], x[2 * SPINS], log_z[2];
    for (int i = 0; i < SPINS; i++) {
        edges[2 * i] = i, edges[2 * i + 1] = (i + 1) % SPINS;
        to[i] = i % 3 ? 0.6 : -0.5, to[SPINS + i] = 0.1 * i - 0.3, x[i] = i % 2, x[SPINS + i] = i % 3 == 0;
    }
    const ebm_mrf_spec spec = {.space = {.variables = SPINS}, .edges = edges, .edge_count = SPINS};
    const ebm_chain_options chain = {.sampler = &ebm_gibbs};
    const ebm_draw_options draw = {.chain = &chain};
    const ebm_data data = {.rows = 2, .cols = SPINS, .x = x};
    ebm_model *model;
    ebm_ratio r;
    OK(ebm_model_ising(&spec, &model, ERROR));
    for (int k = 0; k < 2; k++) {
        ebm_model_set(model, k ? to : from);
        OK(ebm_enumerate(model, NULL, &log_z[k], NULL, ERROR));
    }
    const ebm_ratio_options o = {.draw = &draw, .rows = 100, .points = 4};
    OK(ebm_log_z_ratio(model, from, to, &data, &o, &r, ERROR));
    cr_log_info("%g ± %g, %g ± %g; %g", r.bridge, r.bridge_error, r.path, r.path_error, log_z[1] - log_z[0]);
    cr_expect(fabs(r.bridge - log_z[1] + log_z[0]) < 4 * r.bridge_error && r.bridge_error < 0.15);
    cr_expect(fabs(r.path - log_z[1] + log_z[0]) < 4 * r.path_error && r.path_error < 0.3);
    FAILS(GIBBS_ARGUMENT, "points is -1",
          ebm_log_z_ratio(model, from, to, &data, &(ebm_ratio_options){.points = -1}, &r, FAIL));
    const ebm_data narrow = {.rows = 1, .cols = 2, .x = x};
    FAILS(GIBBS_SHAPE, "columns", ebm_log_z_ratio(model, from, to, &narrow, NULL, &r, FAIL));
    ebm_model_free(model);
}
