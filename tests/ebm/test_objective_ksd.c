/* Kernel Stein discrepancies against their four terms written out, and the pairs of rows that they run over. */
#include "loss_helpers.h"
#include "support/alloc.h"

enum { ROWS = 40 };

/* ---- Pairs ---- */

static ad_var record_pairs(ebm_graph *g)
{
    ad_var apart = ad_sub(ad_batch_gather(g->x, g->first), ad_batch_gather(g->x, g->second));
    ad_var order = ad_less(g->first, g->second);
    g->health = ad_batch_mean(g->noise, order);
    return ad_batch_mean(g->noise, ad_sum(ad_square(apart)));
}
static const ebm_loss pairs_loss = {
    .name = "pairs", .noise = EBM_NOISE_PAIRS, .health = "order", .record = record_pairs};

/* The mean of (xᵢ − xⱼ)² over pairs is twice the variance with divisor N − 1, for any number of rows in turn. */
Test(pairs, all_of_them_once)
{
    static const int64_t sizes[] = {5, 2, 70, 3, 41};
    double *x = normals(70, 1, 2, 3);
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    OK(ebm_objective_new(model, &pairs_loss, NULL, &o, ERROR));
    for (int k = 0; k < COUNT(sizes); k++) {
        double mean = 0, variance = 0;
        for (int64_t r = 0; r < sizes[k]; r++) mean += x[r] / (double)sizes[k];
        for (int64_t r = 0; r < sizes[k]; r++) variance += pow(x[r] - mean, 2) / (double)(sizes[k] - 1);
        OK(ebm_objective_bind(o, x, sizes[k], ERROR));
        expect_close(value_of(o), 2 * variance, 1e-12, "mean square");
        cr_expect_eq(ebm_objective_health(o), 1, "first < second");
    }
    FAILS(GIBBS_DATA, "pairs compares rows: 2 are needed", ebm_objective_bind(o, x, 1, FAIL));
    FAILS(GIBBS_SIZE, "rows", ebm_objective_bind(o, x, (int64_t)1 << 25, FAIL));
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

/* ---- u(x, x′) by its definition ---- */

typedef struct kernel {
    double k, d[2], e[2], trace; /* k, ∇k, ∇′k, tr ∇∇′k */
} kernel;

static kernel rbf(const double *x, const double *y, int dim, double b)
{
    double r2 = 0;
    kernel v = {0};
    for (int i = 0; i < dim; i++) r2 += pow(x[i] - y[i], 2);
    v.k = exp(-r2 / (2 * b * b));
    for (int i = 0; i < dim; i++) {
        v.d[i] = -v.k * (x[i] - y[i]) / (b * b);
        v.e[i] = -v.d[i];
        v.trace += v.k * (1 / (b * b) - pow(x[i] - y[i], 2) / pow(b, 4));
    }
    return v;
}

static kernel imq(const double *x, const double *y, int dim, double b)
{
    double u = b * b;
    kernel v = {0};
    for (int i = 0; i < dim; i++) u += pow(x[i] - y[i], 2);
    v.k = 1 / sqrt(u);
    for (int i = 0; i < dim; i++) {
        v.d[i] = -(x[i] - y[i]) * pow(u, -1.5);
        v.e[i] = -v.d[i];
        v.trace += pow(u, -1.5) - 3 * pow(x[i] - y[i], 2) * pow(u, -2.5);
    }
    return v;
}

typedef struct discrepancy {
    const ebm_loss *loss;
    kernel (*at)(const double *x, const double *y, int dim, double b);
} discrepancy;
static const discrepancy all[] = {{&ebm_loss_ksd_rbf, rbf}, {&ebm_loss_ksd_imq, imq}};

static double pair_value(const discrepancy *k, const plain_energy *e, const double *x, const double *y, double b)
{
    kernel v = k->at(x, y, e->dim, b);
    double s[2], t[2], u = v.trace;
    e->dx(x, e->theta, s);
    e->dx(y, e->theta, t);
    for (int i = 0; i < e->dim; i++) u += v.k * s[i] * t[i] - s[i] * v.e[i] - t[i] * v.d[i];
    return u;
}

static double statistic(const discrepancy *k, const plain_energy *e, const double *x, int rows, double b)
{
    double sum = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < i; j++) sum += pair_value(k, e, x + i * e->dim, x + j * e->dim, b);
    return 2 * sum / (rows * (rows - 1));
}

