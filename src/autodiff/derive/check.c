/* check.c — the public gradient checker: ad_grad against central differences of the plan's own values. */
#include "autodiff/plan/plan.h"

#include "base/options.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

typedef struct checker {
    const gibbs_allocator *alloc;
    ad_var y;
    const ad_var *x;
    const double *const *values;
    int n;
    ad_check_options options;
    ad_plan *plan;
    ad_workspace *workspace;
    double **moved;   /* the inputs as the plan sees them */
    double *direction;
    gibbs_error *error;
} checker;

static int64_t rows_of(const checker *k, ad_var v)
{
    const ad_node *node = ad_node_of(v);
    return node->axis < 0 ? 1 : k->options.rows * ad_axis_factor(v.tape, node->axis);
}

static int64_t numbers(const checker *k, int i) { return rows_of(k, k->x[i]) * ad_count(k->x[i]); }

/* Output 0 is the sum of y over its samples, which is what ad_grad differentiates; then the gradients. */
static gibbs_status build(checker *k)
{
    ad_tape *tape = k->y.tape;
    ad_var *out = gibbs_alloc(k->alloc, (size_t)k->n + 1, sizeof *out);
    if (!out) return gibbs_fail(k->error, GIBBS_MEMORY, "check_gradient: out of memory");
    out[0] = ad_is_shared(k->y) ? k->y : ad_batch_sum(ad_axis_of(k->y), k->y);
    gibbs_status status = ad_grad(k->y, k->x, k->n, out + 1);
    if (status) gibbs_fail(k->error, status, "%s", ad_tape_message(tape));
    if (!status) status = ad_compile(out, k->n + 1, NULL, &k->plan, k->error);
    if (!status) status = ad_workspace_new(k->plan, &k->workspace, k->error);
    for (int32_t a = 0; !status && a < tape->axes; a++)
        if (tape->axis[a].parent < 0) status = ad_set_rows(k->workspace, (ad_axis){tape, a}, k->options.rows, k->error);
    for (int i = 0; !status && i < k->n; i++) {
        size_t bytes = (size_t)numbers(k, i) * sizeof(double);
        k->moved[i] = gibbs_alloc(k->alloc, bytes, 1);
        if (!k->moved[i]) status = gibbs_fail(k->error, GIBBS_MEMORY, "check_gradient: out of memory");
        else memcpy(k->moved[i], k->values[i], bytes);
        if (!status) status = ad_bind(k->workspace, k->x[i], k->moved[i], k->error);
    }
    gibbs_release(k->alloc, out);
    return status;
}

static gibbs_status value_at(checker *k, int i, double step, double *value)
{
    ad_run_options run = {.seed = k->options.seed};
    for (int64_t e = 0; e < numbers(k, i); e++) k->moved[i][e] = k->values[i][e] + step * k->direction[e];
    gibbs_status status = ad_run(k->workspace, &run, k->error);
    *value = ad_result_scalar(k->workspace, 0);
    return status;
}

/* Central differences at h, h/2 and h/4, extrapolated: the error falls as h⁶. */
static gibbs_status difference(checker *k, int i, double *slope)
{
    double d[3], h = k->options.step;
    for (int level = 0; level < 3; level++, h /= 2) {
        double up, down;
        gibbs_status status = value_at(k, i, h, &up);
        if (!status) status = value_at(k, i, -h, &down);
        if (status) return status;
        d[level] = (up - down) / (2 * h);
    }
    double first = (4 * d[1] - d[0]) / 3, second = (4 * d[2] - d[1]) / 3;
    *slope = (16 * second - first) / 15;
    return GIBBS_OK;
}

