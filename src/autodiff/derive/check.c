/* check.c — the public gradient checker: ad_grad against central differences of the plan's own values. The second order
 * is the same once more, of the function u·∇y for random numbers u. */
#include "jacobian.h"

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
    ad_var *slope;    /* of y by each x */
    double **moved;   /* the inputs as the plan sees them */
    double **weight;  /* u, as many numbers as each x */
    double *direction;
    gibbs_error *error;
} checker;

static int64_t rows_of(const checker *k, ad_var v)
{
    const ad_node *node = ad_node_of(v);
    return node->axis < 0 ? 1 : k->options.rows * ad_axis_factor(v.tape, node->axis);
}

static int64_t numbers(const checker *k, int i) { return rows_of(k, k->x[i]) * ad_count(k->x[i]); }

/* Where u for input i comes from. */
static ad_var weight_of(const checker *k, int i)
{
    ad_node at = *ad_node_of(k->x[i]);
    return ad_placeholder(k->y.tape, PLACE_DIRECTION + i, at.axis, at.shape);
}

static ad_var total(ad_var v) { return ad_is_null(v) || ad_is_shared(v) ? v : ad_batch_sum(ad_axis_of(v), v); }

static gibbs_status tape_failed(const checker *k)
{
    const ad_tape *tape = k->y.tape;
    return tape->error.status ? gibbs_fail(k->error, tape->error.status, "%s", tape->error.message) : GIBBS_OK;
}

/* Output 0 is the sum of y over its samples, which is what ad_grad differentiates; then the gradients. */
static gibbs_status compile(checker *k, ad_var y)
{
    ad_var *out = gibbs_alloc(k->alloc, (size_t)k->n + 1, sizeof *out);
    if (!out) return gibbs_fail(k->error, GIBBS_MEMORY, "check_gradient: out of memory");
    out[0] = total(y);
    ad_grad(y, k->x, k->n, k->slope);
    for (int i = 0; i < k->n; i++) out[i + 1] = k->slope[i];
    gibbs_status status = tape_failed(k);
    if (!status) status = ad_compile(out, k->n + 1, NULL, &k->plan, k->error);
    if (!status) status = ad_workspace_new(k->plan, &k->workspace, k->error);
    gibbs_release(k->alloc, out);
    return status;
}

