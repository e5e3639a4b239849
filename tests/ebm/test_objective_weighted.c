/* Weighted score matching: for data that end at a boundary, where the plain one has the wrong limit. */
#include "loss_helpers.h"

enum { ROWS = 400 };

/* (shape − 1)(−log x) + rate x: gamma densities on the half line. Parameters k = shape − 1 and rate. */
static ad_var gamma_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_sub(ad_mul(theta[1], x), ad_mul(theta[0], ad_log(x))));
}

static ebm_model *gamma_make(void)
{
    const ebm_parameter p[] = {{"k", {0, {0}}, EBM_INIT_CONSTANT, 0.5}, {"rate", {0, {0}}, EBM_INIT_CONSTANT, 2}};
    return model_of(1, p, 2, gamma_graph, GIBBS_FLOAT64);
}

/* −a log x − b log(1 − x): beta densities on the unit interval. */
static ad_var beta_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var left = ad_mul(theta[0], ad_log(x)), right = ad_mul(theta[1], ad_log(ad_shift(ad_neg(x), 1)));
    return ad_neg(ad_sum(ad_add(left, right)));
}

static ebm_model *beta_make(void)
{
    const ebm_parameter p[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0.5}, {"b", {0, {0}}, EBM_INIT_CONSTANT, 0.5}};
    return model_of(1, p, 2, beta_graph, GIBBS_FLOAT64);
}

/* Sums of exponentials and of logarithms of uniforms. */
static double gamma_draw(gibbs_words *words, int shape)
{
    double sum = 0;
    for (int i = 0; i < shape; i++) sum -= log(gibbs_words_unit(words));
    return sum;
}

static double *gammas(int64_t rows, int shape, double rate, uint64_t seed)
{
    gibbs_words words = gibbs_words_start(seed, 1, 0);
    double *x = malloc((size_t)rows * sizeof *x);
    for (int64_t r = 0; r < rows; r++) x[r] = gamma_draw(&words, shape) / rate;
    return x;
}

static double *betas(int64_t rows, int a, int b, uint64_t seed)
{
    gibbs_words words = gibbs_words_start(seed, 2, 0);
    double *x = malloc((size_t)rows * sizeof *x);
    for (int64_t r = 0; r < rows; r++) {
        double first = gamma_draw(&words, a), second = gamma_draw(&words, b);
        x[r] = first / (first + second);
    }
    return x;
}

/* ½h E′² − h E″ − h′E′ and its derivatives, from those of E, h and h′ at one point. */
static void add(total *t, const slopes *s, double h, double rise, int size, int64_t rows)
{
    t->value += (0.5 * h * s->first * s->first - h * s->second - rise * s->first) / (double)rows;
    for (int k = 0; k < size; k++)
        t->gradient[k] += ((h * s->first - rise) * s->dfirst[k] - h * s->dsecond[k]) / (double)rows;
}

/* With the default weight x² a gamma density gives ½(βx − k)² + k − 2βx. */
Test(weighted_score_matching, gamma)
{
    double *x = gammas(ROWS, 2, 1.5, 1), m[3] = {0}, theta[] = {0.7, 1.2}, k = theta[0], rate = theta[1];
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < 3; i++) m[i] += pow(x[r], i) / ROWS;
    total t = {0.5 * (rate * rate * m[2] - 2 * rate * k * m[1] + k * k) + k - 2 * rate * m[1],
               {k - rate * m[1] + 1, rate * m[2] - k * m[1] - 2 * m[1]}};
    ebm_model *model = gamma_make();
    ebm_objective *o = objective_at(model, &ebm_loss_weighted_score_matching, NULL, theta, x, ROWS, 0, 0);
    expect_total(o, &t, 1e-12, "gamma");
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

/* Any energy, any weight: h = 1 gives implicit score matching. */
static ad_var one(ad_var x, void *context) { return (void)context, ad_expand(ad_constant(x.tape, 1), ad_vec(1)); }
static ad_var wave(ad_var x, void *context) { return (void)context, ad_shift(ad_sin(x), 2); }

Test(weighted_score_matching, energies_on_the_line)
{
    ad_var (*const weights[])(ad_var, void *) = {ebm_weight_half_line, ebm_weight_unit_box, wave, one};
    for (int which = SCALE; which <= QUARTIC; which++)
        for (int w = 0; w < COUNT(weights); w++) {
            const plain_energy *e = &energies[which];
            double *x = test_points(e, ROWS, 2);
            total t = {0};
            for (int r = 0; r < ROWS; r++) {
                slopes s = slopes_at(which, x[r], e->theta);
                double at = x[r], box = at * (1 - at), h[] = {at * at, box * box, 2 + sin(at), 1};
                double rise[] = {2 * at, 2 * box * (1 - 2 * at), cos(at), 0};
                add(&t, &s, h[w], rise[w], e->size, ROWS);
            }
            ebm_loss_options options = {0};
            options.weight = weights[w];
            ebm_model *model = e->make();
            ebm_objective *o =
                objective_at(model, &ebm_loss_weighted_score_matching, &options, e->theta, x, ROWS, 0, 0);
            expect_total(o, &t, 1e-11, e->name);
            if (weights[w] == one) {
                total plain = evaluate_loss(e->make, &ebm_loss_score_matching, NULL, e->theta, x, ROWS, 0, 0);
                expect_close(plain.value, t.value, 1e-12, "h = 1");
            }
            ebm_objective_free(o);
            ebm_model_free(model);
            free(x);
        }
}

