/* Which way a Jacobian goes: the cheaper of the two, by the work of compiled plans; both have the same numbers; and one
 * that is told goes where it is told, or is refused. */
#include "autodiff/plan/plan.h"
#include "plan_helpers.h"
#include "support/alloc.h"

enum { MOST_X = 3, ROWS = 6 };

typedef struct scene {
    ad_tape *tape;
    ad_axis data;
    ad_var y, x[MOST_X];
    int n;
} scene;

/* ---- Functions ---- */

static ad_var leaf(scene *s, bool samples, ad_shape shape)
{
    return s->x[s->n++] = samples ? ad_input(s->data, "x", shape) : ad_parameter(s->tape, "x", shape);
}

static ad_var constant(scene *s, ad_shape shape, uint64_t seed)
{
    double *numbers = random_numbers(ad_shape_count(&shape), seed);
    ad_var v = ad_constant_array(s->tape, shape, numbers);
    free(numbers);
    return v;
}

static ad_var layer(scene *s, ad_var x, int64_t n, int64_t m, uint64_t seed)
{
    return ad_tanh(ad_matmul(x, constant(s, ad_mat(n, m), seed)));
}

static void wide(scene *s) { s->y = layer(s, layer(s, leaf(s, true, ad_vec(3)), 3, 20, 1), 20, 40, 2); }
static void narrow(scene *s) { s->y = layer(s, layer(s, leaf(s, true, ad_vec(40)), 40, 20, 1), 20, 3, 2); }
static void wide_shared(scene *s) { s->y = layer(s, layer(s, leaf(s, false, ad_vec(3)), 3, 20, 1), 20, 40, 2); }

static ad_var chain(ad_var x)
{
    for (int k = 0; k < 8; k++) x = ad_tanh(ad_shift(ad_sin(x), 0.1 * k));
    return x;
}

/* Directions of what is elementwise stay elementwise: so forward is cheap, though it carries more of them, where that
 * is what x meets first, and backward where y comes of it. */
static void elementwise_first(scene *s)
{
    s->y = ad_matmul(chain(leaf(s, true, ad_vec(40))), constant(s, ad_mat(40, 38), 3));
}

static void elementwise_last(scene *s)
{
    s->y = chain(ad_matmul(leaf(s, true, ad_vec(38)), constant(s, ad_mat(38, 40), 3)));
}

/* Each residual reads one row of a small table and one of a large one: few residuals, many numbers. */
static void tables(scene *s)
{
    enum { CAMERAS = 3, POINTS = 12, RESIDUALS = 20 };
    double camera[RESIDUALS], point[RESIDUALS];
    for (int k = 0; k < RESIDUALS; k++) camera[k] = k % CAMERAS, point[k] = 7 * k % POINTS;
    ad_var c = ad_gather(leaf(s, false, ad_mat(CAMERAS, 5)), ad_constant_array(s->tape, ad_vec(RESIDUALS), camera));
    ad_var p = ad_gather(leaf(s, false, ad_mat(POINTS, 5)), ad_constant_array(s->tape, ad_vec(RESIDUALS), point));
    s->y = ad_sum_dims(ad_sin(ad_mul(ad_tanh(c), ad_exp(p))), 2);
}

static const struct {
    const char *name;
    void (*record)(scene *s);
    bool samples;
    ad_way cheaper;
} cases[] = {
    {"wide", wide, true, AD_FORWARD},
    {"narrow", narrow, true, AD_BACKWARD},
    {"wide, shared", wide_shared, false, AD_FORWARD},
    {"elementwise first", elementwise_first, true, AD_FORWARD},
    {"elementwise last", elementwise_last, true, AD_BACKWARD},
    {"tables", tables, false, AD_BACKWARD},
};

/* ---- What they cost ---- */

static double work_of(const ad_code *code)
{
    double sum = 0;
    for (int64_t k = 0; k < code->count; k++) {
        const ad_instruction *i = &code->at[k];
        sum += (double)((1 + i->nin) * i->count);
        if (i->action == DO_matmul) sum += (double)(i->count * i->matmul.k) / 16;
    }
    return sum;
}

static double work(ad_var y)
{
    runner r = runner_new(&y, 1, 0);
    double sum = 0;
    for (int64_t s = 0; s < r.plan->stages; s++) {
        const ad_stage *stage = &r.plan->stage[s];
        sum += work_of(&stage->body) + work_of(&stage->shared) / (stage->axis < 0 ? 1 : 50);
    }
    runner_free(r);
    return sum;
}

/* The matrix, which the caller frees. */
static double *numbers(const scene *s, ad_var y)
{
    runner r = runner_new(&y, 1, 0);
    double *x[MOST_X];
    gibbs_error error;
    for (int i = 0; i < s->n; i++) {
        ad_shape shape = ad_shape_of(s->x[i]);
        x[i] = random_numbers(ad_shape_count(&shape) * ROWS, 11 + (uint64_t)i);
        MUST(ad_bind(r.w, s->x[i], x[i], &error), error);
    }
    if (!ad_is_shared(y)) set_rows(r, s->data, ROWS);
    run(r);
    ad_shape of = ad_shape_of(y);
    size_t bytes = (size_t)(ad_shape_count(&of) * (ad_is_shared(y) ? 1 : ROWS)) * sizeof(double);
    double *out = memcpy(malloc(bytes), ad_result_f64(r.w, 0), bytes);
    for (int i = 0; i < s->n; i++) free(x[i]);
    runner_free(r);
    return out;
}

