/* Conditionals from one gradient, where the energy is a polynomial of degree 2 at most: losses agree with those of the
 * same energy when it is not known to be one, own terms or none, and where an energy hands over its gradient. */
#include "ebm/changes_helpers.h"

enum { ROWS = 9 };

typedef struct result {
    double value, gradient[QUAD_SIZE];
} result;

static result evaluate(ebm_model *model, const ebm_loss *loss, const columns *s, const double *x, int64_t rows)
{
    result r;
    ebm_loss_options options = {0};
    options.space = space_of(s);
    ebm_objective *o = objective_at(model, loss, &options, NULL, x, rows, 0, 0);
    r.value = value_of(o);
    memcpy(r.gradient, ebm_objective_gradient(o), sizeof r.gradient);
    ebm_objective_free(o);
    return r;
}

/* The largest difference of value and gradient. */
static double apart(const result *a, const result *b)
{
    double worst = fabs(a->value - b->value);
    for (int k = 0; k < QUAD_SIZE; k++) worst = fmax(worst, fabs(a->gradient[k] - b->gradient[k]));
    return worst;
}

static const ebm_loss *const losses[] = {&ebm_loss_pseudo_likelihood, &ebm_loss_ratio_matching};

/* ---- Any energy against its twin ---- */

static double fast_and_general(const quad *q, const ebm_energy *kind, const ebm_loss *loss, const columns *s)
{
    const quad other = {q->degree, 1, q->no_own};
    ebm_model *fast = quad_model(q, kind, GIBBS_FLOAT64), *general = quad_model(&other, NULL, GIBBS_FLOAT64);
    double *x = random_states(s, ROWS, QUAD_DIM, 7);
    result a = evaluate(fast, loss, s, x, ROWS), b = evaluate(general, loss, s, x, ROWS);
    ebm_model_free(fast);
    ebm_model_free(general);
    free(x);
    return apart(&a, &b);
}

Test(conditionals, are_those_of_any_energy)
{
    for (int l = 0; l < COUNT(losses); l++)
        for (int k = 0; k < COUNT(quad_spaces); k++)
            for (int degree = 0; degree <= 2; degree++) {
                const quad q = {degree, 0, 0};
                double off = fast_and_general(&q, NULL, losses[l], &quad_spaces[k]);
                cr_expect(off < 2e-13, "%s, space %d, degree %d: %g", losses[l]->name, k, degree, off);
            }
}

/* ---- Ratio matching ---- */

/* Σ [p(x′)/(p(x) + p(x′))]² over the changes x′ of one variable, by their energies. */
static double ratios(ebm_model *model, const columns *s, const double *x)
{
    double sum = 0, y[QUAD_DIM], E, other;
    int width = s->labels ? s->labels : 1;
    OK(ebm_model_energy(model, x, 1, &E, NULL, ERROR));
    for (int k = 0; k < QUAD_DIM; k++) {
        if (s->labels && x[k] == 1) continue;
        memcpy(y, x, sizeof y);
        for (int j = k / width * width; j < k / width * width + width; j++) y[j] = 0;
        y[k] = s->labels ? 1 : s->value[x[k] == s->value[0]];
        OK(ebm_model_energy(model, y, 1, &other, NULL, ERROR));
        sum += pow(exp(-other) / (exp(-E) + exp(-other)), 2);
    }
    return sum;
}

Test(conditionals, ratio_matching_is_its_formula)
{
    for (int k = 0; k < COUNT(quad_spaces); k++)
        for (int twin = 0; twin < 2; twin++) {
            const columns *s = &quad_spaces[k];
            const quad q = {2, twin, 0};
            ebm_model *model = quad_model(&q, NULL, GIBBS_FLOAT64);
            double *x = random_states(s, ROWS, QUAD_DIM, 5), expected = 0;
            for (int r = 0; r < ROWS; r++) expected += ratios(model, s, x + r * QUAD_DIM) / ROWS;
            expect_close(evaluate(model, &ebm_loss_ratio_matching, s, x, ROWS).value, expected, 1e-13, "value");
            ebm_model_free(model);
            free(x);
        }
}

/* ---- A gradient that is handed over, and what it says of own terms ---- */

static int64_t claimed;

static ad_var quad_slope(ad_var x, const ad_var *theta, void *context, int64_t *apart)
{
    ad_var slope, E = quad_energy(x, theta, context);
    ad_grad(E, &x, 1, &slope);
    *apart = claimed;
    return slope;
}

Test(conditionals, own_terms_are_looked_at_unless_there_are_none)
{
    const ebm_energy kind = {.name = "quad", .record = quad_energy, .slope = quad_slope};
    const quad with = {2, 0, 0}, without = {2, 0, 3};
    for (int k = 0; k < COUNT(quad_spaces); k++) {
        claimed = 0;
        double off = fast_and_general(&with, &kind, losses[0], &quad_spaces[k]);
        cr_expect(off < 2e-13, "space %d: %g", k, off);
        claimed = 3; /* true of no_own = 3: blocks of 1 and 3 columns have none, those of 2 and 6 are looked at */
        off = fast_and_general(&without, &kind, losses[0], &quad_spaces[k]);
        cr_expect(off < 2e-13, "space %d: %g", k, off);
        claimed = 6;
        off = fast_and_general(&with, &kind, losses[0], &quad_spaces[k]);
        cr_expect(off > 0.01, "space %d: a wrong claim goes unnoticed: %g", k, off);
    }
}

