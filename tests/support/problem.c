/* problem.c — leaves with values, and running a recorded function by a plan or by the interpreter. */
#include "problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
double problem_random(problem *p, double low, double high)
{
    uint64_t z = p->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return low + (high - low) * ldexp((double)((z ^ (z >> 31)) >> 11), -53);
}

bool problem_start(problem *p, gibbs_dtype dtype, int choices, uint64_t seed)
{
    *p = (problem){.tape = ad_tape_new(dtype, NULL), .choices = choices, .random = seed};
    if (!p->tape) return false;
    p->data = ad_axis_new(p->tape, "data");
    p->other = ad_axis_new(p->tape, "other");
    p->child = ad_axis_child(p->data, CHILD_COUNT, "child");
    p->rows[p->data.id] = DATA_ROWS;
    p->rows[p->other.id] = OTHER_ROWS;
    p->x = (ad_var){p->tape, -1};
    return ad_tape_status(p->tape) == GIBBS_OK;
}

void problem_end(problem *p)
{
    for (int i = 0; i < p->leaves; i++) free(p->leaf[i].value);
    ad_tape_free(p->tape);
    p->tape = NULL;
    p->leaves = 0;
}

ad_axis problem_shared(const problem *p) { return (ad_axis){p->tape, -1}; }

static int64_t size_of(const problem *p, ad_axis axis, ad_shape shape)
{
    quad_machine m = {.tape = p->tape};
    memcpy(m.rows, p->rows, sizeof m.rows);
    return quad_rows(&m, axis.id) * ad_shape_count(&shape);
}

/* Constants are given as single precision numbers, so that tapes of both types mean the same function. */
static ad_var new_leaf(problem *p, ad_axis axis, ad_shape shape, double low, double high, bool whole, bool constant)
{
    ad_var none = {p->tape, -1};
    int64_t size = size_of(p, axis, shape);
    double *value = p->leaves < PROBLEM_LEAVES ? calloc((size_t)size, sizeof *value) : NULL;
    if (!value) return none;
    for (int64_t i = 0; i < size; i++) {
        double r = problem_random(p, low, high);
        value[i] = whole ? floor(r) : (double)(float)r;
    }
    ad_var v = constant ? ad_constant_array(p->tape, shape, value)
               : axis.id < 0 ? ad_parameter(p->tape, "p", shape) : ad_input(axis, "i", shape);
    p->leaf[p->leaves++] = (problem_leaf){v, value, size, constant, whole};
    return v;
}

/* mid + 0.45 width·sin(xM + offset): a function of x that stays within [low, high] and has every derivative. */
static ad_var function_of_x(problem *p, ad_axis axis, ad_shape shape, double low, double high)
{
    int64_t n = ad_shape_count(&shape);
    ad_shape at = ad_shape_of(p->x);
    int64_t d = ad_shape_count(&at);
    bool diagonal = p->diagonal && n == d;
    ad_axis none = problem_shared(p);
    ad_var weights = new_leaf(p, none, diagonal ? ad_vec(d) : ad_mat(d, n), 0.3, 1.2, false, false);
    ad_var x = ad_reshape(p->x, ad_vec(d)), z = diagonal ? ad_mul(x, weights) : ad_matmul(x, weights);
    z = ad_reshape(ad_add(z, new_leaf(p, axis, ad_vec(n), -2, 2, false, false)), shape);
    return ad_shift(ad_scale(ad_sin(z), 0.45 * (high - low)), 0.5 * (low + high));
}

static ad_var make(problem *p, ad_axis axis, ad_shape shape, double low, double high, bool whole, bool constant)
{
    if (p->given) return *p->given++;
    bool of_x = !ad_is_null(p->x) && !whole && !constant && (ad_is_shared(p->x) || ad_axis_of(p->x).id == axis.id);
    if (of_x) return function_of_x(p, axis, shape, low, high);
    return new_leaf(p, axis, shape, low, high, whole, constant);
}

static ad_var make_free(problem *p, ad_shape shape, double low, double high, bool whole)
{
    int digit = p->choices;
    for (int i = 0; i < p->free; i++) digit /= 10;
    p->free++;
    digit %= 10;
    return make(p, digit == LEAF_ROWS ? p->data : problem_shared(p), shape, low, high, whole, digit == LEAF_CONSTANT);
}

ad_var problem_free(problem *p, ad_shape shape, double low, double high)
{
    return make_free(p, shape, low, high, false);
}

ad_var problem_on(problem *p, ad_axis axis, ad_shape shape, double low, double high)
{
    return make(p, axis, shape, low, high, false, false);
}

