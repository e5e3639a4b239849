/* scan_segments.c — a scan whose states are too many to be kept: a loop over segments of about √T steps, each the loop
 * over its own. A reverse derivative then keeps the states before each segment, and what lies within one while it is
 * there. The steps that are left are a loop of their own, behind the others. */
#include "scan_loop.h"

enum { STORE_BYTES = 16 << 20 };

typedef struct segments {
    const ad_scan_spec *spec;
    int64_t length;  /* steps of each */
    ad_var *row;     /* [inputs] of a segment, and then of all */
    ad_shape *shape; /* [outputs] of what a step writes */
} segments;

/* n values of a shape in one, without a dimension more. */
static ad_shape joined(int64_t n, ad_shape s)
{
    if (s.rank == 0) return ad_vec(n);
    s.dim[0] *= n;
    return s;
}

/* The body of the loop over segments. */
static void segment(const ad_var *state, const ad_var *input, ad_var *next, ad_var *out, void *context)
{
    const segments *g = context;
    ad_scan_spec own = *g->spec;
    for (int k = 0; k < own.inputs; k++) {
        ad_shape s = ad_node_of(own.input[k])->shape;
        s.dim[0] = g->length;
        g->row[k] = ad_reshape(input[k], s);
    }
    own.steps = g->length;
    own.state = state;
    own.input = g->row;
    ad_scan_loop(&own, (ad_scan_numbers){1, 0, 1}, next, out);
    for (int k = 0; k < own.outputs && !ad_is_null(out[k]); k++) {
        ad_shape s = ad_node_of(out[k])->shape;
        g->shape[k] = ad_shape_drop(&s, 0, 1);
        out[k] = ad_reshape(out[k], joined(g->length, g->shape[k]));
    }
}

/* `count` segments of `length` steps, or steps (1), whose rows begin at `first`. */
static void run_rows(const segments *g, int64_t first, int64_t count, int64_t length, ad_var *last, ad_var *out)
{
    ad_scan_spec s = *g->spec;
    ad_var *input = g->row + s.inputs;
    for (int k = 0; k < s.inputs; k++) {
        ad_shape own = ad_node_of(s.input[k])->shape, row = joined(length, ad_shape_drop(&own, 0, 1));
        input[k] = ad_slice(s.input[k], 0, first, count * length);
        if (length > 1) input[k] = ad_reshape(input[k], ad_shape_prepend(count, &row));
    }
    s.steps = count;
    s.input = input;
    if (length > 1) s.body = segment, s.context = (void *)g;
    ad_scan_loop(&s, (ad_scan_numbers){g->spec->steps, first, length}, last, out);
    for (int k = 0; k < s.outputs && length > 1 && !ad_is_null(out[k]); k++)
        out[k] = ad_reshape(out[k], ad_shape_prepend(count * length, &g->shape[k]));
}

/* The last row is the first step's where the scan is reversed: what is left are its first rows then. */
static void run_all(const segments *g, ad_var *last, ad_var *out)
{
    ad_scan_spec rest = *g->spec;
    int64_t whole = rest.steps / g->length, left = rest.steps % g->length;
    ad_var *end = out + rest.outputs, *state = end + rest.outputs;
    run_rows(g, rest.reverse ? left : 0, whole, g->length, last, out);
    if (!left) return;
    for (int k = 0; k < rest.states; k++) state[k] = last[k];
    rest.state = state;
    segments own = {&rest, g->length, g->row, g->shape};
    run_rows(&own, rest.reverse ? 0 : whole * g->length, left, 1, last, end);
    for (int k = 0; k < rest.outputs; k++)
        out[k] = rest.reverse ? ad_concat(end[k], out[k], 0) : ad_concat(out[k], end[k], 0);
}

/* Whether the states of all steps take more than may be kept. */
static bool is_long(ad_tape *tape, const ad_scan_spec *s)
{
    int64_t numbers = 0;
    for (int k = 0; k < s->states; k++) numbers += ad_shape_count(&ad_node_of(s->state[k])->shape);
    double bytes = (double)numbers * (double)s->steps * (double)gibbs_dtype_size(tape->dtype);
    return s->steps >= 4 && !s->length.tape && bytes > (double)s->store_bytes;
}

static void in_segments(ad_tape *tape, const ad_scan_spec *s, ad_var *last, ad_var *out)
{
    segments g = {.spec = s, .length = 2};
    size_t vars = 2 * (size_t)(s->inputs + s->states + s->outputs);
    while (g.length * g.length < s->steps) g.length++;
    ad_var *all = gibbs_alloc(&tape->alloc, vars + 1, sizeof *all), *results = all + 2 * s->inputs;
    g.shape = gibbs_alloc(&tape->alloc, (size_t)s->outputs + 1, sizeof *g.shape);
    g.row = all;
    for (size_t k = 0; all && k < vars; k++) all[k] = ad_handle(tape, -1);
    if (!all || !g.shape) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    else run_all(&g, results + 2 * s->outputs + s->states, results);
    bool done = tape->error.status == GIBBS_OK;
    for (int k = 0; k < s->states && last; k++)
        last[k] = done ? results[2 * s->outputs + s->states + k] : ad_handle(tape, -1);
    for (int k = 0; k < s->outputs && out; k++) out[k] = done ? results[k] : ad_handle(tape, -1);
    gibbs_release(&tape->alloc, all);
    gibbs_release(&tape->alloc, g.shape);
}

gibbs_status ad_scan(const ad_scan_spec *spec, ad_var *last, ad_var *out)
{
    ad_tape *tape = spec ? ad_scan_tape(spec) : NULL;
    if (!tape) return GIBBS_ARGUMENT;
    ad_scan_spec s = *spec;
    bool good = !tape->error.status && ad_scan_check(tape, spec);
    if (!s.store_bytes) s.store_bytes = STORE_BYTES;
    if (good && is_long(tape, &s)) in_segments(tape, &s, last, out);
    else ad_scan_loop(&s, (ad_scan_numbers){s.steps, 0, 1}, last, out);
    return ad_tape_status(tape);
}