/* ---- Change statistics ---- */

Test(conditionals, of_change_statistics)
{
    for (int k = 0; k < COUNT(changing); k++)
        for (int l = 0; l < COUNT(losses); l++) {
            int labels = changing[k].space.labels;
            double *x = random_states(&changing[k].space, ROWS, DYADS, 7);
            result r[2];
            for (int handed = 0; handed < 2; handed++) {
                ebm_model *model = changes_model(changing[k].kind, &labels, GIBBS_FLOAT64, handed);
                ebm_loss_options options = {0};
                options.space = space_of(&changing[k].space);
                ebm_objective *o = objective_at(model, losses[l], &options, NULL, x, 2, 0, 0);
                OK(ebm_objective_bind(o, x, ROWS, ERROR)); /* more rows than before */
                r[handed].value = value_of(o);
                memcpy(r[handed].gradient, ebm_objective_gradient(o), STATISTICS * sizeof(double));
                ebm_objective_free(o);
                ebm_model_free(model);
            }
            double off = fabs(r[0].value - r[1].value);
            for (int i = 0; i < STATISTICS; i++) off = fmax(off, fabs(r[0].gradient[i] - r[1].gradient[i]));
            cr_expect(off < 1e-13 && fabs(r[0].gradient[1]) > 0.01, "%s %d: %g", losses[l]->name, k, off);
            free(x);
        }
}

/* ---- The energies that ship, against themselves as a sum of one part, which hands over nothing ---- */

typedef gibbs_status make(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);

static void expect_shipped(make *f, const ebm_mrf_spec *spec, const char *what)
{
    const columns s = {{0, 1}, spec->space.one_hot ? (int)spec->space.labels : 0};
    ebm_model *model, *sum;
    OK(f(spec, &model, ERROR));
    double *theta = ebm_model_theta(model), value[2], *x = random_states(&s, ROWS, ebm_model_dim(model), 3);
    int64_t size = ebm_model_size(model);
    for (int64_t k = 0; k < size; k++) theta[k] = 0.4 * sin(1 + 2.3 * (double)k);
    OK(ebm_model_sum(&model, NULL, 1, &sum, ERROR));
    ebm_loss_options options = {0};
    options.space = space_of(&s);
    ebm_objective *o[2];
    for (int k = 0; k < 2; k++) {
        o[k] = objective_at(k ? sum : model, losses[0], &options, NULL, x, ROWS, 0, 0);
        value[k] = value_of(o[k]);
    }
    const double *a = ebm_objective_gradient(o[0]), *b = ebm_objective_gradient(o[1]);
    double worst = fabs(value[0] - value[1]), largest = 0;
    for (int64_t k = 0; k < size; k++) worst = fmax(worst, fabs(a[k] - b[k])), largest = fmax(largest, fabs(a[k]));
    cr_expect(worst < 1e-12 && largest > 0.01, "%s: %g, largest %g", what, worst, largest);
    ebm_objective_free(o[0]), ebm_objective_free(o[1]);
    ebm_model_free(sum), ebm_model_free(model);
    free(x);
}

Test(conditionals, of_the_energies_that_ship)
{
    enum { N = 150 };
    static const int64_t some[] = {0, 1, 3, 1, 2, 3};
    int64_t ring[2 * N];
    for (int k = 0; k < N; k++) ring[2 * k] = k, ring[2 * k + 1] = (k + 1) % N;
    ebm_mrf_spec spin = {.space = {.variables = 4}}, hot = {.space = {.variables = 4, .labels = 3, .one_hot = 1}};
    expect_shipped(ebm_model_ising, &spin, "ising");
    expect_shipped(ebm_model_potts, &hot, "potts");
    expect_shipped(ebm_model_mrf, &hot, "mrf");
    spin.edges = hot.edges = some, spin.edge_count = hot.edge_count = 3;
    expect_shipped(ebm_model_ising, &spin, "ising on a graph");
    expect_shipped(ebm_model_potts, &hot, "potts on a graph");
    expect_shipped(ebm_model_mrf, &hot, "mrf on a graph");
    spin = (ebm_mrf_spec){.space = {.variables = N}, .edges = ring, .edge_count = N};
    expect_shipped(ebm_model_ising, &spin, "ising on a long ring");
    hot = (ebm_mrf_spec){.space = {.variables = N, .labels = 2, .one_hot = 1}, .edges = ring, .edge_count = N};
    expect_shipped(ebm_model_potts, &hot, "potts on a long ring");
    expect_shipped(ebm_model_mrf, &hot, "mrf on a long ring");
}