ad_var problem_free_index(problem *p, ad_shape shape, int n) { return make_free(p, shape, 0, n, true); }
ad_var problem_index_on(problem *p, ad_axis axis, ad_shape shape, int n)
{
    return make(p, axis, shape, 0, n, true, false);
}

ad_var problem_like(problem *p, ad_var v)
{
    if (ad_is_null(v)) return v;
    ad_var made = new_leaf(p, ad_axis_of(v), ad_shape_of(v), -0.9, 0.9, false, false);
    if (ad_is_null(made)) return made;
    const problem_leaf *leaf = &p->leaf[p->leaves - 1];
    for (int64_t i = 0; i < leaf->size; i++) leaf->value[i] += leaf->value[i] < 0 ? -0.1 : 0.1;
    return made;
}

int problem_find(const problem *p, ad_var v)
{
    for (int i = 0; i < p->leaves; i++)
        if (p->leaf[i].var.id == v.id) return i;
    return -1;
}

/* ---- By a plan ---- */

static gibbs_status bind_leaf(ad_workspace *w, const problem_leaf *leaf, gibbs_dtype dtype, void **memory,
                              gibbs_error *error)
{
    if (leaf->constant) return GIBBS_OK;
    *memory = malloc((size_t)leaf->size * gibbs_dtype_size(dtype));
    if (!*memory) return GIBBS_MEMORY;
    for (int64_t i = 0; i < leaf->size; i++)
        if (dtype == GIBBS_FLOAT64) ((double *)*memory)[i] = leaf->value[i];
        else ((float *)*memory)[i] = (float)leaf->value[i];
    return ad_bind(w, leaf->var, *memory, error);
}

static bool copy_result(const problem *p, const ad_workspace *w, ad_var v, int output, double **out)
{
    int64_t n = size_of(p, ad_axis_of(v), ad_shape_of(v));
    *out = malloc((size_t)n * sizeof **out);
    for (int64_t i = 0; *out && i < n; i++)
        (*out)[i] = ad_tape_dtype(p->tape) == GIBBS_FLOAT64 ? ad_result_f64(w, output)[i] : ad_result_f32(w, output)[i];
    return *out != NULL;
}

static gibbs_status execute(const problem *p, ad_workspace *w, void **memory, gibbs_error *error)
{
    gibbs_status status = ad_set_rows(w, p->data, p->rows[p->data.id], error);
    if (!status) status = ad_set_rows(w, p->other, p->rows[p->other.id], error);
    for (int i = 0; i < p->leaves && !status; i++)
        status = bind_leaf(w, &p->leaf[i], ad_tape_dtype(p->tape), &memory[i], error);
    return status ? status : ad_run(w, NULL, error);
}

bool problem_run(problem *p, const ad_var *outputs, int n, double **out)
{
    ad_plan *plan = NULL;
    ad_workspace *w = NULL;
    void *memory[PROBLEM_LEAVES] = {NULL};
    gibbs_error error = {.status = GIBBS_OK};
    gibbs_status status = ad_compile(outputs, n, NULL, &plan, &error);
    if (!status) status = ad_workspace_new(plan, &w, &error);
    if (!status) status = execute(p, w, memory, &error);
    for (int i = 0; i < n; i++) out[i] = NULL;
    bool done = !status;
    for (int i = 0; i < n && done; i++) done = copy_result(p, w, outputs[i], i, &out[i]);
    if (!done) problem_free_results(out, n);
    for (int i = 0; i < p->leaves; i++) free(memory[i]);
    ad_workspace_free(w);
    ad_plan_free(plan);
    if (!done) memcpy(p->message, error.message, sizeof p->message);
    return done;
}

void problem_free_results(double **out, int n)
{
    for (int i = 0; i < n; i++) {
        free(out[i]);
        out[i] = NULL;
    }
}

/* ---- By the interpreter ---- */

bool problem_interpret(problem *p, quad_machine *m, const double *const *const *direction, const quad *step, int n)
{
    quad_forget(m);
    for (int i = 0; i < p->leaves; i++) {
        const problem_leaf *leaf = &p->leaf[i];
        if (leaf->constant) continue;
        quad *at = quad_leaf(m, leaf->var);
        if (!at) return false;
        for (int64_t e = 0; e < leaf->size; e++) at[e] = (quad)leaf->value[e];
        for (int k = 0; k < n; k++)
            for (int64_t e = 0; direction[k][i] && e < leaf->size; e++) at[e] += step[k] * (quad)direction[k][i][e];
    }
    return true;
}
