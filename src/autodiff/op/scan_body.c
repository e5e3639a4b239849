/* scan_body.c — a user's scan: its body is called with leaves that stand for what a step gives. */
#include "scan_loop.h"

typedef struct recording {
    const ad_scan_spec *spec;
    ad_tape *tape;
    ad_scan_numbers numbers;
    int32_t axis;
    ad_var *given, *from, *next, *out; /* of one block */
} recording;

ad_tape *ad_scan_tape(const ad_scan_spec *s)
{
    ad_tape *tape = s->states > 0 && s->state ? s->state[0].tape : NULL;
    return !tape && s->inputs > 0 && s->input ? s->input[0].tape : tape;
}

static bool check_vars(ad_tape *tape, const ad_scan_spec *s)
{
    ad_tape *found;
    for (int k = 0; k < s->states + s->inputs; k++) {
        ad_var v = k < s->states ? s->state[k] : s->input[k - s->states];
        if (!ad_check_args("scan", (ad_var[]){v, {tape, v.id}}, 2, &found)) return false;
    }
    if (!s->length.tape) return true;
    if (!ad_check_args("scan", (ad_var[]){s->length, {tape, s->length.id}}, 2, &found)) return false;
    const ad_node *length = ad_node_of(s->length);
    if (length->axis >= 0 || length->shape.rank)
        return ad_fail(tape, GIBBS_SHAPE, "scan: the length must be a shared scalar"), false;
    return true;
}

static bool check_inputs(ad_tape *tape, const ad_scan_spec *s)
{
    char text[AD_SHAPE_TEXT];
    for (int k = 0; k < s->inputs; k++) {
        const ad_shape *shape = &ad_node_of(s->input[k])->shape;
        if (shape->rank < 1 || shape->dim[0] != s->steps)
            return ad_fail(tape, GIBBS_SHAPE, "scan: input %d is %s; its first dimension must be the %lld steps", k + 1,
                           ad_shape_text(shape, text, sizeof text), (long long)s->steps), false;
    }
    return true;
}

bool ad_scan_check(ad_tape *tape, const ad_scan_spec *s)
{
    if (!s->body) return ad_fail(tape, GIBBS_ARGUMENT, "scan: no body"), false;
    if (s->states < 0 || s->inputs < 0 || s->outputs < 0 || (s->states > 0 && !s->state) ||
        (s->inputs > 0 && !s->input))
        return ad_fail(tape, GIBBS_ARGUMENT, "scan: a negative number, or a list that is NULL"), false;
    if (s->steps < 1 || s->steps > INT32_MAX)
        return ad_fail(tape, GIBBS_ARGUMENT, "scan: %lld steps; from 1 to 2^31 - 1 can be run", (long long)s->steps),
               false;
    if (s->store_bytes < 0) return ad_fail(tape, GIBBS_ARGUMENT, "scan: store_bytes is negative"), false;
    return check_vars(tape, s) && check_inputs(tape, s);
}

/* The axis of v joins that of the others; false when it is another one. */
static bool join_axis(recording *r, ad_var v)
{
    int32_t own = ad_node_of(v)->axis;
    if (own >= 0 && r->axis >= 0 && own != r->axis)
        return ad_fail(r->tape, GIBBS_AXIS, "scan: axes «%s» and «%s» meet", ad_axis_name(r->tape, r->axis),
                       ad_axis_name(r->tape, own)), false;
    if (own >= 0) r->axis = own;
    return true;
}

/* Calls the body on leaves of the axis. */
static void record_body(recording *r)
{
    const ad_scan_spec *s = r->spec;
    ad_tape *tape = r->tape;
    int32_t outer = tape->family;
    tape->family = ++tape->families;
    for (int k = 0; k < s->states + s->inputs; k++) {
        bool state = k < s->states;
        ad_var v = state ? s->state[k] : s->input[k - s->states];
        ad_shape own = ad_node_of(v)->shape;
        r->from[k] = ad_on_axis(v, r->axis);
        r->given[k] = ad_scan_value(tape, tape->family, state ? SCAN_STATE : SCAN_INPUT, k, r->axis,
                                    state ? own : ad_shape_drop(&own, 0, 1));
    }
    for (int k = 0; k < s->states; k++) r->next[k] = ad_handle(tape, -1);
    for (int k = 0; k < s->outputs; k++) r->out[k] = ad_handle(tape, -1);
    if (!tape->error.status) s->body(r->given, r->given + s->states, r->next, r->out, s->context);
    tape->family = outer;
}