/* ---- Where the data end ---- */

static double fit(ebm_model *model, const ebm_loss *loss, ad_var (*weight)(ad_var, void *), double *x, int64_t rows)
{
    ebm_data data = table(x, rows, 1);
    ebm_fit_options options = {0};
    options.loss = loss;
    options.loss_options.weight = weight;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    return ((const double *)ebm_model_theta(model))[0];
}

/* The estimate of a gamma density is that of moments: rate = m₁/(m₂ − m₁²), shape = rate·m₁. */
Test(weighted_score_matching, gamma_fit_is_the_moments)
{
    enum { MANY = 5000 };
    double *x = gammas(MANY, 3, 2, 5), m1 = 0, m2 = 0;
    for (int r = 0; r < MANY; r++) m1 += x[r] / MANY, m2 += x[r] * x[r] / MANY;
    ebm_model *model = gamma_make();
    fit(model, &ebm_loss_weighted_score_matching, NULL, x, MANY);
    double rate = m1 / (m2 - m1 * m1);
    expect_close(parameter_of(model, "rate"), rate, 1e-5, "rate");
    expect_close(parameter_of(model, "k"), rate * m1 - 1, 1e-5, "shape − 1");
    expect_close(rate, 2, 0.1, "the truth");
    ebm_model_free(model);
    free(x);
}

/* An exponential distribution, whose density jumps at 0: βx. Plain score matching says ½β², least at β = 0. */
static ad_var exponential_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(x));
}

Test(weighted_score_matching, exponential_where_the_plain_one_fails)
{
    enum { MANY = 5000 };
    double *x = gammas(MANY, 1, 2, 7), m1 = 0, m2 = 0;
    for (int r = 0; r < MANY; r++) m1 += x[r] / MANY, m2 += x[r] * x[r] / MANY;
    const ebm_parameter p = {"rate", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model *model = model_of(1, &p, 1, exponential_graph, GIBBS_FLOAT64);
    expect_close(fit(model, &ebm_loss_weighted_score_matching, NULL, x, MANY), 2 * m1 / m2, 1e-6, "2m₁/m₂");
    cr_expect(fabs(2 * m1 / m2 - 2) < 0.2);
    cr_expect(fabs(fit(model, &ebm_loss_score_matching, NULL, x, MANY)) < 1e-6, "the control");
    ebm_model_free(model);
    free(x);
}

Test(weighted_score_matching, beta_on_the_unit_interval)
{
    enum { MANY = 20000 };
    double *x = betas(MANY, 2, 3, 9);
    ebm_model *model = beta_make();
    fit(model, &ebm_loss_weighted_score_matching, ebm_weight_unit_box, x, MANY);
    cr_expect(fabs(parameter_of(model, "a") - 1) < 0.1 && fabs(parameter_of(model, "b") - 2) < 0.15, "%g %g",
              parameter_of(model, "a"), parameter_of(model, "b"));
    ebm_model_free(model);
    free(x);
}

/* e^{−x} cut off at 1, where x² does not vanish and something is left: 2m₁/m₂ = 3.3. */
Test(weighted_score_matching, the_weight_must_vanish_at_every_boundary)
{
    enum { MANY = 20000 };
    gibbs_words words = gibbs_words_start(4, 3, 0);
    double *x = malloc(MANY * sizeof *x);
    for (int r = 0; r < MANY; r++) x[r] = -log1p(-gibbs_words_unit(&words) * (1 - exp(-1)));
    const ebm_parameter p = {"rate", {0, {0}}, EBM_INIT_CONSTANT, 2};
    ebm_model *model = model_of(1, &p, 1, exponential_graph, GIBBS_FLOAT64);
    double box = fit(model, &ebm_loss_weighted_score_matching, ebm_weight_unit_box, x, MANY);
    double half = fit(model, &ebm_loss_weighted_score_matching, ebm_weight_half_line, x, MANY);
    cr_expect(fabs(box - 1) < 0.2, "%g", box);
    cr_expect(fabs(half - 3.3) < 0.2, "the control: %g", half);
    ebm_model_free(model);
    free(x);
}

/* ---- Errors ---- */

static ad_var scalar(ad_var x, void *context) { return (void)context, ad_sum(x); }
static ad_var nothing(ad_var x, void *context) { return (void)context, (ad_var){x.tape, -1}; }

Test(weighted_score_matching, refuses)
{
    ebm_model *smooth = energies[GAUSSIAN2].make(), *kink = kink_make();
    ebm_objective *o;
    ebm_loss_options options = {0};
    FAILS(GIBBS_SMOOTH, "abs", ebm_objective_new(kink, &ebm_loss_weighted_score_matching, NULL, &o, FAIL));
    options.weight = scalar;
    FAILS(GIBBS_SHAPE, "weight", ebm_objective_new(smooth, &ebm_loss_weighted_score_matching, &options, &o, FAIL));
    options.weight = nothing;
    FAILS(GIBBS_TAPE, "null", ebm_objective_new(smooth, &ebm_loss_weighted_score_matching, &options, &o, FAIL));
    ebm_model_free(smooth);
    ebm_model_free(kink);
}
