/* Sliced score matching, both forms and both kinds of directions, against plain C; the variance-reduced form against
 * implicit score matching row by row. */
#include "loss_helpers.h"

enum { ROWS = 120, SEED = 5, STEP = 2 };

typedef struct form {
    const ebm_loss *loss;
    int reduced;
} form;
static const form forms[] = {{&ebm_loss_sliced, 0}, {&ebm_loss_sliced_reduced, 1}};

/* Directions k of every row: ±1, from the sign of uniform − ½, or normals. */
static double *directions(int gaussian, int64_t dim, int k)
{
    double *v = graph_random(!gaussian, ROWS, dim, EBM_STREAM_LOSS_NORMAL + (uint64_t)k, SEED, STEP);
    for (int64_t i = 0; i < ROWS * dim && !gaussian; i++) v[i] = v[i] > 0.5 ? 1 : -1;
    return v;
}

static ebm_loss_options with(int gaussian, int copies)
{
    ebm_loss_options options = {0};
    options.gaussian = gaussian;
    options.copies = copies;
    return options;
}

static total line(const form *f, int which, const double *theta, int size, const double *x, const ebm_loss_options *o)
{
    total t = {0};
    double share = 1.0 / (ROWS * o->copies);
    for (int k = 0; k < o->copies; k++) {
        double *v = directions(o->gaussian, 1, k);
        for (int r = 0; r < ROWS; r++) {
            slopes s = slopes_at(which, x[r], theta);
            double square = v[r] * v[r], first = f->reduced ? 1 : square;
            t.value += share * (0.5 * first * s.first * s.first - square * s.second);
            for (int i = 0; i < size; i++)
                t.gradient[i] += share * (first * s.first * s.dfirst[i] - square * s.dsecond[i]);
        }
        free(v);
    }
    return t;
}

Test(sliced, energies_on_the_line)
{
    for (int which = SCALE; which <= QUARTIC; which++)
        for (int k = 0; k < 8; k++) {
            const plain_energy *e = &energies[which];
            const form *f = &forms[k / 4];
            ebm_loss_options options = with(k / 2 % 2, k % 2 ? 3 : 1);
            double *x = test_points(e, ROWS, 1);
            total t = line(f, which, e->theta, e->size, x, &options);
            ebm_model *model = e->make();
            ebm_objective *o = objective_at(model, f->loss, &options, e->theta, x, ROWS, SEED, STEP);
            expect_total(o, &t, 1e-11, e->name);
            ebm_objective_free(o);
            ebm_model_free(model);
            free(x);
        }
}

/* ½(v·s)² − vᵀPv, or ½|s|² − vᵀPv, of a Gaussian in two dimensions, P symmetric. */
Test(sliced, gaussian_in_two_dimensions)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), off = 0.5 * (e->theta[3] + e->theta[4]);
    for (int k = 0; k < 4; k++) {
        ebm_loss_options options = with(k % 2, 1);
        double *v = directions(k % 2, 2, 0), value = 0, s[2];
        for (int r = 0; r < ROWS; r++) {
            const double *d = v + 2 * r;
            gaussian2_dx(x + 2 * r, e->theta, s);
            double square = k / 2 ? s[0] * s[0] + s[1] * s[1] : pow(d[0] * s[0] + d[1] * s[1], 2);
            double curvature = e->theta[2] * d[0] * d[0] + 2 * off * d[0] * d[1] + e->theta[5] * d[1] * d[1];
            value += (0.5 * square - curvature) / ROWS;
        }
        ebm_model *model = e->make();
        ebm_objective *o = objective_at(model, forms[k / 2].loss, &options, e->theta, x, ROWS, SEED, STEP);
        expect_close(value_of(o), value, 1e-12, "value");
        expect_consistent(o, 1e-8, "gradient");
        ebm_objective_free(o);
        ebm_model_free(model);
        free(v);
    }
    free(x);
}

/* ---- Row by row ---- */

/* A sum of quartics with a weight each: the Hessian is diagonal. With `cross`, it is not. */
static ad_var separate(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_dot(theta[0], ad_square(ad_square(x)));
}
static ad_var crossed(ad_var x, const ad_var *theta, void *context)
{
    ad_var product = ad_mul(ad_slice(x, 0, 0, 1), ad_slice(x, 0, 1, 1));
    return ad_add(separate(x, theta, context), ad_sum(ad_square(product)));
}

