/* scan_bodies.h — bodies of scans on leaves that are shared or per-sample, and the same without a loop: the body called
 * once a step on the tape. */
#ifndef GIBBS_TEST_SCAN_BODIES_H
#define GIBBS_TEST_SCAN_BODIES_H

#include "plan_helpers.h"

enum { N = 3, MOST = 8 };

typedef struct program {
    ad_tape *tape;
    ad_axis data;
    ad_var leaf[MOST], last[MOST], out[MOST]; /* leaves: the first states, the inputs, what is captured */
    int leaves, states, inputs;
    ad_scan_spec spec;
} program;

typedef void record_fn(const ad_scan_spec *spec, ad_var *last, ad_var *out);

static inline void record_scan(const ad_scan_spec *spec, ad_var *last, ad_var *out)
{
    cr_assert_eq(ad_scan(spec, last, out), GIBBS_OK, "%s", ad_tape_message(spec->state[0].tape));
}

static inline ad_var row(ad_var x, int64_t t)
{
    ad_shape s = ad_shape_of(x), one = {.rank = s.rank - 1};
    for (int d = 0; d < one.rank; d++) one.dim[d] = s.dim[d + 1];
    return ad_reshape(ad_slice(x, 0, t, 1), one);
}

static inline void record_unrolled(const ad_scan_spec *spec, ad_var *last, ad_var *out)
{
    ad_var input[MOST], next[MOST], written[MOST], *all = malloc((size_t)(spec->steps * MOST) * sizeof *all);
    for (int k = 0; k < spec->states; k++) last[k] = spec->state[k];
    for (int64_t i = 0; i < spec->steps; i++) {
        int64_t t = spec->reverse ? spec->steps - 1 - i : i;
        for (int k = 0; k < spec->inputs; k++) input[k] = row(spec->input[k], t);
        spec->body(last, input, next, written, spec->context);
        for (int k = 0; k < spec->states; k++) last[k] = next[k];
        for (int k = 0; k < spec->outputs; k++) all[k * spec->steps + t] = written[k];
    }
    for (int k = 0; k < spec->outputs; k++) out[k] = ad_stack(all + k * spec->steps, (int)spec->steps);
    free(all);
}

/* ---- Bodies: two states [N], two inputs [steps, N], captured: a matrix, a vector, a scalar ---- */

enum { MATRIX, VECTOR, SCALAR };

static inline const ad_var *captured(void *context)
{
    const program *p = context;
    return p->leaf + p->states + p->inputs;
}

static inline void recurrent(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    next[0] = ad_tanh(ad_add(ad_add(ad_matmul(s[0], c[MATRIX]), x[0]), c[VECTOR]));
    next[1] = ad_add(ad_scale(s[1], 0.9), ad_mul(next[0], x[1]));
    out[0] = ad_sum(ad_square(next[0]));
    out[1] = next[1];
}

/* The states change places, and are results. */
static inline void exchange(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    next[0] = s[1];
    next[1] = ad_add(s[0], ad_mul(ad_sin(x[0]), c[SCALAR]));
    out[0] = s[0];
    out[1] = x[1];
}

/* The forward recursion of a chain. */
static inline void chain(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    ad_var from = ad_reshape(s[0], ad_mat(N, 1));
    next[0] = ad_add(ad_logsumexp_dims(ad_add(from, c[MATRIX]), 1u), x[0]);
    next[1] = ad_softplus(ad_add(s[1], ad_sigmoid(ad_mul(x[1], s[1]))));
    out[0] = ad_concat(next[0], ad_mul(c[VECTOR], c[VECTOR]), 0);
    out[1] = ad_softmax(next[0]);
}

/* Kinks, branches and their slopes. */
static inline void branches(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    ad_var zero = ad_constant(c[0].tape, 0);
    next[0] = ad_select(ad_less(zero, x[0]), ad_sqrt(ad_abs(ad_add(s[0], x[0]))), ad_mul(s[0], c[VECTOR]));
    next[1] = ad_max(ad_scale(s[1], 0.5), ad_matmul(x[1], c[MATRIX]));
    out[0] = ad_slice(ad_concat(s[0], ad_relu(s[1]), 0), 0, 1, N);
    out[1] = ad_pad(ad_mul(s[0], c[SCALAR]), 0, 1, 2);
}

/* Parts of values, and rows by number. */
static inline void pieces(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    static const double at[N] = {2, 0, 0};
    ad_var index = ad_constant_array(c[0].tape, ad_vec(N), at), part = ad_slice(s[0], 0, 1, N - 1);
    next[0] = ad_add(ad_pad(ad_tanh(part), 0, 0, 1), ad_gather(s[1], index));
    next[1] = ad_tanh(ad_add(ad_scatter_add(ad_mul(s[0], x[0]), index, N), ad_matmul(c[MATRIX], x[1])));
    out[0] = ad_matmul(ad_reshape(s[0], ad_mat(N, 1)), ad_reshape(next[1], ad_mat(1, N)));
    out[1] = ad_transpose(out[0]);
}

static inline void sums(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    next[0] = ad_add(s[1], ad_mul(x[0], c[SCALAR]));
    next[1] = ad_mul(ad_cos(s[0]), ad_exp(ad_scale(x[1], 0.1)));
    out[0] = c[VECTOR];
    out[1] = ad_norm(ad_shift(s[1], 2));
}

