/* Importance sampling: log Ẑ against log Z, weights, effective sample size; and resampling. */
#include "ebm/sampling.h"

static ebm_model *gaussian_model(gibbs_dtype dtype, double *log_z)
{
    const double theta[] = {1, -1, 2, -0.8, -0.8, 1}; /* mean, precision: det 1.36 */
    ebm_model *model = NULL;
    OK(ebm_model_gaussian(2, dtype, NULL, &model, ERROR));
    ebm_model_set(model, theta);
    *log_z = log(2 * M_PI) - 0.5 * log(1.36);
    return model;
}

static ebm_proposal *gaussian_proposal(void)
{
    ebm_proposal *q = NULL;
    OK(ebm_proposal_gaussian_diagonal(2, (double[]){0.7, -1.2}, (double[]){1.3, 1.8}, NULL, &q, ERROR));
    return q;
}

/* A proposal whose log density is off by the constant in its context. */
static const ebm_proposal *honest;
static ad_var draw_honest(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q;
    return honest->draw(honest, normal, theta);
}

static ad_var shifted_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    return ad_shift(honest->log_density(honest, y, theta), *(const double *)q->context);
}

/* (mean of Ẑ/Z − 1) in standard errors over independent seeds. */
static double bias(gibbs_dtype dtype, double shift)
{
    enum { SEEDS = 2000, ROWS = 40 };
    double log_z, sum = 0, squares = 0;
    ebm_model *model = gaussian_model(dtype, &log_z);
    ebm_proposal *q = gaussian_proposal();
    const ebm_proposal off = {
        .name = "off", .dim = 2, .draw = draw_honest, .log_density = shifted_density, .context = &shift,
    };
    honest = q;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        ebm_importance result;
        OK(ebm_importance_sample(model, &off, ROWS, seed, NULL, NULL, &result, ERROR));
        double ratio = exp(result.log_z - log_z) - 1;
        sum += ratio;
        squares += ratio * ratio;
    }
    ebm_model_free(model);
    ebm_proposal_free(q);
    return sum / SEEDS / sqrt((squares / SEEDS - sum / SEEDS * sum / SEEDS) / SEEDS);
}

Test(samplers_importance, z_is_unbiased)
{
    cr_assert_lt(fabs(bias(GIBBS_FLOAT64, 0)), 4);
    cr_assert_lt(fabs(bias(GIBBS_FLOAT32, 0)), 4);
}

Test(samplers_importance, control_a_density_that_is_not_normalised_is_noticed)
{
    cr_assert_gt(fabs(bias(GIBBS_FLOAT64, 0.05)), 5);
}

Test(samplers_importance, weights_z_and_ess_are_their_formulas)
{
    enum { ROWS = 500 };
    for (int k = 0; k < 2; k++) {
        double y[2 * ROWS], weight[ROWS], log_q[ROWS], energy[ROWS], log_z, total = 0, sum = 0, squares = 0;
        gibbs_dtype dtype = k ? GIBBS_FLOAT32 : GIBBS_FLOAT64;
        double tolerance = k ? 1e-4 : 1e-12;
        ebm_importance result, alone;
        ebm_model *model = gaussian_model(dtype, &log_z);
        ebm_proposal *q = gaussian_proposal();
        OK(ebm_importance_sample(model, q, ROWS, 5, y, weight, &result, ERROR));
        OK(ebm_importance_sample(model, q, ROWS, 5, NULL, NULL, &alone, ERROR));
        cr_assert(result.log_z == alone.log_z && result.ess == alone.ess);
        OK(ebm_proposal_log_density(q, y, ROWS, NULL, log_q, ERROR));
        OK(ebm_model_energy(model, y, ROWS, energy, NULL, ERROR));
        for (int r = 0; r < ROWS; r++) total += exp(-energy[r] - log_q[r]);
        for (int r = 0; r < ROWS; r++) {
            cr_assert_float_eq(weight[r], exp(-energy[r] - log_q[r]) / total, tolerance * (k ? 1 : weight[r] + 1e-3));
            sum += weight[r];
            squares += weight[r] * weight[r];
        }
        cr_assert_float_eq(sum, 1, 1e-12);
        cr_assert_float_eq(result.ess, 1 / squares, 1e-9 * result.ess);
        cr_assert_float_eq(result.log_z, log(total / ROWS), tolerance);
        cr_assert(result.ess > 50 && result.ess < ROWS - 50);
        ebm_model_free(model);
        ebm_proposal_free(q);
    }
}