Test(ksd, agrees_with_its_definition)
{
    static const double lengths[] = {0.4, 1, 3};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < ENERGIES; i++)
            for (int l = 0; l < COUNT(lengths); l++) {
                const plain_energy *e = &energies[i];
                double *x = test_points(e, ROWS, 1);
                ebm_loss_options options = {0};
                options.noise_sd = lengths[l];
                ebm_model *model = e->make();
                ebm_objective *o = objective_at(model, all[k].loss, &options, e->theta, x, ROWS, 0, 0);
                expect_close(value_of(o), statistic(&all[k], e, x, ROWS, lengths[l]), 1e-11, e->name);
                expect_consistent(o, 1e-7, e->name);
                ebm_objective_free(o);
                ebm_model_free(model);
                free(x);
            }
}

/* With s = −λx: u = λ²xx′k − λ(x·∇′k + x′·∇k) + tr, a parabola in λ. */
Test(ksd, gradient_by_a_precision)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1);
    for (int k = 0; k < 2; k++) {
        double expected = 0;
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < i; j++) {
                kernel v = all[k].at(x + i, x + j, 1, 0.8);
                expected += 2 * e->theta[0] * x[i] * x[j] * v.k - x[i] * v.e[0] - x[j] * v.d[0];
            }
        ebm_loss_options options = {0};
        options.noise_sd = 0.8;
        total t = evaluate_loss(e->make, all[k].loss, &options, e->theta, x, ROWS, 0, 0);
        expect_close(t.gradient[0], 2 * expected / (ROWS * (ROWS - 1)), 1e-11, "gradient");
    }
    free(x);
}

/* Its minimum on a large sample is the truth. */
Test(ksd, fits_a_gaussian, .disabled = SANITIZED)
{
    enum { MANY = 1000 };
    double *x = normals(MANY, 0.4, 0.8, 3);
    ebm_data data = table(x, MANY, 1);
    for (int k = 0; k < 2; k++) {
        ebm_model *model;
        ebm_fit_options options = {0};
        OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
        options.loss = all[k].loss;
        options.loss_options.noise_sd = 1;
        options.lbfgs = 1;
        OK(ebm_fit(model, &data, &options, NULL, ERROR));
        cr_expect(fabs(parameter_of(model, "mean") - 0.4) < 0.12, "%g", parameter_of(model, "mean"));
        cr_expect(fabs(parameter_of(model, "precision") * 0.64 - 1) < 0.2, "%g",
                  parameter_of(model, "precision"));
        ebm_model_free(model);
    }
    free(x);
}

/* ---- The test's own function ---- */

Test(ksd_test, statistic_and_length)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), median;
    ebm_data data = table(x, ROWS, 2);
    ebm_model *model = e->make();
    ebm_model_set(model, e->theta);
    OK(ebm_median_distance(&data, &median, ERROR));
    for (int k = 0; k < 4; k++) {
        ebm_ksd_options options = {0};
        ebm_ksd result;
        options.rbf = k % 2 == 0;
        options.length = k / 2 ? 0.7 : 0;
        OK(ebm_ksd_test(model, &data, &options, &result, ERROR));
        cr_expect_eq(result.length, k / 2 ? 0.7 : median);
        expect_close(result.statistic, statistic(&all[k % 2], e, x, ROWS, result.length), 1e-11, "statistic");
        cr_expect(result.p_value > 0 && result.p_value <= 1);
    }
    ebm_model_free(model);
    free(x);
}