static ebm_model *separate_make(void)
{
    return model_of(3, &(ebm_parameter){"a", {1, {3}}, EBM_INIT_CONSTANT, 0.4}, 1, separate, GIBBS_FLOAT64);
}
static ebm_model *crossed_make(void)
{
    return model_of(3, &(ebm_parameter){"a", {1, {3}}, EBM_INIT_CONSTANT, 0.4}, 1, crossed, GIBBS_FLOAT64);
}

/* How far the loss is from implicit score matching on single rows, at worst. */
static double farthest(ebm_model *(*make)(void), const ebm_loss *loss, int gaussian)
{
    static const double theta[] = {0.3, 0.7, 0.2};
    double *x = normals(3 * 20, 0.2, 1, 4), worst = 0;
    ebm_loss_options options = with(gaussian, 1);
    for (int r = 0; r < 20; r++) {
        total a = evaluate_loss(make, loss, &options, theta, x + 3 * r, 1, SEED, STEP);
        total b = evaluate_loss(make, &ebm_loss_score_matching, NULL, theta, x + 3 * r, 1, SEED, STEP);
        worst = fmax(worst, fabs(a.value - b.value));
        for (int k = 0; k < 3; k++) worst = fmax(worst, fabs(a.gradient[k] - b.gradient[k]));
    }
    free(x);
    return worst;
}

Test(sliced, reduced_form_is_implicit_score_matching_of_a_diagonal_hessian)
{
    cr_expect(farthest(separate_make, &ebm_loss_sliced_reduced, 0) < 1e-11);
    cr_expect(farthest(separate_make, &ebm_loss_sliced, 0) > 0.1, "the plain form is so in expectation only");
    cr_expect(farthest(separate_make, &ebm_loss_sliced_reduced, 1) > 0.1, "and Gaussian directions");
    cr_expect(farthest(crossed_make, &ebm_loss_sliced_reduced, 0) > 0.1, "and other Hessians");
}

/* ---- In expectation ---- */

/* All four are implicit score matching on average over the directions; the reduced form varies less. */
Test(sliced, is_implicit_score_matching_on_average)
{
    enum { DRAWS = 1500 };
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), error[4];
    total expected = evaluate_loss(e->make, &ebm_loss_score_matching, NULL, e->theta, x, ROWS, 0, 0);
    for (int k = 0; k < 4; k++) {
        spread value = {0}, slope = {0};
        ebm_loss_options options = with(k % 2, 1);
        ebm_model *model = e->make();
        ebm_objective *o = objective_at(model, forms[k / 2].loss, &options, e->theta, x, ROWS, SEED, 0);
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            OK(ebm_objective_refresh(o, SEED, draw, ERROR));
            spread_add(&value, value_of(o));
            spread_add(&slope, ((const double *)ebm_objective_gradient(o))[3]);
        }
        cr_expect(fabs(spread_mean(&value) - expected.value) < 4.5 * spread_error(&value), "%d: %g ± %g, not %g", k,
                  spread_mean(&value), spread_error(&value), expected.value);
        cr_expect(fabs(spread_mean(&slope) - expected.gradient[3]) < 4.5 * spread_error(&slope), "%d: gradient", k);
        error[k] = spread_error(&value);
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    cr_expect(error[2] < error[0] && error[3] < error[1], "%g %g %g %g", error[0], error[1], error[2], error[3]);
    free(x);
}

/* ---- Errors ---- */

Test(sliced, refuses)
{
    ebm_model *kink = kink_make(), *smooth = energies[PRECISION].make();
    ebm_objective *o;
    ebm_loss_options options = with(0, 1001);
    for (int k = 0; k < 2; k++) {
        FAILS(GIBBS_SMOOTH, "abs", ebm_objective_new(kink, forms[k].loss, NULL, &o, FAIL));
        FAILS(GIBBS_ARGUMENT, "1001 directions", ebm_objective_new(smooth, forms[k].loss, &options, &o, FAIL));
    }
    ebm_model_free(kink);
    ebm_model_free(smooth);
}
