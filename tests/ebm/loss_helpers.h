/* loss_helpers.h — what tests of losses that add noise or take second derivatives share. */
#ifndef TEST_LOSS_HELPERS_H
#define TEST_LOSS_HELPERS_H

#include "ebm/model/model.h"
#include "objective_helpers.h"

/* The numbers that a graph's ad_normal (or, with `uniform`, ad_uniform) of that stream draws: rows × dim. */
static inline double *graph_random(int uniform, int64_t rows, int64_t dim, uint64_t stream, uint64_t seed,
                                   uint64_t step)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis = ad_axis_new(tape, "rows");
    ad_var v = uniform ? ad_uniform(axis, ad_vec(dim), stream) : ad_normal(axis, ad_vec(dim), stream);
    ad_plan *plan;
    ad_workspace *w;
    double *numbers = malloc((size_t)(rows * dim) * sizeof *numbers);
    OK(ad_compile(&v, 1, NULL, &plan, ERROR));
    OK(ad_workspace_new(plan, &w, ERROR));
    OK(ad_set_rows(w, axis, rows, ERROR));
    OK(ad_run(w, &(ad_run_options){.seed = seed, .step = step}, ERROR));
    memcpy(numbers, ad_result_f64(w, 0), (size_t)(rows * dim) * sizeof *numbers);
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(tape);
    return numbers;
}

/* E′ and E″ of the energies on the line, and their derivatives by the parameters. */
typedef struct slopes {
    double first, second, dfirst[2], dsecond[2];
} slopes;

static inline slopes slopes_at(int which, double x, const double *t)
{
    if (which == SCALE) {
        double k = 1 / (t[0] * t[0]), dk = -2 * k / t[0];
        return (slopes){k * x, k, {dk * x}, {dk}};
    }
    if (which == PRECISION) return (slopes){t[0] * x, t[0], {x}, {1}};
    return (slopes){4 * t[0] * x * x * x + 2 * t[1] * x, 12 * t[0] * x * x + 2 * t[1], {4 * x * x * x, 2 * x},
                    {12 * x * x, 2}};
}

/* A value with its gradient, added up over rows. */
typedef struct total {
    double value, gradient[MOST_PARAMETERS + 1];
} total;

/* The objective against `expected`, and its gradient against differences of its value. */
static inline void expect_total(ebm_objective *o, const total *expected, double tolerance, const char *what)
{
    expect_close(value_of(o), expected->value, tolerance, what);
    for (int64_t k = 0; k < ebm_objective_size(o); k++)
        expect_close(((const double *)ebm_objective_gradient(o))[k], expected->gradient[k], tolerance, what);
    expect_consistent(o, 1e-8, what);
    value_of(o); /* at theta again, after the differences */
}

/* One evaluation of a loss at parameters theta, with everything made and freed. */
static inline total evaluate_loss(ebm_model *(*make)(void), const ebm_loss *loss, const ebm_loss_options *options,
                                  const double *theta, const double *x, int64_t rows, uint64_t seed, uint64_t step)
{
    ebm_model *model = make();
    ebm_objective *o = objective_at(model, loss, options, theta, x, rows, seed, step);
    total t = {.value = value_of(o)};
    memcpy(t.gradient, ebm_objective_gradient(o), (size_t)ebm_objective_size(o) * sizeof(double));
    ebm_objective_free(o);
    ebm_model_free(model);
    return t;
}

/* λ|x|: nothing that looks at curvature may take it. */
static inline ad_var kink_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(ad_abs(x)));
}
static inline ebm_model *kink_make(void)
{
    return model_of(1, &(ebm_parameter){"k", {0, {0}}, EBM_INIT_CONSTANT, 1}, 1, kink_graph, GIBBS_FLOAT64);
}

/* Means over repetitions with their standard errors. */
typedef struct spread {
    double sum, squares;
    int64_t count;
} spread;

static inline void spread_add(spread *s, double v) { s->sum += v, s->squares += v * v, s->count++; }
static inline double spread_mean(const spread *s) { return s->sum / (double)s->count; }
static inline double spread_error(const spread *s)
{
    double mean = spread_mean(s);
    return sqrt((s->squares / (double)s->count - mean * mean) / (double)(s->count - 1));
}

#endif
