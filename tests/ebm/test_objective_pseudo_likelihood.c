/* Pseudo-likelihood against conditional probabilities by enumeration: bits 0/1 and ±1, and one-hot blocks. */
#include "loss_helpers.h"

/* −θ·T(x) with T all columns and all products of two columns: every pairwise model of `DIM` columns. */
enum { DIM = 6, PAIRS = DIM * (DIM - 1) / 2, SIZE = DIM + PAIRS, ROWS = 30 };

static ad_var pairwise_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var sum = ad_dot(theta[0], x);
    for (int i = 0, k = 0; i < DIM; k += DIM - 1 - i++) {
        if (i == DIM - 1) break;
        ad_var with_later = ad_mul(ad_slice(x, 0, i, 1), ad_slice(x, 0, i + 1, DIM - 1 - i));
        sum = ad_add(sum, ad_dot(ad_slice(theta[1], 0, k, DIM - 1 - i), with_later));
    }
    return ad_neg(sum);
}

static ebm_model *pairwise_make(void)
{
    const ebm_parameter p[] = {{"b", {1, {DIM}}, EBM_INIT_CONSTANT, 0}, {"w", {1, {PAIRS}}, EBM_INIT_CONSTANT, 0}};
    return model_of(DIM, p, 2, pairwise_graph, GIBBS_FLOAT64);
}

static void statistics(const double *x, double *t)
{
    int k = 0;
    for (int i = 0; i < DIM; i++) t[k++] = x[i];
    for (int i = 0; i < DIM; i++)
        for (int j = i + 1; j < DIM; j++) t[k++] = x[i] * x[j];
}

static double score(const double *theta, const double *x) /* −E */
{
    double t[SIZE], sum = 0;
    statistics(x, t);
    for (int k = 0; k < SIZE; k++) sum += theta[k] * t[k];
    return sum;
}

static void parameters(double *theta)
{
    for (int k = 0; k < SIZE; k++) theta[k] = 0.8 * sin(1 + 2.3 * k);
}

/* ---- −log p(variable | the others) by trying all its values ---- */

typedef struct space {
    double value[2];
    int categories;
} space;

static int variables(const space *s) { return s->categories ? DIM / s->categories : DIM; }
static int values(const space *s) { return s->categories ? s->categories : 2; }

/* Puts value c into variable i. */
static void put(const space *s, double *x, int i, int c)
{
    if (!s->categories) x[i] = s->value[c];
    else
        for (int k = 0; k < s->categories; k++) x[i * s->categories + k] = k == c;
}

static void add_row(const space *s, const double *theta, const double *x, double share, total *t)
{
    double own[SIZE], other[SIZE];
    statistics(x, own);
    for (int i = 0; i < variables(s); i++) {
        double y[DIM], z = 0, mean[SIZE] = {0};
        memcpy(y, x, sizeof y);
        for (int c = 0; c < values(s); c++) {
            put(s, y, i, c);
            double w = exp(score(theta, y) - score(theta, x));
            z += w;
            statistics(y, other);
            for (int k = 0; k < SIZE; k++) mean[k] += w * other[k];
        }
        t->value += share * log(z);
        for (int k = 0; k < MOST_PARAMETERS; k++) t->gradient[k] += share * (mean[k] / z - own[k]);
    }
}

static double *random_rows(const space *s, int64_t rows)
{
    gibbs_words words = gibbs_words_start(7, 8, 9);
    double *x = malloc((size_t)(rows * DIM) * sizeof *x);
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0; i < variables(s); i++)
            put(s, x + r * DIM, i, (int)gibbs_words_below(&words, (uint64_t)values(s)));
    return x;
}

static ebm_loss_options options_of(const space *s)
{
    ebm_loss_options options = {0};
    options.space = (ebm_space){.values = s->value, .labels = s->categories, .one_hot = s->categories != 0};
    return options;
}

static const space spaces[] = {{{0, 1}, 0}, {{-1, 1}, 0}, {{0.25, -3}, 0}, {{0, 1}, 2}, {{0, 1}, 3}, {{0, 1}, 6}};