/* p = N(0, 1), q = N(0, s²): E_q w² is s²/√(2s² − 1), and ESS/rows tends to its inverse. */
Test(samplers_importance, ess_tends_to_its_limit)
{
    enum { ROWS = 200000 };
    const density normal = {"normal", 1, 0, 0, -8, 8};
    const double s = 1.5;
    ebm_importance result;
    ebm_proposal *q;
    ebm_model *model = density_model(&normal, GIBBS_FLOAT64, NULL);
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, &s, NULL, &q, ERROR));
    OK(ebm_importance_sample(model, q, ROWS, 5, NULL, NULL, &result, ERROR));
    cr_assert_float_eq(result.ess / ROWS, sqrt(2 * s * s - 1) / (s * s), 0.005);
    cr_assert_float_eq(result.log_z, 0.5 * log(2 * M_PI), 4 * sqrt(s * s / sqrt(2 * s * s - 1) - 1) / sqrt(ROWS));
    ebm_model_free(model);
    ebm_proposal_free(q);
}

/* Energies that overflow a plain exp, and so many draws that the engine splits them over threads. */
Test(samplers_importance, large_energies_do_no_harm)
{
    enum { ROWS = 100000 };
    double log_z;
    ebm_importance low, high;
    const double up[] = {1, -1, 2, -0.8, -0.8, 1}, steep[] = {1, -1, 2e5, -0.8e5, -0.8e5, 1e5};
    ebm_model *model = gaussian_model(GIBBS_FLOAT64, &log_z);
    ebm_proposal *q = gaussian_proposal();
    ebm_model_set(model, steep);
    OK(ebm_importance_sample(model, q, ROWS, 5, NULL, NULL, &high, ERROR));
    cr_assert(isfinite(high.log_z) && high.ess >= 1 && high.ess < 100);
    ebm_model_set(model, up);
    OK(ebm_importance_sample(model, q, ROWS, 5, NULL, NULL, &low, ERROR));
    cr_assert_float_eq(low.log_z, log_z, 0.02);
    ebm_model_free(model);
    ebm_proposal_free(q);
}

/* ---- Errors ---- */

static double value;
static ad_var constant(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_constant(x.tape, value);
}

static ad_var half_line(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var left = ad_less(x, ad_constant(x.tape, 0));
    return ad_sum(ad_select(left, ad_constant(x.tape, value), ad_scale(ad_square(x), 0.5)));
}

Test(samplers_importance, refuses)
{
    double y[2] = {-1, -1};
    ebm_importance result = {.ess = -1};
    ebm_proposal *q = gaussian_proposal(), *line;
    ebm_model *flat = energy_model(2, constant), *half = energy_model(1, half_line);
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){1}, NULL, &line, ERROR));
    FAILS(GIBBS_ARGUMENT, "a required pointer is NULL", ebm_importance_sample(flat, NULL, 1, 1, y, NULL, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 rows", ebm_importance_sample(flat, q, 0, 1, y, NULL, &result, FAIL));
    FAILS(GIBBS_SHAPE, "2 dimensions", ebm_importance_sample(half, q, 1, 1, y, NULL, &result, FAIL));
    value = INFINITY;
    FAILS(GIBBS_NUMERIC, "all 1 weights", ebm_importance_sample(flat, q, 1, 1, y, NULL, &result, FAIL));
    OK(ebm_importance_sample(half, line, 1000, 1, NULL, NULL, &result, ERROR)); /* a weight of 0 is one */
    cr_assert_float_eq(result.log_z, log(0.5) + 0.5 * log(2 * M_PI), 4 / sqrt(1000));
    result.ess = -1;
    const double bad[] = {-INFINITY, NAN};
    for (int k = 0; k < 2; k++) {
        gibbs_error error;
        value = bad[k];
        cr_assert_eq(ebm_importance_sample(half, line, 100, 1, NULL, NULL, &result, &error), GIBBS_NUMERIC);
        cr_assert(error.row >= 0 && error.row < 100);
    }
    cr_assert(y[0] == -1 && result.ess == -1);
    ebm_model_free(flat);
    ebm_model_free(half);
    ebm_proposal_free(q);
    ebm_proposal_free(line);
}

/* ---- Resampling ---- */

enum { WEIGHTS = 8 };
static const double WEIGHT[WEIGHTS] = {0, 3, 0.5, 0, 1.25, 7, 0.01, 0}; /* 11.76 */

static void count_rows(int multinomial, int64_t draws, uint64_t seed, double scale, double *count)
{
    double weight[WEIGHTS];
    int64_t *index = sampling_room(draws, sizeof *index);
    for (int k = 0; k < WEIGHTS; k++) weight[k] = WEIGHT[k] * scale, count[k] = 0;
    OK(ebm_resample(weight, WEIGHTS, draws, multinomial, seed, NULL, index, ERROR));
    for (int64_t i = 0; i < draws; i++) {
        cr_assert(index[i] >= 0 && index[i] < WEIGHTS);
        count[index[i]]++;
    }
    free(index);
}

/* Σ (count − n w)²/(n w) over the weights that are not 0; the others are never drawn. */
static double chi_square(const double *count, double draws)
{
    double sum = 0;
    for (int k = 0; k < WEIGHTS; k++) {
        double expected = draws * WEIGHT[k] / 11.76;
        if (WEIGHT[k] == 0) cr_assert_eq(count[k], 0);
        else sum += (count[k] - expected) * (count[k] - expected) / expected;
    }
    return sum;
}

Test(samplers_resampling, systematic_counts_are_within_one)
{
    const int64_t draws[] = {1, 5, 12, 1000, 99991};
    const double scales[] = {1, 1e-300, 1e307};
    for (int k = 0; k < COUNT(draws) * COUNT(scales); k++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            double count[WEIGHTS];
            count_rows(0, draws[k / COUNT(scales)], seed, scales[k % COUNT(scales)], count);
            for (int w = 0; w < WEIGHTS; w++) {
                double expected = (double)draws[k / COUNT(scales)] * WEIGHT[w] / 11.76;
                cr_assert(fabs(count[w] - expected) < 1 + 1e-6, "%g of %g", count[w], expected);
                cr_assert(WEIGHT[w] > 0 || count[w] == 0);
            }
        }
}

/* Each row's count has the mean n w over seeds. */
Test(samplers_resampling, both_are_unbiased)
{
    enum { SEEDS = 20000, DRAWS = 3 };
    for (int multinomial = 0; multinomial < 2; multinomial++) {
        double total[WEIGHTS] = {0}, count[WEIGHTS];
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            count_rows(multinomial, DRAWS, seed, 1, count);
            for (int k = 0; k < WEIGHTS; k++) total[k] += count[k];
        }
        for (int k = 0; k < WEIGHTS; k++) {
            double w = WEIGHT[k] / 11.76, error = sqrt(DRAWS * w * (1 - w) * SEEDS);
            cr_assert(fabs(total[k] - DRAWS * w * SEEDS) <= 4 * error, "row %d: %g", k, total[k]);
        }
    }
}