/* Whether the body wrote what it should. */
static bool check_written(const recording *r)
{
    const ad_scan_spec *s = r->spec;
    ad_tape *tape = r->tape, *found;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (tape->error.status) return false;
    for (int k = 0; k < s->states + s->outputs; k++) {
        bool state = k < s->states;
        ad_var v = state ? r->next[k] : r->out[k - s->states];
        if (v.tape == tape && ad_is_null(v))
            return ad_fail(tape, GIBBS_ARGUMENT, "scan: the body did not write %s[%d]", state ? "next" : "out",
                           state ? k : k - s->states), false;
        if (!ad_check_args("scan", (ad_var[]){{tape, 0}, v}, 2, &found)) return false;
        const ad_shape *own = &ad_node_of(v)->shape, *given = state ? &ad_node_of(r->given[k])->shape : own;
        if (!ad_shape_equal(own, given))
            return ad_fail(tape, GIBBS_SHAPE, "scan: state %d is %s, and the body makes %s of it", k + 1,
                           ad_shape_text(given, a, sizeof a), ad_shape_text(own, b, sizeof b)), false;
    }
    return true;
}

/* With leaves on the axis of the states and inputs; and again, if the body reads something on another. */
static bool record_on_axis(recording *r)
{
    const ad_scan_spec *s = r->spec;
    for (int k = 0; k < s->states; k++)
        if (!join_axis(r, s->state[k])) return false;
    for (int k = 0; k < s->inputs; k++)
        if (!join_axis(r, s->input[k])) return false;
    for (int32_t before = r->axis;; before = r->axis) {
        record_body(r);
        if (!check_written(r)) return false;
        for (int k = 0; k < s->states; k++)
            if (!join_axis(r, r->next[k])) return false;
        for (int k = 0; k < s->outputs; k++)
            if (!join_axis(r, r->out[k])) return false;
        if (r->axis == before) break;
    }
    for (int k = 0; k < s->states; k++) r->next[k] = ad_on_axis(r->next[k], r->axis);
    for (int k = 0; k < s->outputs; k++) r->out[k] = ad_on_axis(r->out[k], r->axis);
    return r->tape->error.status == GIBBS_OK;
}

static ad_var record_scan(recording *r)
{
    const ad_scan_spec *s = r->spec;
    ad_tape *tape = r->tape;
    int given = s->states + s->inputs;
    ad_var scan = ad_handle(tape, -1);
    ad_var *vars = gibbs_alloc(&tape->alloc, (size_t)(2 * given + s->states + s->outputs) + 1, sizeof *vars);
    if (!vars) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    r->given = vars, r->from = vars + given, r->next = r->from + given, r->out = r->next + s->states;
    if (record_on_axis(r)) {
        ad_scan_parts parts = {
            .loop = {.steps = s->steps, .store_bytes = s->store_bytes, .numbers = r->numbers, .axis = r->axis,
                     .states = s->states, .inputs = s->inputs, .reverse = s->reverse != 0,
                     .by_length = s->length.tape != NULL},
            .given = r->given, .from = r->from, .next = r->next, .listed = r->out, .lists = s->outputs,
            .length = s->length,
        };
        parts.loop.family = ad_node_of(r->given[0])->attr[0];
        scan = ad_scan_record(tape, &parts);
    }
    return scan;
}

void ad_scan_loop(const ad_scan_spec *spec, ad_scan_numbers numbers, ad_var *last, ad_var *out)
{
    recording r = {.spec = spec, .tape = ad_scan_tape(spec), .numbers = numbers, .axis = -1};
    ad_var scan = ad_handle(r.tape, -1);
    if (!r.tape->error.status) scan = record_scan(&r);
    for (int k = 0; k < spec->states && last; k++) last[k] = ad_is_null(scan) ? scan : ad_scan_last(scan, k);
    for (int k = 0; k < spec->outputs && out; k++)
        out[k] = ad_is_null(scan) ? scan : ad_scan_of(OP_scan_stack, scan, r.out[k]);
    gibbs_release(&r.tape->alloc, r.given);
}