Test(pseudo_likelihood, agrees_with_enumeration)
{
    double theta[SIZE];
    parameters(theta);
    for (int k = 0; k < COUNT(spaces); k++) {
        const space *s = &spaces[k];
        double *x = random_rows(s, ROWS);
        total t = {0};
        for (int r = 0; r < ROWS; r++) add_row(s, theta, x + r * DIM, 1.0 / ROWS, &t);
        ebm_loss_options options = options_of(s);
        ebm_model *model = pairwise_make();
        ebm_objective *o = objective_at(model, &ebm_loss_pseudo_likelihood, &options, theta, x, ROWS, 0, 0);
        expect_close(value_of(o), t.value, 1e-12, "value");
        for (int i = 0; i < MOST_PARAMETERS; i++)
            expect_close(((const double *)ebm_objective_gradient(o))[i], t.gradient[i], 1e-11, "gradient");
        double gradient[SIZE];
        memcpy(gradient, ebm_objective_gradient(o), sizeof gradient);
        for (int i = 0; i < SIZE; i++) expect_close(gradient[i], difference(o, i), 1e-8, "all of the gradient");
        ebm_objective_free(o);
        ebm_model_free(model);
        free(x);
    }
}

/* The expected gradient under the model itself is 0: Σ_x p(x) ∇loss(x) over all states. One block of all columns is
 * exact maximum likelihood. */
static void expect_unbiased(const space *s)
{
    int count = (int)round(pow(values(s), variables(s)));
    double theta[SIZE], mean[SIZE] = {0}, z = 0, worst = 0, other = 0;
    ebm_loss_options options = options_of(s);
    ebm_model *model = pairwise_make();
    parameters(theta);
    for (int state = 0; state < count; state++) {
        double x[DIM];
        for (int i = 0, rest = state; i < variables(s); i++, rest /= values(s)) put(s, x, i, rest % values(s));
        ebm_objective *o = objective_at(model, &ebm_loss_pseudo_likelihood, &options, theta, x, 1, 0, 0);
        double p = exp(score(theta, x));
        value_of(o);
        z += p;
        for (int k = 0; k < SIZE; k++) mean[k] += p * ((const double *)ebm_objective_gradient(o))[k];
        other = fmax(other, fabs(((const double *)ebm_objective_gradient(o))[0]));
        ebm_objective_free(o);
    }
    for (int k = 0; k < SIZE; k++) worst = fmax(worst, fabs(mean[k] / z));
    cr_expect(worst < 1e-12 && other > 0.01, "%g; single states have %g", worst, other);
    ebm_model_free(model);
}

Test(pseudo_likelihood, expected_gradient_is_0_at_the_truth)
{
    for (int k = 0; k < COUNT(spaces); k++) expect_unbiased(&spaces[k]);
}

/* ---- Fits, types, errors ---- */

Test(pseudo_likelihood, float32)
{
    const space *s = &spaces[1];
    const ebm_parameter p[] = {{"b", {1, {DIM}}, EBM_INIT_CONSTANT, 0.3}, {"w", {1, {PAIRS}}, EBM_INIT_CONSTANT, 0.2}};
    double theta[SIZE], *x = random_rows(s, ROWS), value;
    float narrow[ROWS * DIM];
    total t = {0};
    for (int k = 0; k < SIZE; k++) theta[k] = k < DIM ? 0.3 : 0.2;
    for (int r = 0; r < ROWS; r++) add_row(s, theta, x + r * DIM, 1.0 / ROWS, &t);
    for (int i = 0; i < ROWS * DIM; i++) narrow[i] = (float)x[i];
    ebm_loss_options options = options_of(s);
    ebm_model *model = model_of(DIM, p, 2, pairwise_graph, GIBBS_FLOAT32);
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_pseudo_likelihood, &options, &o, ERROR));
    OK(ebm_objective_bind(o, narrow, ROWS, ERROR));
    OK(ebm_objective_evaluate(o, &value, ERROR));
    expect_close(value, t.value, 1e-5, "value");
    expect_close(((const float *)ebm_objective_gradient(o))[0], t.gradient[0], 1e-5, "gradient");
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