static gibbs_status check_input(checker *k, int i, double *worst)
{
    double zero_value, slope;
    for (int direction = 0; direction < k->options.directions; direction++) {
        gibbs_words words = gibbs_words_start(k->options.seed, (uint64_t)i, (uint64_t)direction);
        for (int64_t e = 0; e < numbers(k, i); e++) k->direction[e] = 2 * gibbs_words_unit(&words) - 1;
        gibbs_status status = difference(k, i, &slope);
        if (!status) status = value_at(k, i, 0, &zero_value);
        if (status) return status;
        const double *g = ad_result_f64(k->workspace, i + 1);
        double along = 0, scale = fabs(slope);
        for (int64_t e = 0; e < numbers(k, i); e++) {
            along += g[e] * k->direction[e];
            scale = fmax(scale, fabs(g[e] * k->direction[e]));
        }
        double relative = along == slope ? 0 : fabs(along - slope) / fmax(scale, 1e-300);
        if (!(relative <= *worst)) *worst = relative;
    }
    return GIBBS_OK;
}

static const char *leaf_name(ad_var v)
{
    const ad_node *node = ad_node_of(v);
    const char *name = node->side >= 0 ? v.tape->side[node->side].name : NULL;
    return name ? name : ad_ops[node->op].name;
}

static gibbs_status check_all(checker *k, double *worst)
{
    gibbs_status status = build(k);
    for (int i = 0; !status && i < k->n; i++) {
        double own = 0;
        status = check_input(k, i, &own);
        if (!(own <= *worst)) *worst = own;
        if (!status && !(own <= k->options.tolerance))
            return gibbs_fail(k->error, GIBBS_NUMERIC,
                              "check_gradient: by «%s» (argument %d) the gradient is off by %.3g, relative",
                              leaf_name(k->x[i]), i + 1, own);
    }
    return status;
}

static gibbs_status check_arguments(ad_var y, const ad_var *x, const double *const *values, int n, gibbs_error *error)
{
    if (ad_is_null(y) || n < 1 || !x || !values)
        return gibbs_fail(error, GIBBS_ARGUMENT, "check_gradient: no y, or no inputs");
    if (y.tape->dtype != GIBBS_FLOAT64) return gibbs_fail(error, GIBBS_DTYPE, "check_gradient: needs a float64 tape");
    for (int i = 0; i < n; i++) {
        if (ad_is_null(x[i]) || x[i].tape != y.tape || !values[i])
            return gibbs_fail(error, GIBBS_TAPE, "check_gradient: input %d is null, of another tape, or has no values",
                              i + 1);
        if (ad_node_of(x[i])->op != OP_input && ad_node_of(x[i])->op != OP_parameter)
            return gibbs_fail(error, GIBBS_ARGUMENT, "check_gradient: argument %d is no leaf", i + 1);
    }
    return GIBBS_OK;
}

static const gibbs_option numeric[] = {
    GIBBS_OPTION(ad_check_options, rows, 3, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ad_check_options, directions, 4, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ad_check_options, step, 1e-3, '(', 0, INFINITY, ')'),
    GIBBS_OPTION(ad_check_options, tolerance, 1e-7, '(', 0, INFINITY, ']'),
};

gibbs_status ad_check_gradient(ad_var y, const ad_var *x, const double *const *values, int n,
                               const ad_check_options *options, double *worst, gibbs_error *error)
{
    double unused;
    if (!worst) worst = &unused;
    *worst = 0;
    gibbs_status status = check_arguments(y, x, values, n, error);
    if (status) return status;
    checker k = {.alloc = &y.tape->alloc, .y = y, .x = x, .values = values, .n = n, .error = error};
    if (options) k.options = *options;
    status = gibbs_options_fill("check_gradient", numeric, GIBBS_COUNT(numeric), &k.options, error);
    if (status) return status;
    int64_t most = 1;
    for (int i = 0; i < n; i++) most = numbers(&k, i) > most ? numbers(&k, i) : most;
    k.moved = gibbs_alloc_zero(k.alloc, (size_t)n, sizeof *k.moved);
    k.direction = gibbs_alloc(k.alloc, (size_t)most, sizeof *k.direction);
    if (!k.moved || !k.direction) status = gibbs_fail(error, GIBBS_MEMORY, "check_gradient: out of memory");
    else status = check_all(&k, worst);
    for (int i = 0; i < n && k.moved; i++) gibbs_release(k.alloc, k.moved[i]);
    gibbs_release(k.alloc, k.moved);
    gibbs_release(k.alloc, k.direction);
    ad_workspace_free(k.workspace);
    ad_plan_free(k.plan);
    return status;
}