static scene start(int k)
{
    scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    cases[k].record(&s);
    cr_assert_eq(ad_tape_status(s.tape), GIBBS_OK, "%s", ad_tape_message(s.tape));
    return s;
}

Test(jacobian_ways, the_cheaper_one_is_taken)
{
    for (int k = 0; k < LENGTH(cases); k++) {
        scene s = start(k);
        double cost[3];
        for (ad_way way = AD_FORWARD; way <= AD_BACKWARD; way++) cost[way] = work(ad_jacobian_by(s.y, s.x, s.n, way));
        double least = fmin(cost[AD_FORWARD], cost[AD_BACKWARD]), chosen = work(ad_jacobian(s.y, s.x, s.n));
        cr_expect(chosen <= 1.1 * least, "%s: %g, where forward is %g and backward %g", cases[k].name, chosen,
                  cost[AD_FORWARD], cost[AD_BACKWARD]);
        cr_expect_eq(chosen, cost[cases[k].cheaper], "%s: the other way", cases[k].name);
        ad_tape_free(s.tape);
    }
}

/* Control: whoever counts directions alone takes the dearer way, several times as dear, of two of these. */
Test(jacobian_ways, control_directions_mislead)
{
    for (int k = 3; k < 5; k++) {
        scene s = start(k);
        double f = work(ad_jacobian_by(s.y, s.x, s.n, AD_FORWARD));
        double b = work(ad_jacobian_by(s.y, s.x, s.n, AD_BACKWARD));
        cr_expect_gt(k == 3 ? b / f : f / b, 3, "%s: %g and %g", cases[k].name, f, b);
        ad_tape_free(s.tape);
    }
}

Test(jacobian_ways, both_are_the_same_matrix)
{
    for (int k = 0; k < LENGTH(cases); k++) {
        scene s = start(k);
        ad_var f = ad_jacobian_by(s.y, s.x, s.n, AD_FORWARD), b = ad_jacobian_by(s.y, s.x, s.n, AD_BACKWARD);
        double *p = numbers(&s, f), *q = numbers(&s, b);
        ad_shape of = ad_shape_of(f);
        for (int64_t i = 0; i < ad_shape_count(&of) * (ad_is_shared(f) ? 1 : ROWS); i++)
            cr_assert(fabs(p[i] - q[i]) <= 1e-13 * (1 + fabs(p[i])), "%s: %g and %g", cases[k].name, p[i], q[i]);
        free(p), free(q);
        ad_tape_free(s.tape);
    }
}

/* What was tried and not taken is off the tape again, and its memory given back. */
Test(jacobian_ways, nothing_is_left_of_the_other)
{
    for (int k = 0; k < LENGTH(cases); k++) {
        scene told = start(k), asked = start(k);
        ad_jacobian_by(told.y, told.x, told.n, cases[k].cheaper);
        ad_var J = ad_jacobian(asked.y, asked.x, asked.n), again = ad_jacobian(asked.y, asked.x, asked.n);
        cr_expect_eq(J.id, again.id);
        cr_expect_eq(ad_tape_size(asked.tape), ad_tape_size(told.tape), "%s", cases[k].name);
        ad_tape_free(told.tape), ad_tape_free(asked.tape);
    }
}

/* A unit matrix that is too large is no error where the other way does without. */
Test(jacobian_ways, one_that_is_refused_is_not_taken)
{
    scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    ad_var x = leaf(&s, false, ad_vec(20000));
    ad_var y = ad_reshape(ad_stack((ad_var[]){ad_dot(x, ad_sin(x)), ad_sum(ad_exp(x))}, 2), ad_vec(2));
    cr_expect_not(ad_is_null(ad_jacobian(y, &x, 1)), "%s", ad_tape_message(s.tape));
    ad_tape_free(s.tape);
}

static void expect_refused(ad_var y, ad_var x, ad_way way)
{
    cr_expect(ad_is_null(ad_jacobian_by(y, &x, 1, way)));
    cr_expect_eq(ad_tape_status(y.tape), GIBBS_ARGUMENT, "%s", ad_tape_message(y.tape));
    cr_expect(strstr(ad_tape_message(y.tape), "ask for AD_CHEAPER") != NULL, "%s", ad_tape_message(y.tape));
    ad_tape_free(y.tape);
}

Test(jacobian_ways, ways_that_would_add_samples_up)
{
    scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    ad_var x = leaf(&s, true, ad_vec(2));
    expect_refused(ad_batch_sum(s.data, ad_sin(x)), x, AD_FORWARD);
    s = (scene){.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    ad_var w = leaf(&s, false, ad_vec(2)), z = ad_sin(ad_mul(w, leaf(&s, true, ad_vec(2))));
    expect_refused(ad_mul(z, ad_lift(s.data, ad_batch_sum(s.data, z))), w, AD_BACKWARD);
    s = (scene){.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    w = leaf(&s, false, ad_vec(2));
    expect_refused(ad_sin(w), w, (ad_way)3);
}