/* The plan of y in place of the one before, with everything bound. */
static gibbs_status build(checker *k, ad_var y)
{
    ad_tape *tape = k->y.tape;
    ad_workspace_free(k->workspace);
    ad_plan_free(k->plan);
    k->workspace = NULL, k->plan = NULL;
    gibbs_status status = compile(k, y);
    for (int32_t a = 0; !status && a < tape->axes; a++)
        if (tape->axis[a].parent < 0) status = ad_set_rows(k->workspace, (ad_axis){tape, a}, k->options.rows, k->error);
    for (int i = 0; !status && i < k->n; i++) {
        memcpy(k->moved[i], k->values[i], (size_t)numbers(k, i) * sizeof(double));
        status = ad_bind(k->workspace, k->x[i], k->moved[i], k->error);
        if (!status && y.id != k->y.id) status = ad_bind(k->workspace, weight_of(k, i), k->weight[i], k->error);
    }
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

/* `what` is the gradient, or what it is by once more. */
static gibbs_status check_inputs(checker *k, ad_var y, const char *what, double *worst)
{
    gibbs_status status = build(k, y);
    for (int i = 0; !status && i < k->n; i++) {
        double own = 0;
        status = check_input(k, i, &own);
        if (!(own <= *worst)) *worst = own;
        if (!status && !(own <= k->options.tolerance))
            return gibbs_fail(k->error, GIBBS_NUMERIC,
                              "check_gradient: by «%s» (argument %d) the %s is off by %.3g, relative",
                              leaf_name(k->x[i]), i + 1, what, own);
    }
    return status;
}

/* u·∇y, of fresh random numbers u. */
static ad_var weighted_slope(checker *k)
{
    ad_var sum = ad_constant(k->y.tape, 0);
    for (int i = 0; i < k->n; i++) {
        gibbs_words words = gibbs_words_start(k->options.seed, (uint64_t)i, UINT64_MAX);
        for (int64_t e = 0; e < numbers(k, i); e++) k->weight[i][e] = 2 * gibbs_words_unit(&words) - 1;
        sum = ad_add(sum, total(ad_dot(weight_of(k, i), k->slope[i])));
    }
    return sum;
}

/* Whether second derivatives are what differences of first ones see; why not goes to `why`. */
static bool is_smooth(checker *k, char *why)
{
    ad_tape *tape = k->y.tape;
    if (!ad_refuse("second order left out", k->y, k->x, k->n, false, AD_TWICE)) return true;
    if (tape->error.status != GIBBS_SMOOTH) return false;
    memcpy(why, tape->error.message, sizeof tape->error.message);
    tape->error = (gibbs_error){.status = GIBBS_OK}; /* the tape is as good as it was */
    return false;
}

static gibbs_status check_all(checker *k, ad_check_result *result)
{
    gibbs_status status = check_inputs(k, k->y, "gradient", &result->gradient);
    bool smooth = !status && is_smooth(k, result->why);
    if (status || !smooth) return status ? status : tape_failed(k);
    ad_var y = weighted_slope(k);
    status = tape_failed(k);
    result->second = 0;
    return status ? status : check_inputs(k, y, "derivative of the gradient", &result->second);
}

static double **new_lists(const checker *k)
{
    double **list = gibbs_alloc_zero(k->alloc, (size_t)k->n, sizeof *list);
    for (int i = 0; i < k->n && list; i++) list[i] = gibbs_alloc(k->alloc, (size_t)numbers(k, i), sizeof **list);
    return list;
}

static bool lists_full(const checker *k, double *const *list)
{
    for (int i = 0; i < k->n && list; i++)
        if (!list[i]) return false;
    return list;
}

static void free_lists(const checker *k, double **list)
{
    for (int i = 0; i < k->n && list; i++) gibbs_release(k->alloc, list[i]);
    gibbs_release(k->alloc, list);
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

static gibbs_status check_with_memory(checker *k, ad_check_result *result)
{
    int64_t most = 1;
    for (int i = 0; i < k->n; i++) most = numbers(k, i) > most ? numbers(k, i) : most;
    k->moved = new_lists(k);
    k->weight = new_lists(k);
    k->slope = gibbs_alloc(k->alloc, (size_t)k->n, sizeof *k->slope);
    k->direction = gibbs_alloc(k->alloc, (size_t)most, sizeof *k->direction);
    bool all = lists_full(k, k->moved) && lists_full(k, k->weight) && k->slope && k->direction;
    gibbs_status status =
        all ? check_all(k, result) : gibbs_fail(k->error, GIBBS_MEMORY, "check_gradient: out of memory");
    free_lists(k, k->moved);
    free_lists(k, k->weight);
    gibbs_release(k->alloc, k->slope);
    gibbs_release(k->alloc, k->direction);
    ad_workspace_free(k->workspace);
    ad_plan_free(k->plan);
    return status;
}

gibbs_status ad_check_gradient(ad_var y, const ad_var *x, const double *const *values, int n,
                               const ad_check_options *options, ad_check_result *result, gibbs_error *error)
{
    ad_check_result unused;
    if (!result) result = &unused;
    *result = (ad_check_result){.second = NAN};
    gibbs_status status = check_arguments(y, x, values, n, error);
    if (status) return status;
    checker k = {.alloc = &y.tape->alloc, .y = y, .x = x, .values = values, .n = n, .error = error};
    if (options) k.options = *options;
    status = gibbs_options_fill("check_gradient", numeric, GIBBS_COUNT(numeric), &k.options, error);
    return status ? status : check_with_memory(&k, result);
}