/* The p-value by its definition, with the same signs: ±1 by the lowest bits of stream `b` of the seed. */
Test(ksd_test, wild_bootstrap)
{
    enum { REPLICATES = 99, SEED = 12 };
    plain_energy unit = energies[GAUSSIAN2], *e = &unit;
    memcpy(unit.theta, (double[]){0, 0, 1, 0, 0, 1}, 6 * sizeof(double));
    double *x = normals(2 * ROWS, 0, 1, 3), total = 0, sign[ROWS];
    int reached = 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < i; j++) total += pair_value(&all[1], e, x + 2 * i, x + 2 * j, 0.9);
    for (uint64_t b = 0; b < REPLICATES; b++) {
        gibbs_words words = gibbs_words_start(SEED, EBM_STREAM_LOSS_NORMAL, b);
        double sum = 0;
        for (int i = 0; i < ROWS; i++) sign[i] = gibbs_words_next(&words) & 1 ? 1 : -1;
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < i; j++)
                sum += sign[i] * sign[j] * pair_value(&all[1], e, x + 2 * i, x + 2 * j, 0.9);
        reached += sum >= total;
    }
    ebm_data data = table(x, ROWS, 2);
    ebm_model *model = e->make();
    ebm_ksd_options options = {.length = 0.9, .bootstrap = REPLICATES, .seed = SEED};
    ebm_ksd result;
    ebm_model_set(model, e->theta);
    OK(ebm_ksd_test(model, &data, &options, &result, ERROR));
    expect_close(result.p_value, (1.0 + reached) / (1 + REPLICATES), 1e-15, "p-value");
    cr_expect(reached > 0 && reached < REPLICATES, "%d", reached);
    ebm_model_free(model);
    free(x);
}

/* A median of known distances; of many rows an evenly spaced part. */
/* Signs that are all equal give the sum without signs, which counts as reaching it: with four rows one replicate in
 * eight, whatever the data. Rounding must not lose them. */
Test(ksd_test, ties_are_counted)
{
    enum { SETS = 400, FOUR = 4, REPLICATES = 1000 };
    double *x = normals(SETS * FOUR, 0, 1, 8), least = 1, one = 1;
    ebm_model *model = energies[PRECISION].make();
    ebm_ksd_options options = {.length = 1, .bootstrap = REPLICATES};
    ebm_ksd result;
    ebm_model_set(model, &one);
    for (int k = 0; k < SETS; k++) {
        ebm_data data = table(x + FOUR * k, FOUR, 1);
        options.seed = (uint64_t)k;
        OK(ebm_ksd_test(model, &data, &options, &result, ERROR));
        least = fmin(least, result.p_value);
    }
    double sd = sqrt(0.125 * 0.875 / REPLICATES);
    cr_expect(least > 0.125 - 5 * sd && least < 0.125 + sd, "the least of %d p-values is %g", SETS, least);
    ebm_model_free(model);
    free(x);
}

static ad_var bent(ad_var x, const ad_var *theta, void *context) /* |x|, by relu on both sides */
{
    return (void)theta, (void)context, ad_sum(ad_add(ad_relu(x), ad_relu(ad_neg(x))));
}

/* A kink costs nothing: only the gradient is asked for. The data are of that density. */
Test(ksd_test, an_energy_with_a_kink)
{
    enum { MANY = 300 };
    double x[MANY];
    uint64_t seed = 5;
    ebm_data data = table(x, MANY, 1);
    ebm_model *model = model_of(1, NULL, 0, bent, GIBBS_FLOAT64);
    ebm_ksd good, bad;
    for (int i = 0; i < MANY; i++) x[i] = (i % 2 ? 1 : -1) * -log(sampling_uniform(&seed));
    OK(ebm_ksd_test(model, &data, NULL, &good, ERROR));
    for (int i = 0; i < MANY; i++) x[i] *= 2;
    OK(ebm_ksd_test(model, &data, NULL, &bad, ERROR));
    cr_expect(good.p_value > 0.01 && bad.p_value < 0.01, "%g, %g", good.p_value, bad.p_value);
    ebm_model_free(model);
}