/* Independent draws: chi-square with 4 degrees of freedom, mean 4 and variance 8 (and 0.5 % more, for the rarest row).
 * Systematic ones have next to none, which shows that the check can tell. */
Test(samplers_resampling, multinomial_counts_are_chi_square)
{
    enum { SEEDS = 1000, DRAWS = 5000 };
    double sum[2] = {0}, count[WEIGHTS];
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int multinomial = 0; multinomial < 2; multinomial++) {
            count_rows(multinomial, DRAWS, seed, 1, count);
            sum[multinomial] += chi_square(count, DRAWS);
        }
    double error = sqrt((8 + 11.76 / 0.01 / DRAWS) / SEEDS);
    cr_assert_lt(fabs(sum[1] / SEEDS - 4), 4 * error, "%g", sum[1] / SEEDS);
    cr_assert_lt(sum[0] / SEEDS, 0.5);
}

Test(samplers_resampling, refuses)
{
    int64_t index[2] = {-1, -1};
    const double good[] = {1, 2}, negative[] = {1, -2}, nan[] = {1, NAN}, infinite[] = {INFINITY, 1}, zero[] = {0, 0};
    FAILS(GIBBS_DATA, "row 2", ebm_resample(negative, 2, 2, 0, 1, NULL, index, FAIL));
    FAILS(GIBBS_DATA, "row 2", ebm_resample(nan, 2, 2, 1, 1, NULL, index, FAIL));
    FAILS(GIBBS_DATA, "row 1", ebm_resample(infinite, 2, 2, 0, 1, NULL, index, FAIL));
    FAILS(GIBBS_DATA, "all weights are 0", ebm_resample(zero, 2, 2, 1, 1, NULL, index, FAIL));
    FAILS(GIBBS_DATA, "no rows", ebm_resample(good, 0, 2, 0, 1, NULL, index, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 draws", ebm_resample(good, 2, 0, 0, 1, NULL, index, FAIL));
    FAILS(GIBBS_ARGUMENT, "no weights", ebm_resample(NULL, 2, 2, 0, 1, NULL, index, FAIL));
    FAILS(GIBBS_ARGUMENT, "no place", ebm_resample(good, 2, 2, 0, 1, NULL, NULL, FAIL));
    cr_assert(index[0] == -1 && index[1] == -1);
    OK(ebm_resample(good, 2, 2, 0, 1, NULL, index, ERROR));
}