/* States that float32 rounds are recognised as they are stored. */
Test(pseudo_likelihood, states_that_are_rounded)
{
    const ebm_parameter p[] = {{"b", {1, {DIM}}, EBM_INIT_CONSTANT, 0.3}, {"w", {1, {PAIRS}}, EBM_INIT_CONSTANT, 0.2}};
    float x[DIM] = {0.1f, 0.7f, 0.1f, 0.1f, 0.7f, 0.7f};
    ebm_loss_options options = options_of(&(space){{0.1, 0.7}, 0});
    ebm_model *model = model_of(DIM, p, 2, pairwise_graph, GIBBS_FLOAT32);
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_pseudo_likelihood, &options, &o, ERROR));
    OK(ebm_objective_bind(o, x, 1, ERROR));
    cr_expect(isfinite(value_of(o)));
    ebm_objective_free(o);
    ebm_model_free(model);
}

static void expect_refused_row(const space *s, int at, double value, const char *part)
{
    double *x = random_rows(s, 3);
    ebm_loss_options options = options_of(s);
    ebm_model *model = pairwise_make();
    ebm_objective *o;
    gibbs_error error = {.row = -1, .axis = -1};
    OK(ebm_objective_new(model, &ebm_loss_pseudo_likelihood, &options, &o, ERROR));
    x[2 * DIM + at] = value;
    cr_expect_eq(ebm_objective_bind(o, x, 3, &error), GIBBS_DATA);
    cr_expect(strstr(error.message, part) && strstr(error.message, "row 3") && error.row == 2, "%s", error.message);
    ebm_data data = table(x, 3, DIM);
    ebm_fit_options fit = {0};
    fit.loss = &ebm_loss_pseudo_likelihood;
    fit.loss_options = options;
    cr_expect_eq(ebm_fit(model, &data, &fit, NULL, &error), GIBBS_DATA);
    cr_expect(isnan(value) || error.row == 2, "%s", error.message); /* a fit looks for NaN before */
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

Test(pseudo_likelihood, refuses_other_numbers)
{
    expect_refused_row(&spaces[0], 1, 0.5, "column 2 is 0.5, neither 0 nor 1");
    expect_refused_row(&spaces[0], 1, NAN, "column 2");
    expect_refused_row(&spaces[1], 0, 0, "column 1 is 0, neither -1 nor 1");
    double *x = random_rows(&spaces[4], 3);
    int off = x[2 * DIM] == 0 ? 0 : 1;
    free(x);
    expect_refused_row(&spaces[4], off, 1, "2 ones");
}

/* Of a conditional model the column is the table's, not that of y alone; and so is a block's. */
static ad_var pulled(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_sum(x));
}

Test(pseudo_likelihood, names_the_columns_of_the_table)
{
    ebm_parameter b = {"b", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {0};
    spec.dim = 3, spec.parameters = &b, spec.parameter_count = 1, spec.energy = pulled;
    ebm_model *model;
    spec.given = 1;
    OK(ebm_model_new(&spec, &model, ERROR));
    double good[] = {7, 1, 0, 7, 0, 1}, bad[] = {1, 1, 0, 1, 0, 7}, full[] = {1, 1, 0, 1, 1, 1};
    ebm_data data = table(bad, 2, 3);
    ebm_fit_options fit = {0};
    fit.loss = &ebm_loss_pseudo_likelihood;
    fit.steps = 1;
    FAILS(GIBBS_DATA, "column 3 is 7, neither 0 nor 1", ebm_fit(model, &data, &fit, NULL, FAIL));
    fit.loss_options.space = (ebm_space){.one_hot = 1};
    data.x = full;
    FAILS(GIBBS_DATA, "the block that ends in column 3 has 2 ones", ebm_fit(model, &data, &fit, NULL, FAIL));
    data.x = good; /* what is given may be anything */
    OK(ebm_fit(model, &data, &fit, NULL, ERROR));
    ebm_model_free(model);
}

Test(pseudo_likelihood, refuses_options)
{
    const struct {
        space s;
        const char *part;
    } wrong[] = {{{{1, 1}, 0}, "the values 1 and 1"},
                 {{{0, INFINITY}, 0}, "the values 0 and inf"},
                 {{{0, 1}, 4}, "no blocks"},
                 {{{0, 1}, -2}, "a space of -2 labels"}};
    ebm_model *model = pairwise_make();
    ebm_objective *o;
    for (int k = 0; k < COUNT(wrong); k++) {
        ebm_loss_options options = options_of(&wrong[k].s);
        FAILS(GIBBS_ARGUMENT, wrong[k].part,
              ebm_objective_new(model, &ebm_loss_pseudo_likelihood, &options, &o, FAIL));
    }
    ebm_model_free(model);
}