Test(ksd_test, median_distance)
{
    double few[] = {0, 0, 3, 4, 6, 8}, median, line[3000]; /* distances 5, 5, 10 */
    ebm_data data = table(few, 3, 2);
    OK(ebm_median_distance(&data, &median, ERROR));
    cr_expect_eq(median, 5);
    for (int i = 0; i < COUNT(line); i++) line[i] = i / 2999.0; /* uniform: the median distance is 1 − √½ */
    data = table(line, COUNT(line), 1);
    OK(ebm_median_distance(&data, &median, ERROR));
    cr_expect(fabs(median - (1 - sqrt(0.5))) < 0.002, "%g", median);
    memset(few, 0, sizeof few);
    data = table(few, 3, 2);
    FAILS(GIBBS_NUMERIC, "equal", ebm_median_distance(&data, &median, FAIL));
    data.rows = 1;
    FAILS(GIBBS_DATA, "one row", ebm_median_distance(&data, &median, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_median_distance(NULL, &median, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_median_distance(&data, NULL, FAIL));
}

/* The same for any number of threads; another seed, other signs; float32 near float64. */
Test(ksd_test, is_a_function_of_the_seed)
{
    enum { MANY = 200 };
    double *x = normals(MANY, 0, 1, 6), one = 1;
    ebm_data data = table(x, MANY, 1);
    ebm_model *model = energies[PRECISION].make();
    const ebm_parameter p = {"precision", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model *narrow = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT32);
    ebm_model_set(model, &one);
    ebm_ksd first, other;
    ebm_ksd_options options = {0};
    OK(ebm_ksd_test(model, &data, NULL, &first, ERROR));
    for (int threads = 1; threads <= 4; threads++) {
        options.threads = threads;
        OK(ebm_ksd_test(model, &data, &options, &other, ERROR));
        cr_expect(other.p_value == first.p_value && other.statistic == first.statistic, "%d threads", threads);
    }
    options.seed = 1;
    OK(ebm_ksd_test(model, &data, &options, &other, ERROR));
    cr_expect(other.p_value != first.p_value && fabs(other.p_value - first.p_value) < 0.08, "%g %g", other.p_value,
              first.p_value);
    OK(ebm_ksd_test(narrow, &data, NULL, &other, ERROR));
    cr_expect(fabs(other.statistic - first.statistic) < 1e-6 && fabs(other.p_value - first.p_value) < 0.01);
    ebm_model_free(model);
    ebm_model_free(narrow);
    free(x);
}

static ad_var broken(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(ad_sqrt(x)));
}

/* Signs are kept for as many workers as there are rows at most, however many threads are asked for. */
Test(ksd_test, memory_does_not_go_with_threads)
{
    double x[24];
    for (int i = 0; i < COUNT(x); i++) x[i] = sin(i);
    ebm_data data = table(x, COUNT(x), 1);
    ebm_ksd_options options = {0};
    ebm_ksd few, many;
    counting_alloc count = {.fail_above = 1 << 20};
    gibbs_allocator a = counting_allocator(&count);
    ebm_parameter p = {"k", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {0};
    spec.dim = 1, spec.parameters = &p, spec.parameter_count = 1, spec.energy = precision_graph, spec.allocator = &a;
    ebm_model *model;
    OK(ebm_model_new(&spec, &model, ERROR));
    options.threads = 1;
    OK(ebm_ksd_test(model, &data, &options, &few, ERROR));
    options.threads = 1 << 30;
    OK(ebm_ksd_test(model, &data, &options, &many, ERROR));
    cr_expect(few.p_value == many.p_value && count.failures == 0);
    ebm_model_free(model);
}

Test(ksd_test, refuses)
{
    double x[] = {1, 2, -1};
    ebm_data data = table(x, 3, 1), wide = table(x, 1, 3), single = table(x, 1, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_model *bad = model_of(1, &(ebm_parameter){"k", {0, {0}}, EBM_INIT_CONSTANT, 1}, 1, broken, GIBBS_FLOAT64);
    ebm_ksd result;
    ebm_ksd_options options = {0};
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_ksd_test(NULL, &data, NULL, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_ksd_test(model, NULL, NULL, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_ksd_test(model, &data, NULL, NULL, FAIL));
    FAILS(GIBBS_SHAPE, "3 columns", ebm_ksd_test(model, &wide, NULL, &result, FAIL));
    FAILS(GIBBS_DATA, "one row", ebm_ksd_test(model, &single, NULL, &result, FAIL));
    FAILS(GIBBS_NUMERIC, "rows 1 and 3", ebm_ksd_test(bad, &data, NULL, &result, FAIL));
    cr_expect(isnan(result.p_value) && isnan(result.statistic));
    options.bootstrap = -1;
    FAILS(GIBBS_ARGUMENT, "bootstrap is -1", ebm_ksd_test(model, &data, &options, &result, FAIL));
    options = (ebm_ksd_options){0};
    options.length = -1;
    FAILS(GIBBS_ARGUMENT, "length is -1", ebm_ksd_test(model, &data, &options, &result, FAIL));
    options.length = NAN;
    FAILS(GIBBS_ARGUMENT, "length", ebm_ksd_test(model, &data, &options, &result, FAIL));
    ebm_model_free(model);
    ebm_model_free(bad);
}