/* A scan in a scan, over the rows of a matrix. */
static inline void inner(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    next[0] = ad_tanh(ad_add(ad_mul(s[0], *(ad_var *)context), x[0]));
    out[0] = ad_dot(next[0], x[0]);
}

static inline void nested(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    ad_scan_spec spec = {.steps = N, .state = s, .states = 1, .input = &c[MATRIX], .inputs = 1, .outputs = 1,
                         .body = inner, .context = (void *)&x[0]};
    record_scan(&spec, next, out);
    next[1] = ad_add(ad_mul(s[1], c[VECTOR]), next[0]);
    out[1] = ad_sum(ad_mul(x[1], next[1]));
}

/* The same scan in a scan, without loops. */
static inline void nested_unrolled(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    ad_scan_spec spec = {.steps = N, .state = s, .states = 1, .input = &c[MATRIX], .inputs = 1, .outputs = 1,
                         .body = inner, .context = (void *)&x[0]};
    record_unrolled(&spec, next, out);
    next[1] = ad_add(ad_mul(s[1], c[VECTOR]), next[0]);
    out[1] = ad_sum(ad_mul(x[1], next[1]));
}

/* A step down an energy, whose slope is taken in the body: by a variable, which serves with and without a loop. */
static inline void descent(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *c = captured(context);
    ad_var v = ad_variable(s[0]), g;
    out[0] = ad_add(ad_sum(ad_softplus(ad_add(ad_matmul(v, c[MATRIX]), c[VECTOR]))), ad_dot(v, ad_sin(x[0])));
    ad_grad(out[0], &v, 1, &g);
    next[0] = ad_sub(s[0], ad_scale(g, 0.1));
    next[1] = ad_add(ad_scale(s[1], 0.5), ad_mul(g, x[1]));
    out[1] = ad_mul(g, c[SCALAR]);
}

typedef struct body_row {
    const char *name;
    ad_scan_body *body, *unrolled;
    bool smooth;
} body_row;

static const body_row bodies[] = {
    {"recurrent", recurrent, recurrent, true}, {"exchange", exchange, exchange, true}, {"chain", chain, chain, true},
    {"branches", branches, branches, false},   {"pieces", pieces, pieces, true},       {"sums", sums, sums, true},
    {"nested", nested, nested_unrolled, true},
};

/* Leaf k is per-sample where bit k of `kinds` is set. */
static inline ad_var leaf(program *p, int kinds, const char *name, ad_shape shape)
{
    int k = p->leaves++;
    return p->leaf[k] = kinds >> k & 1 ? ad_input(p->data, name, shape) : ad_parameter(p->tape, name, shape);
}

/* The leaves alone; then either form of the loop is recorded with them. */
static inline void program_begin(program *p, gibbs_dtype dtype, int64_t steps, int kinds)
{
    *p = (program){.tape = ad_tape_new(dtype, NULL)};
    p->data = ad_axis_new(p->tape, "data");
    leaf(p, kinds, "s0", ad_vec(N)), leaf(p, kinds, "s1", ad_vec(N));
    leaf(p, kinds, "x0", ad_mat(steps, N)), leaf(p, kinds, "x1", ad_mat(steps, N));
    leaf(p, kinds, "A", ad_mat(N, N)), leaf(p, kinds, "b", ad_vec(N)), leaf(p, kinds, "c", ad_scalar());
    p->states = p->inputs = 2;
}

static inline void program_record(program *p, const body_row *row, int64_t steps, bool reverse, bool loop)
{
    p->spec = (ad_scan_spec){.steps = steps, .state = p->leaf, .states = 2, .input = p->leaf + 2, .inputs = 2,
                             .outputs = 2, .reverse = reverse, .body = loop ? row->body : row->unrolled, .context = p};
    (loop ? record_scan : record_unrolled)(&p->spec, p->last, p->out);
    cr_assert_eq(ad_tape_status(p->tape), GIBBS_OK, "%s: %s", row->name, ad_tape_message(p->tape));
}

/* ---- Running ---- */

static inline int64_t numbers_of(const program *p, ad_var v, int64_t rows)
{
    (void)p;
    ad_shape s = ad_shape_of(v);
    return ad_shape_count(&s) * (ad_is_shared(v) ? 1 : rows);
}

/* The outputs' numbers, one behind the other: the caller's. */
static inline double *values_of(const program *p, const ad_var *y, int count, int64_t rows, uint64_t seed,
                                ad_run_options options, int *instructions)
{
    runner r = runner_new(y, count, 0);
    gibbs_dtype dtype = ad_tape_dtype(p->tape);
    void *memory[MOST];
    int64_t total = 0, at = 0;
    for (int k = 0; k < p->leaves; k++) {
        double *x = random_numbers(numbers_of(p, p->leaf[k], rows), seed + (uint64_t)k);
        memory[k] = in_type(dtype, x, numbers_of(p, p->leaf[k], rows));
        bind(r, p->leaf[k], memory[k]);
        free(x);
    }
    set_rows(r, p->data, rows);
    run_with(r, options);
    for (int k = 0; k < count; k++) total += numbers_of(p, y[k], rows);
    double *values = malloc((size_t)total * sizeof *values);
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < numbers_of(p, y[k], rows); i++) values[at++] = number_at(dtype, ad_result(r.w, k), i);
    if (instructions) *instructions = ad_plan_describe(r.plan).instructions;
    for (int k = 0; k < p->leaves; k++) free(memory[k]);
    runner_free(r);
    return values;
}

#endif
