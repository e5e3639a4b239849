/* Estimates of the other losses come closer to their own limit like N^−½. The limit is the truth, but for denoising
 * score matching 1/(variance + σ²). Fits are to the end by L-BFGS; all seeds are fixed. test_consistency.c has the
 * first three losses. */
#include "ebm/loss_helpers.h"

enum { SETS = 40, SIZES = 3 };

typedef struct method {
    const ebm_loss *loss;
    double noise_sd;
    int copies;
    int64_t size; /* the smallest; then 4 and 16 times as many rows */
    double limit; /* of a precision whose truth is 1.6 */
} method;

static const double truth = 1.6;

/* ---- A precision ---- */

static double fit_precision(const method *m, int64_t rows, uint64_t set)
{
    static const double sd = 1.3, zero = 0;
    double *x = normals(rows, 0, 1 / sqrt(truth), 91 * set + (uint64_t)rows);
    ebm_data data = table(x, rows, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = {0};
    ebm_fit_report report;
    ebm_proposal *q;
    ebm_points points;
    OK(ebm_proposal_gaussian_diagonal(1, &zero, &sd, NULL, &q, ERROR));
    OK(ebm_points_box(1, &(ebm_box){{-12}, {12}, 300, 0}, NULL, &points, ERROR));
    o.loss = m->loss;
    o.loss_options.proposal = q;
    o.loss_options.points = &points;
    o.loss_options.noise_sd = m->noise_sd;
    o.loss_options.copies = m->copies;
    o.loss_options.threads = 1;
    o.lbfgs = 1;
    o.seed = set;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(report.converged, "%s", m->loss->name);
    double lambda = parameter_of(model, "precision");
    ebm_fit_report_free(&report);
    ebm_points_free(&points);
    ebm_proposal_free(q);
    ebm_model_free(model);
    free(x);
    return lambda;
}

/* The root mean square error and its mean, over the sets. */
static double study(const method *m, int64_t rows)
{
    spread s = {0};
    for (uint64_t set = 1; set <= SETS; set++) spread_add(&s, fit_precision(m, rows, set) - m->limit);
    double room = 12 / (double)rows; /* a bias of order 1/N */
    cr_expect(fabs(spread_mean(&s)) < 4 * spread_error(&s) + room, "%s, N = %d: off by %g ± %g", m->loss->name,
              (int)rows, spread_mean(&s), spread_error(&s));
    return sqrt(s.squares / SETS);
}

/* As in test_consistency.c: a ratio of two is known to 16 %, and N^−¼ (2) and N^−1 (16) are outside. */
static void check(const method *m)
{
    double rms[SIZES];
    for (int k = 0; k < SIZES; k++) rms[k] = study(m, m->size << 2 * k);
    double whole = rms[0] / rms[2];
    cr_expect(whole > 2.4 && whole < 7.5, "%s: the error falls by %g (%g %g %g)", m->loss->name, whole, rms[0], rms[1],
              rms[2]);
}

#define CONSISTENT(name, ...)                      \
    Test(loss_consistency, name)                   \
    {                                              \
        check(&(method){&ebm_loss_##name, __VA_ARGS__}); \
    }

CONSISTENT(exact_ml, 0.1, 1, 200, truth)
CONSISTENT(weighted_score_matching, 0.1, 1, 200, truth)
CONSISTENT(denoising, 0.5, 4, 200, 1 / (1 / truth + 0.25))
CONSISTENT(denoising_autoencoder, 0.5, 4, 200, 1 / (1 / truth + 0.25))
CONSISTENT(sliced, 0.1, 2, 200, truth)
CONSISTENT(sliced_reduced, 0.1, 2, 200, truth)
CONSISTENT(conditional_nce, 0.7, 4, 200, truth)
CONSISTENT(ranking_nce, 0.1, 5, 200, truth)
CONSISTENT(ksd_rbf, 0.8, 1, 30, truth)
CONSISTENT(ksd_imq, 0.8, 1, 30, truth)

/* Were denoising score matching's limit taken for the truth, the error would not fall. */
Test(loss_consistency, denoising_is_no_estimate_of_the_truth)
{
    method m = {&ebm_loss_denoising, 0.5, 4, 200, 1 / (1 / truth + 0.25)};
    double last = 0, off = fabs(m.limit - truth);
    for (int k = 0; k < SIZES; k++) {
        spread s = {0};
        for (uint64_t set = 1; set <= SETS; set++) spread_add(&s, fit_precision(&m, m.size << 2 * k, set) - truth);
        last = sqrt(s.squares / SETS);
    }
    cr_expect(fabs(last / off - 1) < 0.1, "%g, the bias is %g", last, off);
}

/* ---- Couplings of four spins by pseudo-likelihood and ratio matching ---- */

enum { SPINS = 4, STATES = 1 << SPINS };
static const double couplings[SPINS] = {0.5, -0.4, 0.3, 0.6}; /* of a ring */

static ad_var ring_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var next = ad_concat(ad_slice(x, 0, 1, SPINS - 1), ad_slice(x, 0, 0, 1), 0);
    return ad_neg(ad_dot(theta[0], ad_mul(x, next)));
}

static ebm_model *ring_make(void)
{
    return model_of(SPINS, &(ebm_parameter){"w", {1, {SPINS}}, EBM_INIT_CONSTANT, 0}, 1, ring_graph, GIBBS_FLOAT64);
}

static void spins_of(int state, double *x)
{
    for (int i = 0; i < SPINS; i++) x[i] = state >> i & 1 ? 1 : -1;
}

/* Exact draws by the distribution function over all states. */
static double *ring_draw(int64_t rows, uint64_t seed)
{
    double sum[STATES], x[SPINS], total = 0, *data = malloc((size_t)(rows * SPINS) * sizeof *data);
    for (int s = 0; s < STATES; s++) {
        double score = 0;
        spins_of(s, x);
        for (int i = 0; i < SPINS; i++) score += couplings[i] * x[i] * x[(i + 1) % SPINS];
        sum[s] = total += exp(score);
    }
    gibbs_words words = gibbs_words_start(seed, 11, 0);
    for (int64_t r = 0; r < rows; r++) {
        double u = total * gibbs_words_unit(&words);
        int s = 0;
        while (sum[s] < u) s++;
        spins_of(s, data + r * SPINS);
    }
    return data;
}

static double ring_study(const ebm_loss *loss, int64_t rows)
{
    double squares = 0, bias[SPINS] = {0}, theta[SPINS];
    ebm_points points;
    OK(ebm_points_space(&(ebm_space){.variables = SPINS, .values = (double[]){-1, 1}}, NULL, &points, ERROR));
    for (uint64_t set = 1; set <= SETS; set++) {
        double *x = ring_draw(rows, set);
        ebm_data data = table(x, rows, SPINS);
        ebm_model *model = ring_make();
        ebm_fit_options o = {0};
        o.loss = loss;
        o.loss_options.points = &points;
        o.loss_options.space.values = (double[]){-1, 1};
        o.loss_options.threads = 1;
        o.lbfgs = 1;
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
        ebm_model_get(model, theta);
        for (int k = 0; k < SPINS; k++) {
            squares += pow(theta[k] - couplings[k], 2) / SETS;
            bias[k] += (theta[k] - couplings[k]) / SETS;
        }
        ebm_model_free(model);
        free(x);
    }
    for (int k = 0; k < SPINS; k++)
        cr_expect(fabs(bias[k]) < 4.5 * sqrt(squares / SPINS / SETS) + 6 / (double)rows, "%s: %d is off by %g",
                  loss->name, k, bias[k]);
    ebm_points_free(&points);
    return sqrt(squares);
}

Test(loss_consistency, couplings)
{
    static const ebm_loss *const losses[] = {&ebm_loss_pseudo_likelihood, &ebm_loss_exact_ml, &ebm_loss_ratio_matching};
    double rms[3][SIZES];
    for (int l = 0; l < 3; l++) {
        for (int k = 0; k < SIZES; k++) rms[l][k] = ring_study(losses[l], (int64_t)300 << 2 * k);
        double whole = rms[l][0] / rms[l][2];
        cr_expect(whole > 2.4 && whole < 7.5, "%s: the error falls by %g", losses[l]->name, whole);
    }
    cr_expect(rms[0][2] > 0.97 * rms[1][2], "pseudo-likelihood does not beat maximum likelihood: %g %g", rms[0][2],
              rms[1][2]);
    cr_expect(rms[2][2] > 0.97 * rms[1][2], "ratio matching does not: %g %g", rms[2][2], rms[1][2]);
}
